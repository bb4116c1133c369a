//! The result of a background check.

use crate::duo::universal::PromptError;
use crate::duo::{DuoError, Fault, Outage};

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Duo responds and accepts the keys.
    Well,
    /// Duo responds with a refusal: an operator has to act.
    Misconfigured,
    /// Duo responds, but not as it should: it limits the rate, or its response is malformed.
    Unwell,
    /// Duo was not reached.
    Unreached {
        /// Whether the call ended at its timeout. It may have waited behind calls of requests.
        is_timeout: bool,
    },
    /// Inconclusive: this Envoy had no room for the call.
    Nothing,
}

impl Found {
    pub(super) fn of(fault: &DuoError) -> Self {
        match fault {
            DuoError::Overflow => Self::Nothing,
            DuoError::Unreachable(outage) => {
                Self::Unreached { is_timeout: outage.is_timeout() || *outage == Outage::NoAnswer }
            }
            // The check has no word of a user's in it.
            DuoError::InvalidParameter { .. } => Self::Misconfigured,
            DuoError::Garbled(_)
            | DuoError::Malformed(_)
            | DuoError::NotDuo { .. }
            | DuoError::BadCredentials { .. }
            | DuoError::ClockSkew
            | DuoError::RateLimited { .. }
            | DuoError::Rejected { .. } => match fault.fault() {
                Fault::Operator | Fault::Filter => Self::Misconfigured,
                Fault::Duo | Fault::User => Self::Unwell,
            },
        }
    }

    pub(super) fn of_prompt(error: &PromptError) -> Self {
        match error {
            PromptError::Call(fault) => Self::of(fault),
            PromptError::Refused(_) => Self::Misconfigured,
            PromptError::StartAgain => Self::Unwell,
        }
    }
}
