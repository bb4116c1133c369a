//! The client of an endpoint: what it sent, and what its reply will contain.

use crate::clock::UnixTime;
use crate::duo::{Credentials, Request};
use crate::gate::call::Question;
use crate::gate::challenge::Challenge;
use crate::gate::env::Env;
use crate::gate::limit::{End, Permit, Settlement};
use crate::gate::pending::{self, is_on_device};
use crate::gate::refuse::Refusable;
use crate::gate::sign_out::single_use;
use crate::gate::trail::PromptTrail;
use crate::gate::universal;
use crate::gate::view::{Requester, View};
use crate::http::{HeaderValue, Reply, RequestHead};
use crate::page::{Onward, Problem};
use crate::policy::Approver;
use crate::secret::Secret;
use crate::session::{Approval, Pending, Preference, Refusal, RequestDigest, Token};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

/// The longest time that a script waits for one response to `GET status`: shorter than any proxy's
/// limit.
const LONGEST_LOOK: Duration = Duration::from_secs(10);

/// The longest time that a page is delayed.
const LONGEST_PAGE: Duration = Duration::from_secs(2);

/// The shortest timeout of a poll.
const SHORTEST_LOOK: Duration = Duration::from_secs(2);

/// The client of an endpoint.
#[derive(Debug)]
pub(in crate::gate) struct Caller {
    pub(super) challenge: Challenge,
    pub(super) view: View,
    /// The approval in the request, or why it is not valid.
    pub(super) approval: Result<Option<Approval>, Refusal>,
    /// The pending sign-in from the request, or for the reply. `None` if the Auth API is not used
    /// for the terms.
    pub(super) pending: Option<Pending>,
    /// Until when the client's sign-in waits for an answer on the device.
    pub(super) pending_until: Option<UnixTime>,
    pub(super) preference: Option<Preference>,
    /// Duo's token of a remembered device.
    pub(super) device_token: Option<Secret<String>>,
    /// Whether the client is known to store cookies: it sent one of the filter's.
    keeps_cookies: bool,
    /// The single request to approve; `None` for an ordinary session approval.
    pub(super) single_request: Option<RequestDigest>,
    /// The pending sign-in, or the approval of a single request, as text in the reply.
    pub(super) token: Option<Token>,
    /// The `Set-Cookie` lines of the reply.
    pub(super) cookies: Vec<HeaderValue>,
}

/// A client whose user is asked by the Auth API, with the keys for the calls. So no such call can be
/// made for an application without them.
#[derive(Debug)]
pub(in crate::gate) struct AuthApiCaller {
    pub(super) caller: Box<Caller>,
    pub(super) credentials: Arc<Credentials>,
}

impl AuthApiCaller {
    /// The question to Duo.
    pub(super) fn question(&self, request: Request) -> Question {
        Question::AuthApi(Arc::clone(&self.credentials), request)
    }
}

impl Deref for AuthApiCaller {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl DerefMut for AuthApiCaller {
    fn deref_mut(&mut self) -> &mut Caller {
        &mut self.caller
    }
}

impl Caller {
    /// The client of a page at the application's own address.
    pub(in crate::gate) fn in_place(
        head: &RequestHead<'_>,
        challenge: Challenge,
        env: &Env<'_>,
    ) -> Self {
        Self::new(head, View::in_place(head), challenge, env)
    }

    /// Reads the browser's cookies for the Duo application that is asked.
    pub(super) fn new(
        head: &RequestHead<'_>,
        view: View,
        mut challenge: Challenge,
        env: &Env<'_>,
    ) -> Self {
        let config = env.gate.config();
        let application = config.applications.under(&challenge.terms);
        let subject = challenge.subject();
        let sent = |name: &str| head.cookies.find(name).once();
        let approval = sent(application.sessions.cookie_name())
            .map(|value| application.sessions.open(value, &subject, env.now));
        let own_way = universal::own_way(&challenge.terms, env.gate);
        let pending =
            own_way.and_then(|_| pending::open(head, &application.pendings, &challenge, env));
        let (name, odd) =
            (application.sessions.cookie_name(), config.applications.unprefixed_cookies());
        let keeps_cookies = head.cookies.has_own(name, odd);
        let preference = sent(application.preferences.cookie_name())
            .and_then(|value| application.preferences.open(value, &subject).ok());
        let device_token = application
            .remembered_devices
            .as_ref()
            .and_then(|devices| devices.open(sent(devices.cookie_name())?, &subject, env.now).ok());
        if let Some(pending) = &pending {
            let trail = &mut challenge.trail;
            trail.reference = pending.reference.unwrap_or(trail.reference);
            trail.prompt = PromptTrail::of(pending);
        }
        let on_device = pending.as_ref().filter(|pending| is_on_device(&pending.kind));
        let pending_until =
            on_device.map(|pending| pending.created().plus(application.duo.push_timeout));
        Self {
            challenge,
            view,
            approval: approval.transpose(),
            pending,
            pending_until,
            preference,
            device_token,
            keeps_cookies,
            single_request: None,
            token: None,
            cookies: Vec::new(),
        }
    }

    /// Deadline for the user's answer to the pending sign-in. In the past if there is none.
    pub(super) fn deadline(&self, env: &Env<'_>) -> UnixTime {
        let push_timeout = env.gate.application(&self.challenge.terms).duo.push_timeout;
        let pending = self.pending.as_ref();
        pending.map_or_else(UnixTime::default, |pending| pending.created().plus(push_timeout))
    }

    pub(super) fn is_over(&self, env: &Env<'_>) -> bool {
        env.now >= self.deadline(env)
    }

    /// The timeout of a poll of the transaction that begins at `from`.
    pub(super) fn patience(&self, from: UnixTime, env: &Env<'_>) -> Duration {
        let most = if self.view.is_page { LONGEST_PAGE } else { LONGEST_LOOK };
        self.deadline(env).since(from).clamp(SHORTEST_LOOK, most)
    }

    pub(super) fn with_cookies(&self, reply: Reply) -> Reply {
        self.cookies.iter().fold(reply, |reply, line| reply.with("set-cookie", line.clone()))
    }

    /// Has another person asked. From here on, an approval is one by this person.
    pub(super) fn ask_approver(&mut self, approver: Approver) {
        let Approver { user, username } = &approver;
        self.single_request = self.single_request.map(|it| it.approved_by(user, username));
        self.challenge.ask(approver);
    }

    /// Puts a pending sign-in into the reply, for the client's next request.
    pub(super) fn hand_out(&mut self, mut pending: Pending, env: &Env<'_>) {
        pending.reference = Some(self.challenge.trail.reference);
        let pendings = &env.gate.application(&self.challenge.terms).pendings;
        let token = pendings.seal(&pending, &self.challenge.subject());
        self.cookies.push(pendings.set_cookie(&token, &pending));
        self.token = Some(token);
        self.pending = Some(pending);
    }

    /// Deletes the pending sign-in in the browser.
    pub(super) fn forget(&mut self, env: &Env<'_>) {
        self.pending_until = None;
        self.cookies.push(env.gate.application(&self.challenge.terms).pendings.deletion());
    }

    /// The permit for the single use of the pending sign-in; `None` unless it waits on a device. So
    /// each place in the table costs a prompt.
    pub(super) fn single_use(&self, env: &Env<'_>) -> Option<Permit> {
        let pending = self.pending.as_ref().filter(|pending| is_on_device(&pending.kind))?;
        Some(single_use(pending.browser(), pending.created(), env.now))
    }

    /// Ends the pending sign-in, whatever Duo may decide later.
    pub(super) fn mark_finished(&self, env: &Env<'_>) -> Option<Settlement> {
        self.single_use(env).map(|permit| Settlement { permit, end: End::Lost })
    }

    /// The pending sign-in as text, for a client that may not store cookies: it is not a browser,
    /// or it sent none of the filter's cookies. Node's `fetch` and many of its wrappers store none.
    pub(super) fn transaction(&self) -> Option<&str> {
        let has_cookie = self.keeps_cookies && self.view.is_browser();
        self.token.as_ref().filter(|_| !has_cookie).map(Token::as_str)
    }

    /// Passcodes tried so far.
    pub(super) fn tries(&self) -> u8 {
        self.pending.as_ref().map_or(0, |pending| pending.passcode_tries)
    }
}

impl Refusable for Caller {
    fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    fn refusal(&self, problem: &Problem, env: &Env<'_>) -> Reply {
        let problem = self.view.localised(problem);
        let (requester, config) = (Requester::from(&self.challenge), env.gate.config());
        let is_pending = self.pending_until.is_some_and(|until| env.now < until);
        let status_url = is_pending.then(|| config.site.status_url());
        let onward = Onward {
            status_url: status_url.as_deref(),
            transaction: self.transaction(),
            ..Onward::default()
        };
        self.with_cookies(self.view.refusal(&problem, onward, requester, config))
    }
}

impl Refusable for AuthApiCaller {
    fn challenge(&self) -> &Challenge {
        Refusable::challenge(&*self.caller)
    }

    fn refusal(&self, problem: &Problem, env: &Env<'_>) -> Reply {
        Refusable::refusal(&*self.caller, problem, env)
    }
}
