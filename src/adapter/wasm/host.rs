//! The only access to the host: bytes and results, and no getter that panics.
//!
//! Nothing here decides. Each function does one thing and reports whether it was done.

use super::hostcalls::{self, Refused};
use crate::adapter::calls::{self, MAX_RESPONSE, Unsent};
use crate::clock::UnixTime;
use crate::duo::SignedCall;
use crate::http::{Edit, HeaderMap, Reply};
use crate::signal::Gauge;
use proxy_wasm::types::{BufferType, LogLevel, MapType, MetricType};
use std::time::Duration;
use zeroize::Zeroizing;

/// The host's status for a value that does not exist.
const NOT_FOUND: u32 = 1;
/// The host's status for a call to an unknown cluster, and for a context that has ended.
const BAD_ARGUMENT: u32 = 2;

/// A header map of the stream.
pub(super) fn headers(map: MapType) -> Result<Vec<u8>, Refused> {
    hostcalls::headers(map)
}

/// The response headers for the present callback.
pub(super) fn call_response_headers() -> Result<Vec<u8>, Refused> {
    hostcalls::headers(MapType::HttpCallResponseHeaders)
}

/// The response body for the present callback, up to one byte more than [`MAX_RESPONSE`], so that a
/// longer one is recognized.
pub(super) fn call_response_body(size: usize) -> Result<Vec<u8>, Refused> {
    if size == 0 {
        return Ok(Vec::new());
    }
    hostcalls::buffer(BufferType::HttpCallResponseBody, size.min(MAX_RESPONSE.saturating_add(1)))
}

/// The part of the request's body that has arrived, up to one byte more than `max`, so that a
/// longer one is recognized.
pub(super) fn request_body(max: usize) -> Result<Vec<u8>, Refused> {
    match hostcalls::buffer(BufferType::HttpRequestBody, max.saturating_add(1)) {
        // Before trailers, there may have been no body.
        Err(Refused(NOT_FOUND)) => Ok(Vec::new()),
        outcome => outcome,
    }
}

pub(super) fn plugin_configuration(size: usize) -> Result<Vec<u8>, Refused> {
    if size == 0 {
        return Ok(Vec::new());
    }
    hostcalls::buffer(BufferType::PluginConfiguration, size)
}

/// Applies the edits to a map, in order.
///
/// # Errors
///
/// The first edit that the host refuses. A request must not be forwarded then.
pub(super) fn edit(map: MapType, edits: &[Edit]) -> Result<(), Refused> {
    edits.iter().try_for_each(|edit| match edit {
        Edit::Remove(name) => hostcalls::remove_header(map, name),
        Edit::Set(name, value) => hostcalls::replace_header(map, name.as_bytes(), value.as_bytes()),
        Edit::Append(name, value) => hostcalls::add_header(map, name.as_bytes(), value.as_bytes()),
        Edit::AppendNamed(name, value) => {
            hostcalls::add_header(map, name.as_bytes(), value.as_bytes())
        }
    })
}

/// A property of the stream, as bytes; `None` if the host has none.
pub(super) fn property<S: AsRef<str>>(path: &[S]) -> Option<Vec<u8>> {
    let mut joined = Vec::new();
    for part in path {
        if !joined.is_empty() {
            joined.push(0);
        }
        joined.extend_from_slice(part.as_ref().as_bytes());
    }
    hostcalls::property(&joined).ok()
}

/// Whether the stream that the host acts for has ended, or is getting a response from elsewhere.
///
/// Envoy (1.40) destroys a stream at the end of the event loop's turn in which the client has left.
/// Until then it reports every call for the stream as successful. A waiting request has no response
/// details before that.
pub(super) fn has_ended() -> bool {
    property(&["response", "code_details"]).is_some_and(|details| !details.is_empty())
}

/// Sets a property of the stream. Envoy calls it filter state, and names it `wasm.` and the name.
///
/// # Errors
///
/// [`Refused`] if the host no longer knows the stream.
pub(super) fn set_property(name: &str, value: &str) -> Result<(), Refused> {
    hostcalls::set_property(name, value)
}

/// The host's clock.
///
/// # Errors
///
/// The host has none.
pub(super) fn now() -> Result<UnixTime, Refused> {
    let nanoseconds = hostcalls::time()?;
    Ok(UnixTime::from_millis(nanoseconds.wrapping_div(1_000_000)))
}

/// The VM's environment, as far as `host_env_keys` permits.
pub(super) struct Environment(Zeroizing<Vec<u8>>);

impl Environment {
    /// Reads it. If the host refuses, it has no variables.
    pub(super) fn read() -> Self {
        Self(hostcalls::environment().unwrap_or_default())
    }

    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let mut variables = self.0.split(|byte| *byte == 0);
        let value = variables
            .find_map(|variable| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
        String::from_utf8(value.to_vec()).ok()
    }
}

/// The target of the `log` crate. The SDK's own panics if the host refuses a line.
struct HostLog;

impl log::Log for HostLog {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let level = match record.level() {
            log::Level::Trace => LogLevel::Trace,
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        // If the host refuses a log line, there is no way to report it.
        let _ = hostcalls::log(level, &record.args().to_string());
    }

    fn flush(&self) {}
}

/// Sends log lines to the host. Called once in each VM, before anything is logged.
pub(super) fn install_log() {
    if log::set_logger(&HostLog).is_ok() {
        log::set_max_level(log::LevelFilter::Debug);
    }
}

/// Forwards the paused request.
///
/// # Errors
///
/// The host no longer knows the request, or refuses to forward it.
pub(super) fn resume() -> Result<(), Refused> {
    hostcalls::resume_request()
}

/// Sends a reply; the request is not forwarded. If the host refuses the reply, the request gets a
/// bare one.
///
/// # Errors
///
/// The host no longer knows the request, or its client does not get this reply.
pub(super) fn reply(reply: &Reply) -> Result<(), Refused> {
    send(reply).inspect_err(|_| reply_barely())
}

/// Sends a 503 without headers and body. Without any reply, a paused request would wait until its
/// client leaves.
pub(super) fn reply_barely() {
    let none = HeaderMap::serialize(&[]);
    let _ = hostcalls::send_local_response(503, "duo_mfa_host_refused", &[], &none, -1);
}

fn send(reply: &Reply) -> Result<(), Refused> {
    let headers: Vec<(&[u8], &[u8])> =
        reply.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let headers = HeaderMap::serialize(&headers);
    match &reply.grpc {
        Some((status, message)) => hostcalls::send_local_response(
            reply.status,
            &reply.details,
            message.as_bytes(),
            &headers,
            status.number(),
        ),
        None => {
            hostcalls::send_local_response(reply.status, &reply.details, &reply.body, &headers, -1)
        }
    }
}

/// Sends a call to the cluster. Its response comes back with the token.
///
/// # Errors
///
/// [`Unsent`]; no callback follows.
pub(super) fn dispatch(cluster: &str, call: &SignedCall, timeout: Duration) -> Result<u64, Unsent> {
    post(cluster, &calls::headers(call), &call.body, timeout)
}

/// Like [`dispatch`], for a call to any service.
///
/// # Errors
///
/// [`Unsent`]; no callback follows.
pub(super) fn post(
    cluster: &str,
    headers: &[(&[u8], &[u8])],
    body: &[u8],
    timeout: Duration,
) -> Result<u64, Unsent> {
    let headers = HeaderMap::serialize(headers);
    let timeout = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    let sent = hostcalls::http_call(cluster, &headers, body, timeout);
    sent.map(u64::from).map_err(|refused| match refused {
        Refused(BAD_ARGUMENT) => Unsent::UnknownCluster,
        // Envoy 1.40: `InternalFailure`.
        Refused(_) => Unsent::TakenBack,
    })
}

/// Makes the next host calls act for another stream.
///
/// # Errors
///
/// The stream has ended.
pub(super) fn act_for(context: u32) -> Result<(), Refused> {
    hostcalls::set_effective_context(context).or_else(|refused| match refused {
        Refused(BAD_ARGUMENT) => Err(refused),
        // This does not say that the stream has ended. It may wait, and must not be forgotten.
        Refused(_) => hostcalls::set_effective_context(context),
    })
}

/// A value that all VMs of this Envoy share, and the number that a swap needs; `None` if there is
/// no value.
///
/// # Errors
///
/// The host did not say whether there is one.
pub(super) fn shared(key: &str) -> Result<Option<(Vec<u8>, u32)>, Refused> {
    match hostcalls::shared(key.as_bytes()) {
        Ok(found) => Ok(Some(found)),
        Err(Refused(NOT_FOUND)) => Ok(None),
        Err(refused) => Err(refused),
    }
}

/// Replaces a shared value if it was not changed since `cas` was read. Creates it if `cas` is
/// `None`.
///
/// # Errors
///
/// Another VM was faster.
pub(super) fn swap_shared(key: &str, value: &[u8], cas: Option<u32>) -> Result<(), Refused> {
    // The host compares the number only if the key exists, and its numbers begin at 1.
    hostcalls::set_shared(key.as_bytes(), value, cas.unwrap_or(u32::MAX))
}

/// Requests a tick every `period`.
///
/// # Errors
///
/// The host has no ticks.
pub(super) fn tick_each(period: Duration) -> Result<(), Refused> {
    hostcalls::set_tick_period(u32::try_from(period.as_millis()).unwrap_or(u32::MAX))
}

/// A metric of the host's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Metric(u32);

/// Defines a counter; the same name gives the same counter.
pub(super) fn counter(name: &str) -> Option<Metric> {
    hostcalls::define_metric(MetricType::Counter, name).ok().map(Metric)
}

/// Defines a gauge; the same gauge in another VM is the same one.
pub(super) fn gauge(gauge: Gauge<'_>) -> Option<Metric> {
    hostcalls::define_metric(MetricType::Gauge, &gauge.to_string()).ok().map(Metric)
}

/// Defines a histogram; the same name gives the same histogram.
pub(super) fn histogram(name: &str) -> Option<Metric> {
    hostcalls::define_metric(MetricType::Histogram, name).ok().map(Metric)
}

impl Metric {
    /// Adds to a counter. If the host refuses, there is no way to report it.
    pub(super) fn add(self, count: u64) {
        let _ = hostcalls::increment_metric(self.0, i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Adds to a gauge that all VMs share. If the host refuses, there is no way to report it.
    pub(super) fn shift(self, by: i64) {
        let _ = hostcalls::increment_metric(self.0, by);
    }

    /// Sets a gauge, or adds a value to a histogram. If the host refuses, there is no way to report
    /// it.
    pub(super) fn set(self, value: u64) {
        let _ = hostcalls::record_metric(self.0, value);
    }
}
