//! The edits to the response of an admitted request, which carries the cookie.

use super::configured::Gate;
use super::decision::NewCookie;
use crate::clock::UnixTime;
use crate::http::cookie::OWN_PREFIX;
use crate::http::{Client, Edit, HeaderMap, HeaderValue, RequestHead};
use crate::session::{Approval, Sessions, Subject};
use std::slice;

/// The edits that add the cookie to a response. The application's cookies stay, except those with a
/// name of the filter's. No cache may store the response for others.
#[must_use]
pub fn edits(cookie: &NewCookie, response: &HeaderMap<'_>, gate: &Gate) -> Vec<Edit> {
    let mut edits = Vec::new();
    let values = match cookie {
        NewCookie::Approval(value) | NewCookie::UsedUp(value) => {
            store_nowhere(response, &mut edits);
            slice::from_ref(value)
        }
        NewCookie::SignedOut(values) => {
            store_nowhere(response, &mut edits);
            values
        }
        NewCookie::Renewal(value) | NewCookie::OverdueRenewal(value) => {
            match (reach(response), cookie) {
                (Reach::OneUser, _) => {}
                (Reach::Unsaid, _) => {
                    edits.push(Edit::Append("cache-control", HeaderValue::from_static("private")));
                }
                (Reach::Everybody, NewCookie::OverdueRenewal(_)) => {
                    edits.push(Edit::Set("cache-control", private(response)));
                    remove_targeted(response, &mut edits);
                }
                (Reach::Everybody, _) => return edits,
            }
            slice::from_ref(value)
        }
    };
    set_cookies(response, values, gate, &mut edits);
    edits
}

/// The renewal for the response of a request that passes, if one is due. If a user opens a page and
/// was not renewed for half the idle time, the response is made private if necessary. Otherwise an
/// active user would be asked again.
#[inline]
pub(super) fn renewal(
    sessions: &Sessions,
    approval: &Approval,
    subject: &Subject<'_>,
    now: UnixTime,
    head: &RequestHead<'_>,
) -> Option<NewCookie> {
    let cookie = sessions.renewal(approval, subject, now)?;
    let is_overdue = sessions.is_renewal_overdue(approval, now) && opens_page(head);
    Some(if is_overdue { NewCookie::OverdueRenewal(cookie) } else { NewCookie::Renewal(cookie) })
}

// Not inlined, since few of the requests that pass are renewed.
#[cold]
fn opens_page(head: &RequestHead<'_>) -> bool {
    head.method == b"GET" && Client::of(&head.hints()) == Client::Page
}

/// The clients that a cache may give a stored response to (RFC 9111, section 5.2.2).
enum Reach {
    Everybody,
    OneUser,
    Unsaid,
}

fn reach(response: &HeaderMap<'_>) -> Reach {
    if response.iter().any(|(name, _)| is_targeted(name)) {
        return Reach::Everybody;
    }
    let mut reach = Reach::Unsaid;
    for line in cache_control(response) {
        let Some(directives) = directives(line) else { return Reach::Everybody };
        for Directive { name, has_argument, .. } in directives {
            if is_shared(name) {
                return Reach::Everybody;
            }
            // `private="x-foo"` keeps only that field from shared caches.
            let is_own =
                name.eq_ignore_ascii_case(b"private") || name.eq_ignore_ascii_case(b"no-store");
            if is_own && !has_argument {
                reach = Reach::OneUser;
            }
        }
    }
    reach
}

/// The value of `Cache-Control` that makes a public response private.
fn private(response: &HeaderMap<'_>) -> HeaderValue {
    let read: Option<Vec<_>> = cache_control(response).map(directives).collect();
    let mut line = Vec::new();
    for Directive { name, text, .. } in read.into_iter().flatten().flatten() {
        if !is_shared(name) && !name.eq_ignore_ascii_case(b"private") {
            line.extend_from_slice(text);
            line.extend_from_slice(b", ");
        }
    }
    line.extend_from_slice(b"private");
    HeaderValue::lossy(line)
}

fn cache_control<'a>(response: &HeaderMap<'a>) -> impl Iterator<Item = &'a [u8]> {
    let lines = response.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"cache-control"));
    lines.map(|(_, line)| line)
}

fn is_shared(directive: &[u8]) -> bool {
    directive.eq_ignore_ascii_case(b"public") || directive.eq_ignore_ascii_case(b"s-maxage")
}

/// A directive of `Cache-Control` (RFC 9111, section 5.2).
struct Directive<'a> {
    name: &'a [u8],
    has_argument: bool,
    /// Name and argument.
    text: &'a [u8],
}

impl<'a> Directive<'a> {
    fn of(text: &'a [u8]) -> Self {
        let text = text.trim_ascii();
        let mut parts = text.splitn(2, |byte| *byte == b'=');
        let name = parts.next().unwrap_or_default().trim_ascii();
        Self { name, has_argument: parts.next().is_some(), text }
    }
}

/// The directives of a line. A comma between quotes does not separate. `None` if a quote has no
/// end, since every cache reads that differently.
fn directives(line: &[u8]) -> Option<Vec<Directive<'_>>> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let is_separator = |byte: &u8| {
        let is_plain = !is_escaped;
        is_escaped = is_quoted && is_plain && *byte == b'\\';
        is_quoted ^= is_plain && *byte == b'"';
        *byte == b',' && !is_quoted
    };
    let parts: Vec<_> = line.split(is_separator).map(Directive::of).collect();
    let found = parts.into_iter().filter(|directive| !directive.text.is_empty()).collect();
    (!is_quoted).then_some(found)
}

fn remove_targeted(response: &HeaderMap<'_>, edits: &mut Vec<Edit>) {
    let targeted = response.iter().filter(|(name, _)| is_targeted(name));
    edits.extend(targeted.map(|(name, _)| Edit::Remove(name.to_vec())));
}

/// Whether some shared caches use this header in place of `Cache-Control` (RFC 9213).
fn is_targeted(name: &[u8]) -> bool {
    let ends_with = |end: &[u8]| {
        let start = name.len().checked_sub(end.len());
        start.and_then(|at| name.get(at..)).is_some_and(|rest| rest.eq_ignore_ascii_case(end))
    };
    ends_with(b"cdn-cache-control") || ends_with(b"surrogate-control")
}

fn store_nowhere(response: &HeaderMap<'_>, edits: &mut Vec<Edit>) {
    edits.push(Edit::Set("cache-control", HeaderValue::from_static("no-store")));
    remove_targeted(response, edits);
}

fn set_cookies(
    response: &HeaderMap<'_>,
    values: &[HeaderValue],
    gate: &Gate,
    edits: &mut Vec<Edit>,
) {
    let is_own = |line: &[u8]| {
        let name = name_of(line);
        let mut approvals = gate.config().applications.iter().map(|it| it.sessions.cookie_name());
        name.starts_with(OWN_PREFIX) || approvals.any(|own| own.as_bytes() == name)
    };
    let sent = || {
        let lines = response.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"set-cookie"));
        lines.map(|(_, line)| line)
    };
    if sent().any(is_own) {
        edits.push(Edit::Remove(b"set-cookie".to_vec()));
        let kept = sent().filter(|line| !is_own(line));
        edits.extend(kept.map(|line| Edit::Append("set-cookie", HeaderValue::lossy(line))));
    }
    edits.extend(values.iter().map(|value| Edit::Append("set-cookie", value.clone())));
}

/// The name under which a `Set-Cookie` line comes back. A cookie without a name comes back as its
/// value alone, so `=a=1` becomes `a=1` in the next request. Older browsers accept such lines even
/// for names that begin with `__Host-`.
fn name_of(line: &[u8]) -> &[u8] {
    let pair = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let pair = match pair.split_first() {
        Some((b'=', nameless)) => nameless,
        Some(_) | None => pair,
    };
    pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii()
}

#[cfg(test)]
mod tests;
