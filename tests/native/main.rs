//! The native module under a host of these tests, which plays Envoy: `cargo test --features
//! native-faults --example native`. Without the faults of that feature, `native` is enough.
//!
//! The host frees whatever it lends at each edit, and a stream as soon as it ends. So a sanitizer
//! finds each use of it afterwards: `make sanitize`.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    missing_debug_implementations,
    reason = "a test ends by panicking"
)]
#![allow(unsafe_code, reason = "the ABI passes pointers")]

extern crate duo_mfa as _;

#[cfg(test)]
mod allocations;
#[cfg(test)]
mod exchange;
#[cfg(test)]
mod host;
#[cfg(test)]
mod lives;
#[cfg(all(test, feature = "native-faults"))]
mod panics;
#[cfg(test)]
mod requests;

fn main() {}
