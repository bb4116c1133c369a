//! Verifying an id_token.
//!
//! Duo's own clients check signature, issuer, audience and times, and leave the rest to their
//! callers: they accept a signed `deny`. Here an id_token is an approval only if all checks pass.

use std::time::Duration;

use subtle::ConstantTimeEq;

use super::confirmed_by::ConfirmedBy;
use super::jwt;
use super::opaque::Nonce;
use super::token_fault::TokenFault;
use super::web_sdk::WebSdk;
use crate::clock::UnixTime;
use crate::duo::{Endpoint, Response};
use crate::json::{Json, Members};

/// How far the clocks of Duo and the filter may differ.
const LEEWAY: Duration = Duration::from_secs(60);

/// The values that an id_token must have.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The user's name, as it was sent to Duo.
    pub username: &'a str,
    /// The nonce of this attempt.
    pub nonce: &'a Nonce,
    /// How long ago the user may have authenticated: what [`super::Freshness::max_age`] says.
    /// `None` if it was not asked for. The user can remove it from the URL, so it is checked here.
    pub max_age: Option<Duration>,
}

/// Duo's approval of the expected user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approved {
    /// How the user authenticated.
    pub factor: ConfirmedBy,
    /// When the user authenticated, on Duo's clock. `None` if Duo does not say, which is possible
    /// only if no `max_age` was asked for.
    pub auth_time: Option<UnixTime>,
}

impl WebSdk {
    /// The longest id_token that is read, in bytes. Duo's responses cannot hold a longer one.
    pub const MAX_ID_TOKEN_BYTES: usize = Response::MAX_BODY_BYTES;

    /// Verifies an id_token (RFC 7519; OpenID Connect Core, section 3.1.3.7).
    ///
    /// `now` is the time on Duo's clock. `exp`, `iat` and `nbf` may be off by 60 seconds;
    /// fractions of a millisecond are cut off.
    ///
    /// `sub` is Duo's own name for the user and is not compared. `preferred_username` is the name
    /// that was sent. Duo lower-cases aliases, so ASCII case is ignored; any other difference is
    /// refused.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn verify(
        &self,
        id_token: &str,
        expected: &Expected<'_>,
        now: UnixTime,
    ) -> Result<Approved, TokenFault> {
        if id_token.len() > Self::MAX_ID_TOKEN_BYTES {
            return Err(TokenFault::TooLong);
        }
        let (header, payload) = jwt::opened(id_token, self.client_secret())?;
        check_header(&object(&header)?)?;
        let claims = object(&payload)?;

        let issuer = self.url(Endpoint::Token.path());
        require(text(&claims, "iss") == Some(&issuer), TokenFault::Issuer)?;
        require(is_audience(&claims, self.client_id()), TokenFault::Audience)?;

        require(time(&claims, "exp")? > now.minus(LEEWAY), TokenFault::Expired)?;
        let latest = now.plus(LEEWAY);
        require(time(&claims, "iat")? <= latest, TokenFault::IssuedAhead)?;
        if claims.find("nbf").is_some() {
            require(time(&claims, "nbf")? <= latest, TokenFault::NotYetValid)?;
        }

        let nonce = text(&claims, "nonce").unwrap_or_default().as_bytes();
        let is_nonce = nonce.ct_eq(expected.nonce.as_str().as_bytes());
        require(is_nonce.into(), TokenFault::Nonce)?;
        let username = text(&claims, "preferred_username").unwrap_or_default();
        let is_user = !username.is_empty() && username.eq_ignore_ascii_case(expected.username);
        require(is_user, TokenFault::User)?;
        require(is_allowed(&claims), TokenFault::Result)?;

        if let Some(max_age) = expected.max_age {
            let auth_time = time(&claims, "auth_time")?;
            let earliest = now.minus(max_age).minus(LEEWAY);
            require((earliest..=latest).contains(&auth_time), TokenFault::AuthTime)?;
        }
        Ok(Approved { factor: factor(&claims), auth_time: time(&claims, "auth_time").ok() })
    }
}

fn require(holds: bool, fault: TokenFault) -> Result<(), TokenFault> {
    if holds { Ok(()) } else { Err(fault) }
}

/// Reads a part of a JWT whose signature was verified.
fn object(bytes: &[u8]) -> Result<Members, TokenFault> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(TokenFault::Bom);
    }
    match Json::read(bytes) {
        Ok(Json::Object(members)) if members.is_unambiguous() => Ok(members),
        Ok(Json::Object(_)) => Err(TokenFault::Twice),
        Ok(_) => Err(TokenFault::Object),
        Err(_) if Json::has_number_out_of_range(bytes) => Err(TokenFault::Number),
        Err(_) => Err(TokenFault::Json),
    }
}

/// Checks the header. `alg` selects nothing, but it must name the one algorithm that is used.
/// `crit` (RFC 7515), `b64` (RFC 7797) and `zip` are refused, since they change what is signed or
/// how it is read.
fn check_header(header: &Members) -> Result<(), TokenFault> {
    let is_plain = ["crit", "b64", "zip"].iter().all(|name| header.find(name).is_none());
    require(is_plain && text(header, "alg") == Some("HS512"), TokenFault::Header)
}

/// Whether `aud` is this client ID, as a text or as the only entry of a list. A second audience
/// could use the token as well.
fn is_audience(claims: &Members, client_id: &str) -> bool {
    match claims.find("aud") {
        Some(Json::Text(audience)) => audience == client_id,
        Some(Json::List(list)) => {
            matches!(list.as_slice(), [only] if only.text() == Some(client_id))
        }
        Some(
            Json::Null | Json::Flag(_) | Json::Whole(_) | Json::OtherNumber(_) | Json::Object(_),
        )
        | None => false,
    }
}

fn is_allowed(claims: &Members) -> bool {
    let result = claims.find("auth_result").and_then(Json::object);
    let is_allow = |name| result.and_then(|result| text(result, name)) == Some("allow");
    is_allow("result") && is_allow("status")
}

/// The factor; all of `auth_context` may be absent.
fn factor(claims: &Members) -> ConfirmedBy {
    let Some(context) = claims.find("auth_context").and_then(Json::object) else {
        return ConfirmedBy::Other;
    };
    let word = |name| match context.find(name) {
        None | Some(Json::Null) => Some(None),
        Some(value) => value.text().map(Some),
    };
    match (word("factor"), word("reason")) {
        (Some(factor), Some(reason)) => ConfirmedBy::of(factor, reason),
        (None, _) | (_, None) => ConfirmedBy::Other,
    }
}

fn text<'j>(members: &'j Members, name: &str) -> Option<&'j str> {
    members.find(name).and_then(Json::text)
}

/// A time in seconds, with or without a fraction. One before 1970 is read as 1970.
fn time(claims: &Members, name: &str) -> Result<UnixTime, TokenFault> {
    match claims.find(name) {
        Some(Json::Whole(seconds)) => Ok(UnixTime::from_seconds(*seconds)),
        Some(Json::OtherNumber(seconds)) => {
            #[expect(clippy::as_conversions, reason = "saturation at both ends is intended")]
            let millis = (seconds * 1_000.0) as u64;
            Ok(UnixTime::from_millis(millis))
        }
        Some(Json::Null | Json::Flag(_) | Json::Text(_) | Json::List(_) | Json::Object(_))
        | None => Err(TokenFault::Number),
    }
}

#[cfg(test)]
mod tests;
