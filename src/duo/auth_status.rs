//! What Duo says about an attempt to authenticate.

use super::error::Malformed;
use super::members::Members;
use super::text::Text;
use crate::secret::Secret;

/// Where an attempt stands.
#[derive(Clone, Debug)]
pub struct AuthStatus {
    /// The one member to decide on.
    pub result: AuthResult,
    /// How it came to that, for texts and logs.
    pub status: Status,
    /// Duo's words, fit to show.
    pub message: Text,
    /// With an allow: lets preauth allow this device from then on.
    pub trusted_device_token: Option<Secret<String>>,
}

/// The decision on an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthResult {
    /// The second factor is given.
    Allow,
    /// It is not, and will not be.
    Deny,
    /// There is no decision yet.
    Waiting,
}

/// How an attempt stands (Duo, "Auth API", section "/auth_status").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// The telephone rings.
    Calling,
    /// The call was answered.
    Answered,
    /// The push is out.
    Pushed,
    /// The notification failed; the user can open Duo Mobile and find the push there.
    PushFailed,
    /// Nobody answered.
    Timeout,
    /// The user reported the attempt.
    Fraud,
    /// Approved.
    Allow,
    /// The user is in bypass status.
    Bypass,
    /// Denied, or a wrong passcode.
    Deny,
    /// Disabled after failures.
    LockedOut,
    /// Passcodes are out by SMS.
    Sent,
    /// A word that this version does not know, or none.
    Other(Text),
}

impl Status {
    /// The word as Duo writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Calling => "calling",
            Self::Answered => "answered",
            Self::Pushed => "pushed",
            Self::PushFailed => "push_failed",
            Self::Timeout => "timeout",
            Self::Fraud => "fraud",
            Self::Allow => "allow",
            Self::Bypass => "bypass",
            Self::Deny => "deny",
            Self::LockedOut => "locked_out",
            Self::Sent => "sent",
            Self::Other(word) => word.as_str(),
        }
    }
}

impl From<Text> for Status {
    fn from(word: Text) -> Self {
        match word.as_str() {
            "calling" => Self::Calling,
            "answered" => Self::Answered,
            "pushed" => Self::Pushed,
            "push_failed" => Self::PushFailed,
            "timeout" => Self::Timeout,
            "fraud" => Self::Fraud,
            "allow" => Self::Allow,
            "bypass" => Self::Bypass,
            "deny" => Self::Deny,
            "locked_out" => Self::LockedOut,
            "sent" => Self::Sent,
            _ => Self::Other(word),
        }
    }
}

impl AuthStatus {
    /// Reads the members. `result` is compared as it came: a [`Text`] leaves characters out.
    pub(super) fn read(members: Members<'_>) -> Result<Self, Malformed> {
        let token = members.text("trusted_device_token")?.filter(|token| !token.is_empty());
        let status = Self {
            result: AuthResult::Waiting,
            status: members.label("status")?.into(),
            message: members.label("status_msg")?,
            trusted_device_token: token.map(|token| Secret::new(token.to_owned())),
        };
        match members.required_text("result")? {
            "allow" => Ok(Self { result: AuthResult::Allow, ..status }),
            "deny" => Ok(Self { result: AuthResult::Deny, ..status }),
            "waiting" => Ok(status),
            _ => Err(Malformed::UnknownResult),
        }
    }
}
