//! The verdict of the table on a permit.

use super::client_approvals::ClientApproval;
use super::prompted::Prompted;
use crate::clock::UnixTime;
use std::time::Duration;

/// The wait in seconds before another try, if Duo reports that a prompt still waits after its time.
const STILL_WAITS: u64 = 5;

/// The verdict: granted, or limited.
pub type Verdict = Result<Granted, Limited>;

/// The result of a granted permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Granted {
    /// The requested permit.
    New,
    /// No new prompt: the same request waited for this one and left.
    TakeUp(Box<Unheard>),
    /// This client of the user has an approval.
    Approved(ClientApproval),
}

/// Why a permit is refused, and the shortest wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limited {
    /// The limit that forbids it.
    pub limit: Limit,
    /// The wait after which another try may succeed.
    pub wait: Duration,
    /// The prompt that forbids it, if Duo is to be asked how it ended. The new bytes record the
    /// question, so that no other request asks meanwhile.
    pub unheard: Option<Box<Unheard>>,
}

/// A prompt whose end is not known. Times are seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unheard {
    pub(in crate::gate) prompted: Prompted,
    pub(super) owner: [u8; 8],
    /// Whether the request that waited for it was the same as this one.
    pub(in crate::gate) is_same: bool,
    pub(super) pending: u64,
    pub(super) cool_down: u64,
    pub(super) kept: u64,
}

impl Unheard {
    /// The verdict if Duo does not report how it ended. `None` after it counts as a prompt that
    /// nobody answered.
    pub(in crate::gate) fn unfound(&self, now: UnixTime) -> Option<Limited> {
        let now = now.seconds();
        if now < self.pending {
            Some(Limited::new(Limit::Pending, now, self.pending))
        } else if now < self.cool_down {
            Some(Limited::new(Limit::CoolDown, now, self.cool_down))
        } else {
            None
        }
    }

    /// The verdict if Duo reports that it still waits. `None` after the time for which that can be
    /// true.
    pub(in crate::gate) fn waits(&self, now: UnixTime) -> Option<Limited> {
        let now = now.seconds();
        let until = self.pending.max(now.saturating_add(STILL_WAITS));
        (now < self.kept).then(|| Limited::new(Limit::Pending, now, until))
    }
}

impl Limited {
    /// Other workers were faster at every try to store the permit.
    pub const CONTENDED: Self =
        Self { limit: Limit::Contended, wait: Duration::from_secs(1), unheard: None };

    pub(super) const fn new(limit: Limit, from: u64, until: u64) -> Self {
        let wait = Duration::from_secs(until.saturating_sub(from));
        Self { limit, wait, unheard: None }
    }

    /// Whether the bucket has new bytes although nothing is granted.
    pub(super) const fn is_noted(&self) -> bool {
        self.unheard.is_some()
    }
}

/// The limit that forbids a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Another prompt is on the user's phone.
    Pending,
    /// The user denied a prompt, reported one as fraud, or did not answer.
    CoolDown,
    /// The window has no room for another prompt.
    Budget,
    /// There were too many incorrect passcodes.
    Passcodes,
    /// The token was used before, or can never be used again.
    Used,
    /// The user has used as many single-use tokens as one user may.
    Share,
    /// This client of the user has no approval.
    Unapproved,
    /// This client has no approval yet, but another of its requests waits for one.
    Awaited,
    /// The rate limit service has no room for another prompt.
    Fleet,
    /// The rate limit service did not answer, and the configuration refuses then.
    FleetUnknown,
    /// The bucket has no room.
    NoRoom,
    /// The bucket cannot be read.
    Unreadable,
    /// Other workers were faster at every try.
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
            Self::Fleet => "rate limit service",
            Self::FleetUnknown => "rate limit service did not answer",
            Self::NoRoom => "no room",
            Self::Unreadable => "unreadable",
            Self::Contended => "contended",
        }
    }
}
