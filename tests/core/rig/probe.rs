//! Drives the background check of Duo, as Envoy does.

use super::{Rig, Scripted, drawn, ok};
use duo_mfa::clock::ClockOffset;
use duo_mfa::duo::{Endpoint, Response, SignedCall};
use duo_mfa::gate::{Api, Env, Event, Found, Health, KeyPair, Probe, ProbeStep};
use duo_mfa::signal::Signal;
use serde_json::json;

/// The end of a check.
pub(crate) struct Checked {
    pub(crate) found: Found,
    pub(crate) offset: Option<ClockOffset>,
    pub(crate) line: Signal,
    pub(crate) calls: Vec<SignedCall>,
}

impl Rig {
    /// Runs the background check of the Auth API's keys with a fault at each call that can have it. A ping is not
    /// signed, so Duo cannot refuse its credentials or its date.
    pub(crate) fn check_meets(&mut self, fault: &Scripted) -> Health {
        let is_refusal = matches!(fault, Scripted::Says { status: 401 | 403, .. });
        let time = self.now.seconds();
        let checked = self.check(KeyPair { application: 0, api: Api::AuthApi }, |call| {
            let is_ping = call.endpoint == Endpoint::Ping;
            if is_ping && is_refusal { ok(&json!({"time": time})) } else { fault.clone() }
        });
        assert_eq!(checked.offset.unwrap_or_default(), ClockOffset::default());
        self.health
    }

    /// Runs the background check of these keys. Each of its calls is answered by `duo`.
    pub(crate) fn check(
        &mut self,
        keys: KeyPair,
        mut duo: impl FnMut(&SignedCall) -> Scripted,
    ) -> Checked {
        self.health_of(keys.api).checked = self.now;
        let mut calls = Vec::new();
        let mut step = Probe::begin(keys, &self.env());
        loop {
            match step {
                ProbeStep::Call { call, then } => {
                    let says = duo(&call.signed);
                    calls.push(call.signed);
                    step = match &says {
                        Scripted::Says { status, retry_after, body, .. } => {
                            let retry_after = retry_after.map(str::as_bytes);
                            let body = body.as_bytes();
                            let answer = Response { status: *status, retry_after, body };
                            then.handle(Event::Answered(answer), &self.env())
                        }
                        Scripted::Fails(why) => then.handle(Event::Failed(*why), &self.env()),
                    };
                }
                ProbeStep::Done { keys, began, found, offset, wait, line } => {
                    let before = *self.health_of(keys.api);
                    let duo = &self.gate.config().applications.get(keys.application).duo;
                    let mut health = before.checked(found, began, duo);
                    if let Some(wait) = wait.filter(|_| self.breaks) {
                        health.breaker = health.breaker.check_asked(wait, self.now);
                    }
                    *self.health_of(keys.api) = health;
                    return Checked { found, offset, line, calls };
                }
            }
        }
    }

    fn health_of(&mut self, api: Api) -> &mut Health {
        match (api, &mut self.web_sdk_health) {
            (Api::WebSdk, Some(health)) => health,
            (Api::WebSdk, None) | (Api::AuthApi, _) => &mut self.health,
        }
    }

    /// The health of all keys.
    pub(super) fn healths(&self) -> Vec<(KeyPair, Health)> {
        let keys = self.gate.key_pairs();
        keys.map(|keys| {
            let health = match keys.api {
                Api::AuthApi => self.health,
                Api::WebSdk => self.web_sdk_health.unwrap_or(self.health),
            };
            (keys, Health { offset: self.offsets[keys.application], ..health })
        })
        .collect()
    }

    pub(crate) fn env(&self) -> Env<'_> {
        let random = self.random.map(|_| drawn());
        Env { gate: &self.gate, now: self.now, healths: self.healths(), random }
    }
}
