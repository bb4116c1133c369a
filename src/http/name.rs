//! The names of headers.

use memchr::arch::all::is_equal;

/// The prefix of the filter's header names. Headers of clients under it are removed.
pub const RESERVED_PREFIX: &[u8] = b"x-duo-mfa-";

/// Whether two header names are equal, ignoring case.
///
/// In wasm `==` on slices calls a `memcmp` that goes byte by byte. So memchr's comparison is used
/// here and wherever a pass looks for a name or a cookie.
pub(super) fn is_spelled(sent: &[u8], name: &[u8]) -> bool {
    is_equal(sent, name) || sent.eq_ignore_ascii_case(name)
}

/// Whether two header names are equal, ignoring case and reading `_` as `-`.
pub(super) fn same_name(sent: &[u8], name: &[u8]) -> bool {
    let fold = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    sent.len() == name.len()
        && (is_equal(sent, name)
            || sent.iter().zip(name).all(|(a, b)| a == b || fold(*a) == fold(*b)))
}

/// Whether a header belongs to the filter, by its name.
pub(super) fn is_reserved(name: &[u8]) -> bool {
    name.get(..RESERVED_PREFIX.len()).is_some_and(|start| same_name(start, RESERVED_PREFIX))
}

/// The longest method that the filter names, in bytes. `UPDATEREDIRECTREF` has 17 (RFC 4437).
pub const MAX_METHOD_BYTES: usize = 20;

/// Whether a text can be the method of a request: a token (RFC 9110, section 5.6.2) that is short
/// enough to read at a glance.
#[must_use]
pub fn is_method(text: &[u8]) -> bool {
    (1..=MAX_METHOD_BYTES).contains(&text.len()) && text.iter().all(|byte| is_token_byte(*byte))
}

/// Whether a byte may be in a token, such as a method or a header name (RFC 9110, section 5.6.2).
#[must_use]
pub const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}
