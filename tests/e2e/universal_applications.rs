//! Two applications at Duo behind one Envoy, and modes and rules that cover the filter's addresses.

use serde_json::json;

use crate::browser::Browser;
use crate::message::Request;
use crate::stack::{APPROVAL, Stack};
use crate::universal::{
    CALLBACK, PAGE, approves, assert_arrived, assert_no_token_call, assert_refused, press, setup,
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
fn sign_in_in_report_only_mode_ends_as_in_enforce() {
    let stack = start_with(json!({"mode": "report_only"}));
    let mut alice = Browser::of("alice");
    let reply = alice.ask(&stack, press(PAGE));
    assert_eq!(reply.status, 303, "{}", reply.text());
    let address = reply.header("location").unwrap().to_owned();
    let came = crate::universal::at_duo(&stack.sim, &address);
    let target = crate::universal::target(came.header("location").unwrap()).to_owned();
    assert_arrived(&alice.returns(&stack, &target), PAGE);
}

#[test]
fn secrets_of_a_sign_in_appear_in_no_log_metric_or_dump() {
    let setup = crate::setup::Setup { log: "wasm:trace", ..setup() };
    let stack = Stack::start(setup);
    approves(&stack.sim, "alice");
    let mut alice = Browser::of("alice");
    let target = alice.is_approved(&stack, PAGE);
    assert_arrived(&alice.returns(&stack, &target), PAGE);
    // A refused exchange, and one that got lost.
    stack.sim.universal(&json!({"code_seconds": -1}));
    let late = alice.clone();
    alice.jar.remove(APPROVAL);
    let refused = alice.is_approved(&stack, "/other");
    alice.returns(&stack, &refused);
    stack.sim.fault(&json!({"endpoint": "token", "kind": "status", "status": 502, "times": 1}));
    let lost = alice.is_approved(&stack, "/third");
    alice.returns(&stack, &lost);

    let mut hidden = vec![crate::universal::CLIENT_SECRET.to_owned()];
    for target in [&target, &refused, &lost] {
        let state = crate::universal::parameter(target, "state");
        hidden.extend([crate::universal::parameter(target, "duo_code"), state[..40].to_owned()]);
    }
    for entry in stack.sim.journal() {
        for name in ["client_assertion", "request"] {
            if let Some(jwt) = entry["params"][name].as_str() {
                hidden.push(jwt[jwt.len() - 40..].to_owned());
            }
        }
    }
    for cookies in [&late.jar, &alice.jar] {
        hidden.extend(cookies.values().map(|value| value[value.len() - 30..].to_owned()));
    }
    for page in ["/config_dump", "/stats", "/stats/prometheus"] {
        assert_hides(page, &stack.envoy.admin(page), &hidden);
    }
    assert_hides("the log", &stack.envoy.log(), &hidden);
}

fn assert_hides(place: &str, text: &str, hidden: &[String]) {
    for secret in hidden {
        assert!(!text.contains(secret), "{secret} is in {place}");
    }
}
