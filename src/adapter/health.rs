//! Facts about Duo that all VMs of this Envoy share, so that one VM checks Duo for all.
//!
//! Other plugins may write shared data too. A record that the filter did not write counts as no
//! record.

use super::host;
use crate::clock::{ClockOffset, UnixTime};
use crate::config::{Application, Applications, DuoSettings};
use crate::gate::{Contact, Found, Health, HealthRecord, Learned};
use std::cell::Cell;
use std::ops::Range;
use std::time::Duration;

/// How often a change is tried again after another VM was faster.
const TRIES: usize = 8;

/// Facts about the Duo applications of a configuration, by their numbers.
#[derive(Debug)]
pub(super) struct Healths {
    known: Vec<(Record, Cell<Health>)>,
    /// The cluster of each application, named by the first application that has it.
    clusters: Vec<usize>,
    are_well: Cell<bool>,
}

impl Healths {
    pub(super) fn of(applications: &Applications) -> Self {
        let known = applications.iter().map(|it| (Record::of(&it.duo), Cell::default()));
        let cluster = |it: &Application| {
            applications.iter().position(|other| other.duo.cluster == it.duo.cluster)
        };
        let clusters = applications.iter().filter_map(cluster).collect();
        Self { known: known.collect(), clusters, are_well: Cell::new(false) }
    }

    /// Whether the last check of each application succeeded.
    pub(super) fn are_well(&self) -> bool {
        self.are_well.get()
    }

    /// Reads the records again, with changes of other VMs.
    pub(super) fn refresh(&self) {
        let mut are_well = true;
        for (record, health) in &self.known {
            health.set(record.read());
            are_well &= health.get().is_ready();
        }
        self.are_well.set(are_well);
    }

    /// The health of the main application.
    pub(super) fn main(&self) -> Health {
        self.known.first().map(|(_, health)| health.get()).unwrap_or_default()
    }

    /// The numbers of the Duo applications.
    pub(super) const fn numbers(&self) -> Range<usize> {
        0..self.known.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Record, Health)> {
        self.known.iter().map(|(record, health)| (record, health.get()))
    }

    pub(super) fn record(&self, application: usize) -> Option<&Record> {
        self.known.get(application).map(|(record, _)| record)
    }

    /// The health of each application, by its number.
    pub(super) fn all(&self) -> Vec<Health> {
        self.known.iter().map(|(_, health)| health.get()).collect()
    }

    /// Records what a request's call showed about Duo.
    pub(super) fn learn(&self, learned: Learned, now: UnixTime) {
        let Learned { application, contact, offset } = learned;
        self.change(application, &|health| {
            let changed = health.after_contact(contact, now);
            match offset {
                Some(offset) => Some(Health { offset, ..changed.unwrap_or(health) }),
                None => changed,
            }
        });
        if contact == Contact::Heard {
            for other in self.neighbors(application) {
                self.change(other, &|health| health.after_contact(contact, now));
            }
        }
    }

    /// Records that a request's call is under way. It may keep calls of all applications in its
    /// cluster from being sent.
    pub(super) fn occupy(&self, application: usize, now: UnixTime) {
        self.change(application, &|health| health.occupied(now));
        self.occupy_neighbors(application, now);
    }

    /// Records that a call of the background check of this application is under way.
    pub(super) fn occupy_neighbors(&self, application: usize, now: UnixTime) {
        for other in self.neighbors(application) {
            self.change(other, &|health| health.occupied(now));
        }
    }

    /// Whether both applications are called through one cluster of Envoy, and so share its circuit
    /// breaker and connections.
    pub(super) fn share_a_cluster(&self, one: usize, other: usize) -> bool {
        one == other || self.neighbors(one).any(|number| number == other)
    }

    /// The other applications of the same cluster.
    fn neighbors(&self, application: usize) -> impl Iterator<Item = usize> {
        let own = self.clusters.get(application);
        let numbered = self.clusters.iter().enumerate();
        numbered
            .filter(move |(number, cluster)| *number != application && Some(*cluster) == own)
            .map(|(number, _)| number)
    }

    /// Whether some worker may have a request's call under way.
    pub(super) fn is_occupied(&self, application: usize, now: UnixTime) -> bool {
        let record = self.known.get(application);
        record.is_some_and(|(record, _)| record.read().is_occupied(now))
    }

    /// Changes a record. It is read again only if this VM's copy would change.
    fn change(&self, application: usize, work: &dyn Fn(Health) -> Option<Health>) {
        if let Some((record, health)) = self.known.get(application)
            && work(health.get()).is_some()
            && let Some(changed) = record.change(work)
        {
            health.set(changed);
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
    /// The record of the application with these credentials. Configurations with different
    /// credentials may share a VM, so the name is derived from the credentials.
    fn of(duo: &DuoSettings) -> Self {
        let record = HealthRecord::new(&duo.shared_key());
        Self { key: record.name(), record }
    }

    fn read(&self) -> Health {
        self.read_with_cas().0
    }

    /// Reserves the next check for this VM. `false` if another VM has reserved it, or no check is
    /// due.
    pub(super) fn reserve(&self, now: UnixTime, interval: Duration) -> bool {
        let (health, cas) = self.read_with_cas();
        health.is_due(now, interval) && self.swap(Health { checked: now, ..health }, cas)
    }

    /// Records the result of a check that started at `began`. Returns whether Duo's state has
    /// changed.
    pub(super) fn write(
        &self,
        found: Found,
        began: UnixTime,
        offset: Option<ClockOffset>,
        duo: &DuoSettings,
    ) -> bool {
        let before = self.read().standing;
        let changed = self.change(&|health| {
            let offset = offset.unwrap_or(health.offset);
            Some(Health { offset, ..health.checked(found, began, duo) })
        });
        changed.is_some_and(|health| health.standing != before)
    }

    /// Changes the current record and returns the result. `None` if there was nothing to change, or
    /// another VM was faster each time.
    fn change(&self, work: &dyn Fn(Health) -> Option<Health>) -> Option<Health> {
        for _ in 0..TRIES {
            let (health, cas) = self.read_with_cas();
            let changed = work(health)?;
            if self.swap(changed, cas) {
                return Some(changed);
            }
        }
        None
    }

    fn read_with_cas(&self) -> (Health, Option<u32>) {
        let (bytes, cas) = host::shared(&self.key).unzip();
        (bytes.and_then(|bytes| self.record.open(&bytes)).unwrap_or_default(), cas)
    }

    fn swap(&self, health: Health, cas: Option<u32>) -> bool {
        host::swap_shared(&self.key, &self.record.seal(&health), cas).is_ok()
    }
}
