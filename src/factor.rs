//! The factors that a user can be asked for: the one list for rules, pages, approvals and calls.

/// A second factor that a user can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Factor {
    /// A push to Duo Mobile.
    Push,
    /// A passcode from an app, a hardware token, an SMS or an administrator.
    Passcode,
    /// A phone call.
    Phone,
    /// An SMS with passcodes.
    Sms,
}

impl Factor {
    /// All factors, in their default order.
    pub const ALL: [Self; 4] = [Self::Push, Self::Passcode, Self::Phone, Self::Sms];

    /// The name in Duo's parameters, the configuration, addresses, JSON, headers, metrics and logs.
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

/// The factors whose approvals are accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcceptedFactors {
    /// The factors that the filter itself can ask for, in this order. Empty if only `webauthn` is
    /// accepted.
    pub factors: Vec<Factor>,
    /// Whether a passkey, a security key or a platform authenticator at Duo's page is accepted.
    pub webauthn: bool,
}
