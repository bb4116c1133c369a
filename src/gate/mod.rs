//! The state machine of one request.
//!
//! In go a request's head, the moment, what the host knows of the stream, and later Duo's answers;
//! out comes one [`Step`] at a time, with exactly one effect in it: forward the request, answer
//! it, make one call to Duo, claim a push in the table of [`limit`]s or read a form, and come back
//! with the answer. A flow exists only while an answer is outstanding, so a request can be neither
//! paused with nothing to wait for, nor answered and forwarded.
//!
//! Who waits for an answer is either a held request (`hold`), which goes on in the end or is
//! refused, or a visit (`visit`) to an address of the filter's own, by a browser mostly, which is
//! always answered. Both go through one `flow`, one table of faults and one path to a claim.
//!
//! [`Gate::open`] is the whole of what a request with a valid approval cookie costs; it reads the
//! header map in place. [`Gate::ask`] begins everything else. Nothing here knows Envoy: no context
//! ids, tokens or clusters' health; time and random bytes are values.

mod asker;
mod audit;
pub mod check;
mod endpoint;
mod expect;
pub mod failure;
mod flow;
mod foreign_form;
mod health;
mod health_record;
mod hold;
mod judgement;
mod last;
pub mod limit;
mod logo;
mod operation;
mod party;
mod per_client;
mod prompt;
mod redirect;
mod refuse;
mod report;
pub mod response;
mod room;
mod rules;
mod same_request;
mod sign_out;
mod step;
mod unapproved;
mod unsent;
mod view;
mod visit;

pub use check::{Check, CheckStep, Found};
pub use flow::{Claimant, Flow};
pub use health::{Health, Standing};
pub use health_record::HealthRecord;
pub use judgement::{Judgement, Outcome};
pub use logo::Logo;
pub use room::{By, Crowded, Room, Seat};
pub use step::is_due;
pub use step::{Call, Contact, Effect, Env, Event, Forward, Learned, NewCookie, Step, Unanswered};
pub use visit::{Body, Form};

use crate::clock::UnixTime;
use crate::config::{Config, Mode};
use crate::http::{Client, Edit, HeadFault, HeaderMap, HeaderValue, RequestHead, cookie, origin};
use crate::identity::{Attributes, Identity};
use crate::page::{Onward, Problem, Reference};
use crate::policy::{Policy, Ruled};
use crate::session::{Approval, BodyDigest, Refusal, Sessions, Subject, Verified};
use crate::signal::{Code, Counter};
use asker::{Sought, subject};
use endpoint::{Endpoint, Route};
use rules::{Denial, Ruling, Unfit};
use view::{View, Who};
use visit::Visitor;

/// A configuration at work.
#[derive(Debug)]
pub struct Gate {
    config: Config,
}

/// What the host knows at the moment a request arrives.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// The time.
    pub now: UnixTime,
    /// What the host says of the user, where [`Gate::attribute`] and its like ask for it.
    pub attributes: Attributes<'a>,
    /// The peer, as Envoy has it, where [`Gate::wants_address`]: `192.0.2.1:4711` or
    /// `[2001:db8::1]:4711`.
    pub address: Option<&'a [u8]>,
    /// The values of [`Gate::bound_properties`], each where the host has one.
    pub bound: &'a [Option<Vec<u8>>],
    /// Whether the request goes on after its head.
    pub has_body: bool,
    /// Whether the last check of each Duo application went well.
    pub duo_is_well: bool,
}

/// What [`Gate::open`] comes to.
#[derive(Debug)]
pub enum Opening {
    /// The request is forwarded or answered; no call is needed.
    Decided(Step),
    /// Duo may have to be asked: on to [`Gate::ask`].
    Undecided(Undecided),
}

/// A request of a known user that waits for [`Gate::ask`].
#[derive(Debug)]
pub struct Undecided {
    aim: Aim,
    /// Why the cookie that came was not accepted.
    unfit: Option<Unfit>,
}

/// What a request is for.
#[derive(Debug)]
enum Aim {
    /// The application, and nothing proves a second factor.
    Application(Sought),
    /// The application, with what may be an approval of this request alone.
    Operation {
        sought: Sought,
        /// Whether what it does is in its body too.
        has_body: bool,
    },
    /// The filter itself.
    Visit(Visitor),
}

impl Gate {
    /// Puts a configuration to work.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self { config }
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The path of the property that holds the user's name, where it does not come in a header.
    #[must_use]
    pub fn attribute(&self) -> Option<&[String]> {
        self.config.identity.attribute()
    }

    /// Decides what can be decided without Duo. Called once for each request, so the path of a
    /// valid approval cookie is kept short: one pass over the header map, one look into `verified`.
    #[must_use]
    pub fn open(
        &self,
        head: &RequestHead<'_>,
        moment: &Moment<'_>,
        verified: &mut Verified,
    ) -> Opening {
        let endpoint = match endpoint::route(&self.config, head, moment) {
            Some(Route::Answered(step)) => return Opening::Decided(*step),
            Some(Route::Visit(endpoint)) => Some(endpoint),
            None => None,
        };
        let judged = match (endpoint, self.config.mode) {
            (Some(endpoint), _) => self.visit(endpoint, head, moment),
            (None, Mode::Off) => return Opening::Decided(self.unjudged(head)),
            (None, Mode::Enforce) => self.judge(head, moment, verified),
            (None, Mode::ReportOnly) => Ok(self.reported(head, self.judge(head, moment, verified))),
        };
        let opening = judged.unwrap_or_else(|denial| Opening::Decided(self.refuse(head, &denial)));
        if self.config.logout_paths.is_empty() {
            opening
        } else {
            self.signed_out(head, moment, opening)
        }
    }

    /// What the rules and the cookie say of a request to the application.
    fn judge(
        &self,
        head: &RequestHead<'_>,
        moment: &Moment<'_>,
        verified: &mut Verified,
    ) -> Result<Opening, Denial> {
        check_cookies(head)?;
        let Ruling { ruled, asker } = self.ruled(head, moment)?;
        match ruled.policy {
            Policy::Bypass => {
                let (outcome, rule) = (Outcome::Bypassed, ruled.rule);
                let step = self.unjudged(head).judged(Judgement { outcome, factor: None, rule });
                return Ok(Opening::Decided(step));
            }
            Policy::Deny => {
                let denial = Denial::new(Code::AccessDenied, "A rule denies this request.");
                return Err(denial.by(ruled.rule));
            }
            Policy::TwoFactor => {}
        }
        let identity = asker.map_or_else(|| self.identify(head, moment), Ok);
        let identity = identity.map_err(|denial| denial.by(ruled.rule))?;
        let bound = self.bound(moment).map_err(|denial| denial.by(ruled.rule))?;
        if ruled.terms.is_for_one_request {
            return Ok(self.judge_operation(head, (identity, bound), ruled, moment.has_body));
        }
        let sessions = &self.application(ruled.terms).sessions;
        let cookies = self.parted(head, sessions);
        let user = subject(&identity, &bound);
        let found = approval(sessions, cookies.found, &user, moment.now, verified);
        let unfit = match found.map_err(Unfit::from) {
            Ok(None) => None,
            Ok(Some(found)) => match self.fit(&found, ruled.terms, moment.now) {
                Ok(()) => {
                    let edits = stripped(head, cookies);
                    let (outcome, factor) = (Outcome::Passed, Some(found.factor()));
                    let judgement = Judgement { outcome, factor, rule: ruled.rule };
                    let renewal = response::renewal(sessions, &found, &user, moment.now, head);
                    let step = pass(edits, identity, &found, renewal);
                    return Ok(Opening::Decided(step.judged(judgement)));
                }
                Err(unfit) => Some(unfit),
            },
            Err(unfit) => Some(unfit),
        };
        let has_approval = unfit.is_some_and(Unfit::is_valid);
        let Ruled { rule, terms, .. } = ruled;
        let sought = Sought { identity, bound, rule, terms: terms.clone(), has_approval };
        Ok(Opening::Undecided(Undecided { aim: Aim::Application(sought), unfit }))
    }

    /// A request for one of the filter's own addresses that are about a user.
    fn visit(
        &self,
        endpoint: Endpoint,
        head: &RequestHead<'_>,
        moment: &Moment<'_>,
    ) -> Result<Opening, Denial> {
        check_cookies(head)?;
        let identity = self.identify(head, moment)?;
        if endpoint.is_act() && origin::check(head).is_err() {
            let detail = "A page of another site sent this request.";
            return Err(Denial::new(Code::CrossSite, detail));
        }
        if endpoint.begins() && origin::is_plain_http(head) {
            let detail = "Browsers keep no sign-in over plain HTTP, since its cookies are Secure. \
                          Use HTTPS, or localhost.";
            return Err(Denial::new(Code::HttpsRequired, detail));
        }
        let groups = self.groups(head, moment)?;
        if !endpoint.takes_back() {
            self.check_something_is_left(head, &identity, &groups, moment)?;
        }
        let bound = self.bound(moment)?;
        let has_body = moment.has_body;
        let aim = Aim::Visit(Visitor { endpoint, identity, bound, groups, has_body });
        Ok(Opening::Undecided(Undecided { aim, unfit: None }))
    }

    /// Begins to ask for the second factor, in the way that suits the client, or to answer a
    /// request to the filter itself.
    ///
    /// `address` is the peer's, as Envoy has it: `192.0.2.1:4711` or `[2001:db8::1]:4711`.
    #[must_use]
    pub fn ask(
        &self,
        head: &RequestHead<'_>,
        undecided: Undecided,
        address: Option<&[u8]>,
        env: &Env<'_>,
    ) -> Step {
        let Undecided { aim, unfit } = undecided;
        let mut step = match aim {
            Aim::Visit(visitor) => visit::begin(visitor, head, address, env),
            Aim::Application(sought) => self.unapproved(head, sought, address, env),
            Aim::Operation { sought, has_body: true } => {
                Form::read_operation(sought, address, env.now)
            }
            Aim::Operation { sought, has_body: false } => {
                let body = BodyDigest::of_none();
                operation::read(Some(&body), head, sought, address, env)
            }
        };
        step.signals.extend(unfit.map(Unfit::counted));
        step
    }

    /// Answers a request whose head, of these `fields`, cannot be read. Where nobody is refused,
    /// one without a path, as of CONNECT, goes on.
    #[must_use]
    pub fn malformed(&self, fault: HeadFault, fields: &[u8]) -> Step {
        if self.config.mode != Mode::Enforce
            && fault == HeadFault::NoPath
            && let Ok(fields) = HeaderMap::parse(fields)
        {
            let forward = Forward { request: fields.without_reserved(), cookie: None };
            return Step::forward(forward, Counter::Bypassed);
        }
        let problem = Problem {
            code: Code::BadRequest,
            detail: format!("{fault}."),
            reference: Reference::of_request_id(None),
            retry_after: None,
        };
        refuse::answer(problem.reply(Client::Refuse), Code::BadRequest, None)
    }

    /// The edits that every forwarded request gets: nothing of the filter's own goes upstream, and
    /// nothing that looks like it.
    fn stripped(&self, head: &RequestHead<'_>) -> Vec<Edit> {
        let sessions = &self.config.applications.main.sessions;
        stripped(head, self.parted(head, sessions))
    }

    /// The filter's own cookies, and the application's; found is that of these `sessions`.
    fn parted<'a>(&self, head: &RequestHead<'a>, sessions: &Sessions) -> cookie::Parted<'a> {
        head.cookies.part(sessions.cookie_name(), self.config.applications.odd_cookies())
    }

    fn refuse(&self, head: &RequestHead<'_>, denial: &Denial) -> Step {
        let Denial { code, ref detail, rule } = *denial;
        let reference = audit::reference(head);
        let line = audit::refused_at_once(head, code, rule, &reference);
        let problem = Problem { code, detail: detail.clone(), reference, retry_after: None };
        let view = View::in_place(head);
        // A person reads this one, which the page's script shows.
        let problem = if code == Code::HttpsRequired { view.localised(&problem) } else { problem };
        let who = Who { asker: None, reference: &problem.reference };
        let reply = view.refusal(&problem, Onward::default(), who, &self.config);
        refuse::answer(reply, code, Some(line))
    }
}

/// A request with a valid approval goes on.
fn pass(
    mut request: Vec<Edit>,
    identity: Identity,
    approval: &Approval,
    renewal: Option<NewCookie>,
) -> Step {
    tell_application(
        &mut request,
        identity.user,
        approval.factor().name(),
        approval.authenticated(),
    );
    let forward = Forward { request, cookie: renewal };
    Step::forward(forward, Counter::Passed)
}

fn stripped(head: &RequestHead<'_>, cookies: cookie::Parted<'_>) -> Vec<Edit> {
    let mut edits = cookies.edits;
    edits.extend(head.reserved.iter().map(|name| Edit::Remove(name.to_vec())));
    edits
}

/// The approval that a request brings, where it is one of these.
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
        let detail = "The cookies of this request are longer than 16 KiB.";
        return Err(Denial::new(Code::BadRequest, detail));
    }
    Ok(())
}

/// Adds the headers by which the application learns who was admitted, how and when.
fn tell_application(
    edits: &mut Vec<Edit>,
    user: String,
    factor: &'static str,
    authenticated: UnixTime,
) {
    // A client's own are out by now; adding costs the host less than replacing.
    edits.push(Edit::Append("x-duo-mfa-user", HeaderValue::lossy(user)));
    edits.push(Edit::Append("x-duo-mfa-factor", HeaderValue::from_static(factor)));
    edits.push(Edit::Append("x-duo-mfa-time", HeaderValue::number(authenticated.seconds())));
}
