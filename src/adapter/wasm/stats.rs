//! Counters.
//!
//! Counts are added up in memory and passed to the host on the tick. That saves a host call for
//! every request.

use super::host::{self, Metric};
use crate::signal::Counter;
use std::cell::Cell;

struct Count {
    counter: Counter,
    metric: Option<Metric>,
    pending: u64,
}

/// The counts of one configuration in one VM: a list of about a hundred, the most frequent first.
#[derive(Default)]
pub(super) struct Stats(Cell<Vec<Count>>);

impl Stats {
    /// Defines counters before their first count: the host then shows them with 0.
    pub(super) fn define(&self, counters: impl Iterator<Item = Counter>) {
        let mut counts = self.0.take();
        counts.extend(counters.map(|counter| {
            let metric = host::counter(&counter.to_string());
            Count { counter, metric, pending: 0 }
        }));
        self.0.set(counts);
    }

    pub(super) fn count(&self, counter: Counter) {
        let mut counts = self.0.take();
        match counts.iter_mut().find(|count| count.counter == counter) {
            Some(count) => count.pending = count.pending.saturating_add(1),
            None => counts.push(Count { counter, metric: None, pending: 1 }),
        }
        self.0.set(counts);
    }

    /// Passes the counts to the host.
    pub(super) fn flush(&self) {
        let mut counts = self.0.take();
        for count in &mut counts {
            if count.pending == 0 {
                continue;
            }
            if count.metric.is_none() {
                count.metric = host::counter(&count.counter.to_string());
            }
            if let Some(metric) = count.metric {
                metric.add(count.pending);
                count.pending = 0;
            }
        }
        self.0.set(counts);
    }
}
