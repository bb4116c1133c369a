//! Random-looking texts that travel between the filter, the browser and Duo: `state`, `nonce`,
//! `duo_code` and `jti`. None of them is in a `Debug` text.

use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::duo::sign;
use crate::secret::Secret;

/// How many random bytes make a [`Jti`]: 36 hexadecimal digits, as in Duo's own clients.
const JTI_BYTES: usize = 18;

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

impl From<[u8; JTI_BYTES]> for Jti {
    /// The bytes as hexadecimal digits. They must be random.
    fn from(random: [u8; JTI_BYTES]) -> Self {
        Self(Secret::new(sign::hex(&random)))
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
    fn random_bytes_become_36_hexadecimal_digits() {
        let mut random = [0xff; 18];
        random[0] = 0x01;
        let jti = Jti::from(random);
        assert_eq!(jti.as_str(), format!("01{}", "ff".repeat(17)));
        assert!(jti.as_str().parse::<Jti>().is_ok());
        assert_eq!(format!("{jti:?}"), "Jti([redacted])");
    }
}
