//! The held request: preauth, then a prompt or a passcode, then Duo's word.
//!
//! For clients that are no browsers, and for passcodes of all others. The request waits, body and all, and nothing of it reaches
//! the application before Duo's allow; its response then carries the approval cookie.

use super::asker::{Asker, Sought};
use super::audit;
use super::expect::Expect;
use super::failure::{NO_DEVICE, TIMEOUT, UNKNOWN_USE, WRONG_PASSCODE};
use super::flow::{self, send};
use super::limit::{Claim, End, Limit, Limited, Verdict};
use super::party::{Party, Recipient};
use super::prompt::{self, Ending, Prompt, SentPasscode, Transaction};
use super::prompt::{takes_codes, takes_passcode};
use super::refuse::{refuse, refuse_status, refuse_with, refuse_without_randomness};
use super::rules::new_approval;
use super::view::{explained, start_url};
use super::{Env, Forward, NewCookie, Step, per_client, same_request, sign_out, tell_application};
use crate::clock::UnixTime;
use crate::config;
use crate::duo::{AuthResult, AuthStatus, Device, PreauthReply, Status, Txid};
use crate::http::{Client, Edit, Reply, RequestHead, ReturnPath};
use crate::page::{Language, Onward, Problem};
use crate::secret::Secret;
use crate::session::Factor;
use crate::signal::{Code, Counter};

/// What is kept of a request while it waits.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) asker: Asker,
    /// Not always [`Client::Hold`]: whoever brings a passcode is held until Duo has decided on it.
    pub(super) client: Client,
    /// When the transaction was looked at, or will be.
    pub(super) polled_at: UnixTime,
    /// Whether there is a valid approval, which does not meet the terms.
    has_approval: bool,
    /// Where a browser would go on.
    return_to: ReturnPath,
    /// The edits that the request gets whoever approves it.
    edits: Vec<Edit>,
    passcode: Option<Secret<String>>,
    /// Whether its response deletes the approval, since it is a sign-out.
    pub(super) is_sign_out: bool,
    /// The claim of an approval per client that other requests of the client wait for too.
    pub(super) awaited: Option<Claim>,
}

impl Held {
    pub(super) fn new(
        head: &RequestHead<'_>,
        sought: Sought,
        client: Client,
        address: Option<&[u8]>,
        env: &Env<'_>,
    ) -> Self {
        let deadline = env.now.plus(env.gate.config().api.hold_timeout);
        let has_approval = sought.has_approval;
        let mut asker = Asker::new(head, sought, address, deadline);
        asker.request = same_request::tag(head, &asker, env);
        Self {
            client,
            polled_at: env.now,
            has_approval,
            asker,
            return_to: ReturnPath::parse(head.target),
            edits: env.gate.stripped(head),
            passcode: None,
            is_sign_out: env.gate.is_sign_out(head),
            awaited: None,
        }
    }
}

impl Recipient for Held {
    fn asker(&self) -> &Asker {
        &self.asker
    }

    fn refusal(&self, problem: &Problem, env: &Env<'_>) -> Reply {
        let config = env.gate.config();
        let is_explained = problem.code == Code::FactorRefused;
        let explained = is_explained.then(|| explained(problem, Language::En));
        let problem = explained.as_ref().unwrap_or(problem);
        let start_url = start_url(problem.code, Some(&self.asker), &self.return_to, config);
        let onward = Onward { start_url: start_url.as_deref(), ..Onward::default() };
        problem.reply_onward(self.client, &onward)
    }
}

impl From<Held> for Party {
    fn from(held: Held) -> Self {
        Self::Held(Box::new(held))
    }
}

/// Begins to ask for a request that waits.
pub(super) fn begin(mut held: Held, head: &RequestHead<'_>, env: &Env<'_>) -> Step {
    match SentPasscode::with(head) {
        SentPasscode::None => send(held, Expect::Preauth, env),
        SentPasscode::One(passcode) => {
            held.passcode = Some(passcode);
            send(held, Expect::Preauth, env)
        }
        SentPasscode::Malformed => {
            refuse_with(&held, &WRONG_PASSCODE, "not a passcode by its form", env)
        }
        SentPasscode::Several => {
            let detail = "More than one passcode came with the request.";
            refuse(&held, Code::BadRequest, detail, "", env)
        }
    }
}

/// Preauth has answered.
pub(super) fn preauthorized(mut held: Held, reply: PreauthReply, env: &Env<'_>) -> Step {
    match reply {
        PreauthReply::Allow { .. } => approve(&held, Factor::Bypass, env),
        PreauthReply::Deny { message } => {
            let detail = if message.is_empty() { "Duo refuses." } else { message.as_str() };
            refuse(&held, Code::DuoDenied, detail, "", env)
        }
        PreauthReply::Enroll { .. } => {
            let detail = "This user has no device at Duo. Ask your help desk to enroll one.";
            refuse(&held, Code::EnrollmentRequired, detail, "", env)
        }
        PreauthReply::Auth { devices, verification } => match held.passcode.take() {
            Some(passcode) => ask_passcode(held, passcode, &devices, env),
            None => ask_device(held, &devices, verification.as_ref().map(|code| &code.txid), env),
        },
    }
}

/// Duo cannot be reached, and the request may go on without it.
pub(super) fn unverified(held: &Held, env: &Env<'_>) -> Step {
    approve(held, Factor::FailSafe, env)
}

/// Duo has decided about a passcode.
pub(super) fn passcode_checked(held: &Held, status: &AuthStatus, env: &Env<'_>) -> Step {
    match (status.result, &status.status) {
        (AuthResult::Allow, _) => {
            let mut step = approve(held, Factor::Passcode, env);
            step.settlements.extend(held.asker.settlements(End::Allowed));
            step
        }
        (AuthResult::Deny, Status::Deny) => refuse_with(held, &WRONG_PASSCODE, "", env),
        (AuthResult::Deny | AuthResult::Waiting, _) => refuse_status(held, &status.status, env),
    }
}

/// Duo has said where a transaction stands.
pub(super) fn polled(
    held: Held,
    transaction: Transaction,
    status: &AuthStatus,
    env: &Env<'_>,
) -> Step {
    let settled = |end, step| Step { settlements: held.asker.settlements(end), ..step };
    let word = &status.status;
    match status.result {
        AuthResult::Allow => {
            let settlements = held.asker.settlements(End::Allowed);
            let mut step = match held.asker.request {
                Some(_) => flow::claim_approval(held, &transaction, env),
                None => approve(&held, transaction.factor, env),
            };
            step.settlements.extend(settlements);
            step
        }
        AuthResult::Deny => {
            let mut step = settled(Ending::of(word).settled(), refuse_status(&held, word, env));
            step.settlements.extend(per_client::given_up(&held));
            step
        }
        AuthResult::Waiting if held.asker.is_over(env.now) => {
            let settlements = held.asker.left().into_iter().chain(per_client::given_up(&held));
            let settlements = settlements.collect();
            Step { settlements, ..refuse_with(&held, &TIMEOUT, "", env) }
        }
        AuthResult::Waiting => flow::poll(held, transaction, env),
    }
}

fn ask_passcode(held: Held, passcode: Secret<String>, devices: &[Device], env: &Env<'_>) -> Step {
    if !takes_codes(env.gate.offered(&held.asker.terms)) {
        return refuse(&held, Code::BadRequest, "Passcodes are not accepted here.", "", env);
    }
    flow::try_passcode(held, passcode, devices, env)
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
    let prompt = env.gate.offered(&held.asker.terms).iter().find_map(|factor| match factor {
        config::Factor::Push | config::Factor::Phone => {
            let capability = prompt::capability(*factor)?;
            let device = devices.iter().find(|device| device.can(&capability))?;
            Prompt::to(device, *factor, None, &held.asker, &config.push)
        }
        config::Factor::Passcode | config::Factor::Sms => None,
    });
    match prompt {
        Some(Prompt { factor: Factor::Push, .. }) if verified_push.is_some() => {
            let detail = "Duo wants a code from this screen typed on the phone, which a program \
                          cannot show. Send a passcode in x-duo-mfa-passcode, or sign in at \
                          start_url.";
            refuse(&held, Code::MfaRequired, detail, "verified push", env)
        }
        Some(prompt) => {
            let Some(owner) = env.random else {
                return refuse_without_randomness(&held, env);
            };
            let push_timeout = env.gate.application(&held.asker.terms).duo.push_timeout;
            let asker = &mut held.asker;
            asker.deadline = asker.deadline.min(env.now.plus(push_timeout));
            held.polled_at = env.now;
            flow::claim(held, prompt, owner, env)
        }
        None if takes_passcode(devices, env.gate.offered(&held.asker.terms)) => {
            let detail = "No device of this user can approve a waiting request. Send a passcode \
                          in x-duo-mfa-passcode, or sign in at start_url.";
            refuse(&held, Code::MfaRequired, detail, "passcodes only", env)
        }
        None => refuse_with(&held, &NO_DEVICE, "", env),
    }
}

/// The table has said whether the approval has let another request go on.
pub(super) fn claimed(held: &Held, factor: Factor, verdict: &Verdict, env: &Env<'_>) -> Step {
    match verdict {
        Ok(_) => approve(held, factor, env),
        Err(Limited { limit: Limit::Used, .. }) => {
            let detail = "The same request, sent again, has used this approval.";
            refuse(held, Code::MfaRequired, detail, Limit::Used.name(), env)
        }
        Err(Limited { limit, .. }) => refuse_with(held, &UNKNOWN_USE, limit.name(), env),
    }
}

fn approve(held: &Held, factor: Factor, env: &Env<'_>) -> Step {
    let Some(id) = env.random else {
        return refuse_without_randomness(held, env);
    };
    let mut request = held.edits.clone();
    tell_application(&mut request, held.asker.identity.user.clone(), factor.name(), env.now);
    // What is good for minutes does not replace what is good for hours elsewhere.
    let is_worse = factor == Factor::FailSafe && held.has_approval;
    // The approval of this request is used up by it.
    let is_over = held.asker.terms.is_for_one_request;
    let cookie = if held.is_sign_out {
        Some(NewCookie::SignedOut(sign_out::deletions(env.gate.config())))
    } else {
        (!is_worse && !is_over).then(|| {
            let approval = new_approval(factor, env.now);
            let sessions = &env.gate.application(&held.asker.terms).sessions;
            NewCookie::Approval(sessions.issue(&approval, &held.asker.subject(), env.now, id))
        })
    };
    let forward = Forward { request, cookie };
    let step = Step::forward(forward, Counter::Admitted(factor.name()));
    let mut step = step.audited(audit::admitted(&held.asker, factor, env));
    step.settlements.extend(if held.is_sign_out {
        Some(per_client::ended(&held.asker.identity, env.gate.config()))
    } else {
        per_client::kept(&held.asker, factor, env.now, env)
    });
    step
}
