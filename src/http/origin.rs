//! The cross-site guard: checks that a page of this origin sent a request that changes something.

use super::hints::Hints;
use super::{Client, RequestHead};

/// The request was sent by another site's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request was sent by another site")]
pub struct CrossSite;

/// Checks which page sent a request. A browser names it in `Sec-Fetch-Site` (Fetch Metadata), an
/// older one in `Origin` (Fetch standard, section 3.2).
///
/// Some browsers send neither with a form (Internet Explorer, Firefox before 70). Their requests
/// pass by a `Referer` of this origin, which the filter's pages have them send. So does any request
/// with one of the filter's own headers: no form can send it, and a script of another site sends it
/// only with an `Origin`. Any other client without these headers is not a browser, and no other
/// site can make it send a request.
///
/// # Errors
///
/// [`CrossSite`] if another site sent it, or may have sent it.
pub fn check(head: &RequestHead<'_>) -> Result<(), CrossSite> {
    let hints = head.hints();
    let is_own = said(head, &hints).unwrap_or_else(|| match hints.referer {
        Some(referer) => is_of_origin(referer, head.authority),
        None => {
            let is_browser = !matches!(Client::of(&hints), Client::Hold | Client::RefuseGrpc);
            !is_browser || !head.reserved.is_empty()
        }
    });
    if is_own { Ok(()) } else { Err(CrossSite) }
}

/// Whether a request says that another site's page sent it.
#[must_use]
pub fn is_foreign(head: &RequestHead<'_>) -> bool {
    said(head, &head.hints()) == Some(false)
}

/// Whether a page of another site sent the request. A browser that knows `SameSite` then sends no
/// `Lax` cookie with a `POST`. If `Sec-Fetch-Site` is missing, another host counts as another site.
#[must_use]
pub fn is_of_other_site(head: &RequestHead<'_>) -> bool {
    let hints = head.hints();
    match hints.fetch_site {
        Some(site) => site == b"cross-site",
        None => said(head, &hints) == Some(false),
    }
}

/// Whether a browser sent the request from a page that it loaded over plain HTTP. Such a browser
/// does not store the filter's cookies, since all are `Secure`. `Origin` or `Referer` shows it.
/// `:scheme` and `X-Forwarded-Proto` only show the last proxy's connection, which is plain HTTP
/// behind any proxy that ends TLS and does not report it.
///
/// `false` for a page from the browser's own machine, where browsers do store `Secure` cookies
/// (Secure Contexts, section 3.1). Browsers send
/// `Sec-Fetch-Site` only over HTTPS or on their own machine.
#[must_use]
pub fn is_plain_http(head: &RequestHead<'_>) -> bool {
    let hints = head.hints();
    let sender = hints.origin.or(hints.referer);
    hints.fetch_site.is_none()
        && sender.is_some_and(|sender| sender.starts_with(b"http://"))
        && !is_this_machine(head.authority)
}

/// Whether an authority names the machine on which the browser runs.
fn is_this_machine(authority: &[u8]) -> bool {
    let is_port = |byte: &u8| byte.is_ascii_digit();
    let colon = authority.iter().rposition(|byte| *byte == b':');
    let (host, port) =
        colon.and_then(|at| authority.split_at_checked(at)).unwrap_or((authority, b":"));
    let host = if port.iter().skip(1).all(is_port) { host } else { authority };
    let host = host.to_ascii_lowercase();
    let is_address = host.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    host == b"localhost"
        || host.ends_with(b".localhost")
        || host == b"[::1]"
        || (is_address && host.starts_with(b"127."))
}

/// Whether this origin sent the request; `None` if the browser does not name the sender.
fn said(head: &RequestHead<'_>, hints: &Hints<'_>) -> Option<bool> {
    match (hints.fetch_site, hints.origin) {
        (Some(site), _) => Some(site == b"same-origin" || site == b"none"),
        (None, Some(origin)) => Some(is_origin_of(origin, head.authority)),
        (None, None) => None,
    }
}

/// Whether an `Origin` has this authority. The scheme is not compared, since a proxy before this
/// one may have ended TLS.
fn is_origin_of(origin: &[u8], authority: &[u8]) -> bool {
    without_scheme(origin)
        .is_some_and(|named| !named.is_empty() && named.eq_ignore_ascii_case(authority))
}

/// Whether a URL, such as a `Referer`, has this authority.
fn is_of_origin(address: &[u8], authority: &[u8]) -> bool {
    let rest = without_scheme(address).unwrap_or_default();
    let named = rest.split(|byte| matches!(byte, b'/' | b'?' | b'#')).next().unwrap_or_default();
    !named.is_empty() && named.eq_ignore_ascii_case(authority)
}

fn without_scheme(address: &[u8]) -> Option<&[u8]> {
    address.strip_prefix(b"https://").or_else(|| address.strip_prefix(b"http://"))
}

#[cfg(test)]
mod tests {
    use super::super::HeaderMap;
    use super::*;

    const IE: (&str, &str) = ("user-agent", "Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0)");

    #[test]
    fn request_without_an_authority_has_no_origin() {
        let pairs: [(&[u8], &[u8]); 3] =
            [(b":method", b"POST"), (b":path", b"/"), (b"origin", b"https://")];
        let buffer = HeaderMap::serialize(&pairs);
        assert_eq!(check(&RequestHead::read(&buffer).unwrap()), Err(CrossSite));
    }

    type Headers<'a> = &'a [(&'a str, &'a str)];

    #[test]
    fn plain_http_is_detected_by_the_page_that_the_browser_names() {
        let own = "http://app.example.com:8080";
        let table: &[(&str, Headers<'_>, bool)] = &[
            ("app.example.com:8080", &[("origin", own)], true),
            ("app.example.com:8080", &[("referer", "http://app.example.com:8080/a")], true),
            ("192.0.2.7", &[("origin", "http://192.0.2.7")], true),
            ("127.0.0.1.example.com", &[("origin", "http://127.0.0.1.example.com")], true),
            ("app.example.com:8080", &[("origin", own), ("sec-fetch-site", "same-origin")], false),
            ("app.example.com", &[("origin", "https://app.example.com")], false),
            ("app.example.com", &[("referer", "https://app.example.com/?a=http://b")], false),
            ("app.example.com", &[("x-forwarded-proto", "http")], false),
            ("localhost:10000", &[("origin", "http://localhost:10000")], false),
            ("APP.localhost", &[("origin", "http://app.localhost")], false),
            ("127.0.0.1:10000", &[("origin", "http://127.0.0.1:10000")], false),
            ("[::1]:10000", &[("origin", "http://[::1]:10000")], false),
            ("[::1]", &[("origin", "http://[::1]")], false),
        ];
        for (authority, headers, expected) in table {
            let mut pairs: Vec<(&[u8], &[u8])> = vec![
                (b":method", b"POST"),
                (b":path", b"/"),
                (b":authority", authority.as_bytes()),
            ];
            pairs.extend(headers.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())));
            let buffer = HeaderMap::serialize(&pairs);
            let head = RequestHead::read(&buffer).unwrap();
            assert_eq!(is_plain_http(&head), *expected, "{authority} {headers:?}");
        }
    }

    #[test]
    fn only_this_origin_passes_the_guard() {
        let table: &[(&[(&str, &str)], bool)] = &[
            (&[], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "")], false),
            (&[("sec-fetch-site", "Same-Origin")], false),
            (&[("origin", "https://app.example.com")], true),
            (&[("origin", "http://APP.example.com")], true),
            (&[("origin", "null")], false),
            (&[("origin", "https://")], false),
            (&[("origin", "https://app.example.com.evil.example")], false),
            (&[("origin", "https://app.example.com:444")], false),
            (&[("origin", "ftp://app.example.com")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://app.example.com")], false),
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")], true),
            (&[IE], false),
            (&[("accept", "text/html")], false),
            (&[("x-requested-with", "XMLHttpRequest")], false),
            (&[IE, ("referer", "https://app.example.com/.duo-mfa/?return_to=%2F")], true),
            (&[IE, ("referer", "http://APP.example.com")], true),
            (&[IE, ("referer", "https://app.example.com?a=https://b")], true),
            (&[IE, ("referer", "https://evil.example/https://app.example.com/")], false),
            (&[IE, ("referer", "https://app.example.com.evil.example/")], false),
            (&[IE, ("referer", "https://app.example.com@evil.example/")], false),
            (&[IE, ("referer", "app.example.com/")], false),
            (&[IE, ("referer", "")], false),
            (&[("referer", "https://evil.example/"), ("x-duo-mfa-passcode", "1")], false),
            (&[IE, ("x-duo-mfa-passcode", "1")], true),
            (&[IE, ("x-duo-mfa-passcode", "1"), ("origin", "https://evil.example")], false),
            (&[("user-agent", "Mozilla/5.0 (Windows NT 10.0; en-US) PowerShell/7.4.2")], true),
            (&[("content-type", "application/grpc")], true),
        ];
        for (headers, passes) in table {
            let mut pairs: Vec<(&[u8], &[u8])> =
                vec![(b":method", b"POST"), (b":path", b"/"), (b":authority", b"app.example.com")];
            pairs.extend(headers.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())));
            let buffer = HeaderMap::serialize(&pairs);
            let head = RequestHead::read(&buffer).unwrap();
            assert_eq!(check(&head).is_ok(), *passes, "{headers:?}");
        }
    }
}
