//! The background check of Duo: whether it responds, whether it accepts the keys, and its time.
//!
//! Each [`KeyPair`] has its own check. Those of the Auth API are checked by `ping` and `check`, those
//! of a Web SDK application by `health_check`, whose response has Duo's time too.
//!
//! Each Envoy makes one check for all workers: a record in shared data, [`super::Health`], shows
//! which worker checks, and the result. Only this check can enable `fail_mode: safe`. A client can
//! make its own calls fail, by sending more of them than the cluster accepts at once, but not this
//! check.

mod found;
mod line;

use super::call::{Call, Question};
use super::env::Env;
use super::event::Event;
use super::key_pair::{Api, KeyPair};
use crate::clock::{ClockOffset, UnixTime};
use crate::duo::universal::{Cause, Health, PromptError, Refusal, WebSdk};
use crate::duo::{AskedWait, Credentials, DuoError, Outage, Request, Response};
use crate::signal::Signal;
pub use found::Found;
use line::Owner;
use std::sync::Arc;

/// A check under way.
#[derive(Clone, Debug)]
pub struct Probe {
    keys: KeyPair,
    began: UnixTime,
    asked: Asked,
}

/// The outstanding call, with the keys and the offset of Duo's clock for which it is signed.
#[derive(Clone, Debug)]
enum Asked {
    /// Asks whether Duo responds, and for its time. It is not signed.
    Ping(Arc<Credentials>),
    /// Asks whether the keys are valid.
    Check(Arc<Credentials>, ClockOffset),
    /// Asks whether Duo's Universal Prompt responds and accepts the keys.
    HealthCheck {
        web_sdk: Box<WebSdk>,
        offset: ClockOffset,
        /// Whether Duo has refused the date before, and the offset is from that response.
        is_corrected: bool,
    },
    /// Asks whether the Auth API accepts the keys that the Universal Prompt refuses. Duo's refusal is
    /// the same for a wrong secret and for the keys of an application of another type.
    Owner(Box<WebSdk>, ClockOffset, Box<Refusal>),
}

/// The next step of a check.
#[derive(Debug)]
pub enum ProbeStep {
    /// Make the call at once, and pass its outcome to the check.
    Call {
        /// The call.
        call: Call,
        /// The check that waits for the response.
        then: Probe,
    },
    /// The check has ended.
    Done {
        /// The keys that were checked.
        keys: KeyPair,
        /// When it began.
        began: UnixTime,
        /// The result.
        found: Found,
        /// The offset of Duo's clock, if the check returned it.
        offset: Option<ClockOffset>,
        /// The wait that Duo asked for, if it did.
        wait: Option<AskedWait>,
        /// The line for the log; equal results have equal lines.
        line: Signal,
    },
}

impl Probe {
    /// Begins a check of these keys. It finds nothing if the application has no such keys.
    #[must_use]
    pub fn begin(keys: KeyPair, env: &Env<'_>) -> ProbeStep {
        let began = env.now;
        match Asked::first(keys, env) {
            Some(asked) => Self { keys, began, asked }.call(env),
            None => {
                let fault = DuoError::Unreachable(Outage::NotSent);
                let line = line::failed(keys.api, None, &fault);
                ProbeStep::Done {
                    keys,
                    began,
                    found: Found::Nothing,
                    offset: None,
                    wait: None,
                    line,
                }
            }
        }
    }

    /// The keys that are checked.
    #[must_use]
    pub const fn keys(&self) -> KeyPair {
        self.keys
    }

    /// Handles the outcome of the outstanding call.
    #[must_use]
    pub fn handle(self, event: Event<'_>, env: &Env<'_>) -> ProbeStep {
        let Self { keys, began, asked } = self;
        let next = |asked| Self { keys, began, asked }.call(env);
        let wait = event.asked_wait();
        let done = |found, offset, line| ProbeStep::Done { keys, began, found, offset, wait, line };
        let application = env.gate.config().applications.get(keys.application);
        let (api, name) = (keys.api, application.name.as_deref());
        match asked {
            Asked::Ping(credentials) => match event.read(Response::ping) {
                Ok(theirs) => {
                    next(Asked::Check(credentials, ClockOffset::between(env.now, theirs)))
                }
                Err(fault) => done(Found::of(&fault), None, line::failed(api, name, &fault)),
            },
            Asked::Check(_, offset) => {
                let (found, line) = match event.read(Response::check) {
                    Ok(_) => (Found::Well, line::well(api, name, offset)),
                    Err(fault) => (Found::of(&fault), line::failed(api, name, &fault)),
                };
                done(found, Some(offset), line)
            }
            Asked::HealthCheck { web_sdk, offset, is_corrected } => {
                let signed_at = env.now.shifted(offset);
                let outcome = event.read(|response| response.health_check(signed_at));
                let theirs = match &outcome {
                    Ok(Health { time }) => *time,
                    Err(error) => error.duo_time(),
                };
                let learned = theirs.map(|theirs| ClockOffset::between(env.now, theirs));
                let offset = learned.unwrap_or(offset);
                match outcome {
                    Ok(_) => done(Found::Well, learned, line::well(api, name, offset)),
                    Err(PromptError::Refused(refusal))
                        if refusal.cause == Cause::Clock && learned.is_some() && !is_corrected =>
                    {
                        next(Asked::HealthCheck { web_sdk, offset, is_corrected: true })
                    }
                    Err(PromptError::Refused(refusal))
                        if refusal.cause == Cause::Credentials
                            && application.duo.credentials().is_some() =>
                    {
                        next(Asked::Owner(web_sdk, offset, Box::new(refusal)))
                    }
                    // Nothing is asked of the Auth API for an application that does not use it.
                    Err(PromptError::Refused(refusal)) if refusal.cause == Cause::Credentials => {
                        let line = line::refused_keys(name, refusal, Owner::Unknown);
                        done(Found::Misconfigured, learned, line)
                    }
                    Err(error) => {
                        let line = line::failed_health_check(name, &error, offset);
                        done(Found::of_prompt(&error), learned, line)
                    }
                }
            }
            Asked::Owner(_, offset, refusal) => {
                let is_accepted = event.read(Response::check).is_ok();
                let owner = if is_accepted { Owner::AuthApi } else { Owner::Unknown };
                let learned = refusal.duo_time.map(|_| offset);
                done(Found::Misconfigured, learned, line::refused_keys(name, *refusal, owner))
            }
        }
    }

    /// Makes the call.
    fn call(self, env: &Env<'_>) -> ProbeStep {
        let (question, offset) = self.asked.question(env);
        let application = self.keys.application;
        let call = Call::at_once(env.gate, application, &question, env.now.shifted(offset));
        ProbeStep::Call { call, then: self }
    }
}

impl Asked {
    /// The first call for these keys. `None` if the application has no such keys.
    fn first(keys: KeyPair, env: &Env<'_>) -> Option<Self> {
        let duo = &env.gate.config().applications.get(keys.application).duo;
        Some(match keys.api {
            Api::AuthApi => Self::Ping(Arc::clone(duo.credentials()?)),
            Api::WebSdk => Self::HealthCheck {
                web_sdk: Box::new(duo.universal()?.web_sdk.clone()),
                offset: env.health(keys).offset,
                is_corrected: false,
            },
        })
    }

    /// The question, and the offset of Duo's clock for which it is signed.
    fn question(&self, env: &Env<'_>) -> (Question, ClockOffset) {
        match self {
            Self::Ping(credentials) => {
                (Question::AuthApi(Arc::clone(credentials), Request::Ping), ClockOffset::default())
            }
            Self::Check(credentials, offset) => {
                (Question::AuthApi(Arc::clone(credentials), Request::Check), *offset)
            }
            Self::HealthCheck { web_sdk, offset, .. } => {
                (Question::HealthCheck(WebSdk::clone(web_sdk), env.jti()), *offset)
            }
            Self::Owner(web_sdk, offset, _) => {
                (Question::CheckAsAuthApi(WebSdk::clone(web_sdk)), *offset)
            }
        }
    }
}
