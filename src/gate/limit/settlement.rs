//! The end of a permit.

use super::permit::Permit;
use super::prompted::Prompted;

/// What became of a permit that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The permit.
    pub permit: Permit,
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
