//! Duo two-factor authentication at the proxy: the core of the filter.
//!
//! The filter stands behind a first factor (basic_auth, jwt_authn, mTLS, ...) and in front of the
//! application. A request that carries a valid approval cookie passes; any other is intercepted,
//! Duo is asked through Envoy's asynchronous HTTP calls, and the request is either forwarded with
//! an approval cookie on its response, or refused with a status that says why.
//!
//! # The contract
//!
//! Values in, values out. Nothing here reads a clock, draws a random number, opens a socket or
//! calls the host: time, random bytes, the client's address and Duo's answers come in as values,
//! and what is to be done goes out as exactly one effect a step. Two hosts drive it: the
//! module's adapter (compiled for wasm32 only), and the scripted tests.
//!
//! # The layers
//!
//! An import points down or not at all; `tests/core/layers.rs` holds that.
//!
//! ```text
//! bin/*  adapter                       hosts: do I/O, decide nothing
//!   gate                               the state machine of one request
//!   config                             composition root: JSON -> typed parts, all faults at once
//!   policy identity session duo page   five leaves; none imports another
//!   http  json  clock  factor  secret  signal  vocabulary
//! ```
//!
//! # A request's walk
//!
//! 1. The adapter reads the header map once, as bytes ([`http`]), and hands it to [`gate`].
//! 2. [`policy`] says whether a second factor is wanted, [`identity`] whose, [`session`] whether
//!    the cookie proves one. If it does, the request goes on: one read, one verification.
//! 3. Otherwise a flow begins: signed calls to Duo ([`duo`]), one at a time, until an answer
//!    admits the request or a [`page`] refuses it.

#[cfg(target_arch = "wasm32")]
mod adapter;
pub mod clock;
pub mod config;
pub mod duo;
pub mod factor;
pub mod gate;
pub mod http;
pub mod identity;
pub mod json;
pub mod page;
pub mod policy;
pub mod secret;
pub mod session;
pub mod signal;
