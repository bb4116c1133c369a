//! Envoy's callbacks of the dynamic-module ABI, each as a function with safe arguments.
//!
//! Only what the filter needs is declared, and only what Envoy 1.38, 1.39 and 1.40 have. The
//! library is bound when it is loaded, so a host that lacks one of them refuses it then. Functions
//! that only newer hosts have are looked up at run time.
#![allow(unsafe_code, reason = "the ABI passes pointers; see above")]

use crate::adapter::traits::Map;
use std::ffi::{CStr, c_char, c_void};
use std::ptr::{null, null_mut};

/// Bytes that the host or the module lends for one call.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Buffer {
    start: *const u8,
    length: usize,
}

/// A header that the host or the module lends for one call.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Header {
    name: *const u8,
    name_length: usize,
    value: *const u8,
    value_length: usize,
}

impl Buffer {
    const EMPTY: Self = Self { start: null(), length: 0 };

    const fn lend(bytes: &[u8]) -> Self {
        Self { start: bytes.as_ptr(), length: bytes.len() }
    }

    /// The bytes.
    ///
    /// # Safety
    ///
    /// The host has lent the buffer for the present hook, and no edit was made since.
    pub(super) const unsafe fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: by contract.
        unsafe { slice(self.start, self.length) }
    }
}

impl Header {
    const EMPTY: Self = Self { name: null(), name_length: 0, value: null(), value_length: 0 };

    const fn lend(name: &[u8], value: &[u8]) -> Self {
        Self {
            name: name.as_ptr(),
            name_length: name.len(),
            value: value.as_ptr(),
            value_length: value.len(),
        }
    }

    /// Name and value.
    ///
    /// # Safety
    ///
    /// As for [`Buffer::bytes`].
    pub(super) const unsafe fn pair<'a>(self) -> (&'a [u8], &'a [u8]) {
        // SAFETY: by contract.
        unsafe { (slice(self.name, self.name_length), slice(self.value, self.value_length)) }
    }
}

/// A slice of what the host lends; it writes null for no bytes or items.
///
/// # Safety
///
/// `start` is null, or `length` initialized items are there and stay unchanged for `'a`.
pub(super) const unsafe fn slice<'a, T>(start: *const T, length: usize) -> &'a [T] {
    if start.is_null() || length == 0 {
        return &[];
    }
    // SAFETY: by contract.
    unsafe { std::slice::from_raw_parts(start, length) }
}

type Define = unsafe extern "C" fn(Pointer, Buffer, *const Buffer, usize, *mut usize) -> u32;
type Increment = unsafe extern "C" fn(Pointer, usize, *const Buffer, usize, u64) -> u32;
type SendCall =
    unsafe extern "C" fn(Pointer, *mut u64, Buffer, *const Header, usize, Buffer, u64) -> u32;

unsafe extern "C" {
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// A pointer of the host's, to a stream, a configuration or a scheduler.
type Pointer = *mut c_void;

/// Declares callbacks, each under a short name.
macro_rules! callbacks {
    ($($link:literal $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        unsafe extern "C" {
            $(
                #[link_name = concat!("envoy_dynamic_module_callback_", $link)]
                fn $name($($argument: $type),*) $(-> $result)?;
            )*
        }
    };
}

callbacks! {
    "log" host_log(level: u32, text: Buffer);
    "log_enabled" host_logs(level: u32) -> bool;
    "is_validation_mode" is_validation() -> bool;
    "get_concurrency" concurrency() -> u32;
    "http_filter_config_define_counter"
        define_counter(config: Pointer, name: Buffer, labels: *const Buffer, count: usize, id: *mut usize) -> u32;
    "http_filter_config_define_gauge"
        define_gauge(config: Pointer, name: Buffer, labels: *const Buffer, count: usize, id: *mut usize) -> u32;
    "http_filter_increment_counter"
        increment(stream: Pointer, id: usize, labels: *const Buffer, count: usize, value: u64) -> u32;
    "http_filter_set_gauge"
        set_gauge(stream: Pointer, id: usize, labels: *const Buffer, count: usize, value: u64) -> u32;
    "http_get_headers_size" headers_size(stream: Pointer, map: u32) -> usize;
    "http_get_headers" get_headers(stream: Pointer, map: u32, headers: *mut Header) -> bool;
    "http_set_header" set_header(stream: Pointer, map: u32, name: Buffer, value: Buffer) -> bool;
    "http_add_header" add_header(stream: Pointer, map: u32, name: Buffer, value: Buffer) -> bool;
    "http_send_response"
        send_response(stream: Pointer, status: u32, headers: *const Header, count: usize, body: Buffer, details: Buffer);
    "http_get_body_size" get_body_size(stream: Pointer, body: u32) -> usize;
    "http_get_body_chunks_size" chunks_size(stream: Pointer, body: u32) -> usize;
    "http_get_body_chunks" get_chunks(stream: Pointer, body: u32, chunks: *mut Buffer) -> bool;
    "http_filter_get_attribute_string" attribute_text(stream: Pointer, attribute: u32, value: *mut Buffer) -> bool;
    "http_filter_get_attribute_bool" attribute_flag(stream: Pointer, attribute: u32, value: *mut bool) -> bool;
    "http_get_metadata_string"
        get_text(stream: Pointer, source: u32, namespace: Buffer, key: Buffer, value: *mut Buffer) -> bool;
    "http_get_metadata_list_size"
        list_size(stream: Pointer, source: u32, namespace: Buffer, key: Buffer, size: *mut usize) -> bool;
    "http_get_metadata_list_string"
        list_text(stream: Pointer, source: u32, namespace: Buffer, key: Buffer, at: usize, value: *mut Buffer) -> bool;
    "http_set_filter_state_bytes" set_filter_state(stream: Pointer, key: Buffer, value: Buffer) -> bool;
    "http_filter_http_callout"
        callout(stream: Pointer, id: *mut u64, cluster: Buffer, headers: *const Header, count: usize, body: Buffer, milliseconds: u64) -> u32;
    "http_filter_config_http_callout"
        config_callout(config: Pointer, id: *mut u64, cluster: Buffer, headers: *const Header, count: usize, body: Buffer, milliseconds: u64) -> u32;
    "http_filter_continue_decoding" continue_decoding(stream: Pointer);
    "http_filter_scheduler_new" scheduler_new(stream: Pointer) -> Pointer;
    "http_filter_scheduler_commit" scheduler_commit(scheduler: Pointer, event: u64);
    "http_filter_scheduler_delete" scheduler_delete(scheduler: Pointer);
    "http_filter_config_scheduler_new" config_scheduler_new(config: Pointer) -> Pointer;
    "http_filter_config_scheduler_commit" config_scheduler_commit(scheduler: Pointer, event: u64);
    "http_filter_config_scheduler_delete" config_scheduler_delete(scheduler: Pointer);
    "http_filter_get_worker_index" worker_index(stream: Pointer) -> u32;
}

/// Writes one line to Envoy's log. Levels count from 0, trace, to 4, error.
pub(super) fn log(level: u32, text: &str) {
    // SAFETY: the bytes are lent for the call.
    unsafe { host_log(level, Buffer::lend(text.as_bytes())) }
}

/// Whether Envoy writes lines of this level.
pub(super) fn logs(level: u32) -> bool {
    // SAFETY: only numbers cross.
    unsafe { host_logs(level) }
}

/// Whether Envoy only checks its configuration. Main thread only.
pub(super) fn only_validates() -> bool {
    // SAFETY: only a flag crosses.
    unsafe { is_validation() }
}

/// How many workers Envoy has. Main thread only.
pub(super) fn workers() -> u32 {
    // SAFETY: only a number crosses.
    unsafe { concurrency() }
}

/// The functions that only newer hosts have (1.39): metrics outside of any request.
#[derive(Clone, Copy)]
pub(super) struct Newer {
    increment: Increment,
    set: Increment,
}

impl Newer {
    /// Looks them up; `None` on an older host.
    pub(super) fn find() -> Option<Self> {
        const INCREMENT: &CStr =
            c"envoy_dynamic_module_callback_http_filter_config_increment_counter";
        const SET: &CStr = c"envoy_dynamic_module_callback_http_filter_config_set_gauge";
        let find = |name: &CStr| {
            // SAFETY: the name is a C text; null means every library of the process.
            let found = unsafe { dlsym(null_mut(), name.as_ptr()) };
            if found.is_null() {
                return None;
            }
            // SAFETY: both functions have this type in every host that has them.
            Some(unsafe { std::mem::transmute::<Pointer, Increment>(found) })
        };
        Some(Self { increment: find(INCREMENT)?, set: find(SET)? })
    }
}

/// A configuration at the host. It is used on the main thread, until the host ends it.
#[derive(Clone, Copy)]
pub(super) struct Configuration(Pointer);

/// A stream at the host. It is used in the hooks of this stream.
#[derive(Clone, Copy)]
pub(super) struct Stream(Pointer);

/// Wakes the main thread for a configuration. Any thread may use it.
pub(super) struct MainWaker(Pointer);

/// Wakes the worker of a stream. Any thread may use it.
pub(super) struct StreamWaker(Pointer);

// SAFETY: the host allows to use and delete a scheduler on any thread. It refers to its stream or
// configuration weakly.
unsafe impl Send for MainWaker {}
// SAFETY: as above; a commit only posts an event.
unsafe impl Sync for MainWaker {}
// SAFETY: as above.
unsafe impl Send for StreamWaker {}

impl MainWaker {
    pub(super) fn wake(&self, event: u64) {
        // SAFETY: the scheduler lives until it is dropped.
        unsafe {
            config_scheduler_commit(self.0, event);
        }
    }
}

impl Drop for MainWaker {
    fn drop(&mut self) {
        // SAFETY: nobody else has the pointer.
        unsafe { config_scheduler_delete(self.0) }
    }
}

impl StreamWaker {
    pub(super) fn wake(&self, event: u64) {
        // SAFETY: the scheduler lives until it is dropped.
        unsafe { scheduler_commit(self.0, event) }
    }
}

impl Drop for StreamWaker {
    fn drop(&mut self) {
        // SAFETY: nobody else has the pointer.
        unsafe { scheduler_delete(self.0) }
    }
}

/// A call for the host to send.
pub(super) struct Callout<'a> {
    pub(super) cluster: &'a str,
    pub(super) headers: &'a [(&'a [u8], &'a [u8])],
    pub(super) body: &'a [u8],
    pub(super) milliseconds: u64,
}

impl Callout<'_> {
    fn send(&self, send: SendCall, whose: Pointer) -> Result<u64, u32> {
        let (headers, mut id) = (lend_headers(self.headers), 0);
        let (cluster, body) = (Buffer::lend(self.cluster.as_bytes()), Buffer::lend(self.body));
        let (start, count, time) = (headers.as_ptr(), headers.len(), self.milliseconds);
        // SAFETY: the buffers are lent for the call, and the id is valid for a write.
        let status = unsafe { send(whose, &raw mut id, cluster, start, count, body, time) };
        if status == 0 { Ok(id) } else { Err(status) }
    }
}

fn lend_headers(headers: &[(&[u8], &[u8])]) -> Vec<Header> {
    headers.iter().map(|(name, value)| Header::lend(name, value)).collect()
}

fn lend_texts(texts: &[&str]) -> Vec<Buffer> {
    texts.iter().map(|text| Buffer::lend(text.as_bytes())).collect()
}

impl Configuration {
    /// # Safety
    ///
    /// The host's pointer of a configuration, in one of its hooks.
    pub(super) const unsafe fn new(pointer: Pointer) -> Self {
        Self(pointer)
    }

    /// Defines a counter; only while the configuration is made.
    pub(super) fn define_counter(self, name: &str, labels: &[&str]) -> Option<usize> {
        self.define(define_counter, name, labels)
    }

    /// Defines a gauge; only while the configuration is made.
    pub(super) fn define_gauge(self, name: &str, labels: &[&str]) -> Option<usize> {
        self.define(define_gauge, name, labels)
    }

    fn define(self, define: Define, name: &str, labels: &[&str]) -> Option<usize> {
        let (name, labels, mut id) = (Buffer::lend(name.as_bytes()), lend_texts(labels), 0);
        // SAFETY: the buffers are lent for the call, and the id is valid for a write.
        let status = unsafe { define(self.0, name, labels.as_ptr(), labels.len(), &raw mut id) };
        (status == 0).then_some(id)
    }

    /// Adds to a counter.
    pub(super) fn add(self, newer: Newer, id: usize, labels: &[&str], value: u64) {
        change(newer.increment, self.0, id, labels, value);
    }

    /// Sets a gauge.
    pub(super) fn set(self, newer: Newer, id: usize, labels: &[&str], value: u64) {
        change(newer.set, self.0, id, labels, value);
    }

    /// Sends a call; `Err` is the host's status.
    pub(super) fn call(self, call: &Callout<'_>) -> Result<u64, u32> {
        call.send(config_callout, self.0)
    }

    /// Makes a way to wake the main thread for this configuration.
    pub(super) fn waker(self) -> Option<MainWaker> {
        // SAFETY: the configuration lives during its hooks.
        let waker = unsafe { config_scheduler_new(self.0) };
        (!waker.is_null()).then_some(MainWaker(waker))
    }
}

/// The body as far as the host has buffered it.
pub(super) const BUFFERED: u32 = 1;
/// The part of the body that has just arrived.
pub(super) const RECEIVED: u32 = 0;

/// Dynamic metadata of the stream, not of its route.
const DYNAMIC: u32 = 0;

/// How many headers are read without an allocation of their list.
const FEW: usize = 64;

impl Stream {
    /// # Safety
    ///
    /// The host's pointer of a stream. The host calls no hook of a stream after its end.
    pub(super) const unsafe fn new(pointer: Pointer) -> Self {
        Self(pointer)
    }

    /// Passes all headers of a map to `work`.
    pub(super) fn with_headers<T>(self, map: Map, work: impl FnOnce(&[(&[u8], &[u8])]) -> T) -> T {
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
    pub(super) fn set(self, map: Map, name: &[u8], value: &[u8]) -> bool {
        let (name, value) = (Buffer::lend(name), Buffer::lend(value));
        // SAFETY: the buffers are lent for the call.
        unsafe { set_header(self.0, kind(map), name, value) }
    }

    /// Removes all values of a name. Does not say whether there was one.
    pub(super) fn remove(self, map: Map, name: &[u8]) {
        // SAFETY: the name is lent for the call; a null value removes.
        unsafe { set_header(self.0, kind(map), Buffer::lend(name), Buffer::EMPTY) };
    }

    /// Adds a value to those of a name.
    pub(super) fn add(self, map: Map, name: &[u8], value: &[u8]) -> bool {
        let (name, value) = (Buffer::lend(name), Buffer::lend(value));
        // SAFETY: the buffers are lent for the call.
        unsafe { add_header(self.0, kind(map), name, value) }
    }

    /// Sends a local reply. The stream may have ended when this returns.
    pub(super) fn reply(self, status: u16, headers: &[(&[u8], &[u8])], body: &[u8], details: &str) {
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
    pub(super) fn resume(self) {
        // SAFETY: the stream lives during its hooks.
        unsafe { continue_decoding(self.0) }
    }

    pub(super) fn body_size(self, body: u32) -> usize {
        // SAFETY: only numbers cross.
        unsafe { get_body_size(self.0, body) }
    }

    /// Adds at most `max` bytes of a body to `bytes`.
    pub(super) fn read_body(self, body: u32, max: usize, bytes: &mut Vec<u8>) {
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
    pub(super) fn text(self, attribute: u32) -> Option<Vec<u8>> {
        let mut value = Buffer::EMPTY;
        // SAFETY: the value is valid for a write, and is lent for the present hook.
        unsafe { attribute_text(self.0, attribute, &raw mut value).then(|| value.bytes().to_vec()) }
    }

    /// An attribute that is `true` or `false`.
    pub(super) fn flag(self, attribute: u32) -> Option<bool> {
        let mut value = false;
        // SAFETY: the value is valid for a write.
        let is_known = unsafe { attribute_flag(self.0, attribute, &raw mut value) };
        is_known.then_some(value)
    }

    /// A text in dynamic metadata.
    pub(super) fn metadata_text(self, namespace: &str, key: &str) -> Option<Vec<u8>> {
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
    pub(super) fn metadata_list(self, namespace: &str, key: &str) -> Option<Vec<Vec<u8>>> {
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
    pub(super) fn set_state(self, key: &str, value: &str) -> bool {
        let (key, value) = (Buffer::lend(key.as_bytes()), Buffer::lend(value.as_bytes()));
        // SAFETY: the buffers are lent for the call.
        unsafe { set_filter_state(self.0, key, value) }
    }

    /// Sends a call; `Err` is the host's status.
    pub(super) fn call(self, call: &Callout<'_>) -> Result<u64, u32> {
        call.send(callout, self.0)
    }

    /// Makes a way to wake the worker for this stream.
    pub(super) fn waker(self) -> Option<StreamWaker> {
        // SAFETY: the stream lives during its hooks.
        let waker = unsafe { scheduler_new(self.0) };
        (!waker.is_null()).then_some(StreamWaker(waker))
    }

    /// The number of the stream's worker.
    pub(super) fn worker(self) -> u32 {
        // SAFETY: only numbers cross.
        unsafe { worker_index(self.0) }
    }

    /// Adds to a counter.
    pub(super) fn count(self, id: usize, labels: &[&str], value: u64) {
        change(increment, self.0, id, labels, value);
    }

    /// Sets a gauge.
    pub(super) fn show(self, id: usize, labels: &[&str], value: u64) {
        change(set_gauge, self.0, id, labels, value);
    }
}

/// Adds to a counter, or sets a gauge.
fn change(change: Increment, whose: Pointer, id: usize, labels: &[&str], value: u64) {
    let labels = lend_texts(labels);
    // SAFETY: the buffers are lent for the call, and `whose` lives during its hooks.
    unsafe { change(whose, id, labels.as_ptr(), labels.len(), value) };
}

const fn kind(map: Map) -> u32 {
    match map {
        Map::RequestHeaders => 0,
        Map::RequestTrailers => 1,
        Map::ResponseHeaders => 2,
    }
}
