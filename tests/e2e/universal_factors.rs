//! Duo's statements on the factor, the user and the time, and the rules that judge them.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::stack::{APPROVAL, Stack};
use crate::universal::{PAGE, assert_arrived, assert_refused, at_duo, start, start_with, target};

fn says(stack: &Stack, factor: Value, reason: &str) {
    stack.sim.universal(
        &json!({"user": "alice", "answer": "approve", "factor": factor, "reason": reason}),
    );
}

#[test]
fn passkey_is_named_to_the_application_in_metrics_and_in_the_log() {
    let stack = start();
    says(&stack, json!("webauthn_security_key"), "user_approved");
    let mut alice = Browser::of("alice");
    alice.signs_in_at_duo(&stack, PAGE);
    let seen = alice.is_admitted(&stack, PAGE);
    assert_eq!(seen.values("x-duo-mfa-factor"), ["webauthn"]);
    let userinfo = alice.fetch(&stack, "GET", "userinfo");
    assert_eq!(userinfo.json()["factor"], "webauthn", "{}", userinfo.text());
    let stats = stack.envoy.admin("/stats?filter=duo_mfa");
    assert!(stats.contains("webauthn"), "{stats}");
    assert!(stack.envoy.log().contains("webauthn"));
}

#[test]
fn each_factor_of_duos_has_its_name_here() {
    let stack = start();
    for (factor, reason, name) in [
        (json!("duo_push"), "user_approved", "push"),
        (json!("verified_duo_push"), "user_approved", "push"),
        (json!("phone_call"), "user_approved", "phone"),
        (json!("sms_passcode"), "valid_passcode", "sms"),
        (json!("duo_mobile_passcode"), "valid_passcode", "passcode"),
        (json!("bypass_code"), "valid_passcode", "passcode"),
        (json!("WebAuthn Security Key"), "user_approved", "webauthn"),
        (json!("remembered_device"), "remembered_device", "remembered"),
        (Value::Null, "bypass_user", "bypass"),
    ] {
        says(&stack, factor.clone(), reason);
        let mut alice = Browser::of("alice");
        alice.signs_in_at_duo(&stack, PAGE);
        let seen = alice.is_admitted(&stack, PAGE);
        assert_eq!(seen.values("x-duo-mfa-factor"), [name], "{factor}");
    }
}

#[test]
fn rule_that_asks_for_a_passkey_takes_nothing_else() {
    let stack = start_with(json!({"access_control": {"rules": [
        {"paths": ["/admin/*"], "policy": "two_factor", "factors": ["webauthn"]},
    ]}}));
    let mut alice = Browser::of("alice");
    says(&stack, json!("duo_push"), "user_approved");
    let back = alice.is_approved(&stack, "/admin/x");
    let reply = alice.returns(&stack, &back);
    assert_eq!(reply.status, 403, "{reply:?} {}", reply.text());
    assert!(crate::universal::says(&reply, "mfa_insufficient"), "{}", reply.text());
    assert!(!reply.text().contains("http-equiv=\"refresh\""), "no loop: {}", reply.text());
    // The approval serves where a push does.
    assert!(alice.has(APPROVAL));
    alice.is_admitted(&stack, "/other");
    assert_eq!(alice.open(&stack, "/admin/x").status, 403);

    for (factor, reason) in [
        (json!("bypass_code"), "valid_passcode"),
        (json!("telepathy"), "user_approved"),
        (Value::Null, "something"),
    ] {
        says(&stack, factor.clone(), reason);
        let mut alice = Browser::of("alice");
        let back = alice.is_approved(&stack, "/admin/x");
        let reply = alice.returns(&stack, &back);
        assert!(crate::universal::says(&reply, "mfa_insufficient"), "{factor}: {}", reply.text());
        assert_eq!(alice.open(&stack, "/admin/x").status, 403, "{factor}");
    }

    says(&stack, json!("webauthn_platform"), "user_approved");
    let back = alice.is_approved(&stack, "/admin/x");
    assert_arrived(&alice.returns(&stack, &back), "/admin/x");
    alice.is_admitted(&stack, "/admin/x");
}

#[test]
fn max_age_taken_out_of_the_address_is_noticed() {
    let stack = start_with(json!({"access_control": {"rules": [
        {"paths": ["/admin/*"], "policy": "two_factor", "max_age": "5m"},
    ]}}));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let remembered = json!({"user": "alice", "answer": "approve", "factor": "remembered_device",
        "reason": "remembered_device", "auth_time": now - 3600});
    stack.sim.universal(&remembered);
    let mut alice = Browser::of("alice");
    let address = alice.leaves(&stack, "/admin/x");
    let came = at_duo(&stack.sim, &address);
    assert_eq!(stack.sim.only_call("authorize")["jwt"]["claims"]["max_age"], 300);
    let back = target(came.header("location").unwrap());
    let reply = alice.returns(&stack, back);
    assert_refused(&reply, 403, "mfa_insufficient");
    assert!(!reply.text().contains("http-equiv=\"refresh\""), "no loop: {}", reply.text());
}

#[test]
fn names_with_unusual_characters_arrive_as_they_are() {
    // A first factor that sends one of the last three is refused before Duo hears of it.
    let names = ["o'neil&co", "a+b", "x", "a+b \"c\" \\", "zoë", "名前"];
    let (accepted, refused) = names.split_at(3);
    let setup = crate::universal::setup().plugin(json!({"identity": {"header": "x-basic-user"}}));
    let first_factor = crate::setup::FirstFactor::Absent;
    let stack = Stack::start(crate::setup::Setup { first_factor, ..setup });
    for name in names {
        stack.sim.universal(&json!({"user": name, "answer": "approve"}));
        let as_user = |request: crate::message::Request| request.header("x-basic-user", name);
        let reply = stack.denied(&as_user(crate::universal::press("/x")));
        if refused.contains(&name) {
            assert!(crate::universal::says(&reply, "identity_invalid"), "{name}: {}", reply.text());
            continue;
        }
        assert!(accepted.contains(&name) && reply.status == 303, "{name}: {}", reply.text());
        let came = at_duo(&stack.sim, reply.header("location").unwrap());
        assert_eq!(came.status, 303, "{name}: {}", came.text());
        let back = crate::universal::back(target(came.header("location").unwrap()));
        let cookie = reply.set_cookie(crate::universal::BROWSER).unwrap().to_owned();
        let reply = stack.send(&as_user(back).cookie(&cookie));
        assert_arrived(&reply, "/x");
    }
}
