//! The outcome of a call to Duo.

use crate::duo::{AskedWait, DuoError, Outage, Response};
use std::time::Duration;

/// The outcome of the outstanding call.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a response may hold a device token")]
pub enum Event<'a> {
    /// There is a response, from Duo or from Envoy in its place.
    Answered(Response<'a>),
    /// There is no response.
    Failed(Unanswered),
}

impl<'a> Event<'a> {
    /// Reads the response with `question`.
    pub(super) fn read<T, E: From<DuoError>>(
        self,
        question: impl FnOnce(&Response<'a>) -> Result<T, E>,
    ) -> Result<T, E> {
        match self {
            Self::Answered(answer) => question(&answer),
            Self::Failed(why) => Err(DuoError::from(why).into()),
        }
    }

    /// The wait that the response asks for, if it does.
    pub(super) fn asked_wait(&self) -> Option<AskedWait> {
        match self {
            Self::Answered(answer) => answer.asked_wait(),
            Self::Failed(_) => None,
        }
    }
}

/// Why a call has no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The response was cut off, or too large for Envoy.
    Cut,
    /// The call was not sent: Envoy has no such cluster, or the cluster has no usable host.
    NotSent,
    /// The call was not sent: the circuit breaker of the cluster is full.
    Overflow,
    /// The call was not sent: several in a row had failed, or Duo asked to wait.
    Unasked {
        /// How much longer Duo asked to wait; `None` if calls had failed.
        wait: Option<Duration>,
        /// Whether Duo asked because there were too many calls.
        is_limit: bool,
    },
}

impl Unanswered {
    /// The outage breaker is open.
    pub const OPEN: Self = Self::Unasked { wait: None, is_limit: false };
}

impl From<Unanswered> for DuoError {
    fn from(why: Unanswered) -> Self {
        match why {
            Unanswered::Cut => Self::Unreachable(Outage::NoAnswer),
            Unanswered::NotSent => Self::Unreachable(Outage::NotSent),
            Unanswered::Overflow => Self::Overflow,
            Unanswered::Unasked { wait, is_limit } => {
                Self::Unreachable(Outage::Unasked { wait, is_limit })
            }
        }
    }
}
