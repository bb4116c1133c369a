//! Counters, and the histogram.
//!
//! Counts are added up in memory and passed to the host on the tick. That saves a host call for
//! every request. The histogram gets one value a sign-in, at once.

use super::host::{self, Metric};
use crate::gate::{asked_factors, counters};
use crate::signal::{Counter, TimeToApproval};
use std::cell::Cell;

struct Count {
    counter: Counter,
    metric: Option<Metric>,
    pending: u64,
}

/// The counts of one configuration in one VM.
pub(super) struct Stats {
    /// About a hundred, the most frequent first.
    counts: Cell<Vec<Count>>,
    /// The histogram of each factor.
    times: Vec<(&'static str, Option<Metric>)>,
}

impl Stats {
    /// Defines counters before their first count: the host then shows them with 0.
    pub(super) fn define() -> Self {
        let counts = counters().map(|counter| {
            let metric = host::counter(&counter.to_string());
            Count { counter, metric, pending: 0 }
        });
        let (name, label) = (TimeToApproval::HISTOGRAM, TimeToApproval::LABEL);
        let times = asked_factors()
            .map(|factor| (factor, host::histogram(&format!("{name}.{label}.{factor}"))));
        Self { counts: Cell::new(counts.collect()), times: times.collect() }
    }

    /// Adds a value to the histogram.
    pub(super) fn observe(&self, time: TimeToApproval) {
        let known = self.times.iter().find(|(factor, _)| *factor == time.factor);
        if let Some((_, Some(histogram))) = known {
            histogram.set(time.millis);
        }
    }

    pub(super) fn count(&self, counter: Counter) {
        let mut counts = self.counts.take();
        match counts.iter_mut().find(|count| count.counter == counter) {
            Some(count) => count.pending = count.pending.saturating_add(1),
            None => counts.push(Count { counter, metric: None, pending: 1 }),
        }
        self.counts.set(counts);
    }

    /// Passes the counts to the host.
    pub(super) fn flush(&self) {
        let mut counts = self.counts.take();
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
        self.counts.set(counts);
    }
}
