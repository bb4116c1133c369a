//! The end of a permit.

use super::permit::Permit;
use super::prompted::Prompted;
use super::verdict::{Limit, Limited, Unheard};
use crate::clock::UnixTime;

/// The wait in seconds in which a request that waits for a prompt uses its approval.
const USES: u64 = 2;

/// The outcome of a permit that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The permit.
    pub permit: Permit,
    /// How it ended.
    pub end: End,
}

/// How a prompt, a passcode or a single use ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Not ended: Duo has sent the prompt. The value is needed to ask about it.
    Started(Prompted),
    /// Not ended: the client that waited for the prompt has left.
    Left,
    /// The user approved; the user's record is cleared.
    Allowed,
    /// The user denied it, or Duo did.
    Denied,
    /// Nobody answered.
    TimedOut,
    /// The user reported it as fraud.
    Fraud,
    /// Its end cannot be found out; it counts as a prompt that nobody answered.
    Unfound,
    /// It was never sent; it does not count.
    Unsent,
    /// It counts, but there is nothing on the phone to answer: passcodes were sent.
    Sent,
    /// It is unknown whether it was sent. A prompt counts and may be on the phone; a passcode
    /// counts; a single-use token is finished.
    Lost,
}

impl Unheard {
    /// The end to record if Duo reports an approval that no request has used. If the same request waits for it, that one
    /// uses it within the returned limit. If the worker that held that one has ended, nothing else says so: the next try
    /// takes the prompt up.
    pub(in crate::gate) fn allowed(&self, now: UnixTime) -> (End, Option<Limited>) {
        let now = now.seconds();
        if self.is_same && now < self.pending {
            (End::Left, Some(Limited::new(Limit::Pending, now, now.saturating_add(USES))))
        } else {
            (End::Allowed, None)
        }
    }
}
