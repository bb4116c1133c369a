//! How the user authenticated at Duo's page.

/// The longest word that is compared, in bytes. Duo's words are shorter than 50.
const MAX_WORD_BYTES: usize = 128;

/// The words of `factor`. A `*` at the end matches any rest.
const FACTORS: [(&str, Factor); 15] = [
    ("duo_push", Factor::Push),
    ("verified_duo_push", Factor::Push),
    ("phone_call", Factor::Phone),
    ("sms_passcode", Factor::Sms),
    ("sms_refresh", Factor::Sms),
    ("passcode", Factor::Passcode),
    ("duo_mobile_passcode*", Factor::Passcode),
    ("hardware_token", Factor::Passcode),
    ("yubikey_*", Factor::Passcode),
    ("digipass_*", Factor::Passcode),
    ("bypass_code", Factor::Passcode),
    ("webauthn*", Factor::Webauthn),
    ("u2f_token", Factor::Webauthn),
    ("remembered_device", Factor::Remembered),
    ("trusted_network", Factor::Bypass),
];

/// The words of `reason`, for an authentication without a factor.
const REASONS: [(&str, Factor); 6] = [
    ("remembered_device", Factor::Remembered),
    ("bypass_user", Factor::Bypass),
    ("allowed_by_policy", Factor::Bypass),
    ("allow_unenrolled_user*", Factor::Bypass),
    ("trusted_network", Factor::Bypass),
    ("trusted_location", Factor::Bypass),
];

/// The factor of an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Factor {
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

impl Factor {
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

fn look_up(words: &[(&str, Factor)], word: &str) -> Factor {
    let matches = |pattern: &str| match pattern.strip_suffix("*") {
        Some(start) => word.starts_with(start),
        None => word == pattern,
    };
    words.iter().find(|(pattern, _)| matches(pattern)).map_or(Factor::Other, |(_, factor)| *factor)
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
    fn nothing_but_duos_own_words_is_a_bypass() {
        for (factor, reason) in [
            (None, Some("Bypass User")),
            (None, Some("bypass_user ")),
            (None, Some("not_bypass_user")),
            (Some(" "), Some("bypass_user")),
            (Some("bypass"), Some("bypass_user")),
            (Some("bypass_user"), Some("bypass_user")),
            (Some("trusted_network_2"), None),
        ] {
            assert_eq!(Factor::of(factor, reason), Factor::Other, "{factor:?} {reason:?}");
        }
        assert_eq!(Factor::of(Some("Not Available"), Some("trusted_location")), Factor::Bypass);
        assert_eq!(Factor::of(Some("bypass_code"), Some("bypass_user")), Factor::Passcode);
    }

    #[test]
    fn a_long_word_is_unknown() {
        let word = |length: usize| format!("webauthn{}", "x".repeat(length));
        assert_eq!(Factor::of(Some(&word(120)), None), Factor::Webauthn);
        assert_eq!(Factor::of(Some(&word(121)), None), Factor::Other);
    }

    proptest! {
        #[test]
        fn arbitrary_words_do_no_harm(
            factor in proptest::option::of(any::<String>()),
            reason in proptest::option::of(any::<String>()),
        ) {
            prop_assert_eq!(Factor::of(factor.as_deref(), reason.as_deref()), Factor::Other);
        }
    }
}
