//! The calls that a client of the Universal Prompt makes: health check and token.

use serde_json::{Value, json};

use crate::client::{Sim, unix_now};
use crate::signer::{INTEGRATION_KEY, SECRET_KEY};
use crate::web_sdk::{
    CLIENT_ID, CLIENT_SECRET, NONCE, REDIRECT_URI, assertion, encoded, grant, hs512, jwt, request,
};

fn is_invalid_client(answer: &crate::client::Answer) -> bool {
    let body = answer.json();
    assert_eq!(body["code"], 40002, "{body}");
    answer.status == 400 && body["stat"] == "FAIL" && body["message"] == "invalid_client"
}

#[tokio::test]
async fn a_health_check_tells_the_time_and_is_in_the_journal() {
    let sim = Sim::start(&[]).await;
    let answer = sim.health(&assertion("health_check", &json!({}))).await.response();
    assert!((answer["timestamp"].as_i64().unwrap() - unix_now()).abs() < 5);
    let entry = sim.look("/sim/requests?endpoint=health_check").await[0].clone();
    assert_eq!(entry["jwt"]["header"], hs512());
    assert_eq!(entry["jwt"]["claims"]["iss"], CLIENT_ID);
    assert_eq!(entry["outcome"], "OK");
    let counters = sim.look("/sim/counters").await;
    assert_eq!(counters["endpoints"]["health_check"]["calls"], 1);
}

#[tokio::test]
async fn assertions_of_all_official_clients_are_taken() {
    let sim = Sim::start(&[]).await;
    let now = unix_now();
    for changes in [
        json!({"iat": now}),
        json!({"exp": format!("{}", now + 300)}),
        json!({"exp": f64::from(i32::try_from(now).unwrap()) + 299.25}),
        json!({"exp": now + 3599}),
    ] {
        let answer = sim.health(&assertion("health_check", &changes)).await;
        assert_eq!(answer.status, 200, "{changes}");
    }
    let claims = json!({"iss": CLIENT_ID, "sub": CLIENT_ID, "exp": now + 300, "jti": "without typ",
        "aud": "https://api-sim.duo.test/oauth/v1/health_check"});
    let without_type = jwt(&json!({"alg": "HS512"}), &claims, CLIENT_SECRET);
    assert_eq!(sim.health(&without_type).await.status, 200);
}

#[tokio::test]
async fn a_wrong_assertion_is_refused() {
    let sim = Sim::start(&[]).await;
    let now = unix_now();
    for changes in [
        json!({"exp": now - 1}),
        json!({"exp": now + 3700}),
        json!({"exp": null}),
        json!({"iss": "DISOMEBODYELSE000001"}),
        json!({"sub": "DISOMEBODYELSE000001"}),
        json!({"aud": "https://api-sim.duo.test/oauth/v1/token"}),
        json!({"aud": "https://other.test/oauth/v1/health_check"}),
        json!({"jti": null}),
    ] {
        let answer = sim.health(&assertion("health_check", &changes)).await;
        assert!(is_invalid_client(&answer), "{changes}");
    }
    let claims = json!({"iss": CLIENT_ID, "sub": CLIENT_ID, "exp": now + 300, "jti": "0123456789",
        "aud": "https://api-sim.duo.test/oauth/v1/health_check"});
    assert!(is_invalid_client(&sim.health(&jwt(&hs512(), &claims, "another secret")).await));
    for algorithm in ["HS256", "none", "hs512"] {
        let other = jwt(&json!({"alg": algorithm}), &claims, CLIENT_SECRET);
        assert!(is_invalid_client(&sim.health(&other).await), "{algorithm}");
    }
    assert!(is_invalid_client(&sim.health("no.jwt").await));
    let twice = assertion("health_check", &json!({}));
    assert_eq!(sim.health(&twice).await.status, 200);
    assert!(is_invalid_client(&sim.health(&twice).await));
    sim.universal(json!({"jti": "any"})).await;
    assert_eq!(sim.health(&twice).await.status, 200);
}

#[tokio::test]
async fn keys_of_an_auth_api_application_fail() {
    let sim = Sim::start(&[]).await;
    let claims = json!({"iss": INTEGRATION_KEY, "sub": INTEGRATION_KEY, "jti": "0123456789",
        "aud": "https://api-sim.duo.test/oauth/v1/health_check", "exp": unix_now() + 300});
    let signed = jwt(&hs512(), &claims, SECRET_KEY);
    let pairs = [("client_id", INTEGRATION_KEY), ("client_assertion", signed.as_str())];
    assert!(is_invalid_client(&sim.form("/oauth/v1/health_check", &pairs).await));
    let claims = json!({"client_id": INTEGRATION_KEY, "exp": unix_now() + 300});
    let signed = jwt(&hs512(), &claims, SECRET_KEY);
    let query = encoded(&[("client_id", INTEGRATION_KEY), ("request", &signed)]);
    let answer = sim.raw("GET", &format!("/oauth/v1/authorize?{query}"), &[], "").await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["message"], "unauthorized_request");
    assert_eq!(answer.json()["message_detail"], "Unauthorized OIDC request");
}

#[tokio::test]
async fn a_code_is_exchanged_once() {
    let sim = Sim::start(&[]).await;
    sim.alice_approves().await;
    let code = sim.code().await;
    assert!(code.len() == 32 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{code}");
    let answer = sim.exchange(&code).await;
    let body = answer.json();
    assert_eq!((&body["expires_in"], &body["token_type"]), (&json!(300), &json!("Bearer")));
    assert!(body["access_token"].is_string());
    let claims = answer.claims();
    assert_eq!(claims["iss"], "https://api-sim.duo.test/oauth/v1/token");
    assert_eq!((&claims["aud"], &claims["nonce"]), (&json!(CLIENT_ID), &json!(NONCE)));
    assert_eq!((&claims["preferred_username"], &claims["sub"]), (&json!("alice"), &json!("alice")));
    assert_eq!(claims["auth_result"]["result"], "allow");
    assert_eq!(claims["auth_context"]["factor"], "duo_push");
    assert_eq!(refused_grant(&sim.exchange(&code).await), "invalid_grant");
    assert_eq!(sim.codes().await, json!({"given": 1, "used": 1, "reused": 1}));
}

fn refused_grant(answer: &crate::client::Answer) -> String {
    let body = answer.json();
    assert_eq!(answer.status, 400, "{body}");
    assert!(body["error_description"].is_string(), "{body}");
    body["error"].as_str().unwrap().to_owned()
}

/// A grant with other parameters; an empty value leaves one out.
fn changed(code: &str, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut pairs = grant(code);
    for (name, value) in changes {
        pairs.retain(|(known, _)| known != name);
        if !value.is_empty() {
            pairs.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    pairs
}

#[tokio::test]
async fn a_code_is_bound_to_client_redirect_uri_and_time() {
    let sim = Sim::start(&["--further-client", "DISECONDWEBSDK000001=second secret"]).await;
    sim.alice_approves().await;
    let code = sim.code().await;
    let other_uri = changed(&code, &[("redirect_uri", "https://evil.test/callback")]);
    assert_eq!(refused_grant(&sim.token(&other_uri).await), "invalid_grant");
    let claims = json!({"iss": "DISECONDWEBSDK000001", "sub": "DISECONDWEBSDK000001",
        "jti": "0123456789", "aud": "https://api-sim.duo.test/oauth/v1/token", "exp": unix_now() + 300});
    let second = jwt(&hs512(), &claims, "second secret");
    let other_client =
        changed(&code, &[("client_id", "DISECONDWEBSDK000001"), ("client_assertion", &second)]);
    assert_eq!(refused_grant(&sim.token(&other_client).await), "invalid_grant");
    let mixed = changed(&code, &[("client_id", "DISECONDWEBSDK000001")]);
    assert_eq!(refused_grant(&sim.token(&mixed).await), "invalid_client");
    assert_eq!(
        refused_grant(&sim.exchange("0123456789abcdef0123456789abcdef").await),
        "invalid_grant"
    );
    assert_eq!(sim.exchange(&code).await.status, 200);

    let old = sim.code().await;
    sim.universal(json!({"code_seconds": -1})).await;
    assert_eq!(refused_grant(&sim.exchange(&old).await), "invalid_grant");
}

#[tokio::test]
async fn token_wants_every_parameter_but_the_client_id() {
    let sim = Sim::start(&[]).await;
    sim.alice_approves().await;
    let code = sim.code().await;
    for (name, error) in [
        ("grant_type", "unsupported_grant_type"),
        ("client_assertion_type", "invalid_request"),
        ("client_assertion", "invalid_client"),
        ("code", "invalid_request"),
        ("redirect_uri", "invalid_request"),
    ] {
        let answer = sim.token(&changed(&code, &[(name, "")])).await;
        assert_eq!(refused_grant(&answer), error, "without {name}");
    }
    assert_eq!(sim.token(&changed(&code, &[("client_id", "")])).await.status, 200);
}

#[tokio::test]
async fn parameters_come_in_the_query_a_form_or_a_multipart_body() {
    let sim = Sim::start(&[]).await;
    sim.alice_approves().await;
    let pairs = grant(&sim.code().await);
    let borrowed: Vec<_> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let target = format!("/oauth/v1/token?{}", encoded(&borrowed));
    assert_eq!(sim.raw("POST", &target, &[], "").await.claims()["sub"], "alice");

    let mut body = String::new();
    for (name, value) in grant(&sim.code().await) {
        let head = format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n");
        body += &format!("{head}Content-Length: {}\r\n\r\n{value}\r\n", value.len());
    }
    body += "--limit--\r\n";
    let header = [("content-type", "multipart/form-data; boundary=limit")];
    let answer = sim.raw("POST", "/oauth/v1/token", &header, &body).await;
    assert_eq!(answer.claims()["sub"], "alice");

    let pairs = grant(&sim.code().await);
    let (query, rest) = pairs.split_at(2);
    let borrowed: Vec<_> = query.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let target = format!("/oauth/v1/token?{}", encoded(&borrowed));
    let rest: Vec<_> = rest.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(sim.form(&target, &rest).await.status, 200);
}

#[tokio::test]
async fn issuer_and_audience_follow_the_host_of_the_request() {
    let sim = Sim::start(&[]).await;
    sim.alice_approves().await;
    let aud = json!({"aud": "https://localhost:8443"});
    let query = encoded(&[("client_id", CLIENT_ID), ("request", &request(&aud))]);
    let host = [("host", "LocalHost:8443")];
    let target = format!("/oauth/v1/authorize?response_type=code&{query}");
    let code = sim.raw("GET", &target, &host, "").await.brings("duo_code").unwrap();
    let aud = json!({"aud": "https://localhost:8443/oauth/v1/token"});
    let pairs = changed(&code, &[("client_assertion", &assertion("token", &aud))]);
    let pairs: Vec<_> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let target = format!("/oauth/v1/token?{}", encoded(&pairs));
    let answer = sim.raw("POST", &target, &host, "").await;
    assert_eq!(answer.claims()["iss"], "https://localhost:8443/oauth/v1/token");
    assert!(REDIRECT_URI.starts_with("https://"));
}

#[tokio::test]
async fn other_methods_are_refused_and_nothing_has_cors_headers() {
    let sim = Sim::start(&[]).await;
    for (method, path) in [
        ("GET", "/oauth/v1/health_check"),
        ("GET", "/oauth/v1/token"),
        ("POST", "/oauth/v1/authorize"),
        ("HEAD", "/oauth/v1/authorize"),
        ("OPTIONS", "/oauth/v1/token"),
    ] {
        let answer = sim.raw(method, path, &[("origin", "https://app.example.com")], "").await;
        assert_eq!(answer.status, 405, "{method} {path}");
        assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
    }
    let nowhere: Value = sim.raw("GET", "/oauth/v1/.well-known", &[], "").await.json();
    assert_eq!(nowhere["stat"], "FAIL");
}
