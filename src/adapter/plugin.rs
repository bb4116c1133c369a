//! One plugin configuration in one VM: the data that its root and its streams share.

use super::callback::{Callback, with_event};
use super::health::Healths;
use super::host::{self, Unsent};
use super::limit_table;
use super::places::Places;
use super::stats::Stats;
use crate::clock::UnixTime;
use crate::config::Mode;
use crate::gate::limit::{Permit, Settlement, Table};
use crate::gate::{
    AuditLine, AwaitingPermit, Call, Crowded, Effect, Env, Flow, Gate, Logo, Notes, Seat, Step,
    Unanswered,
};
use crate::session::Verified;
use crate::signal::{Counter, Signal};
use std::cell::Cell;

/// The counts and log lines of one step.
pub(super) struct AfterEffect {
    pub(super) count: Option<Counter>,
    pub(super) signals: Vec<Signal>,
    pub(super) audit: Option<Box<AuditLine>>,
}

/// A running configuration in this VM.
pub(super) struct Plugin {
    pub(super) gate: Gate,
    pub(super) healths: Healths,
    pub(super) stats: Stats,
    pub(super) table: Table,
    /// The time of the last tick. Reading the host's clock for every request would cost more than
    /// the whole decision, and an approval may live a quarter of a second longer.
    clock: Cell<UnixTime>,
    verified: Cell<Option<Box<Verified>>>,
    logo: Cell<Logo>,
    room: Places,
}

impl Plugin {
    pub(super) fn new(gate: Gate) -> Self {
        match gate.config().mode {
            Mode::Enforce => {}
            Mode::ReportOnly => log::warn!("mode is report_only: every request passes"),
            Mode::Off => log::warn!("mode is off: every request passes, and no decision is logged"),
        }
        for header in gate.config().identity.trusted_headers() {
            log::info!(
                "the header {header} is trusted: a filter before this one must remove a client's \
                 own from every request, on every route"
            );
        }
        Self {
            healths: Healths::of(&gate),
            table: Table::new(&gate.config().shared),
            gate,
            stats: Stats::default(),
            clock: Cell::new(host::now().unwrap_or_default()),
            verified: Cell::default(),
            logo: Cell::default(),
            room: Places::default(),
        }
    }

    /// Reads the host's time. Without a clock, every cookie counts as one from the future.
    pub(super) fn refresh_clock(&self) -> UnixTime {
        self.clock.set(host::now().unwrap_or_default());
        self.clock.get()
    }

    /// Gives access to the account's picture. `work` must not call this again.
    pub(super) fn with_logo<T>(&self, work: impl FnOnce(&mut Logo) -> T) -> T {
        let mut logo = self.logo.take();
        let outcome = work(&mut logo);
        self.logo.set(logo);
        outcome
    }

    /// The time of the last tick.
    pub(super) const fn clock(&self) -> UnixTime {
        self.clock.get()
    }

    /// Gives access to the verified cookies. `work` must not call this again.
    pub(super) fn with_verified<T>(&self, work: impl FnOnce(&mut Verified) -> T) -> T {
        let mut verified = self.verified.take().unwrap_or_default();
        let outcome = work(&mut verified);
        self.verified.set(Some(verified));
        outcome
    }

    /// Takes room for a call; `waiting` requests wait in this worker.
    pub(super) fn enter(
        &self,
        seat: Option<Seat>,
        undecided: usize,
        now: UnixTime,
    ) -> Result<(), Crowded> {
        self.room.enter(seat, &self.gate.config().capacity, undecided, now)
    }

    /// Returns the room of a call that has ended.
    pub(super) fn leave(&self, seat: Option<Seat>) {
        self.room.leave(seat);
    }

    /// Handles the end of a call whose client has left. Its news about the user's phone is
    /// recorded.
    pub(super) fn answered_for_nobody(&self, flow: Flow, callback: Callback) {
        if !flow.outlives_its_client() {
            return self.abandoned(Some(&flow));
        }
        let Step { effect, notes } = with_event(callback, |event| flow.handle(event, &self.env()));
        let Notes { count, signals, audit, settlements, .. } = notes;
        self.settle(settlements);
        match effect {
            Effect::Call { then, .. } => self.abandoned(Some(&then)),
            Effect::End(_)
            | Effect::Permit { .. }
            | Effect::Wait { .. }
            | Effect::ReadBody { .. } => self.record_undone(AfterEffect { count, signals, audit }),
        }
    }

    /// Records the counts and log lines of a step after its effect.
    pub(super) fn record(&self, records: AfterEffect) {
        if let Some(counter) = records.count {
            self.stats.count(counter);
        }
        self.stats.take(records.signals);
        if let Some(audit) = records.audit {
            self.stats.take(vec![audit.done]);
        }
    }

    /// Like [`Self::record`], for an effect that came too late, since the client has left.
    pub(super) fn record_undone(&self, records: AfterEffect) {
        self.stats.count(Counter::Abandoned);
        self.stats.take(records.signals);
        if let Some(audit) = records.audit {
            self.stats.take(vec![audit.undone.unwrap_or(audit.done)]);
        }
    }

    /// Records that the client left before its request was decided; `flow` was waiting for Duo, if
    /// there was one.
    pub(super) fn abandoned(&self, flow: Option<&Flow>) {
        self.stats.count(Counter::Abandoned);
        self.settle(flow.map(Flow::left).unwrap_or_default());
    }

    /// Requests a permit from the table, and passes the verdict to the request that waits for it.
    pub(super) fn grant(&self, permit: &Permit, then: AwaitingPermit) -> Step {
        let (env, limits) = (self.env(), &self.gate.config().limits);
        let changed = self.table.grant(permit, limits, env.now, &mut limit_table::change);
        self.stats.take(changed.signals);
        then.handle(changed.verdict, &env)
    }

    /// Records the outcome of permits.
    pub(super) fn settle(&self, settlements: impl IntoIterator<Item = Settlement>) {
        let limits = &self.gate.config().limits;
        for settlement in settlements {
            let now = host::now().unwrap_or_default();
            self.stats.take(self.table.settle(&settlement, limits, now, &mut limit_table::change));
        }
    }

    /// Sends a call to the cluster of its Duo application, and logs why it could not be sent.
    /// `is_occupied` returns whether other calls are under way there, which may fill the circuit
    /// breaker.
    pub(super) fn dispatch(
        &self,
        call: &Call,
        is_occupied: &dyn Fn() -> bool,
    ) -> Result<u32, Unanswered> {
        let cluster = &self.gate.config().applications.get(call.application).duo.cluster;
        host::dispatch(cluster, &call.signed, call.timeout).map_err(|unsent| match unsent {
            Unsent::UnknownCluster => {
                log::error!(
                    "Envoy has no cluster \"{cluster}\": add it; in Istio its name is \
                     outbound|443||API-HOST"
                );
                Unanswered::NotSent
            }
            // It is counted, and named in the log line of the request.
            Unsent::TakenBack if is_occupied() => Unanswered::Overflow,
            Unsent::TakenBack => {
                log::error!(
                    "cluster \"{cluster}\" has no usable host: check its DNS and TLS settings"
                );
                Unanswered::NotSent
            }
        })
    }

    pub(super) fn env(&self) -> Env<'_> {
        Env {
            gate: &self.gate,
            now: host::now().unwrap_or_default(),
            healths: self.healths.all(),
            random: host::random(),
        }
    }
}
