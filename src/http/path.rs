//! The canonical form of a path. Ambiguous paths have none.
//!
//! Envoy, the filter and the application may each read `/a/%2e%2e/b` or `/a;x/b` differently. A
//! rule on paths is only reliable if they agree on what a path names. So a path that could be read
//! in two ways is ambiguous here: it matches no rule at all.

use std::borrow::Cow;

/// A path that all software reads in the same way if it compares bytes. It begins with a slash. No
/// segment is `.` or `..`, and none but the last is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanonicalPath<'a> {
    decoded: Cow<'a, [u8]>,
    is_odd: bool,
}

/// A path that could be read in more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path can be read in more than one way")]
pub struct Ambiguous;

impl<'a> CanonicalPath<'a> {
    /// Reads a path, without its query.
    ///
    /// # Errors
    ///
    /// [`Ambiguous`] if the path does not begin with a slash; has `//`, a segment `.` or `..`, a
    /// backslash, `;`, `#`, or a byte that is not printable ASCII; has a malformed escape, or one
    /// of a slash, backslash, `;`, `%` or a control character; has a segment that is one or two
    /// dots before an escaped `?`, `#` or space; or has escapes of bytes that are not UTF-8.
    pub fn of(path: &'a [u8]) -> Result<Self, Ambiguous> {
        let mut decoded = Cow::Borrowed(path);
        let mut is_odd = false;
        let mut rest = path;
        while let Some((&byte, after)) = rest.split_first() {
            if byte == b'%' {
                let plain = path.len().saturating_sub(rest.len());
                let plain = path.get(..plain).unwrap_or_default();
                decoded = Cow::Owned(decode(plain, rest, &mut is_odd)?);
                break;
            }
            rest = after;
            if !byte.is_ascii_graphic() || matches!(byte, b'\\' | b';' | b'#') {
                return Err(Ambiguous);
            }
            is_odd |= is_sign(byte);
        }
        match has_plain_segments(&decoded) {
            Some(ends_in_dot) => Ok(Self { decoded, is_odd: is_odd || ends_in_dot }),
            None => Err(Ambiguous),
        }
    }

    /// The path with all escapes decoded. No escape is a slash, so the segments are those of the
    /// path as it was sent.
    #[must_use]
    pub fn decoded(&self) -> &[u8] {
        &self.decoded
    }

    /// Whether software that does more than compare bytes may take it for another path. It then has
    /// characters beyond ASCII, spaces, dots at the end of a segment, or characters that are
    /// special on some system. A [`super::likeness::Likeness`] shows which paths it may be taken
    /// for.
    #[must_use]
    pub const fn is_odd(&self) -> bool {
        self.is_odd
    }
}

/// The path in canonical form: escapes of unreserved characters (RFC 3986, section 2.3) decoded,
/// all
/// other escapes in upper case.
///
/// # Errors
///
/// As for [`CanonicalPath::of`].
pub fn canonical(path: &[u8]) -> Result<Vec<u8>, Ambiguous> {
    CanonicalPath::of(path)?;
    let mut canonical = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            canonical.push(byte);
            continue;
        }
        let (escaped, after) = rest.split_first_chunk::<2>().ok_or(Ambiguous)?;
        rest = after;
        let meant = unescape(*escaped).ok_or(Ambiguous)?;
        if is_unreserved(meant) {
            canonical.push(meant);
        } else {
            canonical.push(b'%');
            canonical.extend(escaped.map(|digit| digit.to_ascii_uppercase()));
        }
    }
    Ok(canonical)
}

/// Decodes the rest of a path, from its first escape on.
fn decode(plain: &[u8], mut rest: &[u8], is_odd: &mut bool) -> Result<Vec<u8>, Ambiguous> {
    let mut decoded = Vec::with_capacity(plain.len().saturating_add(rest.len()));
    decoded.extend_from_slice(plain);
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let meant = if byte == b'%' {
            let (escaped, after) = rest.split_first_chunk::<2>().ok_or(Ambiguous)?;
            rest = after;
            let meant = unescape(*escaped).ok_or(Ambiguous)?;
            if meant.is_ascii_control() || matches!(meant, b'/' | b'\\' | b';' | b'%') {
                return Err(Ambiguous);
            }
            meant
        } else {
            if !byte.is_ascii_graphic() || matches!(byte, b'\\' | b';' | b'#') {
                return Err(Ambiguous);
            }
            byte
        };
        *is_odd |= is_sign(meant);
        decoded.push(meant);
    }
    if str::from_utf8(&decoded).is_ok() { Ok(decoded) } else { Err(Ambiguous) }
}

/// Whether a decoded byte is special to some application, anywhere in a segment.
const fn is_sign(byte: u8) -> bool {
    !byte.is_ascii() || matches!(byte, b' ' | b'?' | b'#' | b':' | b'~' | b'(')
}

/// Whether some segment ends in a dot. `None` if the path does not begin with a slash, or has a
/// segment that software resolves or removes. That includes segments which are only resolved by
/// software that takes a decoded `?` or `#` for the end of the path, or drops final spaces.
fn has_plain_segments(path: &[u8]) -> Option<bool> {
    let mut segments = path.strip_prefix(b"/")?.split(|byte| *byte == b'/').peekable();
    let mut ends_in_dot = false;
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment.last() {
            None if !is_last => return None,
            Some(b'.') => ends_in_dot = true,
            Some(_) | None => {}
        }
        let end = segment.iter().position(|byte| matches!(byte, b'?' | b'#'));
        let name = end.and_then(|end| segment.get(..end)).unwrap_or(segment);
        if matches!(name.trim_ascii_end(), b"." | b"..") {
            return None;
        }
    }
    Some(ends_in_dot)
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
        for (path, form) in [
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
            let of = canonical(path.as_bytes()).unwrap();
            assert_eq!(of, form.as_bytes(), "{path}");
            assert_eq!(canonical(&of), Ok(of.clone()), "{path}");
            let read = CanonicalPath::of(path.as_bytes()).unwrap();
            assert_eq!(CanonicalPath::of(&of), Ok(read), "{path}");
        }
    }

    #[test]
    fn an_ambiguous_path_has_no_canonical_form() {
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
            "/%61\\b",
            "/%61;b",
            "/%61#b",
            "/%61 b",
            "/%61\u{e9}",
        ] {
            assert_eq!(CanonicalPath::of(path.as_bytes()), Err(Ambiguous), "{path:?}");
        }
    }

    #[test]
    fn a_path_is_odd_if_some_application_does_more_than_compare_bytes() {
        for (path, is_odd) in [
            ("/", false),
            ("/a-b/c_d.txt", false),
            ("/%61/b", false),
            ("/a%40b", false),
            ("/a:b", true),
            ("/a~1", true),
            ("/a(1)", true),
            ("/a./b", true),
            ("/caf%c3%a9", true),
            ("/a%20b", true),
            ("/a%3fb", true),
            ("/a%23b", true),
            ("/%61/b~", true),
        ] {
            assert_eq!(CanonicalPath::of(path.as_bytes()).unwrap().is_odd(), is_odd, "{path}");
        }
    }

    #[test]
    fn the_decoded_form_has_no_escapes() {
        let of = CanonicalPath::of(b"/%61%2Db/caf%c3%a9/%40x%3f").unwrap();
        assert_eq!(of.decoded(), "/a-b/caf\u{e9}/@x?".as_bytes());
    }

    proptest! {
        #[test]
        fn canonical_form_of_a_canonical_form_is_the_same(path in "/[a-cA-C0-9%/.;~+ -]{0,24}") {
            if let Ok(form) = canonical(path.as_bytes()) {
                prop_assert_eq!(canonical(&form), Ok(form));
            }
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(path in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = CanonicalPath::of(&path);
        }
    }
}
