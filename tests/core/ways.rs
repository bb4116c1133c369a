//! Factors on the page: verified push, phone call, text message, passcode, and the remembered choice.

use crate::browser::Browser;
use crate::rig::{
    Rig, Scripted, allows, devices, fail, forwarded_header, ok, one_phone, preauth, started, status,
};
use serde_json::{Value, json};
use std::time::Duration;

const PHONE: &str = "DPFZRS9FB0D46QFTM891";
const OTHER: &str = "DPFZRS9FB0D46QFTM892";
const PENDING: &str = "__Host-duo_txn";
const PREFERRED: &str = "__Host-duo_preferred";
const STATUS: &str = "/.duo-mfa/status";
const PREAUTH: &str = "/.duo-mfa/preauth";

fn auth(query: &str) -> String {
    format!("/.duo-mfa/auth?{query}")
}

fn phone(id: &str, name: &str, capabilities: &Value) -> Value {
    json!({"device": id, "type": "phone", "name": name, "capabilities": capabilities})
}

fn two_phones() -> Scripted {
    let all = json!(["auto", "push", "sms", "phone", "mobile_otp"]);
    devices(&json!([phone(PHONE, "first", &all), phone(OTHER, "<b>second", &all)]))
}

fn verified() -> Scripted {
    ok(&json!({
        "result": "auth", "status_msg": "", "txid": "11111111-f45f-4862-8545-e0f58e78075a",
        "verification_code": "708", "expiration": 1_800_000_060,
        "devices": [phone(PHONE, "first", &json!(["auto", "push", "phone", "mobile_otp"]))],
    }))
}

/// Signs in by a push to this device.
fn signs_in(rig: &mut Rig, browser: &mut Browser, device: &str) {
    let push = browser.posts(&auth(&format!("factor=push&device={device}")));
    browser.asks(rig, &push, &[two_phones(), started()]);
    browser.is_approved(rig, &browser.fetches(STATUS), &[status("allow", "allow")]);
}

#[test]
fn code_of_a_verified_push_is_shown_and_its_transaction_passed_on() {
    let mut rig = Rig::new();
    let mut bob = Browser::of("bob");
    let push = bob.posts(&auth("factor=push&device=auto"));
    let begun = bob.asks(&mut rig, &push, &[verified(), started()]);
    assert_eq!(begun.json()["verification_code"], "708");
    assert_eq!(rig.body(1)["txid"], "11111111-f45f-4862-8545-e0f58e78075a");
    let page = bob.asks(&mut rig, &bob.opens("/.duo-mfa/"), &[status("waiting", "pushed")]);
    assert!(page.text().contains("708") && page.text().contains("7 0 8"), "{}", page.text());
    let again = bob.asks(&mut rig, &bob.fetches(STATUS), &[status("waiting", "pushed")]);
    assert_eq!(again.json()["verification_code"], "708");
}

#[test]
fn call_needs_no_code() {
    let mut rig = Rig::new();
    let mut bob = Browser::of("bob");
    let call = bob.posts(&auth(&format!("factor=phone&device={PHONE}")));
    let begun = bob.asks(&mut rig, &call, &[verified(), started()]);
    assert!(begun.json().get("verification_code").is_none());
    assert_eq!(rig.body(1)["factor"], "phone");
    assert!(rig.body(1).get("txid").is_none());
    let answered = status("waiting", "answered");
    let state = bob.asks(&mut rig, &bob.fetches(STATUS), &[answered]).json();
    assert_eq!((&state["state"], &state["status"]), (&json!("waiting"), &json!("answered")));
    bob.is_approved(&mut rig, &bob.fetches(STATUS), &[status("allow", "allow")]);
    let forward = rig.send(&bob.opens("/"), &[]).admitted();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("phone"));
}

#[test]
fn code_that_cannot_be_shown_sends_no_push() {
    let mut rig = Rig::new();
    let mut bob = Browser::of("bob");
    let long = ok(&json!({
        "result": "auth", "txid": "1", "verification_code": "123456789",
        "devices": [phone(PHONE, "first", &json!(["push", "phone"]))],
    }));
    let refused = bob.asks(&mut rig, &bob.posts(&auth("factor=push")), std::slice::from_ref(&long));
    assert_eq!(refused.code(), "duo_unavailable");
    assert_eq!(rig.called(), ["preauth"]);
    let begun = bob.asks(&mut rig, &bob.posts(&auth("factor=phone")), &[long, started()]);
    assert_eq!(begun.json()["state"], "waiting", "a call needs none");
}

#[test]
fn texted_code_signs_in() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    let text = alice.posts(&auth(&format!("factor=sms&device={PHONE}")));
    let sent = alice.asks(&mut rig, &text, &[one_phone(), status("deny", "sent")]);
    assert_eq!((sent.0.status, &sent.json()["state"]), (202, &json!("sent")));
    assert!(alice.has(PENDING));
    let known = alice.asks(&mut rig, &alice.fetches(STATUS), &[]);
    assert_eq!(known.json()["state"], "sent");
    let page = alice.asks(&mut rig, &alice.opens("/reports"), &[]).text();
    assert!(page.contains("We texted codes to iOS (XXX-XXX-0100)"), "{page}");

    let passcode = alice.posts(&auth("factor=passcode")).with("x-duo-mfa-passcode", "1234567");
    alice.is_approved(&mut rig, &passcode, &[one_phone(), status("allow", "allow")]);
    let forward = rig.send(&alice.opens("/"), &[]).admitted();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("sms"));
}

#[test]
fn form_that_asks_for_a_text_goes_on_to_the_page() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    let text = alice.submits(&auth("factor=sms&return_to=%2Fa"));
    let sent = alice.asks(&mut rig, &text, &[one_phone(), status("deny", "sent")]);
    assert_eq!(
        (sent.0.status, sent.header("location").as_deref()),
        (303, Some("/.duo-mfa/?return_to=%2Fa"))
    );
    let page = alice.asks(&mut rig, &alice.opens("/.duo-mfa/"), &[]);
    assert_eq!(page.0.status, 200);
    assert!(page.text().contains("Enter a code"));
}

#[test]
fn sixth_wrong_passcode_is_not_asked_about() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    let wrong = [one_phone(), status("deny", "deny")];
    for _ in 0..5 {
        let typed = alice.posts(&auth("factor=passcode")).with("x-duo-mfa-passcode", "000000");
        let refused = alice.asks(&mut rig, &typed, &wrong);
        assert_eq!((refused.code().as_str(), refused.0.status), ("passcode_incorrect", 422));
        assert_eq!(refused.json()["detail"], "That code was not right.");
    }
    let calls = rig.calls.len();
    let typed = alice.posts(&auth("factor=passcode")).with("x-duo-mfa-passcode", "000000");
    let stopped = alice.asks(&mut rig, &typed, &[]);
    assert_eq!((stopped.code().as_str(), stopped.0.status), ("too_many_requests", 429));
    assert_eq!(stopped.header("retry-after").as_deref(), Some("300"));
    assert_eq!(rig.calls.len(), calls);
}

#[test]
fn passcode_that_duo_takes_for_none_counts_as_a_wrong_one() {
    let mut rig = Rig::with(json!({"limits": {"passcode_tries": 1}}));
    let mut alice = Browser::of("alice");
    let typed = |alice: &Browser| {
        alice.posts(&auth("factor=passcode")).with("x-duo-mfa-passcode", "000000")
    };
    let invalid = [one_phone(), fail(40_002, "Invalid request parameters", "passcode")];
    let refused = alice.asks(&mut rig, &typed(&alice), &invalid);
    assert_eq!((refused.code().as_str(), refused.0.status), ("passcode_incorrect", 422));
    let stopped = alice.asks(&mut rig, &typed(&alice), &[]);
    assert_eq!((stopped.code().as_str(), stopped.0.status), ("too_many_requests", 429));

    alice.asks(&mut rig, &alice.posts(&auth("factor=push")), &[one_phone(), started()]);
    let stopped = alice.asks(&mut rig, &typed(&alice), &[]);
    assert_eq!(stopped.code(), "too_many_requests", "a push does not make it forgotten");
}

#[test]
fn wrong_passcode_of_a_form_is_shown_on_the_page() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    let typed = alice.submits(&auth("factor=passcode")).with("x-duo-mfa-passcode", "000000");
    let page = alice.asks(&mut rig, &typed, &[one_phone(), status("deny", "deny")]);
    assert_eq!(page.0.status, 422);
    assert!(page.text().contains("That code was not right."));
    let locked = alice.posts(&auth("factor=passcode")).with("x-duo-mfa-passcode", "000000");
    let locked = alice.asks(&mut rig, &locked, &[one_phone(), status("deny", "locked_out")]);
    assert_eq!((locked.code().as_str(), locked.0.status), ("mfa_locked_out", 403));
}

#[test]
fn what_is_not_offered_is_refused_without_a_prompt() {
    let push_only = json!({"duo": {"factors": ["push"]}});
    for (query, changes, calls) in [
        ("factor=sms", push_only.clone(), 0),
        ("factor=passcode", push_only, 0),
        ("factor=pull", json!({}), 0),
        ("", json!({}), 0),
        ("factor=push&factor=sms", json!({}), 0),
        ("factor=push&device=a%26factor%3Dsms", json!({}), 0),
        ("factor=passcode", json!({}), 0),
        ("factor=push&device=DPXXXXXXXXXXXXXXXXXX", json!({}), 1),
    ] {
        let mut rig = Rig::with(changes);
        let mut alice = Browser::of("alice");
        let script = &[one_phone()][..calls];
        let refused = alice.asks(&mut rig, &alice.posts(&auth(query)), script);
        assert_eq!((refused.code().as_str(), refused.0.status), ("bad_request", 400), "{query}");
        assert_eq!(alice.jar.len(), 0);
    }
}

#[test]
fn user_without_a_device_learns_so() {
    let mut rig = Rig::with(json!({"duo": {"factors": ["push"]}}));
    let mut tom = Browser::of("tom");
    let token = devices(&json!([{"device": "DHEKH0JJIYC1LX3AZWO4", "type": "token", "name": "0"}]));
    let refused = tom.asks(&mut rig, &tom.posts(PREAUTH), std::slice::from_ref(&token));
    assert_eq!((refused.code().as_str(), refused.0.status), ("no_device", 403));
    let auto = tom.asks(&mut rig, &tom.posts(&auth("factor=push")), std::slice::from_ref(&token));
    assert_eq!(auto.code(), "no_device");
    let page = tom.asks(&mut rig, &tom.submits(PREAUTH), &[token]);
    assert_eq!(page.0.status, 403);
    assert!(page.text().contains("No device is ready"));
}

#[test]
fn preauth_denies_in_duos_words() {
    let mut rig = Rig::new();
    let mut mallory = Browser::of("mallory");
    let denied = mallory.asks(&mut rig, &mallory.posts(PREAUTH), &[preauth("deny")]);
    assert_eq!((denied.0.status, &denied.json()["result"]), (200, &json!("deny")));
    assert_eq!(denied.json()["message"], "Words of Duo.");
    let page = mallory.asks(&mut rig, &mallory.submits(PREAUTH), &[preauth("deny")]);
    assert_eq!((page.0.status, page.0.details.as_str()), (403, "duo_mfa_duo_denied"));
    assert!(page.text().contains("Words of Duo."));
    let push = mallory.posts(&auth("factor=push"));
    assert_eq!(mallory.asks(&mut rig, &push, &[preauth("deny")]).code(), "duo_denied");
    assert_eq!(rig.called(), ["preauth"; 3]);
}

#[test]
fn enrollment_is_the_help_desks_or_at_duos_portal() {
    let url = "https://api-xxxxxxxx.duosecurity.com/portal?code=48bac5d9393fb2c2&akey=DA";
    let enroll = || ok(&json!({"result": "enroll", "enroll_portal_url": url}));
    for (setting, shown) in [("off", None), ("portal", Some(url))] {
        let mut rig = Rig::with(json!({"duo": {"enrollment": setting}}));
        let mut dave = Browser::of("dave");
        let answer = dave.asks(&mut rig, &dave.posts(PREAUTH), &[enroll()]);
        assert_eq!((answer.0.status, &answer.json()["result"]), (200, &json!("enroll")));
        assert_eq!(answer.json().get("enroll_url").and_then(Value::as_str), shown);
        let page = dave.asks(&mut rig, &dave.submits(PREAUTH), &[enroll()]);
        assert_eq!((page.0.status, page.0.details.as_str()), (403, "duo_mfa_enrollment_required"));
        assert_eq!(page.text().contains("48bac5d9393fb2c2&amp;akey"), shown.is_some());
        let push = dave.asks(&mut rig, &dave.posts(&auth("factor=push")), &[enroll()]);
        assert_eq!(push.code(), "enrollment_required");
    }
}

#[test]
fn last_choice_is_offered_first() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    signs_in(&mut rig, &mut alice, OTHER);
    assert!(alice.has(PREFERRED));
    let answer = alice.asks(&mut rig, &alice.posts(PREAUTH), &[two_phones()]).json();
    let preferred = |answer: &Value| {
        answer["devices"]
            .as_array()
            .unwrap()
            .iter()
            .map(|device| device["preferred"].as_bool().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(preferred(&answer), [false, true]);
    assert_eq!(answer["devices"][1]["name"], "<b>second");

    signs_in(&mut rig, &mut alice, PHONE);
    let answer = alice.asks(&mut rig, &alice.posts(PREAUTH), &[two_phones()]).json();
    assert_eq!(preferred(&answer), [true, false]);

    let mut bob = Browser::of("bob");
    bob.jar.insert(PREFERRED.to_owned(), alice.jar[PREFERRED].clone());
    let answer = bob.asks(&mut rig, &bob.posts(PREAUTH), &[two_phones()]).json();
    assert_eq!(preferred(&answer), [false, false], "another user's choice is none");
}

#[test]
fn passcode_typed_while_a_push_waits_is_the_last_choice() {
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    let typed = alice.posts(&auth("factor=passcode")).with("x-duo-mfa-passcode", "123456");
    alice.is_approved(&mut rig, &typed, &[one_phone(), allows()]);
    let answer = alice.asks(&mut rig, &alice.posts(PREAUTH), &[one_phone()]);
    assert_eq!(answer.json()["devices"][0]["preferred"], false);
    assert!(alice.has(PREFERRED), "a passcode needs no device");
}

#[test]
fn choice_that_is_gone_is_forgotten() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    signs_in(&mut rig, &mut alice, OTHER);
    let answer = alice.asks(&mut rig, &alice.posts(PREAUTH), &[one_phone()]);
    assert_eq!(answer.json()["devices"][0]["preferred"], false);
    assert!(!alice.has(PREFERRED));
}

#[test]
fn device_that_duo_remembers_is_named_at_the_next_preauth() {
    const TOKEN: &str = "REYPZ4QZ2B8XU5U5-trusted";
    let mut rig = Rig::with(json!({"duo": {"remembered_devices": true}}));
    let mut alice = Browser::of("alice");
    let push = alice.posts(&auth("factor=push"));
    alice.asks(&mut rig, &push, &[one_phone(), started()]);
    let allow = ok(&json!({"result": "allow", "status": "allow", "trusted_device_token": TOKEN}));
    let approved =
        alice.is_approved(&mut rig, &alice.fetches(STATUS), std::slice::from_ref(&allow));
    assert!(approved.cookies().iter().any(|line| line.starts_with("__Host-duo_device=")));
    assert!(!approved.cookies().concat().contains(TOKEN), "it is encrypted");

    alice.jar.remove("__Host-duo_mfa");
    alice.is_approved(&mut rig, &alice.posts(PREAUTH), &[preauth("allow")]);
    assert_eq!(rig.body(3)["trusted_device_token"], TOKEN);
    let forward = rig.send(&alice.opens("/"), &[]).admitted();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("remembered"));

    let mut bob = Browser::of("bob");
    bob.jar.insert("__Host-duo_device".to_owned(), alice.jar["__Host-duo_device"].clone());
    bob.asks(&mut rig, &bob.posts(PREAUTH), &[one_phone()]);
    assert!(rig.body(4).get("trusted_device_token").is_none());

    // `not_before` also makes the filter forget the choice, with all approvals.
    let not_before = rig.now.seconds() + 1;
    let mut rig = Rig::with(json!({
        "duo": {"remembered_devices": true}, "session": {"not_before": not_before},
    }));
    rig.now = rig.now.plus(Duration::from_secs(1));
    alice.asks(&mut rig, &alice.posts(PREAUTH), &[one_phone()]);
    assert!(rig.body(0).get("trusted_device_token").is_none());

    let mut rig = Rig::new();
    let mut carol = Browser::of("carol");
    carol.asks(&mut rig, &carol.posts(&auth("factor=push")), &[one_phone(), started()]);
    let approved = carol.is_approved(&mut rig, &carol.fetches(STATUS), &[allow]);
    assert!(!approved.cookies().concat().contains("__Host-duo_device"));
}
