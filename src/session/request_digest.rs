//! The digest of one request: its method, target, body, and the headers that change their meaning.
//!
//! ```text
//! digest = SHA-256( method | authority | path with query | SHA-256 of the body
//!                      | name | value of each header that changes what they mean )
//! ```
//!
//! Each part comes after its length, as [`super::token`] writes it, so no two requests give the
//! same bytes. Other headers are not included.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Refusal;
use super::token::write_part;

/// The hash of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyDigest([u8; 32]);

/// The hash of a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestDigest([u8; 32]);

impl BodyDigest {
    /// The hash of an empty body.
    #[must_use]
    pub fn of_none() -> Self {
        Self::of(&[])
    }

    /// The hash of a body.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        Self(Sha256::digest(body).into())
    }

    /// The bytes of the hash.
    #[must_use]
    pub const fn bytes(&self) -> [u8; 32] {
        self.0
    }

    /// Reads 64 hexadecimal digits; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut digest = [0; 32];
        if digits.len() != 64 {
            return None;
        }
        for (byte, pair) in digest.iter_mut().zip(digits.as_chunks::<2>().0) {
            let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
            *byte = u8::try_from(high?.checked_mul(16)?.checked_add(low?)?).ok()?;
        }
        Some(Self(digest))
    }
}

impl RequestDigest {
    /// The digest of a request with these parts, as they are sent, without headers.
    #[must_use]
    pub fn of(method: &[u8], authority: &[u8], target: &[u8], body: &BodyDigest) -> Self {
        Self::with_headers(method, authority, target, body, std::iter::empty())
    }

    /// The digest of a request with these parts, and these headers in this order.
    pub fn with_headers<'h>(
        method: &[u8],
        authority: &[u8],
        target: &[u8],
        body: &BodyDigest,
        headers: impl Iterator<Item = (&'static str, &'h [u8])>,
    ) -> Self {
        let mut digest = Sha256::new();
        for part in [method, authority, target, &body.0] {
            write_part(part, |piece| digest.update(piece));
        }
        for (name, value) in headers {
            write_part(name.as_bytes(), |piece| digest.update(piece));
            write_part(value, |piece| digest.update(piece));
        }
        Self(digest.finalize().into())
    }

    /// The digest of the request as a person with these names may approve it: the canonical name,
    /// and the name at Duo. It differs from that of the same request without an approver, since no
    /// method has a NUL.
    #[must_use]
    pub fn approved_by(&self, user: &str, username: &str) -> Self {
        let mut digest = Sha256::new();
        for part in
            [b"\0approver".as_slice(), self.0.as_slice(), user.as_bytes(), username.as_bytes()]
        {
            write_part(part, |piece| digest.update(piece));
        }
        Self(digest.finalize().into())
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// # Errors
    ///
    /// [`Refusal::OtherRequest`] if the digests differ.
    pub(super) fn check(&self, other: &Self) -> Result<(), Refusal> {
        if bool::from(self.0.ct_eq(&other.0)) { Ok(()) } else { Err(Refusal::OtherRequest) }
    }
}
