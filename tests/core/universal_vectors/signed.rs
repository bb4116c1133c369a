//! Compares the filter's requests with those of Duo's clients.

use super::{Vectors, redirect_uri};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use duo_mfa::clock::UnixTime;
use duo_mfa::duo::SignedCall;
use duo_mfa::duo::universal::{Authorize, Freshness, WebSdk};
use ring::hmac;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

fn jwt(header: &str, payload: &str, secret: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA512, secret.as_bytes());
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let mac = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac))
}

/// Each JWT of the vectors follows from its texts and the secret, so that comparing texts is enough.
#[test]
fn every_signature_can_be_made_again() {
    let vectors = Vectors::read();
    let secret = &vectors.applications["main"].client_secret;
    for vector in &vectors.signed {
        let text = |name: &str| vector[name].as_str().unwrap();
        assert_eq!(jwt(text("header"), text("payload"), secret), text("jwt"), "{vector}");
    }
}

fn pairs(form: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(form.as_bytes()).into_owned().collect()
}

fn value(form: &str, name: &str) -> String {
    pairs(form).into_iter().find(|(other, _)| other == name).unwrap().1
}

/// The claims except those in `without`. Numbers lose their fractions.
fn claims(jwt: &str, without: &[&str]) -> BTreeMap<String, Value> {
    let payload = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).unwrap()).unwrap();
    let mut claims: BTreeMap<String, Value> = serde_json::from_slice(&payload).unwrap();
    claims.retain(|name, _| !without.contains(&name.as_str()));
    for value in claims.values_mut().filter(|value| value.is_f64()) {
        *value = Value::from(value.as_f64().unwrap().floor().to_string().parse::<u64>().unwrap());
    }
    claims
}

/// The time at which the filter would sign a JWT that ends when this one does.
fn time(claims: &BTreeMap<String, Value>) -> UnixTime {
    UnixTime::from_seconds(claims["exp"].as_u64().unwrap() - 300)
}

/// The same call, made by the filter.
fn call(web_sdk: &WebSdk, vector: &Value, vectors: &Vectors) -> SignedCall {
    let claims = claims(vector["jwt"].as_str().unwrap(), &[]);
    let jti = claims["jti"].as_str().unwrap().parse().unwrap();
    if vector["call"] == "health_check" {
        return web_sdk.health_check(time(&claims), &jti);
    }
    let code = "0123456789abcdef0123456789abcdef".parse().unwrap();
    let redirect_uri = redirect_uri("app.example.com").unwrap();
    assert_eq!(redirect_uri.as_str(), vectors.redirect_uri);
    web_sdk.token(&code, &redirect_uri, time(&claims), &jti)
}

/// The same URL, made by the filter.
fn url(web_sdk: &WebSdk, vector: &Value, vectors: &Vectors) -> String {
    let claims = claims(vector["jwt"].as_str().unwrap(), &[]);
    let text = |name: &str| claims.get(name).map(|value| value.as_str().unwrap());
    let authority = text("redirect_uri").unwrap().split('/').nth(2).unwrap().to_owned();
    let freshness = match (claims.get("max_age"), text("prompt")) {
        (Some(age), _) => Freshness::MaxAge(Duration::from_secs(age.as_u64().unwrap())),
        (None, Some("login")) => Freshness::Login,
        (None, _) => Freshness::Any,
    };
    let request = Authorize {
        redirect_uri: &redirect_uri(&authority).unwrap(),
        state: &text("state").unwrap().parse().unwrap(),
        nonce: &vectors.nonce.parse().unwrap(),
        username: text("duo_uname").unwrap(),
        destination: text("dest_app_name"),
        destination_id: None,
        display_username: None,
        freshness,
    };
    web_sdk.authorize(&request, time(&claims)).unwrap()
}

#[test]
fn own_requests_are_those_of_the_vectors_byte_for_byte() {
    let vectors = Vectors::read();
    let web_sdk = vectors.web_sdk("main");
    let own: Vec<&Value> = vectors
        .signed
        .iter()
        .filter(|vector| vector["client"] == "duo-mfa (recommended)")
        .collect();
    for vector in &own {
        if vector["call"] == "authorize" {
            assert_eq!(url(&web_sdk, vector, &vectors), vector["url"].as_str().unwrap());
            continue;
        }
        let (call, wire) = (call(&web_sdk, vector, &vectors), &vector["wire"]);
        let (name, content_type) = &call.headers[0];
        assert_eq!((call.method, call.path.as_str()), ("POST", wire["path"].as_str().unwrap()));
        assert_eq!(call.authority, vectors.api_host);
        assert_eq!(*name, "content-type");
        assert_eq!(content_type.as_bytes(), wire["content_type"].as_str().unwrap().as_bytes());
        assert_eq!(call.body, wire["body"].as_str().unwrap().as_bytes());
        assert_eq!(wire["query"], "");
    }
    assert_eq!(own.len(), 8);
}

/// Compares the parts of the clients' requests that do not depend on the implementation. Python's assertions
/// are equal byte by byte. Node's have another header, an `iat` and another order of claims. Python writes
/// fractions and leaves the nonce unsigned.
#[test]
fn requests_of_duos_clients_have_the_same_parameters_and_claims() {
    let vectors = Vectors::read();
    let web_sdk = vectors.web_sdk("main");
    let (mut same_bytes, mut same_claims, mut plain_code) = (0, 0, 0);
    for vector in &vectors.signed {
        let theirs = vector["jwt"].as_str().unwrap();
        let (sent, wanted) = if vector["call"] == "authorize" {
            let query = |url: &str| url.split_once('?').unwrap().1.to_owned();
            (query(&url(&web_sdk, vector, &vectors)), query(vector["url"].as_str().unwrap()))
        } else {
            let body = String::from_utf8(call(&web_sdk, vector, &vectors).body).unwrap();
            // Python's token call has all parameters in the query.
            let wire = ["query", "body"].map(|part| vector["wire"][part].as_str().unwrap());
            (body, wire.concat())
        };
        let carrier = if vector["call"] == "authorize" { "request" } else { "client_assertion" };
        for (name, text) in pairs(&sent) {
            assert!(name == carrier || text == value(&wanted, &name), "{name}: {vector}");
        }
        let ours = value(&sent, carrier);
        if ours == theirs {
            same_bytes += 1;
        } else if claims(theirs, &[]).get("use_duo_code_attribute") == Some(&Value::from(false)) {
            // The filter never asks for `code` in place of `duo_code`.
            let but = ["use_duo_code_attribute", "nonce"];
            assert_eq!(claims(&ours, &but), claims(theirs, &but), "{vector}");
            plain_code += 1;
        } else {
            assert_eq!(claims(&ours, &["nonce"]), claims(theirs, &["iat"]), "{vector}");
            same_claims += 1;
        }
    }
    vectors.counted("signed", same_bytes + same_claims + plain_code, 28);
    crate::say!(
        "universal vectors: signed requests: {same_bytes} JWTs of the same bytes, {same_claims} of \
         the same claims, {plain_code} that ask for code in place of duo_code"
    );
    assert_eq!((same_bytes, same_claims, plain_code), (11, 15, 2));
}
