//! The background check of Duo: is it there, are the credentials right, what time is it there?
//!
//! One check an Envoy, not one a worker: a record in shared data says who checks and what came of
//! it. This file says when a check is due and what the record becomes; reading and swapping it is
//! the host's part. Nothing here is needed for a decision on a request.

use super::{Call, Event, Gate};
use crate::clock::{ClockOffset, UnixTime};
use crate::duo::{Answer, DuoError, Fault, Request};
use crate::signal::{Level, Signal};
use std::time::Duration;

/// How soon a check that did not go well is repeated, at most.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// A clock that is further off is worth a warning.
const MAX_OFFSET: Duration = Duration::from_secs(60);

/// How the last check went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// There was none yet.
    #[default]
    Unknown,
    /// Duo answers and accepts the credentials.
    Well,
    /// Duo does not answer as it should.
    Unavailable,
    /// Duo answers and refuses: an operator has to act.
    Misconfigured,
}

/// What is known of Duo in this Envoy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// How the last check went.
    pub standing: Standing,
    /// How far Duo's clock is ahead.
    pub offset: ClockOffset,
    /// When the last check was begun.
    pub begun: UnixTime,
}

/// The length of an encoded record.
const RECORD: usize = 18;

/// The version of the record's layout.
const VERSION: u8 = 1;

impl Health {
    /// Whether requests can be expected to find Duo.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self.standing, Standing::Well)
    }

    /// Whether somebody should begin a check.
    #[must_use]
    pub fn is_due(&self, now: UnixTime, interval: Duration) -> bool {
        let pause = match self.standing {
            Standing::Well => interval,
            Standing::Unknown | Standing::Unavailable | Standing::Misconfigured => {
                interval.min(AFTER_FAILURE)
            }
        };
        self.begun == UnixTime::default() || now.apart(self.begun) >= pause
    }

    /// The record as it is shared.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let standing = match self.standing {
            Standing::Unknown => 0,
            Standing::Well => 1,
            Standing::Unavailable => 2,
            Standing::Misconfigured => 3,
        };
        let mut record = Vec::with_capacity(RECORD);
        record.extend_from_slice(&[VERSION, standing]);
        record.extend_from_slice(&self.offset.seconds().to_le_bytes());
        record.extend_from_slice(&self.begun.millis().to_le_bytes());
        record
    }

    /// The shared record; absent where it is of another layout, which counts as no check yet.
    #[must_use]
    pub fn decode(record: &[u8]) -> Option<Self> {
        let (head, rest) = record.split_first_chunk::<2>()?;
        let (offset, rest) = rest.split_first_chunk::<8>()?;
        let (begun, rest) = rest.split_first_chunk::<8>()?;
        let standing = match head {
            [VERSION, 0] => Standing::Unknown,
            [VERSION, 1] => Standing::Well,
            [VERSION, 2] => Standing::Unavailable,
            [VERSION, 3] => Standing::Misconfigured,
            _ => return None,
        };
        rest.is_empty().then(|| Self {
            standing,
            offset: ClockOffset::from_seconds(i64::from_le_bytes(*offset)),
            begun: UnixTime::from_millis(u64::from_le_bytes(*begun)),
        })
    }
}

/// A check under way.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    application: usize,
    expect: Expect,
}

#[derive(Clone, Copy, Debug)]
enum Expect {
    /// Is Duo there, and what time is it there?
    Ping,
    /// With the date put right: are the credentials right? Duo's clock is so far ahead.
    Check(ClockOffset),
}

/// What comes of one step of a check.
#[derive(Debug)]
pub enum CheckStep {
    /// Make the call at once, and hand its outcome to the check.
    Call {
        /// The call.
        call: Call,
        /// Who waits for its answer.
        then: Check,
    },
    /// The check is over.
    Done {
        /// The number of the Duo application.
        application: usize,
        /// How it went.
        standing: Standing,
        /// How far Duo's clock is ahead, where that was learned.
        offset: Option<ClockOffset>,
        /// What an operator should know; the same for the same outcome.
        line: Signal,
    },
}

impl Check {
    /// Begins a check of the Duo application with this number.
    #[must_use]
    pub fn begin(gate: &Gate, application: usize, now: UnixTime) -> CheckStep {
        call(gate, &Request::Ping, now, Self { application, expect: Expect::Ping })
    }

    /// The number of the Duo application that is checked.
    #[must_use]
    pub const fn application(&self) -> usize {
        self.application
    }

    /// Takes what came of the outstanding call.
    #[must_use]
    pub fn handle(self, event: Event<'_>, gate: &Gate, now: UnixTime) -> CheckStep {
        let outcome = event.read(match self.expect {
            Expect::Ping => Answer::ping,
            Expect::Check(_) => Answer::check,
        });
        let name = gate.config().applications.get(self.application).name.as_deref();
        match (self.expect, outcome) {
            (Expect::Ping, Ok(theirs)) => {
                let offset = ClockOffset::between(now, theirs);
                let then = Self { expect: Expect::Check(offset), ..self };
                call(gate, &Request::Check, now.shifted(offset), then)
            }
            (Expect::Check(offset), Ok(_)) => {
                self.done(Standing::Well, Some(offset), well(name, offset))
            }
            (Expect::Ping, Err(fault)) => self.done(standing(&fault), None, failed(name, &fault)),
            (Expect::Check(offset), Err(fault)) => {
                self.done(standing(&fault), Some(offset), failed(name, &fault))
            }
        }
    }

    const fn done(
        self,
        standing: Standing,
        offset: Option<ClockOffset>,
        line: Signal,
    ) -> CheckStep {
        CheckStep::Done { application: self.application, standing, offset, line }
    }
}

fn call(gate: &Gate, request: &Request, now: UnixTime, then: Check) -> CheckStep {
    CheckStep::Call { call: Call::at_once(gate, then.application, request, now), then }
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

fn standing(fault: &DuoError) -> Standing {
    match fault.fault() {
        Fault::Operator | Fault::Filter => Standing::Misconfigured,
        Fault::Duo | Fault::User => Standing::Unavailable,
    }
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

    #[test]
    fn a_record_reads_back() {
        for standing in
            [Standing::Unknown, Standing::Well, Standing::Unavailable, Standing::Misconfigured]
        {
            let health = Health {
                standing,
                offset: ClockOffset::from_seconds(-412),
                begun: UnixTime::from_millis(1_700_000_000_123),
            };
            assert_eq!(Health::decode(&health.encode()), Some(health));
            assert_eq!(health.encode().len(), RECORD);
        }
    }

    #[test]
    fn a_record_of_another_layout_is_none() {
        let record = Health::default().encode();
        for end in 0..record.len() {
            assert_eq!(Health::decode(&record[..end]), None);
        }
        let mut longer = record.clone();
        longer.push(0);
        assert_eq!(Health::decode(&longer), None);
        for (place, byte) in [(0, 2), (1, 4)] {
            let mut odd = record.clone();
            odd[place] = byte;
            assert_eq!(Health::decode(&odd), None);
        }
    }

    #[test]
    fn a_check_that_failed_is_due_again_soon() {
        let interval = Duration::from_secs(60);
        let at = |seconds: u64| UnixTime::from_seconds(1_000 + seconds);
        let health = |standing| Health { standing, begun: at(0), ..Health::default() };
        assert!(Health::default().is_due(at(0), interval));
        assert!(!health(Standing::Well).is_due(at(59), interval));
        assert!(health(Standing::Well).is_due(at(60), interval));
        assert!(!health(Standing::Misconfigured).is_due(at(4), interval));
        assert!(health(Standing::Unavailable).is_due(at(5), interval));
        assert!(health(Standing::Unavailable).is_due(at(2), Duration::from_secs(2)));
    }

    #[test]
    fn a_check_of_the_future_is_due_again() {
        // The host's clock was set back since.
        let begun = UnixTime::from_seconds(90_000);
        let health = Health { standing: Standing::Well, begun, ..Health::default() };
        let interval = Duration::from_secs(60);
        assert!(!health.is_due(UnixTime::from_seconds(89_970), interval));
        assert!(health.is_due(UnixTime::from_seconds(3_600), interval));
    }
}
