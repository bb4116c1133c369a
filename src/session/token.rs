//! A signed token: the input of its MAC, its encoding, and the tags in it.
//!
//! ```text
//! token   = base64url, without padding, of payload | MAC
//! payload = version u8 | key id u8 | fields
//! MAC     = HMAC-SHA-256(K_purpose,
//!             "duo-mfa/" purpose "/v1" NUL | u16 length of cookie name | cookie name | payload)
//! tag     = HMAC-SHA-256(K_sub, label NUL | u16 length | part | ...) cut to 16 bytes
//! ```
//!
//! All numbers are big-endian. Purpose and label have no NUL, parts carry their length, and the
//! payload comes last. So two different tokens never give the MAC the same input.

use std::hint::black_box;
use std::{iter, ptr};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac;
use hmac::digest::Output;
use hmac::digest::consts::U16;
use subtle::ConstantTimeEq;

use super::Refusal;
use super::keyring::{HmacSha256, KeyRing, RingKey};

pub(super) const VERSION: u8 = 1;
/// Bytes of an HMAC-SHA-256.
pub(super) const MAC_BYTES: usize = 32;
/// Bytes before the fields: version and key id.
pub(super) const HEAD_BYTES: usize = 2;

/// The user of a request, as the first factor named them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The identity source, so that equal names from two sources are two users.
    pub source: &'a str,
    /// The canonical name.
    pub user: &'a str,
    /// The other values that approvals are bound to, as in [`super::Bound`]; empty if there are
    /// none.
    pub bound: &'a [u8],
}

/// Represents a text in a token. Equal only for equal texts under one key, and not reversible.
pub(super) type Tag = [u8; 16];

/// The purpose of a token. Each has a separate key and label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Purpose(pub(super) &'static str);

impl Purpose {
    /// The approval cookie.
    pub(super) const SESSION: Self = Self("session");
    /// The pending sign-in.
    pub(super) const TRANSACTION: Self = Self("txn");
    /// The activation of a device, inside a pending sign-in.
    pub(super) const ENROLLMENT: Self = Self("enroll");
    /// The token of a remembered device.
    pub(super) const DEVICE: Self = Self("device");
    /// The approval of one request.
    pub(super) const PER_REQUEST: Self = Self("operation");
    /// A sign-in at Duo's page, as it travels there and back.
    pub(super) const ATTEMPT: Self = Self("attempt");
    /// The browser in which a sign-in at Duo's page began.
    pub(super) const BROWSER: Self = Self("browser");
    /// The preferred device and factor.
    pub(super) const PREFERENCE: Self = Self("preferred");
    /// Not for a token: for the tags in all of them.
    const SUBJECT: Self = Self("sub");
}

/// Signs and checks the tokens of one purpose, in one cookie, for one application.
#[derive(Clone, Debug)]
pub(super) struct Sealer {
    first: TokenKey,
    others: Vec<TokenKey>,
}

/// The state of one key of the ring, computed once.
#[derive(Clone, Debug)]
struct TokenKey {
    /// An HMAC that has already read everything before the payload.
    mac: HmacSha256,
    tags: TagKey,
}

/// Makes tags under one key of the ring.
#[derive(Clone, Debug)]
pub(super) struct TagKey {
    id: u8,
    subject: HmacSha256,
    application: Tag,
}

/// A token whose MAC is correct.
#[derive(Debug)]
pub(super) struct Opened<'s, 'b> {
    pub(super) fields: &'b [u8],
    pub(super) key: &'s TagKey,
    /// Whether it was signed with the key that signs new tokens.
    pub(super) key_is_first: bool,
}

impl Sealer {
    pub(super) fn new(ring: &KeyRing, purpose: Purpose, cookie: &str, application: &str) -> Self {
        let token_key = |key: &RingKey| TokenKey::new(key, purpose, cookie, application);
        let others = ring.others().iter().map(token_key).collect();
        Self { first: token_key(ring.first()), others }
    }

    /// The key that signs.
    pub(super) const fn first(&self) -> &TagKey {
        &self.first.tags
    }

    /// All keys, the signing one first.
    pub(super) fn keys(&self) -> impl Iterator<Item = &TagKey> {
        self.token_keys().map(|key| &key.tags)
    }

    fn token_keys(&self) -> impl Iterator<Item = &TokenKey> {
        iter::once(&self.first).chain(&self.others)
    }

    /// Writes a token. Tags in the fields must be those of [`Self::first`].
    pub(super) fn seal(&self, fields: &[u8]) -> String {
        let mut token = vec![VERSION, self.first.tags.id];
        token.extend_from_slice(fields);
        let mac = self.first.mac.clone().chain_update(&token).finalize();
        token.extend_from_slice(&mac.into_bytes());
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Reads a token into `buffer`, whose length is the limit.
    pub(super) fn open<'b>(
        &self,
        token: &[u8],
        buffer: &'b mut [u8],
    ) -> Result<Opened<'_, 'b>, Refusal> {
        // The engine accepts no padding, no foreign character and no stray bits, so each token has
        // one text.
        let written = URL_SAFE_NO_PAD.decode_slice(token, buffer).map_err(|_| Refusal::Encoding)?;
        let (payload, mac) = buffer
            .get(..written)
            .and_then(|bytes| bytes.split_last_chunk::<MAC_BYTES>())
            .ok_or(Refusal::Length)?;
        let (&[version, id], fields) =
            payload.split_first_chunk::<HEAD_BYTES>().ok_or(Refusal::Length)?;
        if version != VERSION {
            return Err(Refusal::Layout);
        }
        let mut refusal = Refusal::UnknownKey;
        for key in self.token_keys().filter(|key| key.tags.id == id) {
            if key.has_signed(payload, mac) {
                let key_is_first = ptr::eq(key, &self.first);
                return Ok(Opened { fields, key: &key.tags, key_is_first });
            }
            refusal = Refusal::Forged;
        }
        if refusal == Refusal::UnknownKey {
            // It takes as long as with a known key, so the time does not reveal which ids are in
            // the ring.
            black_box(self.first.has_signed(payload, mac));
        }
        Err(refusal)
    }
}

impl TokenKey {
    fn new(key: &RingKey, purpose: Purpose, cookie: &str, application: &str) -> Self {
        let mut mac = key.derive(purpose.0);
        write_prefix(purpose, cookie, |bytes| mac.update(bytes));
        Self { mac, tags: TagKey::new(key, application) }
    }

    fn has_signed(&self, payload: &[u8], mac: &[u8; MAC_BYTES]) -> bool {
        self.mac.clone().chain_update(payload).verify_slice(mac).is_ok()
    }
}

impl TagKey {
    pub(super) fn new(key: &RingKey, application: &str) -> Self {
        let subject = key.derive(Purpose::SUBJECT.0);
        let application = tag(&subject, "app", &[application.as_bytes()]);
        Self { id: key.id(), subject, application }
    }

    /// The byte that tokens name this key by.
    pub(super) const fn id(&self) -> u8 {
        self.id
    }

    /// The tag of a user.
    pub(super) fn user(&self, subject: &Subject<'_>) -> Tag {
        tag(&self.subject, "sub", &[subject.source.as_bytes(), subject.user.as_bytes()])
    }

    /// The tag of the values that an approval is bound to; zeros if there are none.
    pub(super) fn binding(&self, subject: &Subject<'_>) -> Tag {
        match subject.bound {
            [] => Tag::default(),
            bound => tag(&self.subject, "bind", &[bound]),
        }
    }

    /// The tag of a user together with the values that approvals are bound to.
    pub(super) fn bound_user(&self, subject: &Subject<'_>) -> Tag {
        match subject.bound {
            [] => self.user(subject),
            bound => tag(&self.subject, "bound sub", &[&self.user(subject), bound]),
        }
    }

    /// The application's tag.
    pub(super) const fn application(&self) -> &Tag {
        &self.application
    }

    /// The tag of parts under a label that no token uses.
    pub(super) fn tag(&self, label: &str, parts: &[&[u8]]) -> Tag {
        tag(&self.subject, label, parts)
    }

    /// As [`Self::tag`], in full length.
    pub(super) fn hash(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        hash(&self.subject, label, parts).into()
    }

    /// Whether the tags of a token are those of this application and this user.
    pub(super) fn check(
        &self,
        application: &Tag,
        user: &Tag,
        subject: &Subject<'_>,
    ) -> Result<(), Refusal> {
        self.check_tags(application, user, &self.user(subject))
    }

    /// Like [`Self::check`], if the user's tag is that of [`Self::bound_user`].
    pub(super) fn check_bound(
        &self,
        application: &Tag,
        user: &Tag,
        subject: &Subject<'_>,
    ) -> Result<(), Refusal> {
        self.check_tags(application, user, &self.bound_user(subject))
    }

    fn check_tags(&self, application: &Tag, user: &Tag, expected: &Tag) -> Result<(), Refusal> {
        if !bool::from(application.ct_eq(&self.application)) {
            return Err(Refusal::OtherApplication);
        }
        if !bool::from(user.ct_eq(expected)) {
            return Err(Refusal::OtherUser);
        }
        Ok(())
    }
}

/// The input of the MAC before the payload.
pub(super) fn write_prefix(purpose: Purpose, cookie: &str, mut write: impl FnMut(&[u8])) {
    write(b"duo-mfa/");
    write(purpose.0.as_bytes());
    write(b"/v1\0");
    write_part(cookie.as_bytes(), write);
}

pub(super) fn tag(key: &HmacSha256, label: &str, parts: &[&[u8]]) -> Tag {
    let (tag, _) = hash(key, label, parts).split::<U16>();
    tag.into()
}

fn hash(key: &HmacSha256, label: &str, parts: &[&[u8]]) -> Output<HmacSha256> {
    let mut mac = key.clone().chain_update(label).chain_update([0]);
    for part in parts {
        write_part(part, |bytes| mac.update(bytes));
    }
    mac.finalize().into_bytes()
}

/// Writes a part after its length. A part of 65,535 bytes or more is written in pieces, of which
/// only the last is shorter. So no piece is too long, and no two parts are written alike.
pub(super) fn write_part(mut part: &[u8], mut write: impl FnMut(&[u8])) {
    while let Some((piece, rest)) = part.split_at_checked(usize::from(u16::MAX)) {
        write(&u16::MAX.to_be_bytes());
        write(piece);
        part = rest;
    }
    write(&u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes());
    write(part);
}

#[cfg(test)]
mod tests;
