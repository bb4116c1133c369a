//! Facts about Duo that all VMs of this Envoy share, so that one VM checks Duo for all.
//!
//! Other plugins may write shared data too. A record that the filter did not write counts as no
//! record.

use super::host;
use crate::clock::{ClockOffset, UnixTime};
use crate::config::{Applications, DuoSettings};
use crate::gate::{Contact, Found, Gate, Health, HealthRecord, KeyPair, Learned};
use crate::session::SharedKey;
use std::cell::Cell;
use std::ops::Range;
use std::time::Duration;

/// How often a change is tried again after another VM was faster.
const TRIES: usize = 8;

/// Facts about the keys of a configuration.
#[derive(Debug)]
pub(super) struct Healths {
    known: Vec<Known>,
    /// The cluster of each application, named by the first application that has it.
    clusters: Vec<usize>,
}

/// One pair of keys, with its record.
#[derive(Debug)]
struct Known {
    keys: KeyPair,
    record: Record,
    /// This VM's copy of the record.
    health: Cell<Health>,
}

impl Healths {
    pub(super) fn of(gate: &Gate) -> Self {
        let config = gate.config();
        let known = gate.key_pairs().filter_map(|keys| {
            let record = Record::of(&keys.shared_key(config)?);
            Some(Known { keys, record, health: Cell::default() })
        });
        Self { known: known.collect(), clusters: clusters(&config.applications) }
    }

    /// Whether the last check of all keys of this application succeeded.
    pub(super) fn are_well(&self, application: usize) -> bool {
        let mut own = self.known.iter().filter(|it| it.keys.application == application);
        own.all(|it| it.health.get().is_ready())
    }

    /// Reads the records again, with changes of other VMs.
    pub(super) fn refresh(&self) {
        for Known { record, health, .. } in &self.known {
            health.set(record.read());
        }
    }

    /// The health of the main application.
    pub(super) fn main(&self) -> Health {
        self.known.first().map(|it| it.health.get()).unwrap_or_default()
    }

    /// The numbers of the Duo applications.
    pub(super) const fn numbers(&self) -> Range<usize> {
        0..self.clusters.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (KeyPair, &Record, Health)> {
        self.known.iter().map(|it| (it.keys, &it.record, it.health.get()))
    }

    pub(super) fn record(&self, keys: KeyPair) -> Option<&Record> {
        self.known.iter().find(|it| it.keys == keys).map(|it| &it.record)
    }

    /// The health of all keys.
    pub(super) fn all(&self) -> Vec<(KeyPair, Health)> {
        self.known.iter().map(|it| (it.keys, it.health.get())).collect()
    }

    /// Records what a request's call showed about Duo.
    pub(super) fn learn(&self, learned: Learned, now: UnixTime) {
        let Learned { application, contact, offset } = learned;
        for known in self.sharing_a_cluster(application) {
            if known.keys.application == application {
                known.change(&|health| {
                    let changed = health.after_contact(contact, now);
                    match offset {
                        Some(offset) => Some(Health { offset, ..changed.unwrap_or(health) }),
                        None => changed,
                    }
                });
            } else if contact == Contact::Heard {
                known.change(&|health| health.after_contact(contact, now));
            }
        }
    }

    /// Records that a request's call is under way. It may keep calls of all applications in its
    /// cluster from being sent.
    pub(super) fn occupy(&self, application: usize, now: UnixTime) {
        for known in self.sharing_a_cluster(application) {
            known.change(&|health| health.occupied(now));
        }
    }

    /// Records that a call of the background check of these keys is under way. It may keep the calls
    /// of all other keys in its cluster from being sent.
    pub(super) fn occupy_others(&self, keys: KeyPair, now: UnixTime) {
        for known in self.sharing_a_cluster(keys.application).filter(|it| it.keys != keys) {
            known.change(&|health| health.occupied(now));
        }
    }

    /// Whether both applications are called through one cluster of Envoy, and so share its circuit
    /// breaker and connections.
    pub(super) fn share_a_cluster(&self, one: usize, other: usize) -> bool {
        one == other || self.clusters.get(one) == self.clusters.get(other)
    }

    /// The keys of this application and of all others in its cluster.
    fn sharing_a_cluster(&self, application: usize) -> impl Iterator<Item = &Known> {
        let known = self.known.iter();
        known.filter(move |it| self.share_a_cluster(it.keys.application, application))
    }

    /// Whether some worker may have another call under way in the cluster of these keys.
    pub(super) fn is_occupied(&self, keys: KeyPair, now: UnixTime) -> bool {
        self.record(keys).is_some_and(|record| record.read().is_occupied(now))
    }
}

impl Known {
    /// Changes the record. It is read again only if this VM's copy would change.
    fn change(&self, work: &dyn Fn(Health) -> Option<Health>) {
        if work(self.health.get()).is_some()
            && let Some(changed) = self.record.change(work)
        {
            self.health.set(changed);
        }
    }
}

fn clusters(applications: &Applications) -> Vec<usize> {
    let of = |cluster: &str| applications.iter().position(|it| it.duo.cluster == cluster);
    applications.iter().filter_map(|it| of(&it.duo.cluster)).collect()
}

/// The shared record of one pair of keys.
#[derive(Debug)]
pub(super) struct Record {
    record: HealthRecord,
    key: String,
}

impl Record {
    /// The record under this key. Configurations with different keys at Duo may share a VM, so the
    /// name is derived from the keys.
    fn of(key: &SharedKey) -> Self {
        let record = HealthRecord::new(key);
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
