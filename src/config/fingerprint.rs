//! The name of a configuration's content.

use crate::hex::hex;
use crate::json::Json;
use sha2::{Digest, Sha256};

/// The first eight bytes of the SHA-256 of the [canonical](Json::canonical) text, in hexadecimal
/// digits. A host that has an object and no text passes its members in any order, so the bytes of
/// the host do not do.
pub(super) fn fingerprint(value: &Json) -> String {
    let digest = Sha256::digest(value.canonical());
    hex(digest.get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::fingerprint;
    use crate::json::Json;

    #[test]
    fn it_is_the_same_for_each_order_of_members() {
        let of = |text: &str| fingerprint(&Json::read(text.as_bytes()).unwrap());
        // printf '{"a":{"b":1,"c":["x"]},"d":true}' | sha256sum
        let expected = "a35a8ac9369773d9";
        assert_eq!(of(r#"{"a":{"b":1,"c":["x"]},"d":true}"#), expected);
        assert_eq!(of(r#"{"d": true, "a": {"c": ["x"], "b": 1.0}}"#), expected);
        assert_ne!(of(r#"{"a":{"b":2,"c":["x"]},"d":true}"#), expected);
    }
}
