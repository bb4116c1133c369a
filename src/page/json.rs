//! The JSON of the filter's own addresses. Members may be added; existing ones must not change.

use super::display_text::DisplayText;
use super::screen::{Awaited, Choices, Device, Enrollment, Standing};
use super::site::Site;
use super::text::{Language, whole_seconds};
use super::words::{self, Said};
use crate::clock::UnixTime;
use crate::http::{HeaderValue, Reply, ReturnPath};
use crate::json::ObjectText;
use crate::reference::Reference;
use std::time::Duration;

fn json_reply(status: u16, details: &str, document: ObjectText) -> Reply {
    Reply::new(status, details.to_owned(), "application/json", body(document))
}

/// A document in which no character is special in HTML or ends a line of script.
pub(super) fn body(document: ObjectText) -> Vec<u8> {
    let text = document.finish();
    let mut body = String::with_capacity(text.len());
    for character in text.chars() {
        // Outside strings, JSON has none of these characters.
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

/// The reply to `POST preauth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreauthReply {
    /// A second factor is required: the user chooses one.
    Auth(Choices),
    /// No second factor is required.
    Allow {
        /// Duo's message.
        message: DisplayText,
    },
    /// Duo denies access.
    Deny {
        /// Duo's reason.
        message: DisplayText,
    },
    /// The user has no device.
    Enroll(Enrollment),
}

impl PreauthReply {
    /// The reply. `enroll_url` is Duo's portal, or the filter's own address for a form.
    #[must_use]
    pub fn reply(&self, site: &Site, language: Language, reference: Reference) -> Reply {
        let texts = language.texts();
        let nothing = Choices::default();
        let inline = format!("{}/enroll", site.path_prefix);
        let confirm =
            |message: &str| Said { heading: texts.confirm.heading, message: message.to_owned() };
        let (result, said, choices, enroll_url) = match self {
            Self::Auth(choices) if choices.are_people() => {
                ("auth", Said::plainly(texts.approver), choices, None)
            }
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
            .some_text("enroll_url", enroll_url)
            .text("reference", &reference.to_string());
        localised(json_reply(200, "duo_mfa_preauth", document), language)
    }
}

fn device(device: &Device) -> ObjectText {
    ObjectText::new()
        .text("device", &device.id)
        .text("name", device.name.as_str())
        .text("type", device.kind.name())
        .texts("factors", device.factors.iter().map(|factor| factor.name()))
        .flag("preferred", device.is_preferred)
}

/// The reply to `POST auth` and `GET status`: the state of a sign-in.
#[derive(Clone, Copy, Debug)]
pub struct SignInReply<'a> {
    /// The state of the sign-in.
    pub standing: &'a Standing,
    /// Duo's status word, or an empty text.
    pub status: &'a str,
    /// When to poll again, if the sign-in is waiting.
    pub poll_after: Duration,
    /// The sign-in itself, for clients without cookies.
    pub transaction: Option<&'a str>,
    /// The path to which the user returns.
    pub return_to: Option<&'a ReturnPath>,
    /// The reference of the sign-in.
    pub reference: Reference,
}

impl SignInReply<'_> {
    /// The reply. `http_status` is 202 if a factor was just started, otherwise 200.
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
            | Awaited::Approver
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
            .some_text("return_to", self.return_to.map(ReturnPath::as_str))
            .text("reference", &self.reference.to_string());
        localised(json_reply(http_status, "duo_mfa_sign_in", document), language)
    }
}

/// The reply to a script's `POST start`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartReply<'a> {
    /// The address of Duo's page, which the script opens in the window.
    pub location: &'a str,
}

impl StartReply<'_> {
    /// The reply.
    #[must_use]
    pub fn reply(&self) -> Reply {
        json_reply(200, "duo_mfa_start", ObjectText::new().text("location", self.location))
    }
}

/// The reply to `GET enroll/status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrollmentReply {
    /// The device is not activated yet.
    Waiting {
        /// When to poll again.
        poll_after: Duration,
    },
    /// The device is activated.
    Done,
    /// The activation code has expired.
    Expired,
}

impl EnrollmentReply {
    /// The reply.
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

/// The reply to `GET userinfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserInfo<'a> {
    /// The user's name.
    pub user: &'a str,
    /// The factor of the approval.
    pub factor: &'a str,
    /// When the user was authenticated.
    pub authenticated_at: UnixTime,
    /// When the approval expires, if it is in constant use.
    pub expires_at: UnixTime,
}

impl UserInfo<'_> {
    /// The reply. Times are seconds since 1970.
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
