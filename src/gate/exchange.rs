//! Asks Duo one question after the other: retries, clock correction, pace, timeouts, room.
//!
//! It knows nothing about the waiting request: [`Waits`] determines the next question and the
//! meaning of a response. A waiting request never calls the exchange; it returns a [`Next`].

use super::call::{Call, Question};
use super::challenge::Challenge;
use super::decision::{CallEnd, Decision, End, Learned, Notes};
use super::env::Env;
use super::event::Event;
use super::failure::{self, Remedy, Stage, Standby, Tries};
use super::fleet::{self, FleetQuestion};
use super::limit::{self, Permit, Settlement, Verdict};
use super::prompt::user_tag;
use super::refusal::Refusal;
use super::refusals;
use super::room::{Crowded, Seat};
use crate::clock::{ClockOffset, UnixTime};
use crate::config::DuoSettings;
use crate::duo::{AskedWait, DuoError, Fault, Outage, Response};
use crate::signal::{Counter, Signal};
use std::time::Duration;

/// The shortest timeout of a call. For Envoy, 0 would mean no timeout.
const LEAST_TIMEOUT: Duration = Duration::from_millis(100);

/// A request that waits for a response from Duo. Each state owns exactly the data to continue.
pub(super) trait Waits: Sized {
    /// A request that waits for a permit, without a call to Duo.
    type Wants;

    fn challenge(&self) -> &Challenge;

    /// The stage of the call, for the table of faults.
    fn stage(&self) -> Stage;

    /// The question to Duo.
    fn question(&self, env: &Env<'_>) -> Question;

    /// The number of the Duo application for the call.
    fn application(&self) -> usize;

    /// The timeout of a call that is sent at `due`.
    fn timeout(&self, due: UnixTime, duo: &DuoSettings, env: &Env<'_>) -> Duration;

    /// The room for the call. `user` is the user's tag; `is_first` is `true` for the first try of a
    /// question.
    fn seat(&self, user: [u8; 16], is_first: bool) -> Seat;

    /// Handles the outcome of the question.
    ///
    /// # Errors
    ///
    /// If there is no usable response: the fault, and the state that asked.
    fn hear(self, event: Event<'_>, env: &Env<'_>) -> Result<Next<Self>, (Self, DuoError)>;

    /// Continues after the call has failed for good.
    fn fail(self, failure: &Failure<'_>, env: &Env<'_>) -> Next<Self>;

    /// Continues without the call, for which there was no room.
    fn crowd_out(self, crowded: Crowded, asks_the_time: bool, env: &Env<'_>) -> Next<Self>;

    /// The challenge of a request that waits for a permit.
    fn wanted(wants: &Self::Wants) -> &Challenge;

    /// Continues with the verdict on a permit.
    fn permitted(wants: Self::Wants, verdict: Verdict, env: &Env<'_>) -> Next<Self>;
}

/// The next question or the end, and records to make.
pub(super) struct Next<W: Waits> {
    then: Then<W>,
    notes: Notes,
}

enum Then<W: Waits> {
    /// Ask Duo after this time.
    Ask(Duration, W),
    /// Request a permit from the table of limits.
    Permit(Permit, W::Wants),
    /// The request ends.
    End(End),
}

// Not inlined: a value is large, and each of some sixty places would have the code that copies it.
impl<W: Waits> Next<W> {
    /// Ask Duo at once.
    pub(super) const fn ask(waiting: W) -> Self {
        Self::ask_after(Duration::ZERO, waiting)
    }

    /// Ask Duo after this time.
    #[inline(never)]
    pub(super) const fn ask_after(wait: Duration, waiting: W) -> Self {
        Self { then: Then::Ask(wait, waiting), notes: Notes::of(Vec::new()) }
    }

    /// Request a permit from the table of limits.
    #[inline(never)]
    pub(super) const fn permit(permit: Permit, wants: W::Wants) -> Self {
        Self { then: Then::Permit(permit, wants), notes: Notes::of(Vec::new()) }
    }

    /// Adds changes of the table of limits.
    #[inline(never)]
    pub(super) fn after(mut self, settlements: impl IntoIterator<Item = Settlement>) -> Self {
        self.notes.settlements.extend(settlements);
        self
    }

    /// Adds records.
    #[inline(never)]
    pub(super) fn noting(mut self, notes: Notes) -> Self {
        self.notes.signals.extend(notes.signals);
        self.notes.settlements.extend(notes.settlements);
        self
    }

    /// Adds news of Duo.
    pub(super) const fn learning(mut self, learned: Option<Learned>) -> Self {
        self.notes.learned = learned;
        self
    }

    /// Adds counters and log lines.
    pub(super) fn with(mut self, signals: impl IntoIterator<Item = Signal>) -> Self {
        self.notes.signals.extend(signals);
        self
    }
}

impl<W: Waits> From<Decision> for Next<W> {
    #[inline(never)]
    fn from(Decision { end, notes }: Decision) -> Self {
        Self { then: Then::End(end), notes }
    }
}

/// A failed call: the fault, and the remaining remedy.
pub(super) struct Failure<'a> {
    pub(super) fault: &'a DuoError,
    pub(super) remedy: Remedy,
    /// Whether the failed call asked for Duo's time, since Duo refused the date of the question.
    pub(super) asks_the_time: bool,
}

impl Failure<'_> {
    /// The refusal, if nothing better is possible.
    pub(super) const fn refusal(&self) -> &Refusal {
        match &self.remedy {
            Remedy::LookAgain(refusal) | Remedy::Refuse(refusal) => refusal,
            Remedy::Admit { .. } => &refusals::UNCHECKED,
            Remedy::Resend | Remedy::CorrectClock => &refusals::UNAVAILABLE,
        }
    }

    /// The end of the permit of a prompt that was to be sent.
    pub(super) fn prompt_end(&self) -> limit::End {
        let may_have_started = self.fault.fault() == Fault::Duo && !self.is_unsent();
        if may_have_started { limit::End::Lost } else { limit::End::Unsent }
    }

    /// The end of the permit of a passcode that was to be checked.
    pub(super) fn passcode_end(&self) -> limit::End {
        let is_untried = self.is_unsent() || self.fault.fault() == Fault::Operator;
        if is_untried { limit::End::Unsent } else { limit::End::Lost }
    }

    /// Whether Duo certainly did not receive the question.
    fn is_unsent(&self) -> bool {
        let is_unsent = matches!(
            self.fault,
            DuoError::Unreachable(Outage::NotSent | Outage::Unasked { .. }) | DuoError::Overflow
        );
        self.asks_the_time || is_unsent
    }
}

/// A request that waits for a response, and the tries so far.
#[derive(Debug)]
pub(super) struct Exchange<W> {
    waiting: W,
    tries: Tries,
    /// Whether the outstanding call asks for Duo's time, since Duo refused the question's date.
    asks_the_time: bool,
}

/// A request that waits for a permit: for the table's verdict, or for that of the rate limit service.
/// Also the tries so far.
#[derive(Debug)]
pub(super) struct ExchangeAwaitingPermit<W: Waits> {
    permit: Permit,
    wants: W::Wants,
    tries: Tries,
}

/// The outcome of one step of an exchange.
pub(super) struct Turn<W: Waits> {
    pub(super) act: Act<W>,
    pub(super) notes: Notes,
}

pub(super) enum Act<W: Waits> {
    Call(Call, Exchange<W>),
    Permit(Permit, ExchangeAwaitingPermit<W>),
    AskFleet(FleetQuestion, ExchangeAwaitingPermit<W>),
    End(End),
}

/// Begins an exchange.
pub(super) fn begin<W: Waits>(next: Next<W>, env: &Env<'_>) -> Turn<W> {
    go_on(next, Tries::default(), env)
}

fn go_on<W: Waits>(next: Next<W>, tries: Tries, env: &Env<'_>) -> Turn<W> {
    let Next { then, mut notes } = next;
    let act = match then {
        Then::End(end) => Act::End(end),
        Then::Permit(permit, wants) => {
            Act::Permit(permit, ExchangeAwaitingPermit { permit, wants, tries })
        }
        Then::Ask(wait, waiting) => {
            let exchange = Exchange { waiting, tries, asks_the_time: false };
            let mut turn = exchange.send(wait, env);
            turn.notes.signals.append(&mut notes.signals);
            turn.notes.settlements.append(&mut notes.settlements);
            return turn;
        }
    };
    Turn { act, notes }
}

impl<W: Waits> ExchangeAwaitingPermit<W> {
    pub(super) fn challenge(&self) -> &Challenge {
        W::wanted(&self.wants)
    }

    pub(super) const fn wants(&self) -> &W::Wants {
        &self.wants
    }

    /// Continues with the table's verdict. The rate limit service may have to agree.
    pub(super) fn handle(self, verdict: Verdict, env: &Env<'_>) -> Turn<W> {
        match fleet::question(&self.permit, &verdict, self.challenge(), env) {
            Some(question) => Turn { act: Act::AskFleet(question, self), notes: Notes::default() },
            None => self.judged(verdict, env),
        }
    }

    // Not inlined: both callers would have all that follows a verdict.
    #[inline(never)]
    fn judged(self, verdict: Verdict, env: &Env<'_>) -> Turn<W> {
        go_on(W::permitted(self.wants, verdict, env), self.tries, env)
    }

    /// Handles the answer of the rate limit service.
    pub(super) fn hear_fleet(self, event: Event<'_>, env: &Env<'_>) -> Turn<W> {
        let (verdict, signals) = fleet::verdict(event, env);
        let unsent = verdict.is_err().then(|| self.unsent());
        let mut turn = self.judged(verdict, env);
        turn.notes.settlements.extend(unsent);
        turn.notes.signals.extend(signals);
        turn
    }

    /// Takes the table's grant back, since the prompt is not sent.
    pub(super) const fn unsent(&self) -> Settlement {
        Settlement { permit: self.permit, end: limit::End::Unsent }
    }
}

impl<W: Waits> Exchange<W> {
    /// Whether the outstanding call is the question itself, and not the one for Duo's time.
    pub(super) const fn asks(&self) -> bool {
        !self.asks_the_time
    }

    pub(super) const fn waiting(&self) -> &W {
        &self.waiting
    }

    pub(super) const fn waiting_mut(&mut self) -> &mut W {
        &mut self.waiting
    }

    /// Handles the outcome of the outstanding call.
    pub(super) fn handle(self, event: Event<'_>, env: &Env<'_>) -> Turn<W> {
        let keys = self.stage().keys(self.waiting.application());
        let wait = event.asked_wait();
        let mut turn = if self.asks_the_time {
            self.hear_the_time(event, env)
        } else {
            let tries = self.tries;
            match self.waiting.hear(event, env) {
                Ok(next) => go_on(next, tries, env),
                Err((waiting, fault)) => {
                    Self { waiting, tries, asks_the_time: false }.failed(&fault, wait, env)
                }
            }
        };
        turn.notes.learned.get_or_insert_with(|| Learned::answered(keys, None));
        turn
    }

    /// Continues without the call, which was not sent for lack of room.
    pub(super) fn crowded(self, crowded: Crowded, env: &Env<'_>) -> Turn<W> {
        let next = self.waiting.crowd_out(crowded, self.asks_the_time, env);
        let mut turn = go_on(next, self.tries, env);
        turn.notes.signals.push(Signal::Count(Counter::Crowded(crowded.by.name())));
        turn
    }

    /// Handles the response with Duo's time: the question is asked again with the correct date.
    fn hear_the_time(self, event: Event<'_>, env: &Env<'_>) -> Turn<W> {
        let wait = event.asked_wait();
        match event.read(Response::clock) {
            Ok(theirs) => {
                let ahead = ClockOffset::between(env.now, theirs);
                let keys = self.stage().keys(self.waiting.application());
                let mut turn =
                    Self { asks_the_time: false, ..self }.call(Duration::ZERO, ahead, env);
                turn.notes.learned = Some(Learned::answered(keys, Some(ahead)));
                turn
            }
            Err(fault) => self.failed(&fault, wait, env),
        }
    }

    fn stage(&self) -> Stage {
        if self.asks_the_time { Stage::Clock } else { self.waiting.stage() }
    }

    fn send(self, wait: Duration, env: &Env<'_>) -> Turn<W> {
        let offset = env.offset(self.waiting.application());
        self.call(wait, offset, env)
    }

    fn call(self, wait: Duration, offset: ClockOffset, env: &Env<'_>) -> Turn<W> {
        let Self { waiting, tries, asks_the_time } = &self;
        let application = waiting.application();
        let config = env.gate.config();
        let duo = &config.applications.get(application).duo;
        let due = env.now.plus(wait);
        let user = user_tag("calls", waiting.challenge(), config);
        let (question, timeout, seat) = if *asks_the_time {
            (Question::of_time(application, env), duo.timeout, Seat::go_on(user))
        } else {
            let is_first = *tries == Tries::default();
            let timeout = waiting.timeout(due, duo, env);
            (waiting.question(env), timeout, waiting.seat(user, is_first))
        };
        let signed = question.sign(due.shifted(offset));
        let timeout = timeout.max(LEAST_TIMEOUT);
        let call = Call { application, signed, timeout, due, seat: Some(seat) };
        Turn { act: Act::Call(call, self), notes: Notes::default() }
    }

    fn failed(mut self, fault: &DuoError, wait: Option<AskedWait>, env: &Env<'_>) -> Turn<W> {
        let (stage, challenge) = (self.stage(), self.waiting.challenge());
        let keys = stage.keys(self.waiting.application());
        let health = env.health(keys);
        let ended = CallEnd::of(fault, stage == Stage::Status);
        let breaker = health.breaker.after(ended, None, env.now).unwrap_or(health.breaker);
        let unasked = fault.unasked_for();
        let standby = Standby {
            fail_mode: env.gate.fail_mode(&challenge.terms),
            unreached_since: health.unreached_since(),
            may_resend: unasked.is_none() && wait.is_none() && !breaker.is_open(),
            wait: unasked.flatten().or_else(|| wait.map(|wait| wait.time)),
        };
        let wait =
            wait.map(|wait| (wait, Seat::go_on(user_tag("calls", challenge, env.gate.config()))));
        let mut turn = match failure::remedy(stage, fault, self.tries, standby) {
            Remedy::Resend => {
                self.tries.resends = self.tries.resends.saturating_add(1);
                self.send(Duration::ZERO, env)
            }
            Remedy::CorrectClock => {
                self.tries.clock_corrections = self.tries.clock_corrections.saturating_add(1);
                Self { asks_the_time: true, ..self }.send(Duration::ZERO, env)
            }
            remedy @ (Remedy::LookAgain(_) | Remedy::Admit { .. } | Remedy::Refuse(_)) => {
                let failure = Failure { fault, remedy, asks_the_time: self.asks_the_time };
                go_on(self.waiting.fail(&failure, env), self.tries, env)
            }
        };
        turn.notes.add_failure(stage, fault, (keys, wait));
        turn
    }
}
