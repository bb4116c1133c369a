//! The hot path: decisions without Duo.

use super::audit;
use super::challenge::{Challenge, subject};
use super::configured::{Gate, HostFacts, stripped};
use super::decision::{Decision, End, Forward, NewCookie, Notes};
use super::env::Env;
use super::headers::{ForwardedAs, add_identity_headers};
use super::judgement::{Judgement, Outcome};
use super::per_client;
use super::per_request;
use super::refusal::Denial;
use super::refusals::{COOKIES_TOO_LONG, OTHER_SITE, PLAIN_HTTP, RULE_DENIES, unreadable};
use super::response;
use super::route::{self, Endpoint, EndpointRequest, Route};
use super::rules::{Insufficient, Ruling};
use super::sign_out::SignOut;
use super::trail::Trail;
use super::universal;
use crate::clock::UnixTime;
use crate::config::Mode;
use crate::http::{Client, Edit, HeadFault, HeaderMap, RequestHead, cookie, origin};
use crate::identity::Identity;
use crate::page::Problem;
use crate::policy::{Policy, Ruled};
use crate::session::{Approval, Bound, Refusal, Sessions, Subject, Verified};
use crate::signal::Counter;

/// The result of [`Gate::open`].
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a box would cost every pass an allocation")]
pub enum Opening {
    /// The request is forwarded or gets a reply; no call is needed.
    Decided(Decision),
    /// Duo may have to be asked: continue with [`Gate::ask`].
    Undecided(Undecided),
}

/// A request of a known user that waits for [`Gate::ask`].
#[derive(Debug)]
pub struct Undecided {
    pub(super) purpose: Box<Purpose>,
    /// Why the request's cookie was not accepted.
    pub(super) insufficient: Option<Insufficient>,
}

/// The purpose of a request.
#[derive(Debug)]
pub(super) enum Purpose {
    /// For the application, without a proof of a second factor.
    Application(Challenge),
    /// For the application, with a token that may be its own approval.
    PerRequest(Challenge),
    /// One of the filter's endpoints.
    Endpoint(EndpointRequest),
    /// A refusal. Only its log line needs more facts.
    Denied {
        denial: Denial,
        /// The endpoint that refuses; `None` at the application's address.
        endpoint: Option<Endpoint>,
    },
    /// A request that passes only because the mode is `report_only`.
    Reported {
        denial: Denial,
        /// The changes of a sign-out.
        sign_out: Option<SignOut>,
    },
    /// A request that passes, and ends the approval.
    SignOut {
        passed: Box<Decision>,
        sign_out: SignOut,
        /// The user, if known.
        identity: Option<Identity>,
    },
}

impl From<Purpose> for Opening {
    fn from(purpose: Purpose) -> Self {
        Self::Undecided(Undecided { purpose: Box::new(purpose), insufficient: None })
    }
}

impl Undecided {
    /// Whether an approval per client may let the request pass.
    fn may_be_recalled(&self) -> bool {
        match &*self.purpose {
            Purpose::Application(challenge) => challenge.terms.per_client.is_some(),
            Purpose::PerRequest(_)
            | Purpose::Endpoint(_)
            | Purpose::Denied { .. }
            | Purpose::Reported { .. }
            | Purpose::SignOut { .. } => false,
        }
    }
}

impl Gate {
    /// Decides everything that needs no Duo. It runs once for each request, so a valid approval
    /// cookie takes a short path: one pass over the header map, one look-up in `verified`.
    #[must_use]
    pub fn open(
        &self,
        head: &RequestHead<'_>,
        facts: &HostFacts<'_>,
        verified: &mut Verified,
    ) -> Opening {
        let endpoint = match route::route(self.config(), head) {
            Some(Route::Answered(decision)) => return Opening::Decided(*decision),
            Some(Route::Visit(endpoint)) => Some(endpoint),
            None => None,
        };
        let judged = match (endpoint, self.config().mode) {
            (Some(endpoint), _) => self.visit(endpoint, head, facts),
            (None, Mode::Off) => return Opening::Decided(self.unjudged(head, ForwardedAs::Off)),
            (None, Mode::Enforce) => self.judge(head, facts, verified),
            (None, Mode::ReportOnly) => Ok(self.reported(head, self.judge(head, facts, verified))),
        };
        let opening = judged.unwrap_or_else(|denial| Purpose::Denied { denial, endpoint }.into());
        if self.config().logout_paths.is_empty() {
            return opening;
        }
        self.signed_out(head, facts, opening)
    }

    /// Judges a request to the application by the rules and its cookie.
    fn judge(
        &self,
        head: &RequestHead<'_>,
        facts: &HostFacts<'_>,
        verified: &mut Verified,
    ) -> Result<Opening, Denial> {
        check_cookies(head)?;
        let Ruling { ruled, identity } = self.ruled(head, facts)?;
        match ruled.policy {
            Policy::Bypass => {
                let (outcome, rule) = (Outcome::Bypassed, ruled.rule);
                let decision = self.unjudged(head, ForwardedAs::Bypassed);
                let judgement = Judgement { outcome, factor: None, rule };
                return Ok(Opening::Decided(decision.judged(judgement)));
            }
            Policy::Deny => {
                let denial = Denial::from(RULE_DENIES).by(ruled.rule);
                return Err(identity.iter().fold(denial, Denial::of));
            }
            Policy::TwoFactor => {}
        }
        let identity = identity.map_or_else(|| self.identify(head, facts), Ok);
        let identity = identity.map_err(|denial| denial.by(ruled.rule))?;
        let bound = self.bound(facts).map_err(|denial| denial.by(ruled.rule).of(&identity))?;
        if ruled.terms.is_per_request {
            return Ok(self.judge_per_request(head, (identity, bound), ruled, facts.has_body));
        }
        let sessions = &self.application(ruled.terms).sessions;
        let cookies = self.split_cookies(head, sessions);
        let user = subject(&identity, &bound);
        let found = approval(sessions, cookies.found, &user, facts.now, verified);
        let insufficient = match found.map_err(Insufficient::from) {
            Ok(None) => None,
            Ok(Some(found)) => match self.satisfies(&found, ruled.terms, facts.now) {
                Ok(()) => {
                    let edits = stripped(head, cookies);
                    let (outcome, factor) = (Outcome::Passed, Some(found.factor()));
                    let judgement = Judgement { outcome, factor, rule: ruled.rule };
                    let renewal = response::renewal(sessions, &found, &user, facts.now, head);
                    let whose = (identity.user.as_str(), ruled.rule);
                    let assertion = self.assertion_of(&found, whose, facts.now, verified);
                    let added = (renewal, assertion);
                    return Ok(Opening::Decided(pass(edits, identity, &found, added, judgement)));
                }
                Err(insufficient) => Some(insufficient),
            },
            Err(insufficient) => Some(insufficient),
        };
        let mut challenge = Challenge::new(head, facts.has_body, (identity, bound), ruled);
        challenge.has_approval = insufficient.is_some_and(Insufficient::is_valid);
        let purpose = Purpose::Application(challenge);
        Ok(Opening::Undecided(Undecided { purpose: Box::new(purpose), insufficient }))
    }

    /// Judges a request that needs its own approval: whether to read the one that it has.
    fn judge_per_request(
        &self,
        head: &RequestHead<'_>,
        user: (Identity, Bound),
        ruled: Ruled<'_>,
        has_body: bool,
    ) -> Opening {
        let challenge = Challenge::new(head, has_body, user, ruled);
        // An approval proves nothing about a request whose body cannot be read.
        let is_readable = !has_body || self.config().request_bodies;
        let purpose = if is_readable && per_request::token(self, head).is_some() {
            Purpose::PerRequest(challenge)
        } else {
            Purpose::Application(challenge)
        };
        purpose.into()
    }

    /// Handles a request for one of the filter's endpoints that need a user.
    fn visit(
        &self,
        endpoint: Endpoint,
        head: &RequestHead<'_>,
        facts: &HostFacts<'_>,
    ) -> Result<Opening, Denial> {
        check_cookies(head)?;
        if let Endpoint::Callback(application) = endpoint {
            universal::read_return(head, application, self.config())?;
        }
        let identity = self.identify(head, facts)?;
        if endpoint.is_act() && origin::check(head).is_err() {
            return Err(Denial::from(OTHER_SITE).of(&identity));
        }
        if endpoint.begins() && origin::is_plain_http(head) {
            return Err(Denial::from(PLAIN_HTTP).of(&identity));
        }
        let known = |denial: Denial| denial.of(&identity);
        let groups = self.groups(head, facts).map_err(known)?;
        if !endpoint.takes_back() {
            self.check_something_is_left(head, &identity, &groups, facts).map_err(known)?;
        }
        let bound = self.bound(facts).map_err(known)?;
        let has_body = facts.has_body;
        let ruled = Ruled { rule: None, ..self.config().policies.ruled_by_default() };
        // The request to the application may have one.
        let challenge = Challenge::new(head, true, (identity, bound), ruled);
        Ok(Purpose::Endpoint(EndpointRequest { endpoint, challenge, groups, has_body }).into())
    }

    /// Lets a request pass whatever the rules say. The filter's own cookies and headers are still
    /// removed.
    fn unjudged(&self, head: &RequestHead<'_>, forwarded_as: ForwardedAs) -> Decision {
        let mut request = self.stripped(head);
        forwarded_as.add_to(&mut request);
        Decision::forward(Forward { request, cookie: None }, Counter::Bypassed)
    }

    /// Under `mode: report_only`: lets a request pass, and reports the decision that `enforce`
    /// would have made. Duo is not asked.
    fn reported(&self, head: &RequestHead<'_>, judged: Result<Opening, Denial>) -> Opening {
        let (denial, insufficient) = match judged {
            // The filter does not know yet whether the client has an approval.
            Ok(Opening::Undecided(undecided))
                if undecided.may_be_recalled() && !self.is_sign_out(head) =>
            {
                return Opening::Undecided(undecided);
            }
            Ok(Opening::Undecided(Undecided { purpose, insufficient })) => {
                let denial = match *purpose {
                    Purpose::Application(challenge)
                    | Purpose::PerRequest(challenge)
                    | Purpose::Endpoint(EndpointRequest { challenge, .. }) => {
                        Denial::required(&challenge)
                    }
                    Purpose::Denied { denial, .. } | Purpose::Reported { denial, .. } => denial,
                    Purpose::SignOut { passed, .. } => return Opening::Decided(*passed),
                };
                (denial, insufficient)
            }
            Err(denial) => (denial, None),
            Ok(decided) => return decided,
        };
        let purpose = Box::new(Purpose::Reported { denial, sign_out: None });
        Opening::Undecided(Undecided { purpose, insufficient })
    }

    /// Lets a request pass that `mode: enforce` would refuse.
    pub(super) fn would_refuse(
        &self,
        head: &RequestHead<'_>,
        denial: &Denial,
        trail: &Trail,
        env: &Env<'_>,
    ) -> Decision {
        let Denial { code, rule, .. } = *denial;
        let mut request = self.stripped(head);
        ForwardedAs::WouldRefuse.add_to(&mut request);
        let forward = Forward { request, cookie: None };
        let decision = Decision::forward(forward, Counter::Reported { rule, code });
        decision.audited(audit::unrefused(denial, trail, env))
    }

    /// Makes the response of a forwarded sign-out delete the cookies. The rules were applied
    /// before, and a sign-out grants nothing.
    ///
    /// A page of another site can cause this sign-out only as far as it can cause that of the first
    /// factor: by a link. An image of another site is requested without cookies, and browsers
    /// ignore its deletions.
    fn signed_out(
        &self,
        head: &RequestHead<'_>,
        facts: &HostFacts<'_>,
        opened: Opening,
    ) -> Opening {
        if !self.is_sign_out(head) {
            return opened;
        }
        match opened {
            Opening::Decided(decision) if matches!(decision.end, End::Forward(_)) => {
                let (sign_out, identity) = self.sign_out(head, facts);
                Purpose::SignOut { passed: Box::new(decision), sign_out, identity }.into()
            }
            Opening::Undecided(mut undecided) => {
                if let Purpose::Reported { sign_out, .. } = &mut *undecided.purpose {
                    *sign_out = Some(self.sign_out(head, facts).0);
                }
                Opening::Undecided(undecided)
            }
            decided @ Opening::Decided(_) => decided,
        }
    }

    /// The changes of a sign-out, and its user.
    fn sign_out(
        &self,
        head: &RequestHead<'_>,
        facts: &HostFacts<'_>,
    ) -> (SignOut, Option<Identity>) {
        let identity = self.identify(head, facts).ok();
        let bound = self.bound(facts).ok();
        let known = identity.as_ref().zip(bound.as_ref());
        let user = known.map(|(identity, bound)| subject(identity, bound));
        let mut out = SignOut::of(self.config(), head, user.as_ref(), facts.now);
        let per_client = identity.as_ref().map(|it| per_client::ended(it, self.config()));
        out.settlements.extend(per_client);
        (out, identity)
    }

    /// Refuses a request whose head, made of these `fields`, cannot be read. Unless the mode is
    /// `enforce`, a request without a path, such as CONNECT, passes.
    #[must_use]
    pub fn malformed(&self, fault: HeadFault, fields: &[u8]) -> Decision {
        let forwarded_as = match self.config().mode {
            Mode::Enforce => None,
            Mode::ReportOnly => Some(ForwardedAs::WouldRefuse),
            Mode::Off => Some(ForwardedAs::Off),
        };
        if fault == HeadFault::NoPath
            && let Some(forwarded_as) = forwarded_as
            && let Ok(fields) = HeaderMap::parse(fields)
        {
            let mut request = fields.without_reserved();
            forwarded_as.add_to(&mut request);
            return Decision::forward(Forward { request, cookie: None }, Counter::Bypassed);
        }
        let Denial { code, detail, .. } = unreadable(fault);
        let problem = Problem::new(code, detail.into_owned(), None);
        Decision::refusal(problem.reply(Client::Refuse), code, None)
    }
}

/// Forwards a request with a valid approval.
#[inline]
fn pass(
    mut request: Vec<Edit>,
    identity: Identity,
    approval: &Approval,
    (renewal, assertion): (Option<NewCookie>, Option<Edit>),
    judgement: Judgement,
) -> Decision {
    let (factor, authenticated) = (approval.factor().name(), approval.authenticated());
    let (forwarded_as, user) = (ForwardedAs::Passed, identity.user);
    add_identity_headers(&mut request, forwarded_as, user, factor, authenticated);
    request.extend(assertion);
    let forward = Forward { request, cookie: renewal };
    // Built in one expression, since each change of a decision would copy it.
    Decision {
        end: End::Forward(forward),
        notes: Notes {
            count: Some(Counter::Passed),
            signals: Vec::new(),
            audit: None,
            learned: None,
            settlements: Vec::new(),
            judgement: Some(judgement),
        },
    }
}

/// The approval of a request, if it is valid for these sessions.
fn approval(
    sessions: &Sessions,
    sent: cookie::Sent<'_>,
    user: &Subject<'_>,
    now: UnixTime,
    verified: &mut Verified,
) -> Result<Option<Approval>, Refusal> {
    sent.once().map(|value| sessions.admit(verified, value, user, now)).transpose()
}

fn check_cookies(head: &RequestHead<'_>) -> Result<(), Denial> {
    if head.cookies.is_too_long() {
        return Err(COOKIES_TOO_LONG.into());
    }
    Ok(())
}
