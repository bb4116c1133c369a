//! A request whose body is on its way: how a passcode comes from a browser without a script, and
//! what an operation does that was approved ahead.
//!
//! Only the body of a `POST auth` is read, that of a request which brings an approval of its own, and
//! that of a form of another site (`cross_site_forms`); and only where the host can hold it back
//! from the application.

use super::auth::bad;
use super::{Visit, Visitor, counted};
use crate::clock::UnixTime;
use crate::config::Config;
use crate::gate::asker::Sought;
use crate::gate::endpoint::Endpoint;
use crate::gate::refuse::refuse_with;
use crate::gate::{Effect, Env, Step, foreign_form, operation};
use crate::http::{Parameters, RequestHead};
use crate::session::BodyDigest;
use crate::signal::{Level, Signal};
use std::time::Duration;

/// The most bytes that a form may have; a passcode and a way back need a tenth.
const MAX_BYTES: usize = 4 * 1024;

/// The most bytes of an operation's body that is approved ahead, and of another site's form.
const MAX_OPERATION: usize = 64 * 1024;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request, while its body arrives.
#[derive(Debug)]
pub struct Form {
    reader: Reader,
    address: Option<Vec<u8>>,
}

/// Who waits for the body.
#[derive(Debug)]
enum Reader {
    /// A visit, for what is typed in.
    Visitor(Visitor),
    /// A request to the application, for what it does.
    Operation(Sought),
    /// A form of another site, for its fields.
    Foreign(Sought),
}

/// What came of a body.
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
        config.request_bodies
            && visitor.endpoint == Endpoint::Auth
            && visitor.has_body
            && is_urlencoded(head)
    }

    /// Whether a form's fields can be read and sent again. Browsers say how long a form is.
    pub(in crate::gate) fn is_resendable(head: &RequestHead<'_>) -> bool {
        let length =
            head.value("content-length").and_then(|it| str::from_utf8(it).ok()?.parse().ok());
        is_urlencoded(head) && length.is_some_and(|length| (1..=MAX_OPERATION).contains(&length))
    }

    /// Reads the fields of a form of another site.
    pub(in crate::gate) fn read_foreign(
        sought: Sought,
        address: Option<&[u8]>,
        now: UnixTime,
    ) -> Step {
        Self::begin(Reader::Foreign(sought), MAX_OPERATION, address, now)
    }

    pub(super) fn read(visitor: Visitor, address: Option<&[u8]>, now: UnixTime) -> Step {
        Self::begin(Reader::Visitor(visitor), MAX_BYTES, address, now)
    }

    /// Reads what a request does that brings an approval.
    pub(in crate::gate) fn read_operation(
        sought: Sought,
        address: Option<&[u8]>,
        now: UnixTime,
    ) -> Step {
        Self::begin(Reader::Operation(sought), MAX_OPERATION, address, now)
    }

    fn begin(reader: Reader, max: usize, address: Option<&[u8]>, now: UnixTime) -> Step {
        let then = Box::new(Self { reader, address: address.map(<[u8]>::to_vec) });
        Step::new(Effect::ReadBody { max, until: now.plus(PATIENCE), then }, Vec::new())
    }

    /// Takes the body, and the head of the same request once more.
    #[must_use]
    pub fn handle(self, head: &RequestHead<'_>, body: Body<'_>, env: &Env<'_>) -> Step {
        let address = self.address.as_deref();
        let mut step = match self.reader {
            Reader::Visitor(visitor) => visited(visitor, head, body, address, env),
            Reader::Operation(sought) => {
                let body = match body {
                    Body::Whole(bytes) => Some(BodyDigest::of(bytes)),
                    Body::TooLong | Body::Late => None,
                };
                operation::read(body.as_ref(), head, sought, address, env)
            }
            Reader::Foreign(sought) => {
                let body = match body {
                    Body::Whole(bytes) => Some(bytes),
                    Body::TooLong | Body::Late => None,
                };
                foreign_form::read(body, head, sought, address, env)
            }
        };
        if let Body::Late = body {
            step.signals.push(Signal::Log(Level::Warn, LATE.to_owned()));
        }
        step
    }
}

fn is_urlencoded(head: &RequestHead<'_>) -> bool {
    head.value("content-type").is_some_and(|sent| {
        let essence = sent.split(|byte| *byte == b';').next().unwrap_or_default();
        essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
    })
}

fn visited(
    visitor: Visitor,
    head: &RequestHead<'_>,
    body: Body<'_>,
    address: Option<&[u8]>,
    env: &Env<'_>,
) -> Step {
    let parameters = Parameters::of(head.target);
    let parameters = match body {
        Body::Whole(bytes) => parameters.with_form(bytes),
        Body::TooLong | Body::Late => parameters,
    };
    let visit = match Visit::of(visitor, head, parameters, address, env) {
        Ok(visit) => visit,
        Err(refused) => return *refused,
    };
    let refusal = visit.approval.err();
    let step = match body {
        Body::Whole(_) => visit.auth(head, parameters, env),
        Body::TooLong => refuse_with(&visit, &bad("The form is longer than 4 KiB."), "", env),
        Body::Late => refuse_with(&visit, &bad("The form did not arrive in time."), "", env),
    };
    counted(refusal, step)
}

const LATE: &str = "a body that is read did not arrive in time; request_bodies needs \
                    allow_on_headers_stop_iteration: true in the plugin's Envoy configuration";
