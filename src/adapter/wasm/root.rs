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
    /// The gauge of Duo's health for each Duo application, by its number.
    ups: OnceCell<Vec<Option<Metric>>>,
}

impl Root {
    pub(super) fn new(context: u32) -> Self {
        let background = Background::default();
        Self { context, plugin: OnceCell::new(), background, ups: OnceCell::new() }
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
                let ups = config.applications.iter().map(|it| match &it.name {
                    None => host::gauge("duo_mfa_duo_up"),
                    Some(name) => host::gauge(&format!("duo_mfa_duo_up.application.{name}")),
                });
                let _ = self.ups.set(ups.collect());
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
        Running { plugin, ups: self.ups.get().map(Vec::as_slice).unwrap_or_default() }
    }
}

/// A root whose configuration is in use. The host acts for it.
struct Running<'a> {
    plugin: &'a Plugin,
    ups: &'a [Option<Metric>],
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

    fn show(&self, application: usize, is_ready: bool) {
        if let Some(Some(up)) = self.ups.get(application) {
            up.set(u64::from(is_ready));
        }
    }
}
