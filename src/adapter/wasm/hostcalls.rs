//! Host calls of the proxy-wasm ABI 0.2.1, each as a function that returns the host's status.
//!
//! The SDK's own functions panic on an unexpected status, read text where there may be other bytes,
//! and leave the response code details of a local reply empty. A panic ends the VM of a worker, so
//! the filter's calls are bound here, with the SDK's types for the ABI's numbers. Pointers and
//! lengths of live slices go out. Buffers come back that the host allocated through the module's
//! own allocator.
#![allow(unsafe_code, reason = "the ABI passes pointers; see above")]

use proxy_wasm::types::{BufferType, LogLevel, MapType, MetricType, StreamType};
use std::ptr::{null, null_mut};
use zeroize::Zeroizing;

/// The status of the host for a call that it did not execute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused(pub(super) u32);

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_add_header_map_value(
        map: MapType,
        name: *const u8,
        name_len: usize,
        value: *const u8,
        value_len: usize,
    ) -> u32;
    fn proxy_replace_header_map_value(
        map: MapType,
        name: *const u8,
        name_len: usize,
        value: *const u8,
        value_len: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: MapType, name: *const u8, name_len: usize) -> u32;
    fn proxy_get_header_map_pairs(map: MapType, data: *mut *mut u8, len: *mut usize) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: BufferType,
        start: usize,
        max: usize,
        data: *mut *mut u8,
        len: *mut usize,
    ) -> u32;
    fn proxy_get_property(
        path: *const u8,
        path_len: usize,
        data: *mut *mut u8,
        len: *mut usize,
    ) -> u32;
    fn proxy_set_property(
        path: *const u8,
        path_len: usize,
        value: *const u8,
        value_len: usize,
    ) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_log(level: LogLevel, text: *const u8, text_len: usize) -> u32;
    fn proxy_define_metric(kind: MetricType, name: *const u8, name_len: usize, id: *mut u32)
    -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_len: usize,
        data: *mut *mut u8,
        len: *mut usize,
        cas: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_len: usize,
        value: *const u8,
        value_len: usize,
        cas: u32,
    ) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_continue_stream(stream: StreamType) -> u32;
    fn proxy_http_call(
        cluster: *const u8,
        cluster_len: usize,
        headers: *const u8,
        headers_len: usize,
        body: *const u8,
        body_len: usize,
        trailers: *const u8,
        trailers_len: usize,
        timeout: u32,
        token: *mut u32,
    ) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_len: usize,
        body: *const u8,
        body_len: usize,
        headers: *const u8,
        headers_len: usize,
        grpc_status: i32,
    ) -> u32;
}

// `std::env` would link the C library, which brings a second allocator and ends the VM if a call fails.
#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn environ_sizes_get(count: *mut usize, size: *mut usize) -> u32;
    fn environ_get(variables: *mut *mut u8, text: *mut u8) -> u32;
}

const fn done(status: u32) -> Result<(), Refused> {
    if status == 0 { Ok(()) } else { Err(Refused(status)) }
}

/// Takes ownership of memory that the host got from the module's allocator and filled.
fn take(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, Refused> {
    let (mut data, mut len): (*mut u8, usize) = (null_mut(), 0);
    done(call(&raw mut data, &raw mut len))?;
    if data.is_null() || len == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: the host wrote `len` bytes into a block of exactly that size that it got from
    // [`allocate`], which leaks a boxed slice of this size, and keeps no pointer.
    Ok(unsafe { Vec::from_raw_parts(data, len, len) })
}

/// Allocates memory for the host to write into; [`take`] takes ownership of it.
pub(super) fn allocate(len: usize) -> *mut u8 {
    Box::into_raw(Box::<[u8]>::new_uninit_slice(len)).cast()
}

pub(super) fn headers(map: MapType) -> Result<Vec<u8>, Refused> {
    // SAFETY: both pointers are valid for writes during the call.
    take(|data, len| unsafe { proxy_get_header_map_pairs(map, data, len) })
}

pub(super) fn add_header(map: MapType, name: &[u8], value: &[u8]) -> Result<(), Refused> {
    // SAFETY: the pointers and lengths are those of live slices.
    done(unsafe {
        proxy_add_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

pub(super) fn replace_header(map: MapType, name: &[u8], value: &[u8]) -> Result<(), Refused> {
    // SAFETY: the pointers and lengths are those of live slices.
    done(unsafe {
        proxy_replace_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

pub(super) fn remove_header(map: MapType, name: &[u8]) -> Result<(), Refused> {
    // SAFETY: the pointer and length are those of a live slice.
    done(unsafe { proxy_remove_header_map_value(map, name.as_ptr(), name.len()) })
}

pub(super) fn buffer(buffer: BufferType, max: usize) -> Result<Vec<u8>, Refused> {
    // SAFETY: both pointers are valid for writes during the call.
    take(|data, len| unsafe { proxy_get_buffer_bytes(buffer, 0, max, data, len) })
}

/// `path` has the parts of the property's path, each except the last followed by a NUL.
pub(super) fn property(path: &[u8]) -> Result<Vec<u8>, Refused> {
    // SAFETY: the slice is live, and both pointers are valid for writes during the call.
    take(|data, len| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, len) })
}

pub(super) fn set_property(name: &str, value: &str) -> Result<(), Refused> {
    // SAFETY: the pointers and lengths are those of live slices.
    done(unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

/// Nanoseconds since 1970.
pub(super) fn time() -> Result<u64, Refused> {
    let mut nanoseconds = 0;
    // SAFETY: the pointer is valid for a write during the call.
    done(unsafe { proxy_get_current_time_nanoseconds(&raw mut nanoseconds) })?;
    Ok(nanoseconds)
}

pub(super) fn log(level: LogLevel, text: &str) -> Result<(), Refused> {
    // SAFETY: the pointer and length are those of a live slice.
    done(unsafe { proxy_log(level, text.as_ptr(), text.len()) })
}

pub(super) fn define_metric(kind: MetricType, name: &str) -> Result<u32, Refused> {
    let mut id = 0;
    // SAFETY: the slice is live, and the pointer is valid for a write during the call.
    done(unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut id) })?;
    Ok(id)
}

pub(super) fn increment_metric(id: u32, by: i64) -> Result<(), Refused> {
    // SAFETY: only numbers cross.
    done(unsafe { proxy_increment_metric(id, by) })
}

pub(super) fn record_metric(id: u32, value: u64) -> Result<(), Refused> {
    // SAFETY: only numbers cross.
    done(unsafe { proxy_record_metric(id, value) })
}

/// A shared value and the number that a compare-and-swap of it needs.
pub(super) fn shared(key: &[u8]) -> Result<(Vec<u8>, u32), Refused> {
    let mut cas = 0;
    let swap = &raw mut cas;
    // SAFETY: the slice is live, and the pointers are valid for writes during the call.
    let value = take(|data, len| unsafe {
        proxy_get_shared_data(key.as_ptr(), key.len(), data, len, swap)
    })?;
    Ok((value, cas))
}

/// Sets a shared value if its number is still `cas`. `u32::MAX` creates it or fails.
pub(super) fn set_shared(key: &[u8], value: &[u8], cas: u32) -> Result<(), Refused> {
    // SAFETY: the pointers and lengths are those of live slices.
    done(unsafe {
        proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas)
    })
}

pub(super) fn set_tick_period(milliseconds: u32) -> Result<(), Refused> {
    // SAFETY: only a number crosses.
    done(unsafe { proxy_set_tick_period_milliseconds(milliseconds) })
}

pub(super) fn set_effective_context(context: u32) -> Result<(), Refused> {
    // SAFETY: only a number crosses.
    done(unsafe { proxy_set_effective_context(context) })
}

pub(super) fn resume_request() -> Result<(), Refused> {
    // SAFETY: only a number crosses.
    done(unsafe { proxy_continue_stream(StreamType::HttpRequest) })
}

/// `headers` is a serialized map; `grpc_status` is -1 if the reply is not a gRPC one.
pub(super) fn send_local_response(
    status: u16,
    details: &str,
    body: &[u8],
    headers: &[u8],
    grpc_status: i32,
) -> Result<(), Refused> {
    // SAFETY: the pointers and lengths are those of live slices, or null and none.
    done(unsafe {
        proxy_send_local_response(
            u32::from(status),
            details.as_ptr(),
            details.len(),
            start(body),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            grpc_status,
        )
    })
}

/// `headers` is a serialized map, `timeout` is in milliseconds. The token comes back with the
/// response.
pub(super) fn http_call(
    cluster: &str,
    headers: &[u8],
    body: &[u8],
    timeout: u32,
) -> Result<u32, Refused> {
    let mut token = 0;
    // SAFETY: the pointers and lengths are those of live slices, or null and none; the last one is
    // valid for a write during the call.
    done(unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            start(body),
            body.len(),
            NO_TRAILERS.as_ptr(),
            NO_TRAILERS.len(),
            timeout,
            &raw mut token,
        )
    })?;
    Ok(token)
}

/// A serialized map without pairs.
const NO_TRAILERS: &[u8] = &[0; 4];

/// The address of the bytes; null if there are none, which the host reads as "none".
const fn start(bytes: &[u8]) -> *const u8 {
    if bytes.is_empty() { null() } else { bytes.as_ptr() }
}

/// The VM's environment: `NAME=value` of each variable, ended by a NUL.
pub(super) fn environment() -> Result<Zeroizing<Vec<u8>>, Refused> {
    let (mut count, mut size) = (0, 0);
    // SAFETY: both pointers are valid for writes during the call.
    done(unsafe { environ_sizes_get(&raw mut count, &raw mut size) })?;
    let mut variables = vec![null_mut(); count];
    let mut text = Zeroizing::new(vec![0; size]);
    // SAFETY: the host has just reported how many pointers and bytes it writes, and keeps no pointer.
    done(unsafe { environ_get(variables.as_mut_ptr(), text.as_mut_ptr()) })?;
    Ok(text)
}
