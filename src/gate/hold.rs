//! The held request: preauth, then a prompt or a passcode, then Duo's word.
//!
//! For clients that are no browsers. The request waits, body and all, and nothing of it reaches
//! the application before Duo's allow; its response then carries the approval cookie.

use super::audit::{self, Asked};
use super::failure::{NO_DEVICE, NO_RANDOMNESS, TIMEOUT, Tries, WRONG_PASSCODE};
use super::flow::{Expect, Prompt, Transaction, claim, poll, send};
use super::limit::{Claim, End, Settlement};
use super::refuse::{refuse, refuse_status, refuse_with};
use super::rules::ip_address;
use super::{Env, Forward, Gate, NewCookie, Step, tell_application};
use crate::clock::UnixTime;
use crate::config;
use crate::duo::{
    Auth, AuthFactor, AuthResult, AuthStatus, Capability, Device, DeviceChoice, DeviceKind,
    Preauth, PreauthReply, PushInfo, Request, Status, Txid,
};
use crate::http::{Edit, RequestHead};
use crate::identity::Identity;
use crate::page::Reference;
use crate::secret::Secret;
use crate::session::{Factor, NewApproval, Subject};
use crate::signal::{Code, Counter};
use std::net::IpAddr;
use std::time::Duration;

/// The header of a passcode that is sent along with the request.
const PASSCODE_HEADER: &str = "x-duo-mfa-passcode";

/// The longest passcode that is handed to Duo, in characters.
const MAX_PASSCODE: usize = 64;

/// A prompt of which nothing more is heard counts as pending for so much longer than it is waited
/// for.
const CLAIM_SLACK: Duration = Duration::from_secs(5);

/// What is kept of a request while it waits.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) identity: Identity,
    pub(super) asked: Asked,
    pub(super) address: Option<IpAddr>,
    pub(super) reference: Reference,
    /// The request is not held longer than that.
    pub(super) deadline: UnixTime,
    /// When the transaction was looked at, or will be.
    pub(super) polled_at: UnixTime,
    pub(super) tries: Tries,
    /// The leave to ring the user's phone.
    pub(super) claim: Option<Claim>,
    /// The edits that the request gets whoever approves it.
    edits: Vec<Edit>,
    passcode: Option<Secret<String>>,
}

impl Held {
    pub(super) fn new(
        gate: &Gate,
        head: &RequestHead<'_>,
        identity: Identity,
        address: Option<&[u8]>,
        now: UnixTime,
    ) -> Self {
        Self {
            identity,
            asked: Asked::of(head),
            address: address.and_then(ip_address),
            reference: Reference::of_request_id(head.value("x-request-id")),
            deadline: now.plus(gate.config().api.hold_timeout),
            polled_at: now,
            tries: Tries::default(),
            claim: None,
            edits: gate.stripped(head),
            passcode: None,
        }
    }

    pub(super) fn preauth(&self) -> Request {
        Request::Preauth(Preauth {
            username: self.identity.username.clone(),
            ipaddr: self.address,
            trusted_device_token: None,
        })
    }

    pub(super) fn auth(&self, factor: AuthFactor) -> Request {
        let username = self.identity.username.clone();
        Request::Auth(Auth { username, factor, ipaddr: self.address })
    }

    pub(super) fn settlement(&self, end: End) -> Option<Settlement> {
        self.claim.map(|claim| Settlement { claim, end })
    }

    fn subject(&self) -> Subject<'_> {
        Subject { source: self.identity.source, user: &self.identity.user }
    }

    pub(super) fn is_over(&self, now: UnixTime) -> bool {
        now >= self.deadline
    }
}

/// Begins to ask for a request that waits.
pub(super) fn begin(mut held: Held, head: &RequestHead<'_>, env: &Env<'_>) -> Step {
    let mut sent = head.values(PASSCODE_HEADER);
    match (sent.next(), sent.next()) {
        (None, _) => send(held, Expect::Preauth, env),
        (Some(_), Some(_)) => {
            refuse(&held, Code::BadRequest, "More than one passcode came with the request.", "")
        }
        (Some(value), None) => match passcode(value) {
            Some(passcode) => {
                held.passcode = Some(passcode);
                send(held, Expect::Preauth, env)
            }
            None => refuse_with(&held, &WRONG_PASSCODE, "not a passcode by its form"),
        },
    }
}

/// Preauth has answered.
pub(super) fn preauthorized(held: Held, reply: PreauthReply, env: &Env<'_>) -> Step {
    match reply {
        PreauthReply::Allow { .. } => approve(&held, Factor::Bypass, env),
        PreauthReply::Deny { message } => {
            let detail = if message.is_empty() { "Duo refuses." } else { message.as_str() };
            refuse(&held, Code::DuoDenied, detail, "")
        }
        PreauthReply::Enroll { .. } => {
            let detail = "This user has no device at Duo. Ask your help desk to enroll one.";
            refuse(&held, Code::EnrollmentRequired, detail, "")
        }
        PreauthReply::Auth { devices, verification } => match held.passcode.clone() {
            Some(passcode) => ask_passcode(held, passcode, env),
            None => ask_device(held, &devices, verification.as_ref().map(|code| &code.txid), env),
        },
    }
}

/// Duo has decided about a passcode.
pub(super) fn passcode_checked(held: &Held, status: &AuthStatus, env: &Env<'_>) -> Step {
    match (status.result, &status.status) {
        (AuthResult::Allow, _) => approve(held, Factor::Passcode, env),
        (AuthResult::Deny, Status::Deny) => refuse_with(held, &WRONG_PASSCODE, ""),
        (AuthResult::Deny | AuthResult::Waiting, _) => refuse_status(held, &status.status),
    }
}

/// Duo has said where a transaction stands.
pub(super) fn polled(
    held: Held,
    transaction: Transaction,
    status: &AuthStatus,
    env: &Env<'_>,
) -> Step {
    let settled = |end, step| Step { settlement: held.settlement(end), ..step };
    match status.result {
        AuthResult::Allow => settled(End::Allowed, approve(&held, transaction.factor, env)),
        AuthResult::Deny => settled(end(&status.status), refuse_status(&held, &status.status)),
        AuthResult::Waiting if held.is_over(env.now) => refuse_with(&held, &TIMEOUT, ""),
        AuthResult::Waiting => poll(held, transaction, env),
    }
}

fn ask_passcode(held: Held, passcode: Secret<String>, env: &Env<'_>) -> Step {
    if !env.gate.config().duo.factors.contains(&config::Factor::Passcode) {
        return refuse(&held, Code::BadRequest, "Passcodes are not accepted here.", "");
    }
    send(held, Expect::Passcode(passcode), env)
}

/// Prompts the first device that can approve by the first factor that it has. A code that the
/// user would have to be shown cannot be shown to a program: such a push is not sent at all, so
/// that a policy which wants the code is not met by less.
fn ask_device(
    mut held: Held,
    devices: &[Device],
    verified_push: Option<&Txid>,
    env: &Env<'_>,
) -> Step {
    let config = env.gate.config();
    let able = |capability: &Capability| devices.iter().find(|device| device.can(capability));
    let prompt = config.duo.factors.iter().find_map(|factor| match factor {
        config::Factor::Push => able(&Capability::Push)
            .map(|device| Prompt { factor: Factor::Push, ask: push(&held, device, &config.push) }),
        config::Factor::Phone => able(&Capability::Phone).map(|device| Prompt {
            factor: Factor::Phone,
            ask: AuthFactor::Phone { device: DeviceChoice::Id(device.id.clone()) },
        }),
        config::Factor::Passcode | config::Factor::Sms => None,
    });
    match prompt {
        Some(Prompt { factor: Factor::Push, .. }) if verified_push.is_some() => {
            let detail = "Duo wants a code from this screen typed on the phone, which a program \
                          cannot show. Send a passcode in x-duo-mfa-passcode.";
            refuse(&held, Code::MfaRequired, detail, "verified push")
        }
        Some(prompt) => {
            let Some(owner) = env.random else {
                return refuse_with(&held, &NO_RANDOMNESS, "the host has no random bytes");
            };
            let time = config.duo.push_timeout;
            held.deadline = held.deadline.min(env.now.plus(time));
            held.polled_at = env.now;
            let tag = config.sessions.limit_tag(&held.subject());
            claim(held, prompt, Claim::new(tag, owner, time.saturating_add(CLAIM_SLACK)))
        }
        None if takes_passcode(devices, &config.duo.factors) => {
            let detail = "No device of this user can approve a waiting request. Send a passcode \
                          in x-duo-mfa-passcode.";
            refuse(&held, Code::MfaRequired, detail, "passcodes only")
        }
        None => refuse_with(&held, &NO_DEVICE, ""),
    }
}

fn push(held: &Held, device: &Device, details: &config::PushDetails) -> AuthFactor {
    let asked = [
        ("host", held.asked.host.as_str()),
        ("request", held.asked.method.as_str()),
        ("path", held.asked.path.as_str()),
    ];
    let configured = details.info.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    AuthFactor::Push {
        device: DeviceChoice::Id(device.id.clone()),
        txid: None,
        title: details.title.clone(),
        display_username: None,
        info: PushInfo::new(configured.chain(asked)),
    }
}

fn takes_passcode(devices: &[Device], factors: &[config::Factor]) -> bool {
    factors.contains(&config::Factor::Passcode)
        && devices.iter().any(|device| {
            device.kind == DeviceKind::Token
                || device.can(&Capability::MobileOtp)
                || device.can(&Capability::Sms)
        })
}

fn approve(held: &Held, factor: Factor, env: &Env<'_>) -> Step {
    let Some(id) = env.random else {
        return refuse_with(held, &NO_RANDOMNESS, "the host has no random bytes");
    };
    let approval = NewApproval { factor, authenticated: env.now, lifetime: None };
    let cookie = env.gate.config().sessions.issue(&approval, &held.subject(), env.now, id);
    let mut request = held.edits.clone();
    tell_application(&mut request, held.identity.user.clone(), factor.name(), env.now);
    let line = audit::admitted(held, factor.name());
    let forward = Forward { request, cookie: Some(NewCookie::Approval(cookie)) };
    let mut step = Step::forward(forward, Counter::Admitted(factor.name()));
    step.signals.push(line);
    step
}

/// How a prompt ended that Duo did not allow.
const fn end(status: &Status) -> End {
    match status {
        Status::Timeout => End::TimedOut,
        Status::Fraud => End::Fraud,
        Status::Calling
        | Status::Answered
        | Status::Pushed
        | Status::PushFailed
        | Status::Allow
        | Status::Bypass
        | Status::Deny
        | Status::LockedOut
        | Status::Sent
        | Status::Other(_) => End::Denied,
    }
}

/// A passcode by its form: letters and digits, as apps, tokens, texts and administrators give
/// them.
fn passcode(value: &[u8]) -> Option<Secret<String>> {
    let code = str::from_utf8(value.trim_ascii()).ok()?;
    let is_fit = (1..=MAX_PASSCODE).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_fit.then(|| Secret::new(code.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passcode_is_letters_and_digits() {
        for (sent, read) in [
            (b"123456".as_slice(), Some("123456")),
            (b" 123456 ", Some("123456")),
            (b"cccccccgklgcvnkcvnnegrnhgrjkhlkfhdkclfncvlgj", {
                Some("cccccccgklgcvnkcvnnegrnhgrjkhlkfhdkclfncvlgj")
            }),
            (b"", None),
            (b"12 34", None),
            (b"1;2", None),
            (b"\xff", None),
            (&[b'1'; 65], None),
        ] {
            assert_eq!(passcode(sent).map(|code| code.expose().clone()).as_deref(), read);
        }
    }
}
