//! One plugin configuration in one VM: the data that its root and its streams share.

use super::gauges::Gauges;
use super::host;
use super::limit_table;
use super::record::SharedRecord;
use super::stats::Stats;
use crate::adapter::healths::Healths;
use crate::adapter::shared::{Shared, announce};
use crate::clock::UnixTime;
use crate::gate::limit::{Table, Work};
use crate::gate::{Gate, Loaded, Logo, Room};
use crate::session::Verified;
use crate::signal::{Counter, TimeToApproval};
use std::cell::Cell;

/// A running configuration in this VM.
pub(super) struct Plugin {
    pub(super) gate: Gate,
    pub(super) healths: Healths<SharedRecord>,
    pub(super) stats: Stats,
    pub(super) gauges: Gauges,
    pub(super) table: Table,
    /// The time of the last tick. Reading the host's clock for every request would cost more than
    /// the whole decision, and an approval may live a quarter of a second longer.
    clock: Cell<UnixTime>,
    verified: Cell<Option<Box<Verified>>>,
    /// Each VM has its own copy, since shared data can never be removed.
    logo: Cell<Logo>,
    room: Cell<Room>,
}

impl Plugin {
    pub(super) fn new(gate: Gate) -> Self {
        let (loaded, now) = (Loaded::new(&gate), host::now().unwrap_or_default());
        let mut is_first = false;
        let is_stamped = limit_table::change(&loaded.name(), &mut |stored| {
            let stamp = loaded.stamp(stored, now);
            is_first = stamp.is_some();
            stamp
        });
        if is_first || !is_stamped {
            announce(&gate, loaded.line(now));
        }
        Self {
            gauges: Gauges::define(&gate.config().applications, loaded.hash()),
            healths: Healths::of(&gate),
            table: Table::new(&gate.config().shared),
            gate,
            stats: Stats::define(),
            clock: Cell::new(host::now().unwrap_or_default()),
            verified: Cell::default(),
            logo: Cell::default(),
            room: Cell::default(),
        }
    }

    /// Reads the host's time.
    pub(super) fn refresh_clock(&self) -> UnixTime {
        self.clock.set(self.now());
        self.clock.get()
    }
}

impl Shared for Plugin {
    type Record = SharedRecord;

    fn gate(&self) -> &Gate {
        &self.gate
    }

    fn healths(&self) -> &Healths<SharedRecord> {
        &self.healths
    }

    fn table(&self) -> &Table {
        &self.table
    }

    fn change(&self, name: &str, work: &mut Work<'_>) -> bool {
        limit_table::change(name, work)
    }

    fn clock(&self) -> UnixTime {
        self.clock.get()
    }

    fn now(&self) -> UnixTime {
        host::now().unwrap_or_default()
    }

    fn with_verified<T>(&self, work: impl FnOnce(&mut Verified) -> T) -> T {
        let mut verified = self.verified.take().unwrap_or_default();
        let outcome = work(&mut verified);
        self.verified.set(Some(verified));
        outcome
    }

    fn with_logo<T>(&self, work: impl FnOnce(&mut Logo) -> T) -> T {
        let mut logo = self.logo.take();
        let outcome = work(&mut logo);
        self.logo.set(logo);
        outcome
    }

    fn with_room<T>(&self, work: impl FnOnce(&mut Room) -> T) -> T {
        let mut room = self.room.take();
        let outcome = work(&mut room);
        self.room.set(room);
        outcome
    }

    fn count(&self, counter: Counter) {
        self.stats.count(counter);
    }

    fn observe(&self, time: TimeToApproval) {
        self.stats.observe(time);
    }
}
