//! The shortest way from a client without an approval to the application: a held request, with every result
//! of a sign-in at Duo.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::filter::Host;
use crate::message::{Reply, Request};
use crate::setup::{FirstFactor, JWT_KEY, Setup};
use crate::stack::{APPROVAL, Protocol, Stack};
use crate::tally::Verdict;

#[test]
fn approved_push_forwards_the_same_request_and_sets_the_approval_cookie() {
    let stack = Stack::standard();
    let request = Request::get("/reports?year=2026&q=a%20b")
        .user("alice")
        .header("x-trace", "7")
        .header("cookie", "a=1; __Host-duo_mfa=stale; b=2");
    let reply = stack.answered_push(request, "alice", "approve");
    assert_eq!(reply.status, 200, "{reply:?} {}", reply.text());
    assert_approval(&reply);

    let seen = stack.app.last();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "/reports?year=2026&q=a%20b"));
    assert_eq!(seen.values("x-trace"), ["7"]);
    assert_eq!(seen.values("cookie"), ["a=1; b=2"]);
    assert_eq!(seen.values("x-duo-mfa-user"), ["alice"]);
    assert_eq!(seen.values("x-duo-mfa-factor"), ["push"]);
    let time: u64 = seen.values("x-duo-mfa-time").concat().parse().expect("unix seconds");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!((now - 60..=now).contains(&time), "{time}");
    let calls = ["preauth", "auth"].map(|endpoint| stack.sim.calls(endpoint));
    assert_eq!(calls, [1, 1]);
    assert!(stack.sim.calls("auth_status") >= 1);
}

/// Asserts that the approval cookie has the right attributes.
fn assert_approval(reply: &Reply) {
    let line = reply.set_cookie(APPROVAL).expect("an approval");
    let mut attributes = line.split("; ").skip(1).map(str::to_owned).collect::<Vec<_>>();
    attributes.retain(|attribute| !attribute.starts_with("Max-Age="));
    attributes.sort();
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"], "{line}");
}

#[test]
fn approval_is_set_beside_the_applications_cookies() {
    let stack = Stack::standard();
    stack.app.answer_with("set-cookie", "basket=1; Path=/");
    stack.app.answer_with("set-cookie", "__Host-duo_mfa=forged; Path=/; Secure");
    stack.app.answer_with("set-cookie", "theme=dark");
    stack.app.answer_with("cache-control", "public, max-age=600");
    let reply = stack.answered_push(Request::get("/").user("alice"), "alice", "approve");
    assert_approval(&reply);
    let mut cookies = reply.values("set-cookie");
    cookies.retain(|line| !line.starts_with(APPROVAL));
    assert_eq!(cookies, ["basket=1; Path=/", "theme=dark"]);
    assert_eq!(reply.values("set-cookie").len(), 3, "one approval: {reply:?}");
    let caching = reply.header("cache-control").expect("a rule for caches");
    assert!(caching.contains("no-store") || caching.contains("private"), "{caching}");
    assert!(!caching.contains("public"), "{caching}");
}

#[test]
fn approval_cookie_alone_admits_without_a_call_to_duo() {
    let stack = Stack::standard();
    let approval = stack.signed_in("alice");
    let calls = stack.sim.user_calls();
    for _ in 0..10 {
        let request = Request::get("/reports").user("alice").cookie(&approval);
        let (reply, seen) = stack.admitted(&request.header("cookie", "theme=dark"));
        assert_eq!(reply.set_cookie(APPROVAL), None, "nothing to renew so soon");
        assert_eq!(seen.values("cookie"), ["theme=dark"]);
        assert_eq!(seen.values("x-duo-mfa-factor"), ["push"]);
    }
    assert_eq!(stack.sim.user_calls(), calls);
}

/// Has the phone's owner answer with `action`, and asserts that the request is refused with `code`.
fn assert_refused_after(action: &str, code: &str) {
    let stack = Stack::standard();
    let reply = stack.answered_push(Request::get("/reports").user("alice"), "alice", action);
    reply.assert_problem(403, code);
    assert_eq!(reply.set_cookie(APPROVAL), None);
    assert_eq!(stack.app.count(), 0);
    assert_eq!(stack.sim.pushes(), 1);
}

#[test]
fn denied_push_is_refused_with_mfa_denied() {
    assert_refused_after("deny", "mfa_denied");
}

#[test]
fn push_that_times_out_is_refused_with_mfa_timeout() {
    assert_refused_after("timeout", "mfa_timeout");
}

#[test]
fn fraud_is_refused_with_mfa_fraud() {
    assert_refused_after("fraud", "mfa_fraud");
}

#[test]
fn lockout_during_the_push_is_refused_with_mfa_locked_out() {
    let stack = Stack::standard();
    stack.sim.fault(&json!({
        "endpoint": "auth_status", "kind": "raw", "status": 200,
        "headers": [["content-type", "application/json"]],
        "body": r#"{"stat":"OK","response":{"result":"deny","status":"locked_out","status_msg":"Disabled."}}"#,
    }));
    let reply = stack.denied(&Request::get("/reports").user("alice"));
    reply.assert_problem(403, "mfa_locked_out");
}

/// Asserts that a user is refused with `code` after preauth, without a push.
fn assert_refused_at_preauth(user: &str, code: &str) {
    assert_refused_with(&Stack::standard(), user, code);
}

fn assert_refused_with(stack: &Stack, user: &str, code: &str) {
    let reply = stack.denied(&Request::get("/reports").user(user));
    reply.assert_problem(403, code);
    assert_eq!(stack.sim.calls("preauth"), 1);
    assert_eq!(stack.sim.user_calls(), 1, "{:?}", stack.sim.journal());
}

#[test]
fn preauth_deny_is_refused_without_a_push() {
    assert_refused_at_preauth("mallory", "duo_denied");
}

#[test]
fn preauth_enroll_is_refused_without_an_enrollment() {
    assert_refused_at_preauth("dave", "enrollment_required");
}

#[test]
fn user_without_a_usable_device_is_refused() {
    let stack = Stack::standard();
    let phone = json!({"platform": "Landline", "capabilities": []});
    stack.sim.put_user(&json!({"username": "guest0", "devices": [phone]}));
    assert_refused_with(&stack, "guest0", "no_device");
}

#[test]
fn preauth_allow_admits_with_factor_bypass() {
    let stack = Stack::standard();
    let (reply, seen) = stack.admitted(&Request::get("/reports").user("bella"));
    assert_eq!(seen.values("x-duo-mfa-user"), ["bella"]);
    assert_eq!(seen.values("x-duo-mfa-factor"), ["bypass"]);
    assert_approval(&reply);
    let approval = reply.set_cookie(APPROVAL).unwrap().to_owned();
    assert_eq!(stack.sim.user_calls(), 1);

    let (_, seen) = stack.admitted(&Request::get("/reports").user("bella").cookie(&approval));
    assert_eq!(seen.values("x-duo-mfa-factor"), ["bypass"]);
    assert_eq!(stack.sim.user_calls(), 1);
}

#[test]
fn user_with_passcodes_only_learns_so() {
    assert_refused_at_preauth("tom", "mfa_required");
}

#[test]
fn verified_push_cannot_be_held_for() {
    assert_refused_at_preauth("bob", "mfa_required");
}

#[test]
fn struct_configuration_works_as_json_text_does() {
    let mut setup = Setup::default();
    setup.plugin_form = crate::setup::PluginForm::Struct;
    let stack = Stack::start(setup);
    let approval = stack.signed_in("alice");
    stack.admitted(&Request::get("/").user("alice").cookie(&approval));
    stack.denied(&Request::get("/").user("mallory")).assert_problem(403, "duo_denied");
}

#[test]
fn identity_of_a_token_is_asked_for_at_duo() {
    let identity = match Host::of_this_run() {
        Host::Wasm => json!({
            "source": "jwt", "header": null,
            "metadata": ["envoy.filters.http.jwt_authn", "jwt_payload", "email"],
        }),
        Host::Native => json!({"source": "header", "header": "x-jwt-email"}),
    };
    let mut setup = Setup::default().plugin(json!({"identity": identity}));
    setup.first_factor = FirstFactor::Jwt;
    let stack = Stack::start(setup);
    let alice = token(&json!({"sub": "1", "email": "alice"}));
    let held = stack.held_push(Request::get("/").bearer(&alice), Protocol::Http1, "alice");
    let reply = stack.judged(Verdict::Admitted(1), "an approved push", || {
        stack.sim.answer("alice", "approve");
        held.reply()
    });
    assert_eq!(reply.status, 200);
    assert_eq!(stack.app.last().values("x-duo-mfa-user"), ["alice"]);
    stack.denied(&Request::get("/")).assert_problem(403, "identity_missing");
    let nobody = token(&json!({"sub": "1"}));
    stack.denied(&Request::get("/").bearer(&nobody)).assert_problem(403, "identity_missing");
}

/// A token of the first factor's issuer, with these claims.
fn token(claims: &Value) -> String {
    let mut claims = claims.clone();
    claims["iss"] = json!("https://first.example");
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({"alg": "HS256", "kid": "e2e"})), part(&claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(JWT_KEY).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}
