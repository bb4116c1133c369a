//! Limits on what rings a user's phone, on passcodes that are tried, and on what is good once, as
//! changes of a table that all workers share.
//!
//! In go a bucket's bytes, who asks and the moment; out come a verdict and the bucket's next bytes.
//! The host swaps those in if nobody was faster, or asks again. The table has a fixed size: a user
//! is found by a keyed tag, whose start is the number of the bucket, so that nobody can choose
//! whom to collide with; what is good once is found by random bytes of its own, in the other half
//! of the table. What cannot be read, and what has no room, is not granted.

mod bucket;
mod claim;
mod client_approvals;
mod head;
mod ledger;
mod prompted;
mod share;
mod table;

pub use claim::Claim;
pub use client_approvals::ClientApproval;
pub use head::{EMPTY, EMPTY_LEDGER};
pub use prompted::Prompted;
pub use table::{Change, Changed, Table, Work};

use crate::clock::UnixTime;
use crate::config::Limits;
use crate::session::{Operations, PENDING_LIFETIME};
use bucket::Bucket;
pub(super) use claim::Once;
use claim::{OfClient, PromptClaim, What};
use client_approvals::{ClientApprovals, State};
use ledger::Ledger;
use share::Shares;
use std::time::Duration;

/// How many buckets the table has: as many for users as for what is good once, and some for the
/// shares that users have in the latter.
pub const BUCKETS: u16 = 9216;

const OF_USERS: u16 = 0x1000;
const LAST_OF_USERS: u16 = 0x0fff;
const FIRST_OF_SHARES: u16 = 0x2000;
const LAST_OF_SHARES: u16 = 0x03ff;
const _: () = assert!(LAST_OF_USERS + 1 == OF_USERS && 2 * OF_USERS == FIRST_OF_SHARES);
const _: () = assert!(FIRST_OF_SHARES + LAST_OF_SHARES + 1 == BUCKETS);
/// Behind them are 1,024 buckets of approvals per client. They are made when they are used, since
/// few configurations have such approvals.
const FIRST_OF_CLIENTS: u16 = 0x2400;
const LAST_OF_CLIENTS: u16 = 0x03ff;
const _: () = assert!(FIRST_OF_CLIENTS == BUCKETS && BUCKETS.is_multiple_of(1 << 10));

/// So many single uses a user may have in a window. The places for all users are 65,536.
pub(super) const SHARE: u16 = 128;

/// As long as a use is remembered.
const SHARE_WINDOW: Duration = Operations::REMEMBERED;

/// For so many seconds nothing is granted from a bucket that could not be read: whom it stopped is
/// not known.
const CLOSED: u64 = 60;

/// For so many seconds after a sign-in was given for the first time it is given again: its answer
/// may have been lost on the way.
const GRACE: u64 = 10;

/// Seconds until a client may ask again where Duo says that a prompt still waits after its time.
const STILL_WAITS: u64 = 5;

/// Whether the phone may ring, the passcode be tried, or a single use be made.
pub type Verdict = Result<Permit, Limited>;

/// What is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permit {
    /// What was asked for.
    New,
    /// No prompt: the same request waited for this one and left.
    TakeUp(Box<Unheard>),
    /// This client of the user has an approval.
    Approved(ClientApproval),
}

/// Why not, and for how long at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limited {
    /// What stands against it.
    pub limit: Limit,
    /// When another try may go better.
    pub wait: Duration,
    /// The prompt that stands against it, where Duo is to be asked how that ended. The new bytes
    /// note that it is asked, so that nobody else asks meanwhile.
    pub unheard: Option<Box<Unheard>>,
}

/// A prompt whose end is not known. Times are seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unheard {
    pub(super) prompted: Prompted,
    owner: [u8; 8],
    /// Whether the request that waited for it was the same as this one.
    pub(super) is_same: bool,
    pending: u64,
    cool_down: u64,
    kept: u64,
}

impl Unheard {
    /// The verdict where Duo does not say how it ended. `None` once it counts as a prompt that
    /// nobody answered.
    pub(super) fn unfound(&self, now: UnixTime) -> Option<Limited> {
        let now = now.seconds();
        if now < self.pending {
            Some(Limited::new(Limit::Pending, now, self.pending))
        } else if now < self.cool_down {
            Some(Limited::new(Limit::CoolDown, now, self.cool_down))
        } else {
            None
        }
    }

    /// The verdict where Duo says that it still waits. `None` once that is not believed any more.
    pub(super) fn waits(&self, now: UnixTime) -> Option<Limited> {
        let now = now.seconds();
        let until = self.pending.max(now.saturating_add(STILL_WAITS));
        (now < self.kept).then(|| Limited::new(Limit::Pending, now, until))
    }
}

impl Limited {
    /// Others were faster at every try to write down the claim.
    pub const CONTENDED: Self =
        Self { limit: Limit::Contended, wait: Duration::from_secs(1), unheard: None };

    const fn new(limit: Limit, from: u64, until: u64) -> Self {
        let wait = Duration::from_secs(until.saturating_sub(from));
        Self { limit, wait, unheard: None }
    }

    /// Whether the bucket has new bytes although nothing is granted.
    const fn is_noted(&self) -> bool {
        self.unheard.is_some()
    }
}

/// What stands against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// One is on the user's phone.
    Pending,
    /// The user denied one, reported one as fraud, or did not answer.
    CoolDown,
    /// The window has seen as many as it may.
    Budget,
    /// Too many passcodes were not right.
    Passcodes,
    /// It was used before, or it is over.
    Used,
    /// The user has as many single uses as one user may have.
    Share,
    /// This client of the user has no approval.
    Unapproved,
    /// It has none yet: another of its requests waits for one.
    Awaited,
    /// There are too many others.
    NoRoom,
    /// What was written down cannot be read.
    Unreadable,
    /// Others were faster at every try.
    Contended,
}

impl Limit {
    /// The name in a log line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::CoolDown => "cool-down",
            Self::Budget => "budget",
            Self::Passcodes => "passcodes",
            Self::Used => "used",
            Self::Share => "share",
            Self::Unapproved => "unapproved",
            Self::Awaited => "awaited",
            Self::NoRoom => "no room",
            Self::Unreadable => "unreadable",
            Self::Contended => "contended",
        }
    }
}

/// What became of a claim that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The claim.
    pub claim: Claim,
    /// What became of it.
    pub end: End,
}

/// What became of a prompt or a passcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// No end yet: Duo has sent the prompt, and this is how to ask about it.
    Started(Prompted),
    /// No end yet: the client that waited for the prompt has left.
    Left,
    /// The user approved: all that was held against them is forgotten.
    Allowed,
    /// The user denied it, or Duo in their place.
    Denied,
    /// Nobody answered.
    TimedOut,
    /// The user reported it as fraud.
    Fraud,
    /// Nobody can find out how it ended: it counts as one that nobody answered.
    Unfound,
    /// It was never sent: as if nobody had asked.
    Unsent,
    /// It counts, and nothing of it is on the phone: passcodes went out.
    Sent,
    /// Whether it was sent is not known. A prompt counts and may be on the phone, a passcode
    /// counts, a single use is over.
    Lost,
}

/// Judges a claim by its bucket's bytes. Where it is granted, the verdict holds only once the new
/// bytes are in place.
pub fn claim(
    bytes: Option<&[u8]>,
    claim: &Claim,
    limits: &Limits,
    now: UnixTime,
) -> (Verdict, Option<Vec<u8>>) {
    let now = now.seconds();
    match claim.what {
        What::Prompt(_) | What::Passcode => match Bucket::decode(bytes.unwrap_or(&EMPTY), now) {
            Some(mut bucket) => {
                let verdict = bucket.grant(claim, limits, now);
                let is_changed = verdict.as_ref().map_or_else(Limited::is_noted, |_| true);
                (verdict, is_changed.then(|| bucket.encode(now)))
            }
            None => close_users(now),
        },
        What::Share => match Shares::decode(bytes.unwrap_or(&EMPTY_LEDGER), now) {
            Some(mut shares) => {
                let verdict = shares.grant(claim.sharer(), now);
                let is_changed = verdict.is_ok();
                (verdict, is_changed.then(|| shares.encode(now)))
            }
            None => close_shares(now),
        },
        What::Client(OfClient::Find(client)) => {
            let Some(bytes) = bytes else { return (UNAPPROVED, None) };
            match ClientApprovals::decode(bytes, now) {
                Some(kept) => {
                    let verdict = match kept.find(client, claim.sharer(), now) {
                        Some(State::Approved(approval)) => Ok(Permit::Approved(approval)),
                        Some(state @ State::Awaited { .. }) => {
                            Err(Limited::new(Limit::Awaited, now, state.end()))
                        }
                        None => UNAPPROVED,
                    };
                    (verdict, None)
                }
                None => forget_clients(now),
            }
        }
        What::Client(_) => (UNAPPROVED, None),
        What::Once { kind, kept } => {
            let kept = now.saturating_add(kept.as_secs());
            match Ledger::decode(bytes.unwrap_or(&EMPTY_LEDGER), now) {
                Some(mut ledger) => {
                    let verdict = ledger.grant(claim.entry(kind), kind.grace(), kept, now);
                    let is_changed = verdict.is_ok();
                    (verdict, is_changed.then(|| ledger.encode(now)))
                }
                None => close_uses(now),
            }
        }
    }
}

/// What becomes of a bucket that somebody else has written: nothing is granted from it for a while.
fn closed(claim: &Claim, now: UnixTime) -> (Verdict, Option<Vec<u8>>) {
    let now = now.seconds();
    match claim.what {
        What::Prompt { .. } | What::Passcode => close_users(now),
        What::Once { .. } => close_uses(now),
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

/// A bucket that cannot be read loses its approvals: those users are asked again.
fn forget_clients(now: u64) -> (Verdict, Option<Vec<u8>>) {
    (unreadable(now, now), Some(ClientApprovals::default().encode(now)))
}

const UNAPPROVED: Verdict = Err(Limited::new(Limit::Unapproved, 0, 0));

/// Until everything that the bucket may have held would be forgotten.
fn close_uses(now: u64) -> (Verdict, Option<Vec<u8>>) {
    let until = now.saturating_add(Operations::REMEMBERED.max(PENDING_LIFETIME).as_secs());
    (unreadable(now, until), Some(Ledger::closed(until).encode(now)))
}

const fn unreadable(now: u64, until: u64) -> Verdict {
    Err(Limited::new(Limit::Unreadable, now, until))
}

/// Writes down how a claim ended; nothing where that is known, or too late to matter. What is good
/// once is over by any end, claimed or not.
#[must_use]
pub fn settle(
    bytes: Option<&[u8]>,
    settlement: &Settlement,
    limits: &Limits,
    now: UnixTime,
) -> Option<Vec<u8>> {
    let now = now.seconds();
    let Settlement { claim, end } = settlement;
    match claim.what {
        What::Prompt(_) | What::Passcode => {
            let mut bucket = Bucket::decode(bytes?, now)?;
            bucket.entry_of(claim)?.end(*end, limits, now);
            Some(bucket.encode(now))
        }
        What::Share => {
            let mut shares = Shares::decode(bytes?, now)?;
            if *end != End::Unsent {
                return None;
            }
            shares.forget(claim.sharer(), now);
            Some(shares.encode(now))
        }
        What::Client(OfClient::Find(_)) => None,
        What::Client(OfClient::Keep(client, approval)) => {
            keep_client(bytes, claim, client, State::Approved(approval), now)
        }
        What::Client(OfClient::Await(client, lasts)) => {
            let state = State::Awaited { since: now, lasts: lasts.as_secs() };
            keep_client(bytes, claim, client, state, now)
        }
        What::Client(OfClient::GiveUp(client)) => {
            let mut kept = ClientApprovals::decode(bytes?, now)?;
            kept.give_up(client, claim.sharer()).then(|| kept.encode(now))
        }
        What::Client(OfClient::Forget) => {
            // Bytes that cannot be read now may be readable later: the bucket is emptied.
            let mut kept = ClientApprovals::decode(bytes?, now).unwrap_or_default();
            kept.forget(claim.sharer());
            Some(kept.encode(now))
        }
        What::Once { kind, kept } => {
            let mut ledger = Ledger::decode(bytes.unwrap_or(&EMPTY_LEDGER), now)?;
            ledger.end(claim.entry(kind), now.saturating_add(kept.as_secs()), now);
            Some(ledger.encode(now))
        }
    }
}

fn keep_client(
    bytes: Option<&[u8]>,
    claim: &Claim,
    client: [u8; 16],
    state: State,
    now: u64,
) -> Option<Vec<u8>> {
    let kept = bytes.and_then(|bytes| ClientApprovals::decode(bytes, now));
    let mut kept = kept.unwrap_or_default();
    kept.keep(client, claim.sharer(), state, now).then(|| kept.encode(now))
}

#[cfg(test)]
mod tests;
