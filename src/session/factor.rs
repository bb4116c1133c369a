//! What an approval rests on.

/// How the second factor was satisfied. The names are those of the metrics and of
/// `x-duo-mfa-factor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Factor {
    /// A push to Duo Mobile.
    Push,
    /// A passcode of an app, a hardware token or an administrator.
    Passcode,
    /// A phone call.
    Phone,
    /// A passcode that was sent by text message.
    Sms,
    /// Duo's preauth said `allow`: bypass status or policy of the user.
    Bypass,
    /// A device that Duo remembers.
    Remembered,
    /// Duo was unreachable and the fail mode is safe.
    FailSafe,
}

impl Factor {
    /// All factors, in the order of their codes.
    pub const ALL: [Self; 7] = [
        Self::Push,
        Self::Passcode,
        Self::Phone,
        Self::Sms,
        Self::Bypass,
        Self::Remembered,
        Self::FailSafe,
    ];

    /// The name in headers, metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Passcode => "passcode",
            Self::Phone => "phone",
            Self::Sms => "sms",
            Self::Bypass => "bypass",
            Self::Remembered => "remembered",
            Self::FailSafe => "fail_safe",
        }
    }

    /// The byte in a cookie. A code once given is never given to another factor.
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Push => 1,
            Self::Passcode => 2,
            Self::Phone => 3,
            Self::Sms => 4,
            Self::Bypass => 5,
            Self::Remembered => 6,
            Self::FailSafe => 7,
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|factor| factor.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_factor_has_a_code_of_its_own() {
        for (factor, code) in Factor::ALL.into_iter().zip(1..) {
            assert_eq!(factor.code(), code);
            assert_eq!(Factor::from_code(code), Some(factor));
        }
        for code in [0, 8, 255] {
            assert_eq!(Factor::from_code(code), None);
        }
    }
}
