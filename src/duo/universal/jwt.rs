//! JWTs signed with HMAC-SHA512: compact JWS (RFC 7515, section 3.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::duo::sign::hmac_sha512;
use crate::secret::Secret;

const HEADER: &str = r#"{"alg":"HS512","typ":"JWT"}"#;

/// The JWT with this payload, a JSON object.
pub(super) fn signed(payload: &str, secret: &Secret<String>) -> String {
    let mut text = URL_SAFE_NO_PAD.encode(HEADER);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut text);
    let mac = hmac_sha512(secret.expose().as_bytes(), text.as_bytes());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(mac, &mut text);
    text
}
