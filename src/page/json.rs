//! The JSON that own endpoints answer with. Members may be added, none may change.

use super::display_text::DisplayText;
use super::screen::{Awaited, Choices, Device, Enrollment, Standing};
use super::site::Site;
use super::text::{Language, whole_seconds};
use super::words::{self, Said};
use crate::clock::UnixTime;
use crate::http::{HeaderValue, Reply, ReturnPath};
use crate::json::ObjectText;
use std::time::Duration;

fn json_reply(status: u16, details: &str, document: ObjectText) -> Reply {
    Reply::new(status, details.to_owned(), "application/json", body(document))
}

/// A document in which no character has a meaning to HTML or ends a line of script.
pub(super) fn body(document: ObjectText) -> Vec<u8> {
    let text = document.finish();
    let mut body = String::with_capacity(text.len());
    for character in text.chars() {
        // Outside strings JSON has none of these.
        match character {
            '<' => body.push_str("\\u003c"),
            '>' => body.push_str("\\u003e"),
            '&' => body.push_str("\\u0026"),
            '\u{2028}' => body.push_str("\\u2028"),
            '\u{2029}' => body.push_str("\\u2029"),
            other => body.push(other),
        }
    }
    body.into_bytes()
}

fn localised(reply: Reply, language: Language) -> Reply {
    reply.with("content-language", HeaderValue::from_static(language.tag()))
}

/// What `POST preauth` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreauthReply {
    /// A second factor is wanted: choose one.
    Auth(Choices),
    /// No second factor is wanted.
    Allow {
        /// Duo's words.
        message: DisplayText,
    },
    /// Duo says no.
    Deny {
        /// Its reason.
        message: DisplayText,
    },
    /// No device is set up.
    Enroll(Enrollment),
}

impl PreauthReply {
    /// The answer; `enroll_url` is Duo's portal, or a form's address of ours.
    #[must_use]
    pub fn reply(&self, site: &Site, language: Language) -> Reply {
        let texts = language.texts();
        let nothing = Choices::default();
        let inline = format!("{}/enroll", site.path_prefix);
        let confirm =
            |message: &str| Said { heading: texts.confirm.heading, message: message.to_owned() };
        let (result, said, choices, enroll_url) = match self {
            Self::Auth(choices) => ("auth", confirm(texts.confirm.message), choices, None),
            Self::Allow { message } => ("allow", confirm(message.as_str()), &nothing, None),
            Self::Deny { message } => {
                ("deny", words::of_duo(message.as_str(), language), &nothing, None)
            }
            Self::Enroll(enrollment) => {
                let url = match enrollment {
                    Enrollment::Off => None,
                    Enrollment::Portal(link) => Some(link.as_str()),
                    Enrollment::Inline => Some(inline.as_str()),
                };
                ("enroll", words::of_enrollment(enrollment, language), &nothing, url)
            }
        };
        let document = ObjectText::new()
            .text("result", result)
            .text("heading", said.heading)
            .text("message", &said.message)
            .texts("factors", choices.factors.iter().map(|factor| factor.name()))
            .objects("devices", choices.devices.iter().map(device))
            .some_text("enroll_url", enroll_url);
        localised(json_reply(200, "duo_mfa_preauth", document), language)
    }
}

fn device(device: &Device) -> ObjectText {
    ObjectText::new()
        .text("device", &device.id)
        .text("name", device.name.as_str())
        .text("type", device.kind.as_str())
        .texts("factors", device.factors.iter().map(|factor| factor.name()))
        .flag("preferred", device.is_preferred)
}

/// What `POST auth` and `GET status` answer: where a sign-in stands.
#[derive(Clone, Copy, Debug)]
pub struct SignInReply<'a> {
    /// Where.
    pub standing: &'a Standing,
    /// Duo's word for it, or an empty text.
    pub status: &'a str,
    /// When to ask again; for a sign-in that waits.
    pub poll_after: Duration,
    /// The sign-in itself, for clients without cookies.
    pub transaction: Option<&'a str>,
    /// Where the person wanted to go.
    pub return_to: Option<&'a ReturnPath>,
}

impl SignInReply<'_> {
    /// The answer: `http_status` is 202 where a factor was just started, else 200.
    #[must_use]
    pub fn reply(&self, http_status: u16, language: Language) -> Reply {
        let (state, waiting) = match self.standing {
            Standing::Waiting(waiting) => ("waiting", Some(waiting)),
            Standing::CodesSent { .. } => ("sent", None),
            Standing::Approved => ("approved", None),
            Standing::Denied => ("denied", None),
            Standing::TimedOut => ("timeout", None),
            Standing::Fraud => ("fraud", None),
            Standing::LockedOut => ("locked_out", None),
        };
        let verification_code = waiting.and_then(|waiting| match &waiting.awaited {
            Awaited::VerifiedPush { code } => Some(code),
            Awaited::Push
            | Awaited::Call
            | Awaited::Key
            | Awaited::UndeliveredPush
            | Awaited::Other { .. } => None,
        });
        let said = words::of_standing(self.standing, language);
        let document = ObjectText::new()
            .text("state", state)
            .text("status", self.status)
            .text("heading", said.heading)
            .text("message", &said.message)
            .some_text("code", self.standing.refusal().map(|code| code.name()))
            .some_text("verification_code", verification_code.map(DisplayText::as_str))
            .some_number("seconds_left", waiting.map(|waiting| whole_seconds(waiting.left)))
            .some_number("poll_after_ms", waiting.map(|_| milliseconds(self.poll_after)))
            .some_text("transaction", self.transaction)
            .some_text("return_to", self.return_to.map(ReturnPath::as_str));
        localised(json_reply(http_status, "duo_mfa_sign_in", document), language)
    }
}

/// What `GET enroll/status` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrollmentReply {
    /// The device is not set up yet.
    Waiting {
        /// When to ask again.
        poll_after: Duration,
    },
    /// It is.
    Done,
    /// The code has run out.
    Expired,
}

impl EnrollmentReply {
    /// The answer.
    #[must_use]
    pub fn reply(self) -> Reply {
        let result = |result| ObjectText::new().text("result", result);
        let document = match self {
            Self::Waiting { poll_after } => {
                result("waiting").number("poll_after_ms", milliseconds(poll_after))
            }
            Self::Done => result("done"),
            Self::Expired => result("expired"),
        };
        json_reply(200, "duo_mfa_enroll", document)
    }
}

/// What `GET userinfo` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserInfo<'a> {
    /// Who.
    pub user: &'a str,
    /// By which factor.
    pub factor: &'a str,
    /// Since when.
    pub authenticated_at: UnixTime,
    /// Until when, if it is used all along.
    pub expires_at: UnixTime,
}

impl UserInfo<'_> {
    /// The answer. Times are seconds since 1970.
    #[must_use]
    pub fn reply(&self) -> Reply {
        let document = ObjectText::new()
            .text("user", self.user)
            .text("factor", self.factor)
            .number("authenticated_at", self.authenticated_at.seconds())
            .number("expires_at", self.expires_at.seconds());
        json_reply(200, "duo_mfa_userinfo", document)
    }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
