//! The end of a call, as the host reports it.

use super::abi::{Bytes, Header};
use crate::adapter::calls::MAX_RESPONSE;
use crate::duo::Response;
use crate::gate::{Event, Unanswered};

/// The end of a call, kept for a request on another thread.
pub(super) enum Answer {
    Answered {
        status: u16,
        retry_after: Option<Vec<u8>>,
        body: Vec<u8>,
    },
    Failed(Unanswered),
    /// A fault of the filter has lost it.
    Fault,
}

impl Answer {
    /// Reads a response; a call without one was cut off. The body is read up to one byte more than
    /// [`MAX_RESPONSE`], so that a longer one is recognized.
    pub(super) fn read(headers: &[Header<'_>], chunks: &[Bytes<'_>]) -> Self {
        let header = |name: &[u8]| {
            let mut pairs = headers.iter().map(|header| header.pair());
            pairs.find(|(other, _)| *other == name).map(|(_, value)| value)
        };
        let status =
            header(b":status").and_then(|digits| str::from_utf8(digits).ok()?.parse().ok());
        let Some(status) = status else {
            return Self::Failed(Unanswered::Cut);
        };
        let mut body = Vec::new();
        for chunk in chunks.iter().map(|chunk| chunk.get()) {
            let rest = MAX_RESPONSE.saturating_add(1).saturating_sub(body.len());
            body.extend_from_slice(chunk.get(..rest).unwrap_or(chunk));
        }
        Self::Answered { status, retry_after: header(b"retry-after").map(<[u8]>::to_vec), body }
    }

    /// The event for the core; `None` if a fault has lost it.
    pub(super) fn event(&self) -> Option<Event<'_>> {
        match self {
            Self::Answered { status, retry_after, body } => Some(Event::Answered(Response {
                status: *status,
                retry_after: retry_after.as_deref(),
                body,
            })),
            Self::Failed(why) => Some(Event::Failed(*why)),
            Self::Fault => None,
        }
    }
}
