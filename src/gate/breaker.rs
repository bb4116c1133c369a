//! The outage breaker for the calls of requests with one pair of keys at Duo.
//!
//! In go the end of a call and the time; out comes the next state. It is a part of the
//! [`super::Health`] that all workers of this Envoy share, so that each of them knows of an outage
//! after five failed calls together, and one call in ten seconds tries Duo for all of them.
//!
//! ```text
//! closed --five failures in a row, within ten seconds--> open
//! open   --ten seconds after it opened, or after the last try--> one call may try
//! a try that Duo answers closes it; any other leaves it open
//! ```
//!
//! Only the first call of a request is refused. A sign-in under way goes on: its user may be looking
//! at the phone. Nobody hears the answer to a try whose client leaves, so clients that leave could keep
//! the breaker open. So the background check closes it too, ten seconds after Duo was last known to
//! fail, unless a try is under way.
//!
//! Duo may also ask for a wait, by `Retry-After`. Until then no call of a request is sent.

use super::configured::Gate;
use super::decision::CallEnd;
use super::event::Unanswered;
use super::key_pair::KeyPair;
use super::room::MAX_WAIT;
use crate::clock::UnixTime;
use crate::duo::AskedWait;
use crate::signal::{Level, Signal};
use std::time::Duration;

/// How many calls in a row have to fail.
const FAILURES: u8 = 5;

/// The time within which they have to fail.
const WITHIN: Duration = Duration::from_secs(10);

/// The time from the opening to the first try, and from each try to the next one.
const PAUSE: Duration = Duration::from_secs(10);

/// How much later the background check tries, if no request does.
const CHECK_AFTER: Duration = Duration::from_secs(1);

/// How long the background check leaves the decision to a try: most end within the usual
/// `duo.timeout`.
const TRYING: Duration = Duration::from_secs(5);

const NEVER: UnixTime = UnixTime::from_seconds(0);

/// The length of an encoded breaker.
pub(super) const BREAKER_BYTES: usize = 34;

/// The state of the breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    /// How many calls in a row have failed.
    failures: u8,
    /// When the first of them failed.
    since: UnixTime,
    /// When the last try began, or the breaker opened; 0 if it is closed.
    tried: UnixTime,
    /// When Duo was last known to fail; 0 if it is well.
    failed: UnixTime,
    /// Until when Duo asked not to be called; 0 if it did not.
    until: UnixTime,
    asked: Asked,
}

/// Why Duo asked not to be called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Asked {
    /// It was not well: a request got a 5xx.
    #[default]
    ByRequest,
    /// It was not well: the background check got a 5xx.
    ByCheck,
    /// There were too many calls: the background check got a 429.
    Limit,
}

/// Whether a call may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// It may.
    Free,
    /// It may if [`Breaker::try_at`] changes the shared record, which it does for one call only.
    Try,
    /// It may not; this is its outcome.
    Refused(Unanswered),
}

impl Breaker {
    /// Closed, and no call has failed.
    pub const CLOSED: Self = Self {
        failures: 0,
        since: NEVER,
        tried: NEVER,
        failed: NEVER,
        until: NEVER,
        asked: Asked::ByRequest,
    };

    /// Whether calls are refused, because several in a row have failed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.tried != NEVER
    }

    /// Whether a call may be sent now. `begins` is `true` for the first call of a request.
    #[must_use]
    pub fn pass(&self, begins: bool, now: UnixTime) -> Pass {
        if let Some(wait) = self.wait(now) {
            let is_limit = self.asked == Asked::Limit;
            return Pass::Refused(Unanswered::Unasked { wait: Some(wait), is_limit });
        }
        if !self.is_open() || !begins {
            Pass::Free
        } else if self.is_try_due(now) {
            Pass::Try
        } else {
            Pass::Refused(Unanswered::OPEN)
        }
    }

    /// The state after a call has begun to try Duo; `None` if another one has.
    #[must_use]
    pub fn try_at(self, now: UnixTime) -> Option<Self> {
        (self.is_open() && self.is_try_due(now)).then_some(Self { tried: now, ..self })
    }

    /// The state after the call of a request; `None` if it does not change.
    #[must_use]
    pub fn after(self, ended: CallEnd, wait: Option<AskedWait>, now: UnixTime) -> Option<Self> {
        let changed = match ended {
            CallEnd::Answered => {
                Self { failures: 0, since: NEVER, tried: NEVER, failed: NEVER, ..self }
            }
            CallEnd::Failed if self.is_open() => Self { failed: now, ..self },
            CallEnd::Failed => {
                let is_recent = self.failures > 0 && now.apart(self.since) < WITHIN;
                let (before, since) =
                    if is_recent { (self.failures, self.since) } else { (0, now) };
                let failures = before.saturating_add(1);
                let tried = if failures >= FAILURES { now } else { NEVER };
                Self { failures, since, tried, failed: now, ..self }
            }
            CallEnd::Unclear => self,
        };
        // One user may have caused a 429, so it says nothing of the calls of others.
        let wait = wait.filter(|wait| !wait.is_limit);
        let changed = match wait {
            Some(wait) if self.wait(now).is_none() => changed.asked(wait, Asked::ByRequest, now),
            Some(_) | None => changed,
        };
        (changed != self).then_some(changed)
    }

    /// The state after a background check that began at `began` and has reached Duo, or not.
    pub(super) fn checked(self, is_well: bool, began: UnixTime) -> Self {
        let is_later = began.apart(self.failed) >= PAUSE && began.apart(self.tried) >= TRYING;
        match (is_well, self.is_open()) {
            (true, false) => Self { failures: 0, since: NEVER, failed: NEVER, ..self },
            (true, true) if is_later => Self { until: self.until, ..Self::default() },
            (false, true) if is_later => Self { tried: began, failed: began, ..self },
            (true | false, _) => self,
        }
    }

    /// The state after Duo asked a background check to wait.
    #[must_use]
    pub fn check_asked(self, wait: AskedWait, now: UnixTime) -> Self {
        let asked = if wait.is_limit { Asked::Limit } else { Asked::ByCheck };
        self.asked(wait, asked, now)
    }

    fn asked(self, wait: AskedWait, asked: Asked, now: UnixTime) -> Self {
        Self { until: now.plus(wait.time.min(MAX_WAIT)), asked, ..self }
    }

    /// Whether the background check has to wait, because Duo asked it to.
    pub(super) fn holds_check(&self, now: UnixTime) -> bool {
        self.asked != Asked::ByRequest && self.wait(now).is_some()
    }

    /// Whether the background check, last begun at `checked`, has to try in place of a request.
    pub(super) fn wants_check(&self, checked: UnixTime, now: UnixTime) -> bool {
        self.is_open()
            && now.apart(self.failed) >= PAUSE.saturating_add(CHECK_AFTER)
            && now.apart(self.tried) >= TRYING
            && (checked < self.failed.plus(PAUSE) || checked < self.tried.plus(TRYING))
    }

    /// How much longer no call may be sent; `None` if one may. A time further ahead than any wait was
    /// written before the host's clock was set back.
    fn wait(&self, now: UnixTime) -> Option<Duration> {
        let left = self.until.since(now);
        (!left.is_zero() && left <= MAX_WAIT).then_some(left)
    }

    /// Whether the next try is due. If the host's clock was set back, it is.
    fn is_try_due(&self, now: UnixTime) -> bool {
        now.apart(self.tried) >= PAUSE
    }

    pub(super) fn encode(&self, record: &mut Vec<u8>) {
        let asked = match self.asked {
            Asked::ByRequest => 0,
            Asked::ByCheck => 1,
            Asked::Limit => 2,
        };
        record.extend_from_slice(&[self.failures, asked]);
        for time in [self.since, self.tried, self.failed, self.until] {
            record.extend_from_slice(&time.millis().to_le_bytes());
        }
    }

    /// Reads the bytes of [`Self::encode`]; `None` for any others.
    pub(super) fn decode(bytes: &[u8; BREAKER_BYTES]) -> Option<Self> {
        let (&[failures, asked], times) = bytes.split_first_chunk()?;
        let (&[since, tried, failed, until], []) =
            times.as_chunks::<8>().0.split_first_chunk::<4>()?
        else {
            return None;
        };
        let asked = match asked {
            0 => Asked::ByRequest,
            1 => Asked::ByCheck,
            2 => Asked::Limit,
            _ => return None,
        };
        let time = |bytes| UnixTime::from_millis(u64::from_le_bytes(bytes));
        let [since, tried, failed, until] = [since, tried, failed, until].map(time);
        Some(Self { failures, since, tried, failed, until, asked })
    }
}

impl Gate {
    /// The line for the log after the breaker of these keys has opened or closed.
    #[must_use]
    pub fn breaker_line(&self, keys: KeyPair, before: Breaker, after: Breaker) -> Option<Signal> {
        let name = self.config().applications.get(keys.application).name.as_deref();
        let duo = keys.api.name_of_duo(name);
        match (before.is_open(), after.is_open()) {
            (false, true) => {
                let text = format!(
                    "{FAILURES} calls to {duo} in a row have failed: requests that need a new one \
                     are refused at once, and one in {} s tries it",
                    PAUSE.as_secs()
                );
                Some(Signal::Log(Level::Error, text))
            }
            (true, false) => {
                Some(Signal::Log(Level::Info, format!("{duo} answers again: requests call it")))
            }
            (true, true) | (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests;
