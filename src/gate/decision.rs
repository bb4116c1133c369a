//! How a request ends: it is forwarded, or it gets a reply.
//!
//! A decision holds no call to Duo, so its type says that nothing is outstanding.

use super::failure::Stage;
use super::judgement::{Judgement, Outcome};
use super::key_pair::KeyPair;
use super::limit::Settlement;
use super::room::Seat;
use crate::clock::ClockOffset;
use crate::duo::{AskedWait, DuoError, Fault, Outage};
use crate::http::{Edit, HeaderValue, Reply};
use crate::session::ApprovedBy;
use crate::signal::{Code, Counter, Signal, TimeToApproval};

/// How a request ends.
#[derive(Debug)]
pub struct Decision {
    /// The end itself.
    pub end: End,
    /// Records to make.
    pub notes: Notes,
}

/// The end of a request.
#[derive(Debug)]
pub enum End {
    /// It is forwarded.
    Forward(Forward),
    /// It gets a reply.
    Reply(Reply),
    /// It gets the account's logo as a reply, as [`super::Logo::reply`] makes it.
    Logo {
        /// The reply if there is no logo.
        absent: Reply,
    },
    /// It gets the readiness as a reply, as [`super::Gate::readiness`] makes it.
    Readiness,
}

/// Records to make: counters, log lines, changes of limits, news of Duo.
#[derive(Debug, Default)]
pub struct Notes {
    /// The counter of an admitted or forwarded request. Separate from `signals`, so that a pass
    /// allocates no list.
    pub count: Option<Counter>,
    /// More counters and log lines.
    pub signals: Vec<Signal>,
    /// The audit line of a decision.
    pub audit: Option<Box<AuditLine>>,
    /// News of Duo from the last call, if there was one.
    pub learned: Option<Learned>,
    /// Changes of the table of limits, made before the effect.
    pub settlements: Vec<Settlement>,
    /// The outcome of the request, if it is decided.
    pub judgement: Option<Judgement>,
}

/// A request that is forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// The edits of its headers.
    pub request: Vec<Edit>,
    /// The approval cookie for its response.
    pub cookie: Option<NewCookie>,
}

/// An approval cookie for the client: the value of a `Set-Cookie` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewCookie {
    /// A new approval. No cache may store the response.
    Approval(HeaderValue),
    /// Deletes an approval that was used. No cache may store the response.
    UsedUp(HeaderValue),
    /// Deletes several cookies at a sign-out. No cache may store the response.
    SignedOut(Vec<HeaderValue>),
    /// Renews an approval. It is left out if the response may be shared.
    Renewal(HeaderValue),
    /// Renews an approval that would end soon. A response that may be shared is made private.
    OverdueRenewal(HeaderValue),
}

/// News of Duo from a call of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learned {
    /// The keys that signed the call.
    pub keys: KeyPair,
    /// Whether Duo responded.
    pub contact: Contact,
    /// How the call counts for the outage breaker of these keys.
    pub ended: CallEnd,
    /// The offset of Duo's clock, if the call returned it.
    pub offset: Option<ClockOffset>,
    /// The wait that Duo asked for, and the room of the user's next call.
    pub wait: Option<(AskedWait, Seat)>,
}

impl Learned {
    /// Whether it says anything about Duo. The outcome of a call that was not sent does not.
    #[must_use]
    pub fn is_news(&self) -> bool {
        let is_unclear = self.contact == Contact::Unclear && self.ended == CallEnd::Unclear;
        !is_unclear || self.offset.is_some() || self.wait.is_some()
    }

    /// Duo has answered.
    pub(super) const fn answered(keys: KeyPair, offset: Option<ClockOffset>) -> Self {
        let (contact, ended) = (Contact::Heard, CallEnd::Answered);
        Self { keys, contact, ended, offset, wait: None }
    }
}

/// How a call counts for the outage breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// Duo has answered: with a result, or with a refusal.
    Answered,
    /// Duo was not reached, or failed, or its answer is not one.
    Failed,
    /// It says nothing of Duo: this Envoy had no room, the answer is a proxy's, or a poll saw nothing
    /// new in its time.
    Unclear,
}

impl CallEnd {
    /// How a failed call counts. `is_poll` is `true` for one that waits for news.
    pub(super) fn of(fault: &DuoError, is_poll: bool) -> Self {
        match fault {
            DuoError::Overflow
            | DuoError::NotDuo { .. }
            | DuoError::Unreachable(Outage::Unasked { .. }) => Self::Unclear,
            DuoError::Unreachable(outage) if is_poll && outage.is_timeout() => Self::Unclear,
            DuoError::Unreachable(_)
            | DuoError::Garbled(_)
            | DuoError::Malformed(_)
            | DuoError::BadCredentials { .. }
            | DuoError::ClockSkew
            | DuoError::InvalidParameter { .. }
            | DuoError::RateLimited { .. }
            | DuoError::Rejected { .. } => match fault.fault() {
                Fault::Duo => Self::Failed,
                Fault::Operator | Fault::Filter | Fault::User => Self::Answered,
            },
        }
    }
}

/// Whether Duo responded to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// Duo responded, with any result.
    Heard,
    /// Duo was not reached, or failed. The background check has to find out whether this is an
    /// outage.
    Unreached,
    /// Unknown: this Envoy had no room for the call, or the response was not Duo's.
    Unclear,
}

/// An audit line. It is logged after the effect, or when the effect turns out to come too late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    /// The line.
    pub done: Signal,
    /// The line to log instead if the client has left; `None` to log `done` in that case too.
    pub undone: Option<Signal>,
    /// The time that the user took to approve, if the line reports that. It counts only if the
    /// effect did not come too late.
    pub time: Option<TimeToApproval>,
}

/// An audit line, and a summary of it.
#[derive(Debug)]
pub(super) struct Audited {
    pub(super) line: AuditLine,
    pub(super) judgement: Judgement,
}

impl Contact {
    pub(super) const fn of(fault: &DuoError) -> Self {
        match fault {
            DuoError::Unreachable(Outage::Unasked { .. })
            | DuoError::Overflow
            | DuoError::Garbled(_)
            | DuoError::NotDuo { .. } => Self::Unclear,
            DuoError::Unreachable(_) => Self::Unreached,
            DuoError::Malformed(_)
            | DuoError::BadCredentials { .. }
            | DuoError::ClockSkew
            | DuoError::InvalidParameter { .. }
            | DuoError::RateLimited { .. }
            | DuoError::Rejected { .. } => Self::Heard,
        }
    }
}

impl Notes {
    /// Only counters and log lines.
    pub(super) const fn of(signals: Vec<Signal>) -> Self {
        let settlements = Vec::new();
        Self { count: None, signals, audit: None, learned: None, settlements, judgement: None }
    }

    /// Adds the counter of a failed call, and the news of Duo from it.
    #[inline(never)]
    pub(super) fn add_failure(
        &mut self,
        stage: Stage,
        fault: &DuoError,
        (keys, wait): (KeyPair, Option<(AskedWait, Seat)>),
    ) {
        let endpoint = stage.endpoint().name();
        let counter = if *fault == DuoError::Overflow {
            Some(Counter::Overflows(endpoint))
        } else {
            fault.unasked_for().is_none().then_some(Counter::DuoFailures(endpoint))
        };
        self.signals.extend(counter.map(Signal::Count));
        let ended = CallEnd::of(fault, stage == Stage::Status);
        let contact = Contact::of(fault);
        self.learned = Some(Learned { keys, contact, ended, offset: None, wait });
    }
}

// Not inlined: a value is large, and each place would have the code that copies it. The pass of a valid
// cookie builds its decision at once.
impl Decision {
    #[inline(never)]
    pub(super) fn forward(forward: Forward, counter: Counter) -> Self {
        let notes = Notes { count: Some(counter), ..Notes::of(Vec::new()) };
        Self { end: End::Forward(forward), notes }
    }

    /// A reply that decides nothing.
    #[inline(never)]
    pub(super) const fn reply(reply: Reply) -> Self {
        Self { end: End::Reply(reply), notes: Notes::of(Vec::new()) }
    }

    /// The reply to `readyz`.
    pub(super) const fn of_readiness() -> Self {
        Self { end: End::Readiness, notes: Notes::of(Vec::new()) }
    }

    /// A refusal with its counter. It has an audit line if enough is known about the request.
    #[inline(never)]
    pub(super) fn refusal(reply: Reply, code: Code, audited: Option<Audited>) -> Self {
        let refused = Self::reply(reply).with([Signal::Count(Counter::Refused(code))]);
        match audited {
            Some(audited) => refused.audited(audited),
            None => {
                refused.judged(Judgement { outcome: Outcome::Refused, factor: None, rule: None })
            }
        }
    }

    /// A reply that gives an approval.
    #[inline(never)]
    pub(super) fn approval(reply: Reply, factor: ApprovedBy, audited: Audited) -> Self {
        let mut approval = Self::reply(reply).audited(audited);
        approval.notes.count = Some(Counter::Admitted(factor.name()));
        approval
    }

    /// Hides the address of the reply from all other pages.
    pub(super) fn without_referrer(self) -> Self {
        let end = match self.end {
            End::Reply(reply) => End::Reply(reply.without_referrer()),
            other @ (End::Forward(_) | End::Logo { .. } | End::Readiness) => other,
        };
        Self { end, ..self }
    }

    /// Adds a counter or log lines.
    #[inline(never)]
    pub(super) fn with(mut self, signals: impl IntoIterator<Item = Signal>) -> Self {
        self.notes.signals.extend(signals);
        self
    }

    /// Adds changes of the table of limits.
    #[inline(never)]
    pub(super) fn after(mut self, settlements: impl IntoIterator<Item = Settlement>) -> Self {
        self.notes.settlements.extend(settlements);
        self
    }

    #[inline(never)]
    pub(super) fn audited(mut self, audited: Audited) -> Self {
        self.notes.audit = Some(Box::new(audited.line));
        self.judged(audited.judgement)
    }

    #[inline(never)]
    pub(super) fn judged(mut self, judgement: Judgement) -> Self {
        self.notes.judgement = Some(judgement);
        self
    }
}
