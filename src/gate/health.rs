//! The health of one pair of keys at Duo: a record that all workers of this Envoy share.
//!
//! In go the record, the result of a check or of a request's call, and the time. Out comes the next
//! record. The host stores it if no other worker was faster. `fail_mode: safe` depends only on this
//! record: [`Health::unreached_since`] is evidence that no client can create.

use super::breaker::{BREAKER_BYTES, Breaker};
use super::decision::{Contact, Learned};
use super::probe::Found;
use crate::clock::{ClockOffset, UnixTime};
use crate::config::DuoSettings;
use crate::duo::AskedWait;
use std::time::Duration;

/// The longest time after which a failed check is repeated.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// The time after which a check is repeated because a request could not reach Duo.
const AFTER_DOUBT: Duration = Duration::from_secs(1);

/// The time after which an inconclusive check is repeated, unless checks are more frequent anyway.
const AFTER_NOTHING: Duration = Duration::from_secs(2);

/// How often workers record that Duo has responded, or that they have calls under way.
const PACE: Duration = Duration::from_secs(1);

/// How long a worker counts as having calls under way: longer than [`PACE`] and a tick.
const BUSY: Duration = Duration::from_secs(3);

/// The result of the last check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// There was no check yet.
    #[default]
    Unknown,
    /// Duo responds and accepts the credentials.
    Well,
    /// Duo does not respond as it should.
    Unavailable,
    /// Duo responds with a refusal: an operator has to act.
    Misconfigured,
}

/// The facts about one pair of keys in this Envoy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The result of the last check.
    pub standing: Standing,
    /// The offset of Duo's clock.
    pub offset: ClockOffset,
    /// When the last check began; 0 if the next one is due at once.
    pub checked: UnixTime,
    /// When the first of consecutive checks began that did not reach Duo; 0 if the last check
    /// reached it.
    pub unreached: UnixTime,
    /// When Duo last responded to a request's call, within about a second.
    pub heard: UnixTime,
    /// When a worker last had a request's call under way, within about a second.
    pub busy: UnixTime,
    /// The outage breaker for the calls of requests.
    pub breaker: Breaker,
}

const NEVER: UnixTime = UnixTime::from_seconds(0);

/// The length of an encoded record.
const RECORD: usize = 42 + BREAKER_BYTES;

/// The version of the record's layout.
const VERSION: u8 = 4;

impl Health {
    /// Whether requests can expect to reach Duo.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self.standing, Standing::Well)
    }

    /// Whether a worker should begin a check.
    #[must_use]
    pub fn is_due(&self, now: UnixTime, interval: Duration) -> bool {
        let is_due = self.checked == NEVER
            || now.apart(self.checked) >= self.pause(interval)
            || self.breaker.wants_check(self.checked, now);
        is_due && !self.breaker.holds_check(now)
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

    /// Since when Duo has been unreachable, according to the background check, with no response to
    /// any request since. `None` if that is not known. A request's own failed call is no evidence,
    /// since a client can make it fail.
    #[must_use]
    pub fn unreached_since(&self) -> Option<UnixTime> {
        let is_evident = self.standing == Standing::Unavailable
            && self.unreached != NEVER
            && self.heard < self.unreached;
        is_evident.then_some(self.unreached)
    }

    /// The record after a check that began at `began`.
    ///
    /// A check that waited behind calls of requests, or found no room, is inconclusive: the record
    /// stays as it is.
    #[must_use]
    pub fn checked(mut self, found: Found, began: UnixTime, duo: &DuoSettings) -> Self {
        if found != Found::Nothing {
            let is_reached = matches!(found, Found::Well | Found::Misconfigured);
            self.breaker = self.breaker.checked(is_reached, began);
        }
        let standing = match found {
            Found::Well => Standing::Well,
            Found::Misconfigured => Standing::Misconfigured,
            Found::Unwell => Standing::Unavailable,
            Found::Nothing => return self.checked_soon(began, duo.check_interval),
            Found::Unreached { is_timeout } => {
                // The longest time that a request's call may have been ahead of it.
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

    /// The same record, with another check soon: the one that began at `began` was inconclusive.
    fn checked_soon(self, began: UnixTime, interval: Duration) -> Self {
        Self { checked: began.plus(AFTER_NOTHING).minus(self.pause(interval)), ..self }
    }

    /// The record after a request's call; `None` if it does not change.
    #[must_use]
    pub fn after_contact(self, contact: Contact, now: UnixTime) -> Option<Self> {
        match contact {
            Contact::Heard => {
                let is_news = self.unreached_since().is_some() || now.apart(self.heard) >= PACE;
                is_news.then_some(Self { heard: now, ..self })
            }
            // The check is due at once: it enables fail-safe, or shows that there is no outage.
            Contact::Unreached => {
                let is_soon = self.checked == NEVER || now.apart(self.checked) < AFTER_DOUBT;
                (!is_soon).then_some(Self { checked: NEVER, ..self })
            }
            Contact::Unclear => None,
        }
    }

    /// The record after a request's call with these keys; `None` if it does not change.
    #[must_use]
    pub fn after_call(self, learned: &Learned, now: UnixTime) -> Option<Self> {
        let wait = learned.wait.map(|(wait, _)| wait);
        // Only the check can find out whether a limit is the account's.
        let contact = match wait {
            Some(AskedWait { is_limit: true, .. }) => self.after_contact(Contact::Unreached, now),
            _ => self.after_contact(learned.contact, now),
        };
        let breaker = self.breaker.after(learned.ended, wait, now);
        if contact.is_none() && breaker.is_none() && learned.offset.is_none() {
            return None;
        }
        let offset = learned.offset.unwrap_or(self.offset);
        let breaker = breaker.unwrap_or(self.breaker);
        Some(Self { offset, breaker, ..contact.unwrap_or(self) })
    }

    /// The record while a worker has a request's call under way; `None` if it does not change.
    #[must_use]
    pub fn occupied(self, now: UnixTime) -> Option<Self> {
        (now.apart(self.busy) >= PACE).then_some(Self { busy: now, ..self })
    }

    /// Whether some worker may have a request's call under way. Only then the circuit breaker can
    /// be full. Otherwise a call that fails at once means that the cluster has no host.
    #[must_use]
    pub fn is_occupied(&self, now: UnixTime) -> bool {
        self.busy != NEVER && now.apart(self.busy) < BUSY
    }

    /// The record in its shared form.
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
        self.breaker.encode(&mut record);
        record
    }

    /// Reads a shared record; `None` if it has another layout, which counts as no check yet.
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
        let (times, rest) = rest.split_first_chunk::<32>()?;
        let (breaker, rest) = rest.split_first_chunk()?;
        let [checked, unreached, heard, busy] = times.as_chunks::<8>().0 else { return None };
        let breaker = Breaker::decode(breaker)?;
        let time = |bytes: &[u8; 8]| UnixTime::from_millis(u64::from_le_bytes(*bytes));
        rest.is_empty().then(|| Self {
            standing,
            offset: ClockOffset::from_seconds(i64::from_le_bytes(*offset)),
            checked: time(checked),
            unreached: time(unreached),
            heard: time(heard),
            busy: time(busy),
            breaker,
        })
    }
}

#[cfg(test)]
mod tests;
