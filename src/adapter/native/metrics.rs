//! Counters and gauges, with labels.
//!
//! Counts are added up in memory. The tick passes them to the host; a host that takes counts only
//! for a request (Envoy 1.38) gets them with the next one.

use super::abi::{Configuration, Newer};
use super::lock;
use super::stream::Stream;
use crate::config::Applications;
use crate::gate::counters;
use crate::signal::{Code, Counter};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Counts requests that a fault of the filter itself has ended.
const INTERNAL: &str = "duo_mfa_internal_errors";

/// Name, labels and values of a metric, by its flat name, `name.label.value.label.value`.
fn parts(flat: &str) -> (&str, Vec<&str>, Vec<String>) {
    let mut parts = flat.split('.');
    let name = parts.next().unwrap_or_default();
    let (mut labels, mut values) = (Vec::new(), Vec::new());
    while let (Some(label), Some(value)) = (parts.next(), parts.next()) {
        labels.push(label);
        values.push(value.to_owned());
    }
    (name, labels, values)
}

struct Count {
    counter: Counter,
    /// The values of its labels.
    values: Vec<String>,
    id: Option<usize>,
    pending: AtomicU64,
}

struct Gauge {
    application: Option<String>,
    id: Option<usize>,
    value: AtomicBool,
}

/// The metrics of one configuration.
pub(super) struct Metrics {
    newer: Option<Newer>,
    /// Every counter whose labels are known at the start, the most frequent ones first.
    counts: Vec<Count>,
    /// The counters of `report_only`.
    reported: Mutex<BTreeMap<Counter, u64>>,
    reported_id: Option<usize>,
    internal: AtomicU64,
    internal_id: Option<usize>,
    ups: Vec<Gauge>,
    breakers: Vec<Gauge>,
    /// Whether the host may not have all values yet.
    is_behind: AtomicBool,
    /// Whether the host has every counter.
    is_shown: AtomicBool,
}

/// Takes a metric's id, its label values and its value.
type Sink<'s> = dyn Fn(Kind, usize, &[String], u64) + 's;

#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
}

impl Metrics {
    /// Defines everything, while the configuration is made. Later the host defines nothing more.
    pub(super) fn define(host: Configuration<'_>, applications: &Applications) -> Self {
        let mut ids: BTreeMap<String, Option<usize>> = BTreeMap::new();
        let counts = counters().map(|counter| {
            let flat = counter.to_string();
            let (name, labels, values) = parts(&flat);
            let defined = || host.define_counter(name, &labels);
            let id = *ids.entry(name.to_owned()).or_insert_with(defined);
            Count { counter, values, id, pending: AtomicU64::new(0) }
        });
        let counts = counts.collect();
        let reported = Counter::Reported { rule: None, code: Code::BadRequest }.to_string();
        let (name, labels, _) = parts(&reported);
        let gauges = |name| {
            let gauges = applications.iter().map(|application| {
                let labels: &[&str] =
                    if application.name.is_some() { &["application"] } else { &[] };
                let id = host.define_gauge(name, labels);
                Gauge { application: application.name.clone(), id, value: AtomicBool::new(false) }
            });
            gauges.collect()
        };
        Self {
            newer: Newer::find(),
            counts,
            reported: Mutex::default(),
            reported_id: host.define_counter(name, &labels),
            internal: AtomicU64::new(0),
            internal_id: host.define_counter(INTERNAL, &[]),
            ups: gauges("duo_mfa_duo_up"),
            breakers: gauges("duo_mfa_breaker_open"),
            is_behind: AtomicBool::new(true),
            is_shown: AtomicBool::new(false),
        }
    }

    pub(super) fn count(&self, counter: Counter) {
        match self.counts.iter().find(|count| count.counter == counter) {
            Some(count) => {
                count.pending.fetch_add(1, Relaxed);
            }
            None => {
                let mut reported = lock(&self.reported);
                let count = reported.entry(counter).or_default();
                *count = count.saturating_add(1);
            }
        }
        self.is_behind.store(true, Relaxed);
    }

    /// Counts a request that a fault of the filter itself has ended.
    pub(super) fn count_internal(&self) {
        self.internal.fetch_add(1, Relaxed);
        self.is_behind.store(true, Relaxed);
    }

    /// Shows whether the last check of a Duo application succeeded, and whether the outage breaker of
    /// its calls is open.
    pub(super) fn show(&self, application: usize, is_ready: bool, is_refused: bool) {
        for (gauges, value) in [(&self.ups, is_ready), (&self.breakers, is_refused)] {
            if let Some(gauge) = gauges.get(application)
                && gauge.value.swap(value, Relaxed) != value
            {
                self.is_behind.store(true, Relaxed);
            }
        }
    }

    /// Passes everything to the host, on a tick.
    pub(super) fn flush(&self, host: Configuration<'_>) {
        if let Some(newer) = self.newer
            && self.is_behind.swap(false, Relaxed)
        {
            self.pass_on(&|kind, id, labels, value| match kind {
                Kind::Counter => host.add(newer, id, labels, value),
                Kind::Gauge => host.set(newer, id, labels, value),
            });
        }
    }

    /// Passes everything to an older host, with a request.
    pub(super) fn flush_with(&self, stream: &Stream) {
        if self.newer.is_none() && self.is_behind.swap(false, Relaxed) {
            self.pass_on(&|kind, id, labels, value| match kind {
                Kind::Counter => stream.count(id, labels, value),
                Kind::Gauge => stream.show(id, labels, value),
            });
        }
    }

    /// Counters at 0 are passed on too, once: the host shows them then, and Prometheus' `increase`
    /// does not miss the first count.
    fn pass_on(&self, sink: &Sink<'_>) {
        let is_first = !self.is_shown.swap(true, Relaxed);
        for count in &self.counts {
            if let Some(id) = count.id
                && (is_first || count.pending.load(Relaxed) > 0)
            {
                sink(Kind::Counter, id, &count.values, count.pending.swap(0, Relaxed));
            }
        }
        for (counter, count) in std::mem::take(&mut *lock(&self.reported)) {
            if let Some(id) = self.reported_id {
                let flat = counter.to_string();
                let (_, _, values) = parts(&flat);
                sink(Kind::Counter, id, &values, count);
            }
        }
        if let Some(id) = self.internal_id {
            sink(Kind::Counter, id, &[], self.internal.swap(0, Relaxed));
        }
        for gauge in self.ups.iter().chain(&self.breakers) {
            if let Some(id) = gauge.id {
                let value = u64::from(gauge.value.load(Relaxed));
                sink(Kind::Gauge, id, gauge.application.as_slice(), value);
            }
        }
    }
}
