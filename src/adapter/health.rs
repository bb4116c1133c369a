//! What this Envoy knows of Duo, shared by all its VMs, so that one of them checks for all.

use super::host;
use crate::clock::{ClockOffset, UnixTime};
use crate::config::{Applications, DuoSettings};
use crate::gate::{Health, Learned, Standing};
use sha2::{Digest, Sha256};
use std::cell::Cell;
use std::fmt::Write;
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
    key: String,
}

impl Record {
    /// The record of the application with these credentials. Configurations that differ in it may
    /// share a VM, so the key is told by it.
    fn of(duo: &DuoSettings) -> Self {
        let duo = &duo.credentials;
        let digest = Sha256::new()
            .chain_update(duo.api_host.as_str())
            .chain_update([0])
            .chain_update(&duo.integration_key)
            .finalize();
        let mut key = String::from("duo_mfa/health/");
        for byte in digest.iter().take(8) {
            let _ = write!(key, "{byte:02x}");
        }
        Self { key }
    }

    fn read(&self) -> Health {
        self.read_with_cas().0
    }

    /// Claims the next check for this VM; no where somebody else has, or none is due.
    pub(super) fn claim(&self, now: UnixTime, interval: Duration) -> bool {
        let (health, cas) = self.read_with_cas();
        let claimed = Health { begun: now, ..health };
        health.is_due(now, interval) && host::swap_shared(&self.key, &claimed.encode(), cas).is_ok()
    }

    /// Writes down how a check went, and says whether that is another outcome than before.
    pub(super) fn write(&self, standing: Standing, offset: Option<ClockOffset>) -> bool {
        let (health, cas) = self.read_with_cas();
        let offset = offset.unwrap_or(health.offset);
        // Whoever was faster has written a fresher outcome.
        let _ = host::swap_shared(&self.key, &Health { standing, offset, ..health }.encode(), cas);
        standing != health.standing
    }

    /// Writes down Duo's clock alone: how Duo stands may have been found out by another VM since.
    fn learn(&self, offset: ClockOffset) {
        let (health, cas) = self.read_with_cas();
        let _ = host::swap_shared(&self.key, &Health { offset, ..health }.encode(), cas);
    }

    fn read_with_cas(&self) -> (Health, Option<u32>) {
        match host::shared(&self.key) {
            Some((bytes, cas)) => (Health::decode(&bytes).unwrap_or_default(), Some(cas)),
            None => (Health::default(), None),
        }
    }
}
