//! Pages that end a sign-in, in success or refusal. The script does nothing on them.

use super::super::frame::{Arrival, Frame};
use super::super::screen::Enrollment;
use super::super::words::Said;
use super::{switch_user, top};
use crate::http::ReturnPath;
use crate::signal::Code;
use maud::{Markup, html};

/// The choices after a refusal.
enum Next {
    /// Try again, possibly with another factor.
    TryAgain,
    /// Use another factor.
    AnotherWay,
    /// Start from the beginning.
    StartAgain,
    /// Nothing on this page: the user signs in at the first factor, or asks for help.
    Nothing,
}

const fn next(code: Code) -> Next {
    match code {
        Code::MfaRequired
        | Code::MfaDenied
        | Code::MfaTimeout
        | Code::MfaInsufficient
        | Code::PasscodeIncorrect
        | Code::TooManyRequests
        | Code::PendingElsewhere
        | Code::DuoUnavailable
        | Code::Overloaded => Next::TryAgain,
        Code::FactorRefused | Code::ApproverRequired | Code::ApproverUnavailable => {
            Next::AnotherWay
        }
        Code::BadRequest
        | Code::CrossSite
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::SignInLost => Next::StartAgain,
        Code::IdentityMissing
        | Code::OtherUser
        | Code::MfaFraud
        | Code::MfaLockedOut
        | Code::DuoDenied
        | Code::EnrollmentRequired
        | Code::NoDevice
        | Code::ApproverNotAllowed
        | Code::ApproverNotAsked
        | Code::IdentityInvalid
        | Code::AccessDenied
        | Code::HttpsRequired
        | Code::DuoMisconfigured
        | Code::PathAmbiguous
        | Code::InternalRedirect => Next::Nothing,
    }
}

#[inline(never)]
pub(super) fn refused(code: Code, frame: &Frame<'_>, said: &Said) -> Markup {
    let texts = frame.language.texts();
    let action = match next(code) {
        Next::TryAgain => again(texts.try_again, frame),
        Next::AnotherWay => again(texts.another_way, frame),
        Next::StartAgain => link(&frame.again(), texts.start_again),
        // With a user, the link is beside the name.
        Next::Nothing if frame.user.is_none() && code != Code::IdentityMissing => {
            html! { p { (switch_user(frame)) } }
        }
        Next::Nothing => html! {},
    };
    refusal(frame, said, &action)
}

/// No prompt is sent for a while, but a passcode is accepted.
#[inline(never)]
pub(super) fn limited(frame: &Frame<'_>, said: &Said) -> Markup {
    refusal(frame, said, &again(frame.language.texts().another_way, frame))
}

fn refusal(frame: &Frame<'_>, said: &Said, action: &Markup) -> Markup {
    html! {
        main {
            (top(frame, said))
            p.err { (said.message) }
            (action)
        }
    }
}

/// Leads to the factors.
fn again(label: &str, frame: &Frame<'_>) -> Markup {
    match frame.arrival {
        Arrival::InPlace | Arrival::Form | Arrival::Callback => link(&frame.again(), label),
        Arrival::OwnAddress => {
            post(frame, if frame.duo.is_some() { "start" } else { "preauth" }, label)
        }
    }
}

/// The page for a browser without script that is not at the application's address.
#[inline(never)]
pub(super) fn approved(frame: &Frame<'_>, said: &Said) -> Markup {
    let texts = frame.language.texts();
    html! {
        main {
            (top(frame, said))
            @if frame.arrival == Arrival::Form { p { (texts.approved.message) } }
            (link(frame.return_to.as_str(), texts.continue_))
        }
    }
}

/// Duo's page asks for the second factor. It may ring the phone at once, so the user has to press a
/// button.
#[inline(never)]
pub(super) fn to_duo(frame: &Frame<'_>, said: &Said) -> Markup {
    html! {
        main {
            (top(frame, said))
            p { (said.message) }
            (post(frame, "start", frame.language.texts().continue_))
        }
    }
}

/// The user is back from Duo's page. The refresh continues; if it is off, the link does.
#[inline(never)]
pub(super) fn arrived(frame: &Frame<'_>, said: &Said) -> Markup {
    html! {
        main {
            (top(frame, said))
            p { (said.message) }
            (link(frame.return_to.as_str(), frame.language.texts().continue_))
        }
    }
}

#[inline(never)]
pub(super) fn enroll(enrollment: &Enrollment, frame: &Frame<'_>, said: &Said) -> Markup {
    let texts = frame.language.texts();
    html! {
        main {
            (top(frame, said))
            p { (said.message) }
            @match enrollment {
                Enrollment::Off => {}
                Enrollment::Portal(portal) => {
                    a.btn href=(portal.as_str()) rel="noreferrer" { (texts.enroll_start) }
                }
                Enrollment::Inline => {
                    form method="post" {
                        button formaction=(frame.own("enroll")) { (texts.enroll_start) }
                    }
                }
            }
            form method="post" {
                button.sec formaction=(frame.own("preauth")) { (texts.enroll_done) }
            }
        }
    }
}

#[inline(never)]
pub(super) fn sign_out(next: Option<&ReturnPath>, frame: &Frame<'_>, said: &Said) -> Markup {
    let texts = frame.language.texts();
    html! {
        main {
            (top(frame, said))
            p { (said.message) }
            form method="post" {
                button formaction=(frame.site.logout_url(next)) { (texts.sign_out_now) }
            }
        }
    }
}

#[inline(never)]
pub(super) fn signed_out(next: Option<&ReturnPath>, frame: &Frame<'_>, said: &Said) -> Markup {
    let texts = frame.language.texts();
    html! {
        main {
            (top(frame, said))
            p { (said.message) }
            @match next {
                Some(next) => (link(next.as_str(), texts.continue_)),
                None => (link(&frame.site.address("", frame.return_to), texts.start_again)),
            }
        }
    }
}

fn link(address: &str, label: &str) -> Markup {
    html! { a.btn href=(address) { (label) } }
}

fn post(frame: &Frame<'_>, endpoint: &str, label: &str) -> Markup {
    html! { form method="post" { button formaction=(frame.own(endpoint)) { (label) } } }
}
