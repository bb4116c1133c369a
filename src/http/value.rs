//! A header value that is safe to send.
//!
//! Envoy sends a value as it is, line breaks included. So every value that the filter sends has
//! this type, which cannot hold a control byte.

use std::fmt;

/// The bytes of a header value, without bytes below 0x20 and without 0x7f.
#[derive(Clone)]
pub struct HeaderValue(Stored);

/// Every request that passes has a number, so that of a time needs no allocation.
#[derive(Clone)]
enum Stored {
    Static(&'static [u8]),
    Owned(Vec<u8>),
    /// A number, in the last so many bytes.
    Digits([u8; MAX_DIGITS], u8),
}

/// The digits that fit beside the length of a `Vec`.
const MAX_DIGITS: usize = 15;

/// The control byte that keeps some bytes from being a header value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a header value cannot hold the control byte {0:#04x}")]
pub struct ControlByte(pub u8);

impl HeaderValue {
    /// Takes the bytes as they are.
    ///
    /// # Errors
    ///
    /// The first control byte.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, ControlByte> {
        let bytes = bytes.into();
        match bytes.iter().find(|byte| byte.is_ascii_control()) {
            Some(&byte) => Err(ControlByte(byte)),
            None => Ok(Self(Stored::Owned(bytes))),
        }
    }

    /// Takes the bytes and drops those that a value must not have.
    #[must_use]
    pub fn lossy(bytes: impl Into<Vec<u8>>) -> Self {
        let mut bytes = bytes.into();
        if has_control(&bytes) {
            remove_control(&mut bytes);
        }
        Self(Stored::Owned(bytes))
    }

    /// A value that is a constant of the program. It is checked only in debug builds, since every
    /// request that passes has one.
    #[must_use]
    pub fn from_static(text: &'static str) -> Self {
        debug_assert!(!has_control(text.as_bytes()), "{text:?} has a control character");
        Self(Stored::Static(text.as_bytes()))
    }

    /// A number in decimal digits.
    #[must_use]
    pub fn number(number: u64) -> Self {
        let (mut digits, mut rest) = ([0; MAX_DIGITS], number);
        for (length, place) in (1_u8..).zip(digits.iter_mut().rev()) {
            *place = b'0'.wrapping_add(u8::try_from(rest % 10).unwrap_or_default());
            rest /= 10;
            if rest == 0 {
                return Self(Stored::Digits(digits, length));
            }
        }
        Self(Stored::Owned(number.to_string().into_bytes()))
    }

    /// The bytes to send.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Stored::Static(bytes) => bytes,
            Stored::Owned(bytes) => bytes,
            Stored::Digits(digits, length) => {
                let unused = MAX_DIGITS.saturating_sub(usize::from(*length));
                digits.get(unused..).unwrap_or_default()
            }
        }
    }
}

impl PartialEq for HeaderValue {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for HeaderValue {}

impl fmt::Debug for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HeaderValue").field(&self.as_bytes()).finish()
    }
}

// Not inlined: every request makes values, and control bytes are rare.
#[cold]
fn remove_control(bytes: &mut Vec<u8>) {
    bytes.retain(|byte| !byte.is_ascii_control());
}

/// Whether the bytes have a control byte. It checks eight at a time, since every request's whole
/// `Cookie` line goes through here.
fn has_control(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    words.iter().any(|word| word_has_control(u64::from_ne_bytes(*word)))
        || rest.iter().any(u8::is_ascii_control)
}

/// Sets the top bit of each byte that is below 0x20, or equal to 0x7f. A borrow may also set the
/// bit of the next byte, so the result says whether there is such a byte, but not where.
const fn word_has_control(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let low = word.wrapping_sub(ONES.wrapping_mul(0x20)) & !word;
    let delete = word ^ ONES.wrapping_mul(0x7f);
    let delete = delete.wrapping_sub(ONES) & !delete;
    (low | delete) & ONES.wrapping_mul(0x80) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_byte_gets_into_a_header_value() {
        for byte in 0..=u8::MAX {
            let outcome = HeaderValue::new(vec![b'a', byte, b'z']);
            if byte < 0x20 || byte == 0x7f {
                assert_eq!(outcome, Err(ControlByte(byte)));
                assert_eq!(HeaderValue::lossy([b'a', byte, b'z']).as_bytes(), b"az");
            } else {
                assert_eq!(outcome.unwrap().as_bytes(), [b'a', byte, b'z']);
            }
        }
    }

    #[test]
    fn number_has_its_digits() {
        for number in
            [0, 7, 10, 1_800_000_000, 999_999_999_999_999, 1_000_000_000_000_000, u64::MAX]
        {
            assert_eq!(HeaderValue::number(number).as_bytes(), number.to_string().as_bytes());
        }
        assert_eq!(size_of::<HeaderValue>(), size_of::<Vec<u8>>());
    }

    #[test]
    fn a_control_byte_is_seen_at_any_place_and_beside_any_other() {
        for byte in 0..=u8::MAX {
            for neighbour in [0x20, 0x21, 0x7e, 0x80, 0xff] {
                for place in 0..17 {
                    let mut bytes = [neighbour; 17];
                    bytes[place] = byte;
                    assert_eq!(has_control(&bytes), byte.is_ascii_control(), "{bytes:x?}");
                }
            }
        }
    }
}
