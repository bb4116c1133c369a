//! A stream at the host, as one request uses it.

use super::abi::metrics::{self, Kind};
use super::abi::{self, Bytes, Callout, Header, StreamPointer, StreamWaker, copied};
use crate::adapter::traits::Map;
use crate::http::HeaderMap;
use std::cell::Cell;

/// The body as far as the host has buffered it.
pub(super) const BUFFERED: u32 = 1;
/// The part of the body that has just arrived.
pub(super) const RECEIVED: u32 = 0;

/// Dynamic metadata of the stream, not of its route.
const DYNAMIC: u32 = 0;

/// A stream at the host. Once it has ended, nothing is read and nothing is done.
pub(super) struct Stream(Cell<Option<StreamPointer>>);

impl Stream {
    /// A stream that has begun. [`Self::end`] must be called in the hook that ends it.
    pub(super) const fn new(pointer: StreamPointer) -> Self {
        Self(Cell::new(Some(pointer)))
    }

    /// The host has ended it.
    pub(super) fn end(&self) {
        self.0.set(None);
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.0.get().is_none()
    }

    /// Adds a map to `buffer`, in the encoding of [`HeaderMap`].
    pub(super) fn headers(&self, map: Map, buffer: &mut Vec<u8>) {
        if let Some(stream) = self.0.get() {
            abi::read_headers(stream, number(map), pack, buffer);
        }
    }

    /// Replaces all values of a name.
    pub(super) fn set(&self, map: Map, name: &[u8], value: &[u8]) -> bool {
        let (name, value) = (Bytes::of(name), Bytes::of(value));
        self.0.get().is_some_and(|stream| abi::set_header(stream, number(map), name, value))
    }

    /// Removes all values of a name. `false` if the stream has ended.
    pub(super) fn remove(&self, map: Map, name: &[u8]) -> bool {
        let Some(stream) = self.0.get() else { return false };
        // No value removes. The result says whether there was one.
        let _ = abi::set_header(stream, number(map), Bytes::of(name), Bytes::NONE);
        true
    }

    /// Adds a value to those of a name.
    pub(super) fn add(&self, map: Map, name: &[u8], value: &[u8]) -> bool {
        let (name, value) = (Bytes::of(name), Bytes::of(value));
        self.0.get().is_some_and(|stream| abi::add_header(stream, number(map), name, value))
    }

    /// Sends a local reply. The stream may have ended when this returns.
    pub(super) fn reply(&self, status: u16, headers: &[Header<'_>], body: &[u8], details: &str) {
        if let Some(stream) = self.0.get() {
            let (body, details) = (Bytes::of(body), Bytes::of(details.as_bytes()));
            abi::reply(stream, u32::from(status), headers, body, details);
        }
    }

    /// Forwards a stream that was paused. The stream may have ended when this returns.
    pub(super) fn resume(&self) {
        if let Some(stream) = self.0.get() {
            abi::continue_decoding(stream);
        }
    }

    pub(super) fn body_size(&self, body: u32) -> usize {
        self.0.get().map_or(0, |stream| abi::get_body_size(stream, body))
    }

    /// Adds bytes of a body to `bytes`, until it has `max`.
    pub(super) fn read_body(&self, body: u32, max: usize, bytes: &mut Vec<u8>) {
        if let Some(stream) = self.0.get() {
            abi::read_body(stream, body, max, bytes);
        }
    }

    /// An attribute that is a text.
    pub(super) fn text(&self, attribute: u32) -> Option<Vec<u8>> {
        let stream = self.0.get()?;
        copied(|lent| abi::attribute_text(stream, attribute, lent))
    }

    /// An attribute that is `true` or `false`.
    pub(super) fn flag(&self, attribute: u32) -> Option<bool> {
        let mut value = false;
        abi::attribute_flag(self.0.get()?, attribute, &mut value).then_some(value)
    }

    /// A text in dynamic metadata.
    pub(super) fn metadata_text(&self, namespace: &str, key: &str) -> Option<Vec<u8>> {
        let stream = self.0.get()?;
        let (namespace, key) = (Bytes::of(namespace.as_bytes()), Bytes::of(key.as_bytes()));
        copied(|lent| abi::get_text(stream, DYNAMIC, namespace, key, lent))
    }

    /// A list of texts in dynamic metadata; `None` if it is no list, or one entry is no text.
    pub(super) fn metadata_list(&self, namespace: &str, key: &str) -> Option<Vec<Vec<u8>>> {
        let (stream, mut size) = (self.0.get()?, 0);
        let (namespace, key) = (Bytes::of(namespace.as_bytes()), Bytes::of(key.as_bytes()));
        let is_list = abi::list_size(stream, DYNAMIC, namespace, key, &mut size);
        let entry = |at| copied(|lent| abi::list_text(stream, DYNAMIC, namespace, key, at, lent));
        is_list.then(|| (0..size).map(entry).collect()).flatten()
    }

    /// Sets a value of filter state.
    pub(super) fn set_state(&self, key: &str, value: &str) -> bool {
        let (key, value) = (Bytes::of(key.as_bytes()), Bytes::of(value.as_bytes()));
        self.0.get().is_some_and(|stream| abi::set_filter_state(stream, key, value))
    }

    /// Sends a call; `Err` is the host's status, or its highest number once the stream has ended.
    pub(super) fn call(&self, call: &Callout<'_>) -> Result<u64, u32> {
        call.send_for(self.0.get().ok_or(u32::MAX)?)
    }

    /// Makes a way to wake the worker for this stream.
    pub(super) fn waker(&self) -> Option<StreamWaker> {
        StreamWaker::of(self.0.get()?)
    }

    /// The number of the stream's worker.
    pub(super) fn worker(&self) -> Option<u32> {
        self.0.get().map(|stream| abi::worker_index(stream))
    }

    /// Passes a value to a metric.
    pub(super) fn pass(&self, kind: Kind, id: usize, labels: &[impl AsRef<str>], value: u64) {
        if let Some(stream) = self.0.get() {
            metrics::pass(stream, kind, id, labels, value);
        }
    }
}

/// Writes headers in the encoding of [`HeaderMap`].
fn pack(headers: &[Header<'_>], buffer: &mut Vec<u8>) {
    HeaderMap::write(headers.iter().map(|header| header.pair()), buffer);
}

const fn number(map: Map) -> u32 {
    match map {
        Map::RequestHeaders => 0,
        Map::RequestTrailers => 1,
        Map::ResponseHeaders => 2,
    }
}
