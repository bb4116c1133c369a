//! What this Envoy knows of Duo, shared by all its VMs, so that one of them checks for all.
//!
//! Other plugins may write shared data too. A record that the filter has not written counts as no
//! check yet.

use super::host;
use crate::clock::{ClockOffset, UnixTime};
use crate::config::{Applications, DuoSettings};
use crate::gate::{Health, HealthRecord, Learned, Standing};
use std::cell::Cell;
use std::time::Duration;

/// What this VM knows of the Duo applications of a configuration, by their numbers.
#[derive(Debug)]
pub(super) struct Healths {
    known: Vec<(Record, Cell<Health>)>,
    are_well: Cell<bool>,
}

impl Healths {
    pub(super) fn of(applications: &Applications) -> Self {
        let known = applications.iter().map(|it| (Record::of(&it.duo), Cell::default()));
        Self { known: known.collect(), are_well: Cell::new(false) }
    }

    /// Whether the last check of each went well.
    pub(super) fn are_well(&self) -> bool {
        self.are_well.get()
    }

    /// Takes over what other VMs may have learned.
    pub(super) fn refresh(&self) {
        let mut are_well = true;
        for (record, health) in &self.known {
            health.set(record.read());
            are_well &= health.get().is_ready();
        }
        self.are_well.set(are_well);
    }

    /// That of the application that is asked where no rule names another.
    pub(super) fn main(&self) -> Health {
        self.known.first().map(|(_, health)| health.get()).unwrap_or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Record, Health)> {
        self.known.iter().map(|(record, health)| (record, health.get()))
    }

    pub(super) fn record(&self, application: usize) -> Option<&Record> {
        self.known.get(application).map(|(record, _)| record)
    }

    pub(super) fn offsets(&self) -> Vec<ClockOffset> {
        self.known.iter().map(|(_, health)| health.get().offset).collect()
    }

    pub(super) fn learn(&self, learned: Learned) {
        let Learned { application, offset } = learned;
        if let Some((record, health)) = self.known.get(application) {
            health.set(Health { offset, ..health.get() });
            record.learn(offset);
        }
    }
}

/// The shared record of one Duo application.
#[derive(Debug)]
pub(super) struct Record {
    record: HealthRecord,
    key: String,
}

impl Record {
    /// The record of the application with these credentials. Configurations that differ in them may
    /// share a VM, so the name follows from them.
    fn of(duo: &DuoSettings) -> Self {
        let record = HealthRecord::new(&duo.shared_key());
        Self { key: record.name(), record }
    }

    fn read(&self) -> Health {
        self.read_with_cas().0
    }

    /// Claims the next check for this VM; no where somebody else has, or none is due.
    pub(super) fn claim(&self, now: UnixTime, interval: Duration) -> bool {
        let (health, cas) = self.read_with_cas();
        health.is_due(now, interval) && self.swap(Health { begun: now, ..health }, cas)
    }

    /// Writes down how a check went, and says whether that is another outcome than before.
    pub(super) fn write(&self, standing: Standing, offset: Option<ClockOffset>) -> bool {
        let (health, cas) = self.read_with_cas();
        let offset = offset.unwrap_or(health.offset);
        // Whoever was faster has written a fresher outcome.
        self.swap(Health { standing, offset, ..health }, cas);
        standing != health.standing
    }

    /// Writes down Duo's clock alone: how Duo stands may have been found out by another VM since.
    fn learn(&self, offset: ClockOffset) {
        let (health, cas) = self.read_with_cas();
        self.swap(Health { offset, ..health }, cas);
    }

    fn read_with_cas(&self) -> (Health, Option<u32>) {
        let (bytes, cas) = host::shared(&self.key).unzip();
        (bytes.and_then(|bytes| self.record.open(&bytes)).unwrap_or_default(), cas)
    }

    fn swap(&self, health: Health, cas: Option<u32>) -> bool {
        host::swap_shared(&self.key, &self.record.seal(&health), cas).is_ok()
    }
}
