//! What came of a call: the host's callback as an event.

use super::host;
use crate::duo::Response;
use crate::gate::{Event, Unanswered};
use crate::http::HeaderMap;

/// What came of a call, as the host's callback says it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Callback {
    pub(super) token: u32,
    pub(super) headers: usize,
    pub(super) body: usize,
}

/// Reads what a callback is about. The map and the body are read whole, as bytes: where a call was
/// cut off there is neither, and a getter by name would end the VM.
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
