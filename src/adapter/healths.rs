//! Facts about Duo that all workers of this Envoy share, so that one worker checks Duo for all.

use crate::clock::{ClockOffset, UnixTime};
use crate::config::{Applications, DuoSettings};
use crate::gate::{Contact, Found, Gate, Health, KeyPair, Learned};
use crate::session::SharedKey;
use std::ops::Range;
use std::time::Duration;

/// The shared record of one pair of keys.
pub(super) trait Record {
    /// The record under this key. Configurations with other keys at Duo may run in the same
    /// process, so the name is derived from the keys.
    fn of(key: &SharedKey) -> Self;

    /// The record as this worker read it last.
    fn last(&self) -> Health;

    /// Replaces what [`Self::last`] returns.
    fn keep(&self, health: Health);

    /// The present record.
    fn read(&self) -> Health;

    /// Reserves the next check for this worker. `false` if another worker has reserved it, or no
    /// check is due.
    fn reserve(&self, now: UnixTime, interval: Duration) -> bool;

    /// Changes the present record and returns the result. `None` if there was nothing to change, or
    /// another worker was faster each time.
    fn change(&self, work: &dyn Fn(Health) -> Option<Health>) -> Option<Health>;

    /// Records the result of a check that started at `began`. Returns whether Duo's state has
    /// changed.
    fn write(
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
}

/// Facts about the keys of a configuration.
#[derive(Debug)]
pub(super) struct Healths<R> {
    known: Vec<Known<R>>,
    /// The cluster of each application, named by the first application that has it.
    clusters: Vec<usize>,
}

/// One pair of keys, with its record.
#[derive(Debug)]
struct Known<R> {
    keys: KeyPair,
    record: R,
}

impl<R: Record> Healths<R> {
    pub(super) fn of(gate: &Gate) -> Self {
        let config = gate.config();
        let known = gate.key_pairs().filter_map(|keys| {
            let record = R::of(&keys.shared_key(config)?);
            Some(Known { keys, record })
        });
        Self { known: known.collect(), clusters: clusters(&config.applications) }
    }

    /// Whether the last check of all keys of this application succeeded.
    pub(super) fn are_well(&self, application: usize) -> bool {
        let mut own = self.known.iter().filter(|it| it.keys.application == application);
        own.all(|it| it.record.last().is_ready())
    }

    /// Reads the records again, with changes of other workers.
    pub(super) fn refresh(&self) {
        for Known { record, .. } in &self.known {
            record.keep(record.read());
        }
    }

    /// The health of the main application.
    pub(super) fn main(&self) -> Health {
        self.known.first().map(|it| it.record.last()).unwrap_or_default()
    }

    /// The numbers of the Duo applications.
    pub(super) const fn numbers(&self) -> Range<usize> {
        0..self.clusters.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (KeyPair, &R, Health)> {
        self.known.iter().map(|it| (it.keys, &it.record, it.record.last()))
    }

    pub(super) fn record(&self, keys: KeyPair) -> Option<&R> {
        self.known.iter().find(|it| it.keys == keys).map(|it| &it.record)
    }

    /// The health of all keys.
    pub(super) fn all(&self) -> Vec<(KeyPair, Health)> {
        self.known.iter().map(|it| (it.keys, it.record.last())).collect()
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
    fn sharing_a_cluster(&self, application: usize) -> impl Iterator<Item = &Known<R>> {
        let known = self.known.iter();
        known.filter(move |it| self.share_a_cluster(it.keys.application, application))
    }

    /// Whether some worker may have another call under way in the cluster of these keys.
    pub(super) fn is_occupied(&self, keys: KeyPair, now: UnixTime) -> bool {
        self.record(keys).is_some_and(|record| record.read().is_occupied(now))
    }
}

impl<R: Record> Known<R> {
    /// Changes the record. It is read again only if this worker's copy would change.
    fn change(&self, work: &dyn Fn(Health) -> Option<Health>) {
        if work(self.record.last()).is_some()
            && let Some(changed) = self.record.change(work)
        {
            self.record.keep(changed);
        }
    }
}

fn clusters(applications: &Applications) -> Vec<usize> {
    let of = |cluster: &str| applications.iter().position(|it| it.duo.cluster == cluster);
    applications.iter().filter_map(|it| of(&it.duo.cluster)).collect()
}
