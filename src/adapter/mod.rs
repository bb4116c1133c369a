//! The hosts of the core inside Envoy: they do I/O and decide nothing.
//!
//! [`drive`] performs the steps of a request, [`background`] the checks of Duo. Both are written
//! once, over the traits of [`traits`] and [`shared`], which each host implements: `wasm` as a
//! proxy-wasm module, `native` as a dynamic module of Envoy. A panic would end the VM of a worker
//! or a request, so nothing here can panic.

mod background;
mod calls;
mod drive;
mod healths;
#[cfg(all(feature = "native", not(target_arch = "wasm32")))]
mod native;
mod shared;
mod stage;
mod traits;
#[cfg(target_arch = "wasm32")]
mod wasm;
