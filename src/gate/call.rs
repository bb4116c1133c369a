//! A signed call to Duo, for the host to send.

use super::configured::Gate;
use super::room::Seat;
use crate::clock::UnixTime;
use crate::duo::{Request, SignedCall};
use crate::signal::Counter;
use std::time::Duration;

/// The shortest time between two polls of a transaction.
pub(super) const POLL_PACE: Duration = Duration::from_secs(1);

/// A call to make.
#[derive(Clone, Debug)]
pub struct Call {
    /// The number of the Duo application that it is for, whose cluster it goes to.
    pub application: usize,
    /// What to send.
    pub signed: SignedCall,
    /// How long to wait for the answer.
    pub timeout: Duration,
    /// When to send it; at once if that has passed.
    pub due: UnixTime,
    /// The room that it takes. `None` for a call of the background check, which is always sent.
    pub seat: Option<Seat>,
}

impl Call {
    /// Whether to send it: see [`is_due`].
    #[must_use]
    pub fn is_due(&self, now: UnixTime) -> bool {
        is_due(self.due, now)
    }

    /// The counter of a call that is sent for a request.
    #[must_use]
    pub const fn counter(&self) -> Counter {
        Counter::DuoCalls(self.signed.endpoint.name())
    }

    /// A call of the background check, to be sent at once. `now` is Duo's time.
    pub(super) fn at_once(gate: &Gate, application: usize, ask: &Request, now: UnixTime) -> Self {
        let duo = &gate.config().applications.get(application).duo;
        let signed = ask.sign(&duo.credentials, now);
        Self { application, signed, timeout: duo.timeout, due: UnixTime::default(), seat: None }
    }
}

/// Whether a moment has come. If it is further off than anything ever waits, the host's clock was
/// set back, and it has come too.
#[must_use]
pub fn is_due(due: UnixTime, now: UnixTime) -> bool {
    due <= now || due.since(now) > POLL_PACE
}
