//! Encrypted values, for those that are credentials themselves.
//!
//! ```text
//! sealed = version u8 = 1 | key id u8 | nonce [12] | ChaCha20-Poly1305 ciphertext | tag [16]
//! AD     = "duo-mfa/" purpose "/v1" NUL | u16 length of cookie name | cookie name
//!            | version u8 | key id u8 | tag of the user and what is bound [16] | application tag [16]
//!            | context
//! ```
//!
//! See RFC 8439. The tags are not in the value, so a value of another user or application is as
//! unreadable as a forged one. The same holds for another context. A context is whatever else a
//! value belongs to; it is empty for most.

use std::iter;

use chacha20poly1305::aead::{self, AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key};

use super::keyring::{KeyRing, RingKey};
use super::token::{Purpose, TagKey, VERSION, write_prefix};
use super::{Refusal, Subject};
use crate::secret::Secret;

/// Random bytes, new for each value.
pub type Nonce = [u8; 12];

/// How many bytes longer a value becomes.
pub(super) const OVERHEAD_BYTES: usize = 2 + 12 + 16;

/// Encrypts and decrypts the values of one purpose, in one cookie, for one application.
#[derive(Clone, Debug)]
pub(super) struct Vault {
    first: VaultKey,
    others: Vec<VaultKey>,
    /// The beginning of the associated data.
    prefix: Vec<u8>,
}

#[derive(Clone, Debug)]
struct VaultKey {
    cipher: ChaCha20Poly1305,
    tags: TagKey,
}

impl Vault {
    pub(super) fn new(ring: &KeyRing, purpose: Purpose, cookie: &str, application: &str) -> Self {
        let vault_key = |key: &RingKey| {
            let bytes = Secret::new(key.derived(purpose.0));
            VaultKey {
                cipher: ChaCha20Poly1305::new(&Key::from(*bytes.expose())),
                tags: TagKey::new(key, application),
            }
        };
        let mut prefix = Vec::new();
        write_prefix(purpose, cookie, |bytes| prefix.extend_from_slice(bytes));
        let others = ring.others().iter().map(vault_key).collect();
        Self { first: vault_key(ring.first()), others, prefix }
    }

    /// The key that encrypts.
    pub(super) const fn first(&self) -> &TagKey {
        &self.first.tags
    }

    /// Encrypts a value for a user.
    pub(super) fn seal(&self, plain: &[u8], subject: &Subject<'_>, nonce: Nonce) -> Vec<u8> {
        self.seal_in(&[], plain, subject, nonce)
    }

    /// Encrypts a value for a user in a context.
    pub(super) fn seal_in(
        &self,
        context: &[u8],
        plain: &[u8],
        subject: &Subject<'_>,
        nonce: Nonce,
    ) -> Vec<u8> {
        let mut text = plain.to_vec();
        let key = &self.first;
        let data = self.associated_data(&key.tags, subject, context);
        match key.cipher.encrypt_in_place(&nonce.into(), &data, &mut text) {
            Ok(()) => [[VERSION, key.tags.id()].as_slice(), &nonce, &text].concat(),
            // Only for a value of 256 GiB. An empty value cannot be decrypted.
            Err(aead::Error) => Vec::new(),
        }
    }

    /// A nonce that is a keyed hash of the value, the user and the context. So it only repeats for
    /// the same value.
    pub(super) fn nonce(
        &self,
        label: &str,
        context: &[u8],
        plain: &[u8],
        subject: &Subject<'_>,
    ) -> Nonce {
        let key = self.first();
        let user = key.bound_user(subject);
        let mut parts = vec![plain, &user, key.application()];
        parts.extend(Some(context).filter(|context| !context.is_empty()));
        let [a, b, c, d, e, f, g, h, i, j, k, l, ..] = key.tag(label, &parts);
        [a, b, c, d, e, f, g, h, i, j, k, l]
    }

    /// Decrypts a value that was encrypted for this user.
    pub(super) fn open(
        &self,
        sealed: &[u8],
        subject: &Subject<'_>,
    ) -> Result<Secret<Vec<u8>>, Refusal> {
        self.open_in(&[], sealed, subject).map(|(plain, _)| plain)
    }

    /// Decrypts a value of a context. Also returns the key that encrypted it.
    pub(super) fn open_in(
        &self,
        context: &[u8],
        sealed: &[u8],
        subject: &Subject<'_>,
    ) -> Result<(Secret<Vec<u8>>, &TagKey), Refusal> {
        let (&[version, id], rest) = sealed.split_first_chunk().ok_or(Refusal::Length)?;
        let (&nonce, text) = rest.split_first_chunk::<12>().ok_or(Refusal::Length)?;
        if version != VERSION {
            return Err(Refusal::Layout);
        }
        let mut refusal = Refusal::UnknownKey;
        let keys = iter::once(&self.first).chain(&self.others);
        for key in keys.filter(|key| key.tags.id() == id) {
            let mut text = text.to_vec();
            let data = self.associated_data(&key.tags, subject, context);
            if key.cipher.decrypt_in_place(&nonce.into(), &data, &mut text).is_ok() {
                return Ok((Secret::new(text), &key.tags));
            }
            refusal = Refusal::Forged;
        }
        Err(refusal)
    }

    fn associated_data(&self, key: &TagKey, subject: &Subject<'_>, context: &[u8]) -> Vec<u8> {
        let head = [VERSION, key.id()];
        let user = key.bound_user(subject);
        [&self.prefix, head.as_slice(), &user, key.application(), context].concat()
    }
}
