//! A page as HTML: one document; only its middle depends on the state.
//!
//! Everything works without the script. A button's `formaction` holds all its data in the query,
//! since a filter cannot always read a body. The script intercepts the same forms.

mod activate;
mod choose;
mod closing;
mod wait;

use super::frame::{Arrival, Frame};
use super::link::Logo;
use super::screen::{Choices, Screen, Standing};
use super::text::{Filled, whole_seconds};
use super::words::{self, Said};
use crate::http::{HeaderValue, Reply};
use crate::signal::Code;
use maud::{DOCTYPE, Markup, html};
use std::time::Duration;

/// After how many seconds a page without script polls again.
const REFRESH: &str = "3";

/// The wait before another try while Duo cannot be reached.
const UNAVAILABLE: Duration = Duration::from_secs(5);

impl Screen {
    /// The page.
    #[must_use]
    pub fn reply(&self, frame: &Frame<'_>) -> Reply {
        let (status, code) = match self.refusal() {
            Some(Code::MfaRequired) if frame.arrival.is_own() => (200, None),
            Some(code) => (code.status(), Some(code)),
            None if frame.arrival.is_own() => (200, None),
            None => (Code::MfaRequired.status(), Some(Code::MfaRequired)),
        };
        let details = code.map_or_else(|| "duo_mfa_page".to_owned(), Code::details);
        let body = document(self, frame).into_string().into_bytes();
        let language = HeaderValue::from_static(frame.language.tag());
        let reply = Reply::new(status, details, "text/html; charset=utf-8", body)
            .with("content-language", language);
        let reply = match frame.duo {
            Some(origin) => reply.with_forms_to(origin),
            None => reply,
        };
        match self.retry_after() {
            Some(wait) => reply.with("retry-after", HeaderValue::number(whole_seconds(wait))),
            None => reply,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { code: Code::DuoUnavailable, wait, .. } => wait.or(Some(UNAVAILABLE)),
            Self::Refused { wait, .. } => *wait,
            Self::Start
            | Self::Resend(_)
            | Self::Choose(_)
            | Self::SignIn(_)
            | Self::WrongPasscode
            | Self::Enroll(_)
            | Self::Activate(_)
            | Self::DuoDenied { .. }
            | Self::FactorRefused { .. }
            | Self::Arrived
            | Self::SignOut { .. }
            | Self::SignedOut { .. } => None,
        }
    }
}

#[inline(never)]
fn document(screen: &Screen, frame: &Frame<'_>) -> Markup {
    let (site, language) = (frame.site, frame.language);
    let said = said(screen, frame);
    html! {
        (DOCTYPE)
        html lang=(language.tag()) dir=(language.direction()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                meta name="color-scheme" content="light dark";
                title {
                    (said.heading)
                    @if !site.branding.name.is_empty() { " – " (site.branding.name) }
                }
                link rel="stylesheet" href=(site.style.path);
                // Otherwise browsers would request the application's icon, and be refused.
                link rel="icon" href="data:,";
                @if is_live(screen, frame) { script src=(site.script.path) defer {} }
                @if let Screen::SignedOut { next: Some(next) } = screen {
                    // A page that moves on, and no redirect of the form: browsers apply
                    // `form-action 'self'` to every redirect of a form, and the first factor may
                    // redirect to an identity provider.
                    meta http-equiv="refresh" content=(format!("0;url={}", next.as_str()));
                }
                @if *screen == Screen::Arrived {
                    meta http-equiv="refresh" content=(format!("0;url={}", frame.return_to.as_str()));
                }
                @if is_waiting(screen) {
                    noscript { meta http-equiv="refresh" content=(REFRESH); }
                }
            }
            body {
                div.card {
                    (header(frame))
                    (main(screen, frame, &said))
                    (footer(frame))
                }
            }
        }
    }
}

/// The words of the state, or of a form that was not sent.
#[inline(never)]
fn said(screen: &Screen, frame: &Frame<'_>) -> Said {
    let is_first = matches!(screen, Screen::Start | Screen::Choose(_));
    if is_first && frame.arrival == Arrival::Form {
        let words = frame.language.texts().form_not_sent;
        return Said { heading: words.heading, message: words.message.to_owned() };
    }
    let is_foreign = matches!(screen, Screen::Refused { code: Code::CrossSite, .. });
    if is_foreign && frame.arrival == Arrival::Form {
        let texts = frame.language.texts();
        let heading = texts.form_not_sent.heading;
        return Said { heading, message: texts.form_from_elsewhere.to_owned() };
    }
    if *screen == Screen::Start && frame.asks_another {
        return Said::plainly(frame.language.texts().approver);
    }
    words::of_screen(screen, frame.language)
}

/// Whether the script is active on this page.
fn is_live(screen: &Screen, frame: &Frame<'_>) -> bool {
    match screen {
        // Duo's page asks the user, not this one.
        Screen::Start if frame.duo.is_some() => false,
        Screen::Start
        | Screen::Resend(_)
        | Screen::Choose(_)
        | Screen::WrongPasscode
        | Screen::Activate(_) => true,
        Screen::SignIn(standing) => standing.refusal().is_none() && *standing != Standing::Approved,
        Screen::Enroll(_)
        | Screen::DuoDenied { .. }
        | Screen::FactorRefused { .. }
        | Screen::Refused { .. }
        | Screen::Arrived
        | Screen::SignOut { .. }
        | Screen::SignedOut { .. } => false,
    }
}

/// Whether a page without script polls automatically.
fn is_waiting(screen: &Screen) -> bool {
    matches!(screen, Screen::SignIn(Standing::Waiting(_)) | Screen::Activate(_))
}

#[inline(never)]
fn header(frame: &Frame<'_>) -> Markup {
    let branding = &frame.site.branding;
    let served = format!("{}/logo", frame.site.path_prefix);
    let logo = branding.logo.as_ref().map(|logo| match logo {
        Logo::Data(image) => image.as_str(),
        Logo::Served => &served,
    });
    html! {
        @if let Some(source) = logo {
            header { img.logo src=(source) alt=(branding.name); }
        } @else if !branding.name.is_empty() {
            header { p.brand { bdi { (branding.name) } } }
        }
    }
}

#[inline(never)]
fn main(screen: &Screen, frame: &Frame<'_>, said: &Said) -> Markup {
    match screen {
        Screen::Start if frame.duo.is_some() => closing::to_duo(frame, said),
        Screen::Start => choose::page("start", &Choices::default(), frame, said),
        Screen::Resend(fields) => choose::resend(fields, frame, said),
        Screen::Choose(choices) => choose::page("choose", choices, frame, said),
        Screen::WrongPasscode => choose::wrong_passcode(frame, said),
        Screen::Activate(activation) => activate::page(activation, frame, said),
        Screen::Enroll(enrollment) => closing::enroll(enrollment, frame, said),
        Screen::SignIn(standing) => match standing {
            Standing::Waiting(waiting) => choose::waiting(waiting, frame, said),
            Standing::CodesSent { device } => {
                choose::codes_sent(device.as_ref().map(|(id, _)| id.as_str()), frame, said)
            }
            Standing::Approved => closing::approved(frame, said),
            Standing::Denied => closing::refused(Code::MfaDenied, frame, said),
            Standing::TimedOut => closing::refused(Code::MfaTimeout, frame, said),
            Standing::Fraud => closing::refused(Code::MfaFraud, frame, said),
            Standing::LockedOut => closing::refused(Code::MfaLockedOut, frame, said),
        },
        Screen::DuoDenied { .. } => closing::refused(Code::DuoDenied, frame, said),
        Screen::FactorRefused { .. } => closing::refused(Code::FactorRefused, frame, said),
        Screen::Refused { accepts_passcode: true, .. } => closing::limited(frame, said),
        Screen::Refused { code, .. } => closing::refused(*code, frame, said),
        Screen::Arrived => closing::arrived(frame, said),
        Screen::SignOut { next } => closing::sign_out(next.as_ref(), frame, said),
        Screen::SignedOut { next } => closing::signed_out(next.as_ref(), frame, said),
    }
}

/// The heading, and the user's name. `tabindex` lets the script move the focus there when the
/// focused element disappears.
fn top(frame: &Frame<'_>, said: &Said) -> Markup {
    let texts = frame.language.texts();
    html! {
        h1 #heading tabindex="-1" { (said.heading) }
        @if let Some(user) = frame.user {
            @let user = html! { strong { bdi { (user) } } };
            p.who { (Filled(texts.signed_in_as, &[("user", &user)])) " " (switch_user(frame)) }
        }
    }
}

/// Where somebody else can sign in, if the configuration names the address.
fn switch_user(frame: &Frame<'_>) -> Markup {
    html! {
        @if let Some(link) = &frame.site.branding.sign_out_url {
            a href=(link.as_str()) { (frame.language.texts().switch_user) }
        }
    }
}

#[inline(never)]
fn footer(frame: &Frame<'_>) -> Markup {
    let texts = frame.language.texts();
    let branding = &frame.site.branding;
    html! {
        footer {
            @if let Some(text) = &branding.help_text { p { bdi { (text) } } }
            @if let Some(link) = &branding.help_url {
                p { a href=(link.as_str()) { (texts.help) } }
            } @else if branding.help_text.is_none() {
                p { (texts.help) " " (texts.help_desk) }
            }
            @if let Some(reference) = frame.reference {
                @let reference = html! { code #reference { (reference) } };
                p { (Filled(texts.reference, &[("reference", &reference)])) }
            }
        }
    }
}

#[cfg(test)]
mod tests;
