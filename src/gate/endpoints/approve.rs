//! The approval at the end of a sign-in: the cookies, and the address at which the user continues.

use super::caller::Caller;
use super::visit::{Allowed, SignInOrigin, Visit, VisitWants, Wanted};
use crate::clock::UnixTime;
use crate::duo::{AuthStatus, Status};
use crate::factor::Factor;
use crate::gate::audit;
use crate::gate::decision::{Audited, Decision};
use crate::gate::env::Env;
use crate::gate::exchange::Next;
use crate::gate::limit::{End, Limit, Limited, Permit, Settlement, Verdict};
use crate::gate::per_client;
use crate::gate::prompt::allowed_by;
use crate::gate::refusals::{APPROVER_NOT_ASKED, GONE, UNKNOWN_USE};
use crate::gate::refuse::{refuse_with, refuse_without_randomness};
use crate::gate::rules::new_approval;
use crate::gate::view::see_other;
use crate::http::Reply;
use crate::page::{DisplayText, PreauthReply, SignInReply, Standing};
use crate::secret::Secret;
use crate::session::{ApprovedBy, PerRequestApproval, Preference};
use crate::signal::{Level, Signal};
use std::time::Duration;

/// Continues after Duo has allowed the prompt of a sign-in. A client may have sent the sign-in's
/// token before, or copied it. So each sign-in gives an approval once.
pub(super) fn redeem(
    mut caller: Box<Caller>,
    factor: Factor,
    prompt: Permit,
    status: &AuthStatus,
    env: &Env<'_>,
) -> Next<Visit> {
    let settlement = [Settlement { permit: prompt, end: End::Allowed }];
    let (Some(pending), Some(permit)) = (&caller.pending, caller.single_use(env)) else {
        return refuse_with(&caller, &GONE, "", env).after(settlement).into();
    };
    let origin = SignInOrigin { since: pending.created(), id: Some(pending.browser()) };
    // The approval is for the request for which the sign-in was begun.
    caller.single_request = pending.single_request;
    let allowed = Allowed { caller, factor, origin, status: status.clone() };
    Next::permit(permit, VisitWants::Approval(allowed)).after(settlement)
}

/// Handles the table's verdict on whether the sign-in may give an approval.
pub(super) fn after_verdict(allowed: Allowed, verdict: &Verdict, env: &Env<'_>) -> Decision {
    let Allowed { mut caller, factor, origin, status } = allowed;
    match verdict {
        Ok(_) => approve(caller, factor, origin, &status, env),
        Err(Limited { limit: Limit::Used, .. }) => {
            caller.forget(env);
            refuse_with(&caller, &GONE, Limit::Used.name(), env)
        }
        Err(Limited { limit, .. }) => refuse_with(&caller, &UNKNOWN_USE, limit.name(), env),
    }
}

/// Handles a sign-in that Duo has allowed.
pub(super) fn approve(
    mut caller: Box<Caller>,
    factor: Factor,
    origin: SignInOrigin,
    status: &AuthStatus,
    env: &Env<'_>,
) -> Decision {
    let by = allowed_by(factor, &status.status);
    // The device of another person says nothing about this browser.
    let is_users = caller.challenge.approver().is_none();
    if !is_users && by != ApprovedBy::Factor(Factor::Push) {
        caller.forget(env);
        return refuse_with(&caller, &APPROVER_NOT_ASKED, by.name(), env);
    }
    if is_users {
        remember_choice(&mut caller, factor, env);
    }
    let token = status.trusted_device_token.as_ref().filter(|_| is_users);
    let unkept = token.and_then(|token| remember_device(&mut caller, token, env));
    let audited = audit::admitted(&caller.challenge, by, env);
    let reply = |caller: &Caller| approved(caller, &status.status);
    admit(caller, Admission { by, origin, audited }, &reply, env).with(unkept)
}

/// Handles a preauth that returned `allow`: no second factor is required.
pub(super) fn allow(
    caller: Box<Caller>,
    wanted: &Wanted,
    message: &str,
    env: &Env<'_>,
) -> Decision {
    let is_remembered = caller.device_token.is_some();
    let by = if is_remembered { ApprovedBy::Remembered } else { ApprovedBy::Bypass };
    let audited = audit::admitted(&caller.challenge, by, env);
    admit_without_prompt(caller, wanted, (by, audited), message, env)
}

/// Admits the user while Duo is unreachable and the fail mode is safe.
pub(super) fn unverified(
    caller: Box<Caller>,
    wanted: &Wanted,
    unreached_since: UnixTime,
    env: &Env<'_>,
) -> Decision {
    let audited = audit::admitted_unverified(&caller.challenge, unreached_since, env);
    admit_without_prompt(caller, wanted, (ApprovedBy::FailSafe, audited), "", env)
}

/// Like [`unverified`], for a browser that was to be redirected to Duo's page.
pub(super) fn unverified_start(
    caller: Box<Caller>,
    unreached_since: UnixTime,
    env: &Env<'_>,
) -> Decision {
    let audited = audit::admitted_unverified(&caller.challenge, unreached_since, env);
    let origin = SignInOrigin::here(env);
    let admission = Admission { by: ApprovedBy::FailSafe, origin, audited };
    admit(caller, admission, &|caller| approved(caller, &Status::Allow), env)
}

fn admit_without_prompt(
    caller: Box<Caller>,
    wanted: &Wanted,
    (by, audited): (ApprovedBy, Audited),
    message: &str,
    env: &Env<'_>,
) -> Decision {
    let reply = |caller: &Caller| {
        if wanted.is_start() || caller.view.is_page {
            return approved(caller, &Status::Allow);
        }
        let body = PreauthReply::Allow { message: DisplayText::new(message) };
        let (site, reference) = (&env.gate.config().site, caller.challenge.trail.reference);
        body.reply(site, caller.view.language, reference)
    };
    let origin = SignInOrigin::here(env);
    admit(caller, Admission { by, origin, audited }, &reply, env)
}

/// An approval to give.
pub(super) struct Admission {
    pub(super) by: ApprovedBy,
    pub(super) origin: SignInOrigin,
    pub(super) audited: Audited,
}

/// Gives the approval; `reply` makes the reply.
pub(super) fn admit(
    mut caller: Box<Caller>,
    admission: Admission,
    reply: &dyn Fn(&Caller) -> Reply,
    env: &Env<'_>,
) -> Decision {
    let Admission { by, origin, audited } = admission;
    let Some(id) = origin.id else {
        return refuse_without_randomness(&caller, env);
    };
    let application = env.gate.application(&caller.challenge.terms);
    let subject = caller.challenge.subject();
    match caller.single_request {
        // Another person approves single requests only.
        None if caller.challenge.approver().is_some() => {
            return refuse_with(&caller, &GONE, "", env);
        }
        None => {
            let approval = new_approval(by, origin.since);
            caller.cookies.push(application.sessions.issue(&approval, &subject, env.now, id));
        }
        Some(request) => {
            let approval = PerRequestApproval { factor: by, authenticated: origin.since, id };
            let token = application.per_request.seal(&approval, &request, &subject, env.now);
            caller.cookies.push(application.per_request.set_cookie(&token));
            caller.token = Some(token);
        }
    }
    let config = env.gate.config();
    let per_client = match caller.single_request {
        None => per_client::kept(&caller.challenge, by, origin.since, config),
        Some(_) => None,
    };
    caller.forget(env);
    let reply = caller.with_cookies(reply(&caller));
    Decision::approval(reply, by, audited).after(per_client)
}

pub(super) fn approved(caller: &Caller, word: &Status) -> Reply {
    if caller.view.is_page {
        return see_other(caller.view.return_to.location());
    }
    let body = SignInReply {
        standing: &Standing::Approved,
        status: word.as_str(),
        poll_after: Duration::ZERO,
        transaction: caller.transaction(),
        return_to: Some(&caller.view.return_to),
        reference: caller.challenge.trail.reference,
    };
    body.reply(200, caller.view.language)
}

/// Stores this choice in the browser, so that the page offers it first the next time.
fn remember_choice(caller: &mut Caller, factor: Factor, env: &Env<'_>) {
    let pending = caller.pending.as_ref().filter(|pending| pending.kind.factor() == Some(factor));
    let device = pending.and_then(|pending| pending.device.clone());
    let preference = Preference { factor: ApprovedBy::Factor(factor), device };
    if caller.preference.as_ref() != Some(&preference) {
        let preferences = &env.gate.application(&caller.challenge.terms).preferences;
        caller.cookies.push(preferences.remember(&preference, &caller.challenge.subject()));
    }
}

/// Stores Duo's token for this device. If that fails, a log line says so.
fn remember_device(caller: &mut Caller, token: &Secret<String>, env: &Env<'_>) -> Option<Signal> {
    let application = env.gate.application(&caller.challenge.terms);
    let devices = application.remembered_devices.as_ref()?;
    let [a, b, c, d, e, f, g, h, i, j, k, l, ..] = env.random?;
    let nonce = [a, b, c, d, e, f, g, h, i, j, k, l];
    match devices.remember(token, &caller.challenge.subject(), env.now, nonce) {
        Ok(line) => {
            caller.cookies.push(line);
            None
        }
        Err(fault) => {
            let text = format!("the remembered device cannot be stored: Duo's token {fault}");
            Some(Signal::Log(Level::Warn, text))
        }
    }
}
