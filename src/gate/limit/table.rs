//! The whole table, as a host stores it in the data that all workers share.
//!
//! Other plugins may write that data too. So the name of each bucket can only be computed with a
//! secret, and each bucket has a MAC that covers its number. A bucket with a wrong MAC is closed,
//! like one that cannot be read: it grants nothing for a while, and the log says so.

use super::head::VERSION;
use super::permit::Permit;
use super::settlement::{End, Settlement};
use super::verdict::{Granted, Limit, Limited, Verdict};
use super::{closed, grant, settle};
use crate::clock::UnixTime;
use crate::config::Limits;
use crate::session::{SharedKey, SharedValues};
use crate::signal::{Counter, Level, Signal};

/// The names and MACs of all buckets.
#[derive(Clone, Debug)]
pub struct Table(SharedValues);

/// Computes the next bytes of a value from its present ones; `None` leaves it unchanged.
pub type Work<'w> = dyn FnMut(Option<&[u8]>) -> Option<Vec<u8>> + 'w;

/// Changes the value with this name. The host reads it, calls `Work`, and stores the new bytes if
/// no other worker was faster; otherwise it starts again. `true` on success.
pub type Change<'c> = dyn FnMut(&str, &mut Work<'_>) -> bool + 'c;

/// The result of a change.
#[derive(Debug)]
pub struct Changed {
    /// Whether the permit is granted.
    pub verdict: Verdict,
    /// Log lines and counters for the operator.
    pub signals: Vec<Signal>,
}

impl Table {
    /// The table that all configurations with this key share.
    #[must_use]
    pub fn new(key: &SharedKey) -> Self {
        // Two layouts with the same name would close each other's buckets.
        Self(key.values(&format!("limit/{VERSION}")))
    }

    /// The names and MACs of the buckets, by their numbers.
    #[must_use]
    pub const fn values(&self) -> &SharedValues {
        &self.0
    }

    /// Grants a permit if the limits allow it and the new bytes could be stored.
    ///
    /// A permit with two tags is granted under the first tag and then under the second. If the
    /// second refuses it, it is taken back under the first. So two requests at the same time are
    /// never both granted.
    pub fn grant(
        &self,
        wanted: &Permit,
        limits: &Limits,
        now: UnixTime,
        change: &mut Change<'_>,
    ) -> Changed {
        let (mut signals, mut granted, mut refused) = (Vec::new(), Vec::new(), None);
        for part in wanted.parts() {
            let changed = self.grant_part(&part, limits, now, change);
            signals.extend(changed.signals);
            match changed.verdict {
                Ok(given) => granted.push((part, given)),
                Err(limited) => {
                    // All unreadable buckets are closed at once, not one after the other.
                    let is_last = limited.limit != Limit::Unreadable;
                    refused = refused.or(Some(limited));
                    if is_last {
                        break;
                    }
                }
            }
        }
        let taken_up = granted.iter().find(|(_, given)| *given != Granted::New).cloned();
        let verdict = match (refused, taken_up) {
            (Some(limited), _) => Err(limited),
            (None, Some((_, given))) => Ok(given),
            (None, None) => return Changed { verdict: Ok(Granted::New), signals },
        };
        for (permit, given) in granted {
            let undone = match given {
                Granted::New => Settlement { permit, end: End::Unsent },
                Granted::Approved(_) => continue,
                Granted::TakeUp(_) if verdict.is_ok() => continue,
                Granted::TakeUp(unheard) => {
                    Settlement { permit: permit.of_last(&unheard), end: End::Left }
                }
            };
            signals.extend(self.settle(&undone, limits, now, change));
        }
        Changed { verdict, signals }
    }

    fn grant_part(
        &self,
        wanted: &Permit,
        limits: &Limits,
        now: UnixTime,
        change: &mut Change<'_>,
    ) -> Changed {
        self.change((wanted, limits), change, &mut |bytes| match bytes {
            Ok(bytes) => grant(bytes, wanted, limits, now),
            Err(Forged) => closed(wanted, now),
        })
    }

    /// Records how a permit ended. If that fails, the permit ends by its time.
    pub fn settle(
        &self,
        settlement: &Settlement,
        limits: &Limits,
        now: UnixTime,
        change: &mut Change<'_>,
    ) -> Vec<Signal> {
        let mut signals = Vec::new();
        for permit in settlement.permit.parts() {
            let settlement = Settlement { permit, ..*settlement };
            let changed = self.change((&permit, limits), change, &mut |bytes| match bytes {
                Ok(bytes) => (Ok(Granted::New), settle(bytes, &settlement, limits, now)),
                Err(Forged) => closed(&permit, now),
            });
            signals.extend(changed.signals);
            if changed.verdict == Err(Limited::CONTENDED) && permit.ends_approvals() {
                signals.push(Signal::Log(Level::Error, UNENDED.to_owned()));
            }
        }
        signals
    }

    fn change(
        &self,
        (wanted, limits): (&Permit, &Limits),
        change: &mut Change<'_>,
        judge: &mut Judge<'_>,
    ) -> Changed {
        let (bucket, values) = (wanted.bucket(limits), &self.0);
        let (mut verdict, mut is_closed) = (Err(Limited::CONTENDED), false);
        let is_done = change(&values.name(bucket), &mut |stored| {
            let bytes = stored.map(|stored| values.open(bucket, stored).ok_or(Forged)).transpose();
            let (judged, changed) = judge(bytes);
            let is_unreadable = |limited: &Limited| limited.limit == Limit::Unreadable;
            is_closed = changed.is_some() && judged.as_ref().is_err_and(is_unreadable);
            verdict = judged;
            changed.map(|bytes| values.seal(bucket, bytes))
        });
        let verdict = if is_done { verdict } else { Err(Limited::CONTENDED) };
        let signals = if is_done && is_closed { alarm(bucket) } else { Vec::new() };
        Changed { verdict, signals }
    }
}

/// Bytes that this filter did not write under this number.
#[derive(Clone, Copy)]
struct Forged;

/// Judges a permit by the bytes of its bucket, and computes the next ones.
type Judge<'j> = dyn FnMut(Result<Option<&[u8]>, Forged>) -> (Verdict, Option<Vec<u8>>) + 'j;

const UNENDED: &str = "a sign-out could not be recorded, since other workers were faster at \
                       every try: the user's approvals per client stay valid until they expire";

fn alarm(bucket: u16) -> Vec<Signal> {
    let text = format!(
        "bucket {bucket} of the limits cannot be read and grants nothing for a while: another \
         plugin has written this filter's shared data, or the host's clock was set back. Give the \
         filter a vm_id that no other plugin has"
    );
    vec![Signal::Count(Counter::LimitsUnreadable), Signal::Log(Level::Error, text)]
}

#[cfg(test)]
mod tests;
