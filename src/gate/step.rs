//! What goes into a flow and what comes out of it, one step at a time.

use super::audit::Audited;
use super::flow::POLL_PACE;
use super::limit::{Claim, Settlement};
use super::{Claimant, Flow, Form, Gate, Health, Judgement, Seat};
use crate::clock::{ClockOffset, UnixTime};
use crate::duo::{Answer, DuoError, Outage, Request, SignedCall};
use crate::http::{Edit, HeaderValue, Reply};
use crate::signal::{Counter, Signal};
use std::time::Duration;

/// Everything impure, as values.
#[derive(Clone, Debug)]
pub struct Env<'a> {
    /// The configuration at work.
    pub gate: &'a Gate,
    /// The time.
    pub now: UnixTime,
    /// What is known of each Duo application, by its number. Of one that is missing nothing is.
    pub healths: Vec<Health>,
    /// Fresh random bytes; absent where the host has none.
    pub random: Option<[u8; 16]>,
}

impl Env<'_> {
    pub(super) fn offset(&self, application: usize) -> ClockOffset {
        self.healths.get(application).map(|health| health.offset).unwrap_or_default()
    }

    /// Since when this Duo application has been unreachable, if the background check says so.
    pub(super) fn unreached_since(&self, application: usize) -> Option<UnixTime> {
        self.healths.get(application).and_then(Health::unreached_since)
    }
}

/// What a flow was waiting for.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "an answer may hold a device token")]
pub enum Event<'a> {
    /// Duo, or Envoy in its place, answered.
    Answered(Answer<'a>),
    /// There is no answer.
    Failed(Unanswered),
}

impl<'a> Event<'a> {
    /// What the answer says to this question, or what stands in its place.
    pub(super) fn read<T>(
        self,
        question: impl FnOnce(&Answer<'a>) -> Result<T, DuoError>,
    ) -> Result<T, DuoError> {
        match self {
            Self::Answered(answer) => question(&answer),
            Self::Failed(why) => Err(why.into()),
        }
    }
}

/// Why there is no answer to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The answer was cut off, or too large for Envoy to hand over.
    Cut,
    /// The call was not sent: Envoy does not know the cluster, or that has no usable host.
    NotSent,
    /// The call was not sent: the circuit breaker of the cluster is full.
    Overflow,
}

impl From<Unanswered> for DuoError {
    fn from(why: Unanswered) -> Self {
        match why {
            Unanswered::Cut => Self::Unreachable(Outage::NoAnswer),
            Unanswered::NotSent => Self::Unreachable(Outage::NotSent),
            Unanswered::Overflow => Self::Overflow,
        }
    }
}

/// A call to make.
#[derive(Clone, Debug)]
pub struct Call {
    /// The number of the Duo application that it is for, whose cluster it goes to.
    pub application: usize,
    /// What to send.
    pub signed: SignedCall,
    /// How long to wait for the answer.
    pub timeout: Duration,
    /// When to send it; at once where that has passed.
    pub due: UnixTime,
    /// The room that it takes; none for a call of the filter's own, which is always sent.
    pub seat: Option<Seat>,
}

impl Call {
    /// Whether to send it: its time has come, or is further off than any call ever waits, since the
    /// host's clock was set back.
    #[must_use]
    pub fn is_due(&self, now: UnixTime) -> bool {
        is_due(self.due, now)
    }

    /// What is counted of a call that is sent for a request.
    #[must_use]
    pub const fn counter(&self) -> Counter {
        Counter::DuoCalls(self.signed.endpoint.name())
    }

    /// A call of the filter's own to a Duo application, to be sent at once; `now` is Duo's time.
    pub(super) fn at_once(gate: &Gate, application: usize, ask: &Request, now: UnixTime) -> Self {
        let duo = &gate.config().applications.get(application).duo;
        let signed = ask.sign(&duo.credentials, now);
        Self { application, signed, timeout: duo.timeout, due: UnixTime::default(), seat: None }
    }
}

/// Whether a moment has come, or is further off than anything ever waits, since the host's clock
/// was set back.
#[must_use]
pub fn is_due(due: UnixTime, now: UnixTime) -> bool {
    due <= now || due.since(now) > POLL_PACE
}

/// A request that goes upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// What is changed on it.
    pub request: Vec<Edit>,
    /// The approval cookie that its response carries.
    pub cookie: Option<NewCookie>,
}

/// An approval cookie for the client: the value of a `Set-Cookie` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewCookie {
    /// For an approval just given: the response must not be stored by anybody.
    Approval(HeaderValue),
    /// The deletion of an approval that was used up: the response must not be stored by anybody.
    UsedUp(HeaderValue),
    /// The deletion of several cookies by a sign-out: the response must not be stored by anybody.
    SignedOut(Vec<HeaderValue>),
    /// A later sight of an approval: left out where the response is for everybody.
    Renewal(HeaderValue),
    /// A later sight of an approval that would end soon: a response for everybody is made one for
    /// this user alone.
    OverdueRenewal(HeaderValue),
}

/// The one thing to do.
#[derive(Debug)]
pub enum Effect {
    /// Make the call if there is room for it, count it, and hand its outcome to the flow; else
    /// tell the flow so.
    Call {
        /// The call.
        call: Box<Call>,
        /// Who waits for its answer.
        then: Box<Flow>,
    },
    /// Have the table of limits changed, and hand the verdict to the claimant.
    Claim {
        /// What is claimed.
        claim: Claim,
        /// Who waits for the verdict.
        then: Box<Claimant>,
    },
    /// Hold the request until a moment if there is room for it, then do as for [`Self::Claim`]; else
    /// tell the claimant so. It keeps its room if it then waits again.
    Wait {
        /// The moment.
        due: UnixTime,
        /// The room that it takes.
        seat: Seat,
        /// The claim.
        claim: Box<Claim>,
        /// Who waits for the verdict.
        then: Box<Claimant>,
    },
    /// Hold the request, take in its body, and hand it to the form.
    ReadBody {
        /// The most bytes that the form takes.
        max: usize,
        /// How long the body may take to arrive.
        until: UnixTime,
        /// Who waits for the body.
        then: Box<Form>,
    },
    /// Let the request go on.
    Forward(Forward),
    /// Answer the request.
    Reply(Reply),
    /// Answer the request with the picture of the account, as [`super::Logo::reply`] has it.
    Logo {
        /// What to answer where there is none.
        absent: Reply,
    },
}

/// One step of a flow.
#[derive(Debug)]
pub struct Step {
    /// The one thing to do.
    pub effect: Effect,
    /// What is counted of a request that goes on: apart, so that a pass makes no list.
    pub count: Option<Counter>,
    /// What else is worth counting or writing down.
    pub signals: Vec<Signal>,
    /// What a call told of Duo, if this step follows one.
    pub learned: Option<Learned>,
    /// What the table of limits is to learn, before the effect.
    pub settlements: Vec<Settlement>,
    /// What became of the request, where this step decides that.
    pub judgement: Option<Judgement>,
}

/// What a request's call told of a Duo application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learned {
    /// The number of the application.
    pub application: usize,
    /// Whether Duo answered.
    pub contact: Contact,
    /// How far its clock is ahead of ours, if the call asked for that.
    pub offset: Option<ClockOffset>,
}

/// Whether Duo answered a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// It did, whatever it said.
    Heard,
    /// It was not reached, or failed: the background check has to find out whether that is an
    /// outage.
    Unreached,
    /// That cannot be told: this Envoy had no room for the call, or something else answered.
    Unclear,
}

impl Contact {
    pub(super) const fn of(fault: &DuoError) -> Self {
        match fault {
            DuoError::Unreachable(_) => Self::Unreached,
            DuoError::Overflow | DuoError::Garbled(_) | DuoError::NotDuo { .. } => Self::Unclear,
            DuoError::Malformed(_)
            | DuoError::BadCredentials { .. }
            | DuoError::ClockSkew
            | DuoError::InvalidParameter { .. }
            | DuoError::RateLimited { .. }
            | DuoError::Rejected { .. } => Self::Heard,
        }
    }
}

impl Step {
    pub(super) fn forward(forward: Forward, counter: Counter) -> Self {
        Self { count: Some(counter), ..Self::new(Effect::Forward(forward), Vec::new()) }
    }

    /// A step that decides, with its audit line.
    pub(super) fn audited(mut self, audited: Audited) -> Self {
        self.signals.push(audited.line);
        self.judged(audited.judgement)
    }

    /// A step that decides.
    pub(super) fn judged(self, judgement: Judgement) -> Self {
        Self { judgement: Some(judgement), ..self }
    }

    pub(super) const fn reply(reply: Reply, signals: Vec<Signal>) -> Self {
        Self::new(Effect::Reply(reply), signals)
    }

    pub(super) fn call(call: Call, then: Flow) -> Self {
        Self::new(Effect::Call { call: Box::new(call), then: Box::new(then) }, Vec::new())
    }

    pub(super) fn claim(claim: Claim, then: impl Into<Claimant>) -> Self {
        Self::new(Effect::Claim { claim, then: Box::new(then.into()) }, Vec::new())
    }

    pub(super) fn wait(due: UnixTime, seat: Seat, claim: Claim, then: impl Into<Claimant>) -> Self {
        let (claim, then) = (Box::new(claim), Box::new(then.into()));
        Self::new(Effect::Wait { due, seat, claim, then }, Vec::new())
    }

    /// An effect, with what is worth counting or writing down.
    #[must_use]
    pub const fn new(effect: Effect, signals: Vec<Signal>) -> Self {
        let settlements = Vec::new();
        Self { effect, count: None, signals, learned: None, settlements, judgement: None }
    }
}
