//! Codes that a user types. Duo does not report the kind of a code, so all kinds count alike.

use crate::browser::Browser;
use crate::rig::{
    Outcome, Response, Rig, allows, approval, forwarded_header, get, one_phone, pair, status,
};
use duo_mfa::config::Config;
use serde_json::{Value, json};

const TEXT: &str = "/.duo-mfa/auth?factor=sms&return_to=%2F";
const CODE: &str = "/.duo-mfa/auth?factor=passcode&return_to=";

/// A rule for `/guarded` that takes these factors.
fn rule(factors: &Value) -> Value {
    json!({"access_control": {"rules": [
        {"paths": ["/guarded"], "policy": "two_factor", "factors": factors},
    ]}})
}

/// Has codes texted to a user, who types one in a browser. `keeps`: whether the browser keeps the cookie
/// that records the text message.
fn types_a_texted_code(rig: &mut Rig, keeps: bool, path: &str) -> (Browser, Response) {
    let mut alice = Browser::of("alice");
    alice.asks(rig, &alice.posts(TEXT), &[one_phone(), status("deny", "sent")]);
    if !keeps {
        alice.jar.clear();
    }
    let typed = alice.posts(&format!("{CODE}{path}")).with("x-duo-mfa-passcode", "1234567");
    let mut script = vec![one_phone(), allows()].into_iter();
    let answer = rig.drive(&typed, |_| script.next()).refused();
    alice.keep(&answer);
    (alice, answer)
}

/// Whether the browser's approval opens the guarded address.
fn opens(rig: &mut Rig, alice: &Browser) -> bool {
    matches!(rig.send(&alice.fetches("/guarded"), &[]), Outcome::Forwarded(_))
}

#[test]
fn texted_code_counts_alike_with_and_without_the_cookie_that_tells_of_it() {
    for (factors, is_enough) in [
        (json!(["push"]), false),
        (json!(["push", "phone"]), false),
        (json!(["push", "any_passcode"]), true),
        (json!(["push", "sms"]), true),
        (json!(["passcode", "sms"]), true),
        (json!(["sms"]), true),
    ] {
        for keeps in [true, false] {
            let mut rig = Rig::with(rule(&factors));
            let (alice, answer) = types_a_texted_code(&mut rig, keeps, "%2F");
            assert_eq!(answer.0.status, 200, "{}", answer.text());
            assert_eq!(opens(&mut rig, &alice), is_enough, "elsewhere {factors} {keeps}");

            let mut rig = Rig::with(rule(&factors));
            let (alice, answer) = types_a_texted_code(&mut rig, keeps, "%2Fguarded");
            let status = if is_enough { 200 } else { 400 };
            assert_eq!(answer.0.status, status, "{factors} {keeps} {}", answer.text());
            assert_eq!(opens(&mut rig, &alice), is_enough, "{factors} {keeps}");
        }
    }
}

#[test]
fn held_request_with_a_code_opens_what_takes_codes() {
    for (factors, is_enough) in [
        (json!(["push"]), false),
        (json!(["any_passcode"]), true),
        (json!(["sms"]), true),
        (json!(["push", "sms"]), true),
    ] {
        let mut rig = Rig::with(rule(&factors));
        let request = get("/guarded").with("x-duo-mfa-passcode", "1234567");
        if is_enough {
            let forward = rig.send(&request, &[one_phone(), allows()]).admitted();
            assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("passcode"));
            let cookie = pair(&approval(&forward)).to_owned();
            rig.send(&get("/guarded").with("cookie", cookie), &[]).admitted();
        } else {
            assert_eq!(rig.send(&request, &[one_phone()]).refused().code(), "bad_request");
        }
    }
}

#[test]
fn list_that_promises_codes_of_one_kind_is_a_fault() {
    for (factors, is_fine) in [
        (json!(["push", "passcode"]), false),
        (json!(["passcode"]), false),
        (json!(["passcode", "phone", "push"]), false),
        (json!(["push", "any_passcode"]), true),
        (json!(["any_passcode", "sms"]), true),
        (json!(["push", "passcode", "sms"]), true),
        (json!(["sms", "push"]), true),
        (json!(["push"]), true),
        (json!(["passcode", "any_passcode", "sms"]), false),
    ] {
        let main = json!({"duo": {"factors": factors}});
        for (what, changes) in [("duo", main), ("rule", rule(&factors))] {
            let faults = faults(&changes);
            assert_eq!(faults.is_empty(), is_fine, "{what} {factors}: {faults}");
            let says_so = faults.contains("any_passcode") || faults.contains("twice");
            assert!(is_fine || says_so, "{what} {factors}: {faults}");
        }
    }
}

/// The faults of a configuration as text; empty if it has none.
fn faults(changes: &Value) -> String {
    let mut config = json!({
        "version": 1,
        "duo": {
            "api_host": "api-xxxxxxxx.duosecurity.com", "integration_key": "DIWJ8X6AEYOR5OMC6TQ1",
            "secret_key": {"env": "DUO_SECRET_KEY"},
        },
        "identity": {"source": "header", "header": "x-basic-user"},
        "session": {"keys": [{"env": "DUO_MFA_COOKIE_KEY"}]},
    });
    for (key, name) in [("duo", "factors"), ("access_control", "rules")] {
        if let Some(member) = changes.get(key).and_then(|section| section.get(name)) {
            config[key][name] = member.clone();
        }
    }
    let environment = |name: &str| match name {
        "DUO_SECRET_KEY" => Some(crate::rig::SECRET_KEY.to_owned()),
        _ => Some(crate::rig::COOKIE_KEY.to_owned()),
    };
    Config::parse(config.to_string().as_bytes(), &environment)
        .err()
        .map(|it| it.to_string())
        .unwrap_or_default()
}
