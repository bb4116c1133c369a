//! Prompts on a user's device, and passcodes.

use super::challenge::Challenge;
use super::limit::{End, Permit, Prompted, Settlement, SingleUse};
use super::request_line::RequestLine;
use crate::config::{Config, PushDetails};
use crate::duo::{
    AuthFactor, AuthStatus, Credentials, Device, DeviceChoice, PushInfo, Status, Txid,
};
use crate::factor::Factor;
use crate::http::authority::Host;
use crate::http::name::is_method;
use crate::http::{Parameters, RequestHead};
use crate::identity::Identity;
use crate::secret::Secret;
use crate::session::ApprovedBy;
use std::borrow::Cow;
use std::time::Duration;

/// The header of a passcode.
const PASSCODE_HEADER: &str = "x-duo-mfa-passcode";

/// The longest passcode that is sent to Duo, in characters.
const MAX_PASSCODE: usize = 64;

/// How long Duo keeps a push or a call on the phone, even if the filter stops waiting for it.
const ON_THE_PHONE: Duration = Duration::from_secs(60);

/// How much longer a prompt counts as pending if nothing is heard of it.
const PERMIT_SLACK: Duration = Duration::from_secs(5);

/// A prompt for a device: its owner approves it there, or reads a passcode.
#[derive(Clone, Debug)]
pub(super) struct Prompt {
    /// The factor of the approval.
    pub(super) factor: Factor,
    /// The factor in the call to Duo.
    pub(super) ask: AuthFactor,
}

/// A prompt that Duo has sent.
#[derive(Clone, Debug)]
pub(super) struct Transaction {
    /// The factor of the approval.
    pub(super) factor: Factor,
    /// Duo's id of the transaction.
    pub(super) txid: Txid,
}

/// The permit to ring this phone of the person who is asked. `owner` is the random id of this
/// prompt. Phones are counted over all Duo applications together.
pub(super) fn permit(
    challenge: &Challenge,
    device: Option<&str>,
    owner: [u8; 16],
    config: &Config,
) -> Permit {
    let duo = &config.applications.under(&challenge.terms).duo;
    let lasts = duo.push_timeout.max(ON_THE_PHONE).saturating_add(PERMIT_SLACK);
    let user = duo_tag("prompts", challenge.asked().1, config);
    let permit = Permit::of_prompt(user, owner, lasts);
    permit.counted_by(device.map(|id| device_tag("prompts", id, challenge, config)))
}

/// The change that stores the prompt's transaction in the table, after Duo has named it to the
/// application with these credentials. `None` if the id is too long for the table.
pub(super) fn sent(
    permit: Permit,
    transaction: &Transaction,
    challenge: &Challenge,
    credentials: &Credentials,
) -> Option<Settlement> {
    let Transaction { factor, txid } = transaction;
    let prompted = Prompted::new(*factor, credentials.tag(), txid, challenge.asked().0)?;
    Some(Settlement { permit, end: End::Started(prompted) })
}

/// The permit to forward a held request with the approval of this transaction. Two requests may
/// have waited for it: one that left, and the same one again.
pub(super) fn approval_permit(
    transaction: &Transaction,
    challenge: &Challenge,
    config: &Config,
) -> Permit {
    let duo = &config.applications.under(&challenge.terms).duo;
    let id = config.shared.tag("held", &[transaction.txid.as_str().as_bytes()]);
    // No present request waits for it longer than that.
    Permit::single_use(SingleUse::Held, id, duo.push_timeout.saturating_add(PERMIT_SLACK))
}

/// The permit to try a passcode of this user, who has these devices. Another name of the same user
/// has the same devices, so the smallest device id identifies the user.
pub(super) fn passcode_permit(
    challenge: &Challenge,
    devices: &[Device],
    config: &Config,
) -> Permit {
    let first = devices.iter().map(|device| device.id.as_str()).min();
    Permit::of_passcode(user_tag("passcodes", challenge, config))
        .counted_by(first.map(|id| device_tag("passcodes", id, challenge, config)))
}

/// Represents a user by the name at Duo, since two spellings of the first factor, or two listeners,
/// may lead to one user. Duo ignores the case of names.
pub(super) fn user_tag(kind: &str, challenge: &Challenge, config: &Config) -> [u8; 16] {
    name_tag(kind, &challenge.identity, config)
}

/// Like [`user_tag`], for a user without a challenge.
pub(super) fn name_tag(kind: &str, of: &Identity, config: &Config) -> [u8; 16] {
    duo_tag(kind, of.username(), config)
}

fn duo_tag(kind: &str, username: &str, config: &Config) -> [u8; 16] {
    let host = config.applications.main.duo.api_host().as_str();
    let name = username.to_ascii_lowercase();
    config.shared.tag(kind, &[b"user", host.as_bytes(), name.as_bytes()])
}

/// Represents a device. Ids are Duo's, and unique for one API host.
fn device_tag(kind: &str, id: &str, challenge: &Challenge, config: &Config) -> [u8; 16] {
    let host = config.applications.under(&challenge.terms).duo.api_host().as_str();
    config.shared.tag(kind, &[b"device", host.as_bytes(), id.as_bytes()])
}

impl Prompt {
    /// The id of the device that it is sent to; `None` if Duo chooses.
    pub(super) fn device(&self) -> Option<&str> {
        let (AuthFactor::Push { device, .. }
        | AuthFactor::Phone { device }
        | AuthFactor::Sms { device }) = &self.ask
        else {
            return None;
        };
        match device {
            DeviceChoice::Id(id) => Some(id.as_str()),
            DeviceChoice::Auto => None,
        }
    }

    /// The prompt for this device and factor; `None` for a passcode, which is not sent. `verified`
    /// is the transaction of a push that requires a code.
    pub(super) fn to(
        device: &Device,
        factor: Factor,
        verified: Option<Txid>,
        challenge: &Challenge,
        details: &PushDetails,
    ) -> Option<Self> {
        let id = DeviceChoice::Id(device.id.clone());
        let ask = match factor {
            Factor::Push => push(id, verified, challenge, details),
            Factor::Phone => AuthFactor::Phone { device: id },
            Factor::Sms => AuthFactor::Sms { device: id },
            Factor::Passcode => return None,
        };
        Some(Self { factor, ask })
    }
}

/// A client's text in the form that a phone shows: characters other than printable ASCII are
/// escaped as in a URL. So no character changes the direction of writing, and no letter looks like
/// another.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' => plain.push(char::from(byte)),
            _ => plain.push_str(&format!("%{byte:02X}")),
        }
    }
    plain
}

/// The host as the configuration spells it. `None` if the configuration does not name it, since a
/// client can write any host.
fn host(challenge: &Challenge, details: &PushDetails) -> Option<String> {
    let host = Host::of(challenge.trail.request.host.as_bytes()).ok()?;
    details.hosts.iter().find_map(|named| named.spelling_of(&host))
}

/// A push that shows its purpose. No text of the client is in it unescaped.
fn push(
    device: DeviceChoice,
    verified: Option<Txid>,
    challenge: &Challenge,
    details: &PushDetails,
) -> AuthFactor {
    let RequestLine { method, path, query, .. } = &challenge.trail.request;
    let requester = challenge.approver().map(|_| challenge.identity.user.clone());
    let asked = [
        ("requester", requester),
        ("host", host(challenge, details)),
        ("request", is_method(method.as_bytes()).then(|| method.clone())),
        ("path", Some(plain(path))),
        ("query", query.as_deref().map(plain)),
        ("reference", Some(challenge.trail.reference.to_string())),
    ];
    let asked: Vec<_> = asked.into_iter().filter_map(|(name, text)| Some((name, text?))).collect();
    let asked = asked.iter().map(|(name, text)| (*name, text.as_str()));
    let configured = details.info.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    AuthFactor::Push {
        device,
        txid: verified,
        title: details.title.clone(),
        info: PushInfo::new(configured).and(asked),
    }
}

/// Duo's message about an attempt; its status word if there is no message.
pub(super) fn said(status: &AuthStatus) -> &str {
    if status.message.is_empty() { status.status.as_str() } else { status.message.as_str() }
}

/// How Duo has allowed an attempt by this factor. It also lets users pass that it has not asked.
pub(super) fn allowed_by(factor: Factor, status: &Status) -> ApprovedBy {
    if *status == Status::Bypass { ApprovedBy::Bypass } else { ApprovedBy::Factor(factor) }
}

/// How a prompt ended that Duo did not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Nobody answered.
    TimedOut,
    /// The user reported it as fraud.
    Fraud,
    /// Duo has locked the account.
    LockedOut,
    /// Passcodes were sent, and nobody has typed one.
    CodesSent,
    /// The user denied it, or Duo did.
    Denied,
}

impl Ending {
    pub(super) const fn of(status: &Status) -> Self {
        match status {
            Status::Timeout => Self::TimedOut,
            Status::Fraud => Self::Fraud,
            Status::LockedOut => Self::LockedOut,
            Status::Sent => Self::CodesSent,
            Status::Calling
            | Status::Answered
            | Status::Pushed
            | Status::PushFailed
            | Status::Allow
            | Status::Bypass
            | Status::Deny
            | Status::Other(_) => Self::Denied,
        }
    }

    /// The end for the table of limits.
    pub(super) const fn settled(self) -> End {
        match self {
            Self::TimedOut => End::TimedOut,
            Self::Fraud => End::Fraud,
            Self::CodesSent => End::Sent,
            Self::LockedOut | Self::Denied => End::Denied,
        }
    }
}

/// The passcode that came with a request.
pub(super) enum SentPasscode {
    None,
    One(Secret<String>),
    /// A text that does not have the form of a passcode.
    Malformed,
    Several,
}

impl SentPasscode {
    /// The passcode in the head.
    pub(super) fn with(head: &RequestHead<'_>) -> Self {
        Self::of(head.values(PASSCODE_HEADER))
    }

    /// The passcode in the head or in a form.
    pub(super) fn posted(head: &RequestHead<'_>, parameters: Parameters<'_>) -> Self {
        let typed = parameters.posted("passcode").map(|code| Cow::Owned(code.as_bytes().to_vec()));
        Self::of(head.values(PASSCODE_HEADER).map(Cow::Borrowed).chain(typed))
    }

    fn of(mut sent: impl Iterator<Item = impl AsRef<[u8]>>) -> Self {
        match (sent.next(), sent.next()) {
            (None, _) => Self::None,
            (Some(_), Some(_)) => Self::Several,
            (Some(value), None) => passcode(value.as_ref()).map_or(Self::Malformed, Self::One),
        }
    }
}

/// A passcode, if the value has the form of one: letters and digits, as those of apps, tokens, text
/// messages and administrators have.
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
