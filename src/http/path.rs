//! The canonical form of a path, and which paths have none.
//!
//! Envoy, the filter and the application may each read `/a/%2e%2e/b` or `/a;x/b` in their own way.
//! A rule on paths is only as good as the agreement on what a path names, so a path that could be
//! read in two ways is ambiguous here: it matches no rule at all.

/// A path that everybody reads in the same way: it begins with a slash, escapes of unreserved
/// characters (RFC 3986, section 2.3) are decoded, all other escapes are in upper case, and no
/// segment is empty but the last, or is `.` or `..`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanonicalPath {
    canonical: Vec<u8>,
    decoded: Vec<u8>,
}

/// A path that could be read in more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path can be read in more than one way")]
pub struct Ambiguous;

impl CanonicalPath {
    /// Brings a path, without its query, into canonical form.
    ///
    /// # Errors
    ///
    /// [`Ambiguous`] where it does not begin with a slash; has `//`, a segment `.` or `..`, a
    /// backslash, `;`, `#`, a byte that does not print or is not ASCII; has an escape that is
    /// malformed, or one of a slash, backslash, `;`, `%` or a control character; has a segment that
    /// is a dot or two before an escaped `?`, `#` or space; or escapes bytes that are no UTF-8.
    pub fn of(path: &[u8]) -> Result<Self, Ambiguous> {
        let mut canonical = Vec::with_capacity(path.len());
        let mut decoded = Vec::with_capacity(path.len());
        let mut rest = path;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            if byte != b'%' {
                if !byte.is_ascii_graphic() || matches!(byte, b'\\' | b';' | b'#') {
                    return Err(Ambiguous);
                }
                canonical.push(byte);
                decoded.push(byte);
                continue;
            }
            let (escaped, after) = rest.split_first_chunk::<2>().ok_or(Ambiguous)?;
            rest = after;
            let meant = unescape(*escaped).ok_or(Ambiguous)?;
            if meant.is_ascii_control() || matches!(meant, b'/' | b'\\' | b';' | b'%') {
                return Err(Ambiguous);
            }
            if is_unreserved(meant) {
                canonical.push(meant);
            } else {
                canonical.push(b'%');
                canonical.extend(escaped.map(|digit| digit.to_ascii_uppercase()));
            }
            decoded.push(meant);
        }
        let is_text = str::from_utf8(&decoded).is_ok();
        if is_text && has_plain_segments(&decoded) {
            Ok(Self { canonical, decoded })
        } else {
            Err(Ambiguous)
        }
    }

    /// The bytes of the canonical form.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.canonical
    }

    /// The bytes that all escapes stand for. None of them stands for a slash, so the segments are
    /// those of the canonical form.
    #[must_use]
    pub fn decoded(&self) -> &[u8] {
        &self.decoded
    }
}

/// Whether a path begins with a slash and none of its segments is one that gets resolved, or would
/// be by a reader who takes a decoded `?` or `#` for the end of the path, or drops final spaces.
fn has_plain_segments(path: &[u8]) -> bool {
    let Some(segments) = path.strip_prefix(b"/") else { return false };
    let mut segments = segments.split(|byte| *byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        if segment.is_empty() && !is_last {
            return false;
        }
        let end = segment.iter().position(|byte| matches!(byte, b'?' | b'#'));
        let name = end.and_then(|end| segment.get(..end)).unwrap_or(segment);
        if matches!(name.trim_ascii_end(), b"." | b"..") {
            return false;
        }
    }
    true
}

fn unescape([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some((digit(high)? << 4) | digit(low)?)
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_plain_path_is_canonical() {
        for (path, canonical) in [
            ("/", "/"),
            ("/a", "/a"),
            ("/a/", "/a/"),
            ("/a/b.c/~d_e-f", "/a/b.c/~d_e-f"),
            ("/a:b@c!$&'()*+,=", "/a:b@c!$&'()*+,="),
            ("/%61%2Db", "/a-b"),
            ("/%7euser", "/~user"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/a%20b%3f", "/a%20b%3F"),
            ("/...", "/..."),
            ("/..a%20/b%3f..", "/..a%20/b%3F.."),
            ("/.well-known/x", "/.well-known/x"),
        ] {
            let of = CanonicalPath::of(path.as_bytes()).unwrap();
            assert_eq!(of.as_bytes(), canonical.as_bytes(), "{path}");
            assert_eq!(CanonicalPath::of(of.as_bytes()), Ok(of.clone()), "{path}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_has_no_canonical_form() {
        for path in [
            "",
            "a",
            "*",
            "http://a/b",
            "//",
            "//a",
            "/a//b",
            "/./",
            "/.",
            "/..",
            "/a/..",
            "/a/../b",
            "/a/./b",
            "/%2e/a",
            "/%2e%2e/a",
            "/.%2e/a",
            "/%2E%2E",
            "/a/%2e%2e/b",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/a;b",
            "/a/..;/b",
            "/a%3bb",
            "/a%00",
            "/a%0a",
            "/a%7f",
            "/a#b",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%2g",
            "/%252e%252e/",
            "/a%25",
            "/a b",
            "/\t",
            "/\u{e9}",
            "/%c0%ae%c0%ae/",
            "/a/..%23/b",
            "/a/..%3fx",
            "/a/..%20/b",
            "/a/.%20",
            "/a/..%20%3f",
            "/%ff",
            "/%c3",
            "/a%u002e",
        ] {
            assert_eq!(CanonicalPath::of(path.as_bytes()), Err(Ambiguous), "{path:?}");
        }
    }

    #[test]
    fn the_decoded_form_has_no_escapes() {
        let of = CanonicalPath::of(b"/%61%2Db/caf%c3%a9/%40x%3f").unwrap();
        assert_eq!(of.decoded(), "/a-b/caf\u{e9}/@x?".as_bytes());
    }

    proptest! {
        #[test]
        fn canonical_form_is_its_own(path in "/[a-cA-C0-9%/.;~+ -]{0,24}") {
            if let Ok(canonical) = CanonicalPath::of(path.as_bytes()) {
                prop_assert_eq!(CanonicalPath::of(canonical.as_bytes()), Ok(canonical));
            }
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(path in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = CanonicalPath::of(&path);
        }
    }
}
