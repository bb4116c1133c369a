//! One plugin configuration: it is read at start, runs on ticks, and checks Duo in the background.

use super::callback::{Callback, with_event};
use super::host::{self, Metric};
use super::later;
use super::plugin::Plugin;
use super::streams::Streams;
use crate::adapter::background::{Background, Main};
use crate::adapter::calls::Unsent;
use crate::adapter::traits::Caller;
use crate::config::Config;
use crate::gate::{Call, Gate, counters};
use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

/// The interval at which waiting calls are sent and counts are passed to the host.
const TICK: Duration = Duration::from_millis(250);

/// The root context.
pub(super) struct Root {
    context: u32,
    plugin: OnceCell<Rc<Plugin>>,
    background: Background,
    /// The gauges of Duo's health and of the outage breaker for each Duo application, by its number.
    gauges: OnceCell<Vec<[Option<Metric>; 2]>>,
}

impl Root {
    pub(super) fn new(context: u32) -> Self {
        let background = Background::default();
        Self { context, plugin: OnceCell::new(), background, gauges: OnceCell::new() }
    }

    pub(super) const fn context(&self) -> u32 {
        self.context
    }

    /// The running configuration; `None` before it is configured.
    pub(super) fn plugin(&self) -> Option<Rc<Plugin>> {
        self.plugin.get().cloned()
    }

    /// Reads the configuration that the host offers. `false` refuses it; the log says why.
    pub(super) fn configure(&self, size: usize) -> bool {
        let bytes = host::plugin_configuration(size).unwrap_or_default();
        match Config::parse(&bytes, &host::environment) {
            Ok(config) => {
                let gauges = config.applications.iter().map(|it| {
                    ["duo_mfa_duo_up", "duo_mfa_breaker_open"].map(|gauge| match &it.name {
                        None => host::gauge(gauge),
                        Some(name) => host::gauge(&format!("{gauge}.application.{name}")),
                    })
                });
                let _ = self.gauges.set(gauges.collect());
                log::debug!("configured");
                let plugin = Plugin::new(Gate::new(config), &bytes);
                plugin.stats.define(counters());
                self.plugin.set(Rc::new(plugin)).is_ok() && host::tick_each(TICK).is_ok()
            }
            Err(faults) => {
                for fault in faults.iter() {
                    log::error!("{fault}");
                }
                false
            }
        }
    }

    pub(super) fn tick(&self, streams: &Streams) {
        if let Some(plugin) = self.plugin() {
            // A root's call is answered in the root's context, but the host acts for the context
            // that was used last.
            let _ = host::act_for(self.context);
            let now = plugin.refresh_clock();
            plugin.stats.flush();
            self.background.tick(&self.main(&plugin), now);
            later::send_due(&plugin, now, streams);
            later::note_calls(&plugin, now, streams);
            later::end_late(&plugin, now, streams);
        }
    }

    /// Handles the end of a call. `false` if it is not a call of this root.
    pub(super) fn answered(&self, callback: Callback) -> bool {
        let Some(awaiting) = self.background.awaiting(callback.token) else { return false };
        if let Some(plugin) = self.plugin() {
            let main = self.main(&plugin);
            with_event(callback, |event| self.background.answered(&main, awaiting, event));
        }
        true
    }

    fn main<'a>(&'a self, plugin: &'a Plugin) -> Running<'a> {
        Running { plugin, gauges: self.gauges.get().map(Vec::as_slice).unwrap_or_default() }
    }
}

/// A root whose configuration is in use. The host acts for it.
struct Running<'a> {
    plugin: &'a Plugin,
    gauges: &'a [[Option<Metric>; 2]],
}

impl Caller for Running<'_> {
    fn dispatch(&self, cluster: &str, call: &Call) -> Result<u64, Unsent> {
        host::dispatch(cluster, &call.signed, call.timeout)
    }
}

impl Main for Running<'_> {
    type Shared = Plugin;

    fn shared(&self) -> &Plugin {
        self.plugin
    }

    fn show(&self, application: usize, is_ready: bool, is_refused: bool) {
        let values = [is_ready, is_refused];
        let gauges = self.gauges.get(application).into_iter().flatten().zip(values);
        for (gauge, value) in gauges {
            if let Some(gauge) = gauge {
                gauge.set(u64::from(value));
            }
        }
    }
}
