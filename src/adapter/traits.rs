//! The host of one request, and of a call, as the interpreter uses it.

use super::calls::Unsent;
use super::shared::Shared;
use super::stage::Stage;
use crate::gate::Call;
use crate::http::{Edit, Reply};
use std::time::Duration;

/// The host did not do it: it no longer knows the request, or refuses the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Undone;

/// A header map of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Map {
    RequestHeaders,
    RequestTrailers,
    ResponseHeaders,
}

/// The header maps of a request.
pub(super) trait Maps {
    /// A map in the encoding that [`crate::http::HeaderMap`] reads; no bytes if the host does not let
    /// it be read.
    fn headers(&self, map: Map) -> Vec<u8>;

    /// Takes a buffer of [`Self::headers`] back, for the next request.
    fn take_back(&self, _buffer: Vec<u8>) {}

    /// Applies the edits, in order.
    ///
    /// # Errors
    ///
    /// The host refused one of them. A request must not be forwarded then.
    fn edit(&self, map: Map, edits: &[Edit]) -> Result<(), Undone>;
}

/// Sends calls to Duo.
pub(super) trait Caller {
    /// Sends a call to the cluster. Its response comes back with the token.
    ///
    /// # Errors
    ///
    /// [`Unsent`]; no callback follows.
    fn dispatch(&self, cluster: &str, call: &Call) -> Result<u64, Unsent>;
}

/// One request at its host.
pub(super) trait Stream: Maps {
    /// Its configuration.
    type Shared: Shared;

    /// Its configuration.
    fn shared(&self) -> &Self::Shared;

    /// The part of its body that has arrived, up to one byte more than `max`, so that a longer one
    /// is recognized; `None` if the host does not let it be read.
    fn body(&self, max: usize) -> Option<Vec<u8>>;

    /// A property, as bytes; `None` if the host has none.
    fn property<P: AsRef<str>>(&self, path: &[P]) -> Option<Vec<u8>>;

    /// Sets a value of Envoy's filter state; its name there is `wasm.` and this one.
    ///
    /// # Errors
    ///
    /// The request has ended.
    fn set_filter_state(&self, name: &str, value: &str) -> Result<(), Undone>;

    /// Whether a request that was paused has ended, or is getting a response from elsewhere.
    fn has_ended(&self) -> bool;

    /// Sends a call. If `outlives` is `true`, its end is reported even if the client leaves.
    ///
    /// # Errors
    ///
    /// [`Unsent`]; no callback follows.
    fn call(&self, cluster: &str, call: &Call, outlives: bool) -> Result<u64, Unsent>;

    /// Sends a call to another service than Duo. Its end is not reported if the client has left.
    ///
    /// # Errors
    ///
    /// [`Unsent`]; no callback follows.
    fn post(
        &self,
        cluster: &str,
        headers: &[(&[u8], &[u8])],
        body: &[u8],
        timeout: Duration,
    ) -> Result<u64, Unsent>;

    /// Forwards the paused request. Neither the host nor the state of the request may be used
    /// afterwards.
    ///
    /// # Errors
    ///
    /// The request has ended.
    fn resume(&self) -> Result<(), Undone>;

    /// Sends a reply; the request is not forwarded. Neither the host nor the state of the request
    /// may be used afterwards.
    ///
    /// # Errors
    ///
    /// The request has ended.
    fn reply(&self, reply: &Reply) -> Result<(), Undone>;

    /// Stores its state.
    fn put(&self, stage: Stage);

    /// How many requests of its worker wait for a decision.
    fn undecided(&self) -> usize;

    /// Whether a request's call is under way from its worker to one of these Duo applications.
    fn asks(&self, is_meant: &dyn Fn(usize) -> bool) -> bool;
}
