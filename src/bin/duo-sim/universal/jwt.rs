//! Compact JWTs with HMAC-SHA512: reading, verifying and signing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq as _;

/// How far in the future `exp` may be, in seconds.
const MAX_LIFETIME: f64 = 3600.0;

/// Why a JWT is refused. Duo does not report it to clients; tests read it in `Debug`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum JwtError {
    #[error("not three parts of base64url with JSON objects in them")]
    Malformed,
    #[error("signed by another algorithm than HS512")]
    Algorithm,
    #[error("the signature is wrong")]
    Signature,
    #[error("`exp` is missing, past, or more than an hour ahead")]
    Expiry,
    #[error("a claim is missing or has another value than it should")]
    Claim,
    #[error("the `jti` was seen before")]
    Reused,
    #[error("the client is not a Web SDK application")]
    Client,
}

/// The claims of a JWT with a correct signature; times are not checked.
pub(super) fn opened(jwt: &str, secret: &str) -> Result<Map<String, Value>, JwtError> {
    let mut parts = jwt.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(JwtError::Malformed);
    };
    if object(header)?.get("alg") != Some(&json!("HS512")) {
        return Err(JwtError::Algorithm);
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| JwtError::Malformed)?;
    let expected = mac("HS512", &format!("{header}.{payload}"), secret);
    if !bool::from(expected.as_slice().ct_eq(signature.as_slice())) {
        return Err(JwtError::Signature);
    }
    object(payload)
}

fn object(part: &str) -> Result<Map<String, Value>, JwtError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| JwtError::Malformed)
}

/// Checks `exp`, a number or a text with a number, against `now` in Unix seconds.
pub(super) fn check_expiry(claims: &Map<String, Value>, now: f64) -> Result<(), JwtError> {
    let expiry = match claims.get("exp") {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    let is_valid = expiry.is_some_and(|expiry| expiry > now && expiry <= now + MAX_LIFETIME);
    if is_valid { Ok(()) } else { Err(JwtError::Expiry) }
}

/// A claim as text. C# writes numbers and booleans as text, so both forms are equal here.
pub(super) fn text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    match claims.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Header and claims for the journal, without a check of the signature.
pub(super) fn described(jwt: &str) -> Value {
    let mut parts = jwt.split('.');
    let mut part = || parts.next().and_then(|part| object(part).ok());
    json!({"header": part(), "claims": part()})
}

/// A JWT with this header and these claims, unchanged.
pub(super) fn signed(algorithm: &str, header: &str, claims: &str, secret: &str) -> String {
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(mac(algorithm, &text, secret));
    format!("{text}.{signature}")
}

/// The signature over `text`; empty for an unknown algorithm.
fn mac(algorithm: &str, text: &str, secret: &str) -> Vec<u8> {
    let key = secret.as_bytes();
    // HMAC accepts keys of any length. If it did not, no signature would match the empty one.
    match algorithm {
        "HS512" => Hmac::<Sha512>::new_from_slice(key)
            .map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
            .unwrap_or_default(),
        "HS384" => Hmac::<Sha384>::new_from_slice(key)
            .map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
            .unwrap_or_default(),
        "HS256" => Hmac::<Sha256>::new_from_slice(key)
            .map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
