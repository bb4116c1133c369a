//! A request that waits: for Duo, or for a permit of the table of limits.
//!
//! The only file that knows both kinds of waiting request. Everything below returns what it wants
//! next; here that becomes one [`Effect`].

use super::body::AwaitedBody;
use super::call::Call;
use super::decision::{Decision, End, Notes};
use super::endpoints::Visit;
use super::env::Env;
use super::event::Event;
use super::exchange::{self, Act, Exchange, ExchangeAwaitingPermit, Next, Turn, Waits};
use super::hold::Held;
use super::limit::{Limit, Limited, Permit, Settlement, Verdict};
use super::per_client::{Recall, Recalled};
use super::per_request::Approved;
use super::refuse::{for_crowd, for_limit};
use super::room::{Crowded, Seat};
use crate::clock::UnixTime;
use crate::signal::{Counter, Signal};

/// One step: an effect, and what to record besides.
#[derive(Debug)]
pub struct Step {
    /// The one thing to do.
    pub effect: Effect,
    /// Records to make.
    pub notes: Notes,
}

/// The one thing to do.
#[derive(Debug)]
pub enum Effect {
    /// Make the call if there is room for it, count it, and hand its outcome to the flow; else
    /// tell the flow so.
    Call {
        /// The call.
        call: Box<Call>,
        /// The flow that waits for the answer.
        then: Box<Flow>,
    },
    /// Change the table of limits, and hand over the verdict.
    Permit {
        /// The permit.
        permit: Permit,
        /// The request that waits for the verdict.
        then: Box<AwaitingPermit>,
    },
    /// Hold the request until a moment if there is room for it, then do as for [`Self::Permit`];
    /// else
    /// hand over that there is none. It keeps its room if it then waits again.
    Wait {
        /// The moment.
        due: UnixTime,
        /// The room that it takes.
        seat: Seat,
        /// The permit.
        permit: Box<Permit>,
        /// The request that waits for the verdict.
        then: Box<AwaitingPermit>,
    },
    /// Hold the request, take in its body, and hand it over.
    ReadBody {
        /// The most bytes of the body that are taken.
        max: usize,
        /// How long the body may take to arrive.
        until: UnixTime,
        /// The request that waits for the body.
        then: Box<AwaitedBody>,
    },
    /// Forward or answer the request.
    End(End),
}

/// A request that waits for Duo. It exists only while a call is outstanding.
#[derive(Debug)]
pub struct Flow(Waiting);

#[derive(Debug)]
enum Waiting {
    /// A request to the application: it is forwarded in the end, or refused.
    Held(Exchange<Held>),
    /// A request to the filter itself: it is answered, never forwarded.
    Visit(Exchange<Visit>),
}

/// A request that waits for a permit: without one no phone rings, no passcode is tried, and no
/// single-use approval is given or used.
#[derive(Debug)]
pub struct AwaitingPermit(Wanting);

#[derive(Debug)]
enum Wanting {
    Held(ExchangeAwaitingPermit<Held>),
    Visit(ExchangeAwaitingPermit<Visit>),
    PerClient {
        recall: Box<Recall>,
        /// The step if the client has no approval: the user is asked.
        otherwise: Box<Step>,
    },
    PerRequest {
        approved: Box<Approved>,
        /// The step if the approval was used already: the user is asked again. Ready, since the
        /// request's head is not read a second time.
        otherwise: Box<Step>,
    },
}

impl Step {
    /// Begins with a held request.
    pub(super) fn held(next: Next<Held>, env: &Env<'_>) -> Self {
        exchange::begin(next, env).into()
    }

    /// Begins with a request to an endpoint.
    pub(super) fn visit(next: Next<Visit>, env: &Env<'_>) -> Self {
        exchange::begin(next, env).into()
    }

    /// Looks for an approval per client.
    pub(super) fn per_client(recall: Recall, otherwise: Self) -> Self {
        let permit = recall.permit;
        let (recall, otherwise) = (Box::new(recall), Box::new(otherwise));
        let then = Box::new(AwaitingPermit(Wanting::PerClient { recall, otherwise }));
        Effect::Permit { permit, then }.into()
    }

    /// Uses the approval of a single request.
    pub(super) fn per_request(approved: Approved, otherwise: Self) -> Self {
        let permit = approved.permit;
        let (approved, otherwise) = (Box::new(approved), Box::new(otherwise));
        let then = Box::new(AwaitingPermit(Wanting::PerRequest { approved, otherwise }));
        Effect::Permit { permit, then }.into()
    }
}

impl From<Effect> for Step {
    fn from(effect: Effect) -> Self {
        Self { effect, notes: Notes::default() }
    }
}

impl From<Decision> for Step {
    fn from(Decision { end, notes }: Decision) -> Self {
        Self { effect: Effect::End(end), notes }
    }
}

impl From<Turn<Held>> for Step {
    fn from(turn: Turn<Held>) -> Self {
        step(turn, Waiting::Held, Wanting::Held)
    }
}

impl From<Turn<Visit>> for Step {
    fn from(turn: Turn<Visit>) -> Self {
        step(turn, Waiting::Visit, Wanting::Visit)
    }
}

fn step<W: Waits>(
    turn: Turn<W>,
    waiting: impl FnOnce(Exchange<W>) -> Waiting,
    wanting: impl FnOnce(ExchangeAwaitingPermit<W>) -> Wanting,
) -> Step {
    let Turn { act, notes } = turn;
    let effect = match act {
        Act::Call(call, exchange) => {
            let then = Box::new(Flow(waiting(exchange)));
            Effect::Call { call: Box::new(call), then }
        }
        Act::Permit(permit, awaits) => {
            Effect::Permit { permit, then: Box::new(AwaitingPermit(wanting(awaits))) }
        }
        Act::End(end) => Effect::End(end),
    };
    Step { effect, notes }
}

impl Flow {
    /// The number of the Duo application that is asked.
    #[must_use]
    pub fn application(&self) -> usize {
        match &self.0 {
            Waiting::Held(exchange) => exchange.waiting().application(),
            Waiting::Visit(exchange) => exchange.waiting().application(),
        }
    }

    /// Whether the answer is wanted even if the client leaves: it says whether a phone rings, and
    /// under which transaction.
    #[must_use]
    pub const fn outlives_its_client(&self) -> bool {
        match &self.0 {
            Waiting::Held(exchange) => exchange.asks() && exchange.waiting().outlives_its_client(),
            Waiting::Visit(exchange) => exchange.asks() && exchange.waiting().outlives_its_client(),
        }
    }

    /// Settlements to record once the client has left.
    #[must_use]
    pub fn left(&self) -> Vec<Settlement> {
        match &self.0 {
            Waiting::Held(exchange) => exchange.waiting().left(),
            Waiting::Visit(_) => Vec::new(),
        }
    }

    /// Takes what came of the outstanding call and says what to do.
    #[must_use]
    pub fn handle(self, event: Event<'_>, env: &Env<'_>) -> Step {
        match self.0 {
            Waiting::Held(exchange) => exchange.handle(event, env).into(),
            Waiting::Visit(exchange) => exchange.handle(event, env).into(),
        }
    }

    /// There was no room for the call, which was not sent. A poll of a transaction comes later, or
    /// tells what is known; anything else is refused.
    #[must_use]
    pub fn crowded(self, crowded: Crowded, env: &Env<'_>) -> Step {
        match self.0 {
            Waiting::Held(exchange) => exchange.crowded(crowded, env).into(),
            Waiting::Visit(exchange) => exchange.crowded(crowded, env).into(),
        }
    }
}

impl AwaitingPermit {
    /// There is no room to wait for the verdict.
    #[must_use]
    pub fn crowded(self, crowded: Crowded, env: &Env<'_>) -> Step {
        let mut step = match self.0 {
            Wanting::PerClient { recall, .. } => for_crowd(&recall.client, crowded, env).into(),
            // None of these ever waits.
            other @ (Wanting::Held(_) | Wanting::Visit(_) | Wanting::PerRequest { .. }) => {
                Self(other).handle(Err(Limited::CONTENDED), env)
            }
        };
        step.notes.signals.push(Signal::Count(Counter::Crowded(crowded.by.name())));
        step
    }

    /// Takes the verdict on the permit and says what to do.
    #[must_use]
    pub fn handle(self, verdict: Verdict, env: &Env<'_>) -> Step {
        match self.0 {
            Wanting::Held(awaits) => awaits.handle(verdict, env).into(),
            Wanting::Visit(awaits) => awaits.handle(verdict, env).into(),
            Wanting::PerClient { recall, otherwise } => match recall.after_verdict(verdict, env) {
                Recalled::Decided(decision) => (*decision).into(),
                Recalled::Wait { due, seat, recall } => {
                    let permit = Box::new(recall.permit);
                    let then = Box::new(Self(Wanting::PerClient { recall, otherwise }));
                    Effect::Wait { due, seat, permit, then }.into()
                }
                Recalled::Ask => *otherwise,
            },
            Wanting::PerRequest { approved, otherwise } => match verdict {
                Ok(_) => approved.passed.into(),
                Err(limited) if limited.limit == Limit::Share => {
                    for_limit(&approved.client, &limited, env).into()
                }
                Err(_) => *otherwise,
            },
        }
    }
}
