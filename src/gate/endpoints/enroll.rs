//! `POST enroll`, `GET enroll`, `GET enroll/status`: a first device, activated by a QR code.

use super::caller::{AuthApiCaller, Caller};
use super::visit::{Visit, Wanted};
use crate::duo::{self, EnrollStatus, EnrollmentState};
use crate::gate::audit;
use crate::gate::decision::Decision;
use crate::gate::env::Env;
use crate::gate::exchange::Next;
use crate::gate::refusals::{ACTIVATION_NOT_SHOWN, GONE};
use crate::gate::refuse::{refuse_with, refuse_without_randomness};
use crate::gate::view::{Requester, see_other, to_page};
use crate::http::{HeaderValue, Reply};
use crate::page::{self, Activation, DisplayText, EnrollmentReply, Link, Screen};
use crate::secret::Secret;
use crate::session::{Bounded, Enrollment, LengthFault, Pending, PendingKind};
use crate::signal::Code;
use std::time::Duration;

/// When to ask again whether a code was scanned.
const POLL_AFTER: Duration = Duration::from_secs(2);

/// Creates a user at Duo, unless this browser waits for a device already: the name could not be
/// used a second time.
pub(super) fn enroll(caller: AuthApiCaller, env: &Env<'_>) -> Next<Visit> {
    if enrollment(&caller).is_some() {
        return shown(&caller, env).into();
    }
    Next::ask(Visit::Preauth(caller, Wanted::Enrollment))
}

/// `GET enroll`: the QR code.
pub(super) fn activation(mut caller: AuthApiCaller, env: &Env<'_>) -> Next<Visit> {
    caller.view.is_page = true;
    status(caller, env)
}

/// `GET enroll/status`.
pub(super) fn status(caller: AuthApiCaller, env: &Env<'_>) -> Next<Visit> {
    match enrollment(&caller).and_then(question) {
        Some(code) => Next::ask(Visit::Activation(caller, code)),
        None => refuse_with(&caller, &GONE, "", env).into(),
    }
}

/// Handles Duo's response to enroll.
#[inline(never)]
pub(super) fn enrolled(mut caller: Box<Caller>, made: &duo::Enrollment, env: &Env<'_>) -> Decision {
    let Some(browser) = env.random else {
        return refuse_without_randomness(&caller, env);
    };
    match kept(made) {
        Ok(enrollment) => {
            let kind = PendingKind::Enrollment(enrollment);
            let return_to = caller.view.return_to.clone();
            caller.hand_out(Pending::new(kind, env.now, browser, return_to), env);
            shown(&caller, env)
        }
        Err(fault) => {
            let reason = format!("the activation code {fault}");
            refuse_with(&caller, &ACTIVATION_NOT_SHOWN, &reason, env)
        }
    }
}

/// Handles Duo's response on whether the code was scanned.
#[inline(never)]
pub(super) fn activated(
    mut caller: Box<Caller>,
    state: EnrollmentState,
    env: &Env<'_>,
) -> Decision {
    let config = env.gate.config();
    match state {
        EnrollmentState::Waiting => {
            let reply = if caller.view.is_page { code(&caller, env) } else { waiting() };
            Decision::reply(caller.with_cookies(reply))
        }
        EnrollmentState::Success => {
            caller.forget(env);
            let reply = if caller.view.is_page {
                to_page(config, &caller.view.return_to)
            } else {
                EnrollmentReply::Done.reply()
            };
            let line = audit::enrolled(&caller.challenge, env);
            Decision::reply(caller.with_cookies(reply)).with([line])
        }
        EnrollmentState::Invalid => {
            let code = Code::EnrollmentRequired;
            let reply = if caller.view.is_page {
                caller.forget(env);
                // Duo knows the name now, and gives no second code for it.
                let screen = Screen::Enroll(page::Enrollment::Off);
                caller.view.page(&screen, Requester::from(&caller.challenge), config)
            } else {
                // The script loads the page, which asks again, says it and forgets it.
                EnrollmentReply::Expired.reply()
            };
            let reason = "activation code expired";
            let line = audit::refused(&caller.challenge, code, reason, env);
            Decision::refusal(caller.with_cookies(reply), code, Some(line))
        }
    }
}

/// Redirects a form to the page with the code, which can be reloaded.
fn shown(caller: &Caller, env: &Env<'_>) -> Decision {
    let reply = if caller.view.is_page {
        let site = &env.gate.config().site;
        see_other(HeaderValue::lossy(site.enrollment_url(&caller.view.return_to)))
    } else {
        waiting()
    };
    Decision::reply(caller.with_cookies(reply))
}

fn code(caller: &Caller, env: &Env<'_>) -> Reply {
    let screen = enrollment(caller).map_or(Screen::Start, |enrollment| {
        let open = enrollment.activation_url.as_ref();
        Screen::Activate(Activation {
            code: DisplayText::new(enrollment.qr_content.expose().as_str()),
            open: open.and_then(|url| Link::new(url.expose().as_str()).ok()),
            expires: enrollment.expires,
        })
    });
    caller.view.page(&screen, Requester::from(&caller.challenge), env.gate.config())
}

fn enrollment(caller: &Caller) -> Option<&Enrollment> {
    match &caller.pending.as_ref()?.kind {
        PendingKind::Enrollment(enrollment) => Some(enrollment),
        PendingKind::Push | PendingKind::Phone | PendingKind::Sms | PendingKind::Passcode => None,
    }
}

fn waiting() -> Reply {
    EnrollmentReply::Waiting { poll_after: POLL_AFTER }.reply()
}

/// The question to Duo about an enrollment.
fn question(enrollment: &Enrollment) -> Option<EnrollStatus> {
    let activation_code = enrollment.activation_code.expose().as_str().to_owned();
    let user_id = enrollment.user_id.as_str().parse().ok()?;
    Some(EnrollStatus { user_id, activation_code: Secret::new(activation_code) })
}

/// An enrollment in the form that the browser stores, encrypted.
fn kept(made: &duo::Enrollment) -> Result<Enrollment, LengthFault> {
    let url = made.activation_url.as_ref();
    Ok(Enrollment {
        user_id: Bounded::new(made.user_id.as_str())?,
        activation_code: Secret::new(Bounded::new(made.activation_code.expose())?),
        activation_url: url.and_then(|url| Bounded::new(url.expose()).ok()).map(Secret::new),
        qr_content: Secret::new(Bounded::new(made.qr_content.expose())?),
        expires: made.expires,
    })
}
