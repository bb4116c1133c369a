//! The cross-site guard: whether a request that changes something was sent by this origin.

use super::RequestHead;
use super::head::Hints;

/// The request was sent by another site's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request was sent by another site")]
pub struct CrossSite;

/// Checks who sent a request. A browser says so in `Sec-Fetch-Site` (Fetch Metadata), an older
/// one in `Origin` (Fetch standard, section 3.2); what sends neither is no browser, and no other
/// site can make it send anything.
///
/// # Errors
///
/// [`CrossSite`] where it was, or may have been, another site.
pub fn check(head: &RequestHead<'_>) -> Result<(), CrossSite> {
    let Hints { fetch_site, origin, .. } = head.hints();
    let is_own = match (fetch_site, origin) {
        (Some(site), _) => site == b"same-origin" || site == b"none",
        (None, Some(origin)) => is_origin_of(origin, head.authority),
        (None, None) => true,
    };
    if is_own { Ok(()) } else { Err(CrossSite) }
}

/// Whether an `Origin` names this authority. The scheme is not compared, since a proxy before this
/// one may have ended TLS.
fn is_origin_of(origin: &[u8], authority: &[u8]) -> bool {
    let named = origin.strip_prefix(b"https://").or_else(|| origin.strip_prefix(b"http://"));
    named.is_some_and(|named| !named.is_empty() && named.eq_ignore_ascii_case(authority))
}

#[cfg(test)]
mod tests {
    use super::super::HeaderMap;
    use super::*;

    #[test]
    fn request_without_an_authority_is_of_no_origin() {
        let pairs: [(&[u8], &[u8]); 3] =
            [(b":method", b"POST"), (b":path", b"/"), (b"origin", b"https://")];
        let buffer = HeaderMap::serialize(&pairs);
        assert_eq!(check(&RequestHead::read(&buffer).unwrap()), Err(CrossSite));
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
