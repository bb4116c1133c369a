//! A client of the Universal Prompt, which shares no code with filter or simulator, and a browser that
//! follows no redirect.

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha512;
use tokio::net::TcpStream;
use url::form_urlencoded::Serializer;

use crate::client::{Answer, HOST, Sim, exchange, unix_now};
use crate::signer::Signed;

pub(crate) const CLIENT_ID: &str = "DISIMULATEDWEBSDK001";
pub(crate) const CLIENT_SECRET: &str = "SimulatedWebSdkSecretSimulatedWebSdk0001";
pub(crate) const REDIRECT_URI: &str = "https://app.example.com/.duo-mfa/callback";
pub(crate) const STATE: &str = "a-state-of-36-characters-0123456789a";
pub(crate) const NONCE: &str = "a-nonce-of-36-characters-0123456789a";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub(crate) fn jwt(header: &Value, claims: &Value, secret: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let mac = Hmac::<Sha512>::new_from_slice(secret.as_bytes()).unwrap().chain_update(&text);
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

pub(crate) fn hs512() -> Value {
    json!({"alg": "HS512", "typ": "JWT"})
}

/// Claims of the assertion for an endpoint, with `changes`; `null` removes a claim.
pub(crate) fn assertion(endpoint: &str, changes: &Value) -> String {
    let jti = URL_SAFE_NO_PAD.encode(std::array::from_fn::<u8, 27, _>(|_| fastish()));
    let mut claims = json!({
        "iss": CLIENT_ID, "sub": CLIENT_ID, "aud": format!("https://{HOST}/oauth/v1/{endpoint}"),
        "exp": unix_now() + 300, "jti": jti,
    });
    change(&mut claims, changes);
    jwt(&hs512(), &claims, CLIENT_SECRET)
}

/// A byte that differs from call to call.
fn fastish() -> u8 {
    let mut byte = [0];
    getrandom::fill(&mut byte).unwrap();
    byte[0]
}

pub(crate) fn change(claims: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
}

/// Claims of a request, with `changes`.
pub(crate) fn request(changes: &Value) -> String {
    let mut claims = json!({
        "scope": "openid", "response_type": "code", "client_id": CLIENT_ID, "iss": CLIENT_ID,
        "aud": format!("https://{HOST}"), "redirect_uri": REDIRECT_URI, "state": STATE,
        "nonce": NONCE, "duo_uname": "alice", "exp": unix_now() + 300,
        "use_duo_code_attribute": true,
    });
    change(&mut claims, changes);
    jwt(&hs512(), &claims, CLIENT_SECRET)
}

pub(crate) fn encoded(pairs: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The parameters of `token` for a code, with its assertion.
pub(crate) fn grant(code: &str) -> Vec<(String, String)> {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("client_id", CLIENT_ID),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", &assertion("token", &json!({}))),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.text());
        self.header("location")
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A parameter of the address that a browser is sent to.
    pub(crate) fn brings(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(self.location()).unwrap();
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// Claims of the id_token; its signature is checked.
    pub(crate) fn claims(&self) -> Value {
        let answer = self.json();
        assert_eq!(self.status, 200, "{answer}");
        let token = answer["id_token"].as_str().unwrap();
        let mut parts = token.split('.');
        let read = |part: &str| -> Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        let (header, claims) = (parts.next().unwrap(), parts.next().unwrap());
        assert_eq!(read(header)["alg"], "HS512");
        let mac = Hmac::<Sha512>::new_from_slice(CLIENT_SECRET.as_bytes()).unwrap();
        let signature = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
        mac.chain_update(format!("{header}.{claims}")).verify_slice(&signature).unwrap();
        read(claims)
    }
}

impl Sim {
    /// Any request under the simulator's name.
    pub(crate) async fn raw(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let mut all: Vec<_> = headers.iter().copied().map(own).collect();
        if !headers.iter().any(|(name, _)| *name == "host") {
            all.push(own(("host", HOST)));
        }
        let request = Signed {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: all,
            body: body.to_owned(),
        };
        let stream = TcpStream::connect(self.http).await.unwrap();
        exchange(stream, &request, Body::from(body.to_owned())).await.unwrap()
    }

    pub(crate) async fn form(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        self.raw("POST", path, &form, &encoded(pairs)).await
    }

    pub(crate) async fn health(&self, assertion: &str) -> Answer {
        let pairs = [("client_id", CLIENT_ID), ("client_assertion", assertion)];
        self.form("/oauth/v1/health_check", &pairs).await
    }

    /// A browser at `authorize`, with further parameters in the query.
    pub(crate) async fn authorize(&self, request: &str, more: &[(&str, &str)]) -> Answer {
        let mut pairs =
            vec![("response_type", "code"), ("client_id", CLIENT_ID), ("request", request)];
        pairs.extend(more);
        self.raw("GET", &format!("/oauth/v1/authorize?{}", encoded(&pairs)), &[], "").await
    }

    pub(crate) async fn universal(&self, wish: Value) {
        self.tell("POST", "/sim/universal", wish).await;
    }

    /// Has alice approve without a browser.
    pub(crate) async fn alice_approves(&self) {
        self.universal(json!({"user": "alice", "answer": "approve"})).await;
    }

    /// The code that alice's browser comes back with.
    pub(crate) async fn code(&self) -> String {
        self.authorize(&request(&json!({})), &[]).await.brings("duo_code").unwrap()
    }

    /// `token` by a form body.
    pub(crate) async fn token(&self, pairs: &[(String, String)]) -> Answer {
        let pairs: Vec<_> =
            pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        self.form("/oauth/v1/token", &pairs).await
    }

    pub(crate) async fn exchange(&self, code: &str) -> Answer {
        self.token(&grant(code)).await
    }

    pub(crate) async fn codes(&self) -> Value {
        self.look("/sim/counters").await["codes"].clone()
    }
}
