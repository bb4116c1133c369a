//! The host's callback at the end of a call, as an event.

use super::host;
use crate::duo::Response;
use crate::gate::{Event, Unanswered};
use crate::http::HeaderMap;

/// The end of a call, as the host's callback reports it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Callback {
    pub(super) token: u64,
    pub(super) headers: usize,
    pub(super) body: usize,
}

/// Reads the response or the fault of a call. Headers and body are read whole, as bytes. If the
/// call was aborted, there are none, and the SDK's getters would end the VM.
pub(super) fn with_event<T>(callback: Callback, work: impl FnOnce(Event<'_>) -> T) -> T {
    if callback.headers == 0 {
        return work(Event::Failed(Unanswered::Cut));
    }
    let headers = host::call_response_headers().unwrap_or_default();
    let body = host::call_response_body(callback.body).unwrap_or_default();
    let Ok(map) = HeaderMap::parse(&headers) else {
        return work(Event::Failed(Unanswered::Cut));
    };
    let header = |name: &[u8]| map.iter().find(|(n, _)| *n == name).map(|(_, value)| value);
    let status = header(b":status").and_then(|digits| str::from_utf8(digits).ok()?.parse().ok());
    match status {
        Some(status) => work(Event::Answered(Response {
            status,
            retry_after: header(b"retry-after"),
            body: &body,
        })),
        None => work(Event::Failed(Unanswered::Cut)),
    }
}
