//! The outcome of a call to Duo.

use crate::duo::{DuoError, Outage, Response};

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
}

impl From<Unanswered> for DuoError {
    fn from(why: Unanswered) -> Self {
        match why {
            Unanswered::Cut => Self::Unreachable(Outage::NoAnswer),
            Unanswered::NotSent => Self::Unreachable(Outage::NotSent),
            Unanswered::Overflow => Self::Overflow,
        }
    }
}
