//! A form whose body is on its way: how a passcode comes from a browser without a script.
//!
//! Only the body of a `POST auth` is ever read, and only where the host can hold it back from the
//! application.

use super::auth::bad;
use super::{Visit, Visitor, counted};
use crate::clock::UnixTime;
use crate::config::Config;
use crate::gate::endpoint::Endpoint;
use crate::gate::refuse::refuse_with;
use crate::gate::{Effect, Env, Step};
use crate::http::{Parameters, RequestHead};
use crate::signal::{Level, Signal};
use std::time::Duration;

/// The most bytes that a form may have; a passcode and a way back need a tenth.
const MAX_BYTES: usize = 4 * 1024;

/// How long a form may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// A form, while its body arrives.
#[derive(Debug)]
pub struct Form {
    visitor: Visitor,
    address: Option<Vec<u8>>,
}

/// What came of a form's body.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a form may hold a passcode")]
pub enum Body<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// It is longer than was asked for.
    TooLong,
    /// Its time was up before its end came.
    Late,
}

impl Form {
    /// Whether this visitor sends a form that can be read.
    pub(super) fn is_sent(visitor: &Visitor, head: &RequestHead<'_>, config: &Config) -> bool {
        let is_form = |sent: &[u8]| {
            let essence = sent.split(|byte| *byte == b';').next().unwrap_or_default();
            essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
        };
        config.request_bodies
            && visitor.endpoint == Endpoint::Auth
            && visitor.has_body
            && head.value("content-type").is_some_and(is_form)
    }

    pub(super) fn read(visitor: Visitor, address: Option<&[u8]>, now: UnixTime) -> Step {
        let then = Box::new(Self { visitor, address: address.map(<[u8]>::to_vec) });
        let effect = Effect::ReadBody { max: MAX_BYTES, until: now.plus(PATIENCE), then };
        Step::new(effect, Vec::new())
    }

    /// Takes the body, and the head of the same request once more.
    #[must_use]
    pub fn handle(self, head: &RequestHead<'_>, body: Body<'_>, env: &Env<'_>) -> Step {
        let Self { visitor, address } = self;
        let parameters = Parameters::of(head.target);
        let parameters = match body {
            Body::Whole(bytes) => parameters.with_form(bytes),
            Body::TooLong | Body::Late => parameters,
        };
        let visit = Visit::of(visitor, head, parameters, address.as_deref(), env);
        let refusal = visit.approval.err();
        let step = match body {
            Body::Whole(_) => visit.auth(head, parameters, env),
            Body::TooLong => refuse_with(&visit, &bad("The form is longer than 4 KiB."), "", env),
            Body::Late => {
                let late = bad("The form did not arrive in time.");
                let mut step = refuse_with(&visit, &late, "", env);
                step.signals.push(Signal::Log(Level::Warn, LATE.to_owned()));
                step
            }
        };
        counted(refusal, step)
    }
}

const LATE: &str = "the body of a form did not arrive in time; request_bodies needs \
                    allow_on_headers_stop_iteration: true in the plugin's Envoy configuration";
