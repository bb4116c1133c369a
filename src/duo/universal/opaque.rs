//! Random-looking texts that are exchanged between the filter, the browser and Duo: `state`,
//! `nonce`, `duo_code` and `jti`. None of them is in a `Debug` text.

use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::hex::hex;
use crate::secret::Secret;

/// The `state` of an attempt: 16 to 1,024 characters of the base64url alphabet. Duo returns it
/// unchanged.
#[derive(Clone, Debug)]
pub struct State(Secret<String>);

/// The `nonce` of an attempt: 16 to 1,024 unreserved characters (RFC 3986, section 2.3). Duo signs
/// it into the id_token.
#[derive(Clone, Debug)]
pub struct Nonce(Secret<String>);

/// The `duo_code` of a callback: 1 to 512 unreserved characters (RFC 3986, section 2.3). Duo
/// documents neither its length nor its alphabet; 32 letters and digits were seen.
#[derive(Clone, Debug)]
pub struct Code(Secret<String>);

/// The `jti` of a client assertion: 16 to 64 unreserved characters, new for each call.
#[derive(Clone, Debug)]
pub struct Jti(Secret<String>);

/// A text whose length or alphabet is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is too short, too long, or has a character that does not belong there")]
pub struct NotOpaque;

macro_rules! opaque {
    ($name:ident, $lengths:expr, $alphabet:expr) => {
        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.expose()
            }
        }

        impl FromStr for $name {
            type Err = NotOpaque;

            fn from_str(text: &str) -> Result<Self, NotOpaque> {
                checked(text, $lengths, $alphabet).map(Self)
            }
        }
    };
}

opaque!(State, 16..=1_024, is_base64url);
opaque!(Nonce, 16..=1_024, is_unreserved);
opaque!(Code, 1..=512, is_unreserved);
opaque!(Jti, 16..=64, is_unreserved);

impl From<[u8; 16]> for Jti {
    /// The bytes as hexadecimal digits, in groups as those of a UUID (RFC 9562, section 4): 36
    /// characters, as in Duo's own clients. They must be random.
    fn from(random: [u8; 16]) -> Self {
        let mut text = hex(&random);
        for place in [20, 16, 12, 8] {
            text.insert(place, '-');
        }
        Self(Secret::new(text))
    }
}

fn checked(
    text: &str,
    lengths: RangeInclusive<usize>,
    alphabet: fn(u8) -> bool,
) -> Result<Secret<String>, NotOpaque> {
    if lengths.contains(&text.len()) && text.bytes().all(alphabet) {
        Ok(Secret::new(text.to_owned()))
    } else {
        Err(NotOpaque)
    }
}

const fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

const fn is_unreserved(byte: u8) -> bool {
    is_base64url(byte) || matches!(byte, b'.' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_bounded_at_both_ends() {
        let accepts = |length: usize| {
            let text = "s".repeat(length);
            [
                text.parse::<State>().is_ok(),
                text.parse::<Nonce>().is_ok(),
                text.parse::<Code>().is_ok(),
                text.parse::<Jti>().is_ok(),
            ]
        };
        assert_eq!(accepts(0), [false, false, false, false]);
        assert_eq!(accepts(1), [false, false, true, false]);
        assert_eq!(accepts(15), [false, false, true, false]);
        assert_eq!(accepts(16), [true, true, true, true]);
        assert_eq!(accepts(65), [true, true, true, false]);
        assert_eq!(accepts(513), [true, true, false, false]);
        assert_eq!(accepts(1_024), [true, true, false, false]);
        assert_eq!(accepts(1_025), [false, false, false, false]);
    }

    #[test]
    fn only_the_alphabet_is_accepted() {
        for byte in 0..=0x7f_u8 {
            let text = char::from(byte).to_string().repeat(16);
            let is_plain = byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            assert_eq!(text.parse::<State>().is_ok(), is_plain, "{text:?}");
            let is_unreserved = is_plain || b".~".contains(&byte);
            assert_eq!(text.parse::<Code>().is_ok(), is_unreserved, "{text:?}");
        }
        assert!("éééééééé".parse::<Nonce>().is_err());
    }

    #[test]
    fn random_bytes_become_36_characters() {
        let jti =
            Jti::from([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0, 0, 0, 0, 0, 0, 0, 0xff]);
        assert_eq!(jti.as_str(), "01234567-89ab-cdef-0000-0000000000ff");
        assert!(jti.as_str().parse::<Jti>().is_ok());
        assert_eq!(format!("{jti:?}"), "Jti([redacted])");
    }
}
