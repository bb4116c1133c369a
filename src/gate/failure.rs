//! The one table of what a fault leads to.
//!
//! Fail closed: every fault ends in a refusal, at once or after the one repeat that it is allowed.
//! The one exception is the operator's: under [`FailMode::Safe`] a user passes whom Duo could not
//! be asked about at all, if the background check does not reach Duo either. Whatever Duo answers,
//! and whatever comes after a prompt was asked for, is no such case; and a call that this Envoy has
//! no room for says nothing of Duo.
//! A call that starts a prompt is never repeated, since a second push would go out; only the date
//! is corrected once, because Duo acts on nothing that it refuses for its date.

use crate::clock::UnixTime;
use crate::duo::{DuoError, Endpoint, Fault};
use crate::policy::FailMode;
use crate::signal::Code;
use std::time::Duration;

/// When a client may try again after an outage.
const AFTER_OUTAGE: Duration = Duration::from_secs(5);

/// When a client may try again that this Envoy had no room for.
const AFTER_OVERLOAD: Duration = Duration::from_secs(2);

/// When a client may try again after Duo asked to wait without saying how long.
const AFTER_LIMIT: Duration = Duration::from_secs(30);

/// Which call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// What may the user do?
    Preauth,
    /// A passcode is decided.
    Passcode,
    /// A push or a call is started.
    Transaction,
    /// The state of a transaction.
    Status,
    /// A user is made at Duo.
    Enroll,
    /// Whether that user has a device.
    Activation,
    /// Duo's clock, after it refused a date.
    Clock,
    /// Whether Duo is there, before a browser is sent to its page.
    HealthCheck,
    /// A code is exchanged.
    Token,
}

impl Stage {
    /// The endpoint that is called at this stage.
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

    /// Whether nothing has been asked of the user yet: only then may a fail mode let anybody pass.
    const fn is_before_the_user(self) -> bool {
        matches!(self, Self::Preauth | Self::HealthCheck)
    }
}

/// What has been tried for one request. Counted for the whole of it, so that it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    /// Calls sent once more after no answer came.
    pub resends: u8,
    /// Corrections of the date after Duo refused it.
    pub clock_corrections: u8,
}

/// What is to happen while Duo cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standby {
    /// What the operator wants.
    pub fail_mode: FailMode,
    /// Since when the background check has not reached Duo. `None` if it does, or if that is not
    /// known: then nobody is let in, since a client can make its own calls fail.
    pub unreached_since: Option<UnixTime>,
}

/// What to do about a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The same call once more.
    Resend,
    /// Ask Duo for the time, then the same call once more.
    CorrectClock,
    /// The transaction goes on without this look at it; refuse so once its time is up.
    LookAgain(Refusal),
    /// Let the user pass: Duo cannot be reached, and the fail mode is safe.
    Admit {
        /// Since when.
        unreached_since: UnixTime,
    },
    /// Nothing: refuse.
    Refuse(Refusal),
}

/// A refusal for a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the client is told.
    pub code: Code,
    /// In words.
    pub detail: &'static str,
    /// When another try may go better.
    pub retry_after: Option<Duration>,
}

/// The remedy for a fault at a stage.
#[must_use]
pub fn remedy(stage: Stage, fault: &DuoError, tries: Tries, standby: Standby) -> Remedy {
    match fault {
        // The next look may find room; another try of anything else would make it fuller.
        DuoError::Overflow if stage == Stage::Status => Remedy::LookAgain(OVERFLOW),
        DuoError::Overflow => Remedy::Refuse(OVERFLOW),
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
                if stage.endpoint().is_repeatable() && tries.resends == 0 {
                    return Remedy::Resend;
                }
                let is_outage = matches!(fault, DuoError::Unreachable(_));
                match standby {
                    Standby { fail_mode: FailMode::Safe, unreached_since }
                        if stage.is_before_the_user() && is_outage =>
                    {
                        let admit = |unreached_since| Remedy::Admit { unreached_since };
                        unreached_since.map_or(Remedy::Refuse(UNCHECKED), admit)
                    }
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
        DuoError::RateLimited { retry_after } => Remedy::Refuse(Refusal {
            retry_after: Some(retry_after.unwrap_or(AFTER_LIMIT)),
            ..LIMITED
        }),
        DuoError::InvalidParameter { name, .. } => invalid_parameter(stage, name.as_str()),
        // 40001 is a parameter that the filter left out; other codes of 400 are about this request.
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

/// Duo refuses a parameter: at some places that is its way to say something about the user.
fn invalid_parameter(stage: Stage, name: &str) -> Remedy {
    match (stage, name) {
        // "Nothing new in this long poll" as well as "unknown": its time bounds it.
        (Stage::Status, _) => Remedy::LookAgain(TIMEOUT),
        // To enroll, the name is taken: Duo knows the user, and no device of theirs.
        (Stage::Preauth | Stage::Passcode | Stage::Transaction | Stage::Enroll, "username") => {
            Remedy::Refuse(UNKNOWN_USER)
        }
        (Stage::Passcode, "passcode") => Remedy::Refuse(WRONG_PASSCODE),
        // Preauth was accepted a moment ago, so credentials and the user are fine.
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

pub(super) const UNAVAILABLE: Refusal = Refusal {
    code: Code::DuoUnavailable,
    detail: "The second factor cannot be checked at the moment. Try again shortly.",
    retry_after: Some(AFTER_OUTAGE),
};

/// Under `fail_mode: safe`: the background check has not failed, or not yet.
pub(super) const UNCHECKED: Refusal = Refusal {
    code: Code::DuoUnavailable,
    detail: "Duo did not answer. The proxy is checking whether Duo can be reached. Try again \
             shortly.",
    retry_after: Some(AFTER_OUTAGE),
};

/// The circuit breaker of Duo's cluster is full.
const OVERFLOW: Refusal = Refusal {
    code: Code::Overloaded,
    detail: "This proxy has no room for another call to Duo at the moment. Try again shortly.",
    retry_after: Some(AFTER_OVERLOAD),
};

const MISCONFIGURED: Refusal = Refusal {
    code: Code::DuoMisconfigured,
    detail: "The second factor is misconfigured. Tell your help desk.",
    retry_after: Some(AFTER_LIMIT),
};

const LIMITED: Refusal = Refusal {
    code: Code::TooManyRequests,
    detail: "Duo limits the rate of requests. Wait before you try again.",
    retry_after: None,
};

/// Nobody answered while the request could be held.
pub(super) const TIMEOUT: Refusal = Refusal {
    code: Code::MfaTimeout,
    detail: "Nobody answered on the device in time. Send the request again for another prompt.",
    retry_after: None,
};

pub(super) const UNKNOWN_USER: Refusal = Refusal {
    code: Code::EnrollmentRequired,
    detail: "Duo does not know this user, or the user has no device. Ask your help desk to enroll.",
    retry_after: None,
};

pub(super) const NO_DEVICE: Refusal = Refusal {
    code: Code::NoDevice,
    detail: "No device of this user can approve the request. Ask your help desk.",
    retry_after: None,
};

/// Duo does not accept one factor; the detail that the client gets is Duo's reason.
const FACTOR_REFUSED: Refusal = Refusal {
    code: Code::FactorRefused,
    detail: "Duo does not accept this factor. Use another one.",
    retry_after: None,
};

pub(super) const WRONG_PASSCODE: Refusal = Refusal {
    code: Code::PasscodeIncorrect,
    detail: "The passcode was incorrect. Send the request again with another one.",
    retry_after: None,
};

/// The host has no random bytes to name an approval with.
pub(super) const NO_RANDOMNESS: Refusal = Refusal {
    code: Code::DuoUnavailable,
    detail: "No approval can be made at the moment. Try again shortly.",
    retry_after: Some(AFTER_OUTAGE),
};

/// A request that belongs to no sign-in, or to one that is over.
pub(super) const GONE: Refusal = Refusal {
    code: Code::BadRequest,
    detail: "There is no such sign-in: it has ended, or never began. Start again.",
    retry_after: None,
};

/// The table of limits does not say whether something that is good once was used before.
pub(super) const UNKNOWN_USE: Refusal = Refusal {
    code: Code::DuoUnavailable,
    detail: "The proxy cannot find out at the moment whether this approval was used before. \
             Try again shortly.",
    retry_after: Some(AFTER_OUTAGE),
};

#[cfg(test)]
mod tests;
