//! `GET callback`: a browser comes back from Duo's page.
//!
//! Anyone who can write a URL can make a browser open this one, so no part of it counts alone. The
//! `state` must be one that this filter gave to this browser, for this user and host. The code must
//! be one that Duo issued for that `state`. Each can be used once. Nothing starts again
//! automatically: a user presses a button for each prompt.

use super::approve::{self, Admission};
use super::caller::Caller;
use super::refused_cookie;
use super::start::misconfigured;
use super::visit::{Return, SignInOrigin, Visit, VisitWants};
use crate::clock::{ClockOffset, UnixTime};
use crate::duo::universal::{
    Approved, Callback, ConfirmedBy, Expected, PromptError, RedirectUri, TokenFault,
};
use crate::duo::{DuoError, Endpoint};
use crate::factor::Factor;
use crate::gate::audit;
use crate::gate::decision::Decision;
use crate::gate::env::Env;
use crate::gate::event::Event;
use crate::gate::exchange::Next;
use crate::gate::limit::{End, Granted, Limit, Limited, Settlement, Verdict};
use crate::gate::refusals::{
    DENIED_BY_DUO, DENIED_ON_DEVICE, FACTOR_INSUFFICIENT, HOST_NOT_LISTED, MISCONFIGURED,
    OTHER_USER, SIGN_IN_LOST, UNKNOWN_USE,
};
use crate::gate::refuse::{self, refuse, refuse_with};
use crate::gate::request_line::RequestLine;
use crate::gate::route::EndpointRequest;
use crate::gate::rules::new_approval;
use crate::gate::universal;
use crate::gate::view::{Requester, View};
use crate::http::{Reply, RequestHead, ReturnPath};
use crate::page::Screen;
use crate::policy::Person;
use crate::secret::Secret;
use crate::session::{ApprovedBy, Attempt};
use crate::signal::{Counter, Signal};
use std::time::Duration;

/// How far Duo's `auth_time` and the start of a sign-in may differ because of the clocks.
const LEEWAY: Duration = Duration::from_secs(60);

/// The content of a request that belongs to a sign-in of this browser.
struct Opened {
    callback: Callback,
    redirect_uri: RedirectUri,
    attempt: Attempt,
    nonce: Secret<String>,
}

/// Begins to handle a callback; `application` is the number of the Duo application in the address.
#[inline(never)]
pub(super) fn callback(
    request: EndpointRequest,
    application: usize,
    head: &RequestHead<'_>,
    env: &Env<'_>,
) -> Next<Visit> {
    let EndpointRequest { mut challenge, groups, .. } = request;
    challenge.terms.application = application;
    let view = View::at_callback(head, ReturnPath::default());
    let mut caller = Box::new(Caller::new(head, view, challenge, env));
    let refused = refused_cookie(&caller, env);
    let next = match open(&caller, application, head, env) {
        Ok(opened) => {
            caller.view.return_to = opened.attempt.return_path().clone();
            caller.challenge.trail.reference = opened.attempt.reference();
            go_on(caller, opened, &groups, head, env)
        }
        Err(refused) => (*refused).into(),
    };
    next.with(refused)
}

/// Reads the browser's cookie, and then the `state`.
fn open(
    caller: &Caller,
    application: usize,
    head: &RequestHead<'_>,
    env: &Env<'_>,
) -> Result<Opened, Box<Decision>> {
    let config = env.gate.config();
    let callback = universal::read_return(head, application, config)
        .map_err(|denial| Box::new(refuse(caller, denial.code, &denial.detail, "", env)))?;
    let redirect_uri = universal::redirect_uri(head, application, config).map_err(|fault| {
        Box::new(refuse_with(caller, &HOST_NOT_LISTED, &fault.to_string(), env))
    })?;
    let lost = |reason: &str| Box::new(lost(caller, reason, env));
    let attempts = &config.applications.get(application).attempts;
    let subject = caller.challenge.subject();
    let cookie = head.cookies.find(attempts.cookie_name()).once();
    let cookie = cookie.ok_or_else(|| lost("the browser's cookie did not come, or came twice"))?;
    let browser = attempts
        .browser(cookie, &subject, env.now)
        .map_err(|refusal| lost(&format!("the browser's cookie is {refusal}")))?;
    let (Callback::Approved { state, .. } | Callback::Ended { state, .. }) = &callback;
    let opened =
        attempts.open(state.as_str(), (&browser, redirect_uri.as_str()), &subject, env.now);
    let (attempt, nonce) = opened.map_err(|refusal| lost(&format!("the state is {refusal}")))?;
    Ok(Opened { callback, redirect_uri, attempt, nonce })
}

/// Continues this browser's sign-in, under the terms of the page that it leads to.
fn go_on(
    mut caller: Box<Caller>,
    opened: Opened,
    groups: &[String],
    head: &RequestHead<'_>,
    env: &Env<'_>,
) -> Next<Visit> {
    let application = caller.challenge.terms.application;
    let Opened { callback, redirect_uri, attempt, nonce } = opened;
    let mut wanted = head.clone();
    let return_path = attempt.return_path();
    (wanted.method, wanted.target) =
        (return_path.method().as_bytes(), return_path.target().as_bytes());
    caller.challenge.trail.request = RequestLine::of(&wanted);
    let person = Person { user: &caller.challenge.identity.user, groups };
    match env.gate.terms_of(&wanted, &person, caller.challenge.trail.address) {
        Ok((terms, rule)) if terms.application == application && !terms.is_per_request => {
            (caller.challenge.terms, caller.challenge.rule) = (terms, rule);
        }
        Ok(_) => {
            let reason = "the rules changed, and this page now needs another sign-in";
            return lost(&caller, reason, env).into();
        }
        Err(denial) => {
            caller.challenge.rule = denial.rule;
            return refuse(&caller, denial.code, &denial.detail, "", env).into();
        }
    }
    let terms = &caller.challenge.terms;
    let is_approved = caller.approval.ok().flatten();
    // Another tab was faster, or the page was reloaded, so there is no need to ask Duo.
    if is_approved.is_some_and(|approval| env.gate.satisfies(&approval, terms, env.now).is_ok()) {
        return Decision::reply(arrived(&caller, env)).into();
    }
    let permit = universal::single_use(&attempt, env.now);
    let code = match callback {
        Callback::Approved { code, .. } => code,
        Callback::Ended { error, .. } => {
            let settlement = Settlement { permit, end: End::Lost };
            return ended(&caller, error, env).after([settlement]).into();
        }
    };
    let Some(prompt) = universal::prompt(terms, env.gate.config()) else {
        return lost(&caller, "Duo's page is not used any more", env).into();
    };
    let web_sdk = prompt.web_sdk.clone();
    let back = Box::new(Return { caller, web_sdk, code, redirect_uri, attempt, nonce });
    Next::permit(permit, VisitWants::Return(back))
}

/// Handles the table's verdict: it knows whether this sign-in has come back before.
#[inline(never)]
pub(super) fn after_verdict(back: Box<Return>, verdict: &Verdict, env: &Env<'_>) -> Next<Visit> {
    let caller = &back.caller;
    match verdict {
        Ok(Granted::New) => Next::ask(Visit::Token(back)),
        Ok(Granted::TakeUp(_) | Granted::Approved(_)) => {
            refuse::for_limit(caller, &Limited::CONTENDED, env).into()
        }
        Err(Limited { limit: Limit::Used, .. }) => {
            lost(caller, "this sign-in has come back before", env).into()
        }
        Err(Limited { limit, .. }) => refuse_with(caller, &UNKNOWN_USE, limit.name(), env).into(),
    }
}

/// Handles Duo's response to the code.
#[inline(never)]
pub(super) fn heard(
    back: Box<Return>,
    event: Event<'_>,
    env: &Env<'_>,
) -> Result<Next<Visit>, (Box<Return>, DuoError)> {
    let offset = env.offset(back.caller.challenge.terms.application);
    let now = env.now.shifted(offset);
    Ok(match event.read(|answer| answer.id_token(now)) {
        Ok(id_token) => verify(*back, &id_token, offset, env).into(),
        Err(PromptError::Call(fault)) => return Err((back, fault)),
        Err(error @ PromptError::StartAgain) => {
            failed(lost(&back.caller, &error.to_string(), env)).into()
        }
        Err(error @ PromptError::Refused(_)) => {
            misconfigured(&back.caller, &error, Endpoint::Token, env).into()
        }
    })
}

fn verify(back: Return, id_token: &Secret<String>, offset: ClockOffset, env: &Env<'_>) -> Decision {
    let caller = &back.caller;
    let Ok(nonce) = back.nonce.expose().parse() else {
        return lost(caller, "the nonce is malformed", env);
    };
    let expected = Expected {
        username: caller.challenge.identity.username(),
        nonce: &nonce,
        max_age: back.attempt.max_age(),
    };
    match back.web_sdk.verify(id_token.expose(), &expected, env.now.shifted(offset)) {
        Ok(approved) => confirmed(back, approved, offset, env),
        Err(fault) => failed(unverified(caller, fault, env)),
    }
}

/// The refusal for an id_token that is not an approval.
fn unverified(caller: &Caller, fault: TokenFault, env: &Env<'_>) -> Decision {
    let reason = fault.to_string();
    match fault {
        TokenFault::User => refuse_with(caller, &OTHER_USER, &reason, env),
        TokenFault::AuthTime => insufficient(caller, &reason, env),
        TokenFault::Result => refuse_with(caller, &DENIED_BY_DUO, &reason, env),
        TokenFault::Nonce => lost(caller, &reason, env),
        TokenFault::TooLong
        | TokenFault::Parts
        | TokenFault::Base64
        | TokenFault::Base64Spelling
        | TokenFault::Mac
        | TokenFault::Header
        | TokenFault::Json
        | TokenFault::Object
        | TokenFault::Bom
        | TokenFault::Twice
        | TokenFault::Issuer
        | TokenFault::Audience
        | TokenFault::Number
        | TokenFault::Expired
        | TokenFault::IssuedAhead
        | TokenFault::NotYetValid => refuse_with(caller, &MISCONFIGURED, &reason, env),
    }
}

fn failed(decision: Decision) -> Decision {
    decision.with([Signal::Count(Counter::DuoFailures(Endpoint::Token.name()))])
}

/// Handles a confirmed user. The approval is stored for every request that it satisfies, which may
/// not include the requested page.
fn confirmed(back: Return, approved: Approved, offset: ClockOffset, env: &Env<'_>) -> Decision {
    let Return { mut caller, attempt, .. } = back;
    let by = approved_by(approved.factor);
    let behind = ClockOffset::from_seconds(offset.seconds().saturating_neg());
    let auth_time = approved.auth_time.map(|time| time.shifted(behind).min(env.now));
    let (by, since) = dated(by, auth_time, &attempt);
    let terms = &caller.challenge.terms;
    let permit = universal::start_permit(&caller.challenge, env.gate.config());
    let settlement = Settlement { permit, end: End::Allowed };
    let decision = match env.gate.satisfies_by(by, since, terms, env.now) {
        Ok(()) => {
            // Duo's page asks from the moment that the browser is sent to it.
            let audited = audit::admitted_since(attempt.created(), &caller.challenge, by, env);
            let origin = SignInOrigin { since, id: Some(attempt.id()) };
            let admission = Admission { by, origin, audited };
            approve::admit(caller, admission, &|caller| arrived(caller, env), env)
        }
        Err(_) => {
            let application = env.gate.application(terms);
            let (approval, subject) = (new_approval(by, since), caller.challenge.subject());
            let line = application.sessions.issue(&approval, &subject, env.now, attempt.id());
            caller.cookies.push(line);
            let reason = format!("confirmed by {}, which the rule does not accept", by.name());
            let admitted = Signal::Count(Counter::Admitted(by.name()));
            insufficient(&caller, &reason, env).with([admitted])
        }
    };
    decision.after([settlement])
}

/// The factor of the approval, and the time from which it counts. If Duo remembers a session from
/// before this sign-in, no fresh factor was used, whatever the session's factor was.
fn dated(by: ApprovedBy, auth_time: Option<UnixTime>, attempt: &Attempt) -> (ApprovedBy, UnixTime) {
    let began = attempt.created();
    match auth_time {
        Some(time) if attempt.max_age().is_some() || time.plus(LEEWAY) >= began => (by, time),
        Some(_) if by != ApprovedBy::Bypass => (ApprovedBy::Remembered, began),
        Some(_) | None => (by, began),
    }
}

/// The name that an approval has for the factor at Duo's page.
const fn approved_by(by: ConfirmedBy) -> ApprovedBy {
    match by {
        ConfirmedBy::Push => ApprovedBy::Factor(Factor::Push),
        ConfirmedBy::Phone => ApprovedBy::Factor(Factor::Phone),
        ConfirmedBy::Sms => ApprovedBy::Factor(Factor::Sms),
        ConfirmedBy::Passcode => ApprovedBy::Factor(Factor::Passcode),
        ConfirmedBy::Webauthn => ApprovedBy::Webauthn,
        ConfirmedBy::Remembered => ApprovedBy::Remembered,
        ConfirmedBy::Bypass => ApprovedBy::Bypass,
        ConfirmedBy::Other => ApprovedBy::Other,
    }
}

/// The page that continues to the requested path. It is not a redirect, since browsers leave the
/// application's `SameSite=Strict` cookies out of a chain of redirects that another site began.
fn arrived(caller: &Caller, env: &Env<'_>) -> Reply {
    caller.view.page(&Screen::Arrived, Requester::from(&caller.challenge), env.gate.config())
}

/// Refuses a sign-in that cannot be finished; the user may start a new one.
fn lost(caller: &Caller, reason: &str, env: &Env<'_>) -> Decision {
    refuse_with(caller, &SIGN_IN_LOST, reason, env)
}

fn insufficient(caller: &Caller, reason: &str, env: &Env<'_>) -> Decision {
    refuse_with(caller, &FACTOR_INSUFFICIENT, reason, env)
}

/// Handles the end of a sign-in that Duo reports. `error` is a standard word, or `other`.
fn ended(caller: &Caller, error: &str, env: &Env<'_>) -> Decision {
    let reason = format!("Duo's page has ended the sign-in: {error}");
    let refusal = if error == "access_denied" { &DENIED_ON_DEVICE } else { &SIGN_IN_LOST };
    refuse_with(caller, refusal, &reason, env)
}
