//! The reference of a sign-in: a short name that its pages, its problem documents, the user's phone
//! and its audit lines share. It is a name and not a secret.

use crate::clock::UnixTime;
use std::fmt;

/// Digits and letters that people do not confuse when they read them out (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A sign-in, or a request that is refused outside of any sign-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    id: [u8; 5],
    began: UnixTime,
}

impl Reference {
    /// The size of [`Self::to_bytes`]: the id, and six bytes of milliseconds since 1970.
    pub const BYTES: usize = 11;

    /// The sign-in with this random id, which began at that time.
    #[must_use]
    pub const fn new(id: [u8; 5], began: UnixTime) -> Self {
        Self { id, began }
    }

    /// When the sign-in began: with its first page, or with the held request.
    #[must_use]
    pub const fn began(self) -> UnixTime {
        self.began
    }

    /// The bytes for a token.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::BYTES] {
        let [a, b, c, d, e] = self.id;
        let [_, _, f, g, h, i, j, k] = self.began.millis().to_be_bytes();
        [a, b, c, d, e, f, g, h, i, j, k]
    }

    /// Reads the bytes of [`Self::to_bytes`].
    #[must_use]
    pub const fn from_bytes([a, b, c, d, e, f, g, h, i, j, k]: [u8; Self::BYTES]) -> Self {
        let began = u64::from_be_bytes([0, 0, f, g, h, i, j, k]);
        Self { id: [a, b, c, d, e], began: UnixTime::from_millis(began) }
    }
}

impl fmt::Display for Reference {
    /// Eight digits and letters, 40 bits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e] = self.id;
        let bits = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]);
        (0..8_u32).rev().try_for_each(|place| {
            let five = usize::try_from(bits.wrapping_shr(place.wrapping_mul(5)) & 31);
            let letter = five.ok().and_then(|five| ALPHABET.get(five)).copied().unwrap_or(b'0');
            fmt::Write::write_char(f, char::from(letter))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_eight_digits_and_letters() {
        let reference = |id| Reference::new(id, UnixTime::default()).to_string();
        assert_eq!(reference([0; 5]), "00000000");
        assert_eq!(reference([0xff; 5]), "ZZZZZZZZ");
        assert_eq!(reference([0x00, 0x44, 0x32, 0x14, 0xc7]), "01234567");
        assert_eq!(reference([0x08, 0x00, 0, 0, 0x01]), "10000001");
    }

    #[test]
    fn a_reference_reads_back_with_its_time() {
        let reference = Reference::new([1, 2, 3, 4, 255], UnixTime::from_millis(1_800_000_000_123));
        assert_eq!(Reference::from_bytes(reference.to_bytes()), reference);
        assert_eq!(reference.began().millis(), 1_800_000_000_123);
    }

    #[test]
    fn no_letter_is_taken_for_another_one() {
        assert!(ALPHABET.iter().all(|letter| !b"ILOU".contains(letter)));
    }
}
