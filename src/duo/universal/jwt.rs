//! JWTs signed with HMAC-SHA512: compact JWS (RFC 7515, section 3.1).

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::{DecodeError, Engine};
use subtle::ConstantTimeEq;

use super::token_fault::TokenFault;
use crate::duo::sign::hmac_sha512;
use crate::json::ObjectText;
use crate::secret::Secret;

const HEADER: &str = r#"{"alg":"HS512","typ":"JWT"}"#;

/// Adds claims that are texts to the payload.
#[inline(never)]
pub(super) fn with_texts(payload: ObjectText, claims: &[(&str, &str)]) -> ObjectText {
    claims.iter().fold(payload, |payload, (name, value)| payload.text(name, value))
}

/// A JWT with this payload.
pub(super) fn signed(payload: ObjectText, secret: &Secret<String>) -> String {
    let payload = payload.finish();
    let mut text = URL_SAFE_NO_PAD.encode(HEADER);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut text);
    let mac = hmac_sha512(secret.expose().as_bytes(), text.as_bytes());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(mac, &mut text);
    text
}

/// The bytes of header and payload of a JWT with a correct signature.
///
/// Nothing but the signature is decoded before it is verified. It must always be an HMAC-SHA512,
/// whatever the header says.
pub(super) fn opened(
    text: &str,
    secret: &Secret<String>,
) -> Result<(Vec<u8>, Vec<u8>), TokenFault> {
    let (signed, signature) = text.rsplit_once('.').ok_or(TokenFault::Parts)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenFault::Parts)?;
    if payload.contains('.') {
        return Err(TokenFault::Parts);
    }
    let signature = decoded(signature)?;
    if signature.is_empty() {
        return Err(TokenFault::Base64);
    }
    let mac = hmac_sha512(secret.expose().as_bytes(), signed.as_bytes());
    if !bool::from(mac.as_slice().ct_eq(&signature)) {
        return Err(TokenFault::Mac);
    }
    Ok((decoded(header)?, decoded(payload)?))
}

fn decoded(part: &str) -> Result<Vec<u8>, TokenFault> {
    URL_SAFE_NO_PAD.decode(part).map_err(|fault| {
        if matches!(fault, DecodeError::InvalidLastSymbol { .. }) {
            TokenFault::Base64Spelling
        } else {
            TokenFault::Base64
        }
    })
}
