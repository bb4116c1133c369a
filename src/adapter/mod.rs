//! The filter as a proxy-wasm module: the host of the core inside Envoy.
//!
//! Callbacks become events, effects become host calls, and that is all: nothing here decides about
//! a request. `exports` takes the host's callbacks and `raw` makes its calls: the only unsafe code.
//! [`host`] is the one door to the host, [`contexts`] finds whose callback it is, [`root`] is what
//! lives as long as a configuration, [`plugin`] what its requests share, [`streams`] what is
//! remembered of a request, and [`driver`] performs its steps. A panic would end the VM of a worker, so nothing here can.

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
