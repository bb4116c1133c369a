//! The background check of Duo: is it there, are the credentials right, what time is it there?
//!
//! One check an Envoy, not one a worker: a record in shared data, [`super::Health`], says who
//! checks and
//! what came of it. Only this check can open `fail_mode: safe`: a client can make its own calls
//! fail, by sending more of them than the cluster takes at once, but not this one.

use super::call::Call;
use super::configured::Gate;
use super::event::Event;
use crate::clock::{ClockOffset, UnixTime};
use crate::duo::{DuoError, Fault, Outage, Request, Response};
use crate::signal::{Level, Signal};
use std::time::Duration;

/// A clock that is further off is worth a warning.
const MAX_OFFSET: Duration = Duration::from_secs(60);

/// A check under way.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    application: usize,
    began: UnixTime,
    question: Question,
}

/// What a check found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Duo answers and accepts the credentials.
    Well,
    /// Duo answers and refuses: an operator has to act.
    Misconfigured,
    /// Duo answers, but not as it should: it asks to wait, or sends what is not understood.
    Unwell,
    /// Duo was not reached.
    Unreached {
        /// Whether the call ended by its timeout. It may have waited behind calls of requests then.
        is_timeout: bool,
    },
    /// Nothing: this Envoy had no room for the call.
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
    /// Is Duo there, and what time is it there?
    Ping,
    /// With the date put right: are the credentials right? Duo's clock is so far ahead.
    Check(ClockOffset),
}

/// What comes of one step of a check.
#[derive(Debug)]
pub enum ProbeStep {
    /// Make the call at once, and hand its outcome to the check.
    Call {
        /// The call.
        call: Call,
        /// Who waits for its answer.
        then: Probe,
    },
    /// The check is over.
    Done {
        /// The number of the Duo application.
        application: usize,
        /// When it began.
        began: UnixTime,
        /// What it found out.
        found: Found,
        /// How far Duo's clock is ahead, where that was learned.
        offset: Option<ClockOffset>,
        /// What an operator should know; the same for the same outcome.
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

    /// Takes what came of the outstanding call.
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

/// What a line calls Duo: by the application's name, where it has one.
fn whom(name: Option<&str>) -> String {
    name.map_or_else(|| "Duo".to_owned(), |name| format!("Duo (application {name})"))
}

fn well(name: Option<&str>, offset: ClockOffset) -> Signal {
    let (duo, seconds) = (whom(name), offset.seconds());
    if seconds.unsigned_abs() > MAX_OFFSET.as_secs() {
        let text = format!(
            "{duo} answers and accepts the credentials; its clock is {seconds} s ahead of this \
             host's, which is allowed for: is this host's clock synchronized?"
        );
        return Signal::Log(Level::Warn, text);
    }
    Signal::Log(Level::Info, format!("{duo} answers and accepts the credentials"))
}

fn failed(name: Option<&str>, fault: &DuoError) -> Signal {
    let hint = fault.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    Signal::Log(Level::Error, format!("the check of {} failed: {fault}{hint}", whom(name)))
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
