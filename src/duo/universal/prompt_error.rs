//! The errors of the Universal Prompt's calls, and hints for the operator.

use super::call::LIFETIME_SECONDS;
use crate::clock::UnixTime;
use crate::duo::{DuoError, Fault, Text};

/// Duo refuses a JWT whose `exp` is further ahead than this, in seconds.
const MAX_AHEAD_SECONDS: u64 = 3_600;

/// A call of the Universal Prompt that brought no usable response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// An error that the Auth API has too: no response, one that is not Duo's, or one that says
    /// nothing about the call. A fail mode may apply to [`DuoError::Unreachable`] at the health
    /// check, but to no error at `token`: by then the user is back from Duo, and may have been
    /// refused there.
    #[error(transparent)]
    Call(#[from] DuoError),
    /// Duo refuses the filter's request, and will refuse it again: an operator has to act.
    #[error("Duo refuses the Web SDK application: {0}")]
    Refused(Refusal),
    /// `invalid_grant`: the code was used, has expired, or belongs to another redirect URI or
    /// application. The user has to start again, by a press of a button. Only `token` has it.
    #[error(
        "Duo does not accept the code: it was used, has expired, or is not for this application"
    )]
    StartAgain,
}

/// A refusal by Duo.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code} {message} {detail}")]
pub struct Refusal {
    /// The likely cause.
    pub cause: Cause,
    /// Duo's code, such as 40002. If Duo gives none, the HTTP status times 100.
    pub code: u32,
    /// Duo's message, such as `invalid_client`.
    pub message: Text,
    /// More details from Duo.
    pub detail: Text,
    /// Duo's clock, in whole seconds. `None` if it is not in the response.
    pub duo_time: Option<UnixTime>,
}

/// The likely cause of a refusal, as far as Duo's response shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The client ID and the client secret do not belong together, are those of an application of
    /// another type (Auth API), or belong to another API host. Duo's response is the same for all
    /// three.
    Credentials,
    /// This host's clock is behind so far that the JWT had expired, or ahead so far that it was
    /// valid for longer than Duo accepts.
    Clock,
    /// Duo does not allow this to the application, or from this network.
    Forbidden,
    /// Duo does not understand the filter's request.
    Request,
}

impl Cause {
    /// A question that leads the operator to the likely cause.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Credentials => {
                "is the application at Duo of type Web SDK (not Auth API), are client ID and client \
                 secret copied from it, and is the API host that of the same account?"
            }
            Self::Clock => "is the clock of this host synchronized?",
            Self::Forbidden => "does the application at Duo exist, and may this network use it?",
            Self::Request => "does no proxy change the request on the way to Duo?",
        }
    }
}

impl PromptError {
    /// The error for a refusal in Duo's `stat` form. `duo_time` is the time in the response;
    /// `signed_at` is the time for which the call was signed.
    pub(super) fn of_envelope(
        error: DuoError,
        duo_time: Option<UnixTime>,
        signed_at: UnixTime,
    ) -> Self {
        let (code, message, detail) = match error {
            DuoError::InvalidParameter { name, message } => (40_002, message, name),
            DuoError::BadCredentials { code, message } => (code, message, Text::default()),
            DuoError::ClockSkew => (40_105, Text::default(), Text::default()),
            DuoError::Rejected { code, message, detail } if !is_of_server(code) => {
                (code, message, detail)
            }
            DuoError::Unreachable(_)
            | DuoError::Overflow
            | DuoError::Garbled(_)
            | DuoError::Malformed(_)
            | DuoError::NotDuo { .. }
            | DuoError::RateLimited { .. }
            | DuoError::Rejected { .. } => return Self::Call(error),
        };
        let cause = if duo_time.is_some_and(|time| is_clock_off(time, signed_at)) {
            Cause::Clock
        } else {
            cause(code, message.as_str())
        };
        Self::Refused(Refusal { cause, code, message, detail, duo_time })
    }

    /// The error for a refusal in the form of RFC 6749, section 5.2.
    pub(super) fn of_oauth(status: u16, error: &str, description: Text) -> Self {
        if error == "invalid_grant" {
            return Self::StartAgain;
        }
        let code = u32::from(status).saturating_mul(100);
        let cause = cause(code, error);
        Self::Refused(Refusal {
            cause,
            code,
            message: error.into(),
            detail: description,
            duo_time: None,
        })
    }

    /// Duo's clock, in whole seconds, if the response has it.
    #[must_use]
    pub const fn duo_time(&self) -> Option<UnixTime> {
        match self {
            Self::Refused(refusal) => refusal.duo_time,
            Self::Call(_) | Self::StartAgain => None,
        }
    }

    /// The party that has to act.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Call(error) => error.fault(),
            Self::Refused(Refusal { cause: Cause::Request, .. }) => Fault::Filter,
            Self::Refused(_) => Fault::Operator,
            Self::StartAgain => Fault::User,
        }
    }
}

const fn is_of_server(code: u32) -> bool {
    matches!(code, 50_000..=59_999)
}

fn cause(code: u32, message: &str) -> Cause {
    match (code, message) {
        (40_105, _) => Cause::Clock,
        (_, "invalid_client") | (40_100..=40_199, _) => Cause::Credentials,
        (_, "unauthorized_client" | "unauthorized_request" | "access_denied")
        | (40_300..=40_399, _) => Cause::Forbidden,
        _ => Cause::Request,
    }
}

/// Whether the clock is the reason of the refusal: Duo refuses the `exp` of a JWT signed at that
/// time.
fn is_clock_off(duo_time: UnixTime, signed_at: UnixTime) -> bool {
    let expires = signed_at.seconds().saturating_add(LIFETIME_SECONDS);
    let latest = duo_time.seconds().saturating_add(MAX_AHEAD_SECONDS);
    expires <= duo_time.seconds() || expires > latest
}
