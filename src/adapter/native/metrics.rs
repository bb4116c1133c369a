//! Counters, gauges and a histogram, with labels.
//!
//! Counts are added up in memory. The tick passes them to the host; a host that takes counts only
//! for a request (Envoy 1.38) gets them with the next one.

use super::abi::Configuration;
use super::abi::metrics::{Kind, Newer};
use super::lock;
use super::stream::Stream;
use crate::clock::ClockOffset;
use crate::config::Applications;
use crate::gate::counters;
use crate::signal::{Code, Counter, Gauge, TimeToApproval};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Counts requests that a fault of the filter itself has ended.
const INTERNAL: &str = "duo_mfa_internal_errors";

/// How many requests wait, in all workers and all configurations of this process. The host has one
/// gauge for them.
static HELD: AtomicU64 = AtomicU64::new(0);

/// How many configurations with each hash are in use in this process. One whose number is 0 was in
/// use before.
static IN_USE: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

/// The value that the host has of a gauge, before it has one.
const NEVER: u64 = u64::MAX;

/// Counts a request that begins or ends to wait.
pub(super) fn count_held(is_added: bool) {
    if is_added {
        HELD.fetch_add(1, Relaxed)
    } else {
        HELD.fetch_sub(1, Relaxed)
    };
}

/// Records a configuration with this hash that is taken into use.
fn note_use(hash: &str) {
    let mut in_use = lock(&IN_USE);
    let count = in_use.entry(hash.to_owned()).or_default();
    *count = count.saturating_add(1);
}

/// Name, labels and values of a counter, by its flat name, `name.label.value.label.value`.
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

/// A gauge, and the value of its label, if it has one.
struct Shown {
    id: Option<usize>,
    label: Option<String>,
    value: AtomicU64,
    /// The value that the host has.
    passed: AtomicU64,
}

impl Shown {
    fn define(host: Configuration<'_>, gauge: Gauge<'_>, value: u64) -> Self {
        let (name, label) = gauge.parts();
        let labels = label.map(|(label, _)| label);
        Self {
            id: host.define(Kind::Gauge, name, labels.as_slice()),
            label: label.map(|(_, value)| value.to_owned()),
            value: AtomicU64::new(value),
            passed: AtomicU64::new(NEVER),
        }
    }

    /// `true` if that is another value.
    fn show(&self, value: u64) -> bool {
        self.value.swap(value, Relaxed) != value
    }
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
    /// The times to an approval that the host does not have yet.
    times: Mutex<Vec<TimeToApproval>>,
    times_id: Option<usize>,
    /// Duo's health for each application, by its number.
    ups: Vec<Shown>,
    /// Whether the outage breaker of each application is open.
    breakers: Vec<Shown>,
    /// How far Duo's clock is ahead, and how far it is behind.
    clock: [Shown; 2],
    held: Shown,
    build: Shown,
    /// The hash of this configuration.
    hash: String,
    hash_id: Option<usize>,
    /// The values that the host has for the hashes of all configurations.
    hashes: Mutex<BTreeMap<String, u64>>,
    /// Whether the host may not have all values yet.
    is_behind: AtomicBool,
    /// Whether the host has every counter.
    is_shown: AtomicBool,
}

/// Takes a metric's id, its label values and its value.
type Sink<'s> = dyn Fn(Kind, usize, &[String], u64) + 's;

/// Which gauges are passed on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passed {
    /// All. Another configuration may have changed one meanwhile.
    All,
    /// Those with another value: each costs a request some time.
    Changed,
}

impl Metrics {
    /// Defines everything, while the configuration is made. Later the host defines nothing more.
    /// `hash` is that of the configuration.
    pub(super) fn define(host: Configuration<'_>, applications: &Applications, hash: &str) -> Self {
        let mut ids: BTreeMap<String, Option<usize>> = BTreeMap::new();
        let counts = counters().map(|counter| {
            let flat = counter.to_string();
            let (name, labels, values) = parts(&flat);
            let defined = || host.define(Kind::Counter, name, &labels);
            let id = *ids.entry(name.to_owned()).or_insert_with(defined);
            Count { counter, values, id, pending: AtomicU64::new(0) }
        });
        let counts = counts.collect();
        let reported = Counter::Reported { rule: None, code: Code::BadRequest }.to_string();
        let (name, labels, _) = parts(&reported);
        let names = || applications.iter().map(|it| it.name.as_deref());
        let ups = names().map(|name| Shown::define(host, Gauge::DuoUp(name), 0));
        let breakers = names().map(|name| Shown::define(host, Gauge::BreakerOpen(name), 0));
        let times = TimeToApproval::HISTOGRAM;
        let in_use = Shown::define(host, Gauge::Configuration(hash), 1);
        note_use(hash);
        Self {
            newer: Newer::find(),
            counts,
            reported: Mutex::default(),
            reported_id: host.define(Kind::Counter, name, &labels),
            internal: AtomicU64::new(0),
            internal_id: host.define(Kind::Counter, INTERNAL, &[]),
            times: Mutex::default(),
            times_id: host.define(Kind::Histogram, times, &[TimeToApproval::LABEL]),
            ups: ups.collect(),
            breakers: breakers.collect(),
            clock: [Gauge::ClockAhead, Gauge::ClockBehind].map(|it| Shown::define(host, it, 0)),
            held: Shown::define(host, Gauge::HeldRequests, 0),
            build: Shown::define(host, Gauge::BuildInfo, 1),
            hash: hash.to_owned(),
            hash_id: in_use.id,
            hashes: Mutex::default(),
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

    /// Adds a value to the histogram of the time to an approval.
    pub(super) fn observe(&self, time: TimeToApproval) {
        lock(&self.times).push(time);
        self.is_behind.store(true, Relaxed);
    }

    /// Shows whether the last check of a Duo application succeeded, and whether the outage breaker of
    /// its calls is open.
    pub(super) fn show(&self, application: usize, is_ready: bool, is_refused: bool) {
        for (gauges, value) in [(&self.ups, is_ready), (&self.breakers, is_refused)] {
            if gauges.get(application).is_some_and(|gauge| gauge.show(u64::from(value))) {
                self.is_behind.store(true, Relaxed);
            }
        }
    }

    /// Shows how far Duo's clock is from this host's.
    pub(super) fn show_clock(&self, offset: ClockOffset) {
        for (gauge, seconds) in self.clock.iter().zip(offset.ahead_and_behind()) {
            if gauge.show(seconds) {
                self.is_behind.store(true, Relaxed);
            }
        }
    }

    /// Passes everything to the host, on a tick.
    pub(super) fn flush(&self, host: Configuration<'_>) {
        if let Some(newer) = self.newer {
            let sink: &Sink<'_> =
                &|kind, id, labels, value| host.pass(newer, (kind, id), labels, value);
            self.pass_gauges(Passed::All, sink);
            if self.is_behind.swap(false, Relaxed) {
                self.pass_counts(sink);
            }
        }
    }

    /// Passes everything to an older host, with a request.
    pub(super) fn flush_with(&self, stream: &Stream) {
        if self.newer.is_some() {
            return;
        }
        let is_held_new = HELD.load(Relaxed) != self.held.passed.load(Relaxed);
        if self.is_behind.swap(false, Relaxed) || is_held_new {
            let sink: &Sink<'_> = &|kind, id, labels, value| stream.pass(kind, id, labels, value);
            self.pass_gauges(Passed::Changed, sink);
            self.pass_counts(sink);
        }
    }

    /// Counters at 0 are passed on too, once: the host shows them then, and Prometheus' `increase`
    /// does not miss the first count.
    fn pass_counts(&self, sink: &Sink<'_>) {
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
        for TimeToApproval { factor, millis } in std::mem::take(&mut *lock(&self.times)) {
            if let Some(id) = self.times_id {
                sink(Kind::Histogram, id, &[factor.to_owned()], millis);
            }
        }
    }

    fn pass_gauges(&self, which: Passed, sink: &Sink<'_>) {
        self.held.show(HELD.load(Relaxed));
        let of_applications = self.ups.iter().chain(&self.breakers);
        for gauge in of_applications.chain(&self.clock).chain([&self.held, &self.build]) {
            let value = gauge.value.load(Relaxed);
            let is_other = gauge.passed.swap(value, Relaxed) != value;
            if let Some(id) = gauge.id.filter(|_| is_other || which == Passed::All) {
                sink(Kind::Gauge, id, gauge.label.as_slice(), value);
            }
        }
        let Some(id) = self.hash_id else { return };
        let mut passed = lock(&self.hashes);
        for (hash, count) in &*lock(&IN_USE) {
            let value = u64::from(*count > 0);
            let is_other = passed.get(hash) != Some(&value);
            if is_other {
                passed.insert(hash.clone(), value);
            }
            if is_other || which == Passed::All {
                sink(Kind::Gauge, id, std::slice::from_ref(hash), value);
            }
        }
    }
}

impl Drop for Metrics {
    /// The next tick of another configuration shows that this one is in use no more.
    fn drop(&mut self) {
        if let Some(count) = lock(&IN_USE).get_mut(&self.hash) {
            *count = count.saturating_sub(1);
        }
    }
}
