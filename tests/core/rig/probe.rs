//! Drives the background check of Duo, as Envoy does.

use super::{Rig, Scripted, ok};
use duo_mfa::clock::ClockOffset;
use duo_mfa::duo::{Endpoint, Response};
use duo_mfa::gate::{Event, Health, Probe, ProbeStep};
use serde_json::json;

impl Rig {
    /// Runs the background check with a fault at each call that can have it. A ping is not signed, so Duo cannot
    /// refuse its credentials or its date.
    pub(crate) fn check_meets(&mut self, fault: &Scripted) -> Health {
        let is_refusal = matches!(fault, Scripted::Says { status: 401 | 403, .. });
        self.health.checked = self.now;
        let mut step = Probe::begin(&self.gate, 0, self.now);
        loop {
            match step {
                ProbeStep::Call { call, then } => {
                    let is_ping = call.signed.endpoint == Endpoint::Ping;
                    let says = match is_ping && is_refusal {
                        true => ok(&json!({"time": self.now.seconds()})),
                        false => fault.clone(),
                    };
                    step = match &says {
                        Scripted::Says { status, retry_after, body, .. } => {
                            let retry_after = retry_after.map(str::as_bytes);
                            let body = body.as_bytes();
                            let answer = Response { status: *status, retry_after, body };
                            then.handle(Event::Answered(answer), &self.gate, self.now)
                        }
                        Scripted::Fails(why) => {
                            then.handle(Event::Failed(*why), &self.gate, self.now)
                        }
                    };
                }
                ProbeStep::Done { application, began, found, offset, .. } => {
                    assert_eq!(offset.unwrap_or_default(), ClockOffset::default());
                    let duo = &self.gate.config().applications.get(application).duo;
                    self.health = self.health.checked(found, began, duo);
                    return self.health;
                }
            }
        }
    }
}
