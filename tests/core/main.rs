//! Tests without Envoy: whole flows of the core, and the repository's own rules.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test ends by panicking"
)]

mod config_faults;
mod duo_vectors;
mod layers;
mod readme;
