//! How the user authenticated at Duo's page.

/// The longest word that is compared, in bytes. Duo's words are shorter than 50.
const MAX_WORD_BYTES: usize = 128;

/// The words of `factor`. A `*` at the end matches any rest.
const FACTORS: [(&str, ConfirmedBy); 15] = [
    ("duo_push", ConfirmedBy::Push),
    ("verified_duo_push", ConfirmedBy::Push),
    ("phone_call", ConfirmedBy::Phone),
    ("sms_passcode", ConfirmedBy::Sms),
    ("sms_refresh", ConfirmedBy::Sms),
    ("passcode", ConfirmedBy::Passcode),
    ("duo_mobile_passcode*", ConfirmedBy::Passcode),
    ("hardware_token", ConfirmedBy::Passcode),
    ("yubikey_*", ConfirmedBy::Passcode),
    ("digipass_*", ConfirmedBy::Passcode),
    ("bypass_code", ConfirmedBy::Passcode),
    ("webauthn*", ConfirmedBy::Webauthn),
    ("u2f_token", ConfirmedBy::Webauthn),
    ("remembered_device", ConfirmedBy::Remembered),
    ("trusted_network", ConfirmedBy::Bypass),
];

/// The words of `reason`, for an authentication without a factor.
const REASONS: [(&str, ConfirmedBy); 6] = [
    ("remembered_device", ConfirmedBy::Remembered),
    ("bypass_user", ConfirmedBy::Bypass),
    ("allowed_by_policy", ConfirmedBy::Bypass),
    ("allow_unenrolled_user*", ConfirmedBy::Bypass),
    ("trusted_network", ConfirmedBy::Bypass),
    ("trusted_location", ConfirmedBy::Bypass),
];

/// The factor of an approval at Duo's page. It has more values than [`crate::factor::Factor`],
/// since the page
/// has further factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConfirmedBy {
    /// A push to Duo Mobile.
    Push,
    /// A phone call.
    Phone,
    /// A passcode that was sent by text message.
    Sms,
    /// A passcode from an app, a hardware token or an administrator. The last kind is a bypass
    /// code: as [`Self::Bypass`] it would satisfy rules that ask for a security key.
    Passcode,
    /// A security key, a passkey, or a platform authenticator such as Touch ID.
    Webauthn,
    /// A device that Duo remembers.
    Remembered,
    /// No factor: bypass status, a trusted network, or a policy at Duo.
    Bypass,
    /// A factor that this version does not know, or that Duo does not name. Satisfies no rule that
    /// asks for a factor.
    Other,
}

impl ConfirmedBy {
    /// The name in headers, metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Phone => "phone",
            Self::Sms => "sms",
            Self::Passcode => "passcode",
            Self::Webauthn => "webauthn",
            Self::Remembered => "remembered",
            Self::Bypass => "bypass",
            Self::Other => "other",
        }
    }

    /// The factor for `auth_context.factor` and `auth_context.reason` of an id_token; `None` for a
    /// member that is absent or `null`.
    ///
    /// ASCII case is ignored in `factor`, and spaces and hyphens are read as `_`. The reason is
    /// used only if `factor` names no factor, and is compared exactly.
    ///
    /// The words are those of Duo's Admin API, "Authentication Logs"
    /// (<https://duo.com/docs/adminapi#authentication-logs>).
    #[must_use]
    pub fn of(factor: Option<&str>, reason: Option<&str>) -> Self {
        let factor = factor.unwrap_or_default();
        if factor.len() > MAX_WORD_BYTES {
            return Self::Other;
        }
        match normalized(factor).as_str() {
            "" | "not_available" => look_up(&REASONS, reason.unwrap_or_default()),
            word => look_up(&FACTORS, word),
        }
    }
}

fn look_up(words: &[(&str, ConfirmedBy)], word: &str) -> ConfirmedBy {
    let matches = |pattern: &str| match pattern.strip_suffix("*") {
        Some(start) => word.starts_with(start),
        None => word == pattern,
    };
    words
        .iter()
        .find(|(pattern, _)| matches(pattern))
        .map_or(ConfirmedBy::Other, |(_, factor)| *factor)
}

fn normalized(word: &str) -> String {
    let spelled = |character| match character {
        ' ' | '-' => '_',
        _ => character,
    };
    word.to_ascii_lowercase().chars().map(spelled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_duos_own_words_are_a_bypass() {
        for (factor, reason) in [
            (None, Some("Bypass User")),
            (None, Some("bypass_user ")),
            (None, Some("not_bypass_user")),
            (Some(" "), Some("bypass_user")),
            (Some("bypass"), Some("bypass_user")),
            (Some("bypass_user"), Some("bypass_user")),
            (Some("trusted_network_2"), None),
        ] {
            assert_eq!(
                ConfirmedBy::of(factor, reason),
                ConfirmedBy::Other,
                "{factor:?} {reason:?}"
            );
        }
        assert_eq!(
            ConfirmedBy::of(Some("Not Available"), Some("trusted_location")),
            ConfirmedBy::Bypass
        );
        assert_eq!(
            ConfirmedBy::of(Some("bypass_code"), Some("bypass_user")),
            ConfirmedBy::Passcode
        );
    }

    #[test]
    fn a_long_word_is_unknown() {
        let word = |length: usize| format!("webauthn{}", "x".repeat(length));
        assert_eq!(ConfirmedBy::of(Some(&word(120)), None), ConfirmedBy::Webauthn);
        assert_eq!(ConfirmedBy::of(Some(&word(121)), None), ConfirmedBy::Other);
    }

    proptest! {
        #[test]
        fn arbitrary_words_do_no_harm(
            factor in proptest::option::of(any::<String>()),
            reason in proptest::option::of(any::<String>()),
        ) {
            prop_assert_eq!(ConfirmedBy::of(factor.as_deref(), reason.as_deref()), ConfirmedBy::Other);
        }
    }
}
