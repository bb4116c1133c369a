//! Classifies the client of a request, and so how it is asked for the second factor.
//!
//! One table, read from the top. A background request of a page, an upgrade or a gRPC call cannot
//! show a prompt and is refused. A browser's navigation gets the prompt page. A request without any
//! mark of a browser can be held until Duo answers. `tests/core/client_kinds.rs` compares the table
//! with requests of real clients.

use super::agent::{Agent, has_prefix};
use super::hints::Hints;

/// The kinds of client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// A browser that navigates: a person sees the response.
    Page,
    /// Not a browser: the request is held while Duo asks the user.
    Hold,
    /// A background request of a page, an upgrade, or a prefetch: refused at once.
    Refuse,
    /// A gRPC call: refused at once, with a gRPC status.
    RefuseGrpc,
}

impl Client {
    /// Classifies by the headers. If in doubt, never [`Client::Hold`], the only kind for which a
    /// push is sent without a click.
    #[must_use]
    pub fn of(hints: &Hints<'_>) -> Self {
        if hints.content_type.is_some_and(is_grpc) {
            return Self::RefuseGrpc;
        }
        if hints.upgrade.is_some_and(is_protocol) || hints.purpose.is_some() {
            return Self::Refuse;
        }
        let agent = Agent::of(hints.user_agent);
        let prefers_html = hints.accept.is_some_and(prefers_html);
        if hints.fetch_mode == Some(b"navigate") {
            return match hints.fetch_dest {
                Some(b"document") => Self::Page,
                // A service worker that forwards a navigation, or a browser that does not send the
                // destination yet. Without HTML it is a link with a `download` attribute.
                Some(b"empty") | None if prefers_html => Self::Page,
                Some(_) | None => Self::Refuse,
            };
        }
        let is_marked = hints.any_browser_mark.is_some();
        // Node's `fetch` sends only this one of the five `Sec-Fetch` headers, and no other mark.
        if hints.fetch_mode.is_some() && (is_marked || agent == Agent::Browser) {
            return Self::Refuse;
        }
        let is_icon = hints.is_icon && !prefers_html;
        if is_icon || hints.requested_with.is_some_and(is_script) {
            return Self::Refuse;
        }
        match agent {
            Agent::Program if is_marked => Self::Refuse,
            Agent::Program => Self::Hold,
            Agent::Helper => Self::Refuse,
            Agent::TextBrowser => Self::Page,
            Agent::Browser | Agent::Unknown if prefers_html => Self::Page,
            Agent::Browser => Self::Refuse,
            Agent::Unknown if is_marked || hints.accept.is_some_and(is_unasked) => Self::Refuse,
            Agent::Unknown => Self::Hold,
        }
    }
}

/// Whether Envoy also treats the content type as gRPC. It does not for grpc-web.
fn is_grpc(content_type: &[u8]) -> bool {
    let grpc = b"application/grpc";
    has_prefix(content_type, grpc)
        && matches!(content_type.get(grpc.len()), None | Some(b'+' | b';'))
}

/// Whether an `Upgrade` asks for another protocol. `h2c`, which Java's client offers with every
/// request, is still HTTP.
fn is_protocol(upgrade: &[u8]) -> bool {
    !upgrade.eq_ignore_ascii_case(b"h2c")
}

/// Whether a script set `X-Requested-With`. Android's WebView sends the name of its application, as
/// in `com.example.mail`, even with navigations.
fn is_script(requested_with: &[u8]) -> bool {
    !requested_with.contains(&b'.')
}

/// Whether an `Accept` value (RFC 9110, section 12.5.1) names HTML, and nothing with a higher
/// weight. Every browser that navigates prefers HTML; pip and similar programs name it as a last
/// resort. The wild card does not count, since every script sends it.
fn prefers_html(accept: &[u8]) -> bool {
    let (mut html, mut other) = (0, 0);
    for range in accept.split(|byte| *byte == b',') {
        let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let kind = parts.next().unwrap_or_default();
        let is_html = kind.eq_ignore_ascii_case(b"text/html")
            || kind.eq_ignore_ascii_case(b"application/xhtml+xml");
        let best = if is_html { &mut html } else { &mut other };
        *best = weight(parts).max(*best);
    }
    html > 0 && html >= other
}

/// The weight of a range in thousandths, from its parameters. An unreadable weight counts as 1.
fn weight<'a>(mut parameters: impl Iterator<Item = &'a [u8]>) -> u16 {
    let weight = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_at_checked(2)?;
        name.eq_ignore_ascii_case(b"q=").then_some(value)
    });
    match weight {
        Some([b'0']) => 0,
        Some([b'0', b'.', digits @ ..]) if digits.len() <= 3 => {
            let places = digits.iter().copied().chain(*b"000").take(3);
            places.fold(0, |sum: u16, digit| {
                let digit = u16::from(digit.wrapping_sub(b'0')).min(9);
                sum.saturating_mul(10).saturating_add(digit)
            })
        }
        Some(_) | None => 1000,
    }
}

/// Whether an `Accept` value asks for content that no user requests directly: a feed, which readers
/// fetch on a timer, or a part of a page, which an application with a web view fetches with a
/// separate agent.
fn is_unasked(accept: &[u8]) -> bool {
    let unasked: [&[u8]; 5] =
        [b"application/rss+xml", b"image/*", b"video/*", b"audio/*", b"text/css"];
    let mut kinds = accept.split(|byte| matches!(*byte, b',' | b';')).map(<[u8]>::trim_ascii);
    kinds.any(|kind| unasked.iter().any(|it| kind.eq_ignore_ascii_case(it)))
}

#[cfg(test)]
mod tests {
    use super::super::head::RequestHead;
    use super::super::header_map::HeaderMap;
    use super::*;

    fn client(headers: &[(&str, &str)]) -> Client {
        let mut pairs: Vec<(&[u8], &[u8])> = vec![(b":method", b"GET"), (b":path", b"/")];
        pairs.extend(headers.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())));
        let buffer = HeaderMap::serialize(&pairs);
        Client::of(&RequestHead::read(&buffer).unwrap().hints())
    }

    #[test]
    fn one_table_classifies_all_clients() {
        use Client::{Hold, Page, Refuse, RefuseGrpc};
        let chrome = ("user-agent", "Mozilla/5.0 (X11) Chrome/156");
        let html = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        let (navigate, document) = (("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"));
        let table: &[(&[(&str, &str)], Client)] = &[
            (&[], Hold),
            (&[("accept", "*/*"), ("user-agent", "curl/8.5")], Hold),
            (&[("accept", "application/json")], Hold),
            (&[("accept", "text/html;q=0, */*")], Hold),
            (&[("accept", "text/html;q=0.000")], Hold),
            (&[("accept", "text/html;q=0.1")], Page),
            (&[("accept", "text/html;q=0.0001")], Page),
            (&[("accept", "TEXT/HTML")], Page),
            (&[("accept", "application/xhtml+xml")], Page),
            (&[("accept", "text/html;q=0.5, */*;q=0.05")], Page),
            (&[("accept", "text/html;q=0.9, application/json;q=0.91")], Hold),
            (&[("accept", "text/html;q=x, application/json")], Page),
            (&[("accept", "application/xml,application/xhtml+xml,text/html;q=0.9")], Page),
            (&[chrome, html], Page),
            (&[chrome, html, navigate, document], Page),
            (&[chrome, html, navigate, ("sec-fetch-dest", "iframe")], Refuse),
            (&[chrome, html, navigate], Page),
            (&[chrome, navigate], Refuse),
            (&[chrome, html, navigate, ("sec-fetch-dest", "empty")], Page),
            (&[chrome, ("accept", "*/*"), navigate, ("sec-fetch-dest", "empty")], Refuse),
            (&[chrome, ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")], Refuse),
            (&[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")], Refuse),
            (&[("sec-fetch-site", "cross-site")], Refuse),
            (&[chrome], Refuse),
            (&[("user-agent", "mozilla/4.0")], Refuse),
            (&[("user-agent", "AppleCoreMedia/1.0.0.20G75 (iPhone; U; CPU OS 16_6)")], Refuse),
            (&[("accept", "image/png"), ("referer", "https://a.example/")], Refuse),
            (&[("origin", "https://a.example")], Refuse),
            (&[("user-agent", "curl/8.5"), ("origin", "https://a.example")], Refuse),
            (&[html, ("sec-fetch-mode", "cors"), ("origin", "https://a.example")], Refuse),
            (&[("dnt", "1")], Refuse),
            (&[("upgrade-insecure-requests", "1")], Refuse),
            (&[html, ("x-requested-with", "XMLHttpRequest")], Refuse),
            (&[chrome, html, navigate, document, ("sec-purpose", "prefetch")], Refuse),
            (&[html, ("purpose", "prefetch")], Refuse),
            (&[html, ("x-requested-with", "com.example.mail")], Page),
            (&[("x-requested-with", "com.example.mail")], Refuse),
            (&[("sec-fetch-mode", "cors")], Hold),
            (&[("sec-fetch-mode", "cors"), ("user-agent", "Mozilla/5.0")], Refuse),
            (&[("sec-ch-ua-mobile", "?0")], Refuse),
            (&[("upgrade", "h2c")], Hold),
            (&[("upgrade", "websocket")], Refuse),
            (&[("content-type", "application/grpc+proto"), ("te", "trailers")], RefuseGrpc),
            (&[("content-type", "Application/GRPC")], RefuseGrpc),
            (&[("content-type", "application/grpc-web+proto"), chrome], Refuse),
            (&[("content-type", "application/json")], Hold),
        ];
        for (headers, expected) in table {
            assert_eq!(client(headers), *expected, "{headers:?}");
        }
    }
}
