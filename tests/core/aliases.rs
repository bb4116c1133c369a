//! Limits count by Duo's user and by the phone, under every name that the first factor has for the user
//! and in every configuration.

use crate::browser::Browser;
use crate::rig::{Request, Response, Rig, Scripted, allows, get, one_phone, phone, phone_of};
use crate::rig::{forwarded_header, started, status};
use serde_json::{Value, json};
use std::time::Duration;

const KEY_OF_LIMITS: &str = "DUO_MFA_LIMITS_KEY";

fn denied() -> [Scripted; 3] {
    [one_phone(), started(), status("deny", "deny")]
}

fn wrong_passcode() -> [Scripted; 2] {
    [one_phone(), status("deny", "deny")]
}

fn with_passcode(request: Request) -> Request {
    request.with("x-duo-mfa-passcode", "123456")
}

/// Asserts that a request is refused after preauth, without another call.
#[track_caller]
fn stopped(rig: &mut Rig, request: &Request, preauth: &Scripted) -> Response {
    let calls = rig.calls.len();
    let refused = rig.send(request, std::slice::from_ref(preauth)).refused();
    assert_eq!(rig.called()[calls..], ["preauth"]);
    assert_eq!(refused.0.status, 429);
    refused
}

/// Settings that may differ between two listeners of one Envoy with the same Duo application.
fn differences() -> [Value; 4] {
    [
        json!({"session": {"application": "payroll"}}),
        json!({"session": {"keys": [{"env": "DUO_MFA_OTHER_COOKIE_KEY"}]}}),
        json!({"session": {"bind": ["ip_prefix"], "cookie": "__Host-other"}}),
        json!({"identity": {"source": "metadata", "header": null, "metadata": ["first", "user"]}}),
    ]
}

#[test]
fn twenty_spellings_of_one_duo_user_have_one_push_and_five_passcodes() {
    let mut rig = Rig::with(json!({"identity": {"username": "{local}"}}));
    rig.send(&get("/").of("alice@tenant0"), &denied()).refused();
    let spelled = |number: usize| get("/").of(&format!("alice@tenant{number}"));
    for number in 1..20 {
        // Also if preauth names another device: the user is the same.
        let refused = stopped(&mut rig, &spelled(number), &phone(&format!("DP{number:018}")));
        assert_eq!(refused.code(), "too_many_requests");
    }
    for number in 0..5 {
        rig.send(&with_passcode(spelled(number)), &wrong_passcode()).refused();
    }
    for number in 0..20 {
        stopped(&mut rig, &with_passcode(spelled(number)), &one_phone());
    }
}

#[test]
fn template_of_another_case_leads_to_the_same_user() {
    let of = |template: &str| json!({"identity": {"username": template}});
    let mut rig = Rig::with(of("CORP\\{user}"));
    rig.send(&get("/"), &denied()).refused();
    let mut other = rig.beside(of("corp\\{user}"));
    stopped(&mut other, &get("/"), &phone_of("other"));
}

#[test]
fn configurations_of_one_duo_application_share_limits() {
    for difference in differences() {
        let mut rig = Rig::new();
        rig.send(&get("/"), &denied()).refused();
        for _ in 0..5 {
            rig.send(&with_passcode(get("/")), &wrong_passcode()).refused();
        }
        let mut other = rig.beside(difference.clone());
        other.attribute = Some(b"alice".to_vec());
        // Another phone, so that only the name counts.
        let elsewhere = phone("DP000000000000000001");
        let refused = stopped(&mut other, &get("/"), &elsewhere);
        assert_eq!(refused.header("retry-after").as_deref(), Some("60"), "{difference}");
        stopped(&mut other, &with_passcode(get("/")), &elsewhere);
    }
}

#[test]
fn next_cookie_key_resets_no_limit() {
    let mut rig = Rig::new();
    rig.send(&get("/"), &denied()).refused();
    let keys = json!([{"env": "DUO_MFA_OTHER_COOKIE_KEY"}, {"env": "DUO_MFA_COOKIE_KEY"}]);
    let mut rotated = rig.beside(json!({"session": {"keys": keys}}));
    assert_eq!(stopped(&mut rotated, &get("/"), &one_phone()).code(), "too_many_requests");
}

#[test]
fn other_names_of_one_phone_never_ring_it_at_the_same_time() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    let push = alice.posts("/.duo-mfa/auth?factor=push&return_to=%2Freports");
    alice.asks(&mut rig, &push, &[one_phone(), started()]);
    // The waiting push is polled once, not once for each name.
    let look = [one_phone(), status("waiting", "pushed")];
    assert_eq!(rig.send(&get("/").of("al"), &look).refused().code(), "pending_elsewhere");
    for alias in ["ali", "alice@corp.example.com", "a.smith"] {
        let refused = stopped(&mut rig, &get("/").of(alias), &one_phone());
        assert_eq!(refused.code(), "pending_elsewhere", "{alias}");
    }
    rig.send(&get("/").of("bob"), &[phone_of("bob"), started(), allows()]).admitted();
    alice.is_approved(&mut rig, &alice.fetches("/.duo-mfa/status"), &[allows()]);
    let forward = rig.send(&get("/").of("ali"), &[one_phone(), started(), allows()]).admitted();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-user").as_deref(), Some("ali"));
}

#[test]
fn denial_of_one_name_stops_the_others_of_its_phone() {
    let mut rig = Rig::new();
    rig.send(&get("/"), &denied()).refused();
    let refused = stopped(&mut rig, &get("/").of("ali"), &one_phone());
    assert_eq!(refused.header("retry-after").as_deref(), Some("60"));
    // The refusal did not count against this name: its other phone rings three times.
    for _ in 0..2 {
        stopped(&mut rig, &get("/").of("ali"), &one_phone());
    }
    let script = [phone_of("ali"), started(), status("deny", "timeout")];
    for _ in 0..3 {
        rig.send(&get("/").of("ali"), &script).refused();
        rig.now = rig.now.plus(Duration::from_secs(15));
    }
    stopped(&mut rig, &get("/").of("ali"), &phone_of("ali"));
}

#[test]
fn wrong_passcodes_of_names_with_the_same_devices_count_together() {
    let mut rig = Rig::new();
    for name in ["alice", "ali", "a.smith", "alice", "ali"] {
        let refused = rig.send(&with_passcode(get("/").of(name)), &wrong_passcode()).refused();
        assert_eq!(refused.code(), "passcode_incorrect", "{name}");
    }
    for name in ["alice", "ali", "a.smith", "fourth.name"] {
        stopped(&mut rig, &with_passcode(get("/").of(name)), &one_phone());
    }
    let other = [phone_of("bob"), allows()];
    rig.send(&with_passcode(get("/").of("bob")), &other).admitted();
}

#[test]
fn key_of_the_limits_joins_configurations_of_several_duo_applications() {
    let other = json!({
        "integration_key": "DIOTHERAPPLICATION00", "secret_key": {"env": "OTHER_SECRET_KEY"},
    });
    for key in [Value::Null, json!({"env": KEY_OF_LIMITS})] {
        let limits = if key.is_null() { json!({}) } else { json!({"key": key}) };
        let mut rig = Rig::with(json!({"limits": limits}));
        rig.send(&get("/"), &denied()).refused();
        let mut beside = rig.beside(json!({"duo": other, "limits": limits}));
        if key.is_null() {
            beside.send(&get("/"), &denied()).refused();
        } else {
            stopped(&mut beside, &get("/"), &one_phone());
        }
    }
}
