//! The one door to the host: bytes and results, never a getter that panics.
//!
//! Nothing here decides; each function does one thing and says whether it was done.

use super::hostcalls::{self, Refused};
use crate::clock::UnixTime;
use crate::duo::SignedCall;
use crate::http::{Edit, HeaderMap, Reply};
use proxy_wasm::types::{BufferType, LogLevel, MapType, MetricType};
use std::time::Duration;

/// The most that is read of an answer of Duo's, in bytes; what is longer is not an answer.
pub(super) const MAX_RESPONSE: usize = 64 * 1024;

/// What the host answers to a call to a cluster that it does not know.
const BAD_ARGUMENT: u32 = 2;

/// Why a call could not even be sent; no callback follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsent {
    /// Envoy does not know the cluster.
    UnknownCluster,
    /// Envoy took it back at once: the cluster has no usable host, or its circuit breaker is full.
    /// The host's answer is the same (1.40: `InternalFailure`), and no callback tells which.
    TakenBack,
}

pub(super) fn request_headers() -> Result<Vec<u8>, Refused> {
    hostcalls::headers(MapType::HttpRequestHeaders)
}

pub(super) fn response_headers() -> Result<Vec<u8>, Refused> {
    hostcalls::headers(MapType::HttpResponseHeaders)
}

pub(super) fn request_trailers() -> Result<Vec<u8>, Refused> {
    hostcalls::headers(MapType::HttpRequestTrailers)
}

/// The headers of the answer that a callback is about.
pub(super) fn call_response_headers() -> Result<Vec<u8>, Refused> {
    hostcalls::headers(MapType::HttpCallResponseHeaders)
}

/// The body of the answer that a callback is about, up to one byte above [`MAX_RESPONSE`], so that
/// one that is too long can be told.
pub(super) fn call_response_body(size: usize) -> Result<Vec<u8>, Refused> {
    if size == 0 {
        return Ok(Vec::new());
    }
    hostcalls::buffer(BufferType::HttpCallResponseBody, size.min(MAX_RESPONSE.saturating_add(1)))
}

/// What has arrived of the request's body, up to one byte above `max`, so that one that is longer
/// can be told.
pub(super) fn request_body(max: usize) -> Result<Vec<u8>, Refused> {
    hostcalls::buffer(BufferType::HttpRequestBody, max.saturating_add(1))
}

pub(super) fn plugin_configuration(size: usize) -> Result<Vec<u8>, Refused> {
    if size == 0 {
        return Ok(Vec::new());
    }
    hostcalls::buffer(BufferType::PluginConfiguration, size)
}

/// Makes the edits on the request, in order.
///
/// # Errors
///
/// The first edit that the host refuses: the request must not go on.
pub(super) fn edit_request(edits: &[Edit]) -> Result<(), Refused> {
    edit(MapType::HttpRequestHeaders, edits)
}

/// Makes the edits on the request's trailers, in order.
///
/// # Errors
///
/// The first edit that the host refuses: the request must not go on.
pub(super) fn edit_trailers(edits: &[Edit]) -> Result<(), Refused> {
    edit(MapType::HttpRequestTrailers, edits)
}

/// Makes the edits on the response, in order.
///
/// # Errors
///
/// The first edit that the host refuses.
pub(super) fn edit_response(edits: &[Edit]) -> Result<(), Refused> {
    edit(MapType::HttpResponseHeaders, edits)
}

fn edit(map: MapType, edits: &[Edit]) -> Result<(), Refused> {
    edits.iter().try_for_each(|edit| match edit {
        Edit::Remove(name) => hostcalls::remove_header(map, name),
        Edit::Set(name, value) => hostcalls::replace_header(map, name.as_bytes(), value.as_bytes()),
        Edit::Append(name, value) => hostcalls::add_header(map, name.as_bytes(), value.as_bytes()),
    })
}

/// A property of the stream, as bytes; absent where the host has none.
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

/// Whether the stream that the host acts for has ended, or is being answered, by somebody else.
///
/// Envoy (1.40) destroys a stream at the end of the turn of its event loop in which the client has
/// left. Until then it says of every call for the stream that it was made. Of a request that waits
/// it has no details of a response before.
pub(super) fn has_ended() -> bool {
    property(&["response", "code_details"]).is_some_and(|details| !details.is_empty())
}

/// Sets a property of the stream, which Envoy calls filter state: `wasm.` and the name.
///
/// # Errors
///
/// [`Refused`] where the host does not know the stream any more.
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

/// Sixteen random bytes; absent where the host has none.
pub(super) fn random() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok().map(|()| bytes)
}

/// A variable of the VM's environment: what `host_env_keys` lets through.
#[expect(clippy::disallowed_methods, reason = "this is the door that the ban leads to")]
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The `log` crate's way out: the SDK's own panics when the host refuses a line.
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
        // A host that refuses a log line cannot be told so.
        let _ = hostcalls::log(level, &record.args().to_string());
    }

    fn flush(&self) {}
}

/// Sends what is logged to the host. Called once a VM, before anything is logged.
pub(super) fn install_log() {
    if log::set_logger(&HostLog).is_ok() {
        log::set_max_level(log::LevelFilter::Debug);
    }
}

/// Lets the paused request go on.
///
/// # Errors
///
/// The host does not know the request any more.
pub(super) fn resume() -> Result<(), Refused> {
    hostcalls::resume_request()
}

/// Answers the request; it does not go upstream.
///
/// # Errors
///
/// The host does not know the request any more.
pub(super) fn reply(reply: &Reply) -> Result<(), Refused> {
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

/// Sends a call to the cluster; its answer comes back with the token.
///
/// # Errors
///
/// [`Unsent`], and then no callback comes.
pub(super) fn dispatch(cluster: &str, call: &SignedCall, timeout: Duration) -> Result<u32, Unsent> {
    let mut headers: Vec<(&[u8], &[u8])> = vec![
        (b":method", call.method.as_bytes()),
        (b":path", call.path.as_bytes()),
        (b":authority", call.authority.as_bytes()),
        (b":scheme", b"https"),
    ];
    headers.extend(call.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    let headers = HeaderMap::serialize(&headers);
    let timeout = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    hostcalls::http_call(cluster, &headers, &call.body, timeout).map_err(|refused| match refused {
        Refused(BAD_ARGUMENT) => Unsent::UnknownCluster,
        Refused(_) => Unsent::TakenBack,
    })
}

/// Makes the following host calls those of another stream.
///
/// # Errors
///
/// The stream is gone.
pub(super) fn act_for(context: u32) -> Result<(), Refused> {
    hostcalls::set_effective_context(context)
}

/// A value shared by all VMs of this Envoy, and the number that swapping it needs; absent where
/// there is none.
pub(super) fn shared(key: &str) -> Option<(Vec<u8>, u32)> {
    hostcalls::shared(key.as_bytes()).ok()
}

/// Swaps a shared value if nobody has since `cas` was read, or creates it where `cas` is absent.
///
/// # Errors
///
/// Somebody was faster.
pub(super) fn swap_shared(key: &str, value: &[u8], cas: Option<u32>) -> Result<(), Refused> {
    // The host compares the number only where the key exists, and counts real ones up from 1.
    hostcalls::set_shared(key.as_bytes(), value, cas.unwrap_or(u32::MAX))
}

/// Asks for a tick each `period`.
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

/// Defines a gauge; the same name gives the same gauge.
pub(super) fn gauge(name: &str) -> Option<Metric> {
    hostcalls::define_metric(MetricType::Gauge, name).ok().map(Metric)
}

impl Metric {
    /// Adds to a counter. A host that refuses a number cannot be told so.
    pub(super) fn add(self, count: u64) {
        let _ = hostcalls::increment_metric(self.0, i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Sets a gauge. A host that refuses a number cannot be told so.
    pub(super) fn set(self, value: u64) {
        let _ = hostcalls::record_metric(self.0, value);
    }
}
