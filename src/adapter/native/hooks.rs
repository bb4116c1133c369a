//! The hooks of the dynamic-module ABI: what Envoy calls.
//!
//! The host's pointers become values here, and a panic ends its request. Each hook holds the
//! request that it is for, since Envoy may end the stream inside of a call that a hook makes.
#![allow(unsafe_code, reason = "the ABI passes pointers; see above")]

use super::abi::{Bytes, Configuration, Header, StreamPointer, slice};
use super::answer::Answer;
use super::log;
use super::main_thread::Running;
use super::plugin::Plugin;
use super::request::{Request, Verdict};
use super::stream::Stream;
use super::{faults, guard};
use crate::gate::Unanswered;
use std::ffi::{c_char, c_void};
use std::ptr::null;
use std::rc::Rc;
use std::sync::Arc;

/// The host's result of a call that has a response.
const ANSWERED: u32 = 0;

/// Runs a hook's work for a request. A panic ends the request with 500; `failed` gets whether it has
/// got that reply. The host may end the request inside of the work, so this holds it.
///
/// # Safety
///
/// `request` is a pointer that [`http_filter_new`] returned, and the host has not ended it.
unsafe fn for_request<T>(
    request: *const Request,
    place: &str,
    failed: impl FnOnce(bool) -> T,
    work: impl FnOnce(&Request) -> T,
) -> T {
    // SAFETY: by contract there is one count at least.
    let request = unsafe {
        Rc::increment_strong_count(request);
        Rc::from_raw(request)
    };
    let was_resumed = request.is_resumed();
    let worked = guard(|| {
        faults::at(place);
        work(&request)
    });
    let result =
        worked.unwrap_or_else(|| failed(guard(|| request.fail(was_resumed)).unwrap_or(true)));
    guard(|| drop(request));
    result
}

/// Runs a hook's work for a configuration. A panic is counted, and `failed` is done then.
///
/// # Safety
///
/// `plugin` is a pointer that [`config_new`] returned, and the host has not ended it.
unsafe fn for_plugin<T>(
    plugin: *const Plugin,
    place: &str,
    failed: impl FnOnce(&Arc<Plugin>),
    work: impl FnOnce(&Arc<Plugin>) -> T,
) -> Option<T> {
    // SAFETY: by contract there is one count at least.
    let plugin = unsafe {
        Arc::increment_strong_count(plugin);
        Arc::from_raw(plugin)
    };
    let worked = guard(|| {
        faults::at(place);
        work(&plugin)
    });
    if worked.is_none() {
        guard(|| {
            plugin.metrics.count_internal();
            failed(&plugin);
        });
    }
    guard(|| drop(plugin));
    worked
}

/// The end of a call.
///
/// # Safety
///
/// The host lends headers and chunks for the present hook.
unsafe fn answer(
    result: u32,
    (headers, header_count): (*const Header<'_>, usize),
    (chunks, chunk_count): (*const Bytes<'_>, usize),
) -> Answer {
    if result != ANSWERED {
        return Answer::Failed(Unanswered::Cut);
    }
    // SAFETY: by contract.
    unsafe { Answer::read(slice(headers, header_count), slice(chunks, chunk_count)) }
}

#[unsafe(export_name = "envoy_dynamic_module_on_program_init")]
extern "C" fn program_init() -> *const c_char {
    match guard(log::install) {
        // The ABI of the oldest host that has everything. Newer ones accept it.
        Some(()) => c"v0.1.0".as_ptr(),
        None => null(),
    }
}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_config_new")]
extern "C" fn config_new(host: Configuration<'_>, _: Bytes<'_>, text: Bytes<'_>) -> *const Plugin {
    let started = guard(|| {
        let plugin = Plugin::start(host, text.get());
        faults::at("config_new");
        plugin
    });
    started.flatten().map_or(null(), Arc::into_raw)
}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_config_destroy")]
extern "C" fn config_destroy(plugin: *const Plugin) {
    // SAFETY: the host returns the count that it got from `config_new`, once.
    let plugin = unsafe { Arc::from_raw(plugin) };
    guard(|| {
        plugin.timer.stop();
        drop(plugin);
    });
}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_config_scheduled")]
extern "C" fn config_scheduled(host: Configuration<'_>, plugin: *const Plugin, event: u64) {
    // SAFETY: the host passes our configuration.
    unsafe {
        for_plugin(
            plugin,
            "config_scheduled",
            |plugin| Running::of(plugin, host).failed_at(event),
            |plugin| Running::of(plugin, host).woken(event),
        )
    };
}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_config_http_callout_done")]
extern "C" fn config_http_callout_done(
    host: Configuration<'_>,
    plugin: *const Plugin,
    id: u64,
    result: u32,
    headers: *const Header<'_>,
    header_count: usize,
    chunks: *const Bytes<'_>,
    chunk_count: usize,
) {
    // SAFETY: the host passes our configuration, and lends the rest for this hook.
    unsafe {
        for_plugin(
            plugin,
            "config_callout_done",
            |plugin| Running::of(plugin, host).answered(id, Answer::Fault),
            |plugin| {
                let answer = answer(result, (headers, header_count), (chunks, chunk_count));
                Running::of(plugin, host).answered(id, answer);
            },
        )
    };
}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_new")]
extern "C" fn http_filter_new(plugin: *const Plugin, host: StreamPointer) -> *const Request {
    let make = |plugin: &Arc<Plugin>| {
        Rc::into_raw(Rc::new(Request::new(Arc::clone(plugin), Stream::new(host))))
    };
    // SAFETY: the host passes our configuration.
    unsafe { for_plugin(plugin, "filter_new", |_| {}, make) }.unwrap_or(null())
}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_destroy")]
extern "C" fn http_filter_destroy(request: *const Request) {
    // SAFETY: the host returns the count that it got from `http_filter_new`, once.
    let request = unsafe { Rc::from_raw(request) };
    let left = guard(|| {
        faults::at("filter_destroy");
        request.left();
    });
    if left.is_none() {
        guard(|| {
            request.count_fault();
            // It does what is not done yet.
            request.left();
        });
    }
    guard(|| drop(request));
}

/// Runs a hook's work for a request, and answers the host in the numbers of the hook: those for a
/// request whose body is gathered, and for one that waits. A request whose work panics waits.
///
/// # Safety
///
/// As for [`for_request`].
unsafe fn decide(
    request: *const Request,
    place: &str,
    [gather, wait]: [u32; 2],
    work: impl FnOnce(&Request) -> Verdict,
) -> u32 {
    // SAFETY: by contract.
    match unsafe { for_request(request, place, |_| Verdict::Wait, work) } {
        Verdict::Continue => 0,
        Verdict::Gather => gather,
        Verdict::Wait => wait,
    }
}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_request_headers")]
extern "C" fn request_headers(_: *mut c_void, request: *const Request, is_whole: bool) -> u32 {
    // SAFETY: the host passes our request.
    unsafe {
        decide(request, "request_headers", [1, 4], |request| request.request_headers(is_whole))
    }
}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_request_body")]
extern "C" fn request_body(_: *mut c_void, request: *const Request, is_whole: bool) -> u32 {
    // SAFETY: the host passes our request.
    unsafe { decide(request, "request_body", [1, 2], |request| request.request_body(is_whole)) }
}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_request_trailers")]
extern "C" fn request_trailers(_: *mut c_void, request: *const Request) -> u32 {
    // SAFETY: the host passes our request.
    unsafe { decide(request, "request_trailers", [1, 1], Request::request_trailers) }
}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_response_headers")]
extern "C" fn response_headers(_: *mut c_void, request: *const Request, _: bool) -> u32 {
    // SAFETY: the host passes our request.
    unsafe {
        // A response that is the filter's own reply goes on. Any other one is stopped.
        for_request(request, "response_headers", u32::from, |request| {
            request.response_headers();
            0
        })
    }
}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_response_body")]
const extern "C" fn response_body(_: *mut c_void, _: *const Request, _: bool) -> u32 {
    0
}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_response_trailers")]
const extern "C" fn response_trailers(_: *mut c_void, _: *const Request) -> u32 {
    0
}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_stream_complete")]
const extern "C" fn stream_complete(_: *mut c_void, _: *const Request) {}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_http_callout_done")]
extern "C" fn http_callout_done(
    _: *mut c_void,
    request: *const Request,
    id: u64,
    result: u32,
    headers: *const Header<'_>,
    header_count: usize,
    chunks: *const Bytes<'_>,
    chunk_count: usize,
) {
    // SAFETY: the host passes our request, and lends the rest for this hook.
    unsafe {
        for_request(
            request,
            "callout_done",
            |_| (),
            |request| {
                let answer = answer(result, (headers, header_count), (chunks, chunk_count));
                request.answered(id, &answer);
            },
        );
    }
}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_scheduled")]
extern "C" fn scheduled(_: *mut c_void, request: *const Request, event: u64) {
    // SAFETY: the host passes our request.
    unsafe { for_request(request, "scheduled", |_| (), |request| request.woken(event)) }
}

// The host demands the hooks of streamed calls and of flow control. The filter makes no such calls.

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_http_stream_headers")]
const extern "C" fn stream_headers(
    _: *mut c_void,
    _: *const Request,
    _: u64,
    _: *const Header<'_>,
    _: usize,
    _: bool,
) {
}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_http_stream_data")]
const extern "C" fn stream_data(
    _: *mut c_void,
    _: *const Request,
    _: u64,
    _: *const Bytes<'_>,
    _: usize,
    _: bool,
) {
}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_http_stream_trailers")]
const extern "C" fn stream_trailers(
    _: *mut c_void,
    _: *const Request,
    _: u64,
    _: *const Header<'_>,
    _: usize,
) {
}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_http_stream_complete")]
const extern "C" fn stream_call_complete(_: *mut c_void, _: *const Request, _: u64) {}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_http_stream_reset")]
const extern "C" fn stream_reset(_: *mut c_void, _: *const Request, _: u64, _: u32) {}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark")]
const extern "C" fn above_watermark(_: *mut c_void, _: *const Request) {}

#[unsafe(export_name = "envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark")]
const extern "C" fn below_watermark(_: *mut c_void, _: *const Request) {}
