//! The callbacks of the proxy-wasm ABI 0.2.1, passed to the [`Contexts`] of this VM.
//!
//! The SDK exports its dispatcher under the names of the ABI: three tables with a boxed object for
//! each stream, a virtual method for each of the forty callbacks, and a panic for each id that it
//! does not know. For a request with a valid cookie the dispatcher costs as much as the whole
//! decision, and its tables are a seventh of the module. So the callbacks that the filter needs are
//! exported here under other names, and `tools/exports.py` gives them the ABI's names in place of
//! the SDK's. The host does not call a callback that is not exported.
#![allow(unsafe_code, reason = "only the names of exports are set; no memory is touched")]

use super::callback::Callback;
use super::contexts::Contexts;
use super::{faults, host, hostcalls};
use crate::adapter::stage::Arrived;
use proxy_wasm::types::Action;

thread_local! {
    static CONTEXTS: Contexts = const { Contexts::new() };
}

unsafe extern "C" {
    /// Runs the initialization of the runtime, which must come first.
    fn __wasm_call_ctors();
}

#[unsafe(export_name = "duo_mfa:_initialize")]
extern "C" fn initialize() {
    // SAFETY: the host calls this once, before any other export.
    unsafe { __wasm_call_ctors() };
    host::install_log();
}

#[unsafe(export_name = "duo_mfa:proxy_abi_version_0_2_1")]
const extern "C" fn abi_version() {}

#[unsafe(export_name = "duo_mfa:proxy_on_memory_allocate")]
extern "C" fn allocate(len: usize) -> *mut u8 {
    hostcalls::allocate(len)
}

#[unsafe(export_name = "duo_mfa:proxy_on_context_create")]
extern "C" fn context_create(context: u32, root: u32) {
    CONTEXTS.with(|contexts| contexts.create(context, root));
}

#[unsafe(export_name = "duo_mfa:proxy_on_vm_start")]
const extern "C" fn vm_start(_: u32, _: usize) -> bool {
    true
}

#[unsafe(export_name = "duo_mfa:proxy_on_configure")]
extern "C" fn configure(root: u32, size: usize) -> bool {
    CONTEXTS.with(|contexts| contexts.configure(root, size))
}

#[unsafe(export_name = "duo_mfa:proxy_on_tick")]
extern "C" fn tick(root: u32) {
    CONTEXTS.with(|contexts| contexts.tick(root));
}

#[unsafe(export_name = "duo_mfa:proxy_on_request_headers")]
extern "C" fn request_headers(context: u32, _: usize, is_whole: u32) -> Action {
    faults::at_request();
    CONTEXTS.with(|contexts| contexts.request_headers(context, is_whole == 0))
}

#[unsafe(export_name = "duo_mfa:proxy_on_request_body")]
extern "C" fn request_body(context: u32, size: usize, is_whole: u32) -> Action {
    let arrived = if is_whole == 0 { Arrived::Part(size) } else { Arrived::Whole(size) };
    CONTEXTS.with(|contexts| contexts.request_rest(context, arrived))
}

#[unsafe(export_name = "duo_mfa:proxy_on_request_trailers")]
extern "C" fn request_trailers(context: u32, count: usize) -> Action {
    CONTEXTS.with(|contexts| contexts.request_trailers(context, count))
}

#[unsafe(export_name = "duo_mfa:proxy_on_response_headers")]
extern "C" fn response_headers(context: u32, _: usize, _: u32) -> Action {
    CONTEXTS.with(|contexts| contexts.response_headers(context));
    Action::Continue
}

#[unsafe(export_name = "duo_mfa:proxy_on_http_call_response")]
extern "C" fn http_call_response(context: u32, token: u32, headers: usize, body: usize, _: usize) {
    CONTEXTS.with(|contexts| {
        contexts.answered(context, Callback { token: u64::from(token), headers, body })
    });
}
