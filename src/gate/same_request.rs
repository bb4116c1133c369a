//! Recognizes a repeated request: a program that gave up and sends it again waits for the push that
//! is already on the phone.
//!
//! Only the sender of the first request may do that. Otherwise anyone with the user's password
//! could use the owner's push. So the tag covers everything that could distinguish two senders: the
//! client's address, the credentials, and every header except those that change between tries.

use super::challenge::Challenge;
use super::configured::Gate;
use crate::duo::Credentials;
use crate::http::RequestHead;

/// Headers that proxies and tracers set newly for each request.
const CHANGING: [&[u8]; 16] = [
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
    b"x-forwarded-for",
    b"x-forwarded-by",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"x-forwarded-proto",
    b"x-forwarded-server",
];
/// `x-forwarded-` is none of them: a certificate, a token or a user may follow.
const CHANGING_PREFIXES: [&[u8]; 3] = [b"x-envoy-", b"x-b3-", b"x-datadog-"];

/// Represents a request and its sender. `None` if no other request may count as the same: the
/// client's address is not known, or each request needs its own approval.
pub(super) fn tag(
    head: &RequestHead<'_>,
    challenge: &Challenge,
    credentials: &Credentials,
    gate: &Gate,
) -> Option<[u8; 16]> {
    let address = challenge.trail.address.filter(|_| !challenge.terms.is_per_request)?.to_string();
    let (subject, application) = (challenge.subject(), gate.application(&challenge.terms));
    let [source, user] = [subject.source, subject.user].map(str::as_bytes);
    let duo = credentials.tag();
    // A listener with other cookie keys may have other rules.
    let sessions = application.sessions.settings_tag();
    let rule = challenge.rule.map_or_else(Vec::new, |rule| rule.to_string().into_bytes());
    let mut parts = vec![source, user, subject.bound, address.as_bytes(), &duo, sessions, &rule];
    let lasting = head.fields().filter(|(name, _)| !changes(name));
    parts.extend(lasting.flat_map(|(name, value)| [name, value]));
    Some(gate.config().shared.tag("request", &parts))
}

fn changes(name: &[u8]) -> bool {
    CHANGING.contains(&name) || CHANGING_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}
