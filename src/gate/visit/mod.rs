//! Visits: requests to the filter's own addresses that are about a user's sign-in.
//!
//! In goes a request of a known user that has passed the cross-site guard; out comes a page, JSON
//! or a way on, never the request itself. What the next visit needs is in the pending sign-in that
//! the browser carries, so any worker and any replica can go on with it. Only [`Endpoint::Auth`]
//! rings a phone, and only by POST.
//!
//! Nothing here is kept between two visits.

mod approve;
mod auth;
mod choices;
mod enroll;
mod form;
mod preauth;
mod sign_in;
mod sign_out;
mod status;

pub(super) use approve::Allowed;
pub use form::{Body, Form};
pub(super) use sign_in::{is_on_device, transaction};

use super::asker::{Asker, Sought};
use super::audit::Asked;
use super::endpoint::Endpoint;
use super::party::{Party, Recipient};
use super::refuse::refuse;
use super::rules::{Denial, Unfit};
use super::view::{View, Who};
use super::{Env, Step, operation, prompt};
use crate::clock::UnixTime;
use crate::http::{HeaderValue, Parameters, Reply, RequestHead, ReturnPath};
use crate::identity::Identity;
use crate::page::{Onward, Problem};
use crate::policy::{Person, Terms};
use crate::secret::Secret;
use crate::session::{Approval, BodyDigest, Bound, Operation, Pending, Preference, Refusal, Token};
use auth::Choice;
use sign_in::{begun, way_back};
use std::borrow::Cow;
use std::time::Duration;

/// The longest that a script waits for one answer to `GET status`: shorter than any proxy's limit.
const LONGEST_LOOK: Duration = Duration::from_secs(10);

/// The longest that a page is waited for.
const LONGEST_PAGE: Duration = Duration::from_secs(2);

/// The least time that Duo is given to answer.
const SHORTEST_LOOK: Duration = Duration::from_secs(2);

/// A request to the filter itself, while it waits for an answer.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) asker: Asker,
    /// What Duo gave for a device that it is to remember.
    pub(super) device_token: Option<Secret<String>>,
    view: View,
    wanted: Wanted,
    /// The approval that came with the request, or why it is none.
    approval: Result<Option<Approval>, Refusal>,
    /// The sign-in that this browser has begun.
    pending: Option<Pending>,
    /// Until when the sign-in that the client has waits for an answer on the device.
    followed: Option<UnixTime>,
    preference: Option<Preference>,
    /// Whether the client is known to keep cookies: one of ours came.
    keeps_cookies: bool,
    /// The one operation that an approval is wanted for; absent where it is wanted for all that
    /// want no approval of their own.
    operation: Option<Operation>,
    /// The pending sign-in, or the approval of an operation, as this answer hands it out.
    token: Option<Token>,
    /// The `Set-Cookie` lines of the answer.
    cookies: Vec<HeaderValue>,
}

/// What comes of Duo's word on the user.
#[derive(Debug)]
enum Wanted {
    /// Somebody only asks what there is to choose from.
    Choices,
    /// This is started.
    Start(Choice),
    /// A first device is set up, if Duo wants one.
    Enrollment,
}

/// A request for one of the filter's endpoints, by a known user.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) endpoint: Endpoint,
    pub(super) identity: Identity,
    pub(super) bound: Bound,
    pub(super) groups: Vec<String>,
    /// Whether the request goes on after its head.
    pub(super) has_body: bool,
}

/// Begins to answer.
pub(super) fn begin(
    visitor: Visitor,
    head: &RequestHead<'_>,
    address: Option<&[u8]>,
    env: &Env<'_>,
) -> Step {
    if Form::is_sent(&visitor, head, env.gate.config()) {
        return Form::read(visitor, address, env.now);
    }
    let endpoint = visitor.endpoint;
    let parameters = Parameters::of(head.target);
    let visit = match Visit::of(visitor, head, parameters, address, env) {
        Ok(visit) => visit,
        Err(refused) => return *refused,
    };
    let refusal = visit.approval.err();
    let approval = visit.approval.ok().flatten();
    let fit = |approval| env.gate.fit(approval, &visit.asker.terms, env.now);
    let is_approved = approval.as_ref().is_some_and(|approval| fit(approval).is_ok());
    let step = match endpoint {
        Endpoint::Page => visit.page(is_approved, head, env),
        Endpoint::Status => visit.status(is_approved, env),
        Endpoint::Preauth => visit.preauth(env),
        Endpoint::Auth => visit.auth(head, parameters, env),
        Endpoint::Cancel => visit.cancel(env),
        Endpoint::SignOut => visit.sign_out_page(head, env),
        Endpoint::Logout => visit.logout(head, env),
        Endpoint::Enroll => visit.enroll(env),
        Endpoint::Activation => visit.activation(env),
        Endpoint::EnrollStatus => visit.enroll_status(env),
        Endpoint::UserInfo => visit.user_info(approval.as_ref(), env),
    };
    counted(refusal, step)
}

/// The value of a cookie that came exactly once.
fn sent<'a>(head: &RequestHead<'a>, cookie: &str) -> Option<&'a [u8]> {
    head.cookies.find(cookie).once()
}

/// A step, with the count of an approval cookie that was not accepted, where one came.
fn counted(refusal: Option<Refusal>, mut step: Step) -> Step {
    step.signals.extend(refusal.map(|why| Unfit::from(why).counted()));
    step
}

impl Visit {
    /// At an address of the filter's own, under the terms of where the sign-in leads to: those say
    /// which Duo application it is for. Where they want more than any approval, a device that Duo
    /// remembers is not enough.
    ///
    /// # Errors
    ///
    /// The refusal, where a rule denies what the sign-in leads to.
    fn of(
        visitor: Visitor,
        head: &RequestHead<'_>,
        parameters: Parameters<'_>,
        address: Option<&[u8]>,
        env: &Env<'_>,
    ) -> Result<Self, Box<Step>> {
        let Visitor { endpoint, identity, bound, groups, .. } = visitor;
        let (terms, has_approval) = (Terms::default(), false);
        let sought = Sought { identity, bound, rule: None, terms, has_approval };
        let mut asker = Asker::new(head, sought, address, env.now);
        let asked_for = parameters.value("return_to");
        let asked_for = asked_for.map(|path| ReturnPath::parse(path.as_bytes()));
        let named = asked_for.or_else(|| way_back(head, &asker, env));
        let is_named = named.is_some();
        let return_to = named.unwrap_or_default();
        let method = parameters.value("method").unwrap_or(Cow::Borrowed("GET"));
        let mut wanted = head.clone();
        (wanted.method, wanted.target) = (method.as_bytes(), return_to.target().as_bytes());
        let person = Person { user: &asker.identity.user, groups: &groups };
        let mut denial = None;
        match env.gate.terms_of(&wanted, &person, asker.address) {
            Ok(terms) => asker.terms = terms,
            // Nobody has said what the approval is for: something is left, or they were refused.
            Err(_) if !is_named || endpoint.takes_back() => {}
            Err(why) => denial = Some(why),
        }
        let mut operation = None;
        if asker.terms.is_for_one_request {
            let body = parameters.value("body_sha256").and_then(|hex| BodyDigest::parse(&hex));
            let body = body.unwrap_or_else(BodyDigest::of_none);
            operation = Some(operation::stated(&wanted, parameters, &body));
            if endpoint == Endpoint::Auth {
                // The phone shows what is approved.
                asker.asked = Asked::of_operation(&wanted);
            }
        }
        let mut visit = Self::new(head, View::at_own_address(head, return_to), asker, env);
        visit.operation = operation;
        let Terms { max_age, factors, is_for_one_request, .. } = &visit.asker.terms;
        if max_age.is_some() || factors.is_some() || *is_for_one_request {
            visit.device_token = None;
        }
        match denial {
            Some(denial) => Err(Box::new(visit.denied(&denial, env))),
            None => Ok(visit),
        }
    }

    fn denied(mut self, denial: &Denial, env: &Env<'_>) -> Step {
        self.asker.rule = denial.rule;
        refuse(&self, denial.code, &denial.detail, "", env)
    }

    /// A page at the application's own address.
    pub(super) fn in_place(
        head: &RequestHead<'_>,
        sought: Sought,
        address: Option<&[u8]>,
        env: &Env<'_>,
    ) -> Self {
        let asker = Asker::new(head, sought, address, env.now);
        Self::new(head, View::in_place(head), asker, env)
    }

    /// With what the browser has for the Duo application that is asked.
    fn new(head: &RequestHead<'_>, view: View, mut asker: Asker, env: &Env<'_>) -> Self {
        let config = env.gate.config();
        let application = config.applications.under(&asker.terms);
        let subject = asker.subject();
        let sent = |name: &str| sent(head, name);
        let approval = sent(application.sessions.cookie_name())
            .map(|value| application.sessions.open(value, &subject, env.now));
        let pending = begun(head, &application.pendings, &asker, env);
        let (name, odd) = (application.sessions.cookie_name(), config.applications.odd_cookies());
        let keeps_cookies = head.cookies.has_own(name, odd);
        let preference = sent(application.preferences.cookie_name())
            .and_then(|value| application.preferences.open(value, &subject).ok());
        let device_token = application
            .remembered_devices
            .as_ref()
            .and_then(|devices| devices.open(sent(devices.cookie_name())?, &subject, env.now).ok());
        let mut followed = None;
        if let Some(pending) = &pending {
            asker.deadline = pending.created().plus(application.duo.push_timeout);
            if is_on_device(&pending.kind) {
                let device = pending.device.as_ref().map(|device| device.as_str());
                asker.claim = Some(prompt::claim(&asker, device, pending.browser(), config));
                followed = Some(asker.deadline);
            }
        }
        Self {
            asker,
            device_token,
            view,
            wanted: Wanted::Choices,
            approval: approval.transpose(),
            pending,
            followed,
            preference,
            keeps_cookies,
            operation: None,
            token: None,
            cookies: Vec::new(),
        }
    }

    /// Whether something is started if Duo lets the user.
    const fn starts(&self) -> bool {
        matches!(self.wanted, Wanted::Start(_))
    }

    /// The longest that a look at a transaction may take from `now` on.
    pub(super) fn patience(&self, now: UnixTime) -> Duration {
        let most = if self.view.is_page { LONGEST_PAGE } else { LONGEST_LOOK };
        self.asker.deadline.since(now).clamp(SHORTEST_LOOK, most)
    }

    fn with_cookies(&self, reply: Reply) -> Reply {
        self.cookies.iter().fold(reply, |reply, line| reply.with("set-cookie", line.clone()))
    }
}

impl Recipient for Visit {
    fn asker(&self) -> &Asker {
        &self.asker
    }

    fn refusal(&self, problem: &Problem, env: &Env<'_>) -> Reply {
        let problem = self.view.localised(problem);
        let (who, config) = (Who::from(&self.asker), env.gate.config());
        let is_followed = self.followed.is_some_and(|until| env.now < until);
        let status_url = is_followed.then(|| config.site.status_url());
        let onward = Onward {
            status_url: status_url.as_deref(),
            transaction: self.transaction(),
            ..Onward::default()
        };
        self.with_cookies(self.view.refusal(&problem, onward, who, config))
    }
}

impl From<Visit> for Party {
    fn from(visit: Visit) -> Self {
        Self::Visit(Box::new(visit))
    }
}
