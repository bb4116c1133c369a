//! `POST start`: redirects a browser to Duo's page.
//!
//! Opening Duo's page may ring the phone, and any web page can cause a GET. So only a POST from
//! this site leads there. The filter first checks that Duo responds, since it learns nothing after
//! the browser has left.

use super::approve;
use super::caller::Caller;
use super::visit::{Departure, Visit, VisitWants};
use crate::clock::{ClockOffset, UnixTime};
use crate::config::Universal;
use crate::duo::universal::{Authorize, Cause, Freshness, Health, PromptError, RedirectUri};
use crate::duo::{DuoError, Endpoint, Status};
use crate::gate::decision::{Decision, Learned};
use crate::gate::env::Env;
use crate::gate::event::Event;
use crate::gate::exchange::Next;
use crate::gate::failure::Stage;
use crate::gate::limit::{Granted, Limited, Verdict};
use crate::gate::refusals::{HOST_NOT_LISTED, MISCONFIGURED, NAME_TOO_LONG, NOT_FOR_DUOS_PAGE};
use crate::gate::refuse::{self, refuse_with, refuse_without_randomness};
use crate::gate::rules::Insufficient;
use crate::gate::universal;
use crate::gate::view::see_other;
use crate::http::authority::Host;
use crate::http::{HeaderValue, RequestHead};
use crate::page::StartReply;
use crate::session::{Begun, NewAttempt};
use crate::signal::{Counter, Signal};
use std::time::Duration;

#[inline(never)]
pub(super) fn start(
    caller: Box<Caller>,
    is_approved: bool,
    head: &RequestHead<'_>,
    env: &Env<'_>,
) -> Next<Visit> {
    let (challenge, config) = (&caller.challenge, env.gate.config());
    let Some(prompt) = universal::prompt(&challenge.terms, config) else {
        return refuse_with(&caller, &NOT_FOR_DUOS_PAGE, "", env).into();
    };
    if is_approved {
        return Decision::reply(approve::approved(&caller, &Status::Allow)).into();
    }
    let redirect_uri = match universal::redirect_uri(head, challenge.terms.application, config) {
        Ok(redirect_uri) => redirect_uri,
        Err(fault) => {
            let reason = fault.to_string();
            return refuse_with(&caller, &HOST_NOT_LISTED, &reason, env).into();
        }
    };
    let attempts = &env.gate.application(&challenge.terms).attempts;
    let browser = head.cookies.find(attempts.cookie_name()).once();
    let browser = browser.and_then(|it| attempts.browser(it, &challenge.subject(), env.now).ok());
    let permit = universal::start_permit(challenge, config);
    let web_sdk = prompt.web_sdk.clone();
    let departure = Box::new(Departure { caller, web_sdk, redirect_uri, browser, permit });
    Next::permit(permit, VisitWants::Departure(departure))
}

/// Handles the table's verdict on whether the browser may be redirected.
#[inline(never)]
pub(super) fn after_verdict(
    departure: Box<Departure>,
    verdict: &Verdict,
    env: &Env<'_>,
) -> Next<Visit> {
    match verdict {
        Ok(Granted::New) => Next::ask(Visit::HealthCheck(departure)),
        // The table gives no such verdict on this permit.
        Ok(Granted::TakeUp(_) | Granted::Approved(_)) => {
            refuse::for_limit(&departure.caller, &Limited::CONTENDED, env).into()
        }
        Err(limited) => refuse::for_limit(&departure.caller, limited, env).into(),
    }
}

/// Handles Duo's response to the health check.
#[inline(never)]
pub(super) fn heard(
    departure: Box<Departure>,
    event: Event<'_>,
    env: &Env<'_>,
) -> Result<Next<Visit>, (Box<Departure>, DuoError)> {
    let number = departure.caller.challenge.terms.application;
    let offset = env.offset(number);
    match event.read(|answer| answer.health_check(env.now.shifted(offset))) {
        Ok(Health { time }) => {
            let learned = time.and_then(|theirs| learned(number, theirs, offset, env));
            let offset = learned.and_then(|learned| learned.offset).unwrap_or(offset);
            Ok(Next::from(depart(*departure, offset, env)).learning(learned))
        }
        Err(PromptError::Call(fault)) => Err((departure, fault)),
        Err(PromptError::Refused(refusal)) if refusal.cause == Cause::Clock => {
            Err((departure, DuoError::ClockSkew))
        }
        Err(error @ (PromptError::Refused(_) | PromptError::StartAgain)) => {
            let refused = misconfigured(&departure.caller, &error, Endpoint::HealthCheck, env);
            Ok(refused.after([departure.unsent()]).into())
        }
    }
}

/// The news of Duo's clock, if it is not as far ahead as known so far. Both clocks are in whole
/// seconds.
fn learned(
    application: usize,
    theirs: UnixTime,
    known: ClockOffset,
    env: &Env<'_>,
) -> Option<Learned> {
    let offset = ClockOffset::between(env.now, theirs);
    let is_news = offset.seconds().abs_diff(known.seconds()) > 1;
    let keys = Stage::HealthCheck.keys(application);
    is_news.then_some(Learned::answered(keys, Some(offset)))
}

/// Refuses since Duo refuses the Web SDK application.
pub(super) fn misconfigured(
    caller: &Caller,
    error: &PromptError,
    endpoint: Endpoint,
    env: &Env<'_>,
) -> Decision {
    let reason = match error {
        PromptError::Refused(refusal) => format!("{error}; {}", refusal.cause.hint()),
        PromptError::Call(_) | PromptError::StartAgain => error.to_string(),
    };
    let refused = refuse_with(caller, &MISCONFIGURED, &reason, env);
    refused.with([Signal::Count(Counter::DuoFailures(endpoint.name()))])
}

fn depart(departure: Departure, offset: ClockOffset, env: &Env<'_>) -> Decision {
    let Some(random) = env.random else {
        let refused = refuse_without_randomness(&departure.caller, env);
        return refused.after([departure.unsent()]);
    };
    let unsent = departure.unsent();
    let Departure { mut caller, redirect_uri, browser, .. } = departure;
    let application = env.gate.application(&caller.challenge.terms);
    let new = NewAttempt {
        browser,
        redirect_uri: redirect_uri.as_str(),
        return_path: caller.view.return_to.clone(),
        max_age: max_age(&caller, env),
        reference: caller.challenge.trail.reference,
    };
    let begun = application.attempts.begin(new, &caller.challenge.subject(), env.now, random);
    let prompt = application.duo.universal();
    let when = (freshness(&caller, env), env.now.shifted(offset));
    let Some(url) = prompt.and_then(|it| authorize(it, &caller, &redirect_uri, &begun, when))
    else {
        return refuse_with(&caller, &NAME_TOO_LONG, "", env).after([unsent]);
    };
    caller.cookies.push(begun.cookie);
    let reply = if caller.view.is_page {
        see_other(HeaderValue::lossy(url))
    } else {
        StartReply { location: &url }.reply()
    };
    Decision::reply(caller.with_cookies(reply))
}

/// The address of Duo's page; `None` if Duo would not accept one of its values.
fn authorize(
    prompt: &Universal,
    caller: &Caller,
    redirect_uri: &RedirectUri,
    begun: &Begun,
    (freshness, now): (Freshness, UnixTime),
) -> Option<String> {
    let challenge = &caller.challenge;
    let host = Host::of(challenge.trail.request.host.as_bytes()).ok()?;
    let request = Authorize {
        redirect_uri,
        state: &begun.state.expose().parse().ok()?,
        nonce: &begun.nonce.expose().parse().ok()?,
        username: challenge.identity.username(),
        destination: prompt.destination(host.as_str()),
        destination_id: None,
        display_username: None,
        freshness,
    };
    prompt.authorize(&request, now).ok()
}

/// How fresh the authentication at Duo has to be. A user whose approval was by a factor that the
/// rule does not accept has to authenticate again: a device that Duo remembers would give the same
/// approval again, without a prompt.
fn freshness(caller: &Caller, env: &Env<'_>) -> Freshness {
    let terms = &caller.challenge.terms;
    let approval = caller.approval.as_ref().ok().and_then(Option::as_ref);
    match approval.map(|approval| env.gate.satisfies(approval, terms, env.now)) {
        Some(Err(Insufficient::OtherFactor)) => Freshness::Login,
        Some(_) | None => max_age(caller, env).map_or(Freshness::Any, Freshness::MaxAge),
    }
}

/// The greatest age of a session that Duo remembers. A session older than an approval may be would
/// give one that is over.
fn max_age(caller: &Caller, env: &Env<'_>) -> Option<Duration> {
    let terms = &caller.challenge.terms;
    let longest = env.gate.application(terms).sessions.expiration();
    terms.max_age.map(|age| age.min(longest))
}
