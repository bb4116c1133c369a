//! One plugin configuration: read at start, ticking, checking Duo in the background.

use super::host::{self, Metric};
use super::plugin::{Callback, Plugin, with_event};
use super::slots;
use super::stream::Stream;
use crate::clock::UnixTime;
use crate::config::Config;
use crate::gate::{Check, CheckStep, Event, Gate, Standing};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use std::rc::Rc;
use std::time::Duration;

/// How often waiting calls are looked at and counts handed over.
const TICK: Duration = Duration::from_millis(250);

/// The root context.
pub(super) struct Root {
    context: u32,
    plugin: Option<Rc<Plugin>>,
    check: Option<(u32, Check)>,
    up: Option<Metric>,
}

impl Root {
    pub(super) const fn new(context: u32) -> Self {
        Self { context, plugin: None, check: None, up: None }
    }

    fn check_if_due(&mut self, plugin: &Plugin, now: UnixTime) {
        let health = plugin.refresh_health();
        if let Some(up) = self.up {
            up.set(u64::from(health.is_ready()));
        }
        let interval = plugin.gate.config().duo.check_interval;
        if self.check.is_none()
            && health.is_due(now, interval)
            && plugin.record.claim(now, interval)
        {
            self.go_on(plugin, Check::begin(&plugin.gate, now));
        }
    }

    fn go_on(&mut self, plugin: &Plugin, mut step: CheckStep) {
        loop {
            match step {
                CheckStep::Call { call, then } => {
                    match plugin.dispatch(&call.signed, call.timeout) {
                        Ok(token) => {
                            self.check = Some((token, then));
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
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize, _: usize) {
        let Some(plugin) = self.plugin.clone() else {
            return;
        };
        let callback = Callback { token, headers, body };
        match self.check.take() {
            Some((sent, check)) if sent == token => {
                let now = host::now().unwrap_or_default();
                let step = with_event(callback, |event| check.handle(event, &plugin.gate, now));
                self.go_on(&plugin, step);
                return;
            }
            other => self.check = other,
        }
        // A call that a tick has sent for a request.
        if let Some(context) = plugin.waiting.context_of(token)
            && host::act_for(context).is_ok()
        {
            plugin.answered(context, callback);
        }
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        let bytes = host::plugin_configuration(size).unwrap_or_default();
        match Config::parse(&bytes, &host::environment) {
            Ok(config) => {
                slots::create();
                self.plugin = Some(Rc::new(Plugin::new(Gate::new(config))));
                self.up = host::gauge("duo_mfa_duo_up");
                log::debug!("configured");
                host::tick_each(TICK).is_ok()
            }
            Err(faults) => {
                for fault in faults.iter() {
                    log::error!("{fault}");
                }
                false
            }
        }
    }

    fn on_tick(&mut self) {
        if let Some(plugin) = self.plugin.clone() {
            let now = plugin.refresh_clock();
            plugin.stats.flush();
            self.check_if_due(&plugin, now);
            plugin.send_due(now);
            // The streams are served; the host acts for the root again.
            let _ = host::act_for(self.context);
        }
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        let plugin = self.plugin.clone()?;
        Some(Box::new(Stream::new(context, plugin)))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
