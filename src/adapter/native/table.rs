//! The data that all configurations and workers of this process share: the table of limits, and
//! the health of all keys at Duo. Plain memory behind locks, so no change is ever lost to another
//! worker.
//!
//! It is made once and never freed. Two copies of the library, loaded from two paths, have two.

use super::lock;
use crate::adapter::healths::Record;
use crate::clock::UnixTime;
use crate::gate::limit::Work;
use crate::gate::{Health, HealthRecord};
use crate::session::SharedKey;
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

/// How many parts of the table can be changed at the same time.
const PARTS: usize = 64;

type Part = Mutex<BTreeMap<String, Vec<u8>>>;

/// The buckets of the table of limits, by their names. There are at most 65,536 under one key.
static BUCKETS: LazyLock<(RandomState, Vec<Part>)> = LazyLock::new(|| {
    (RandomState::new(), std::iter::repeat_with(Part::default).take(PARTS).collect())
});

/// The records of keys at Duo, by their names.
static RECORDS: Mutex<BTreeMap<String, Arc<Mutex<Health>>>> = Mutex::new(BTreeMap::new());

/// Changes one value of the table of limits; `true` on success.
pub(super) fn change(name: &str, work: &mut Work<'_>) -> bool {
    let (hasher, parts) = &*BUCKETS;
    let place = usize::try_from(hasher.hash_one(name)).unwrap_or_default();
    let Some(part) = place.checked_rem(PARTS).and_then(|place| parts.get(place)) else {
        return false;
    };
    let mut buckets = lock(part);
    if let Some(bytes) = work(buckets.get(name).map(Vec::as_slice)) {
        buckets.insert(name.to_owned(), bytes);
    }
    true
}

/// The record of one pair of keys, which all configurations with them share.
#[derive(Debug)]
pub(super) struct SharedRecord(Arc<Mutex<Health>>);

impl Record for SharedRecord {
    fn of(key: &SharedKey) -> Self {
        let name = HealthRecord::new(key).name();
        Self(Arc::clone(lock(&RECORDS).entry(name).or_default()))
    }

    fn last(&self) -> Health {
        self.read()
    }

    /// There is only one copy.
    fn keep(&self, _: Health) {}

    fn read(&self) -> Health {
        *lock(&self.0)
    }

    fn reserve(&self, now: UnixTime, interval: Duration) -> bool {
        let reserved = |health: Health| {
            health.is_due(now, interval).then_some(Health { checked: now, ..health })
        };
        self.change(&reserved).is_some()
    }

    fn change(&self, work: &dyn Fn(Health) -> Option<Health>) -> Option<Health> {
        let mut health = lock(&self.0);
        *health = work(*health)?;
        Some(*health)
    }
}
