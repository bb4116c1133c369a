//! The filter as a proxy-wasm module.
//!
//! `exports` receives the host's callbacks and `hostcalls` makes its calls; only these two have
//! unsafe code. [`host`] is the only access to the host. [`contexts`] finds the context of a
//! callback. [`root`] lives as long as a configuration, [`plugin`] is shared by its requests,
//! [`streams`] remembers unfinished requests, and [`request`] is one of them for the interpreter.

mod callback;
mod contexts;
mod exports;
mod faults;
mod gauges;
mod host;
mod hostcalls;
mod later;
mod limit_table;
mod plugin;
mod record;
mod request;
mod root;
mod stats;
mod streams;

use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

/// With the C library's allocator a pass takes a third more instructions, and the module is larger.
#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();
