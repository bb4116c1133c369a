//! Limits on what rings a user's phone and on passcodes that are tried, as changes of a table that all workers share.
//!
//! In go a bucket's bytes, who asks and the moment; out come a verdict and the bucket's next bytes.
//! The host swaps those in if nobody was faster, or asks again. The table has a fixed size: a user
//! is found by a keyed tag, whose start is the number of the bucket, so that nobody can choose
//! whom to collide with. What cannot be read, and what has no room, refuses the push.

mod bucket;

pub use bucket::EMPTY;

use crate::clock::UnixTime;
use crate::config::Limits;
use bucket::Bucket;
use std::time::Duration;

/// How many buckets the table has.
pub const BUCKETS: u16 = 4096;

const LAST_BUCKET: u16 = 0x0fff;
const _: () = assert!(LAST_BUCKET + 1 == BUCKETS && BUCKETS.is_power_of_two());

/// For so many seconds nothing is granted from a bucket that could not be read: whom it stopped is
/// not known.
const CLOSED: u64 = 60;

/// Somebody who wants to ring a user's phone, or to try a passcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    tag: [u8; 16],
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// It rings. `owner` stands for this one try; it is over after `lasts`.
    Prompt { owner: [u8; 8], lasts: Duration },
    /// A passcode: it counts until Duo has taken one.
    Passcode,
}

impl Claim {
    /// `tag` stands for the user, `owner` for this one try: random bytes. The prompt is over after
    /// `lasts`, whatever is heard of it.
    pub(super) const fn new(tag: [u8; 16], owner: [u8; 16], lasts: Duration) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = owner;
        Self { tag, what: What::Prompt { owner: [a, b, c, d, e, f, g, h], lasts } }
    }

    /// `tag` stands for the user among those who try passcodes.
    pub(super) const fn of_passcode(tag: [u8; 16]) -> Self {
        Self { tag, what: What::Passcode }
    }

    /// The number of the bucket, below [`BUCKETS`].
    #[must_use]
    pub const fn bucket(&self) -> u16 {
        let [high, low, ..] = self.tag;
        u16::from_be_bytes([high, low]) & LAST_BUCKET
    }
}

/// Whether the phone may ring, or the passcode be tried.
pub type Verdict = Result<(), Limited>;

/// Why not, and for how long at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// What stands against it.
    pub limit: Limit,
    /// When another try may go better.
    pub wait: Duration,
}

impl Limited {
    /// Others were faster at every try to write down the claim.
    pub const CONTENDED: Self = Self { limit: Limit::Contended, wait: Duration::from_secs(1) };

    const fn new(limit: Limit, from: u64, until: u64) -> Self {
        Self { limit, wait: Duration::from_secs(until.saturating_sub(from)) }
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
    /// There are too many other users.
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
            Self::NoRoom => "no room",
            Self::Unreadable => "unreadable",
            Self::Contended => "contended",
        }
    }
}

/// How a claim ended that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The claim.
    pub claim: Claim,
    /// How it ended.
    pub end: End,
}

/// How a prompt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The user approved: all that was held against them is forgotten.
    Allowed,
    /// The user denied it, or Duo in their place.
    Denied,
    /// Nobody answered.
    TimedOut,
    /// The user reported it as fraud.
    Fraud,
    /// It was never sent: as if nobody had asked.
    Unsent,
    /// Whether it was sent is not known: it counts, and nobody waits for it.
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
    let Some(mut bucket) = Bucket::decode(bytes.unwrap_or(&EMPTY), now) else {
        let until = now.saturating_add(CLOSED);
        let limited = Limited::new(Limit::Unreadable, now, until);
        return (Err(limited), Some(Bucket::closed(until).encode(now)));
    };
    match bucket.grant(claim, limits, now) {
        Ok(()) => (Ok(()), Some(bucket.encode(now))),
        Err(limited) => (Err(limited), None),
    }
}

/// Writes down how a claim ended; nothing where that is known, or too late to matter.
#[must_use]
pub fn settle(
    bytes: Option<&[u8]>,
    settlement: &Settlement,
    limits: &Limits,
    now: UnixTime,
) -> Option<Vec<u8>> {
    let now = now.seconds();
    let mut bucket = Bucket::decode(bytes?, now)?;
    let Settlement { claim, end } = settlement;
    bucket.entry_of(claim)?.end(*end, limits, now);
    Some(bucket.encode(now))
}

#[cfg(test)]
mod tests;
