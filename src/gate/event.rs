//! What comes of a call to Duo.

use crate::duo::{DuoError, Outage, Response};

/// The outcome of the outstanding call.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "an answer may hold a device token")]
pub enum Event<'a> {
    /// Duo, or Envoy in its place, answered.
    Answered(Response<'a>),
    /// There is no answer.
    Failed(Unanswered),
}

impl<'a> Event<'a> {
    /// Reads the answer to one question.
    pub(super) fn read<T>(
        self,
        question: impl FnOnce(&Response<'a>) -> Result<T, DuoError>,
    ) -> Result<T, DuoError> {
        match self {
            Self::Answered(answer) => question(&answer),
            Self::Failed(why) => Err(why.into()),
        }
    }
}

/// Why there is no answer to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The answer was cut off, or too large for Envoy to hand over.
    Cut,
    /// The call was not sent: Envoy does not know the cluster, or that has no usable host.
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
