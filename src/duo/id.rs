//! Ids that Duo assigns and that the filter sends back unchanged.

use std::fmt;
use std::str::FromStr;

const MAX_BYTES: usize = 64;

/// A transaction: one authentication attempt. Its holder can follow the attempt, so it is not in a
/// `Debug` text.
#[derive(Clone, PartialEq, Eq)]
pub struct Txid(String);

/// A device of a user: `DP...` a phone, `DH...` a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceId(String);

/// A user: `DU...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserId(String);

/// The text is not an id: 1 to 64 letters, digits, `-` and `_`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to 64 letters, digits, hyphens and underscores")]
pub struct MalformedId;

impl fmt::Debug for Txid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Txid([redacted])")
    }
}

macro_rules! id {
    ($name:ident) => {
        impl $name {
            /// The id as Duo wrote it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;

            fn from_str(text: &str) -> Result<Self, MalformedId> {
                if is_id(text) { Ok(Self(text.to_owned())) } else { Err(MalformedId) }
            }
        }
    };
}

id!(Txid);
id!(DeviceId);
id!(UserId);

fn is_id(text: &str) -> bool {
    (1..=MAX_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_plain() {
        let txid: Txid = "45f7c92b-f45f-4862-8545-e0f58e78075a".parse().unwrap();
        assert_eq!(txid.as_str(), "45f7c92b-f45f-4862-8545-e0f58e78075a");
        assert_eq!(format!("{txid:?}"), "Txid([redacted])");
        for text in ["", "a b", "a&b", "a\n", "é", "a/../b", &"x".repeat(65)] {
            assert_eq!(text.parse::<Txid>(), Err(MalformedId), "{text:?}");
            assert_eq!(text.parse::<DeviceId>(), Err(MalformedId), "{text:?}");
        }
    }
}
