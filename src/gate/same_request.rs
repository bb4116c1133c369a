//! Which request is the same as another: a program that gave up and sends it again waits for the
//! push that is on the phone already.
//!
//! Only the sender of the first request may do that: whoever else has the user's password would
//! ride
//! on the owner's push. So everything counts that could tell two senders apart: the client's
//! address, the credentials, and every header but those that change from one try to the next.

use super::challenge::Challenge;
use super::configured::Gate;
use crate::http::RequestHead;

/// Headers that proxies and tracers set anew for each request.
const CHANGING: [&[u8]; 10] = [
    b"x-request-id",
    b"traceparent",
    b"tracestate",
    b"b3",
    b"x-cloud-trace-context",
    b"x-amzn-trace-id",
    b"uber-trace-id",
    b"x-ot-span-context",
    b"x-client-trace-id",
    b"date",
];
const CHANGING_PREFIXES: [&[u8]; 4] = [b"x-envoy-", b"x-b3-", b"x-datadog-", b"x-forwarded-"];

/// Stands for a request and its sender. `None` where no other request counts as the same: the
/// client's address is not known, or each request is approved by itself.
pub(super) fn tag(head: &RequestHead<'_>, challenge: &Challenge, gate: &Gate) -> Option<[u8; 16]> {
    let address = challenge.address.filter(|_| !challenge.terms.is_per_request)?.to_string();
    let (subject, application) = (challenge.subject(), gate.application(&challenge.terms));
    let [source, user] = [subject.source, subject.user].map(str::as_bytes);
    let duo = application.duo.credentials.tag();
    let cookie = application.sessions.cookie_name().as_bytes();
    let rule = challenge.rule.map_or_else(Vec::new, |rule| rule.to_string().into_bytes());
    let mut parts = vec![source, user, subject.bound, address.as_bytes(), &duo, cookie, &rule];
    let lasting = head.fields().filter(|(name, _)| !changes(name));
    parts.extend(lasting.flat_map(|(name, value)| [name, value]));
    Some(gate.config().shared.tag("request", &parts))
}

fn changes(name: &[u8]) -> bool {
    CHANGING.contains(&name) || CHANGING_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}
