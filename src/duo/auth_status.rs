//! Duo's decision on an authentication attempt.

use super::error::Malformed;
use super::members::Members;
use super::text::Text;
use crate::secret::Secret;

/// The state of an authentication attempt.
#[derive(Clone, Debug)]
pub struct AuthStatus {
    /// The one member that decides.
    pub result: AuthResult,
    /// The reason for the result, for texts and logs.
    pub status: Status,
    /// Duo's message, safe to show.
    pub message: Text,
    /// With an allow: a token by which preauth allows this device from then on.
    pub trusted_device_token: Option<Secret<String>>,
}

/// The decision on an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthResult {
    /// The second factor is verified.
    Allow,
    /// The second factor is refused; this is final.
    Deny,
    /// There is no decision yet.
    Waiting,
}

/// The state of an attempt (Duo, "Auth API", section "/auth_status").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// The phone is ringing.
    Calling,
    /// The call was answered.
    Answered,
    /// The push was sent.
    Pushed,
    /// The notification failed; the user can open Duo Mobile and find the push there.
    PushFailed,
    /// Nobody answered.
    Timeout,
    /// The user reported the attempt as fraud.
    Fraud,
    /// Approved.
    Allow,
    /// The user has bypass status.
    Bypass,
    /// Denied, or an incorrect passcode.
    Deny,
    /// The user was locked out after failed attempts.
    LockedOut,
    /// Passcodes were sent by SMS.
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
    /// Reads the members. `result` is compared as it was received, since a [`Text`] drops
    /// characters.
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
