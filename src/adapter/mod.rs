//! The filter as a proxy-wasm module: the host of the core inside Envoy.
//!
//! Callbacks become events, and effects become host calls. Nothing here decides about a request.
//! `exports` receives the host's callbacks and `hostcalls` makes its calls; only these two have
//! unsafe code. [`host`] is the only access to the host. [`contexts`] finds the context of a
//! callback. [`root`] lives as long as a configuration, [`plugin`] is shared by its requests,
//! [`streams`] remembers unfinished requests, and [`driver`] performs their steps. A panic would
//! end the VM of a worker, so nothing here can panic.

mod callback;
mod contexts;
mod driver;
mod exports;
mod health;
mod host;
mod hostcalls;
mod later;
mod limit_table;
mod places;
mod plugin;
mod root;
mod stats;
mod streams;
