//! Asks for the second factor of an undecided request, in the way that suits its client.

use super::approver;
use super::audit;
use super::body::{self, AwaitedBody, Body, Reader};
use super::challenge::Challenge;
use super::configured::Gate;
use super::decision::Decision;
use super::endpoints::{self, Caller, page_in_place};
use super::env::Env;
use super::flow::{Effect, Step};
use super::foreign_form;
use super::hold;
use super::in_place::InPlace;
use super::open::{Purpose, Undecided};
use super::per_client;
use super::per_request;
use super::prompt::SentPasscode;
use super::redirect;
use super::refusal::{Denial, Refusal};
use super::refusals::{
    FORM_TOO_LATE, FORM_TOO_LONG, NEEDS_BROWSER, NEEDS_COOKIE, NEEDS_PASSCODE_OR_BROWSER,
};
use super::refuse::{denied, refuse_with};
use super::route::EndpointRequest;
use super::rules::Insufficient;
use super::trail::Trail;
use super::universal;
use crate::config::{ApiMode, Mode};
use crate::factor::Factor;
use crate::http::{Client, Parameters, RequestHead, origin};
use crate::identity::Identity;
use crate::policy::Terms;
use crate::session::BodyDigest;
use crate::signal::{Level, Signal};
use std::net::IpAddr;

impl Gate {
    /// Begins to ask for the second factor, or to reply to a request to the filter itself.
    ///
    /// `address` is the peer's; a peer on a pipe has none.
    #[must_use]
    pub fn ask(
        &self,
        head: &RequestHead<'_>,
        undecided: Undecided,
        address: Option<IpAddr>,
        env: &Env<'_>,
    ) -> Step {
        let Undecided { purpose, insufficient } = undecided;
        let mut forged = None;
        let line = |user: Option<&Identity>, trail: &Trail| {
            insufficient.and_then(|why| audit::cookie_refused(why, user, trail, env))
        };
        let mut step = match *purpose {
            Purpose::Endpoint(request) => {
                let mut challenge = request.challenge.arrived(address, env);
                challenge.trail.endpoint = Some(request.endpoint.name());
                visit(EndpointRequest { challenge, ..request }, head, env)
            }
            Purpose::Application(challenge) => {
                let challenge = challenge.arrived(address, env);
                let Challenge { identity, trail, .. } = &challenge;
                forged = line(Some(identity), trail);
                self.unapproved(head, challenge, env)
            }
            Purpose::PerRequest(challenge) if challenge.has_body => {
                read_body(Reader::PerRequest(challenge.arrived(address, env)), env)
            }
            Purpose::PerRequest(challenge) => {
                let body = BodyDigest::of_none();
                self.approved_ahead(Some(&body), head, challenge.arrived(address, env), env)
            }
            Purpose::Denied { denial, endpoint } => {
                denied(&denial, endpoint, head, address, env).into()
            }
            Purpose::Reported { denial, sign_out } => {
                let trail = Trail::of(head).arrived(address, env);
                let user = denial.identity.as_deref();
                forged = line(user, &trail);
                let decision = self.would_refuse(head, &denial, &trail, env);
                match sign_out {
                    Some(sign_out) => sign_out.end_in(decision, user, &trail, env).into(),
                    None => decision.into(),
                }
            }
            Purpose::SignOut { passed, sign_out, identity } => {
                let trail = Trail::of(head).arrived(address, env);
                sign_out.end_in(*passed, identity.as_ref(), &trail, env).into()
            }
        };
        step.notes.signals.extend(insufficient.map(Insufficient::counted));
        step.notes.signals.extend(forged);
        step
    }

    /// Asks for the second factor of a request to the application.
    fn unapproved(&self, head: &RequestHead<'_>, challenge: Challenge, env: &Env<'_>) -> Step {
        if self.config().mode == Mode::ReportOnly {
            let report = |challenge: Challenge| {
                let trail = challenge.trail.clone();
                self.would_refuse(head, &Denial::required(&challenge), &trail, env).into()
            };
            return recalled(head, challenge, env, report);
        }
        if redirect::is_redirected(head) {
            return redirect::refuse(head, challenge, env).into();
        }
        recalled(head, challenge, env, |challenge| self.ask_for_factor(head, challenge, env))
    }

    fn ask_for_factor(&self, head: &RequestHead<'_>, challenge: Challenge, env: &Env<'_>) -> Step {
        let is_per_request = challenge.terms.is_per_request;
        let client = Client::of(&head.hints());
        let may_hold = self.api_mode(&challenge.terms) == ApiMode::Hold;
        let own_way = may_hold.then(|| universal::own_way(&challenge.terms, self)).flatten();
        match (client, own_way) {
            (_, Some(credentials)) if client == Client::Hold || brings_passcode(head) => {
                let challenge = match with_approver(head, challenge, env) {
                    Ok(challenge) => challenge,
                    Err(refused) => return (*refused).into(),
                };
                Step::held(hold::begin(head, challenge, (client, credentials), env), env)
            }
            (Client::Page, _) if !is_per_request && self.is_foreign_form(head) => {
                match foreign_form::check(head, self) {
                    Ok(()) => read_body(Reader::ForeignForm(challenge), env),
                    Err(reason) => foreign_form::refuse(head, challenge, reason, env).into(),
                }
            }
            (Client::Page, _) if !is_per_request || head.method == b"GET" => {
                page_in_place(&Caller::in_place(head, challenge, env), env).into()
            }
            (client, _) if is_per_request => {
                per_request::refuse(client, head, challenge, env).into()
            }
            (client, _) => {
                let refusal = self.remedy(client, &challenge.terms);
                refuse_with(&InPlace::new(head, challenge), &refusal, "", env).into()
            }
        }
    }

    /// Continues a request that carries a per-request approval. `body` is `None` if it could not be
    /// read. If the approval is not valid, or was used, the user is asked again.
    fn approved_ahead(
        &self,
        body: Option<&BodyDigest>,
        head: &RequestHead<'_>,
        challenge: Challenge,
        env: &Env<'_>,
    ) -> Step {
        match per_request::read(body, head, &challenge, env) {
            Some(approved) => Step::per_request(approved, self.unapproved(head, challenge, env)),
            None => self.unapproved(head, challenge, env),
        }
    }

    /// The remedy for a client that is neither held nor shown the page.
    fn remedy(&self, client: Client, terms: &Terms) -> Refusal {
        let takes_passcode = self.api_mode(terms) == ApiMode::Hold
            && self.offered(terms).contains(&Factor::Passcode);
        match client {
            Client::Hold | Client::Page => NEEDS_COOKIE,
            Client::Refuse | Client::RefuseGrpc if takes_passcode => NEEDS_PASSCODE_OR_BROWSER,
            Client::Refuse | Client::RefuseGrpc => NEEDS_BROWSER,
        }
    }
}

impl AwaitedBody {
    /// Continues with the body, and with the head of the same request again.
    #[must_use]
    pub fn handle(self, head: &RequestHead<'_>, body: Body<'_>, env: &Env<'_>) -> Step {
        let mut step = match self.reader {
            Reader::Endpoint(request) => visit_with_form(request, head, body, env),
            Reader::PerRequest(challenge) => {
                let digest = body.whole().map(BodyDigest::of);
                env.gate.approved_ahead(digest.as_ref(), head, challenge, env)
            }
            Reader::ForeignForm(challenge) => {
                foreign_form::read(body.whole(), head, challenge, env).into()
            }
        };
        if let Body::Late = body {
            step.notes.signals.push(Signal::Log(Level::Warn, LATE.to_owned()));
        }
        step
    }
}

/// Looks for an approval per client first, if the rule has such approvals.
fn recalled(
    head: &RequestHead<'_>,
    challenge: Challenge,
    env: &Env<'_>,
    otherwise: impl FnOnce(Challenge) -> Step,
) -> Step {
    match per_client::recall(head, &challenge, env) {
        Some(recall) => Step::per_client(recall, otherwise(challenge)),
        None => otherwise(challenge),
    }
}

/// The challenge of a held request, with the other person who is asked if the rule requires one.
///
/// # Errors
///
/// The refusal, if the request names nobody who may approve it.
#[inline(never)]
fn with_approver(
    head: &RequestHead<'_>,
    mut challenge: Challenge,
    env: &Env<'_>,
) -> Result<Challenge, Box<Decision>> {
    if challenge.terms.approvers.is_none() {
        return Ok(challenge);
    }
    match approver::choose(head, None, &challenge) {
        Ok(approver) => {
            challenge.ask(approver);
            Ok(challenge)
        }
        Err(refusal) => {
            Err(Box::new(refuse_with(&InPlace::new(head, challenge), &refusal, "", env)))
        }
    }
}

fn visit(request: EndpointRequest, head: &RequestHead<'_>, env: &Env<'_>) -> Step {
    if body::is_readable(&request, head, env.gate.config()) {
        return read_body(Reader::Endpoint(request), env);
    }
    Step::visit(endpoints::begin(request, head, Parameters::of(head.target), env), env)
}

fn visit_with_form(
    request: EndpointRequest,
    head: &RequestHead<'_>,
    body: Body<'_>,
    env: &Env<'_>,
) -> Step {
    let refuse = |request, refusal| endpoints::refuse_form(request, head, refusal, env).into();
    match body {
        Body::Whole(bytes) => {
            let parameters = Parameters::of(head.target).with_form(bytes);
            Step::visit(endpoints::begin(request, head, parameters, env), env)
        }
        Body::TooLong => refuse(request, &FORM_TOO_LONG),
        Body::Late => refuse(request, &FORM_TOO_LATE),
    }
}

fn read_body(reader: Reader, env: &Env<'_>) -> Step {
    let (max, until) = (reader.max(), Reader::until(env.now));
    Effect::ReadBody { max, until, then: Box::new(AwaitedBody { reader }) }.into()
}

/// Whether a request has a passcode to be checked, whatever its client is. A passcode rings no
/// phone. A page of another site cannot send the header unnoticed, since its request names that
/// site.
fn brings_passcode(head: &RequestHead<'_>) -> bool {
    !matches!(SentPasscode::with(head), SentPasscode::None) && !origin::is_foreign(head)
}

const LATE: &str = "the filter reads this body, but it did not arrive in time; request_bodies needs \
                    allow_on_headers_stop_iteration: true in the plugin's Envoy configuration";
