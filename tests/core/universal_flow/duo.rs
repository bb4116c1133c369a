//! Duo's side: what it is asked, and what it signs.

use crate::rig::{CLIENT_SECRET, OTHER_CLIENT_SECRET, Scripted, ok, overlay, says};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use duo_mfa::clock::UnixTime;
use duo_mfa::duo::SignedCall;
use ring::hmac;
use serde_json::{Value, json};

pub(crate) const CLIENT_ID: &str = "DIUNIVERSALTEST00001";
pub(crate) const OTHER_CLIENT_ID: &str = "DIUNIVERSALTEST00002";
pub(super) const HOST: &str = "https://api-xxxxxxxx.duosecurity.com";

/// The address that a browser was sent to, and what is signed in it.
pub(crate) struct AuthorizeRequest {
    pub(super) url: String,
    pub(super) claims: Value,
}

impl AuthorizeRequest {
    #[track_caller]
    pub(super) fn of(url: &str) -> Self {
        let jwt = url.split_once("&request=").unwrap().1;
        let claims = payload_of(jwt);
        let parts = jwt.rsplit_once('.').unwrap().0;
        let keys = [CLIENT_SECRET, OTHER_CLIENT_SECRET];
        assert!(keys.iter().any(|secret| signed_with(secret, parts) == jwt));
        Self { url: url.to_owned(), claims }
    }

    pub(crate) fn state(&self) -> &str {
        self.claims["state"].as_str().unwrap()
    }
}

/// Duo is there, and tells no time.
pub(crate) fn healthy() -> Scripted {
    ok(&json!({}))
}

/// Duo is there, and tells its time.
pub(crate) fn healthy_at(time: UnixTime) -> Scripted {
    ok(&json!({"timestamp": time.seconds()}))
}

/// Duo refuses a client assertion, and tells its time.
pub(crate) fn invalid_client(time: UnixTime) -> Scripted {
    let body = json!({
        "stat": "FAIL", "code": 40002, "message": "invalid_client",
        "message_detail": "The provided client_assertion was invalid.",
        "timestamp": time.seconds(),
    });
    says(400, body.to_string())
}

/// The claims of the client assertion in a call.
pub(crate) fn assertion_of(call: &SignedCall) -> Value {
    let form = form_urlencoded::parse(&call.body);
    let (_, assertion) = form.into_iter().find(|(name, _)| name == "client_assertion").unwrap();
    payload_of(&assertion)
}

fn payload_of(jwt: &str) -> Value {
    let payload = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

/// The claims that Duo signs for a user who has confirmed what was asked for, with changes; `null`
/// takes one out.
pub(super) fn claims(asked: &Value, now: UnixTime, changes: Value) -> Value {
    let mut claims = json!({
        "iss": format!("{HOST}/oauth/v1/token"),
        "aud": CLIENT_ID,
        "sub": asked["duo_uname"],
        "preferred_username": asked["duo_uname"],
        "nonce": asked["nonce"],
        "iat": now.seconds(),
        "exp": now.seconds() + 300,
        "auth_time": now.seconds(),
        "auth_result": {"result": "allow", "status": "allow", "status_msg": "Login Successful"},
        "auth_context": {"factor": "duo_push", "reason": "user_approved", "result": "success"},
    });
    overlay(&mut claims, changes);
    claims
}

pub(super) fn id_token(asked: &Value, now: UnixTime, changes: Value) -> String {
    signed(&claims(asked, now, changes), CLIENT_SECRET)
}

pub(super) fn signed(claims: &Value, secret: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS512","typ":"JWT"}"#);
    signed_with(secret, &format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string())))
}

fn signed_with(secret: &str, parts: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA512, secret.as_bytes());
    format!("{parts}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, parts.as_bytes())))
}

/// Duo's answer to `token`.
pub(super) fn token(id_token: &str) -> Scripted {
    let body = json!({
        "id_token": id_token, "access_token": "unused", "expires_in": 300, "token_type": "Bearer",
    });
    says(200, body.to_string())
}

pub(super) fn error(word: &str) -> Scripted {
    says(400, json!({"error": word, "error_description": "Words of Duo."}).to_string())
}
