//! Requests to the filter's own endpoints that need a user.
//!
//! In goes a request of a known user that has passed the cross-site guard. Out comes a page, JSON
//! or a redirect, never the request itself. The pending sign-in, which the client carries, has
//! everything that the next request needs. So any worker and any replica can continue it. Only
//! [`Endpoint::Auth`] rings a phone, and only by POST.
//!
//! Nothing is stored here between two requests.

mod approve;
mod auth;
mod callback;
mod caller;
mod choices;
mod enroll;
mod preauth;
mod sign_out;
mod start;
mod status;
mod visit;
mod waits;

pub(super) use caller::Caller;
pub(super) use status::{page_in_place, resend_page};
pub(super) use visit::Visit;

use self::caller::AuthApiCaller;
use super::approver;
use super::audit;
use super::challenge::Challenge;
use super::decision::Decision;
use super::env::Env;
use super::exchange::Next;
use super::pending;
use super::per_request;
use super::refusal::Refusal;
use super::refusals::ONLY_DUOS_PAGE;
use super::refuse::{refuse, refuse_with};
use super::request_line::RequestLine;
use super::route::{Endpoint, EndpointRequest};
use super::rules::Insufficient;
use super::trail::read_ticket;
use super::universal;
use super::view::View;
use crate::duo::Credentials;
use crate::http::{Parameters, RequestHead, ReturnPath};
use crate::policy::{Person, Terms};
use crate::session::BodyDigest;
use crate::signal::Signal;
use std::sync::Arc;

/// Begins to handle a request.
pub(super) fn begin(
    request: EndpointRequest,
    head: &RequestHead<'_>,
    parameters: Parameters<'_>,
    env: &Env<'_>,
) -> Next<Visit> {
    let endpoint = request.endpoint;
    if let Endpoint::Callback(application) = endpoint {
        return callback::callback(request, application, head, env);
    }
    let caller = match caller(request, head, parameters, env) {
        Ok(caller) => caller,
        Err(refused) => return (*refused).into(),
    };
    let refusal = refused_cookie(&caller, env);
    let approval = caller.approval.ok().flatten();
    let satisfies = |approval| env.gate.satisfies(approval, &caller.challenge.terms, env.now);
    let is_approved = approval.as_ref().is_some_and(|approval| satisfies(approval).is_ok());
    let own_way = universal::own_way(&caller.challenge.terms, env.gate);
    let next = match endpoint {
        Endpoint::Page => status::page(caller, (own_way, is_approved), head, env),
        Endpoint::Status => status::status(caller, (own_way, is_approved), env),
        Endpoint::Start | Endpoint::Callback(_) => start::start(caller, is_approved, head, env),
        Endpoint::Preauth => ask(caller, own_way, env, |caller| preauth::preauth(caller, env)),
        Endpoint::Auth => {
            ask(caller, own_way, env, |caller| auth::auth(caller, head, parameters, env))
        }
        Endpoint::Enroll => ask(caller, own_way, env, |caller| enroll::enroll(caller, env)),
        Endpoint::Activation => ask(caller, own_way, env, |caller| enroll::activation(caller, env)),
        Endpoint::EnrollStatus => ask(caller, own_way, env, |caller| enroll::status(caller, env)),
        Endpoint::Cancel => sign_out::cancel(caller, env).into(),
        Endpoint::SignOut => sign_out::page(&caller, head, env).into(),
        Endpoint::Logout => sign_out::logout(caller, head, env).into(),
        Endpoint::UserInfo => sign_out::user_info(&caller, approval.as_ref(), env).into(),
    };
    next.with(refusal)
}

/// The records of a cookie that was not accepted.
fn refused_cookie(caller: &Caller, env: &Env<'_>) -> Vec<Signal> {
    let Some(why) = caller.approval.err().map(Insufficient::from) else { return Vec::new() };
    let Challenge { identity, trail, .. } = &caller.challenge;
    let line = audit::cookie_refused(why, Some(identity), trail, env);
    [why.counted()].into_iter().chain(line).collect()
}

/// Continues with calls of the Auth API, if it is used for the terms.
fn ask(
    caller: Box<Caller>,
    own_way: Option<Arc<Credentials>>,
    env: &Env<'_>,
    then: impl FnOnce(AuthApiCaller) -> Next<Visit>,
) -> Next<Visit> {
    match own_way {
        Some(credentials) => then(AuthApiCaller { caller, credentials }),
        None => refuse_with(&caller, &ONLY_DUOS_PAGE, "", env).into(),
    }
}

/// Takes the approver from the pending sign-in. Without this, its prompt would count as the user's.
fn follow_approver(caller: &mut Caller, env: &Env<'_>) {
    let pending = caller.pending.as_ref();
    let Some(name) = pending.and_then(|pending| pending.approver.as_ref()) else { return };
    match approver::find(name.as_str(), env.gate.config()) {
        Some(approver) => caller.challenge.ask(approver.clone()),
        // The configuration has changed.
        None => caller.pending = None,
    }
}

/// Refuses a form for `POST auth` whose body could not be read.
pub(super) fn refuse_form(
    request: EndpointRequest,
    head: &RequestHead<'_>,
    why: &Refusal,
    env: &Env<'_>,
) -> Decision {
    let parameters = Parameters::of(head.target);
    let caller = match caller(request, head, parameters, env) {
        Ok(caller) => caller,
        Err(refused) => return *refused,
    };
    refuse_with(&caller, why, "", env).with(refused_cookie(&caller, env))
}

/// The client of an endpoint, under the terms of the request that the sign-in leads to. The terms
/// determine which Duo application is asked. If they require more than any approval, a device that
/// Duo remembers is not enough.
///
/// # Errors
///
/// The refusal, if a rule denies the request that the sign-in leads to.
fn caller(
    request: EndpointRequest,
    head: &RequestHead<'_>,
    parameters: Parameters<'_>,
    env: &Env<'_>,
) -> Result<Box<Caller>, Box<Decision>> {
    let EndpointRequest { endpoint, mut challenge, groups, .. } = request;
    let asked_for = parameters.value("return_to");
    let asked_for = asked_for.map(|path| ReturnPath::parse(path.as_bytes()));
    let named = asked_for.or_else(|| pending::return_path(head, &challenge, env));
    let is_named = named.is_some();
    let mut return_to = named.unwrap_or_default();
    if let Some(method) = parameters.value("method") {
        return_to = return_to.for_method(method.as_bytes());
    }
    let mut wanted = head.clone();
    (wanted.method, wanted.target) = (return_to.method().as_bytes(), return_to.target().as_bytes());
    let person = Person { user: &challenge.identity.user, groups: &groups };
    let mut denial = None;
    match env.gate.terms_of(&wanted, &person, challenge.trail.address) {
        Ok((terms, rule)) => (challenge.terms, challenge.rule) = (terms, rule),
        Err(_) if endpoint.takes_back() => {}
        // The client named no return path. The rules leave this user something to approve;
        // otherwise the user was refused before. A start without a path leads to `/`.
        Err(_) if !is_named && endpoint != Endpoint::Start => {}
        Err(why) => denial = Some(why),
    }
    // The phone shows what is approved, and the log what the sign-in leads to.
    challenge.trail.request = if challenge.terms.is_per_request && endpoint == Endpoint::Auth {
        RequestLine::with_query(&wanted)
    } else {
        RequestLine::of(&wanted)
    };
    let ticket = parameters.value("reference");
    let ticket = ticket.and_then(|it| read_ticket(&it, &challenge.identity, env.gate.config()));
    let new = challenge.trail.reference;
    let mut single_request = None;
    if challenge.terms.is_per_request {
        let body = parameters.value("body_sha256").and_then(|hex| BodyDigest::parse(&hex));
        let body = body.unwrap_or_else(BodyDigest::of_none);
        single_request = Some(per_request::stated(&wanted, parameters, &body));
    }
    let view = View::at_own_address(head, return_to);
    let mut caller = Box::new(Caller::new(head, view, challenge, env));
    caller.single_request = single_request;
    if !endpoint.begins() {
        follow_approver(&mut caller, env);
    }
    let pending = caller.pending.as_ref().and_then(|pending| pending.reference);
    caller.challenge.trail.reference = match endpoint {
        Endpoint::Preauth | Endpoint::Start | Endpoint::Auth | Endpoint::Enroll => {
            ticket.or(pending)
        }
        Endpoint::SignOut | Endpoint::Logout | Endpoint::UserInfo => None,
        Endpoint::Page
        | Endpoint::Callback(_)
        | Endpoint::Status
        | Endpoint::Cancel
        | Endpoint::Activation
        | Endpoint::EnrollStatus => pending.or(ticket),
    }
    .unwrap_or(new);
    let Terms { max_age, factors, is_per_request, .. } = &caller.challenge.terms;
    if max_age.is_some() || factors.is_some() || *is_per_request {
        caller.device_token = None;
    }
    match denial {
        Some(denial) => {
            caller.challenge.rule = denial.rule;
            Err(Box::new(refuse(&caller, denial.code, &denial.detail, "", env)))
        }
        None => Ok(caller),
    }
}
