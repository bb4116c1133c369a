//! The whole table, as a host keeps it in the data that all workers share.
//!
//! Other plugins may write that data too. So each bucket has a name that only the holder of a
//! secret can compute, and a MAC that covers its number. A bucket whose MAC is wrong is closed, as
//! one that cannot be read: it grants nothing for a while, and the log says so.

use super::head::VERSION;
use super::permit::Permit;
use super::places::{BUCKETS, OF_USERS};
use super::settlement::{End, Settlement};
use super::verdict::{Granted, Limit, Limited, Verdict};
use super::{EMPTY, EMPTY_LEDGER, closed, grant, settle};
use crate::clock::UnixTime;
use crate::config::Limits;
use crate::session::{SharedKey, SharedValues};
use crate::signal::{Counter, Level, Signal};

/// The names and seals of all buckets.
#[derive(Clone, Debug)]
pub struct Table(SharedValues);

/// Computes the next bytes of one value from its present ones; `None` leaves it as it is.
pub type Work<'w> = dyn FnMut(Option<&[u8]>) -> Option<Vec<u8>> + 'w;

/// Changes the value with this name. The host reads it, calls the work, and swaps the new bytes in
/// if nobody was faster, or begins anew. Says whether that went well.
pub type Change<'c> = dyn FnMut(&str, &mut Work<'_>) -> bool + 'c;

/// What became of a change.
#[derive(Debug)]
pub struct Changed {
    /// Whether the permit is granted.
    pub verdict: Verdict,
    /// What an operator has to know.
    pub signals: Vec<Signal>,
}

impl Table {
    /// The table of all configurations that have this key.
    #[must_use]
    pub fn new(key: &SharedKey) -> Self {
        // Two layouts under one name would close each other's buckets.
        Self(key.values(&format!("limit/{VERSION}")))
    }

    /// The names and seals of the buckets, by their numbers.
    #[must_use]
    pub const fn values(&self) -> &SharedValues {
        &self.0
    }

    /// All buckets, each with its name and the bytes of one that was never used.
    pub fn unused(&self) -> impl Iterator<Item = (String, Vec<u8>)> {
        (0..BUCKETS).map(|bucket| {
            let empty = if bucket < OF_USERS { EMPTY.to_vec() } else { EMPTY_LEDGER.to_vec() };
            (self.0.name(bucket), self.0.seal(bucket, empty))
        })
    }

    /// Grants a push, a passcode or a single use, if the limits allow it and it could be stored.
    ///
    /// A permit with two tags is granted under the first and then under the second. If the second
    /// refuses it, the first forgets it. So two requests at once are never both granted.
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
                    // All buckets that cannot be read are closed at once, not one after another.
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
        self.change(wanted, change, &mut |bytes| match bytes {
            Ok(bytes) => grant(bytes, wanted, limits, now),
            Err(Forged) => closed(wanted, now),
        })
    }

    /// Writes down how a permit ended. Where that fails, the permit ends by its time.
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
            let changed = self.change(&permit, change, &mut |bytes| match bytes {
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

    fn change(&self, wanted: &Permit, change: &mut Change<'_>, judge: &mut Judge<'_>) -> Changed {
        let (bucket, values) = (wanted.bucket(), &self.0);
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

/// Bytes that this filter did not write there.
#[derive(Clone, Copy)]
struct Forged;

/// Judges a permit by the bytes of its bucket, and computes the next ones.
type Judge<'j> = dyn FnMut(Result<Option<&[u8]>, Forged>) -> (Verdict, Option<Vec<u8>>) + 'j;

const UNENDED: &str = "a sign-out could not be recorded, since other workers were faster at \
                       every try: the user's approvals per client go on until their time is over";

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
