//! Assertions for one request, and those of approvals per client.

use super::*;
use crate::browser::{Browser, posted};
use crate::rig::preauth;
use sha2::{Digest as _, Sha256};

fn hexadecimal(body: &[u8]) -> String {
    duo_mfa::hex::hex(&Sha256::digest(body))
}

fn per_request(changes: &Value) -> Rig {
    let mut config = json!({"access_control": {"rules": [
        {"name": "wire", "paths": ["/wire"], "policy": "two_factor", "approval": "per_request"},
    ]}});
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    rig_with(config)
}

fn post(path: &str) -> Request {
    get(path).without(":method").with(":method", "POST")
}

#[test]
fn held_request_is_named() {
    let mut rig = per_request(&json!({}));
    let forward = rig.send(&get("/wire?to=7"), &push()).admitted();
    let stated = claims(&forward, &mut rig);
    assert_eq!((&stated["rule"], &stated["rule_name"]), (&json!(0), &json!("wire")));
    let named = ["method", "host", "path", "body_sha256"].map(|name| stated[name].clone());
    assert_eq!(named, ["GET", "app.example.com", "/wire?to=7", &hexadecimal(b"")].map(Value::from));
    let forward = rig.send(&post("/wire?to=8").followed_by("a=1"), &push()).admitted();
    let other = claims(&forward, &mut rig);
    assert_eq!((&other["method"], &other["path"]), (&json!("POST"), &json!("/wire?to=8")));
    assert_eq!(other.get("body_sha256"), None, "the filter has not read it");
    assert_ne!(other["sid"], stated["sid"]);
}

#[test]
fn request_that_was_approved_in_advance_is_named_with_its_body() {
    let mut rig = per_request(&json!({"request_bodies": true, "api": {"mode": "refuse"}}));
    let (body, path) = (b"amount=12", "%2Fwire%3Fto%3D7");
    let digest = hexadecimal(body);
    let start =
        format!("/.duo-mfa/auth?factor=push&return_to={path}&method=POST&body_sha256={digest}");
    let begun = rig.send(&posted(get(&start)), &[one_phone(), started()]).answered().json();
    let transaction = begun["transaction"].as_str().unwrap();
    let ask = get("/.duo-mfa/status").with("x-duo-mfa-transaction", transaction);
    let state = rig.send(&ask, &[allows()]).answered().json();
    wait(&mut rig, 5);
    let request = post("/wire?to=7")
        .with("x-duo-mfa-transaction", state["transaction"].as_str().unwrap())
        .followed_by(body);
    let forward = rig.send(&request, &[]).admitted();
    let stated = claims(&forward, &mut rig);
    let now = rig.now.seconds();
    let named = ["method", "host", "path", "body_sha256"].map(|name| stated[name].clone());
    assert_eq!(named, ["POST", "app.example.com", "/wire?to=7", &digest].map(Value::from));
    assert_eq!((&stated["auth_time"], &stated["amr"]), (&json!(now - 5), &json!(["mfa", "pop"])));
    assert_eq!((&stated["iat"], &stated["exp"]), (&json!(now), &json!(now + 60)));
    rig.send(&request, &[]).refused();
}

#[test]
fn browser_gets_one_for_each_request() {
    let mut rig = per_request(&json!({}));
    let mut alice = Browser::of("alice");
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let auth = "/.duo-mfa/auth?factor=push&return_to=%2Fwire%3Fto%3D7";
        alice.asks(&mut rig, &alice.posts(auth), &[one_phone(), started()]);
        alice.asks(&mut rig, &alice.fetches("/.duo-mfa/status"), &[allows()]);
        let forward = rig.send(&alice.opens("/wire?to=7"), &[]).admitted();
        let stated = claims(&forward, &mut rig);
        assert_eq!(stated["body_sha256"], hexadecimal(b""));
        tokens.push((token(&forward), stated["sid"].clone()));
        wait(&mut rig, 1);
    }
    assert!(tokens[0].0 != tokens[1].0 && tokens[0].1 != tokens[1].1);
}

#[test]
fn session_approval_opens_no_request_that_needs_its_own() {
    let mut rig = per_request(&json!({}));
    let cookie = cookie(&mut rig);
    assert_eq!(claims(&passed(&mut rig, &cookie, "/"), &mut rig).get("path"), None);
    rig.send(&with(&cookie, "/wire"), &[preauth("deny")]).refused();
}

#[test]
fn approval_per_client_has_one_that_ends_with_it() {
    let mut rig = rig_with(json!({
        "session": {"bind": ["ip_prefix"]},
        "access_control": {"rules": [
            {"paths": ["/api/*"], "policy": "two_factor", "approval": {"per": "client", "for": "2m"}},
        ]},
    }));
    let start = rig.now.seconds();
    rig.send(&get("/api/a"), &push()).admitted();
    wait(&mut rig, 10);
    let stated = |rig: &mut Rig, path: &str| {
        let forward = rig.send(&get(path), &[]).admitted();
        claims(&forward, rig)
    };
    let first = stated(&mut rig, "/api/b");
    assert_eq!((&first["auth_time"], &first["factor"]), (&json!(start), &json!("push")));
    assert_eq!((&first["exp"], first.get("path")), (&json!(start + 70), None));
    wait(&mut rig, 90);
    let last = stated(&mut rig, "/api/c");
    assert_eq!((&last["exp"], &last["sid"]), (&json!(start + 120), &first["sid"]));
}
