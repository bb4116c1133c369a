//! The limit that several Envoys share: one question to Envoy's rate limit service for each prompt.
//!
//! It is asked after the table of this Envoy has granted the permit, and before Duo. The question
//! (<https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/ratelimit/v3/rls.proto>) has one
//! descriptor with one entry: what is counted, and a keyed tag of the user. It is sent as an
//! ordinary HTTP call, as those to Duo are.
//!
//! A native module gets no trailers of a response, so both hosts decide without them: a message is an
//! answer, whatever status follows it. An error of gRPC has no message.

use super::challenge::Challenge;
use super::env::Env;
use super::event::{Event, Unanswered};
use super::limit::{Granted, Limit, Limited, Permit, Verdict};
use super::prompt::user_tag;
use super::refusals::AFTER_OUTAGE;
use super::room::Seat;
use crate::config::{Limits, OnError};
use crate::hex::hex;
use crate::protobuf::{Fields, Malformed, put};
use crate::signal::{Counter, Level, Signal};
use std::borrow::Cow;
use std::time::Duration;

/// The wait before another try if the service does not name one.
const USUAL_WAIT: Duration = Duration::from_secs(60);

/// A byte that says "not compressed" and four for the length
/// (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).
const FRAME_HEAD: usize = 5;

/// A question to the rate limit service, for the host to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetQuestion {
    /// The cluster that it goes to.
    pub cluster: String,
    /// The timeout.
    pub timeout: Duration,
    /// The room that it takes.
    pub seat: Seat,
    /// The body.
    pub body: Vec<u8>,
}

impl FleetQuestion {
    /// The headers, with the pseudo-headers first. As in Envoy's own gRPC calls, the scheme is always
    /// `http`, and the authority is the cluster; in Istio, its host.
    #[must_use]
    pub fn headers(&self) -> [(&[u8], &[u8]); 6] {
        let host = self.cluster.rsplit('|').next().unwrap_or_default();
        let is_in_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let authority = if host.bytes().all(is_in_host) { host } else { "rate-limit-service" };
        [
            (b":method", b"POST"),
            (b":path", b"/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"),
            (b":authority", authority.as_bytes()),
            (b":scheme", b"http"),
            (b"content-type", b"application/grpc"),
            (b"te", b"trailers"),
        ]
    }
}

/// The question that a permit needs after the table's verdict; `None` if nothing is to be asked.
#[inline(never)]
pub(super) fn question(
    permit: &Permit,
    verdict: &Verdict,
    challenge: &Challenge,
    env: &Env<'_>,
) -> Option<FleetQuestion> {
    let config = env.gate.config();
    let service = config.rate_limit_service.as_ref()?;
    if *verdict != Ok(Granted::New) {
        return None;
    }
    let (name, tag) = permit.of_fleet()?;
    // Another tag than in shared data, where the tag leads to the user's record.
    let user = config.shared.tag("fleet", &[tag]);
    let user = hex(&user);
    let [mut entry, mut descriptor, mut message] = [const { Vec::new() }; 3];
    put(1, name.as_bytes(), &mut entry);
    put(2, user.as_bytes(), &mut entry);
    put(1, &entry, &mut descriptor);
    put(1, service.domain.as_bytes(), &mut message);
    put(2, &descriptor, &mut message);
    let mut body = vec![0];
    body.extend(u32::try_from(message.len()).unwrap_or_default().to_be_bytes());
    body.append(&mut message);
    Some(FleetQuestion {
        cluster: service.cluster.clone(),
        timeout: service.timeout,
        seat: Seat::go_on(user_tag("calls", challenge, config)),
        body,
    })
}

/// The verdict by the answer, and the signals for it.
#[inline(never)]
pub(super) fn verdict(event: Event<'_>, env: &Env<'_>) -> (Verdict, Vec<Signal>) {
    let refuse = |limit, wait| Err(Limited { limit, wait, unheard: None });
    let (counter, verdict, line) = match read(event) {
        Ok(None) => (Counter::RATE_LIMIT_OK, Ok(Granted::New), None),
        Ok(Some(wait)) => (Counter::RATE_LIMIT_OVER, refuse(Limit::Fleet, wait), None),
        Err(problem) => {
            let service = env.gate.config().rate_limit_service.as_ref();
            let (verdict, outcome) = match service.map(|service| service.on_error) {
                Some(OnError::Allow) => (Ok(Granted::New), "the limits of this Envoy decide"),
                Some(OnError::Deny) | None => {
                    (refuse(Limit::FleetUnknown, AFTER_OUTAGE), "the prompt is refused")
                }
            };
            let cluster = service.map(|service| service.cluster.as_str()).unwrap_or_default();
            let line = format!(
                "the rate limit service gave no answer (cluster \"{cluster}\"): {problem}; {outcome}"
            );
            (Counter::RATE_LIMIT_ERROR, verdict, Some(Signal::Log(Level::Warn, line)))
        }
    };
    let count = Signal::Count(counter);
    (verdict, [count].into_iter().chain(line).collect())
}

/// The wait if the service is over its limit; `None` if it is not. The error is a problem in words.
fn read(event: Event<'_>) -> Result<Option<Duration>, Cow<'static, str>> {
    let response = match event {
        Event::Answered(response) => response,
        Event::Failed(Unanswered::NotSent | Unanswered::Overflow | Unanswered::Unasked { .. }) => {
            return Err(
                "there is no such cluster, it has no usable host, or its circuit breaker is \
                        full"
                    .into(),
            );
        }
        Event::Failed(Unanswered::Cut) => return Err("the response was cut off".into()),
    };
    if response.status != 200 {
        return Err(format!("HTTP status {}", response.status).into());
    }
    // To a gRPC call Envoy (1.40) reports a timeout and a refused connection in the same form.
    if response.body.is_empty() {
        return Err("it was late or unreachable, or it reported a gRPC error".into());
    }
    match message(response.body) {
        Ok((1, _)) => Ok(None),
        Ok((2, wait)) => Ok(Some(wait.unwrap_or(USUAL_WAIT).min(Limits::MAX_TIME))),
        Ok(_) => Err("its answer is neither OK nor OVER_LIMIT".into()),
        Err(Malformed) => Err("its answer is malformed".into()),
    }
}

/// `RateLimitResponse`: the code (field 1), and the longest wait of its statuses (field 2).
fn message(body: &[u8]) -> Result<(u64, Option<Duration>), Malformed> {
    let (&[compression, a, b, c, d], message) =
        body.split_first_chunk::<FRAME_HEAD>().ok_or(Malformed)?;
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).map_err(|_| Malformed)?;
    if compression != 0 || length != message.len() {
        return Err(Malformed);
    }
    let (mut code, mut wait) = (0, None);
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => code = field.varint()?,
            2 => wait = wait.max(until_reset(field.bytes()?)?),
            _ => {}
        }
    }
    Ok((code, wait))
}

/// `DescriptorStatus`: how long until the limit is reset (field 4, a `Duration`), rounded up to whole
/// seconds. `None` if there is no such time, or if it is negative.
fn until_reset(status: &[u8]) -> Result<Option<Duration>, Malformed> {
    let mut fields = Fields::of(status);
    let mut wait = None;
    while let Some(field) = fields.next()? {
        if field.number == 4 {
            let (mut seconds, mut nanoseconds) = (0, 0);
            let mut parts = Fields::of(field.bytes()?);
            while let Some(part) = parts.next()? {
                match part.number {
                    1 => seconds = part.varint()?,
                    2 => nanoseconds = part.varint()?,
                    _ => {}
                }
            }
            // A negative number has the highest bit.
            let is_positive = i64::try_from(seconds).is_ok();
            let seconds = seconds.saturating_add(u64::from(nanoseconds > 0)).max(1);
            wait = is_positive.then(|| Duration::from_secs(seconds));
        }
    }
    Ok(wait)
}

#[cfg(test)]
mod tests;
