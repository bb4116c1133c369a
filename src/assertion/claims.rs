//! The claims of an assertion.

use super::settings::AssertionSettings;
use crate::clock::UnixTime;
use crate::hex::hex;
use crate::json::ObjectText;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// The facts that an assertion states.
#[derive(Clone, Copy, Debug)]
pub struct Claims<'a> {
    /// The user (`sub`).
    pub user: &'a str,
    /// The other person who approved the request (`approver`); `None` if the user did.
    pub approver: Option<&'a str>,
    /// When the user passed the second factor (`auth_time`).
    pub authenticated: UnixTime,
    /// The end of the approval, after which no assertion is valid; `None` if it has none.
    pub ends: Option<UnixTime>,
    /// How the second factor was satisfied (`factor`).
    pub factor: &'static str,
    /// The methods of the second factor (`amr`, RFC 8176); empty if there was none.
    pub methods: &'a [&'static str],
    /// The number of the rule that asks for the second factor, from 0, and its name.
    pub rule: Option<(usize, Option<&'a str>)>,
    /// The id of the approval. Only its hash is in the assertion (`sid`).
    pub approval: &'a [u8],
    /// The only request for which the approval is valid; `None` if it is valid for all.
    pub request: Option<&'a RequestClaims>,
}

/// The parts of a request that an assertion for one request states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestClaims {
    /// Its method.
    pub method: String,
    /// Its host, with the port if it was sent.
    pub host: String,
    /// Its path and query, as sent.
    pub path: String,
    /// SHA-256 of its body; `None` if the filter has not read the body.
    pub body: Option<[u8; 32]>,
}

impl Claims<'_> {
    pub(super) fn text(
        &self,
        settings: &AssertionSettings,
        now: UnixTime,
        expires: UnixTime,
    ) -> String {
        let number = self.rule.and_then(|(number, _)| u64::try_from(number).ok());
        let name = self.rule.and_then(|(_, name)| name);
        let level = if self.methods.is_empty() { ONE_FACTOR } else { TWO_FACTORS };
        let claims = ObjectText::new()
            .text("iss", &settings.issuer)
            .text("aud", &settings.audience)
            .text("sub", self.user)
            .number("iat", now.seconds())
            .number("exp", expires.seconds())
            .number("auth_time", self.authenticated.min(now).seconds())
            .texts("amr", self.methods.iter().copied())
            .text("acr", level)
            .text("factor", self.factor)
            .some_text("approver", self.approver)
            .some_number("rule", number)
            .some_text("rule_name", name)
            .text("sid", &session_id(self.approval));
        match self.request {
            None => claims,
            Some(RequestClaims { method, host, path, body }) => claims
                .text("method", method)
                .text("host", host)
                .text("path", path)
                .some_text("body_sha256", body.map(|body| hex(&body)).as_deref()),
        }
        .finish()
    }
}

/// The claim `acr` after a second factor.
const TWO_FACTORS: &str = "urn:duo-mfa:acr:two-factor";
/// The claim `acr` if nobody was asked for a second factor.
const ONE_FACTOR: &str = "urn:duo-mfa:acr:one-factor";

/// A name for an approval that does not show its id.
fn session_id(approval: &[u8]) -> String {
    let digest = Sha256::new().chain_update(b"duo-mfa:sid:v1:").chain_update(approval).finalize();
    URL_SAFE_NO_PAD.encode(digest.first_chunk::<16>().copied().unwrap_or_default())
}

/// Bytes of a request as a JSON text. Each byte that is not printable ASCII is percent-encoded.
#[must_use]
pub fn ascii(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_graphic() || *byte == b' ' {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}
