//! The master keys for tokens, and the keys derived from them.
//!
//! A master key signs nothing itself. Each purpose has a separate key, derived by HMAC with the
//! purpose's name, so a token of one purpose is never valid for another. To rotate: add the next
//! key after the present one, move it to the front, and remove the old one when its last cookie has
//! expired.

use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::secret::Secret;

pub(super) type HmacSha256 = Hmac<Sha256>;

/// The shortest master key, in bytes.
const MIN_BYTES: usize = 32;
/// The most keys of a ring: the present one, the next one, and two old ones.
const MAX_KEYS: usize = 4;
/// A key with fewer distinct bytes was typed and not generated: 32 random bytes have about 30.
const MIN_DISTINCT_BYTES: usize = 8;
/// Only long words: a random key of 44 characters contains one of these less than once in 10^8.
const PLACEHOLDERS: [&str; 9] = [
    "changeme",
    "changethis",
    "replaceme",
    "placeholder",
    "password",
    "yourkey",
    "yoursecret",
    "notasecret",
    "cookiesecret",
];

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Why a master key or a ring of keys is refused. The operator has to act on each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// The text is neither standard nor URL-safe base64.
    #[error("is not base64")]
    NotBase64,
    /// The key has fewer than 32 bytes.
    #[error("has {bytes} bytes; it needs at least 32")]
    TooShort {
        /// The length after decoding.
        bytes: usize,
    },
    /// One byte or one pattern repeats, or the bytes are a sequence: not random.
    #[error("is not random: its bytes repeat or follow a pattern")]
    Patterned,
    /// The key contains a word such as `changeme`.
    #[error("is a placeholder")]
    Placeholder,
    /// The ring has no key to sign with.
    #[error("there is no key")]
    NoKey,
    /// The ring has more than 4 keys.
    #[error("there are {keys} keys; the limit is 4")]
    TooManyKeys {
        /// The number of keys.
        keys: usize,
    },
}

/// A master key: at least 32 random bytes, never a key of Duo's.
#[derive(Clone, Debug)]
pub struct MasterKey(Secret<Vec<u8>>);

impl MasterKey {
    /// Reads a key from standard or URL-safe base64, with or without padding. White space around it
    /// is ignored, such as the last line break of a file.
    ///
    /// # Errors
    ///
    /// The text is not base64, or the key is too short, patterned or a placeholder.
    pub fn from_base64(text: &str) -> Result<Self, KeyFault> {
        if is_placeholder(text.as_bytes()) {
            return Err(KeyFault::Placeholder);
        }
        let key = Secret::new(decode(text.as_bytes()).ok_or(KeyFault::NotBase64)?);
        let bytes = key.expose();
        if bytes.len() < MIN_BYTES {
            return Err(KeyFault::TooShort { bytes: bytes.len() });
        }
        if is_placeholder(bytes) {
            return Err(KeyFault::Placeholder);
        }
        if is_patterned(bytes) {
            return Err(KeyFault::Patterned);
        }
        Ok(Self(key))
    }

    /// Whether `other` is this key, as raw bytes or in base64. It is used to check that Duo's
    /// secret key does not sign cookies.
    #[must_use]
    pub fn is_same_as(&self, other: &[u8]) -> bool {
        let is_key = |bytes: &[u8]| bool::from(self.0.expose().as_slice().ct_eq(bytes));
        is_key(other) || decode(other).map(Secret::new).is_some_and(|key| is_key(key.expose()))
    }

    /// The key itself, for an algorithm with keys of 32 bytes; `None` if it is longer.
    #[must_use]
    pub fn seed(&self) -> Option<Secret<[u8; 32]>> {
        let bytes: &[u8; 32] = self.0.expose().as_slice().try_into().ok()?;
        Some(Secret::new(*bytes))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.expose()
    }
}

/// One to four keys: the first signs, all verify.
#[derive(Clone, Debug)]
pub struct KeyRing {
    first: RingKey,
    others: Vec<RingKey>,
}

/// A master key that other keys are derived from.
#[derive(Clone, Debug)]
pub(super) struct RingKey {
    id: u8,
    master: HmacSha256,
}

impl KeyRing {
    /// A ring of these keys. The first key signs.
    ///
    /// # Errors
    ///
    /// There is no key, or there are more than four.
    pub fn new(keys: Vec<MasterKey>) -> Result<Self, KeyFault> {
        if keys.len() > MAX_KEYS {
            return Err(KeyFault::TooManyKeys { keys: keys.len() });
        }
        let mut keys = keys.into_iter().map(|key| RingKey::new(&key));
        let first = keys.next().ok_or(KeyFault::NoKey)?;
        Ok(Self { first, others: keys.collect() })
    }

    pub(super) const fn first(&self) -> &RingKey {
        &self.first
    }

    pub(super) fn others(&self) -> &[RingKey] {
        &self.others
    }
}

impl RingKey {
    fn new(key: &MasterKey) -> Self {
        let mut ring_key = Self { id: 0, master: keyed(key.0.expose()) };
        let [id, ..]: [u8; 32] = ring_key.derived("kid");
        ring_key.id = id;
        ring_key
    }

    /// The byte by which a token names its key. It is derived from the key, so the order of a ring
    /// can change. Two keys may share it.
    pub(super) const fn id(&self) -> u8 {
        self.id
    }

    /// The key of one purpose, with its HMAC key schedule computed.
    pub(super) fn derive(&self, purpose: &str) -> HmacSha256 {
        keyed(Secret::new(self.derived(purpose)).expose())
    }

    /// The bytes of the key of one purpose. The caller must wipe them after use.
    pub(super) fn derived(&self, purpose: &str) -> [u8; 32] {
        let parts = [b"duo-mfa:kdf:".as_slice(), purpose.as_bytes(), b":v1"];
        parts.iter().fold(self.master.clone(), Mac::chain_update).finalize().into_bytes().into()
    }
}

/// An HMAC with its key schedule computed (RFC 2104, section 2). The key is brought to the block's
/// length here, so nothing can fail.
pub(super) fn keyed(key: &[u8]) -> HmacSha256 {
    let mut block = hmac::digest::Key::<HmacSha256>::default();
    let hashed;
    let key = if key.len() > block.len() {
        hashed = Sha256::digest(key);
        hashed.as_slice()
    } else {
        key
    };
    for (slot, byte) in block.iter_mut().zip(key) {
        *slot = *byte;
    }
    let mac = HmacSha256::new(&block);
    block.as_mut_slice().zeroize();
    mac
}

fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    let is_url_safe = text.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = if is_url_safe { &URL_SAFE } else { &STANDARD };
    engine.decode(text).ok()
}

fn is_placeholder(key: &[u8]) -> bool {
    let letters = key.iter().filter(|byte| byte.is_ascii_alphanumeric());
    let letters = Secret::new(letters.map(u8::to_ascii_lowercase).collect::<Vec<u8>>());
    let holds = |word: &str| letters.expose().windows(word.len()).any(|w| w == word.as_bytes());
    PLACEHOLDERS.into_iter().any(holds)
}

/// Whether the bytes have few distinct values, repeat with a period, or count up or down.
fn is_patterned(key: &[u8]) -> bool {
    let distinct = (0..=u8::MAX).filter(|byte| key.contains(byte)).count();
    let is_scarce = distinct < MIN_DISTINCT_BYTES;

    let steps = || key.iter().zip(key.iter().skip(1)).map(|(a, b)| b.wrapping_sub(*a));
    let is_sequence = steps().zip(steps().skip(1)).all(|(a, b)| a == b);

    let longest_period = key.len().div_euclid(2);
    let is_periodic = (1..=longest_period)
        .any(|period| key.iter().zip(key.iter().skip(period)).all(|(a, b)| a == b));
    is_scarce || is_sequence || is_periodic
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD as BASE64;

    /// 32 bytes, with both characters that differ between the alphabets.
    const RANDOM: &str = "3q2+7/r5Qm0aZcTkX8uRj1hNwYb4E6pVsLdGfIi9oKo=";

    #[test]
    fn both_alphabets_and_any_padding_give_the_same_key() {
        let bytes = BASE64.decode(RANDOM).unwrap();
        let url_safe = RANDOM.replace('+', "-").replace('/', "_");
        for text in [RANDOM, RANDOM.trim_end_matches('='), &url_safe, &format!(" {RANDOM}\r\n")] {
            assert!(MasterKey::from_base64(text).unwrap().is_same_as(&bytes), "{text}");
        }
    }

    fn of(bytes: &[u8]) -> KeyFault {
        text(&BASE64.encode(bytes))
    }

    fn text(text: &str) -> KeyFault {
        MasterKey::from_base64(text).unwrap_err()
    }

    #[test]
    fn a_key_is_32_bytes_in_base64_or_more() {
        assert_eq!(of(&BASE64.decode(RANDOM).unwrap()[..31]), KeyFault::TooShort { bytes: 31 });
        assert_eq!(text(""), KeyFault::TooShort { bytes: 0 });
        assert_eq!(text("not base64 at all, by its spaces and comma"), KeyFault::NotBase64);
        assert_eq!(text(&RANDOM.replace('7', "-")), KeyFault::NotBase64);
    }

    #[test]
    fn a_key_with_a_pattern_is_refused() {
        let random = BASE64.decode(RANDOM).unwrap();
        let counting: Vec<u8> = (0..48).collect();
        let falling: Vec<u8> = (0..48).rev().map(|byte| byte * 3).collect();

        assert_eq!(of(&[0; 32]), KeyFault::Patterned);
        assert_eq!(of(&[0x41; 64]), KeyFault::Patterned);
        assert_eq!(of(&counting), KeyFault::Patterned);
        assert_eq!(of(&falling), KeyFault::Patterned);
        assert_eq!(of(&random[..16].repeat(2)), KeyFault::Patterned);
        assert_eq!(of(&random[..9].repeat(4)), KeyFault::Patterned);
        assert_eq!(of(b"abcabdabeabcabdabeabcabdabeabcabd"), KeyFault::Patterned);
        assert_eq!(of(b"aaaaaaaaaaaaaaaaaaaaaaaaaabcdefg"), KeyFault::Patterned);
    }

    #[test]
    fn a_key_needs_eight_distinct_bytes() {
        let scarce = |distinct: u8| -> Vec<u8> {
            BASE64.decode(RANDOM).unwrap().iter().map(|byte| byte % distinct).collect()
        };
        assert_eq!(of(&scarce(7)), KeyFault::Patterned);
        assert!(MasterKey::from_base64(&BASE64.encode(scarce(8))).is_ok());
    }

    #[test]
    fn a_placeholder_is_refused_as_a_key() {
        assert_eq!(of(b"changeme-changeme-changeme-12345678"), KeyFault::Placeholder);
        assert_eq!(of(b"please Change_Me before production!"), KeyFault::Placeholder);
        assert_eq!(text("changeme"), KeyFault::Placeholder);
        assert_eq!(text("REPLACE-ME-with-32-random-bytes-0123456789AB"), KeyFault::Placeholder);
    }

    #[test]
    fn a_key_recognizes_itself_raw_and_encoded() {
        let key = MasterKey::from_base64(RANDOM).unwrap();
        assert!(key.is_same_as(&BASE64.decode(RANDOM).unwrap()));
        assert!(key.is_same_as(RANDOM.as_bytes()));
        assert!(!key.is_same_as(b""));
        assert!(!key.is_same_as(&BASE64.decode(RANDOM).unwrap()[..31]));
        assert!(!key.is_same_as(RANDOM.to_lowercase().as_bytes()));
    }

    #[test]
    fn a_ring_has_one_to_four_keys() {
        let key = MasterKey::from_base64(RANDOM).unwrap();
        assert_eq!(KeyRing::new(vec![]).unwrap_err(), KeyFault::NoKey);
        assert_eq!(KeyRing::new(vec![key.clone(); 4]).unwrap().others().len(), 3);
        let crowded = KeyRing::new(vec![key; 5]).unwrap_err();
        assert_eq!(crowded, KeyFault::TooManyKeys { keys: 5 });
    }

    #[test]
    fn a_key_is_not_in_its_debug_text() {
        let ring = KeyRing::new(vec![MasterKey::from_base64(RANDOM).unwrap()]).unwrap();
        let id = ring.first().id();
        let text = format!("{:?} {ring:?}", MasterKey::from_base64(RANDOM).unwrap());
        let mac = "Hmac { ... }";
        assert_eq!(
            text,
            format!(
                "MasterKey([redacted]) KeyRing {{ first: RingKey {{ id: {id}, master: {mac} }}, \
                 others: [] }}"
            )
        );
    }

    #[test]
    fn keys_of_any_length_are_scheduled_as_hmac_says() {
        for length in [0, 1, 31, 32, 63, 64, 65, 200] {
            let key: Vec<u8> = (0..length).collect();
            let expected = HmacSha256::new_from_slice(&key).unwrap().chain_update(b"message");
            let actual = keyed(&key).chain_update(b"message");
            assert_eq!(actual.finalize().into_bytes(), expected.finalize().into_bytes());
        }
    }
}
