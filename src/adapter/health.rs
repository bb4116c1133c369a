//! What this Envoy knows of Duo, shared by all its VMs, so that one of them checks for all.
//!
//! Other plugins may write shared data too. A record that the filter has not written counts as no
//! check yet.

use super::host;
use crate::clock::{ClockOffset, UnixTime};
use crate::config::{Application, Applications, DuoSettings};
use crate::gate::{Contact, Found, Health, HealthRecord, Learned};
use std::cell::Cell;
use std::time::Duration;

/// How often a change is tried while others are faster.
const TRIES: usize = 8;

/// What this VM knows of the Duo applications of a configuration, by their numbers.
#[derive(Debug)]
pub(super) struct Healths {
    known: Vec<(Record, Cell<Health>)>,
    /// The cluster of each, by the number of the first application that has it.
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

    /// What is known of each, by its number.
    pub(super) fn all(&self) -> Vec<Health> {
        self.known.iter().map(|(_, health)| health.get()).collect()
    }

    /// Takes over what a request's call told.
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

    /// A request's call is under way. It may keep the calls of every application of its cluster
    /// from being sent.
    pub(super) fn occupy(&self, application: usize, now: UnixTime) {
        self.change(application, &|health| health.occupied(now));
        self.occupy_neighbors(application, now);
    }

    /// A call of the background check of this application is under way.
    pub(super) fn occupy_neighbors(&self, application: usize, now: UnixTime) {
        for other in self.neighbors(application) {
            self.change(other, &|health| health.occupied(now));
        }
    }

    /// Whether Duo is called for both through one cluster of Envoy, whose circuit breaker and
    /// connections they share.
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

    /// Whether some worker may have a call of a request's under way.
    pub(super) fn is_occupied(&self, application: usize, now: UnixTime) -> bool {
        let record = self.known.get(application);
        record.is_some_and(|(record, _)| record.read().is_occupied(now))
    }

    /// Changes a record. It is read anew only where what this VM knows of it is to change.
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
    /// The record of the application with these credentials. Configurations that differ in them may
    /// share a VM, so the name follows from them.
    fn of(duo: &DuoSettings) -> Self {
        let record = HealthRecord::new(&duo.shared_key());
        Self { key: record.name(), record }
    }

    fn read(&self) -> Health {
        self.read_with_cas().0
    }

    /// Takes the next check for this VM. `false` if another VM has taken it, or none is due.
    pub(super) fn reserve(&self, now: UnixTime, interval: Duration) -> bool {
        let (health, cas) = self.read_with_cas();
        health.is_due(now, interval) && self.swap(Health { checked: now, ..health }, cas)
    }

    /// Writes down what a check found that was begun at `began`, and says whether Duo stands
    /// otherwise than before.
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

    /// Changes the record as it is now, and gives the outcome; `None` if nothing was to change, or
    /// others were faster each time.
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
