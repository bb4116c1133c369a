//! Verifies the signed assertion of duo-mfa in an application, with the crates `ring`, `base64` and `serde_json`.
//!
//! The application fetches `/.duo-mfa/jwks.json` by its HTTP client, at the start and every five minutes, which is how long the
//! filter's `cache-control` allows to keep it, and gives it to [`Verifier::replace_keys`].

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::Value;

/// The clocks of Envoy and of this machine may differ by as much.
const LEEWAY: u64 = 5;

/// Why the request has no valid assertion: answer 403.
pub type Refused = &'static str;

/// The request as the application received it. `path` has the query.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    pub method: &'a str,
    pub host: &'a str,
    pub path: &'a str,
    pub body: &'a [u8],
}

#[derive(Debug)]
pub struct Verifier {
    issuer: String,
    audience: String,
    /// Public keys by their `kid`.
    keys: HashMap<String, Vec<u8>>,
}

impl Verifier {
    /// A verifier without keys, which refuses every assertion.
    pub fn new(issuer: &str, audience: &str) -> Self {
        Self { issuer: issuer.to_owned(), audience: audience.to_owned(), keys: HashMap::new() }
    }

    /// Takes the keys of a JWKS in the place of those from before. Keeps those if it has none.
    pub fn replace_keys(&mut self, jwks: &[u8]) -> Result<(), Refused> {
        let jwks: Value = serde_json::from_slice(jwks).map_err(|_| "the JWKS is not JSON")?;
        let keys: HashMap<_, _> =
            jwks["keys"].as_array().into_iter().flatten().filter_map(public_key).collect();
        if keys.is_empty() {
            return Err("the JWKS has no key");
        }
        self.keys = keys;
        Ok(())
    }

    /// The claims. `max_age` is how long ago the user may have passed the second factor. Where a rule has an `approver`, the
    /// user was not asked: one of the `approvers` must have been.
    pub fn verify(
        &self,
        assertion: &str,
        max_age: Option<Duration>,
        approvers: &[&str],
    ) -> Result<Value, Refused> {
        let (signed, signature) = assertion.rsplit_once('.').ok_or("not a JWT")?;
        let (header, claims) = signed.split_once('.').ok_or("not a JWT")?;
        let header = decoded(header)?;
        if header["alg"] != "EdDSA" {
            return Err("another algorithm");
        }
        let kid = header["kid"].as_str().ok_or("no key is named")?;
        let key = self.keys.get(kid).ok_or("an unknown key")?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "not base64url")?;
        UnparsedPublicKey::new(&ED25519, key)
            .verify(signed.as_bytes(), &signature)
            .map_err(|_| "a wrong signature")?;

        let claims = decoded(claims)?;
        if claims["iss"] != *self.issuer {
            return Err("of another issuer");
        }
        if claims["aud"] != *self.audience {
            return Err("for another application");
        }
        if claims["sub"].as_str().is_none_or(str::is_empty) {
            return Err("no user");
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| "no clock")?.as_secs();
        let time = |name: &str| claims[name].as_u64().ok_or("no time");
        if time("exp")?.saturating_add(LEEWAY) <= now {
            return Err("expired");
        }
        let amr = claims["amr"].as_array().map(Vec::as_slice).unwrap_or_default();
        if !approvers.is_empty() {
            if claims["approver"] == claims["sub"]
                || !approvers.iter().any(|approver| claims["approver"] == **approver)
            {
                return Err("not approved by one of these people");
            }
        } else if !amr.iter().any(|method| method == "mfa") {
            return Err("no second factor");
        }
        let since = now.saturating_sub(time("auth_time")?);
        if max_age.is_some_and(|max| since > max.as_secs().saturating_add(LEEWAY)) {
            return Err("the second factor is too old");
        }
        Ok(claims)
    }

    /// The claims, if the approval is one of this very request. For what a rule with `approval: per_request` protects: an
    /// assertion of another approval has none of these claims, and is refused.
    pub fn verify_request(
        &self,
        assertion: &str,
        received: &Received<'_>,
        max_age: Option<Duration>,
        approvers: &[&str],
    ) -> Result<Value, Refused> {
        let claims = self.verify(assertion, max_age, approvers)?;
        let Received { method, host, path, body } = *received;
        let hash: String =
            digest(&SHA256, body).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let is_this = claims["method"] == *method
            && claims["host"] == *host
            && claims["path"] == *path
            && claims["body_sha256"] == *hash;
        if is_this { Ok(claims) } else { Err("approved for another request") }
    }
}

/// The `kid` and the bytes of an Ed25519 key.
fn public_key(jwk: &Value) -> Option<(String, Vec<u8>)> {
    if jwk["kty"] != "OKP" || jwk["crv"] != "Ed25519" {
        return None;
    }
    let key = URL_SAFE_NO_PAD.decode(jwk["x"].as_str()?).ok()?;
    Some((jwk["kid"].as_str()?.to_owned(), key))
}

fn decoded(part: &str) -> Result<Value, Refused> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| "not base64url")?;
    serde_json::from_slice(&bytes).map_err(|_| "not JSON")
}
