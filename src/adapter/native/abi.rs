//! Envoy's callbacks of the dynamic-module ABI, as safe functions.
//!
//! Only what the filter needs is declared, and only what Envoy 1.38, 1.39 and 1.40 have. The
//! library is bound when it is loaded, so a host that lacks one of them refuses it then. Functions
//! that only newer hosts have are looked up at run time.
//!
//! The types hold what the ABI demands of a pointer. [`Bytes`] and [`Header`] are made of slices
//! and live no longer than these. Only the host makes handles of streams and configurations. So a
//! callback that takes and returns only these is safe to call. The host lends its bytes until the
//! next edit, so they are copied at once.
#![allow(unsafe_code, reason = "the ABI passes pointers; see above")]

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::null;

type SendCall<Whose> = unsafe extern "C" fn(
    Whose,
    &mut u64,
    Bytes<'_>,
    *const Header<'_>,
    usize,
    Bytes<'_>,
    u64,
) -> u32;

/// Declares callbacks, each under a short name.
macro_rules! callbacks {
    ($($link:literal $safety:tt fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        unsafe extern "C" {
            $(
                #[link_name = concat!("envoy_dynamic_module_callback_", $link)]
                pub(super) $safety fn $name($($argument: $type),*) $(-> $result)?;
            )*
        }
    };
}

pub(super) mod metrics;

callbacks! {
    "log" safe fn host_log(level: u32, text: Bytes<'_>);
    "log_enabled" safe fn host_logs(level: u32) -> bool;
    "is_validation_mode" safe fn is_validation() -> bool;
    "get_concurrency" safe fn concurrency() -> u32;
    "http_get_headers_size" safe fn headers_size(stream: StreamPointer, map: u32) -> usize;
    "http_get_headers" unsafe fn get_headers(stream: StreamPointer, map: u32, headers: *mut Header<'_>) -> bool;
    "http_set_header" safe fn set_header(stream: StreamPointer, map: u32, name: Bytes<'_>, value: Bytes<'_>) -> bool;
    "http_add_header" safe fn add_header(stream: StreamPointer, map: u32, name: Bytes<'_>, value: Bytes<'_>) -> bool;
    "http_send_response" unsafe fn send_response(
        stream: StreamPointer, status: u32, headers: *const Header<'_>, count: usize, body: Bytes<'_>, details: Bytes<'_>);
    "http_get_body_size" safe fn get_body_size(stream: StreamPointer, body: u32) -> usize;
    "http_get_body_chunks_size" safe fn chunks_size(stream: StreamPointer, body: u32) -> usize;
    "http_get_body_chunks" unsafe fn get_chunks(stream: StreamPointer, body: u32, chunks: *mut Bytes<'_>) -> bool;
    "http_filter_get_attribute_string" safe fn attribute_text(
        stream: StreamPointer, attribute: u32, value: &mut Lent) -> bool;
    "http_filter_get_attribute_bool" safe fn attribute_flag(
        stream: StreamPointer, attribute: u32, value: &mut bool) -> bool;
    "http_get_metadata_string" safe fn get_text(
        stream: StreamPointer, source: u32, namespace: Bytes<'_>, key: Bytes<'_>, value: &mut Lent) -> bool;
    "http_get_metadata_list_size" safe fn list_size(
        stream: StreamPointer, source: u32, namespace: Bytes<'_>, key: Bytes<'_>, size: &mut usize) -> bool;
    "http_get_metadata_list_string" safe fn list_text(
        stream: StreamPointer, source: u32, namespace: Bytes<'_>, key: Bytes<'_>, at: usize, value: &mut Lent) -> bool;
    "http_set_filter_state_bytes" safe fn set_filter_state(
        stream: StreamPointer, key: Bytes<'_>, value: Bytes<'_>) -> bool;
    "http_filter_http_callout" unsafe fn callout(
        stream: StreamPointer, id: &mut u64, cluster: Bytes<'_>, headers: *const Header<'_>, count: usize,
        body: Bytes<'_>, milliseconds: u64) -> u32;
    "http_filter_config_http_callout" unsafe fn config_callout(
        config: Configuration<'_>, id: &mut u64, cluster: Bytes<'_>, headers: *const Header<'_>, count: usize,
        body: Bytes<'_>, milliseconds: u64) -> u32;
    "http_filter_continue_decoding" safe fn continue_decoding(stream: StreamPointer);
    "http_filter_scheduler_new" safe fn scheduler_new(stream: StreamPointer) -> Scheduler;
    "http_filter_scheduler_commit" safe fn scheduler_commit(scheduler: Scheduler, event: u64);
    "http_filter_scheduler_delete" unsafe fn scheduler_delete(scheduler: Scheduler);
    "http_filter_config_scheduler_new" safe fn config_scheduler_new(config: Configuration<'_>) -> Scheduler;
    "http_filter_config_scheduler_commit" safe fn config_scheduler_commit(scheduler: Scheduler, event: u64);
    "http_filter_config_scheduler_delete" unsafe fn config_scheduler_delete(scheduler: Scheduler);
    "http_filter_get_worker_index" safe fn worker_index(stream: StreamPointer) -> u32;
}

/// Bytes that the host or the module lends.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Bytes<'a> {
    start: *const u8,
    length: usize,
    lent: PhantomData<&'a [u8]>,
}

impl<'a> Bytes<'a> {
    pub(super) const NONE: Self = Self { start: null(), length: 0, lent: PhantomData };

    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self { start: bytes.as_ptr(), length: bytes.len(), lent: PhantomData }
    }

    pub(super) const fn get(self) -> &'a [u8] {
        // SAFETY: they are lent for `'a`.
        unsafe { slice(self.start, self.length) }
    }
}

/// A header that the host or the module lends.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Header<'a> {
    name: *const u8,
    name_length: usize,
    value: *const u8,
    value_length: usize,
    lent: PhantomData<&'a [u8]>,
}

impl<'a> Header<'a> {
    const NONE: Self =
        Self { name: null(), name_length: 0, value: null(), value_length: 0, lent: PhantomData };

    pub(super) const fn of(name: &'a [u8], value: &'a [u8]) -> Self {
        let (name_length, value_length) = (name.len(), value.len());
        let (name, value) = (name.as_ptr(), value.as_ptr());
        Self { name, name_length, value, value_length, lent: PhantomData }
    }

    /// Name and value.
    pub(super) const fn pair(self) -> (&'a [u8], &'a [u8]) {
        // SAFETY: both are lent for `'a`.
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

/// Bytes that the host lends until the next edit.
#[repr(C)]
pub(super) struct Lent {
    start: *const u8,
    length: usize,
}

/// Copies the bytes that a callback lends; `None` if it has none. `ask` makes this one call.
pub(super) fn copied(ask: impl FnOnce(&mut Lent) -> bool) -> Option<Vec<u8>> {
    let mut lent = Lent { start: null(), length: 0 };
    // SAFETY: only the host changes the value, and nothing was edited since.
    ask(&mut lent).then(|| unsafe { slice(lent.start, lent.length) }.to_vec())
}

/// A stream at the host. Only a [`super::stream::Stream`] keeps it, until the stream ends.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct StreamPointer(*mut c_void);

/// A configuration at the host, during one of its hooks.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Configuration<'hook>(*mut c_void, PhantomData<&'hook ()>);

/// A scheduler of the host's.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Scheduler(*mut c_void);

// SAFETY: the host allows to use and delete a scheduler on any thread. It refers to its stream or
// configuration weakly.
unsafe impl Send for Scheduler {}
// SAFETY: as above; a commit only posts an event.
unsafe impl Sync for Scheduler {}

/// Wakes the main thread for a configuration. Any thread may use it.
pub(super) struct MainWaker(Scheduler);

/// Wakes the worker of a stream. Any thread may use it.
pub(super) struct StreamWaker(Scheduler);

impl StreamWaker {
    pub(super) fn of(stream: StreamPointer) -> Option<Self> {
        let scheduler = scheduler_new(stream);
        (!scheduler.0.is_null()).then_some(Self(scheduler))
    }

    pub(super) fn wake(&self, event: u64) {
        scheduler_commit(self.0, event);
    }
}

impl MainWaker {
    pub(super) fn wake(&self, event: u64) {
        config_scheduler_commit(self.0, event);
    }
}

impl Drop for MainWaker {
    fn drop(&mut self) {
        // SAFETY: nobody else has the scheduler.
        unsafe { config_scheduler_delete(self.0) }
    }
}

impl Drop for StreamWaker {
    fn drop(&mut self) {
        // SAFETY: nobody else has the scheduler.
        unsafe { scheduler_delete(self.0) }
    }
}

/// A call for the host to send.
pub(super) struct Callout<'a> {
    pub(super) cluster: &'a str,
    pub(super) headers: &'a [Header<'a>],
    pub(super) body: &'a [u8],
    pub(super) milliseconds: u64,
}

impl Callout<'_> {
    /// Sends it for a stream; `Err` is the host's status.
    pub(super) fn send_for(&self, stream: StreamPointer) -> Result<u64, u32> {
        self.send(callout, stream)
    }

    fn send<Whose>(&self, send: SendCall<Whose>, whose: Whose) -> Result<u64, u32> {
        let (cluster, body) = (Bytes::of(self.cluster.as_bytes()), Bytes::of(self.body));
        let (headers, count) = (self.headers.as_ptr(), self.headers.len());
        let mut id = 0;
        // SAFETY: there are as many headers.
        let status =
            unsafe { send(whose, &mut id, cluster, headers, count, body, self.milliseconds) };
        if status == 0 { Ok(id) } else { Err(status) }
    }
}

/// How many headers are read without an allocation of their list.
const FEW: usize = 64;

/// Passes all headers of a map to `pack`, unless the host counts some and does not give them. It gets
/// nothing else, so it can edit nothing.
pub(super) fn read_headers(
    stream: StreamPointer,
    map: u32,
    pack: fn(&[Header<'_>], &mut Vec<u8>),
    into: &mut Vec<u8>,
) {
    let count = headers_size(stream, map);
    let (mut few, mut many) = ([Header::NONE; FEW], Vec::new());
    let list = few.get_mut(..count).unwrap_or_else(|| {
        many.resize(count, Header::NONE);
        &mut many
    });
    // SAFETY: the list has room for as many headers as the host has just counted.
    if count == 0 || unsafe { get_headers(stream, map, list.as_mut_ptr()) } {
        pack(list, into);
    }
}

/// Adds bytes of a body to `into`, until it has `max`.
pub(super) fn read_body(stream: StreamPointer, body: u32, max: usize, into: &mut Vec<u8>) {
    let count = chunks_size(stream, body);
    let mut list = vec![Bytes::NONE; count];
    // SAFETY: the list has room for as many parts as the host has just counted.
    if count > 0 && unsafe { get_chunks(stream, body, list.as_mut_ptr()) } {
        for chunk in list.iter().map(|chunk| chunk.get()) {
            let rest = max.saturating_sub(into.len());
            into.extend_from_slice(chunk.get(..rest).unwrap_or(chunk));
        }
    }
}

/// Sends a local reply. The stream may have ended when this returns.
pub(super) fn reply(
    stream: StreamPointer,
    status: u32,
    headers: &[Header<'_>],
    body: Bytes<'_>,
    details: Bytes<'_>,
) {
    // SAFETY: there are as many headers.
    unsafe { send_response(stream, status, headers.as_ptr(), headers.len(), body, details) }
}

impl Configuration<'_> {
    /// Sends a call; `Err` is the host's status.
    pub(super) fn call(self, call: &Callout<'_>) -> Result<u64, u32> {
        call.send(config_callout, self)
    }

    /// Makes a way to wake the main thread for this configuration.
    pub(super) fn waker(self) -> Option<MainWaker> {
        let scheduler = config_scheduler_new(self);
        (!scheduler.0.is_null()).then_some(MainWaker(scheduler))
    }
}
