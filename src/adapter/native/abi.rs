//! Envoy's callbacks of the dynamic-module ABI, each as a function with safe arguments.
//!
//! Only what the filter needs is declared, and only what Envoy 1.38, 1.39 and 1.40 have. The
//! library is bound when it is loaded, so a host that lacks one of them refuses it then. Functions
//! that only newer hosts have are looked up at run time.
#![allow(unsafe_code, reason = "the ABI passes pointers; see above")]

mod lent;
mod stream;

use std::ffi::{CStr, c_char, c_void};
use std::ptr::null_mut;

pub(super) use lent::{Buffer, Header, slice};
use lent::{lend_headers, lend_texts};
pub(super) use stream::{BUFFERED, RECEIVED, Stream};

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

/// Adds to a counter, or sets a gauge.
fn change(change: Increment, whose: Pointer, id: usize, labels: &[&str], value: u64) {
    let labels = lend_texts(labels);
    // SAFETY: the buffers are lent for the call, and `whose` lives during its hooks.
    unsafe { change(whose, id, labels.as_ptr(), labels.len(), value) };
}
