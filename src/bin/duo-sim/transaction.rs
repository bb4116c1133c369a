//! One authentication attempt, from `POST /auth` to its end. Duo's name for it is txid.
//!
//! A transaction knows its status and which actions may change it. It has no clock and no timer;
//! its owner decides when something happens.

use serde::{Deserialize, Serialize};

/// How long a finished transaction can still be polled, in milliseconds.
const KEPT_MS: i64 = 5 * 60 * 1000;

/// The state of a transaction, in Duo's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Pushed,
    PushFailed,
    Calling,
    Answered,
    Allow,
    Bypass,
    Deny,
    Timeout,
    Fraud,
    LockedOut,
    Sent,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pushed => "pushed",
            Self::PushFailed => "push_failed",
            Self::Calling => "calling",
            Self::Answered => "answered",
            Self::Allow => "allow",
            Self::Bypass => "bypass",
            Self::Deny => "deny",
            Self::Timeout => "timeout",
            Self::Fraud => "fraud",
            Self::LockedOut => "locked_out",
            Self::Sent => "sent",
        }
    }

    pub(crate) fn result(self) -> &'static str {
        match self {
            Self::Pushed | Self::PushFailed | Self::Calling | Self::Answered => "waiting",
            Self::Allow | Self::Bypass => "allow",
            Self::Deny | Self::Timeout | Self::Fraud | Self::LockedOut | Self::Sent => "deny",
        }
    }

    pub(crate) fn is_terminal(self) -> bool {
        self.result() != "waiting"
    }

    fn message(self) -> &'static str {
        match self {
            Self::Pushed => "Pushed a login request to your device...",
            Self::PushFailed => {
                "Couldn't notify your device. Open Duo Mobile to see the login request."
            }
            Self::Calling => "Dialing your phone...",
            Self::Answered => "Answered. Press '#' on your phone to log in.",
            Self::Allow => "Success. Logging you in...",
            Self::Bypass => "Account is in bypass status.",
            Self::Deny => "Login request denied.",
            Self::Timeout => "Login timed out.",
            Self::Fraud => "Login request reported as fraudulent.",
            Self::LockedOut => "Your account is disabled due to excessive failures.",
            Self::Sent => "New SMS passcodes sent.",
        }
    }
}

/// An action of the phone's owner, or of the network on the way to the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    Approve,
    Deny,
    Fraud,
    Timeout,
    /// The notification is not delivered; the request can still be answered.
    Fail,
    /// The user takes the call.
    Answer,
}

/// Why an action changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ActionError {
    #[error("no such transaction")]
    Unknown,
    #[error("the transaction has ended")]
    Ended,
    #[error("the code is not the one on the screen")]
    WrongCode,
    #[error("the factor knows no such action")]
    NotApplicable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Factor {
    Push,
    Phone,
    Sms,
    Passcode,
}

/// The application's details about the login, shown on the phone.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Context {
    #[serde(rename = "type")]
    pub(crate) title: Option<String>,
    pub(crate) display_username: Option<String>,
    /// The decoded pairs, in order.
    pub(crate) pushinfo: Vec<(String, String)>,
    pub(crate) ipaddr: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Transaction {
    pub(crate) txid: String,
    pub(crate) username: String,
    pub(crate) factor: Factor,
    pub(crate) device: Option<String>,
    pub(crate) status: Status,
    pub(crate) message: String,
    pub(crate) started_ms: i64,
    pub(crate) ended_ms: Option<i64>,
    /// The code that must be typed into the phone.
    pub(crate) verification_code: Option<String>,
    pub(crate) context: Context,
    pub(crate) trusted_device_token: Option<String>,
    /// The number of status changes, so that a poll can wait for the next one.
    pub(crate) version: u64,
    /// The version that the last poll returned.
    pub(crate) told: Option<u64>,
}

impl Transaction {
    pub(crate) fn started(
        txid: String,
        username: &str,
        factor: Factor,
        status: Status,
        now_ms: i64,
    ) -> Self {
        Self {
            txid,
            username: username.to_owned(),
            factor,
            device: None,
            status,
            message: status.message().to_owned(),
            started_ms: now_ms,
            ended_ms: status.is_terminal().then_some(now_ms),
            verification_code: None,
            context: Context::default(),
            trusted_device_token: None,
            version: 0,
            told: None,
        }
    }

    /// Applies `action`; `code` is the text that was typed into the phone.
    pub(crate) fn act(
        &mut self,
        action: Action,
        code: Option<&str>,
        now_ms: i64,
    ) -> Result<(), ActionError> {
        if self.status.is_terminal() {
            return Err(ActionError::Ended);
        }
        let status = match (action, self.factor) {
            (Action::Approve, _) => {
                if self.verification_code.is_some() && self.verification_code.as_deref() != code {
                    return Err(ActionError::WrongCode);
                }
                Status::Allow
            }
            (Action::Deny, _) => Status::Deny,
            (Action::Fraud, _) => Status::Fraud,
            (Action::Timeout, _) => Status::Timeout,
            (Action::Fail, Factor::Push) => Status::PushFailed,
            (Action::Answer, Factor::Phone) => Status::Answered,
            (Action::Fail | Action::Answer, _) => return Err(ActionError::NotApplicable),
        };
        self.become_status(status, now_ms);
        Ok(())
    }

    fn become_status(&mut self, status: Status, now_ms: i64) {
        self.status = status;
        status.message().clone_into(&mut self.message);
        self.version += 1;
        self.ended_ms = status.is_terminal().then_some(now_ms);
    }

    pub(crate) fn is_forgotten(&self, now_ms: i64) -> bool {
        self.ended_ms.is_some_and(|ended| now_ms - ended > KEPT_MS)
    }

    /// Whether a poll can return at once, since the status has changed after the last one.
    pub(crate) fn has_news(&self) -> bool {
        self.status.is_terminal() || self.told != Some(self.version)
    }
}
