//! What kind of client sends a request, and so how it is asked for its second factor.
//!
//! One table, read from the top: a request that a page sends in the background, an upgrade or
//! gRPC cannot show a prompt and is refused; a browser's navigation is for the prompt page; what
//! shows no mark of a browser at all can be held until Duo answers.

use super::head::Hints;

/// The kinds of client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// A browser that navigates: a person looks at the answer.
    Page,
    /// No browser: the request waits while Duo asks.
    Hold,
    /// A request in the background of a page, an upgrade, a prefetch: refused at once.
    Refuse,
    /// A gRPC call: refused at once, with a gRPC status.
    RefuseGrpc,
}

impl Client {
    /// Tells the kind from the headers. When in doubt it is not [`Client::Hold`], the only kind
    /// for which a push is sent without a click.
    #[must_use]
    pub fn of(hints: &Hints<'_>) -> Self {
        if hints.content_type.is_some_and(|v| has_prefix(v, b"application/grpc")) {
            return Self::RefuseGrpc;
        }
        if hints.upgrade.is_some() || hints.purpose.is_some() {
            return Self::Refuse;
        }
        if let Some(mode) = hints.fetch_mode {
            let navigates = mode == b"navigate" && hints.fetch_dest == Some(b"document");
            return if navigates { Self::Page } else { Self::Refuse };
        }
        if hints.requested_with.is_some() {
            return Self::Refuse;
        }
        if hints.accept.is_some_and(names_html) {
            return Self::Page;
        }
        // Safari has Apple's player load what a page plays: the page's cookies, and no other mark.
        let browsers = [b"mozilla/".as_slice(), b"applecoremedia/"];
        let is_browser =
            hints.user_agent.is_some_and(|v| browsers.iter().any(|name| has_prefix(v, name)));
        if is_browser || hints.any_browser_mark.is_some() { Self::Refuse } else { Self::Hold }
    }
}

/// Whether an `Accept` value (RFC 9110, section 12.5.1) names HTML with a weight above zero; the
/// wild card does not, since every script sends it.
fn names_html(accept: &[u8]) -> bool {
    accept.split(|byte| *byte == b',').any(|range| {
        let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let kind = parts.next().unwrap_or_default();
        let html = kind.eq_ignore_ascii_case(b"text/html")
            || kind.eq_ignore_ascii_case(b"application/xhtml+xml");
        html && !parts.any(is_weight_of_zero)
    })
}

fn is_weight_of_zero(parameter: &[u8]) -> bool {
    let (name, value) = parameter.split_at_checked(2).unwrap_or_default();
    name.eq_ignore_ascii_case(b"q=")
        && value.first() == Some(&b'0')
        && value.iter().all(|byte| matches!(byte, b'0' | b'.'))
}

fn has_prefix(value: &[u8], lower_case: &[u8]) -> bool {
    value.get(..lower_case.len()).is_some_and(|start| start.eq_ignore_ascii_case(lower_case))
}

#[cfg(test)]
mod tests {
    use super::super::head::{HeaderMap, RequestHead};
    use super::*;

    fn client(headers: &[(&str, &str)]) -> Client {
        let mut pairs: Vec<(&[u8], &[u8])> = vec![(b":method", b"GET"), (b":path", b"/")];
        pairs.extend(headers.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())));
        let buffer = HeaderMap::serialize(&pairs);
        Client::of(&RequestHead::read(&buffer).unwrap().hints())
    }

    #[test]
    fn clients_are_told_apart_by_one_table() {
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
            (&[("accept", "TEXT/HTML")], Page),
            (&[("accept", "application/xhtml+xml")], Page),
            (&[chrome, html], Page),
            (&[chrome, html, navigate, document], Page),
            (&[chrome, html, navigate, ("sec-fetch-dest", "iframe")], Refuse),
            (&[chrome, html, navigate], Refuse),
            (&[chrome, ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")], Refuse),
            (&[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")], Refuse),
            (&[("sec-fetch-site", "cross-site")], Refuse),
            (&[chrome], Refuse),
            (&[("user-agent", "mozilla/4.0")], Refuse),
            (&[("user-agent", "AppleCoreMedia/1.0.0.20G75 (iPhone; U; CPU OS 16_6)")], Refuse),
            (&[("accept", "image/png"), ("referer", "https://a.example/")], Refuse),
            (&[("origin", "https://a.example")], Refuse),
            (&[html, ("x-requested-with", "XMLHttpRequest")], Refuse),
            (&[chrome, html, navigate, document, ("sec-purpose", "prefetch")], Refuse),
            (&[html, ("purpose", "prefetch")], Refuse),
            (&[("upgrade", "websocket")], Refuse),
            (&[("content-type", "application/grpc+proto"), ("te", "trailers")], RefuseGrpc),
            (&[("content-type", "Application/GRPC")], RefuseGrpc),
            (&[("content-type", "application/json")], Hold),
        ];
        for (headers, expected) in table {
            assert_eq!(client(headers), *expected, "{headers:?}");
        }
    }
}
