//! The table of faults: the remedy or refusal for each.
//!
//! Fail closed: every fault ends in a refusal, at once or after the retry that it is allowed. There
//! is one exception, which the operator configures. Under [`FailMode::Safe`] a user passes if Duo
//! could not be reached at all, and the background check does not reach Duo either. It never
//! applies to a response from Duo, nor after a prompt was requested, nor if this Envoy had no room
//! for the call. A call that starts a prompt is never repeated, since a second push would be sent.
//! Only its date is corrected once, because Duo executes no call whose date it refuses.

use super::key_pair::{Api, KeyPair};
use super::refusal::Refusal;
use super::refusals::{
    AFTER_LIMIT, FACTOR_REFUSED, MISCONFIGURED, NO_ROOM, RATE_LIMITED_BY_DUO, TIMEOUT, UNAVAILABLE,
    UNCHECKED, UNKNOWN_USER, WRONG_PASSCODE,
};
use crate::clock::UnixTime;
use crate::duo::{DuoError, Endpoint, Fault, Outage};
use crate::policy::FailMode;
use std::time::Duration;

/// Which call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Whether the user may authenticate, and how.
    Preauth,
    /// A passcode is checked.
    Passcode,
    /// A push or a call is started.
    Transaction,
    /// The state of a transaction is polled.
    Status,
    /// A user is created at Duo.
    Enroll,
    /// Whether that user has activated a device.
    Activation,
    /// Duo's clock is read, after Duo refused a date.
    Clock,
    /// Whether Duo responds, before a browser is redirected to its page.
    HealthCheck,
    /// A code is exchanged for an id_token.
    Token,
}

impl Stage {
    /// The endpoint of this stage.
    #[must_use]
    pub const fn endpoint(self) -> Endpoint {
        match self {
            Self::Preauth => Endpoint::Preauth,
            Self::Passcode | Self::Transaction => Endpoint::Auth,
            Self::Status => Endpoint::AuthStatus,
            Self::Enroll => Endpoint::Enroll,
            Self::Activation => Endpoint::EnrollStatus,
            Self::Clock => Endpoint::Ping,
            Self::HealthCheck => Endpoint::HealthCheck,
            Self::Token => Endpoint::Token,
        }
    }

    /// The keys that sign the call, for the Duo application with this number.
    pub(super) const fn keys(self, application: usize) -> KeyPair {
        KeyPair { application, api: Api::of(self.endpoint()) }
    }

    /// Whether the user was not involved yet. Only then a fail mode may admit a user.
    const fn is_before_the_user(self) -> bool {
        matches!(self, Self::Preauth | Self::HealthCheck)
    }
}

/// The tries so far for one request. They are counted over all its calls, so that retries end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    /// Calls that were sent again after no response.
    pub resends: u8,
    /// Corrections of the date, after Duo refused it.
    pub clock_corrections: u8,
}

/// The settings for the time while Duo cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standby {
    /// The configured fail mode.
    pub fail_mode: FailMode,
    /// Since when the background check has not reached Duo. `None` if it does, or if that is not
    /// known. Then nobody is admitted, since a client can make its own calls fail.
    pub unreached_since: Option<UnixTime>,
    /// Whether the same call may be sent again: it was sent, the outage breaker is closed, and Duo
    /// has not asked to wait.
    pub may_resend: bool,
    /// How long Duo asked to wait, if it did.
    pub wait: Option<Duration>,
}

/// The remedy for a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Send the same call again.
    Resend,
    /// Ask Duo for the time, then send the same call again.
    CorrectClock,
    /// Skip this poll, and poll the transaction again. Refuse with this if its time is up.
    LookAgain(Refusal),
    /// Admit the user: Duo cannot be reached, and the fail mode is safe.
    Admit {
        /// Since when Duo has been unreachable.
        unreached_since: UnixTime,
    },
    /// None: refuse.
    Refuse(Refusal),
}

/// The remedy for a fault at a stage.
#[must_use]
pub fn remedy(stage: Stage, fault: &DuoError, tries: Tries, standby: Standby) -> Remedy {
    match fault {
        // The next poll may find room. A retry of any other call would make it fuller.
        DuoError::Overflow if stage == Stage::Status => Remedy::LookAgain(NO_ROOM),
        DuoError::Overflow => Remedy::Refuse(NO_ROOM),
        DuoError::Unreachable(Outage::Unasked { wait, is_limit: true })
            if stage != Stage::Status =>
        {
            Remedy::Refuse(RATE_LIMITED_BY_DUO.after(wait.unwrap_or(AFTER_LIMIT)))
        }
        DuoError::Unreachable(outage) if stage == Stage::Status && outage.is_timeout() => {
            Remedy::LookAgain(TIMEOUT)
        }
        DuoError::Unreachable(_) | DuoError::Garbled(_) => match stage {
            Stage::Status => Remedy::LookAgain(UNAVAILABLE),
            Stage::Preauth
            | Stage::Passcode
            | Stage::Transaction
            | Stage::Enroll
            | Stage::Activation
            | Stage::Clock
            | Stage::HealthCheck
            | Stage::Token => {
                if stage.endpoint().is_repeatable() && tries.resends == 0 && standby.may_resend {
                    return Remedy::Resend;
                }
                let is_outage = matches!(fault, DuoError::Unreachable(_));
                match standby {
                    Standby { fail_mode: FailMode::Safe, unreached_since, .. }
                        if stage.is_before_the_user() && is_outage =>
                    {
                        let admit = |unreached_since| Remedy::Admit { unreached_since };
                        unreached_since.map_or(Remedy::Refuse(UNCHECKED), admit)
                    }
                    Standby { wait: Some(wait), .. } => Remedy::Refuse(UNAVAILABLE.after(wait)),
                    Standby { .. } => Remedy::Refuse(UNAVAILABLE),
                }
            }
        },
        DuoError::ClockSkew if tries.clock_corrections == 0 && stage != Stage::Token => {
            Remedy::CorrectClock
        }
        DuoError::ClockSkew | DuoError::BadCredentials { .. } | DuoError::NotDuo { .. } => {
            Remedy::Refuse(MISCONFIGURED)
        }
        DuoError::Malformed(_) => Remedy::Refuse(UNAVAILABLE),
        DuoError::RateLimited { retry_after } => {
            Remedy::Refuse(RATE_LIMITED_BY_DUO.after(retry_after.unwrap_or(AFTER_LIMIT)))
        }
        DuoError::InvalidParameter { name, .. } => invalid_parameter(stage, name.as_str()),
        // 40001 means that the filter left a parameter out; other codes of 400 are about this
        // request.
        DuoError::Rejected { code: 40_003..=40_099, .. }
            if matches!(stage, Stage::Passcode | Stage::Transaction) =>
        {
            Remedy::Refuse(FACTOR_REFUSED)
        }
        DuoError::Rejected { .. } => Remedy::Refuse(match fault.fault() {
            Fault::Duo => UNAVAILABLE,
            Fault::Operator | Fault::Filter | Fault::User => MISCONFIGURED,
        }),
    }
}

/// Duo refuses a parameter. For some calls that is how Duo reports something about the user.
fn invalid_parameter(stage: Stage, name: &str) -> Remedy {
    match (stage, name) {
        // It means "no news in this long poll" as well as "unknown". The sign-in's deadline ends
        // it.
        (Stage::Status, _) => Remedy::LookAgain(TIMEOUT),
        // At enroll it means that the name is taken: Duo knows the user, but no device of theirs.
        (Stage::Preauth | Stage::Passcode | Stage::Transaction | Stage::Enroll, "username") => {
            Remedy::Refuse(UNKNOWN_USER)
        }
        (Stage::Passcode, "passcode") => Remedy::Refuse(WRONG_PASSCODE),
        // Duo has just accepted preauth, so the credentials and the user are valid.
        (Stage::Passcode | Stage::Transaction, _) => Remedy::Refuse(FACTOR_REFUSED),
        (
            Stage::Preauth
            | Stage::Enroll
            | Stage::Activation
            | Stage::Clock
            | Stage::HealthCheck
            | Stage::Token,
            _,
        ) => Remedy::Refuse(MISCONFIGURED),
    }
}

#[cfg(test)]
mod tests;
