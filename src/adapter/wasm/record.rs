//! The record of the health of one pair of keys at Duo, in the data that all VMs of this Envoy share.
//!
//! Other plugins may write shared data too. A record that the filter did not write counts as no
//! record.

use super::host;
use crate::adapter::healths::Record;
use crate::clock::UnixTime;
use crate::gate::{Health, HealthRecord};
use crate::session::SharedKey;
use std::cell::Cell;
use std::time::Duration;

/// How often a change is tried again after another VM was faster.
const TRIES: usize = 8;

/// The shared record of one pair of keys, and this VM's copy of it.
#[derive(Debug)]
pub(super) struct SharedRecord {
    record: HealthRecord,
    key: String,
    last: Cell<Health>,
}

impl Record for SharedRecord {
    fn of(key: &SharedKey) -> Self {
        let record = HealthRecord::new(key);
        Self { key: record.name(), record, last: Cell::default() }
    }

    fn last(&self) -> Health {
        self.last.get()
    }

    fn keep(&self, health: Health) {
        self.last.set(health);
    }

    fn read(&self) -> Health {
        self.read_with_cas().0
    }

    fn reserve(&self, now: UnixTime, interval: Duration) -> bool {
        let (health, cas) = self.read_with_cas();
        health.is_due(now, interval) && self.swap(Health { checked: now, ..health }, cas)
    }

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
}

impl SharedRecord {
    fn read_with_cas(&self) -> (Health, Option<u32>) {
        let (bytes, cas) = host::shared(&self.key).unwrap_or_default().unzip();
        (bytes.and_then(|bytes| self.record.open(&bytes)).unwrap_or_default(), cas)
    }

    fn swap(&self, health: Health, cas: Option<u32>) -> bool {
        host::swap_shared(&self.key, &self.record.seal(&health), cas).is_ok()
    }
}
