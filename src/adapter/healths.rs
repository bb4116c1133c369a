//! Facts about Duo that all workers of this Envoy share, so that one worker checks Duo for all.

use crate::clock::{ClockOffset, UnixTime};
use crate::config::{Applications, DuoSettings};
use crate::duo::AskedWait;
use crate::gate::{
    Breaker, Call, Contact, Found, Gate, Health, KeyPair, Learned, Pass, Unanswered,
};
use crate::session::SharedKey;
use std::cell::Cell;
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

    /// Records the result of a check that started at `began`. Returns the record before and after.
    fn write(
        &self,
        found: Found,
        began: UnixTime,
        (offset, wait): (Option<ClockOffset>, Option<AskedWait>),
        (duo, now): (&DuoSettings, UnixTime),
    ) -> Option<(Health, Health)> {
        self.change_and_compare(&|health| {
            let offset = offset.unwrap_or(health.offset);
            let checked = Health { offset, ..health.checked(found, began, duo) };
            let breaker = checked.breaker;
            let breaker = wait.map_or(breaker, |wait| breaker.check_asked(wait, now));
            Some(Health { breaker, ..checked })
        })
    }

    /// Like [`Self::change`]. Also returns the record before the change.
    fn change_and_compare(
        &self,
        work: &dyn Fn(Health) -> Option<Health>,
    ) -> Option<(Health, Health)> {
        let before = Cell::new(Health::default());
        let changed = self.change(&|health| {
            before.set(health);
            work(health)
        })?;
        Some((before.get(), changed))
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

    /// The largest offset of Duo's clock that any keys have seen, in either direction.
    pub(super) fn offset(&self) -> ClockOffset {
        let offsets = self.known.iter().map(|it| it.record.last().offset);
        offsets.max_by_key(|offset| offset.seconds().unsigned_abs()).unwrap_or_default()
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

    /// Records what a request's call showed about Duo. Returns the outage breaker of the call's keys
    /// before and after.
    pub(super) fn learn(&self, learned: &Learned, now: UnixTime) -> Option<(Breaker, Breaker)> {
        if !learned.is_news() {
            return None;
        }
        let mut breakers = None;
        let Learned { keys, contact, offset, .. } = *learned;
        for known in self.sharing_a_cluster(keys.application) {
            if known.keys == keys {
                // Another worker may have counted failures since this one read the record, and an
                // answer ends their row. So the present record decides.
                let changed =
                    known.record.change_and_compare(&|health| health.after_call(learned, now));
                if let Some((before, after)) = changed {
                    known.record.keep(after);
                    breakers = Some((before.breaker, after.breaker));
                }
            } else if known.keys.application == keys.application {
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
        breakers
    }

    /// Whether a call may be sent now, as this worker knows the outage breaker of its keys.
    pub(super) fn pass(&self, call: &Call, now: UnixTime) -> Pass {
        let begins = call.seat.is_some_and(|seat| seat.begins());
        let record = self.record(call.keys());
        record.map_or(Pass::Free, |record| record.last().breaker.pass(begins, now))
    }

    /// Lets one call of all workers try Duo while the outage breaker is open.
    ///
    /// # Errors
    ///
    /// Another call tries it.
    pub(super) fn take_try(&self, call: &Call, now: UnixTime) -> Result<(), Unanswered> {
        let Some(record) = self.record(call.keys()) else { return Ok(()) };
        let tried = record.change(&|health| {
            let breaker = health.breaker.try_at(now)?;
            Some(Health { breaker, ..health })
        });
        match tried {
            Some(health) => {
                record.keep(health);
                Ok(())
            }
            None => {
                let health = record.read();
                record.keep(health);
                match health.breaker.pass(true, now) {
                    Pass::Free => Ok(()),
                    Pass::Try | Pass::Refused(_) => Err(Unanswered::OPEN),
                }
            }
        }
    }

    /// Whether the outage breaker of some keys of this application is open.
    pub(super) fn are_refused(&self, application: usize) -> bool {
        let mut own = self.known.iter().filter(|it| it.keys.application == application);
        own.any(|it| it.record.last().breaker.is_open())
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
