//! One plugin configuration: it is read at start, runs on ticks, and checks Duo in the background.

use super::callback::{Callback, with_event};
use super::host::{self, Metric};
use super::later;
use super::limit_table;
use super::plugin::Plugin;
use super::streams::Streams;
use crate::clock::UnixTime;
use crate::config::Config;
use crate::gate::{Api, Env, Event, Found, Gate, Health, KeyPair, Probe, ProbeStep, counters};
use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::time::Duration;

/// The interval at which waiting calls are sent and counts are passed to the host.
const TICK: Duration = Duration::from_millis(250);

/// The root context.
pub(super) struct Root {
    context: u32,
    plugin: OnceCell<Rc<Plugin>>,
    /// The checks under way, each with the token of its call.
    checks: Cell<Vec<(u32, Probe)>>,
    /// The token of the call for the account's picture.
    logo: Cell<Option<u32>>,
    /// The gauge of Duo's health for each Duo application, by its number.
    ups: OnceCell<Vec<Option<Metric>>>,
}

impl Root {
    pub(super) const fn new(context: u32) -> Self {
        Self {
            context,
            plugin: OnceCell::new(),
            checks: Cell::new(Vec::new()),
            logo: Cell::new(None),
            ups: OnceCell::new(),
        }
    }

    pub(super) const fn context(&self) -> u32 {
        self.context
    }

    /// The running configuration; `None` before it is configured.
    pub(super) fn plugin(&self) -> Option<Rc<Plugin>> {
        self.plugin.get().cloned()
    }

    fn check_if_due(&self, plugin: &Plugin, now: UnixTime) {
        for (number, up) in self.ups.get().into_iter().flatten().enumerate() {
            if let Some(up) = up {
                up.set(u64::from(plugin.healths.are_well(number)));
            }
        }
        for (keys, record, health) in plugin.healths.iter() {
            let interval =
                plugin.gate.config().applications.get(keys.application).duo.check_interval;
            if !self.checks(keys) && health.is_due(now, interval) && record.reserve(now, interval) {
                self.go_on(plugin, Probe::begin(keys, &Env { now, ..plugin.env() }));
            }
        }
    }

    /// Whether a check of these keys is under way.
    fn checks(&self, keys: KeyPair) -> bool {
        let checks = self.checks.take();
        let is_checked = checks.iter().any(|(_, check)| check.keys() == keys);
        self.checks.set(checks);
        is_checked
    }

    /// Removes and returns the check that waits for this call.
    fn take_check(&self, token: u32) -> Option<Probe> {
        let mut checks = self.checks.take();
        let place = checks.iter().position(|(sent, _)| *sent == token);
        let check = place.map(|place| checks.swap_remove(place).1);
        self.checks.set(checks);
        check
    }

    /// Fetches the picture if it is due. Each VM has its own copy, since shared data can never be
    /// removed.
    fn fetch_logo_if_due(&self, plugin: &Plugin, health: &Health, now: UnixTime) {
        let call = plugin.with_logo(|logo| {
            let is_due = self.logo.get().is_none() && logo.is_due(&plugin.gate, health, now);
            is_due.then(|| logo.fetch(&plugin.gate, health, now)).flatten()
        });
        if let Some(call) = call {
            let keys = KeyPair { application: call.application, api: Api::AuthApi };
            match plugin.dispatch(&call, &|| plugin.healths.is_occupied(keys, now)) {
                Ok(token) => self.logo.set(Some(token)),
                Err(not_sent) => {
                    let said = plugin.with_logo(|logo| logo.learn(Event::Failed(not_sent)));
                    plugin.stats.take(Vec::from_iter(said));
                }
            }
        }
    }

    fn go_on(&self, plugin: &Plugin, mut step: ProbeStep) {
        loop {
            match step {
                ProbeStep::Call { call, then } => match plugin.dispatch(&call, &|| {
                    let now = host::now().unwrap_or_default();
                    plugin.healths.is_occupied(then.keys(), now)
                }) {
                    Ok(token) => {
                        let now = host::now().unwrap_or_default();
                        plugin.healths.occupy_others(then.keys(), now);
                        let mut checks = self.checks.take();
                        checks.push((token, then));
                        self.checks.set(checks);
                        return;
                    }
                    Err(not_sent) => {
                        step = then.handle(Event::Failed(not_sent), &plugin.env());
                    }
                },
                ProbeStep::Done { keys, began, found, offset, line } => {
                    let record = plugin.healths.record(keys);
                    let duo = &plugin.gate.config().applications.get(keys.application).duo;
                    let is_other =
                        record.is_some_and(|record| record.write(found, began, offset, duo));
                    if is_other || matches!(found, Found::Misconfigured | Found::Nothing) {
                        plugin.stats.take(vec![line]);
                    }
                    return;
                }
            }
        }
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
                let plugin = Plugin::new(Gate::new(config));
                plugin.stats.define(counters());
                limit_table::create(&plugin.table);
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
            plugin.healths.refresh();
            self.check_if_due(&plugin, now);
            self.fetch_logo_if_due(&plugin, &plugin.healths.main(), now);
            later::send_due(&plugin, now, streams);
            later::note_calls(&plugin, now, streams);
            later::end_late(&plugin, now, streams);
        }
    }

    /// Handles the end of a call. `false` if it is not a call of this root.
    pub(super) fn answered(&self, callback: Callback) -> bool {
        if self.logo.get() == Some(callback.token) {
            self.logo.set(None);
            if let Some(plugin) = self.plugin() {
                let said = with_event(callback, |event| plugin.with_logo(|logo| logo.learn(event)));
                plugin.stats.take(Vec::from_iter(said));
            }
            return true;
        }
        let Some((plugin, check)) = self.plugin().zip(self.take_check(callback.token)) else {
            return false;
        };
        let step = with_event(callback, |event| check.handle(event, &plugin.env()));
        self.go_on(&plugin, step);
        true
    }
}
