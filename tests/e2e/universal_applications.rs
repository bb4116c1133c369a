//! Two applications at Duo behind one Envoy, and modes and rules that cover the filter's addresses.

use serde_json::json;

use crate::browser::Browser;
use crate::message::Request;
use crate::stack::{APPROVAL, Stack};
use crate::universal::{
    CALLBACK, PAGE, approves, assert_arrived, assert_no_token_call, assert_refused, setup,
    start_with,
};

/// The second Web SDK application; see `Sim::of`.
const PAYMENTS_ID: &str = "DISECONDWEBSDK000001";
const PAYMENTS_SECRET: &str = "SecondWebSdkSecretSecondWebSdkSecret0001";

fn two() -> Stack {
    let mut setup = setup().plugin(json!({
        "applications": {"payments": {"duo": {
            "api_host": crate::setup::API_HOST,
            "integration_key": crate::setup::INTEGRATION_KEY.replace('X', "Y"),
            "secret_key": {"env": "DUO_SECRET_KEY_2"},
            "universal": {"client_id": PAYMENTS_ID, "client_secret": {"env": "DUO_CLIENT_SECRET_2"}},
        }}},
        "access_control": {"rules": [
            {"paths": ["/payments/*"], "policy": "two_factor", "application": "payments"},
        ]},
    }));
    setup.environment.push(("DUO_SECRET_KEY_2", crate::setup::OTHER_SECRET_KEY.to_owned()));
    setup.environment.push(("DUO_CLIENT_SECRET_2", PAYMENTS_SECRET.to_owned()));
    let stack = Stack::start(setup);
    approves(&stack.sim, "alice");
    stack
}

#[test]
fn each_application_has_its_callback_and_no_state_of_the_other() {
    let stack = two();
    let mut alice = Browser::of("alice");
    let ours = alice.is_approved(&stack, PAGE);
    let theirs = alice.is_approved(&stack, "/payments/x");
    assert!(ours.starts_with(&format!("{CALLBACK}?")), "{ours}");
    assert!(theirs.starts_with(&format!("{CALLBACK}/payments?")), "{theirs}");
    let moved = |target: &str| target.split_once('?').unwrap().1.to_owned();
    let to_theirs = format!("{CALLBACK}/payments?{}", moved(&ours));
    let to_ours = format!("{CALLBACK}?{}", moved(&theirs));
    assert_refused(&alice.returns(&stack, &to_theirs), 403, "sign_in_lost");
    assert_refused(&alice.returns(&stack, &to_ours), 403, "sign_in_lost");
    assert_no_token_call(&stack);
    assert_arrived(&alice.returns(&stack, &theirs), "/payments/x");
    alice.is_admitted(&stack, "/payments/x");
    assert_eq!(alice.open(&stack, PAGE).status, 403, "an approval for payments alone");
    assert_arrived(&alice.returns(&stack, &ours), PAGE);
}

#[test]
fn id_token_of_the_other_application_is_refused() {
    let stack = two();
    for fault in [
        json!({"endpoint": "token", "kind": "secret", "secret": PAYMENTS_SECRET, "times": 1}),
        json!({"endpoint": "token", "kind": "claims", "merge": {"aud": PAYMENTS_ID}, "times": 1}),
    ] {
        stack.sim.fault(&fault);
        let mut alice = Browser::of("alice");
        let target = alice.is_approved(&stack, PAGE);
        let reply = alice.returns(&stack, &target);
        assert_eq!(reply.status, 503, "{fault}: {reply:?} {}", reply.text());
        assert!(!alice.has(APPROVAL), "{fault}");
    }
}

#[test]
fn callback_is_answered_in_every_mode_and_under_a_bypass_rule() {
    for patch in [
        json!({"mode": "report_only"}),
        json!({"mode": "off"}),
        json!({"access_control": {"rules": [{"paths": ["/*"], "policy": "bypass"}]}}),
    ] {
        let stack = start_with(patch.clone());
        let mut alice = Browser::of("alice");
        for query in ["", "?state=x&duo_code=y", "?state=0123456789abcdef&duo_code=y"] {
            let reply = alice.returns(&stack, &format!("{CALLBACK}{query}"));
            assert!(matches!(reply.status, 400 | 403), "{patch} {query}: {reply:?}");
            assert_eq!(reply.set_cookie(APPROVAL), None, "{patch}");
        }
        assert_no_token_call(&stack);
        stack.admitted(&Request::get("/x").user("alice"));
    }
}

#[test]
fn sign_in_ends_as_ever_in_every_mode_and_under_a_bypass_rule() {
    for patch in [
        json!({"mode": "report_only"}),
        json!({"mode": "off"}),
        json!({"access_control": {"rules": [{"paths": ["/*"], "policy": "bypass"}]}}),
    ] {
        let stack = start_with(patch);
        let mut alice = Browser::of("alice");
        alice.signs_in_at_duo(&stack, PAGE);
        assert_eq!(stack.sim.calls("token"), 1);
        // The callback is answered, whether or not the browser has an approval.
        let forged = format!("{CALLBACK}?state=0123456789abcdef&duo_code=y");
        assert_refused(&alice.returns(&stack, &forged), 403, "sign_in_lost");
        alice.is_admitted(&stack, PAGE);
    }
}
