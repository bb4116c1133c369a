//! The signed assertion of a forwarded request, and the keys that verify it.

mod bound;
mod claims;

use crate::rig::{
    Request, Response, Rig, Scripted, allows, approval, forwarded_header, get, one_phone, pair,
    started,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use duo_mfa::gate::Forward;
use duo_mfa::http::Edit;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};
use std::time::Duration;

const HEADER: &str = "x-duo-mfa-assertion";
const JWKS: &str = "/.duo-mfa/jwks.json";

fn section() -> Value {
    json!({
        "keys": [{"env": "DUO_MFA_ASSERTION_KEY"}],
        "issuer": "https://app.example.com",
        "audience": "wiki",
    })
}

fn rig_with(mut changes: Value) -> Rig {
    if changes.get("assertion").is_none() {
        changes["assertion"] = section();
    }
    Rig::with(changes)
}

fn rig() -> Rig {
    rig_with(json!({}))
}

/// The published keys.
fn keys(rig: &mut Rig) -> Vec<Value> {
    let Value::Array(keys) = rig.send(&get(JWKS), &[]).refused().json()["keys"].take() else {
        panic!("no keys")
    };
    keys
}

fn decoded(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).unwrap()
}

/// Verifies as an application does: by the key with the token's `kid`. `None` if there is none, or
/// the signature is another.
fn verified(token: &str, keys: &[Value]) -> Option<Value> {
    let (message, signature) = token.rsplit_once('.')?;
    let (head, payload) = message.split_once('.')?;
    let head: Value = serde_json::from_slice(&decoded(head)).unwrap();
    assert_eq!((&head["alg"], &head["typ"]), (&json!("EdDSA"), &json!("JWT")));
    let key = keys.iter().find(|key| key["kid"] == head["kid"])?;
    let key = UnparsedPublicKey::new(&ED25519, decoded(key["x"].as_str()?));
    key.verify(message.as_bytes(), &decoded(signature)).ok()?;
    Some(serde_json::from_slice(&decoded(payload)).unwrap())
}

fn token(forward: &Forward) -> Option<String> {
    let is_ours = |edit: &&Edit| matches!(edit, Edit::AppendNamed(..));
    assert!(forward.request.iter().filter(is_ours).count() < 2);
    forwarded_header(forward, HEADER)
}

/// The claims of a forwarded request's assertion, which must be valid.
#[track_caller]
fn claims(forward: &Forward, rig: &mut Rig) -> Value {
    let token = token(forward).expect("an assertion");
    verified(&token, &keys(rig)).expect("a published key")
}

fn push() -> [Scripted; 3] {
    [one_phone(), started(), allows()]
}

/// The approval cookie of Alice, by a push.
fn cookie(rig: &mut Rig) -> String {
    pair(&approval(&rig.send(&get("/"), &push()).admitted())).to_owned()
}

fn with(cookie: &str, path: &str) -> Request {
    get(path).with("cookie", cookie)
}

fn wait(rig: &mut Rig, seconds: u64) {
    rig.now = rig.now.plus(Duration::from_secs(seconds));
}

/// Sends a request with a cookie, which passes.
#[track_caller]
fn passed(rig: &mut Rig, cookie: &str, path: &str) -> Forward {
    rig.send(&with(cookie, path), &[]).admitted()
}

#[test]
fn assertion_is_used_again_until_half_of_its_life_is_over() {
    let mut rig = rig();
    let cookie = cookie(&mut rig);
    let first = token(&passed(&mut rig, &cookie, "/")).unwrap();
    wait(&mut rig, 29);
    assert_eq!(token(&passed(&mut rig, &cookie, "/other")).unwrap(), first);
    let iat = rig.now.seconds() - 29;
    let stated = verified(&first, &keys(&mut rig)).unwrap();
    assert_eq!((&stated["iat"], &stated["exp"]), (&json!(iat), &json!(iat + 60)));
    wait(&mut rig, 1);
    let second = passed(&mut rig, &cookie, "/");
    assert_ne!(token(&second).unwrap(), first);
    let stated = claims(&second, &mut rig);
    assert_eq!((&stated["iat"], &stated["exp"]), (&json!(iat + 30), &json!(iat + 90)));
    // A clock that is set back must not leave applications with an `iat` in their future.
    rig.now = rig.now.minus(Duration::from_secs(20));
    let back = passed(&mut rig, &cookie, "/");
    assert_eq!(claims(&back, &mut rig)["iat"], iat + 10);
}

#[test]
fn assertion_ends_with_its_approval() {
    let expiration = json!({"session": {"expiration": "2m"}, "assertion": section()});
    let mut rig = rig_with(expiration);
    let cookie = cookie(&mut rig);
    let end = rig.now.seconds() + 120;
    for (seconds, expires) in [(50, end - 10), (50, end), (15, end), (4, end)] {
        wait(&mut rig, seconds);
        let forward = passed(&mut rig, &cookie, "/");
        assert_eq!(claims(&forward, &mut rig)["exp"], expires);
    }
    wait(&mut rig, 1);
    let refused = rig.send(&with(&cookie, "/").with("sec-fetch-dest", "image"), &[]).refused();
    assert_eq!(refused.code(), "mfa_required");
}

#[test]
fn each_user_approval_and_rule_has_its_own() {
    let rules = json!({"access_control": {"rules": [
        {"name": "admins", "paths": ["/admin"], "policy": "two_factor"},
        {"paths": ["/b"], "policy": "two_factor"},
    ]}});
    let mut rig = rig_with(rules);
    let alice = cookie(&mut rig);
    let bob = rig.send(&get("/").of("bob"), &push()).admitted();
    let bob = pair(&approval(&bob)).to_owned();
    wait(&mut rig, 1);
    let again = cookie(&mut rig);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let mut tokens = Vec::new();
        for path in ["/", "/admin", "/b"] {
            let forward = passed(&mut rig, &alice, path);
            let stated = claims(&forward, &mut rig);
            let (rule, name) = match path {
                "/admin" => (json!(0), json!("admins")),
                "/b" => (json!(1), Value::Null),
                _ => (Value::Null, Value::Null),
            };
            assert_eq!((&stated["rule"], &stated["rule_name"]), (&rule, &name));
            tokens.push(token(&forward));
        }
        tokens.push(token(&passed(&mut rig, &again, "/")));
        let of_bob = rig.send(&with(&bob, "/").of("bob"), &[]).admitted();
        assert_eq!(claims(&of_bob, &mut rig)["sub"], "bob");
        tokens.push(token(&of_bob));
        seen.push(tokens);
    }
    let mut distinct = seen[0].clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 5);
    assert!(seen.iter().all(|tokens| *tokens == seen[0]));
}

#[test]
fn keys_are_rotated_without_a_gap() {
    let with_keys = |names: &[&str]| {
        let keys: Vec<_> = names.iter().map(|name| json!({"env": name})).collect();
        let mut section = section();
        section["keys"] = json!(keys);
        json!({"assertion": section})
    };
    let (old, new) = ("DUO_MFA_ASSERTION_KEY", "DUO_MFA_NEXT_ASSERTION_KEY");
    let steps: [&[&str]; 4] = [&[old], &[old, new], &[new, old], &[new]];
    let mut cookie_of_all = None;
    let mut known: Option<Vec<Value>> = None;
    for names in steps {
        let mut rig = Rig::with(with_keys(names));
        let cookie = cookie_of_all.get_or_insert_with(|| cookie(&mut rig)).clone();
        let forward = passed(&mut rig, &cookie, "/");
        let published = keys(&mut rig);
        assert_eq!(published.len(), names.len());
        let token = token(&forward).unwrap();
        assert!(verified(&token, &published).is_some(), "{names:?}");
        if let Some(known) = known.replace(published) {
            assert!(
                verified(&token, &known).is_some(),
                "{names:?}: by the keys of the step before"
            );
        }
    }
    let mut removed = Rig::with(with_keys(&[new]));
    let mut before = rig();
    let cookie = cookie_of_all.unwrap();
    let stale = token(&passed(&mut before, &cookie, "/")).unwrap();
    assert_eq!(verified(&stale, &keys(&mut removed)), None, "a removed key");
}

#[test]
fn key_set_is_public_and_may_be_cached() {
    for mode in ["enforce", "report_only", "off"] {
        let mut rig = rig_with(json!({"mode": mode, "assertion": section()}));
        let nobody = get(JWKS).without("x-basic-user");
        for request in [nobody.clone(), nobody.without(":method").with(":method", "HEAD")] {
            let reply = rig.send(&request, &[]).refused();
            let header = |name| reply.header(name).unwrap_or_default();
            assert_eq!((reply.0.status, reply.0.details.as_str()), (200, "duo_mfa_jwks"));
            assert_eq!(header("content-type"), "application/jwk-set+json");
            assert_eq!(header("cache-control"), "public, max-age=300");
            assert_eq!((header("vary"), reply.cookies()), (String::new(), Vec::new()));
        }
        assert_eq!((rig.calls.len(), rig.table.len()), (0, 0));
    }
    let refused = |rig: &mut Rig, method: &str| -> Response {
        let request = get(JWKS).without(":method").with(":method", method);
        rig.send(&request, &[]).refused()
    };
    assert_eq!(refused(&mut rig(), "POST").header("allow").as_deref(), Some("GET, HEAD"));
    assert_eq!(refused(&mut Rig::new(), "GET").code(), "not_found");
    let four = json!({"assertion": {
        "keys": [{"env": "DUO_MFA_ASSERTION_KEY"}, {"env": "DUO_MFA_NEXT_ASSERTION_KEY"}],
        "issuer": "x".repeat(256), "audience": "x".repeat(256),
    }});
    let size = rig_with(four).send(&get(JWKS), &[]).refused().0.body.len();
    assert!(size < 2 * 220, "{size}");
}

#[test]
fn no_private_key_is_in_any_text() {
    let mut rig = rig();
    let cookie = cookie(&mut rig);
    let forward = passed(&mut rig, &cookie, "/");
    let keys = keys(&mut rig);
    let text =
        format!("{:?} {:?} {forward:?} {keys:?} {:?}", rig.gate, rig.gate.config(), rig.signals);
    let key = base64::engine::general_purpose::STANDARD.decode(crate::rig::ASSERTION_KEY).unwrap();
    let hex = duo_mfa::hex::hex(&key);
    let bytes = format!("{key:?}");
    let stripped = crate::rig::ASSERTION_KEY.trim_end_matches('=');
    let secrets = [stripped, &URL_SAFE_NO_PAD.encode(&key), &hex, bytes.trim_matches(['[', ']'])];
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(text.contains(keys[0]["kid"].as_str().unwrap()), "the key's id may be seen");
}
