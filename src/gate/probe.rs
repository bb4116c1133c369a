//! The background check of Duo: whether it responds, whether the credentials are valid, and its
//! time.
//!
//! Each Envoy makes one check for all workers: a record in shared data, [`super::Health`], shows
//! which worker checks, and the result. Only this check can enable `fail_mode: safe`. A client can
//! make its own calls fail, by sending more of them than the cluster accepts at once, but not this
//! check.

use super::call::Call;
use super::configured::Gate;
use super::event::Event;
use crate::clock::{ClockOffset, UnixTime};
use crate::duo::{DuoError, Fault, Outage, Request, Response};
use crate::signal::{Level, Signal};
use std::time::Duration;

/// A clock offset above this is worth a warning.
const MAX_OFFSET: Duration = Duration::from_secs(60);

/// A check under way.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    application: usize,
    began: UnixTime,
    question: Question,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Duo responds and accepts the credentials.
    Well,
    /// Duo responds with a refusal: an operator has to act.
    Misconfigured,
    /// Duo responds, but not as it should: it limits the rate, or its response is malformed.
    Unwell,
    /// Duo was not reached.
    Unreached {
        /// Whether the call ended at its timeout. It may have waited behind calls of requests.
        is_timeout: bool,
    },
    /// Inconclusive: this Envoy had no room for the call.
    Nothing,
}

impl Found {
    fn of(fault: &DuoError) -> Self {
        match fault {
            DuoError::Overflow => Self::Nothing,
            DuoError::Unreachable(outage) => {
                Self::Unreached { is_timeout: outage.is_timeout() || *outage == Outage::NoAnswer }
            }
            DuoError::Garbled(_)
            | DuoError::Malformed(_)
            | DuoError::NotDuo { .. }
            | DuoError::BadCredentials { .. }
            | DuoError::ClockSkew
            | DuoError::InvalidParameter { .. }
            | DuoError::RateLimited { .. }
            | DuoError::Rejected { .. } => match fault.fault() {
                Fault::Operator | Fault::Filter => Self::Misconfigured,
                Fault::Duo | Fault::User => Self::Unwell,
            },
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Question {
    /// Asks whether Duo responds, and for its time.
    Ping,
    /// Asks whether the credentials are valid, with a corrected date. The value is the offset of
    /// Duo's clock.
    Check(ClockOffset),
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
        /// The number of the Duo application.
        application: usize,
        /// When it began.
        began: UnixTime,
        /// The result.
        found: Found,
        /// The offset of Duo's clock, if the check returned it.
        offset: Option<ClockOffset>,
        /// The line for the log; equal results have equal lines.
        line: Signal,
    },
}

impl Probe {
    /// Begins a check of the Duo application with this number.
    #[must_use]
    pub fn begin(gate: &Gate, application: usize, now: UnixTime) -> ProbeStep {
        call(gate, Request::Ping, now, Self { application, began: now, question: Question::Ping })
    }

    /// The number of the Duo application that is checked.
    #[must_use]
    pub const fn application(&self) -> usize {
        self.application
    }

    /// Handles the outcome of the outstanding call.
    #[must_use]
    pub fn handle(self, event: Event<'_>, gate: &Gate, now: UnixTime) -> ProbeStep {
        let outcome = event.read(match self.question {
            Question::Ping => Response::ping,
            Question::Check(_) => Response::check,
        });
        let name = gate.config().applications.get(self.application).name.as_deref();
        match (self.question, outcome) {
            (Question::Ping, Ok(theirs)) => {
                let offset = ClockOffset::between(now, theirs);
                let then = Self { question: Question::Check(offset), ..self };
                call(gate, Request::Check, now.shifted(offset), then)
            }
            (Question::Check(offset), Ok(_)) => {
                self.done(Found::Well, Some(offset), well(name, offset))
            }
            (Question::Ping, Err(fault)) => {
                self.done(Found::of(&fault), None, failed(name, &fault))
            }
            (Question::Check(offset), Err(fault)) => {
                self.done(Found::of(&fault), Some(offset), failed(name, &fault))
            }
        }
    }

    const fn done(self, found: Found, offset: Option<ClockOffset>, line: Signal) -> ProbeStep {
        let Self { application, began, .. } = self;
        ProbeStep::Done { application, began, found, offset, line }
    }
}

fn call(gate: &Gate, request: Request, now: UnixTime, then: Probe) -> ProbeStep {
    ProbeStep::Call { call: Call::at_once(gate, then.application, request, now), then }
}

/// The name of Duo in a log line, with the application's name, if it has one.
fn name_of_duo(name: Option<&str>) -> String {
    name.map_or_else(|| "Duo".to_owned(), |name| format!("Duo (application {name})"))
}

fn well(name: Option<&str>, offset: ClockOffset) -> Signal {
    let (duo, seconds) = (name_of_duo(name), offset.seconds());
    if seconds.unsigned_abs() > MAX_OFFSET.as_secs() {
        let text = format!(
            "{duo} answers and accepts the credentials; its clock is {seconds} s ahead of this \
             host's. The filter corrects for that; synchronize this host's clock"
        );
        return Signal::Log(Level::Warn, text);
    }
    Signal::Log(Level::Info, format!("{duo} answers and accepts the credentials"))
}

fn failed(name: Option<&str>, fault: &DuoError) -> Signal {
    let hint = fault.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    Signal::Log(Level::Error, format!("the check of {} failed: {fault}{hint}", name_of_duo(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_far_off_is_worth_a_warning() {
        for (seconds, level) in [
            (0, Level::Info),
            (60, Level::Info),
            (-60, Level::Info),
            (61, Level::Warn),
            (-61, Level::Warn),
        ] {
            let Signal::Log(said, text) = well(Some("b"), ClockOffset::from_seconds(seconds))
            else {
                panic!("nothing is counted")
            };
            assert_eq!(said, level, "{text}");
            assert!(text.starts_with("Duo (application b) answers"), "{text}");
        }
    }
}
