//! The two calls that the filter makes: `health_check` and `token`.

use super::jwt;
use super::opaque::{Code, Jti};
use super::redirect_uri::RedirectUri;
use super::web_sdk::WebSdk;
use crate::clock::UnixTime;
use crate::duo::params;
use crate::duo::request::USER_AGENT;
use crate::duo::{Endpoint, SignedCall};
use crate::http::HeaderValue;
use crate::json::ObjectText;

/// How long a JWT is valid, in seconds. Duo refuses more than an hour.
pub(super) const LIFETIME_SECONDS: u64 = 300;

/// RFC 7523, section 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl WebSdk {
    /// `POST /oauth/v1/health_check`. Needed before each redirect: if Duo is down, the filter
    /// learns nothing after the browser has left.
    #[must_use]
    pub fn health_check(&self, now: UnixTime, jti: &Jti) -> SignedCall {
        let assertion = self.assertion(Endpoint::HealthCheck, now, jti);
        self.post(
            Endpoint::HealthCheck,
            &[("client_id", self.client_id()), ("client_assertion", &assertion)],
        )
    }

    /// `POST /oauth/v1/token`. `redirect_uri` must be that of the authorize URL, byte for byte.
    #[must_use]
    pub fn token(
        &self,
        code: &Code,
        redirect_uri: &RedirectUri,
        now: UnixTime,
        jti: &Jti,
    ) -> SignedCall {
        let assertion = self.assertion(Endpoint::Token, now, jti);
        self.post(
            Endpoint::Token,
            &[
                ("grant_type", "authorization_code"),
                ("code", code.as_str()),
                ("redirect_uri", redirect_uri.as_str()),
                ("client_id", self.client_id()),
                ("client_assertion_type", ASSERTION_TYPE),
                ("client_assertion", &assertion),
            ],
        )
    }

    /// The client assertion: a JWT that proves possession of the client secret (RFC 7523).
    ///
    /// It has no `iat`: Duo does not require one, and it would be refused if this host's clock were
    /// ahead.
    fn assertion(&self, endpoint: Endpoint, now: UnixTime, jti: &Jti) -> String {
        let audience = self.url(endpoint.path());
        let client_id = self.client_id();
        let claims = [("iss", client_id), ("sub", client_id), ("aud", &audience)];
        let payload = jwt::with_texts(ObjectText::new(), &claims)
            .number("exp", now.seconds().saturating_add(LIFETIME_SECONDS))
            .text("jti", jti.as_str());
        jwt::signed(payload, self.client_secret())
    }

    fn post(&self, endpoint: Endpoint, form: &[(&str, &str)]) -> SignedCall {
        let encoded: Vec<(String, String)> =
            form.iter().map(|(name, value)| ((*name).to_owned(), params::encode(value))).collect();
        SignedCall {
            endpoint,
            method: endpoint.method(),
            authority: self.api_host().to_string(),
            path: endpoint.path().to_owned(),
            headers: vec![
                ("content-type", HeaderValue::from_static("application/x-www-form-urlencoded")),
                ("user-agent", HeaderValue::from_static(USER_AGENT)),
            ],
            body: params::join(&encoded).into_bytes(),
        }
    }
}
