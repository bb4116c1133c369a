//! Signed assertions: proof for the application that this user has passed a second factor.
//!
//! In go the facts of an approval and the time. Out comes a JSON Web Token (RFC 7519), signed by
//! EdDSA (RFC 8037), and the set of public keys that verifies it (RFC 7517). Nothing here knows
//! requests, cookies or rules.

mod claims;
mod key;
mod settings;

pub use claims::{Claims, RequestClaims, ascii};
pub use key::AssertionKey;
pub use settings::AssertionSettings;

use crate::clock::UnixTime;
use crate::http::HeaderValue;
use crate::json::ObjectText;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Signs assertions, and publishes the keys.
#[derive(Debug)]
pub struct Assertions {
    settings: AssertionSettings,
    key: AssertionKey,
    /// The encoded header of each token, and the dot after it.
    head: String,
    key_set: String,
    settings_tag: [u8; 16],
}

/// An assertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// The token.
    pub token: HeaderValue,
    /// When it was signed.
    pub issued: UnixTime,
    /// Until when it may be sent to the application again. At least half of its lifetime is left
    /// then, unless the approval ends before.
    pub reusable_until: UnixTime,
}

impl Assertions {
    /// The first key signs, all are published. `rules` are the rules' names, by their numbers.
    #[must_use]
    pub fn new<'a>(
        settings: AssertionSettings,
        key: AssertionKey,
        others: &[AssertionKey],
        rules: impl Iterator<Item = Option<&'a str>>,
    ) -> Self {
        let head = ObjectText::new().text("alg", key::ALGORITHM).text("typ", "JWT");
        let mut head = URL_SAFE_NO_PAD.encode(head.text("kid", key.id()).finish());
        head.push('.');
        let keys = std::iter::once(&key).chain(others).map(AssertionKey::public);
        let key_set = ObjectText::new().objects("keys", keys).finish();
        let settings_tag = settings_tag(&settings, &key, rules);
        Self { settings, key, head, key_set, settings_tag }
    }

    /// The settings.
    #[must_use]
    pub const fn settings(&self) -> &AssertionSettings {
        &self.settings
    }

    /// The public keys: a JSON Web Key Set.
    #[must_use]
    pub fn key_set(&self) -> &str {
        &self.key_set
    }

    /// Represents everything that an assertion depends on, besides its approval, its user and the
    /// rule's number.
    #[must_use]
    pub const fn settings_tag(&self) -> &[u8; 16] {
        &self.settings_tag
    }

    /// Signs an assertion.
    // Not inlined: few of the requests that pass need a new one.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn sign(&self, claims: &Claims<'_>, now: UnixTime) -> Assertion {
        let lifetime = self.settings.lifetime;
        let full = now.plus(lifetime);
        let expires = claims.ends.map_or(full, |ends| ends.min(full));
        let payload = claims.text(&self.settings, now, expires);
        let mut token = self.head.clone();
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature = self.key.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        // A new one would not live longer than the approval either.
        let half = now.plus(lifetime.checked_div(2).unwrap_or_default());
        let reusable_until = if expires < full { expires } else { half };
        Assertion { token: HeaderValue::lossy(token), issued: now, reusable_until }
    }
}

fn settings_tag<'a>(
    settings: &AssertionSettings,
    key: &AssertionKey,
    rules: impl Iterator<Item = Option<&'a str>>,
) -> [u8; 16] {
    let AssertionSettings { issuer, audience, lifetime, header: _ } = settings;
    let mut digest = Sha256::new();
    let mut part = |text: &str| {
        digest.update(text.len().to_string());
        digest.update(b":");
        digest.update(text);
    };
    [key.id(), issuer, audience, &lifetime.as_secs().to_string()].into_iter().for_each(&mut part);
    rules.for_each(|name| part(name.unwrap_or_default()));
    let [tag @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _]: [u8; 32] =
        digest.finalize().into();
    tag
}

#[cfg(test)]
mod tests;
