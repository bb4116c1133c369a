//! A request that waits for Duo, or for a permit from the table of limits.
//!
//! The only file that knows both kinds of waiting requests. They return what they need next; here
//! that becomes one [`Effect`].

use super::audit;
use super::body::AwaitedBody;
use super::call::Call;
use super::decision::{Decision, End, Notes};
use super::endpoints::Visit;
use super::env::Env;
use super::event::{Event, Unanswered};
use super::exchange::{self, Act, Exchange, ExchangeAwaitingPermit, Next, Turn, Waits};
use super::fleet::FleetQuestion;
use super::hold::Held;
use super::limit::{Limit, Limited, Permit, Settlement, Verdict};
use super::per_client::{Recall, Recalled};
use super::per_request::Approved;
use super::refuse::{for_crowd, for_limit};
use super::room::{Crowded, Seat};
use crate::clock::UnixTime;
use crate::signal::{Counter, Signal};
use std::iter;

/// One step: an effect, and records to make.
#[derive(Debug)]
pub struct Step {
    /// The effect.
    pub effect: Effect,
    /// Records to make.
    pub notes: Notes,
}

/// The effect of a step.
#[derive(Debug)]
pub enum Effect {
    /// Make the call and count it if there is room for it, and pass its outcome to the flow.
    /// Otherwise tell the flow that there is no room.
    Call {
        /// The call.
        call: Box<Call>,
        /// The flow that waits for the response.
        then: Box<Flow>,
    },
    /// Ask the rate limit service, and pass the outcome to the flow.
    AskFleet {
        /// The question.
        question: Box<FleetQuestion>,
        /// The flow that waits for the response.
        then: Box<Flow>,
    },
    /// Change the table of limits, and pass the verdict on.
    Permit {
        /// The permit.
        permit: Permit,
        /// The request that waits for the verdict.
        then: Box<AwaitingPermit>,
    },
    /// If there is room, hold the request until a moment, then do the same as for [`Self::Permit`].
    /// Otherwise report that there is no room. The request keeps its room if it then waits again.
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
    /// Hold the request, read its body, and pass it on.
    ReadBody {
        /// The limit of the body, in bytes.
        max: usize,
        /// The deadline for the body.
        until: UnixTime,
        /// The request that waits for the body.
        then: Box<AwaitedBody>,
    },
    /// Forward the request, or reply to it.
    End(End),
}

/// A request that waits for Duo or for the rate limit service. It exists only while a call is outstanding.
#[derive(Debug)]
pub struct Flow(Waiting);

#[derive(Debug)]
enum Waiting {
    /// A request to the application: in the end it is forwarded or refused.
    Held(Exchange<Held>),
    /// A request to the filter itself: it gets a reply and is never forwarded.
    Visit(Exchange<Visit>),
    /// A held request whose permit needs the rate limit service, too.
    HeldPermit(ExchangeAwaitingPermit<Held>),
    /// The same for a request to the filter itself.
    VisitPermit(ExchangeAwaitingPermit<Visit>),
}

/// A request that waits for a permit. Without one no phone rings, no passcode is checked, and no
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
        /// The step if the approval was used already: the user is asked again. It is prepared in
        /// advance, since the request's head is not read a second time.
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

    /// Looks for an approval per client. Others wait for this request only if it will ring a phone.
    pub(super) fn per_client(recall: Recall, mut otherwise: Self) -> Self {
        let rings = otherwise.begun().is_some_and(|held| held.may_be_awaited());
        let recall = if rings { recall } else { recall.alone() };
        let permit = recall.permit();
        let (recall, otherwise) = (Box::new(recall), Box::new(otherwise));
        let then = Box::new(AwaitingPermit(Wanting::PerClient { recall, otherwise }));
        Effect::Permit { permit, then }.into()
    }

    /// The request that begins to ask Duo and is then forwarded, if this step is that.
    fn begun(&mut self) -> Option<&mut Held> {
        let Effect::Call { then, .. } = &mut self.effect else { return None };
        match &mut then.0 {
            Waiting::Held(exchange) => Some(exchange.waiting_mut()),
            Waiting::Visit(_) | Waiting::HeldPermit(_) | Waiting::VisitPermit(_) => None,
        }
    }

    /// The next step of a held request. If it is its end, it also ends the wait of the client's other
    /// requests.
    #[inline(never)]
    fn of_held(release: Option<Settlement>, turn: Turn<Held>) -> Self {
        let mut step = Self::from(turn);
        if matches!(step.effect, Effect::End(_)) {
            step.notes.settlements.extend(release);
        }
        step
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
    #[inline(never)]
    fn from(effect: Effect) -> Self {
        Self { effect, notes: Notes::default() }
    }
}

impl From<Decision> for Step {
    #[inline(never)]
    fn from(Decision { end, notes }: Decision) -> Self {
        Self { effect: Effect::End(end), notes }
    }
}

impl From<Turn<Held>> for Step {
    fn from(turn: Turn<Held>) -> Self {
        step(turn, (Waiting::Held, Waiting::HeldPermit), Wanting::Held)
    }
}

impl From<Turn<Visit>> for Step {
    fn from(turn: Turn<Visit>) -> Self {
        step(turn, (Waiting::Visit, Waiting::VisitPermit), Wanting::Visit)
    }
}

fn step<W: Waits>(
    turn: Turn<W>,
    (waiting, asking): (
        impl FnOnce(Exchange<W>) -> Waiting,
        impl FnOnce(ExchangeAwaitingPermit<W>) -> Waiting,
    ),
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
        Act::AskFleet(question, awaits) => {
            let then = Box::new(Flow(asking(awaits)));
            Effect::AskFleet { question: Box::new(question), then }
        }
        Act::End(end) => Effect::End(end),
    };
    Step { effect, notes }
}

impl Flow {
    /// The number of the Duo application that the call goes to; `None` if it goes to the rate limit
    /// service.
    #[must_use]
    pub fn application(&self) -> Option<usize> {
        match &self.0 {
            Waiting::Held(exchange) => Some(exchange.waiting().application()),
            Waiting::Visit(exchange) => Some(exchange.waiting().application()),
            Waiting::HeldPermit(_) | Waiting::VisitPermit(_) => None,
        }
    }

    /// Whether the response is needed even if the client leaves: it shows whether a phone rings,
    /// and under which transaction.
    #[must_use]
    pub const fn outlives_its_client(&self) -> bool {
        match &self.0 {
            Waiting::Held(exchange) => exchange.asks() && exchange.waiting().outlives_its_client(),
            Waiting::Visit(exchange) => exchange.asks() && exchange.waiting().outlives_its_client(),
            Waiting::HeldPermit(_) | Waiting::VisitPermit(_) => false,
        }
    }

    /// The changes of the table of limits to make after the client has left.
    #[must_use]
    pub fn left(&self) -> Vec<Settlement> {
        match &self.0 {
            Waiting::Held(exchange) => exchange.waiting().left(),
            Waiting::Visit(_) => Vec::new(),
            Waiting::HeldPermit(awaits) => {
                iter::once(awaits.unsent()).chain(awaits.wants().release()).collect()
            }
            Waiting::VisitPermit(awaits) => vec![awaits.unsent()],
        }
    }

    /// The audit line for a client that has left. `None` for a page's request about a sign-in that
    /// another request continues.
    #[must_use]
    pub fn abandoned(&self, env: &Env<'_>) -> Option<Signal> {
        match &self.0 {
            Waiting::Held(exchange) => Some(audit::abandoned(exchange.waiting().challenge(), env)),
            Waiting::HeldPermit(awaits) => Some(audit::abandoned(awaits.challenge(), env)),
            Waiting::VisitPermit(_) => None,
            Waiting::Visit(exchange) => self
                .outlives_its_client()
                .then(|| audit::abandoned(exchange.waiting().challenge(), env)),
        }
    }

    /// Handles the outcome of the outstanding call.
    #[must_use]
    pub fn handle(self, event: Event<'_>, env: &Env<'_>) -> Step {
        match self.0 {
            Waiting::Held(exchange) => {
                Step::of_held(exchange.waiting().release(), exchange.handle(event, env))
            }
            Waiting::Visit(exchange) => exchange.handle(event, env).into(),
            Waiting::HeldPermit(awaits) => {
                Step::of_held(awaits.wants().release(), awaits.hear_fleet(event, env))
            }
            Waiting::VisitPermit(awaits) => awaits.hear_fleet(event, env).into(),
        }
    }

    /// Continues without the call, which was not sent for lack of room. A poll is made later, or
    /// replaced by the last known state; any other call leads to a refusal.
    #[must_use]
    pub fn crowded(self, crowded: Crowded, env: &Env<'_>) -> Step {
        match self.0 {
            Waiting::Held(exchange) => {
                Step::of_held(exchange.waiting().release(), exchange.crowded(crowded, env))
            }
            Waiting::Visit(exchange) => exchange.crowded(crowded, env).into(),
            // There is always room for a further call of a request.
            other @ (Waiting::HeldPermit(_) | Waiting::VisitPermit(_)) => {
                Self(other).handle(Event::Failed(Unanswered::Overflow), env)
            }
        }
    }
}

impl AwaitingPermit {
    /// Continues without the wait, for which there was no room.
    #[must_use]
    pub fn crowded(self, crowded: Crowded, env: &Env<'_>) -> Step {
        let mut step = match self.0 {
            Wanting::PerClient { recall, .. } => for_crowd(&recall.client, crowded, env).into(),
            // These never wait.
            other @ (Wanting::Held(_) | Wanting::Visit(_) | Wanting::PerRequest { .. }) => {
                Self(other).handle(Err(Limited::CONTENDED), env)
            }
        };
        step.notes.signals.push(Signal::Count(Counter::Crowded(crowded.by.name())));
        step
    }

    /// Continues with the verdict on the permit.
    #[must_use]
    pub fn handle(self, verdict: Verdict, env: &Env<'_>) -> Step {
        match self.0 {
            Wanting::Held(awaits) => {
                Step::of_held(awaits.wants().release(), awaits.handle(verdict, env))
            }
            Wanting::Visit(awaits) => awaits.handle(verdict, env).into(),
            Wanting::PerClient { recall, mut otherwise } => {
                match recall.after_verdict(verdict, env) {
                    Recalled::Decided(decision) => (*decision).into(),
                    Recalled::Wait { due, seat, recall } => {
                        let permit = Box::new(recall.permit());
                        let then = Box::new(Self(Wanting::PerClient { recall, otherwise }));
                        Effect::Wait { due, seat, permit, then }.into()
                    }
                    Recalled::Ask { release } => {
                        if let Some(held) = otherwise.begun() {
                            held.set_release(release);
                        }
                        *otherwise
                    }
                }
            }
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
