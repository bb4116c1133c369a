//! One request with everything on it that any variant asks for, so that all are sent the same.

use crate::Fault;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use duo_mfa::clock::UnixTime;
use duo_mfa::factor::Factor;
use duo_mfa::session::{
    ApprovedBy, KeyRing, MasterKey, NewApproval, SessionSettings, Sessions, Subject,
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) const COOKIE: &str = "__Host-duo_mfa";
pub(crate) const USER_HEADER: &str = "x-basic-user";
pub(crate) const USER: &str = "alice";
pub(crate) const ISSUER: &str = "https://login.example.com";
/// Cookies of the application; they reach it as they are.
const BEFORE: &str = "theme=dark-contrast";
const AFTER: &str = "session_hint=MDEyMzQ1Njc4OWFi";

/// The names that Envoy's `oauth2` filter gives its cookies.
const OAUTH_COOKIES: [&str; 3] = ["OauthHMAC", "OauthExpires", "BearerToken"];
const HOST: &str = "app.example.com";
/// The access token of the user, as an identity provider might issue it.
const ACCESS_TOKEN: &str = "ya29.MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";

/// The keys of one run: for the cookie and the token in base64.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) cookie: String,
    pub(crate) token: String,
    /// The key of the `oauth2` filter, as text.
    pub(crate) oauth: String,
}

impl Default for Keys {
    /// Fixed, and of no worth anywhere else.
    fn default() -> Self {
        let key = |seed: u8| (0..48).map(|i: u8| seed ^ i.wrapping_mul(i) ^ (i << 3)).collect();
        let (cookie, token): (Vec<u8>, Vec<u8>) = (key(0x5a), key(0xc3));
        let oauth = "b3f1c09d5e7a42688d1f0c6ba7e95d24".to_owned();
        Self { cookie: STANDARD.encode(cookie), token: URL_SAFE_NO_PAD.encode(token), oauth }
    }
}

impl Keys {
    /// Issues and checks approvals as the module does with these keys.
    pub(crate) fn sessions(&self) -> Result<Sessions, Fault> {
        let settings = SessionSettings {
            cookie: COOKIE.to_owned(),
            application: "default".to_owned(),
            expiration: Duration::from_secs(8 * 3600),
            inactivity: Duration::from_secs(1800),
            not_before: UnixTime::default(),
        };
        let ring = KeyRing::new(vec![MasterKey::from_base64(&self.cookie)?])?;
        Ok(Sessions::new(settings, &ring))
    }
}

/// The approval cookie, the token and the cookies of `oauth2` of a request, valid for longer than one start of Envoy is measured.
#[derive(Debug)]
pub(crate) struct Credential {
    cookie: String,
    token: String,
    /// The values of [`OAUTH_COOKIES`].
    oauth: [String; 3],
}

/// Requests that differ in one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The one that is measured.
    Valid,
    /// One character of each credential is another.
    Tampered,
    /// The first factor names somebody else.
    OtherUser,
}

impl Credential {
    pub(crate) fn issue(keys: &Keys) -> Result<Self, Fault> {
        let approval = NewApproval {
            factor: ApprovedBy::Factor(Factor::Push),
            authenticated: now(),
            lifetime: None,
        };
        let subject = Subject { source: "header", user: USER, bound: &[] };
        let line = keys.sessions()?.issue(&approval, &subject, now(), [7; 16]);
        let line = String::from_utf8(line.as_bytes().to_vec())?;
        let pair = line.split(';').next().unwrap_or_default();
        let cookie = pair.split_once('=').ok_or("the approval cookie has no value")?.1.to_owned();
        Ok(Self { cookie, token: token(keys)?, oauth: oauth(keys)? })
    }

    /// The `Cookie` header that the application must see after the filter removes the approval.
    pub(crate) fn foreign_cookies(&self) -> String {
        format!("{BEFORE}; {}; {AFTER}", self.oauth_cookies(Kind::Valid))
    }

    fn oauth_cookies(&self, kind: Kind) -> String {
        let [hmac, expires, token] = &self.oauth;
        let hmac = if kind == Kind::Tampered { tampered(hmac) } else { hmac.clone() };
        let [first, second, third] = OAUTH_COOKIES;
        format!("{first}={hmac}; {second}={expires}; {third}={token}")
    }

    /// The request as it goes over the wire.
    pub(crate) fn request(&self, path: &str, kind: Kind) -> Vec<u8> {
        let change = |text: &str| match kind {
            Kind::Tampered => tampered(text),
            Kind::Valid | Kind::OtherUser => text.to_owned(),
        };
        let user = if kind == Kind::OtherUser { "mallory" } else { USER };
        let (cookie, token) = (change(&self.cookie), change(&self.token));
        let oauth = self.oauth_cookies(kind);
        format!(
            "GET {path} HTTP/1.1\r\n\
             host: {HOST}\r\n\
             user-agent: bench/1.0\r\n\
             accept: application/json\r\n\
             accept-encoding: gzip, br\r\n\
             accept-language: en, de;q=0.8\r\n\
             {USER_HEADER}: {user}\r\n\
             authorization: Bearer {token}\r\n\
             cookie: {BEFORE}; {oauth}; {COOKIE}={cookie}; {AFTER}\r\n\r\n"
        )
        .into_bytes()
    }
}

pub(crate) fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_seconds(since.as_secs())
}

/// A JSON Web Token as `jwt_authn` wants it (RFC 7519).
fn token(keys: &Keys) -> Result<String, Fault> {
    let expires = now().plus(Duration::from_secs(3600)).seconds();
    let claims = serde_json::json!({"iss": ISSUER, "sub": USER, "exp": expires});
    let text = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(&URL_SAFE_NO_PAD.decode(&keys.token)?)?;
    mac.update(text.as_bytes());
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
}

/// The cookies of `oauth2` (Envoy 1.40): the MAC is over host, expiry and tokens, each on a line. An id
/// token and a refresh token are absent.
fn oauth(keys: &Keys) -> Result<[String; 3], Fault> {
    let expires = now().plus(Duration::from_secs(3600)).seconds().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(keys.oauth.as_bytes())?;
    mac.update([HOST, &expires, ACCESS_TOKEN, "", ""].join("\n").as_bytes());
    Ok([STANDARD.encode(mac.finalize().into_bytes()), expires, ACCESS_TOKEN.to_owned()])
}

/// Changes a character near the end, which in both credentials encodes a part of the MAC. Not the last
/// character, since base64 does not use all of its bits.
fn tampered(text: &str) -> String {
    let changed = text.len().saturating_sub(8);
    let other = |c: char| if c == 'A' { 'B' } else { 'A' };
    text.char_indices().map(|(at, c)| if at == changed { other(c) } else { c }).collect()
}
