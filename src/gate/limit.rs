//! Rate limits for prompts and passcodes, and replay protection for single-use tokens, in a table
//! that all workers share.
//!
//! In go a bucket's bytes, the requested permit and the time. Out come a verdict and the bucket's
//! next bytes. The host stores those if no other worker was faster, or tries again. The table has a
//! fixed number of buckets. A user is found by a keyed tag that begins with the number of the bucket,
//! so nobody can choose which other users they collide with. A single-use token is found by its random
//! bytes, in another region of the table. Bytes that cannot be read, and a bucket without room, grant
//! nothing.

mod bucket;
mod client_approvals;
mod head;
mod ledger;
mod permit;
mod places;
mod prompted;
mod settlement;
mod share;
mod table;
mod verdict;

pub use client_approvals::ClientApproval;
pub use head::{EMPTY, EMPTY_LEDGER};
pub use permit::Permit;
pub use places::buckets;
pub use prompted::Prompted;
pub use settlement::{End, Settlement};
pub use table::{Change, Changed, Table, Work};
pub use verdict::{Granted, Limit, Limited, Unheard, Verdict};

use crate::clock::UnixTime;
use crate::config::Limits;
use crate::session::{PENDING_LIFETIME, PerRequestApprovals};
use bucket::Bucket;
use client_approvals::{ClientApprovals, State};
use ledger::Ledger;
pub(super) use permit::SingleUse;
use permit::{OfClient, What};
use share::Shares;
use std::time::Duration;

/// For this many seconds a bucket that could not be read grants nothing, since its cool-downs and
/// counts are lost.
const CLOSED: u64 = 60;

/// Judges a permit by its bucket's bytes. A grant is valid only after the new bytes are stored.
pub fn grant(
    bytes: Option<&[u8]>,
    permit: &Permit,
    limits: &Limits,
    now: UnixTime,
) -> (Verdict, Option<Vec<u8>>) {
    let now = now.seconds();
    match permit.what {
        What::Prompt(_) | What::Passcode | What::Start => match users(bytes, now) {
            Some(mut bucket) => {
                let verdict = bucket.grant(permit, limits, now);
                let is_changed = verdict.as_ref().map_or_else(Limited::is_noted, |_| true);
                (verdict, is_changed.then(|| bucket.encode(now)))
            }
            None => close_users(now),
        },
        What::Share => match Shares::decode(bytes.unwrap_or(&EMPTY_LEDGER), now) {
            Some(mut shares) => {
                let verdict = shares.grant(permit.sharer(), now);
                let is_changed = verdict.is_ok();
                (verdict, is_changed.then(|| shares.encode(now)))
            }
            None => close_shares(now),
        },
        What::Client(OfClient::Find(client, claim)) => {
            find_client(bytes, permit, (client, claim), now)
        }
        What::Client(_) => (UNAPPROVED, None),
        What::SingleUse { kind, kept } => {
            let kept = now.saturating_add(kept.as_secs());
            match Ledger::decode(bytes.unwrap_or(&EMPTY_LEDGER), now) {
                Some(mut ledger) => {
                    let verdict = ledger.grant(permit.entry(kind), kind.grace(), kept, now);
                    let is_changed = verdict.is_ok();
                    (verdict, is_changed.then(|| ledger.encode(now)))
                }
                None => close_uses(now),
            }
        }
    }
}

fn users(bytes: Option<&[u8]>, now: u64) -> Option<Bucket> {
    Bucket::decode(bytes.unwrap_or(&EMPTY), now)
}

/// Closes a bucket that another plugin has written: it grants nothing for a while.
fn closed(permit: &Permit, now: UnixTime) -> (Verdict, Option<Vec<u8>>) {
    let now = now.seconds();
    match permit.what {
        What::Prompt { .. } | What::Passcode | What::Start => close_users(now),
        What::SingleUse { .. } => close_uses(now),
        What::Share => close_shares(now),
        What::Client(_) => forget_clients(now),
    }
}

fn close_users(now: u64) -> (Verdict, Option<Vec<u8>>) {
    let until = now.saturating_add(CLOSED);
    (unreadable(now, until), Some(Bucket::closed(until).encode(now)))
}

fn close_shares(now: u64) -> (Verdict, Option<Vec<u8>>) {
    let until = now.saturating_add(CLOSED);
    (unreadable(now, until), Some(Shares::closed(until).encode(now)))
}

/// A bucket that cannot be read loses its approvals; its users are asked again.
fn forget_clients(now: u64) -> (Verdict, Option<Vec<u8>>) {
    (unreadable(now, now), Some(ClientApprovals::default().encode(now)))
}

const UNAPPROVED: Verdict = Err(Limited::new(Limit::Unapproved, 0, 0));

/// Closes a bucket until everything that it may have held would have been forgotten. Sign-ins at
/// Duo's page would be remembered for longer, but Duo accepts each of their codes only once.
fn close_uses(now: u64) -> (Verdict, Option<Vec<u8>>) {
    let until = now.saturating_add(PerRequestApprovals::REMEMBERED.max(PENDING_LIFETIME).as_secs());
    (unreadable(now, until), Some(Ledger::closed(until).encode(now)))
}

const fn unreadable(now: u64, until: u64) -> Verdict {
    Err(Limited::new(Limit::Unreadable, now, until))
}

/// Records how a permit ended. Does nothing if that is known already, or too late to matter. Any
/// end finishes a single-use token, whether it was granted or not.
#[must_use]
pub fn settle(
    bytes: Option<&[u8]>,
    settlement: &Settlement,
    limits: &Limits,
    now: UnixTime,
) -> Option<Vec<u8>> {
    let now = now.seconds();
    let Settlement { permit, end } = settlement;
    match permit.what {
        What::Prompt(_) | What::Passcode | What::Start => {
            let mut bucket = Bucket::decode(bytes?, now)?;
            bucket.entry_of(permit)?.end(*end, limits, now);
            Some(bucket.encode(now))
        }
        What::Share => {
            let mut shares = Shares::decode(bytes?, now)?;
            if *end != End::Unsent {
                return None;
            }
            shares.forget(permit.sharer(), now);
            Some(shares.encode(now))
        }
        What::Client(OfClient::Find(..)) => None,
        What::Client(OfClient::Keep(client, approval)) => {
            keep_client(bytes, permit, client, State::Approved(approval), now)
        }
        What::Client(OfClient::Await(client, lasts)) => {
            let state = State::Awaited { since: now, lasts: lasts.as_secs() };
            keep_client(bytes, permit, client, state, now)
        }
        What::Client(OfClient::Release(client)) => {
            let mut kept = ClientApprovals::decode(bytes?, now)?;
            kept.release(client, permit.sharer()).then(|| kept.encode(now))
        }
        What::Client(OfClient::Forget) => {
            // The bucket is emptied, since bytes that cannot be read now may be readable later.
            let mut kept = ClientApprovals::decode(bytes?, now).unwrap_or_default();
            kept.forget(permit.sharer());
            Some(kept.encode(now))
        }
        What::SingleUse { kind, kept } => {
            let mut ledger = Ledger::decode(bytes.unwrap_or(&EMPTY_LEDGER), now)?;
            ledger.end(permit.entry(kind), now.saturating_add(kept.as_secs()), now);
            Some(ledger.encode(now))
        }
    }
}

/// Judges whether a request passes with the approval of its client. [`Granted::New`] says that there
/// is none, and that other requests of the client wait for this one to obtain it.
fn find_client(
    bytes: Option<&[u8]>,
    permit: &Permit,
    (client, claim): ([u8; 16], Option<Duration>),
    now: u64,
) -> (Verdict, Option<Vec<u8>>) {
    let mut kept = match bytes {
        Some(bytes) => match ClientApprovals::decode(bytes, now) {
            Some(kept) => kept,
            None => return forget_clients(now),
        },
        None => ClientApprovals::default(),
    };
    match kept.find(client, permit.sharer(), now) {
        Some(State::Approved(approval)) => (Ok(Granted::Approved(approval)), None),
        Some(state @ State::Awaited { .. }) => {
            (Err(Limited::new(Limit::Awaited, now, state.end())), None)
        }
        None => {
            let state = claim.map(|lasts| State::Awaited { since: now, lasts: lasts.as_secs() });
            if state.is_some_and(|state| kept.keep(client, permit.sharer(), state, now)) {
                (Ok(Granted::New), Some(kept.encode(now)))
            } else {
                (UNAPPROVED, None)
            }
        }
    }
}

#[inline(never)]
fn keep_client(
    bytes: Option<&[u8]>,
    permit: &Permit,
    client: [u8; 16],
    state: State,
    now: u64,
) -> Option<Vec<u8>> {
    let kept = bytes.and_then(|bytes| ClientApprovals::decode(bytes, now));
    let mut kept = kept.unwrap_or_default();
    kept.keep(client, permit.sharer(), state, now).then(|| kept.encode(now))
}

#[cfg(test)]
mod tests;
