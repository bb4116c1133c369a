//! Counts of the whole run.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub(crate) struct Count(AtomicU64);

impl Count {
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn add(&self, number: usize) {
        self.0.fetch_add(u64::try_from(number).unwrap(), Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Calls of the module that the host refused or answered oddly.
pub(crate) static INJECTED: Count = Count::new();
/// Events of the random conversations.
pub(crate) static EVENTS: Count = Count::new();
/// Requests that were forwarded, and requests that got a reply.
pub(crate) static FORWARDED: Count = Count::new();
pub(crate) static REPLIED: Count = Count::new();
/// Requests that were forwarded, and approvals that were given, without a reason.
pub(crate) static WRONGLY_ADMITTED: Count = Count::new();
/// Requests that nothing would have ended.
pub(crate) static STUCK: Count = Count::new();
/// Entries that ended a virtual machine.
pub(crate) static TRAPS: Count = Count::new();

/// The counts that must be 0.
const BAD: [&Count; 3] = [&WRONGLY_ADMITTED, &STUCK, &TRAPS];

pub(crate) fn line() -> String {
    let [wrongly_admitted, stuck, traps] = BAD.map(Count::get);
    let (injected, events) = (INJECTED.get(), EVENTS.get());
    let (forwarded, replied) = (FORWARDED.get(), REPLIED.get());
    format!(
        "host-call faults injected={injected}, events={events}, wrongly_admitted={wrongly_admitted} stuck={stuck} \
         traps={traps} forwarded={forwarded} replied={replied}"
    )
}

pub(crate) fn is_bad() -> bool {
    BAD.iter().any(|count| count.get() != 0)
}
