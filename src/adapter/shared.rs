//! One configuration in use, as its requests and its background checks share it.

use super::healths::{Healths, Record};
use crate::clock::UnixTime;
use crate::duo::AskedWait;
use crate::gate::limit::{Permit, Settlement, Table, Work};
use crate::gate::{
    AuditLine, AwaitingPermit, Call, Crowded, Effect, Env, Event, Flow, Gate, Learned, Logo, Notes,
    Room, Seat, Step,
};
use crate::session::Verified;
use crate::signal::{Counter, Level, Signal, TimeToApproval};

/// The counts and log lines of one step.
pub(super) struct AfterEffect {
    pub(super) count: Option<Counter>,
    pub(super) signals: Vec<Signal>,
    pub(super) audit: Option<Box<AuditLine>>,
}

/// A running configuration, in one worker or in all.
pub(super) trait Shared {
    /// The record of one application's health.
    type Record: Record;

    fn gate(&self) -> &Gate;

    fn healths(&self) -> &Healths<Self::Record>;

    /// The table of limits.
    fn table(&self) -> &Table;

    /// Changes one value of the table; `true` on success.
    fn change(&self, name: &str, work: &mut Work<'_>) -> bool;

    /// The time for a new request. It may be that of the last tick.
    fn clock(&self) -> UnixTime;

    /// The host's clock. Without one, every cookie counts as one from the future.
    fn now(&self) -> UnixTime;

    /// Gives access to the verified cookies. `work` must not call this again.
    fn with_verified<T>(&self, work: impl FnOnce(&mut Verified) -> T) -> T;

    /// Gives access to the account's picture. `work` must not call this again.
    fn with_logo<T>(&self, work: impl FnOnce(&mut Logo) -> T) -> T;

    /// Gives access to the room for this worker's calls. `work` must not call this again.
    fn with_room<T>(&self, work: impl FnOnce(&mut Room) -> T) -> T;

    /// Adds one to a counter.
    fn count(&self, counter: Counter);

    /// Adds a value to the histogram of the time to an approval.
    fn observe(&self, time: TimeToApproval);

    /// Records counts and log lines.
    fn take(&self, signals: Vec<Signal>) {
        for signal in signals {
            match signal {
                Signal::Count(counter) => self.count(counter),
                Signal::Log(level, text) => log::log!(crate_level(level), "{text}"),
            }
        }
    }

    /// Takes room for a call. Calls of the filter itself need none. `waiting` is the number of
    /// requests that wait in this worker.
    fn enter(&self, seat: Option<Seat>, waiting: usize, now: UnixTime) -> Result<(), Crowded> {
        let Some(seat) = seat else { return Ok(()) };
        let capacity = &self.gate().config().capacity;
        self.with_room(|room| room.enter(&seat, capacity, waiting, now))
    }

    /// Records what a request's call showed about Duo.
    fn learn(&self, learned: &Learned, now: UnixTime) {
        if let Some((before, after)) = self.healths().learn(learned, now) {
            self.take(Vec::from_iter(self.gate().breaker_line(learned.keys, before, after)));
        }
        if let Some((AskedWait { time, is_limit: true }, seat)) = learned.wait {
            self.with_room(|room| room.pause(&seat, now.plus(time), now));
        }
    }

    /// Returns the room of a call that has ended.
    fn leave(&self, seat: Option<Seat>) {
        if let Some(seat) = seat {
            self.with_room(|room| room.leave(&seat));
        }
    }

    /// Handles the end of a call whose client has left. Its news about the user's phone is
    /// recorded.
    fn answered_for_nobody(&self, flow: Flow, event: Event<'_>) {
        if !flow.outlives_its_client() {
            return self.abandoned(Some(&flow));
        }
        let env = self.env();
        let left = flow.abandoned(&env);
        let Step { effect, notes } = flow.handle(event, &env);
        let Notes { count, signals, audit, settlements, .. } = notes;
        self.settle(settlements);
        match effect {
            Effect::Call { then, .. } | Effect::AskFleet { then, .. } => {
                self.take(signals);
                self.abandoned(Some(&then));
            }
            Effect::End(_)
            | Effect::Permit { .. }
            | Effect::Wait { .. }
            | Effect::ReadBody { .. } => {
                let line = left.filter(|_| audit.is_none());
                self.record_undone(AfterEffect { count, signals, audit });
                self.take(line.into_iter().collect());
            }
        }
    }

    /// Records the counts and log lines of a step after its effect.
    fn record(&self, records: AfterEffect) {
        if let Some(counter) = records.count {
            self.count(counter);
        }
        self.take(records.signals);
        if let Some(audit) = records.audit {
            self.take(vec![audit.done]);
            if let Some(time) = audit.time {
                self.observe(time);
            }
        }
    }

    /// Like [`Self::record`], for an effect that came too late, since the client has left.
    fn record_undone(&self, records: AfterEffect) {
        self.count(Counter::Abandoned);
        self.take(records.signals);
        if let Some(audit) = records.audit {
            self.take(vec![audit.undone.unwrap_or(audit.done)]);
        }
    }

    /// Records that the client left before its request was decided; `flow` was waiting for Duo, if
    /// there was one.
    fn abandoned(&self, flow: Option<&Flow>) {
        self.count(Counter::Abandoned);
        self.settle(flow.map(Flow::left).unwrap_or_default());
        self.take(flow.and_then(|flow| flow.abandoned(&self.env())).into_iter().collect());
    }

    /// Requests a permit from the table, and passes the verdict to the request that waits for it.
    fn grant(&self, permit: &Permit, then: AwaitingPermit) -> Step {
        let (env, limits) = (self.env(), &self.gate().config().limits);
        let change = &mut |name: &str, work: &mut Work<'_>| self.change(name, work);
        let changed = self.table().grant(permit, limits, env.now, change);
        self.take(changed.signals);
        then.handle(changed.verdict, &env)
    }

    /// Records the outcome of permits.
    fn settle(&self, settlements: Vec<Settlement>) {
        let limits = &self.gate().config().limits;
        for settlement in settlements {
            let change = &mut |name: &str, work: &mut Work<'_>| self.change(name, work);
            self.take(self.table().settle(&settlement, limits, self.now(), change));
        }
    }

    /// The name of the cluster that a call goes to.
    fn cluster(&self, call: &Call) -> &str {
        &self.gate().config().applications.get(call.application).duo.cluster
    }

    fn env(&self) -> Env<'_> {
        Env { gate: self.gate(), now: self.now(), healths: self.healths().all(), random: random() }
    }
}

/// Logs what an operator should know about a configuration that is taken into use.
pub(super) fn announce(gate: &Gate, line: Signal) {
    use crate::config::Mode;
    if let Signal::Log(level, text) = line {
        log::log!(crate_level(level), "{text}");
    }
    match gate.config().mode {
        Mode::Enforce => {}
        Mode::ReportOnly => log::warn!("mode is report_only: every request passes"),
        Mode::Off => log::warn!("mode is off: every request passes, and no decision is logged"),
    }
    for header in gate.config().identity.trusted_headers() {
        log::info!(
            "the header {header} is trusted: a filter before this one must remove a client's own \
             from every request, on every route"
        );
    }
}

/// Sixteen random bytes; `None` if the host has none.
fn random() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok().map(|()| bytes)
}

const fn crate_level(level: Level) -> log::Level {
    match level {
        Level::Info => log::Level::Info,
        Level::Warn => log::Level::Warn,
        Level::Error => log::Level::Error,
    }
}
