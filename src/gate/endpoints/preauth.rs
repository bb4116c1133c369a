//! `POST preauth`: the factors and devices of the user.

use super::approve::allow;
use super::auth;
use super::caller::{AuthApiCaller, Caller};
use super::choices::{choices, is_stale};
use super::visit::{Visit, Wanted};
use crate::config;
use crate::duo::{Device, PreauthResponse, Text, is_lock_out};
use crate::factor::Factor;
use crate::gate::approver::eligible;
use crate::gate::audit;
use crate::gate::decision::Decision;
use crate::gate::env::Env;
use crate::gate::exchange::Next;
use crate::gate::refusals::{
    APPROVER_NOT_ALLOWED, APPROVER_NOT_ASKED, APPROVER_UNAVAILABLE, DENIED_BY_DUO, NO_DEVICE,
    NOT_ENROLLED,
};
use crate::gate::refuse::{refuse_denied, refuse_with};
use crate::gate::view::Requester;
use crate::page::{self, Choices, DisplayText, Enrollment, Link, PreauthReply, Screen};
use crate::policy::Approver;
use crate::secret::Secret;
use crate::signal::Code;

#[inline(never)]
pub(super) fn preauth(caller: AuthApiCaller, env: &Env<'_>) -> Next<Visit> {
    if caller.challenge.terms.approvers.is_some() {
        return offer_people(&caller, env).into();
    }
    Next::ask(Visit::Preauth(caller, Wanted::Choices))
}

/// Handles Duo's response to preauth.
#[inline(never)]
pub(super) fn answered(
    caller: AuthApiCaller,
    wanted: Wanted,
    reply: PreauthResponse,
    env: &Env<'_>,
) -> Next<Visit> {
    let needs_another = caller.challenge.terms.approvers.is_some();
    match (reply, wanted) {
        (PreauthResponse::Allow { .. }, _) if needs_another => {
            refuse_with(&caller, &APPROVER_NOT_ASKED, "", env).into()
        }
        // Nobody enrolls for another person, nor learns of their account.
        (PreauthResponse::Enroll { .. }, _) if needs_another => {
            refuse_with(&caller, &APPROVER_UNAVAILABLE, "enroll", env).into()
        }
        (PreauthResponse::Allow { message }, wanted) => {
            allow(caller.caller, &wanted, message.as_str(), env).into()
        }
        (PreauthResponse::Deny { message }, wanted) => deny(&caller, &wanted, &message, env).into(),
        (PreauthResponse::Enroll { .. }, Wanted::Enrollment) if is_inline(&caller, env) => {
            Next::ask(Visit::Enroll(caller))
        }
        (PreauthResponse::Enroll { portal_url }, wanted) => {
            unenrolled(&caller, &wanted, portal_url.as_ref(), env).into()
        }
        (PreauthResponse::Auth { devices, verification }, Wanted::Start(choice)) => {
            auth::start(caller, choice, &devices, verification, env)
        }
        (PreauthResponse::Auth { devices, .. }, Wanted::Choices | Wanted::Enrollment) => {
            offer(caller.caller, &devices, env).into()
        }
    }
}

/// Whether users enroll on the filter's page for this Duo application.
fn is_inline(caller: &Caller, env: &Env<'_>) -> bool {
    let enrollment = env.gate.application(&caller.challenge.terms).duo.enrollment;
    enrollment == config::Enrollment::Inline
}

fn offer(mut caller: Box<Caller>, devices: &[Device], env: &Env<'_>) -> Decision {
    let terms = &caller.challenge.terms;
    let choices = choices(devices, env.gate.offered(terms), caller.preference.as_ref());
    if caller.preference.as_ref().is_some_and(|last| is_stale(last, &choices)) {
        let preferences = &env.gate.application(terms).preferences;
        caller.cookies.push(preferences.deletion());
    }
    if choices.factors.is_empty() {
        return refuse_with(&caller, &NO_DEVICE, "", env);
    }
    show(&caller, choices, env)
}

/// Offers the people who may approve the request. Duo is not asked yet, so the user learns nothing
/// about their devices.
fn offer_people(caller: &Caller, env: &Env<'_>) -> Decision {
    let person = |approver: &Approver| page::Device {
        id: approver.user.clone(),
        name: DisplayText::new(&approver.user),
        kind: page::DeviceKind::Approver,
        factors: vec![Factor::Push],
        is_preferred: false,
    };
    let devices: Vec<_> = eligible(&caller.challenge).into_iter().map(person).collect();
    if devices.is_empty() {
        return refuse_with(caller, &APPROVER_NOT_ALLOWED, "", env);
    }
    show(caller, Choices { devices, factors: vec![Factor::Push] }, env)
}

fn show(caller: &Caller, choices: Choices, env: &Env<'_>) -> Decision {
    let config = env.gate.config();
    let reply = if caller.view.is_page {
        caller.view.page(&Screen::Choose(choices), Requester::from(&caller.challenge), config)
    } else {
        let reference = caller.challenge.trail.reference;
        PreauthReply::Auth(choices).reply(&config.site, caller.view.language, reference)
    };
    Decision::reply(caller.with_cookies(reply))
}

/// Handles a denial by Duo. A script that asks for the choices gets Duo's result; a request that
/// starts a factor is refused.
fn deny(caller: &Caller, wanted: &Wanted, message: &Text, env: &Env<'_>) -> Decision {
    if caller.view.is_page || wanted.is_start() {
        return refuse_denied(caller, message, env);
    }
    let body = PreauthReply::Deny { message: DisplayText::new(message.as_str()) };
    let code = if is_lock_out(message.as_str()) { Code::MfaLockedOut } else { DENIED_BY_DUO.code };
    refuse_in_body(caller, &body, (code, message.as_str()), env)
}

fn unenrolled(
    caller: &Caller,
    wanted: &Wanted,
    portal_url: Option<&Secret<String>>,
    env: &Env<'_>,
) -> Decision {
    let config = env.gate.config();
    let portal = portal_url.and_then(|url| Link::new(url.expose()).ok());
    let enrollment = env.gate.application(&caller.challenge.terms).duo.enrollment;
    let enrollment = match (enrollment, portal) {
        (config::Enrollment::Portal, Some(link)) => Enrollment::Portal(link),
        (config::Enrollment::Inline, _) => Enrollment::Inline,
        (config::Enrollment::Portal, None) | (config::Enrollment::Off, _) => Enrollment::Off,
    };
    let code = Code::EnrollmentRequired;
    if caller.view.is_page {
        let requester = Requester::from(&caller.challenge);
        let reply = caller.view.page(&Screen::Enroll(enrollment), requester, config);
        let line = audit::refused(&caller.challenge, code, "", env);
        return Decision::refusal(caller.with_cookies(reply), code, Some(line));
    }
    if wanted.is_start() {
        return refuse_with(caller, &NOT_ENROLLED, "", env);
    }
    refuse_in_body(caller, &PreauthReply::Enroll(enrollment), (code, ""), env)
}

/// A refusal that is the result of the question: HTTP 200.
fn refuse_in_body(
    caller: &Caller,
    body: &PreauthReply,
    (code, reason): (Code, &str),
    env: &Env<'_>,
) -> Decision {
    let (site, reference) = (&env.gate.config().site, caller.challenge.trail.reference);
    let reply = body.reply(site, caller.view.language, reference);
    let line = audit::refused(&caller.challenge, code, reason, env);
    Decision::refusal(caller.with_cookies(reply), code, Some(line))
}
