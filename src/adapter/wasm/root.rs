//! One plugin configuration: it is read at start, runs on ticks, and checks Duo in the background.

use super::callback::{Callback, with_event};
use super::host;
use super::later;
use super::plugin::Plugin;
use super::streams::Streams;
use crate::adapter::background::{Background, Main};
use crate::adapter::calls::Unsent;
use crate::adapter::traits::Caller;
use crate::clock::ClockOffset;
use crate::config::Config;
use crate::gate::{Call, Gate};
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
}

impl Root {
    pub(super) fn new(context: u32) -> Self {
        Self { context, plugin: OnceCell::new(), background: Background::default() }
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
        let environment = host::Environment::read();
        match Config::parse(&bytes, &|name: &str| environment.variable(name)) {
            Ok(config) => {
                log::debug!("configured");
                // Without ticks the clock would stand still, so the root gets no plugin then.
                let plugin = Plugin::new(Gate::new(config));
                host::tick_each(TICK).is_ok() && self.plugin.set(Rc::new(plugin)).is_ok()
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
            plugin.gauges.show_use();
            self.background.tick(&Running(&plugin), now);
            later::send_due(&plugin, now, streams);
            later::note_calls(&plugin, now, streams);
            later::end_late(&plugin, now, streams);
        }
    }

    /// Handles the end of a call. `false` if it is not a call of this root.
    pub(super) fn answered(&self, callback: Callback) -> bool {
        let Some(awaiting) = self.background.awaiting(callback.token) else { return false };
        if let Some(plugin) = self.plugin() {
            let main = Running(&plugin);
            with_event(callback, |event| self.background.answered(&main, awaiting, event));
        }
        true
    }

    /// Handles the end of the root.
    pub(super) fn ended(&self) {
        if let Some(plugin) = self.plugin() {
            plugin.gauges.show_end();
        }
    }
}

/// A root whose configuration is in use. The host acts for it.
struct Running<'a>(&'a Plugin);

impl Caller for Running<'_> {
    fn dispatch(&self, cluster: &str, call: &Call) -> Result<u64, Unsent> {
        host::dispatch(cluster, &call.signed, call.timeout)
    }
}

impl Main for Running<'_> {
    type Shared = Plugin;

    fn shared(&self) -> &Plugin {
        self.0
    }

    fn show(&self, application: usize, is_ready: bool, is_refused: bool) {
        self.0.gauges.show(application, [is_ready, is_refused]);
    }

    fn show_clock(&self, offset: ClockOffset) {
        self.0.gauges.show_clock(offset);
    }
}
