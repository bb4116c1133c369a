//! A response as bytes, Duo's envelope `{"stat": ..., ...}` around its members, and the errors for
//! a response without an envelope.
//!
//! Source: Duo, "Auth API", sections "Response Format" and "Response Codes".

use std::time::Duration;

use super::error::{DuoError, Garbled, Malformed, Outage};
use super::members::Members;
use super::text::Text;
use crate::json::{self, Json};

const MAX_RETRY_AFTER: Duration = Duration::from_secs(86_400);

/// The end of the body of a 503 that another Envoy on the way to Duo, such as an egress gateway,
/// sends if its circuit breaker is full. (If the circuit breaker of this Envoy is full, the call
/// fails at once.)
const OVERFLOW: &[u8] = b"reset reason: overflow";

/// A response as the host received it.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "the body may hold a device token")]
pub struct Response<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The value of `retry-after`.
    pub retry_after: Option<&'a [u8]>,
    /// The body.
    pub body: &'a [u8],
}

impl Response<'_> {
    /// The longest body that is read.
    pub const MAX_BODY_BYTES: usize = 65_536;

    /// The wait that a refusal or a failure asks for by `Retry-After`: a 429 or a 5xx.
    #[must_use]
    pub fn asked_wait(&self) -> Option<AskedWait> {
        let is_limit = self.status == 429;
        let is_meant = is_limit || matches!(self.status, 500..=599);
        let time = retry_after(self).filter(|time| is_meant && !time.is_zero())?;
        Some(AskedWait { time, is_limit })
    }
}

/// A wait that Duo asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedWait {
    /// How long, a day at most.
    pub time: Duration,
    /// Whether there were too many calls, from the account or for the user.
    pub is_limit: bool,
}

/// The member `response` of a response that is HTTP 200 with `stat` `OK`.
///
/// # Errors
///
/// Whatever else the response is.
pub(super) fn member(response: &Response<'_>) -> Result<Json, DuoError> {
    outcome(response)?.ok_or(DuoError::Malformed(Malformed::Members))
}

/// The member `response` of a response that is HTTP 200 with `stat` `OK`. `None` if it has no
/// `response`.
///
/// # Errors
///
/// Whatever else the response is.
pub(super) fn outcome(response: &Response<'_>) -> Result<Option<Json>, DuoError> {
    match (response.status, Envelope::read(response.body)) {
        (200, Ok(Envelope::Success(response))) => Ok(response),
        (_, Ok(Envelope::Failure(failure))) => Err(failure.into_error(response)),
        (200, Err(fault)) => Err(fault),
        (_, Ok(Envelope::Success(_)) | Err(_)) => Err(by_status(response)),
    }
}

/// The error for a response whose body is not Duo's: its HTTP status decides.
pub(super) fn by_status(response: &Response<'_>) -> DuoError {
    match response.status {
        429 => DuoError::RateLimited { retry_after: retry_after(response) },
        503 if response.body.ends_with(OVERFLOW) => DuoError::Overflow,
        status @ 500..=599 => DuoError::Unreachable(Outage::Status { status }),
        status => DuoError::NotDuo { status },
    }
}

/// The members of a body that is a JSON object.
///
/// # Errors
///
/// A body that is too long, or not an object.
pub(super) fn object(body: &[u8]) -> Result<json::Members, DuoError> {
    if body.len() > Response::MAX_BODY_BYTES {
        return Err(DuoError::Malformed(Malformed::TooLong));
    }
    match Json::read(body) {
        Ok(Json::Object(members)) => Ok(members),
        Ok(_) | Err(_) => Err(DuoError::Garbled(Garbled::NotAnObject)),
    }
}

/// Seconds to wait (RFC 9110, section 10.2.3). The form with a date is not read.
fn retry_after(response: &Response<'_>) -> Option<Duration> {
    let text = std::str::from_utf8(response.retry_after?).ok()?.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number too long for the type means the longest wait.
    let seconds = text.parse().unwrap_or(u64::MAX);
    is_number.then(|| Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

/// The result of a call, as its envelope reports it.
enum Envelope {
    Success(Option<Json>),
    Failure(Failure),
}

/// The members of a failed response.
struct Failure {
    code: Option<u32>,
    message: Text,
    detail: Text,
}

impl Envelope {
    fn read(body: &[u8]) -> Result<Self, DuoError> {
        let mut members = object(body)?;
        let response = members.take("response");
        if !response.as_ref().is_none_or(Json::is_unambiguous) || !members.is_unambiguous() {
            return Err(DuoError::Malformed(Malformed::Members));
        }
        Self::of(&Members(&members), response)
    }

    fn of(members: &Members<'_>, response: Option<Json>) -> Result<Self, DuoError> {
        let failure = Failure {
            code: members.code("code")?,
            message: members.label("message")?,
            detail: members.label("message_detail")?,
        };
        match members.text("stat")? {
            None => Err(DuoError::Garbled(Garbled::NoStat)),
            Some("OK") => Ok(Self::Success(response)),
            Some("FAIL") => Ok(Self::Failure(failure)),
            Some(_) => Err(DuoError::Malformed(Malformed::UnknownStat)),
        }
    }
}

impl Failure {
    fn into_error(self, response: &Response<'_>) -> DuoError {
        let Self { message, detail, .. } = self;
        // HTTP status = code / 100, so a response without a code still has its class.
        let code = self.code.unwrap_or_else(|| u32::from(response.status).saturating_mul(100));
        match (code, response.status) {
            (40_002, _) => DuoError::InvalidParameter { name: detail, message },
            (40_105, _) => DuoError::ClockSkew,
            (40_106, _) => DuoError::Rejected { code, message, detail },
            (40_100..=40_199 | 40_300..=40_399, _) => DuoError::BadCredentials { code, message },
            (42_900..=42_999, _) => DuoError::RateLimited { retry_after: retry_after(response) },
            (_, 401 | 403) => DuoError::BadCredentials { code, message },
            (50_000..=59_999, 200 | 500..=599) => DuoError::Unreachable(Outage::Internal { code }),
            _ => DuoError::Rejected { code, message, detail },
        }
    }
}
