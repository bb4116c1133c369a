//! The filter as a proxy-wasm module: the host of the core inside Envoy.
//!
//! Callbacks become events, effects become host calls, and that is all: nothing here decides about
//! a request. [`host`] is the one door to the host and `raw` the only unsafe code; [`root`] is what
//! lives as long as a configuration, [`stream`] what lives as long as a request, and [`plugin`]
//! what both share. A panic would end the VM of a worker, so nothing here can.

mod health;
mod host;
mod plugin;
mod raw;
mod root;
mod slots;
mod stats;
mod stream;
mod waiting;

proxy_wasm::main! {{
    host::install_log();
    proxy_wasm::set_root_context(|context_id| Box::new(root::Root::new(context_id)));
}}
