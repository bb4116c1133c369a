//! The errors of a call to Duo: who has to act, and a hint for the operator.

use std::time::Duration;

use super::text::Text;

/// A call that did not return the expected response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DuoError {
    /// No response, or a 5xx; never a 4xx, whatever its body says. The only error to which
    /// `fail_mode` applies.
    #[error("Duo cannot be reached: {0}")]
    Unreachable(Outage),
    /// Envoy did not send the call, because the circuit breaker of Duo's cluster is full. This is a
    /// limit of this Envoy and says nothing about Duo.
    #[error("this Envoy's circuit breaker for Duo's cluster is full")]
    Overflow,
    /// HTTP 200 with a body that is not Duo's.
    #[error("the response is not from Duo: {0}")]
    Garbled(Garbled),
    /// A malformed response of Duo's.
    #[error("Duo's response is malformed: {0}")]
    Malformed(Malformed),
    /// An error or a redirection that is not Duo's: a proxy on the way sent it.
    #[error("HTTP {status} from something that is not Duo")]
    NotDuo {
        /// The HTTP status.
        status: u16,
    },
    /// 401xx or 403xx: Duo does not accept the credentials, or not for this API.
    #[error("Duo refuses the credentials: {code} {message}")]
    BadCredentials {
        /// Duo's code.
        code: u32,
        /// Duo's message.
        message: Text,
    },
    /// 40105: the signed date is too far from Duo's clock. Duo did not execute the call.
    #[error("Duo refuses the date: the clocks differ too much")]
    ClockSkew,
    /// 40002: Duo does not accept the value of a parameter.
    #[error("Duo refuses the parameter \"{name}\": {message}")]
    InvalidParameter {
        /// The parameter; empty if Duo does not name it.
        name: Text,
        /// Duo's message.
        message: Text,
    },
    /// 429xx: too many requests, from the account or for the user.
    #[error("Duo limits the rate of calls")]
    RateLimited {
        /// How long Duo asks to wait, a day at most.
        retry_after: Option<Duration>,
    },
    /// Any other refusal by Duo.
    #[error("Duo refuses the call: {code} {message} {detail}")]
    Rejected {
        /// Duo's code; if Duo gives none, the HTTP status times 100.
        code: u32,
        /// Duo's message.
        message: Text,
        /// Duo's further details, often the name of a parameter.
        detail: Text,
    },
}

/// Why Duo counts as unreachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Outage {
    /// The call was not sent.
    #[error("not sent")]
    NotSent,
    /// The call ended without a response.
    #[error("no answer")]
    NoAnswer,
    /// HTTP 5xx, from Duo's front end or from Envoy.
    #[error("HTTP {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// Duo's code 50001, or another 5xxxx.
    #[error("Duo's code {code}")]
    Internal {
        /// Duo's code.
        code: u32,
    },
    /// The call was not sent, since several in a row had failed, or since Duo asked to wait.
    #[error("not asked, since its last calls failed or it asked to wait")]
    Unasked {
        /// How much longer Duo asked to wait; `None` if calls had failed.
        wait: Option<Duration>,
        /// Whether Duo asked because there were too many calls.
        is_limit: bool,
    },
}

impl Outage {
    /// Whether Envoy ended the call at its timeout: it reports 504 then. For a call that waits for
    /// a change, this means that nothing changed.
    #[must_use]
    pub const fn is_timeout(self) -> bool {
        matches!(self, Self::Status { status: 504 })
    }
}

/// Why the body of an HTTP 200 is not Duo's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Garbled {
    /// It is not a JSON object, or only a part of one.
    #[error("not a JSON object")]
    NotAnObject,
    /// It is a JSON object without `stat`.
    #[error("it has no stat")]
    NoStat,
    /// A picture was expected, and it is not one.
    #[error("not a PNG")]
    NotAnImage,
}

/// Why a response of Duo's is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The body is longer than [`super::Response::MAX_BODY_BYTES`].
    #[error("it is too long")]
    TooLong,
    /// `stat` is neither `OK` nor `FAIL`.
    #[error("its stat is unknown")]
    UnknownStat,
    /// A member is missing, present twice, or of the wrong type.
    #[error("its members are not those of this call")]
    Members,
    /// The call has no such `result`.
    #[error("its result is unknown")]
    UnknownResult,
}

/// The party that has to act to remove an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Duo, or the way to it.
    Duo,
    /// The operator: credentials, clock, cluster, or a proxy on the way.
    Operator,
    /// The filter itself: it sent a request that Duo does not accept.
    Filter,
    /// The user who signs in, or signs in too often.
    User,
}

impl DuoError {
    /// The party that has to act.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Unreachable(_) | Self::Garbled(_) | Self::Malformed(_) => Fault::Duo,
            Self::Overflow
            | Self::NotDuo { .. }
            | Self::BadCredentials { .. }
            | Self::ClockSkew => Fault::Operator,
            Self::RateLimited { .. } => Fault::User,
            Self::InvalidParameter { name, .. } => match name.as_str() {
                "username" | "device" | "factor" | "txid" | "passcode" => Fault::User,
                _ => Fault::Filter,
            },
            Self::Rejected { code: 40_400..=40_499, .. } => Fault::Operator,
            Self::Rejected { code: 50_000..=59_999, .. } => Fault::Duo,
            Self::Rejected { .. } => Fault::Filter,
        }
    }

    /// For a call that was not sent since Duo should not be called: how much longer Duo asked to wait,
    /// if it did.
    #[must_use]
    pub const fn unasked_for(&self) -> Option<Option<Duration>> {
        match self {
            Self::Unreachable(Outage::Unasked { wait, .. }) => Some(*wait),
            Self::Unreachable(
                Outage::NotSent
                | Outage::NoAnswer
                | Outage::Status { .. }
                | Outage::Internal { .. },
            )
            | Self::Overflow
            | Self::Garbled(_)
            | Self::Malformed(_)
            | Self::NotDuo { .. }
            | Self::BadCredentials { .. }
            | Self::ClockSkew
            | Self::InvalidParameter { .. }
            | Self::RateLimited { .. }
            | Self::Rejected { .. } => None,
        }
    }

    /// Duo's message about a refused call, safe to show; empty for other errors.
    #[must_use]
    pub fn words(&self) -> String {
        let (message, detail) = match self {
            Self::InvalidParameter { name, message } => (message, name),
            Self::Rejected { message, detail, .. } => (message, detail),
            Self::Unreachable(_)
            | Self::Overflow
            | Self::Garbled(_)
            | Self::Malformed(_)
            | Self::NotDuo { .. }
            | Self::BadCredentials { .. }
            | Self::ClockSkew
            | Self::RateLimited { .. } => return String::new(),
        };
        let separator = if message.is_empty() || detail.is_empty() { "" } else { ": " };
        format!("{message}{separator}{detail}")
    }

    /// A question that leads the operator to the likely cause.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::BadCredentials { code: 40_101, .. } => {
                Some("is the authorization header removed on the way to Duo?")
            }
            Self::BadCredentials { code: 40_102, .. } => {
                Some("is the integration key right, and the API host that of the same account?")
            }
            Self::BadCredentials { code: 40_103, .. } => {
                Some("is the secret key right, and does no proxy change host, path, body or date?")
            }
            Self::BadCredentials { code: 40_104, .. } => {
                Some("is the date header removed on the way to Duo?")
            }
            Self::BadCredentials { code: 40_300..=40_399, .. } => {
                Some("is the application at Duo of type Auth API?")
            }
            Self::BadCredentials { .. } => Some("are the credentials those of the application?"),
            Self::Overflow => Some("are its max_connections and max_pending_requests too low?"),
            Self::ClockSkew => Some("is the clock of this host synchronized?"),
            Self::NotDuo { .. } => Some("which proxy answers on the way to Duo?"),
            Self::Rejected { code: 40_400..=40_499, .. } => {
                Some("is the API host right, and does no proxy change the path?")
            }
            Self::Unreachable(_)
            | Self::Garbled(_)
            | Self::Malformed(_)
            | Self::InvalidParameter { .. }
            | Self::RateLimited { .. }
            | Self::Rejected { .. } => None,
        }
    }
}
