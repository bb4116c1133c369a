//! Duo's statements on the factor, the user and the time, and the rules that judge them.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::stack::{APPROVAL, Stack};
use crate::universal::{
    PAGE, approves, assert_arrived, assert_refused, at_duo, start, start_with, target,
};

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
fn user_in_bypass_status_opens_what_asks_for_a_passkey() {
    let stack = start_with(json!({"access_control": {"rules": [
        {"paths": ["/admin/*"], "policy": "two_factor", "factors": ["webauthn"]},
    ]}}));
    // Duo redirects this user straight back, without a factor.
    let mut bella = Browser::of("bella");
    bella.signs_in_at_duo(&stack, "/admin/x");
    let seen = bella.is_admitted(&stack, "/admin/x");
    assert_eq!(seen.values("x-duo-mfa-factor"), ["bypass"]);
}

#[test]
fn names_with_unusual_characters_arrive_as_they_are() {
    // Duo's name of a user may have characters that the name of the first factor has not.
    let longest = format!("{}é", "n".repeat(254));
    let names =
        ["x", "o'neil&co", "a+b", "\"", "\\", "a+b & \"c\" \\ d/\u{7f16}", "zoë", "名前", &longest];
    let entries = names
        .iter()
        .enumerate()
        .map(|(number, name)| json!({"user": crate::setup::guest(number), "username": name}));
    let map: Vec<_> = entries.collect();
    let setup = crate::universal::setup().plugin(json!({"identity": {"map": map}}));
    let stack = Stack::start(setup);
    for (number, name) in names.iter().enumerate() {
        approves(&stack.sim, name);
        let mut browser = Browser::of(&crate::setup::guest(number));
        browser.signs_in_at_duo(&stack, PAGE);
        browser.is_admitted(&stack, PAGE);
        let journal = stack.sim.journal();
        let asked = journal.iter().rfind(|entry| entry["endpoint"] == "authorize").unwrap();
        assert_eq!(asked["jwt"]["claims"]["duo_uname"], *name);
        // The response must name the same user, whatever the characters.
        stack.sim.fault(&json!({"endpoint": "token", "kind": "user", "times": 1,
            "user": format!("{name}x")}));
        let mut other = Browser::of(&crate::setup::guest(number));
        let target = other.is_approved(&stack, PAGE);
        assert_refused(&other.returns(&stack, &target), 403, "other_user");
    }
}

#[test]
fn names_that_the_first_factor_must_not_send_never_reach_duo() {
    let setup = crate::universal::setup().plugin(json!({"identity": {"header": "x-basic-user"}}));
    let first_factor = crate::setup::FirstFactor::Absent;
    let stack = Stack::start(crate::setup::Setup { first_factor, ..setup });
    let press = || crate::universal::press("/x");
    for name in ["a+b \"c\" \\", "zoë", "名前", &"n".repeat(257), &"n".repeat(20_000)] {
        let reply = stack.denied(&press().header("x-basic-user", name));
        assert!(crate::universal::says(&reply, "identity_invalid"), "{name}: {}", reply.text());
    }
    let longest = "n".repeat(256);
    let reply = stack.denied(&press().header("x-basic-user", &longest));
    assert_eq!(reply.status, 303, "{}", reply.text());
    at_duo(&stack.sim, reply.header("location").unwrap());
    assert_eq!(stack.sim.only_call("authorize")["jwt"]["claims"]["duo_uname"], longest);
}
