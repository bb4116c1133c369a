//! Names and seals for data that all workers of an Envoy share.
//!
//! Envoy gives shared data to every plugin with the same `vm_id`, and Istio gives all plugins the
//! same one. So a neighbor could write what this filter keeps there. Two things prevent that:
//!
//! - The name of each value is derived from a secret. The host has no call that lists names, so
//!   only a plugin that knows the secret can name a value.
//! - Each value carries a MAC that covers its kind and number. A value that another plugin wrote,
//!   or that was moved to another number, is not read.
//!
//! ```text
//! key    = HMAC-SHA-256(secret, "duo-mfa:kdf:shared:v1" NUL | u16 length | part | ...)
//! name   = "duo_mfa/" | hex of HMAC-SHA-256(key, "name" NUL | kind) cut to 16 bytes | "/" | number
//! sealed = value | HMAC-SHA-256(key, "seal" NUL | kind | u16 number | value) cut to 16 bytes
//! ```

use super::keyring::{HmacSha256, MasterKey, keyed};
use super::token::{Tag, tag, write_part};
use crate::hex::hex;
use crate::secret::Secret;
use hmac::Mac;
use subtle::ConstantTimeEq;

const MAC_BYTES: usize = 16;
const _: () = assert!(size_of::<Tag>() == MAC_BYTES);

/// The key for data that configurations of one Envoy share.
#[derive(Clone, Debug)]
pub struct SharedKey(HmacSha256);

/// The values of one kind in shared data, each with a number.
#[derive(Clone, Debug)]
pub struct SharedValues {
    key: HmacSha256,
    kind: String,
    /// The beginning of all names.
    prefix: String,
}

impl SharedKey {
    /// Derives the key from a secret of at least 20 bytes. Other `parts` give another key.
    #[must_use]
    pub fn new(secret: &[u8], parts: &[&[u8]]) -> Self {
        let mut mac = keyed(secret).chain_update(b"duo-mfa:kdf:shared:v1\0");
        for part in parts {
            write_part(part, |bytes| mac.update(bytes));
        }
        let key: [u8; 32] = mac.finalize().into_bytes().into();
        Self(keyed(Secret::new(key).expose()))
    }

    /// Derives the key from a master key.
    #[must_use]
    pub fn of_master(master: &MasterKey) -> Self {
        Self::new(master.bytes(), &[])
    }

    /// A tag of parts of a kind, for data that others may read. Without the key nobody can compute
    /// or choose it.
    #[must_use]
    pub fn tag(&self, kind: &str, parts: &[&[u8]]) -> [u8; 16] {
        tag(&self.0, kind, parts)
    }

    /// The values of one kind. `kind` also names their layout, so that two versions of the filter
    /// do not read each other's values.
    #[must_use]
    pub fn values(&self, kind: &str) -> SharedValues {
        let prefix = format!("duo_mfa/{}", hex(&tag(&self.0, "name", &[kind.as_bytes()])));
        SharedValues { key: self.0.clone(), kind: kind.to_owned(), prefix }
    }
}

impl SharedValues {
    /// The name of a value.
    #[must_use]
    pub fn name(&self, number: u16) -> String {
        format!("{}/{number:04x}", self.prefix)
    }

    /// The value as it is stored.
    #[must_use]
    pub fn seal(&self, number: u16, mut value: Vec<u8>) -> Vec<u8> {
        let mac = self.mac(number, &value);
        value.extend_from_slice(&mac);
        value
    }

    /// The value that [`Self::seal`] stored under this number; `None` for any other bytes.
    #[must_use]
    pub fn open<'b>(&self, number: u16, sealed: &'b [u8]) -> Option<&'b [u8]> {
        let (value, mac) = sealed.split_last_chunk::<MAC_BYTES>()?;
        bool::from(self.mac(number, value).ct_eq(mac)).then_some(value)
    }

    fn mac(&self, number: u16, value: &[u8]) -> Tag {
        tag(&self.key, "seal", &[self.kind.as_bytes(), &number.to_be_bytes(), value])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep";

    fn values() -> SharedValues {
        SharedKey::new(SECRET, &[b"host"]).values("limit/1")
    }

    #[test]
    fn a_sealed_value_opens_only_under_its_own_kind_and_number() {
        let key = SharedKey::new(SECRET, &[b"host"]);
        let sealed = values().seal(7, b"value".to_vec());
        assert_eq!(values().open(7, &sealed), Some(b"value".as_slice()));
        assert_eq!(values().open(8, &sealed), None, "moved");
        assert_eq!(key.values("limit/2").open(7, &sealed), None, "of another kind");
        for other in [SharedKey::new(SECRET, &[b"host2"]), SharedKey::new(b"other", &[b"host"])] {
            assert_eq!(other.values("limit/1").open(7, &sealed), None, "under another key");
        }
    }

    #[test]
    fn each_cookie_key_gives_other_names_and_values() {
        let of = |key: &str| SharedKey::of_master(&MasterKey::from_base64(key).unwrap());
        let first = of("3q2+7/r5Qm0aZcTkX8uRj1hNwYb4E6pVsLdGfIi9oKo=").values("limit/1");
        let second = of("4q2+7/r5Qm0aZcTkX8uRj1hNwYb4E6pVsLdGfIi9oKo=").values("limit/1");
        assert_ne!(first.name(7), second.name(7));
        assert_eq!(second.open(7, &first.seal(7, b"value".to_vec())), None);
        let absent = SharedKey::new(b"", &[]).values("limit/1");
        assert_ne!(first.name(7), absent.name(7));
    }

    #[test]
    fn no_other_bytes_open() {
        let sealed = values().seal(7, b"value".to_vec());
        for end in 0..sealed.len() {
            assert_eq!(values().open(7, &sealed[..end]), None, "{end}");
        }
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(values().open(7, &changed), None, "{place}");
        }
        assert_eq!(values().open(7, &[sealed.as_slice(), &[0]].concat()), None);
    }

    #[test]
    fn a_name_depends_on_key_kind_and_number() {
        let key = SharedKey::new(SECRET, &[b"host"]);
        let names = [
            values().name(7),
            values().name(8),
            key.values("limit/2").name(7),
            SharedKey::new(SECRET, &[b"host2"]).values("limit/1").name(7),
            SharedKey::new(SECRET, &[b"ho", b"st"]).values("limit/1").name(7),
            SharedKey::new(b"another secret", &[b"host"]).values("limit/1").name(7),
        ];
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        assert_eq!(values().name(7), names[0]);
        assert!(names.iter().all(|name| name.starts_with("duo_mfa/") && name.len() == 45));
    }

    #[test]
    fn the_key_is_not_in_its_debug_text() {
        let key = SharedKey::new(SECRET, &[]);
        assert_eq!(format!("{key:?}"), "SharedKey(Hmac { ... })");
    }
}
