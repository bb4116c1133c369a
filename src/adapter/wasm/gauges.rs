//! The gauges. A host has one gauge of a name for all workers, so each VM sets what is the same in all
//! of them, and adds its own part to what is a sum.

use super::host::{self, Metric};
use crate::clock::ClockOffset;
use crate::config::Applications;
use crate::signal::Gauge;
use std::cell::Cell;

/// The gauges of one configuration.
pub(super) struct Gauges {
    /// Duo's health and the outage breaker of each Duo application, by its number.
    applications: Vec<[Option<Metric>; 2]>,
    /// How far Duo's clock is ahead, and how far it is behind.
    clock: [Option<Metric>; 2],
    build: Option<Metric>,
    configuration: Option<Metric>,
}

impl Gauges {
    /// `hash` is that of the configuration.
    pub(super) fn define(applications: &Applications, hash: &str) -> Self {
        let applications = applications.iter().map(|it| {
            let name = it.name.as_deref();
            [Gauge::DuoUp(name), Gauge::BreakerOpen(name)].map(host::gauge)
        });
        Self {
            applications: applications.collect(),
            clock: [Gauge::ClockAhead, Gauge::ClockBehind].map(host::gauge),
            build: host::gauge(Gauge::BuildInfo),
            configuration: host::gauge(Gauge::Configuration(hash)),
        }
    }

    /// Shows whether Duo is well, and whether the outage breaker is open.
    pub(super) fn show(&self, application: usize, values: [bool; 2]) {
        for (gauge, value) in self.applications.get(application).into_iter().flatten().zip(values) {
            set(*gauge, u64::from(value));
        }
    }

    pub(super) fn show_clock(&self, offset: ClockOffset) {
        for (gauge, seconds) in self.clock.iter().zip(offset.ahead_and_behind()) {
            set(*gauge, seconds);
        }
    }

    /// Shows that the configuration is in use. Called on each tick: Envoy also makes VMs that only
    /// try a configuration, and another configuration with the same hash may end.
    pub(super) fn show_use(&self) {
        set(self.build, 1);
        set(self.configuration, 1);
    }

    /// Shows that the configuration is in use no more.
    pub(super) fn show_end(&self) {
        set(self.configuration, 0);
    }
}

fn set(gauge: Option<Metric>, value: u64) {
    if let Some(gauge) = gauge {
        gauge.set(value);
    }
}

/// The part of one VM in the gauge of requests that wait.
pub(super) struct Held {
    gauge: Cell<Option<Metric>>,
    /// The part that the host has.
    shown: Cell<usize>,
}

impl Held {
    pub(super) const fn new() -> Self {
        Self { gauge: Cell::new(None), shown: Cell::new(0) }
    }

    pub(super) fn define(&self) {
        self.gauge.set(self.gauge.get().or_else(|| host::gauge(Gauge::HeldRequests)));
    }

    pub(super) fn show(&self, held: usize) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let change = number(held).saturating_sub(number(self.shown.get()));
        if let Some(gauge) = self.gauge.get().filter(|_| change != 0) {
            gauge.shift(change);
            self.shown.set(held);
        }
    }
}
