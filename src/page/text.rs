//! The texts of the pages in all their languages.
//!
//! Each language is one struct, so a text that is missing in one of them does not compile. Places
//! for values are named, as in `{device}`. A text says what happened, what it means and what to do,
//! but never blames anyone. Log lines and codes are always English and are not here.

mod accept;
mod de;
mod en;
mod es;
mod fr;
mod ja;
mod place;

use crate::signal::Code;
use std::time::Duration;

pub(super) use place::{Filled, fill};

/// A language of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// German.
    De,
    /// English, also for all languages that are not here.
    #[default]
    En,
    /// Spanish.
    Es,
    /// French.
    Fr,
    /// Japanese.
    Ja,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 5] = [Self::De, Self::En, Self::Es, Self::Fr, Self::Ja];

    /// The language with the highest weight in an `Accept-Language` value (RFC 9110, section
    /// 12.5.4), by its primary tag: `de-CH` selects German.
    #[must_use]
    pub fn accepted(header: Option<&[u8]>) -> Self {
        header.and_then(accept::preferred).unwrap_or_default()
    }

    /// The tag for `Content-Language` and `lang` (RFC 5646).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::De => "de",
            Self::En => "en",
            Self::Es => "es",
            Self::Fr => "fr",
            Self::Ja => "ja",
        }
    }

    /// The direction of its script.
    pub(super) const fn direction(self) -> &'static str {
        match self {
            Self::De | Self::En | Self::Es | Self::Fr | Self::Ja => "ltr",
        }
    }

    /// The heading of a refusal, for people.
    #[must_use]
    pub fn heading(self, code: Code) -> &'static str {
        self.texts().refusal(code).heading
    }

    /// A refusal in one or two sentences: the event and the remedy. `wait` is the time before
    /// another try may succeed, if known; `accepts_passcode` is whether a passcode need not wait.
    #[must_use]
    pub fn detail(self, code: Code, wait: Option<Duration>, accepts_passcode: bool) -> String {
        let texts = self.texts();
        let mut detail = fill(texts.refusal(code).message, &[("wait", &self.wait(wait))]);
        if accepts_passcode {
            detail.push(' ');
            detail.push_str(texts.passcode_now);
        }
        detail
    }

    /// A duration in words, rounded up: seconds below two minutes, otherwise minutes.
    pub(super) fn wait(self, wait: Option<Duration>) -> String {
        let texts = self.texts();
        let Some(wait) = wait else { return texts.a_moment.to_owned() };
        let (text, number) = match whole_seconds(wait) {
            1 => (texts.one_second, 1),
            seconds @ 0..120 => (texts.seconds, seconds),
            seconds => (texts.minutes, seconds.div_ceil(60)),
        };
        fill(text, &[("number", &number.to_string())])
    }

    pub(super) const fn texts(self) -> &'static Texts {
        match self {
            Self::De => &de::TEXTS,
            Self::En => &en::TEXTS,
            Self::Es => &es::TEXTS,
            Self::Fr => &fr::TEXTS,
            Self::Ja => &ja::TEXTS,
        }
    }
}

/// Seconds, rounded up, so that a client that waits this long is not early.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}

/// A heading and the message under it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    pub(super) heading: &'static str,
    pub(super) message: &'static str,
}

macro_rules! texts {
    (words: $($words:ident)*; texts: $($text:ident)*) => {
        /// All texts in one language.
        pub(super) struct Texts {
            $(pub(super) $words: Words,)*
            $(pub(super) $text: &'static str,)*
        }

        #[cfg(test)]
        impl Texts {
            pub(super) fn headings(&self) -> Vec<&'static str> {
                vec![$(self.$words.heading,)*]
            }

            /// Every text with its name, headings and messages alike.
            pub(super) fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![
                    $((stringify!($words), self.$words.heading),)*
                    $((stringify!($words), self.$words.message),)*
                    $((stringify!($text), self.$text),)*
                ]
            }
        }
    };
}

texts! {
    words:
        access_denied account_locked answer_phone approved approver approver_refused bad_request check_phone confirm denied
        duo_denied enroll enter_code factor_insufficient factor_refused form_not_sent fraud https_required identity_invalid identity_missing
        misconfigured no_device not_found other_user pending_elsewhere phone_unreachable sign_in_lost signed_out timeout
        too_many_requests unavailable verified_push;
    texts:
        a_moment another_way answered app approval_awaited back_to_form call_me code_hint code_incorrect code_label
        code_needs_script code_spoken continue_ enroll_code enroll_done enroll_open enroll_portal
        enroll_qr enroll_start enroll_step_install enroll_step_return enroll_step_scan form_from_elsewhere from
        help help_desk minutes no_cookies not_asked offline one_moment one_second other_devices
        passcode_now
        reference second_left seconds seconds_left send_again send_push sign_out_asked
        sign_out_now signed_in_as
        start_again switch_user text_codes time try_again until verify_code your_phone
}

impl Texts {
    /// The heading and the message of a refusal.
    pub(super) const fn refusal(&self, code: Code) -> Words {
        match code {
            Code::MfaRequired => self.confirm,
            Code::MfaDenied => self.denied,
            Code::MfaTimeout => self.timeout,
            Code::MfaFraud => self.fraud,
            Code::MfaLockedOut => self.account_locked,
            Code::MfaInsufficient => self.factor_insufficient,
            Code::OtherUser => self.other_user,
            Code::SignInLost => self.sign_in_lost,
            Code::DuoDenied => self.duo_denied,
            Code::EnrollmentRequired => self.enroll,
            Code::NoDevice => self.no_device,
            Code::FactorRefused => self.factor_refused,
            Code::ApproverRequired => self.approver,
            Code::ApproverNotAllowed | Code::ApproverNotAsked | Code::ApproverUnavailable => {
                self.approver_refused
            }
            Code::IdentityMissing => self.identity_missing,
            Code::IdentityInvalid => self.identity_invalid,
            Code::AccessDenied => self.access_denied,
            Code::PasscodeIncorrect => {
                Words { heading: self.enter_code.heading, message: self.code_incorrect }
            }
            Code::TooManyRequests => self.too_many_requests,
            Code::PendingElsewhere => self.pending_elsewhere,
            Code::DuoUnavailable | Code::Overloaded => self.unavailable,
            Code::DuoMisconfigured | Code::InternalRedirect => self.misconfigured,
            Code::BadRequest | Code::CrossSite | Code::PathAmbiguous | Code::MethodNotAllowed => {
                self.bad_request
            }
            Code::HttpsRequired => self.https_required,
            Code::NotFound => self.not_found,
        }
    }
}

#[cfg(test)]
mod tests;
