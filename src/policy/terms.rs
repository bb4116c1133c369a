//! What a rule wants of a second factor, beyond there being one.

use std::time::Duration;

/// The terms of a rule. Where one is absent, what holds for all requests does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// An approval that was given longer ago is asked for again.
    pub max_age: Option<Duration>,
    /// The factors that are offered and accepted, in this order.
    pub factors: Option<Vec<Factor>>,
    /// What happens while Duo cannot be reached.
    pub fail_mode: Option<FailMode>,
    /// The number of the Duo application that is asked; 0 is the one that is where no rule names
    /// another.
    pub application: usize,
    /// Each request wants an approval of its own, which opens no other.
    pub is_per_request: bool,
    /// Whether requests of clients that are no browsers are held.
    pub api_mode: Option<ApiMode>,
    /// Lets other requests of the same client pass by an approval that one of them got.
    pub per_client: Option<PerClient>,
}

/// An approval for the requests of one client, which need no cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerClient {
    /// The lifetime of such an approval.
    pub lasts: Duration,
    /// Hash of the rule's text. A rule that was changed has another one, so that approvals from before
    /// do not meet it.
    pub rule: [u8; 16],
}

impl Terms {
    /// No terms.
    pub(super) const NONE: &'static Self = {
        static NONE: Terms = Terms {
            max_age: None,
            factors: None,
            fail_mode: None,
            application: 0,
            is_per_request: false,
            api_mode: None,
            per_client: None,
        };
        &NONE
    };
}

/// What happens to a user without an approval while Duo cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailMode {
    /// The request is refused.
    #[default]
    Secure,
    /// The request goes on, with an approval that lives for minutes.
    Safe,
}

/// Whether requests of clients that are no browsers wait for the second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiMode {
    /// The request is held while the user is asked.
    Hold,
    /// It is refused at once, with the address to begin at.
    Refuse,
}

/// A factor that users may be offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// Duo Push.
    Push,
    /// A passcode from an app, a token, an SMS or an administrator.
    Passcode,
    /// A telephone call.
    Phone,
    /// An SMS with passcodes.
    Sms,
}

impl Factor {
    /// All factors, in the order in which they are offered by default.
    pub const ALL: [Self; 4] = [Self::Push, Self::Passcode, Self::Phone, Self::Sms];

    /// The name that Duo and the configuration call it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Passcode => "passcode",
            Self::Phone => "phone",
            Self::Sms => "sms",
        }
    }
}
