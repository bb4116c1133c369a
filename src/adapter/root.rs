//! One plugin configuration: read at start, ticking, checking Duo in the background.

use super::host::{self, Metric};
use super::plugin::{Callback, Plugin, with_event};
use super::slots;
use super::streams::Streams;
use crate::clock::UnixTime;
use crate::config::Config;
use crate::gate::{Check, CheckStep, Event, Gate, Health, Standing};
use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::time::Duration;

/// How often waiting calls are looked at and counts handed over.
const TICK: Duration = Duration::from_millis(250);

/// The root context.
pub(super) struct Root {
    context: u32,
    plugin: OnceCell<Rc<Plugin>>,
    check: Cell<Option<(u32, Check)>>,
    /// The call for the account's picture that is out.
    logo: Cell<Option<u32>>,
    up: Cell<Option<Metric>>,
}

impl Root {
    pub(super) const fn new(context: u32) -> Self {
        Self {
            context,
            plugin: OnceCell::new(),
            check: Cell::new(None),
            logo: Cell::new(None),
            up: Cell::new(None),
        }
    }

    pub(super) const fn context(&self) -> u32 {
        self.context
    }

    /// What is at work, once it is configured.
    pub(super) fn plugin(&self) -> Option<Rc<Plugin>> {
        self.plugin.get().cloned()
    }

    fn check_if_due(&self, plugin: &Plugin, health: &Health, now: UnixTime) {
        if let Some(up) = self.up.get() {
            up.set(u64::from(health.is_ready()));
        }
        let interval = plugin.gate.config().duo.check_interval;
        let check = self.check.take();
        let is_idle = check.is_none();
        self.check.set(check);
        if is_idle && health.is_due(now, interval) && plugin.record.claim(now, interval) {
            self.go_on(plugin, Check::begin(&plugin.gate, now));
        }
    }

    /// Each VM has a picture of its own: the host's shared data would hold it for good.
    fn fetch_logo_if_due(&self, plugin: &Plugin, health: &Health, now: UnixTime) {
        let call = plugin.with_logo(|logo| {
            let is_due = self.logo.get().is_none() && logo.is_due(&plugin.gate, health, now);
            is_due.then(|| logo.fetch(&plugin.gate, health, now))
        });
        if let Some(call) = call {
            match plugin.dispatch(&call.signed, call.timeout) {
                Ok(token) => self.logo.set(Some(token)),
                Err(unsent) => {
                    let event = Event::Failed(unsent.into());
                    let said = plugin.with_logo(|logo| logo.learn(&event));
                    plugin.stats.take(Vec::from_iter(said));
                }
            }
        }
    }

    fn go_on(&self, plugin: &Plugin, mut step: CheckStep) {
        loop {
            match step {
                CheckStep::Call { call, then } => {
                    match plugin.dispatch(&call.signed, call.timeout) {
                        Ok(token) => {
                            self.check.set(Some((token, then)));
                            return;
                        }
                        Err(unsent) => {
                            let now = host::now().unwrap_or_default();
                            let event = Event::Failed(unsent.into());
                            step = then.handle(event, &plugin.gate, now);
                        }
                    }
                }
                CheckStep::Done { standing, offset, line } => {
                    let is_other = plugin.record.write(standing, offset);
                    if is_other || standing == Standing::Misconfigured {
                        plugin.stats.take(vec![line]);
                    }
                    return;
                }
            }
        }
    }

    /// The host offers a configuration; no refuses it, and the log says why.
    pub(super) fn configure(&self, size: usize) -> bool {
        let bytes = host::plugin_configuration(size).unwrap_or_default();
        match Config::parse(&bytes, &host::environment) {
            Ok(config) => {
                slots::create();
                self.up.set(host::gauge("duo_mfa_duo_up"));
                log::debug!("configured");
                self.plugin.set(Rc::new(Plugin::new(Gate::new(config)))).is_ok()
                    && host::tick_each(TICK).is_ok()
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
            let now = plugin.refresh_clock();
            plugin.stats.flush();
            let health = plugin.refresh_health();
            self.check_if_due(&plugin, &health, now);
            self.fetch_logo_if_due(&plugin, &health, now);
            plugin.send_due(now, streams);
            plugin.end_late(now, streams);
            // The streams are served; the host acts for the root again.
            let _ = host::act_for(self.context);
        }
    }

    /// A call is over. No where it is none of this root's own.
    pub(super) fn answered(&self, callback: Callback) -> bool {
        if self.logo.get() == Some(callback.token) {
            self.logo.set(None);
            if let Some(plugin) = self.plugin() {
                let said =
                    with_event(callback, |event| plugin.with_logo(|logo| logo.learn(&event)));
                plugin.stats.take(Vec::from_iter(said));
            }
            return true;
        }
        match (self.check.take(), self.plugin()) {
            (Some((sent, check)), Some(plugin)) if sent == callback.token => {
                let now = host::now().unwrap_or_default();
                let step = with_event(callback, |event| check.handle(event, &plugin.gate, now));
                self.go_on(&plugin, step);
                true
            }
            (other, _) => {
                self.check.set(other);
                false
            }
        }
    }
}
