//! Duo's envelope, `{"stat": ..., ...}`, and what an answer without one means.
//!
//! Source: Duo, "Auth API", sections "Response Format" and "Response Codes".

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::error::{DuoError, Garbled, Malformed, Outage};
use super::response::Answer;
use super::text::Text;

const MAX_RETRY_AFTER: Duration = Duration::from_secs(86_400);

/// The `response` of an answer that is HTTP 200 with `stat` `OK`.
///
/// # Errors
///
/// Whatever else the answer is.
pub(super) fn response<T: DeserializeOwned>(answer: &Answer<'_>) -> Result<T, DuoError> {
    match (answer.status, Envelope::read(answer.body)) {
        (200, Ok(Envelope::Success)) => match serde_json::from_slice(answer.body) {
            Ok(Object(Success { response })) => Ok(response),
            Err(_) => Err(DuoError::Malformed(Malformed::Members)),
        },
        (_, Ok(Envelope::Failure(failure))) => Err(failure.into_error(answer)),
        (200, Err(fault)) => Err(fault),
        (_, Ok(Envelope::Success) | Err(_)) => Err(by_status(answer)),
    }
}

/// What an answer is whose body says nothing that counts.
fn by_status(answer: &Answer<'_>) -> DuoError {
    match answer.status {
        429 => DuoError::RateLimited { retry_after: retry_after(answer) },
        status @ 500..=599 => DuoError::Unreachable(Outage::Status { status }),
        status => DuoError::NotDuo { status },
    }
}

/// Seconds to wait (RFC 9110, section 10.2.3). The form with a date is not read.
fn retry_after(answer: &Answer<'_>) -> Option<Duration> {
    let text = std::str::from_utf8(answer.retry_after?).ok()?.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number too long for the type is as good as the longest wait.
    let seconds = text.parse().unwrap_or(u64::MAX);
    is_number.then(|| Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

/// What an envelope says.
enum Envelope {
    Success,
    Failure(Failure),
}

/// The members of a failed answer.
struct Failure {
    code: Option<u32>,
    message: Text,
    detail: Text,
}

impl Envelope {
    fn read(body: &[u8]) -> Result<Self, DuoError> {
        if body.len() > Answer::MAX_BODY_BYTES {
            return Err(DuoError::Malformed(Malformed::TooLong));
        }
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(DuoError::Garbled(Garbled::NotAnObject));
        }
        let Object(shape): Object<EnvelopeShape> =
            serde_json::from_slice(body).map_err(|error| {
                if error.is_data() {
                    DuoError::Malformed(Malformed::Members)
                } else {
                    DuoError::Garbled(Garbled::NotAnObject)
                }
            })?;
        match shape.stat.as_deref() {
            None => Err(DuoError::Garbled(Garbled::NoStat)),
            Some("OK") => Ok(Self::Success),
            Some("FAIL") => Ok(Self::Failure(Failure {
                code: shape.code.and_then(|Code(code)| code),
                message: shape.message.unwrap_or_default(),
                detail: shape.message_detail.unwrap_or_default(),
            })),
            Some(_) => Err(DuoError::Malformed(Malformed::UnknownStat)),
        }
    }
}

impl Failure {
    fn into_error(self, answer: &Answer<'_>) -> DuoError {
        let Self { message, detail, .. } = self;
        // HTTP status = code / 100, so an answer without a code still has its class.
        let code = self.code.unwrap_or_else(|| u32::from(answer.status).saturating_mul(100));
        match (code, answer.status) {
            (40_002, _) => DuoError::InvalidParameter { name: detail, message },
            (40_105, _) => DuoError::ClockSkew,
            (40_106, _) => DuoError::Rejected { code, message, detail },
            (40_100..=40_199 | 40_300..=40_399, _) => DuoError::BadCredentials { code, message },
            (42_900..=42_999, _) => DuoError::RateLimited { retry_after: retry_after(answer) },
            (_, 401 | 403) => DuoError::BadCredentials { code, message },
            (50_000..=59_999, 200 | 500..=599) => DuoError::Unreachable(Outage::Internal { code }),
            _ => DuoError::Rejected { code, message, detail },
        }
    }
}

/// The envelope without its `response`, which is only counted: twice is an error.
#[derive(Deserialize)]
struct EnvelopeShape {
    stat: Option<String>,
    #[serde(rename = "response")]
    _response: Option<IgnoredAny>,
    code: Option<Code>,
    message: Option<Text>,
    message_detail: Option<Text>,
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Success<T> {
    response: T,
}

/// A JSON object that holds a `T`.
///
/// A derived `Deserialize` takes an array of the members' values as well: `["allow"]` would be a
/// reply whose result is allow.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}

/// Duo's code: a number, and in some answers an empty text.
struct Code(Option<u32>);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CodeVisitor)
    }
}

struct CodeVisitor;

impl Visitor<'_> for CodeVisitor {
    type Value = Code;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a code")
    }

    fn visit_u64<E: Error>(self, code: u64) -> Result<Code, E> {
        Ok(Code(u32::try_from(code).ok()))
    }

    fn visit_str<E: Error>(self, code: &str) -> Result<Code, E> {
        Ok(Code(code.parse().ok()))
    }
}
