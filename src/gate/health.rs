//! What this Envoy knows of a Duo application: a record that all its workers share.
//!
//! In go the record, what a check found or a request's call met, and the moment; out comes the next
//! record. The host swaps it in if nobody was faster. `fail_mode: safe` opens by this record alone:
//! [`Health::unreached_since`] is evidence that no client can make.

use super::decision::Contact;
use super::probe::Found;
use crate::clock::{ClockOffset, UnixTime};
use crate::config::DuoSettings;
use std::time::Duration;

/// How soon a check that did not go well is repeated, at most.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// How soon a check is repeated because a request could not reach Duo.
const AFTER_DOUBT: Duration = Duration::from_secs(1);

/// How soon a check is repeated that says nothing of Duo, unless checks are more frequent anyway.
const AFTER_NOTHING: Duration = Duration::from_secs(2);

/// How often the workers write down that Duo has answered, or that they have calls under way.
const PACE: Duration = Duration::from_secs(1);

/// For how long a worker counts as having calls under way: longer than [`PACE`] and a tick.
const BUSY: Duration = Duration::from_secs(3);

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
    /// When the last check was begun; 0 for one that is to be begun at once.
    pub checked: UnixTime,
    /// When the first of the checks in a row was begun that did not reach Duo; 0 if the last one
    /// did.
    pub unreached: UnixTime,
    /// When Duo answered a request's call last, within about a second.
    pub heard: UnixTime,
    /// When a worker last had a request's call under way, within about a second.
    pub busy: UnixTime,
}

const NEVER: UnixTime = UnixTime::from_seconds(0);

/// The length of an encoded record.
const RECORD: usize = 42;

/// The version of the record's layout.
const VERSION: u8 = 2;

impl Health {
    /// Whether requests can be expected to find Duo.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self.standing, Standing::Well)
    }

    /// Whether somebody should begin a check.
    #[must_use]
    pub fn is_due(&self, now: UnixTime, interval: Duration) -> bool {
        self.checked == NEVER || now.apart(self.checked) >= self.pause(interval)
    }

    /// The time between two checks.
    fn pause(&self, interval: Duration) -> Duration {
        match self.standing {
            Standing::Well => interval,
            Standing::Unknown | Standing::Unavailable | Standing::Misconfigured => {
                interval.min(AFTER_FAILURE)
            }
        }
    }

    /// Since when Duo has been unreachable: the background check says so, and no request has had an
    /// answer of Duo's since. `None` if that is not known; a request's own failed call is no
    /// evidence, since a client can make it fail.
    #[must_use]
    pub fn unreached_since(&self) -> Option<UnixTime> {
        let is_evident = self.standing == Standing::Unavailable
            && self.unreached != NEVER
            && self.heard < self.unreached;
        is_evident.then_some(self.unreached)
    }

    /// The record after a check that was begun at `began`.
    ///
    /// A check that waited behind calls of requests, or found no room, says nothing of Duo: all
    /// stays as it was.
    #[must_use]
    pub fn checked(self, found: Found, began: UnixTime, duo: &DuoSettings) -> Self {
        let standing = match found {
            Found::Well => Standing::Well,
            Found::Misconfigured => Standing::Misconfigured,
            Found::Unwell => Standing::Unavailable,
            Found::Nothing => return self.checked_soon(began, duo.check_interval),
            Found::Unreached { is_timeout } => {
                // As long as any call of a request's may have kept its place in front.
                let longest = duo.timeout.max(duo.status_timeout);
                let patience = if is_timeout { longest } else { Duration::ZERO };
                let is_heard = self.heard != NEVER && self.heard.plus(patience) >= began;
                if is_heard && is_timeout {
                    return self.checked_soon(began, duo.check_interval);
                }
                let unreached = match self.unreached_since() {
                    _ if is_heard => NEVER,
                    Some(since) => since,
                    None => began,
                };
                return Self { standing: Standing::Unavailable, unreached, ..self };
            }
        };
        Self { standing, unreached: NEVER, ..self }
    }

    /// As it is, with another check soon: the one begun at `began` says nothing.
    fn checked_soon(self, began: UnixTime, interval: Duration) -> Self {
        Self { checked: began.plus(AFTER_NOTHING).minus(self.pause(interval)), ..self }
    }

    /// The record after a request's call; `None` if it stays as it is.
    #[must_use]
    pub fn after_contact(self, contact: Contact, now: UnixTime) -> Option<Self> {
        match contact {
            Contact::Heard => {
                let is_news = self.unreached_since().is_some() || now.apart(self.heard) >= PACE;
                is_news.then_some(Self { heard: now, ..self })
            }
            // The check that opens fail-safe, or shows that there is no outage, is to come at once.
            Contact::Unreached => {
                let is_soon = self.checked == NEVER || now.apart(self.checked) < AFTER_DOUBT;
                (!is_soon).then_some(Self { checked: NEVER, ..self })
            }
            Contact::Unclear => None,
        }
    }

    /// The record while a worker has a request's call under way; `None` if it stays as it is.
    #[must_use]
    pub fn occupied(self, now: UnixTime) -> Option<Self> {
        (now.apart(self.busy) >= PACE).then_some(Self { busy: now, ..self })
    }

    /// Whether some worker may have a request's call under way. Only then can the circuit breaker
    /// be full; without, Envoy takes a call back because the cluster has no host.
    #[must_use]
    pub fn is_occupied(&self, now: UnixTime) -> bool {
        self.busy != NEVER && now.apart(self.busy) < BUSY
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
        for time in [self.checked, self.unreached, self.heard, self.busy] {
            record.extend_from_slice(&time.millis().to_le_bytes());
        }
        record
    }

    /// The shared record; absent where it is of another layout, which counts as no check yet.
    #[must_use]
    pub fn decode(record: &[u8]) -> Option<Self> {
        let (head, rest) = record.split_first_chunk::<2>()?;
        let (offset, rest) = rest.split_first_chunk::<8>()?;
        let standing = match head {
            [VERSION, 0] => Standing::Unknown,
            [VERSION, 1] => Standing::Well,
            [VERSION, 2] => Standing::Unavailable,
            [VERSION, 3] => Standing::Misconfigured,
            _ => return None,
        };
        let (times, rest) = rest.as_chunks::<8>();
        let [checked, unreached, heard, busy] = times else { return None };
        let time = |bytes: &[u8; 8]| UnixTime::from_millis(u64::from_le_bytes(*bytes));
        rest.is_empty().then(|| Self {
            standing,
            offset: ClockOffset::from_seconds(i64::from_le_bytes(*offset)),
            checked: time(checked),
            unreached: time(unreached),
            heard: time(heard),
            busy: time(busy),
        })
    }
}

#[cfg(test)]
mod tests;
