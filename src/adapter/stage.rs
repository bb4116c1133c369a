//! The state of a request that is not finished.

use crate::clock::UnixTime;
use crate::gate::limit::Permit;
use crate::gate::{AwaitedBody, AwaitingPermit, Call, Flow, NewCookie, Seat};

/// The state of a request.
pub(super) enum Stage {
    /// Its next call is due later.
    Due(Box<Call>, Box<Flow>),
    /// It requests its permit later, and has this room.
    Waiting(UnixTime, Seat, Box<Permit>, Box<AwaitingPermit>),
    /// A call is under way.
    Sent {
        /// The token of the call.
        token: u64,
        /// The room of the call; `None` after its client has left.
        seat: Option<Seat>,
        /// By this time the host has reported its end. It does not report it if the configuration's
        /// root has ended, which also ends the call. Only a wasm module has to ask for that.
        #[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "see above"))]
        until: UnixTime,
        /// The flow that waits for the response.
        flow: Box<Flow>,
    },
    /// Its body is arriving.
    AwaitedBody {
        /// The limit in bytes.
        max: usize,
        /// The deadline.
        until: UnixTime,
        /// How many bytes the host has reported. The native module follows that elsewhere.
        #[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "see above"))]
        arrived: usize,
        /// The reader of the body.
        then: Box<AwaitedBody>,
    },
    /// It was forwarded; its response gets this cookie.
    Forwarded(NewCookie),
    /// It was refused; no part of it may be forwarded.
    Refused,
}

/// How much of a body has arrived.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arrived {
    /// This many bytes, and more will follow.
    Part(usize),
    /// The whole body, of this many bytes at least.
    Whole(usize),
}

impl Arrived {
    /// Whether a reader that accepts `max` bytes has to wait no longer.
    pub(super) const fn is_enough(self, max: usize) -> bool {
        match self {
            Self::Part(size) => size > max,
            Self::Whole(_) => true,
        }
    }

    /// How many bytes have arrived at least.
    pub(super) const fn size(self) -> usize {
        match self {
            Self::Part(size) | Self::Whole(size) => size,
        }
    }
}

impl Stage {
    /// Whether a client waits for a decision, which `limits.held` counts. A call without a seat is one
    /// whose client has left. While a body arrives, the filter waits for the client: if that counted,
    /// one user's slow bodies would be enough to have everybody's requests refused.
    pub(super) const fn is_undecided(&self) -> bool {
        match self {
            Self::Due(..) | Self::Waiting(..) | Self::Sent { seat: Some(_), .. } => true,
            Self::Sent { seat: None, .. }
            | Self::AwaitedBody { .. }
            | Self::Forwarded(_)
            | Self::Refused => false,
        }
    }
}
