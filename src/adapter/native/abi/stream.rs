//! Envoy's callbacks for a stream.
#![allow(unsafe_code, reason = "the ABI passes pointers; see above")]

use super::lent::{Buffer, Header, lend_headers};
use super::{
    Callout, Pointer, StreamWaker, add_header, attribute_flag, attribute_text, callout, change,
    chunks_size, continue_decoding, get_body_size, get_chunks, get_headers, get_text, headers_size,
    increment, list_size, list_text, scheduler_new, send_response, set_filter_state, set_gauge,
    set_header, worker_index,
};
use crate::adapter::traits::Map;

/// A stream at the host. It is used in the hooks of this stream.
#[derive(Clone, Copy)]
pub(in crate::adapter::native) struct Stream(Pointer);

/// The body as far as the host has buffered it.
pub(in crate::adapter::native) const BUFFERED: u32 = 1;
/// The part of the body that has just arrived.
pub(in crate::adapter::native) const RECEIVED: u32 = 0;

/// Dynamic metadata of the stream, not of its route.
const DYNAMIC: u32 = 0;

/// How many headers are read without an allocation of their list.
const FEW: usize = 64;

impl Stream {
    /// # Safety
    ///
    /// The host's pointer of a stream. The host calls no hook of a stream after its end.
    pub(in crate::adapter::native) const unsafe fn new(pointer: Pointer) -> Self {
        Self(pointer)
    }

    /// Passes all headers of a map to `work`.
    pub(in crate::adapter::native) fn with_headers<T>(
        self,
        map: Map,
        work: impl FnOnce(&[(&[u8], &[u8])]) -> T,
    ) -> T {
        // SAFETY: the stream lives during its hooks.
        let count = unsafe { headers_size(self.0, kind(map)) };
        let mut few = [Header::EMPTY; FEW];
        let mut many = Vec::new();
        let list = match few.get_mut(..count) {
            Some(list) => list,
            None => {
                many.resize(count, Header::EMPTY);
                &mut many
            }
        };
        // SAFETY: the list has room for as many headers as the host has just counted.
        let is_read = count > 0 && unsafe { get_headers(self.0, kind(map), list.as_mut_ptr()) };
        let list = if is_read { &*list } else { &[] };
        // SAFETY: the host lends the headers for the present hook, and `work` gets them only.
        let pairs: Vec<_> = list.iter().map(|header| unsafe { header.pair() }).collect();
        work(&pairs)
    }

    /// Replaces all values of a name.
    pub(in crate::adapter::native) fn set(self, map: Map, name: &[u8], value: &[u8]) -> bool {
        let (name, value) = (Buffer::lend(name), Buffer::lend(value));
        // SAFETY: the buffers are lent for the call.
        unsafe { set_header(self.0, kind(map), name, value) }
    }

    /// Removes all values of a name. Does not say whether there was one.
    pub(in crate::adapter::native) fn remove(self, map: Map, name: &[u8]) {
        // SAFETY: the name is lent for the call; a null value removes.
        unsafe { set_header(self.0, kind(map), Buffer::lend(name), Buffer::EMPTY) };
    }

    /// Adds a value to those of a name.
    pub(in crate::adapter::native) fn add(self, map: Map, name: &[u8], value: &[u8]) -> bool {
        let (name, value) = (Buffer::lend(name), Buffer::lend(value));
        // SAFETY: the buffers are lent for the call.
        unsafe { add_header(self.0, kind(map), name, value) }
    }

    /// Sends a local reply. The stream may have ended when this returns.
    pub(in crate::adapter::native) fn reply(
        self,
        status: u16,
        headers: &[(&[u8], &[u8])],
        body: &[u8],
        details: &str,
    ) {
        let headers = lend_headers(headers);
        // SAFETY: the buffers are lent for the call.
        unsafe {
            send_response(
                self.0,
                u32::from(status),
                headers.as_ptr(),
                headers.len(),
                Buffer::lend(body),
                Buffer::lend(details.as_bytes()),
            );
        }
    }

    /// Forwards a stream that was paused. The stream may have ended when this returns.
    pub(in crate::adapter::native) fn resume(self) {
        // SAFETY: the stream lives during its hooks.
        unsafe { continue_decoding(self.0) }
    }

    pub(in crate::adapter::native) fn body_size(self, body: u32) -> usize {
        // SAFETY: only numbers cross.
        unsafe { get_body_size(self.0, body) }
    }

    /// Adds at most `max` bytes of a body to `bytes`.
    pub(in crate::adapter::native) fn read_body(self, body: u32, max: usize, bytes: &mut Vec<u8>) {
        // SAFETY: only numbers cross.
        let count = unsafe { chunks_size(self.0, body) };
        let mut chunks = vec![Buffer::EMPTY; count];
        // SAFETY: the list has room for as many chunks as the host has just counted.
        let is_read = count > 0 && unsafe { get_chunks(self.0, body, chunks.as_mut_ptr()) };
        for chunk in chunks.into_iter().filter(|_| is_read) {
            // SAFETY: the host lends the chunk for the present hook.
            let chunk = unsafe { chunk.bytes() };
            let rest = max.saturating_sub(bytes.len());
            bytes.extend_from_slice(chunk.get(..rest).unwrap_or(chunk));
        }
    }

    /// An attribute that is a text.
    pub(in crate::adapter::native) fn text(self, attribute: u32) -> Option<Vec<u8>> {
        let mut value = Buffer::EMPTY;
        // SAFETY: the value is valid for a write, and is lent for the present hook.
        unsafe { attribute_text(self.0, attribute, &raw mut value).then(|| value.bytes().to_vec()) }
    }

    /// An attribute that is `true` or `false`.
    pub(in crate::adapter::native) fn flag(self, attribute: u32) -> Option<bool> {
        let mut value = false;
        // SAFETY: the value is valid for a write.
        let is_known = unsafe { attribute_flag(self.0, attribute, &raw mut value) };
        is_known.then_some(value)
    }

    /// A text in dynamic metadata.
    pub(in crate::adapter::native) fn metadata_text(
        self,
        namespace: &str,
        key: &str,
    ) -> Option<Vec<u8>> {
        let mut value = Buffer::EMPTY;
        // SAFETY: the names are lent for the call, the value is valid for a write, and it is lent
        // for the present hook.
        unsafe {
            get_text(
                self.0,
                DYNAMIC,
                Buffer::lend(namespace.as_bytes()),
                Buffer::lend(key.as_bytes()),
                &raw mut value,
            )
            .then(|| value.bytes().to_vec())
        }
    }

    /// A list of texts in dynamic metadata; `None` if it is no list, or one entry is no text.
    pub(in crate::adapter::native) fn metadata_list(
        self,
        namespace: &str,
        key: &str,
    ) -> Option<Vec<Vec<u8>>> {
        let (namespace, key) = (Buffer::lend(namespace.as_bytes()), Buffer::lend(key.as_bytes()));
        let mut size = 0;
        // SAFETY: the names are lent for the call, and the size is valid for a write.
        let is_list = unsafe { list_size(self.0, DYNAMIC, namespace, key, &raw mut size) };
        let entry = |index| {
            let mut value = Buffer::EMPTY;
            // SAFETY: as in `metadata_text`.
            unsafe {
                list_text(self.0, DYNAMIC, namespace, key, index, &raw mut value)
                    .then(|| value.bytes().to_vec())
            }
        };
        is_list.then(|| (0..size).map(entry).collect()).flatten()
    }

    /// Sets a value of filter state.
    pub(in crate::adapter::native) fn set_state(self, key: &str, value: &str) -> bool {
        let (key, value) = (Buffer::lend(key.as_bytes()), Buffer::lend(value.as_bytes()));
        // SAFETY: the buffers are lent for the call.
        unsafe { set_filter_state(self.0, key, value) }
    }

    /// Sends a call; `Err` is the host's status.
    pub(in crate::adapter::native) fn call(self, call: &Callout<'_>) -> Result<u64, u32> {
        call.send(callout, self.0)
    }

    /// Makes a way to wake the worker for this stream.
    pub(in crate::adapter::native) fn waker(self) -> Option<StreamWaker> {
        // SAFETY: the stream lives during its hooks.
        let waker = unsafe { scheduler_new(self.0) };
        (!waker.is_null()).then_some(StreamWaker(waker))
    }

    /// The number of the stream's worker.
    pub(in crate::adapter::native) fn worker(self) -> u32 {
        // SAFETY: only numbers cross.
        unsafe { worker_index(self.0) }
    }

    /// Adds to a counter.
    pub(in crate::adapter::native) fn count(self, id: usize, labels: &[&str], value: u64) {
        change(increment, self.0, id, labels, value);
    }

    /// Sets a gauge.
    pub(in crate::adapter::native) fn show(self, id: usize, labels: &[&str], value: u64) {
        change(set_gauge, self.0, id, labels, value);
    }
}

const fn kind(map: Map) -> u32 {
    match map {
        Map::RequestHeaders => 0,
        Map::RequestTrailers => 1,
        Map::ResponseHeaders => 2,
    }
}
