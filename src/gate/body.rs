//! A request whose body has to be read first: a passcode from a form without a script, a request
//! that was approved in advance, and a form of another site (`cross_site_forms`).
//!
//! Bodies are read only if the host can hold them back from the application.

use super::challenge::Challenge;
use super::form::{MAX_REQUEST, is_urlencoded};
use super::route::{Endpoint, EndpointRequest};
use crate::clock::UnixTime;
use crate::config::Config;
use crate::http::RequestHead;
use std::time::Duration;

/// The limit for a form, in bytes; a passcode and a return path need a tenth.
const MAX_FORM: usize = 4 * 1024;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request whose body is still arriving.
#[derive(Debug)]
pub struct AwaitedBody {
    pub(super) reader: Reader,
}

impl AwaitedBody {
    /// Whether the deadline for a body has passed.
    #[must_use]
    pub fn is_late(until: UnixTime, now: UnixTime) -> bool {
        until.has_come(now, PATIENCE)
    }
}

/// The purpose of reading the body.
#[derive(Debug)]
pub(super) enum Reader {
    /// A form for one of the filter's endpoints.
    Endpoint(EndpointRequest),
    /// A request that may carry its own approval.
    PerRequest(Challenge),
    /// A form of another site.
    ForeignForm(Challenge),
}

/// The outcome of reading a body.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a form may hold a passcode")]
pub enum Body<'a> {
    /// The whole body.
    Whole(&'a [u8]),
    /// The body is longer than the limit.
    TooLong,
    /// The body did not arrive in time, or cannot be read.
    Late,
}

impl<'a> Body<'a> {
    /// The body that the host has, up to one byte more than `max`; `None` if it cannot be read.
    #[must_use]
    pub const fn of(bytes: Option<&'a [u8]>, max: usize) -> Self {
        match bytes {
            None => Self::Late,
            Some(bytes) if bytes.len() > max => Self::TooLong,
            Some(bytes) => Self::Whole(bytes),
        }
    }

    /// The whole body; `None` if it could not be read.
    pub(super) const fn whole(self) -> Option<&'a [u8]> {
        match self {
            Self::Whole(bytes) => Some(bytes),
            Self::TooLong | Self::Late => None,
        }
    }
}

impl Reader {
    /// The limit of the body, in bytes.
    pub(super) const fn max(&self) -> usize {
        match self {
            Self::Endpoint(_) => MAX_FORM,
            Self::PerRequest(_) | Self::ForeignForm(_) => MAX_REQUEST,
        }
    }

    /// The deadline for a body whose head arrived at `now`.
    pub(super) fn until(now: UnixTime) -> UnixTime {
        now.plus(PATIENCE)
    }
}

/// Whether this client sends a form that can be read.
pub(super) fn is_readable(
    request: &EndpointRequest,
    head: &RequestHead<'_>,
    config: &Config,
) -> bool {
    config.request_bodies
        && request.endpoint == Endpoint::Auth
        && request.has_body
        && is_urlencoded(head)
}
