//! `duo-sim` over real sockets: the Auth API as a client uses it, and the control interface.
//!
//! This client does not use the filter's signer, so that three independent implementations must agree: the
//! simulator's check, the filter's signer and this one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::arithmetic_side_effects, reason = "numbers in tests stay small")]
#![allow(clippy::disallowed_methods, reason = "the requests are signed with the real time")]

mod client;
mod control;
mod devices;
mod enroll;
mod faults;
mod passcode;
mod phone;
mod push;
mod signer;
mod universal_browser;
mod universal_client;
mod universal_faults;
mod users;
mod web_sdk;
mod wire;
