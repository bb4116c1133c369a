//! Limits on what rings a user's phone, on passcodes that are tried, and on what is good once, as
//! changes of a table that all workers share.
//!
//! In go a bucket's bytes, who asks and the moment; out come a verdict and the bucket's next bytes.
//! The host swaps those in if nobody was faster, or asks again. The table has a fixed size: a user
//! is found by a keyed tag, whose start is the number of the bucket, so that nobody can choose
//! whom to collide with; what is good once is found by random bytes of its own, in the other half
//! of the table. What cannot be read, and what has no room, is not granted.

mod bucket;
mod head;
mod ledger;
mod prompted;
mod table;

pub use head::{EMPTY, EMPTY_LEDGER};
pub use prompted::Prompted;
pub use table::{Change, Changed, Table, Work};

use crate::clock::UnixTime;
use crate::config::Limits;
use crate::session::{Operations, PENDING_LIFETIME};
use bucket::Bucket;
use ledger::Ledger;
use std::time::Duration;

/// How many buckets the table has: as many for users as for what is good once.
pub const BUCKETS: u16 = 8192;

const OF_USERS: u16 = 0x1000;
const LAST_OF_USERS: u16 = 0x0fff;
const _: () = assert!(LAST_OF_USERS + 1 == OF_USERS && 2 * OF_USERS == BUCKETS);

/// For so many seconds nothing is granted from a bucket that could not be read: whom it stopped is
/// not known.
const CLOSED: u64 = 60;

/// For so many seconds after a sign-in was given for the first time it is given again: its answer
/// may have been lost on the way.
const GRACE: u64 = 10;

/// Seconds until a client may ask again where Duo says that a prompt still waits after its time.
const STILL_WAITS: u64 = 5;

/// Somebody who wants to ring a user's phone, to try a passcode, or to use what is good once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    tag: [u8; 16],
    /// The second tag that counts it, if any: it is granted only where both grant it.
    also: Option<[u8; 16]>,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// It rings.
    Prompt(PromptClaim),
    /// A passcode: it counts until Duo has taken one.
    Passcode,
    /// What is good once. It is remembered for as long as it would be good otherwise.
    Once { kind: Once, kept: Duration },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PromptClaim {
    /// The random id of this one prompt.
    owner: [u8; 8],
    /// The prompt is over after that time.
    lasts: Duration,
    /// The request that waits for the prompt; zeros where no other request may take the prompt up.
    request: [u8; 16],
}

/// What is good once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Once {
    /// A sign-in that Duo has allowed.
    SignIn,
    /// The approval of an operation.
    Operation,
    /// The approval of a prompt that a held request waits for.
    Held,
}

impl Once {
    /// Keeps the kinds apart in the table.
    const fn code(self) -> u8 {
        match self {
            Self::SignIn => 1,
            Self::Operation => 2,
            Self::Held => 3,
        }
    }

    /// For so many seconds after the first use the next one is not told from it.
    const fn grace(self) -> u64 {
        match self {
            Self::SignIn => GRACE,
            Self::Operation | Self::Held => 0,
        }
    }
}

impl Claim {
    /// `tag` stands for the user, `owner` is the random id of this prompt. The prompt is over after
    /// `lasts`, even if nobody hears of its end.
    pub(super) const fn of_prompt(tag: [u8; 16], owner: [u8; 16], lasts: Duration) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = owner;
        let owner = [a, b, c, d, e, f, g, h];
        Self { tag, also: None, what: What::Prompt(PromptClaim { owner, lasts, request: [0; 16] }) }
    }

    /// The same claim, whose prompt the same request may take up once its client has left.
    pub(super) const fn for_request(self, request: [u8; 16]) -> Self {
        match self.what {
            What::Prompt(claim) => {
                Self { what: What::Prompt(PromptClaim { request, ..claim }), ..self }
            }
            What::Passcode | What::Once { .. } => self,
        }
    }

    /// The claim of this user's last prompt, to write down how that ended.
    pub(super) const fn of_last(self, unheard: &Unheard) -> Self {
        match self.what {
            What::Prompt(claim) => {
                let owner = unheard.owner;
                Self { what: What::Prompt(PromptClaim { owner, ..claim }), ..self }
            }
            What::Passcode | What::Once { .. } => self,
        }
    }

    /// `tag` stands for the user among those who try passcodes.
    pub(super) const fn of_passcode(tag: [u8; 16]) -> Self {
        Self { tag, also: None, what: What::Passcode }
    }

    /// `id` is random, and stands for what is good once; it is good for no longer than `kept`.
    pub(super) const fn once(kind: Once, id: [u8; 16], kept: Duration) -> Self {
        Self { tag: id, also: None, what: What::Once { kind, kept } }
    }

    /// The same claim, which a second tag counts too: it is granted only where both grant it.
    #[must_use]
    pub(super) fn counted_by(self, tag: Option<[u8; 16]>) -> Self {
        Self { also: tag, ..self }
    }

    /// The claims of one tag each that it consists of, in the order in which they are claimed.
    fn parts(&self) -> impl Iterator<Item = Self> {
        let part = |tag| Self { tag, also: None, what: self.what };
        std::iter::once(self.tag).chain(self.also).map(part)
    }

    /// The number of the bucket of its first tag, below [`BUCKETS`].
    #[must_use]
    pub const fn bucket(&self) -> u16 {
        let [high, low, ..] = self.tag;
        let number = u16::from_be_bytes([high, low]) & LAST_OF_USERS;
        match self.what {
            What::Prompt(_) | What::Passcode => number,
            What::Once { .. } => number | OF_USERS,
        }
    }

    /// Stands for what is good once among those of its bucket.
    const fn entry(&self, kind: Once) -> ledger::Tag {
        let [_, _, a, b, c, d, e, f, g, ..] = self.tag;
        [kind.code(), a, b, c, d, e, f, g]
    }
}

/// Whether the phone may ring, the passcode be tried, or a single use be made.
pub type Verdict = Result<Permit, Limited>;

/// What is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permit {
    /// What was asked for.
    New,
    /// No prompt: the same request waited for this one and left.
    TakeUp(Box<Unheard>),
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
    }
}

fn close_users(now: u64) -> (Verdict, Option<Vec<u8>>) {
    let until = now.saturating_add(CLOSED);
    (unreadable(now, until), Some(Bucket::closed(until).encode(now)))
}

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
        What::Once { kind, kept } => {
            let mut ledger = Ledger::decode(bytes.unwrap_or(&EMPTY_LEDGER), now)?;
            ledger.end(claim.entry(kind), now.saturating_add(kept.as_secs()), now);
            Some(ledger.encode(now))
        }
    }
}

#[cfg(test)]
mod tests;
