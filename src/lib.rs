//! Duo two-factor authentication at the proxy: the core of the filter.
//!
//! The filter runs after a first factor (basic_auth, jwt_authn, mTLS, ...) and before the
//! application. A request with a valid approval cookie passes. For any other, the filter asks Duo
//! through Envoy's asynchronous HTTP calls. Then it forwards the request with an approval cookie on
//! its response, or refuses it with a status and a reason.
//!
//! # The contract
//!
//! Values in, values out. Nothing here reads a clock, draws a random number, opens a socket or
//! calls the host. Time, random bytes, the client's address and Duo's responses come in as values.
//! Out comes a step with exactly one effect. Two hosts drive it: the module's adapter (compiled
//! only for wasm32), and the scripted tests.
//!
//! # The layers
//!
//! Imports only point down; `tests/core/layers.rs` checks that.
//!
//! ```text
//! bin/*  adapter                       hosts: do I/O, decide nothing
//!   gate                               the state machine of one request
//!   config                             composition root: JSON -> typed parts, all faults at once
//!   policy identity session duo page assertion   six leaves; none imports another
//!   http  json  protobuf  clock  factor  hex  reference  secret  signal   vocabulary
//! ```
//!
//! # A request's walk
//!
//! 1. The adapter reads the header map once, as bytes ([`http`]), and passes it to [`gate`].
//! 2. [`policy`] decides whether a second factor is required, [`identity`] determines the user, and
//!    [`session`] checks the approval cookie. If it is valid, the request passes, after one read
//!    and one verification.
//! 3. Otherwise a flow begins: signed calls to Duo ([`duo`]), one at a time, until a response
//!    admits the request or a [`page`] refuses it.

#[cfg(any(target_arch = "wasm32", feature = "native"))]
mod adapter;
pub mod assertion;
pub mod clock;
pub mod config;
pub mod duo;
pub mod factor;
pub mod gate;
pub mod hex;
pub mod http;
pub mod identity;
pub mod json;
pub mod page;
pub mod policy;
pub mod protobuf;
pub mod reference;
pub mod secret;
pub mod session;
pub mod signal;
