//! The factor by which an approval was given.

use crate::factor::Factor;

/// How the second factor was satisfied. The names are those of the metrics and of
/// `x-duo-mfa-factor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApprovedBy {
    /// A factor that the user passed.
    Factor(Factor),
    /// Duo's preauth returned `allow`: bypass status of the user, or a policy.
    Bypass,
    /// A device that Duo remembers.
    Remembered,
    /// Duo was unreachable, and the fail mode is safe.
    FailSafe,
    /// A passkey, a security key or a platform authenticator, at Duo's page.
    Webauthn,
    /// Duo's page approved the user by a factor that the filter does not know. It satisfies no rule
    /// that names factors.
    Other,
}

impl ApprovedBy {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 9] = [
        Self::Factor(Factor::Push),
        Self::Factor(Factor::Passcode),
        Self::Factor(Factor::Phone),
        Self::Factor(Factor::Sms),
        Self::Bypass,
        Self::Remembered,
        Self::FailSafe,
        Self::Webauthn,
        Self::Other,
    ];

    /// The name in headers, metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Factor(factor) => factor.name(),
            Self::Bypass => "bypass",
            Self::Remembered => "remembered",
            Self::FailSafe => "fail_safe",
            Self::Webauthn => "webauthn",
            Self::Other => "other",
        }
    }

    /// Whether the user approved a prompt. Duo asks nothing of a user with bypass status or on a
    /// remembered device, and nobody is asked while Duo is unreachable.
    #[must_use]
    pub const fn is_asked(self) -> bool {
        match self {
            Self::Factor(_) | Self::Webauthn | Self::Other => true,
            Self::Bypass | Self::Remembered | Self::FailSafe => false,
        }
    }

    /// The byte in a cookie. A code is never reused for another factor.
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Factor(Factor::Push) => 1,
            Self::Factor(Factor::Passcode) => 2,
            Self::Factor(Factor::Phone) => 3,
            Self::Factor(Factor::Sms) => 4,
            Self::Bypass => 5,
            Self::Remembered => 6,
            Self::FailSafe => 7,
            Self::Webauthn => 8,
            Self::Other => 9,
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_code() {
        for (by, code) in ApprovedBy::ALL.into_iter().zip(1..) {
            assert_eq!(by.code(), code);
            assert_eq!(ApprovedBy::from_code(code), Some(by));
        }
        for code in [0, 10, 255] {
            assert_eq!(ApprovedBy::from_code(code), None);
        }
    }
}
