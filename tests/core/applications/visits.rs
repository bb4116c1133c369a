//! The prompt page and its endpoints with several Duo applications.

use super::{asked, rig, two_more};
use crate::browser::{Browser, posted};
use crate::rig::{Rig, get, is_deletion, ok, one_phone, preauth, started, status};
use serde_json::{Value, json};
use std::time::Duration;

const STATUS: &str = "/.duo-mfa/status";
const THERE: &str = "return_to=%2Fpayments%2Fx";
const PENDING: &str = "__Host-duo_txn-payments";
const APPROVAL: &str = "__Host-duo_mfa-payments";

/// Alice's browser after it has started a push for `payments`.
fn pushed(rig: &mut Rig) -> Browser {
    let mut alice = Browser::of("alice");
    let push = alice.posts(&format!("/.duo-mfa/auth?factor=push&{THERE}"));
    alice.asks(rig, &push, &[one_phone(), started()]);
    assert!(alice.has(PENDING) && !alice.has("__Host-duo_txn"));
    alice
}

fn last_asked(rig: &Rig) -> String {
    asked(&rig.calls.last().unwrap().1.signed).1
}

#[test]
fn sign_in_is_at_the_application_that_it_leads_to() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let page = alice.asks(&mut rig, &alice.opens("/payments/x"), &[]);
    assert_eq!(page.0.status, 403);
    for (to, key) in [
        (THERE, "DIPAYMENTSXXXXXXXXXX"),
        ("return_to=%2Fwiki", "DIWIKIXXXXXXXXXXXXXX"),
        ("return_to=%2Fpayments%2Fx%23tab", "DIPAYMENTSXXXXXXXXXX"),
        ("return_to=%2F", "DIWJ8X6AEYOR5OMC6TQ1"),
        ("", "DIWJ8X6AEYOR5OMC6TQ1"),
    ] {
        let visit = alice.posts(&format!("/.duo-mfa/preauth?{to}"));
        alice.asks(&mut rig, &visit, &[one_phone()]);
        assert_eq!(last_asked(&rig), key, "{to}");
    }
    let mut alice = pushed(&mut rig);
    // Without a `return_to` from the script, the application is that of the sign-in's path.
    let look = alice.fetches(STATUS);
    let approved = alice.is_approved(&mut rig, &look, &[status("allow", "allow")]);
    assert_eq!(approved.json()["return_to"], "/payments/x");
    assert!(rig.calls.iter().skip(5).all(|(_, call)| call.application == 1));
    assert!(alice.has(APPROVAL) && !alice.has("__Host-duo_mfa") && !alice.has(PENDING));
    rig.send(&alice.opens("/payments/x"), &[]).admitted();
    assert_eq!(alice.asks(&mut rig, &alice.opens("/"), &[]).0.status, 403);
}

#[test]
fn sign_in_at_one_application_is_none_at_another() {
    let mut rig = rig();
    let mut alice = pushed(&mut rig);
    let calls = rig.calls.len();
    for to in ["/", "/wiki/x"] {
        let look = alice.fetches(&format!("{STATUS}?return_to={to}"));
        assert_eq!(alice.asks(&mut rig, &look, &[]).code(), "bad_request", "{to}");
    }
    // It is not valid under the other application's cookie name either.
    let token = alice.jar[PENDING].split_once('=').unwrap().1.to_owned();
    let mut moved = alice.clone();
    moved.jar.clear();
    for name in ["__Host-duo_txn", "__Host-duo_txn-wiki"] {
        moved.jar.insert(name.to_owned(), format!("{name}={token}"));
        for to in ["", "?return_to=%2F", "?return_to=%2Fwiki", "?return_to=%2Fpayments"] {
            let look = moved.fetches(&format!("{STATUS}{to}"));
            assert_eq!(moved.asks(&mut rig, &look, &[]).code(), "bad_request", "{name} {to}");
        }
    }
    // A program sends the token in a header.
    let shown = get(&format!("{STATUS}?return_to=%2F")).with("x-duo-mfa-transaction", &token);
    assert_eq!(rig.send(&shown, &[]).answered().code(), "bad_request");
    assert_eq!(rig.calls.len(), calls, "nobody asked Duo");
    let shown = get(&format!("{STATUS}?{THERE}")).with("x-duo-mfa-transaction", &token);
    let state = rig.send(&shown, &[status("waiting", "pushed")]).answered();
    assert_eq!(state.json()["state"], "waiting");
}

#[test]
fn sign_ins_at_two_applications_go_on_side_by_side() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let texts = alice.posts("/.duo-mfa/auth?factor=sms&return_to=%2F");
    alice.asks(&mut rig, &texts, &[one_phone(), status("deny", "sent")]);
    rig.now = rig.now.plus(Duration::from_secs(1));
    let push = alice.posts(&format!("/.duo-mfa/auth?factor=push&{THERE}"));
    alice.asks(&mut rig, &push, &[one_phone(), started()]);
    assert!(alice.has(PENDING) && alice.has("__Host-duo_txn"));

    let look = alice.fetches(&format!("{STATUS}?return_to=%2F"));
    assert_eq!(alice.asks(&mut rig, &look, &[]).json()["state"], "sent");
    // If the address does not name an application, the later sign-in counts.
    let look = alice.fetches(STATUS);
    let state = alice.asks(&mut rig, &look, &[status("waiting", "pushed")]);
    assert_eq!(state.json()["state"], "waiting");
    let look = alice.fetches(&format!("{STATUS}?{THERE}"));
    alice.is_approved(&mut rig, &look, &[status("allow", "allow")]);
    assert!(alice.has("__Host-duo_txn"), "the other one goes on");
    let code = alice.posts("/.duo-mfa/auth?factor=passcode&return_to=%2F");
    let code = code.with("x-duo-mfa-passcode", "123456");
    alice.is_approved(&mut rig, &code, &[one_phone(), status("allow", "allow")]);
    assert!(alice.has(APPROVAL) && alice.has("__Host-duo_mfa"), "neither takes the other's place");
    for path in ["/", "/payments/x", "/wiki"] {
        rig.send(&alice.opens(path), &[]).admitted();
    }
}

#[test]
fn userinfo_shows_the_approval_at_the_address_and_logout_ends_all() {
    let mut rig = rig();
    let mut alice = pushed(&mut rig);
    let look = alice.fetches(STATUS);
    alice.is_approved(&mut rig, &look, &[status("allow", "allow")]);
    let mine = alice.fetches(&format!("/.duo-mfa/userinfo?{THERE}"));
    assert_eq!(alice.asks(&mut rig, &mine, &[]).json()["factor"], "push");
    let elsewhere = alice.fetches("/.duo-mfa/userinfo");
    assert_eq!(alice.asks(&mut rig, &elsewhere, &[]).code(), "mfa_required");

    let code = alice.posts("/.duo-mfa/auth?factor=passcode&return_to=%2F");
    let code = code.with("x-duo-mfa-passcode", "123456");
    alice.is_approved(&mut rig, &code, &[one_phone(), status("allow", "allow")]);
    let elsewhere = alice.fetches("/.duo-mfa/userinfo");
    assert_eq!(alice.asks(&mut rig, &elsewhere, &[]).json()["factor"], "passcode");
    let out = alice.asks(&mut rig, &alice.posts("/.duo-mfa/logout"), &[]);
    let mut deleted = out.cookies();
    assert!(deleted.iter().all(|line| is_deletion(line)));
    deleted.iter_mut().for_each(|line| line.truncate(line.find('=').unwrap()));
    assert_eq!(
        deleted,
        [
            "__Host-duo_mfa",
            "__Host-duo_txn",
            "__Host-duo_mfa-payments",
            "__Host-duo_txn-payments",
            "__Host-duo_txn-wiki",
            "__Host-duo_operation",
        ]
    );
    for path in ["/", "/payments/x"] {
        assert_eq!(alice.asks(&mut rig, &alice.opens(path), &[]).0.status, 403);
    }
}

#[test]
fn remembered_device_and_last_choice_are_an_applications_own() {
    let mut changes = two_more();
    changes["duo"] = json!({"remembered_devices": true});
    let mut rig = Rig::with(changes);
    let mut alice = pushed(&mut rig);
    let allow = ok(&json!({"result": "allow", "status": "allow", "status_msg": "",
        "trusted_device_token": "REkzWE1Z"}));
    let look = alice.fetches(STATUS);
    alice.is_approved(&mut rig, &look, &[allow]);
    assert!(alice.has("__Host-duo_device-payments") && alice.has("__Host-duo_preferred-payments"));

    let token = |rig: &Rig| rig.body(rig.calls.len() - 1)["trusted_device_token"].clone();
    let mut moved = alice.clone();
    for kind in ["device", "preferred"] {
        let theirs = &alice.jar[&format!("__Host-duo_{kind}-payments")];
        let value = theirs.split_once('=').unwrap().1;
        let name = format!("__Host-duo_{kind}");
        moved.jar.insert(name.clone(), format!("{name}={value}"));
    }
    for browser in [&mut alice.clone(), &mut moved] {
        let elsewhere = browser.posts("/.duo-mfa/preauth?return_to=%2F");
        let offered = browser.asks(&mut rig, &elsewhere, &[one_phone()]).json();
        assert_eq!(token(&rig), Value::Null);
        assert_eq!(offered["devices"][0]["preferred"], json!(false));
    }
    let there = alice.posts(&format!("/.duo-mfa/preauth?{THERE}"));
    alice.is_approved(&mut rig, &there, &[preauth("allow")]);
    assert_eq!(token(&rig), "REkzWE1Z");
}

#[test]
fn user_enrolls_where_the_application_lets_them() {
    let mut changes = two_more();
    changes["applications"]["payments"]["duo"]["enrollment"] = json!("inline");
    let mut rig = Rig::with(changes);
    let mut dave = Browser::of("dave");
    let visit = dave.posts("/.duo-mfa/preauth?return_to=%2F");
    let told = dave.asks(&mut rig, &visit, &[preauth("enroll")]).json();
    assert_eq!(told["enroll_url"], Value::Null);
    let make = dave.submits("/.duo-mfa/enroll?return_to=%2F");
    assert_eq!(dave.asks(&mut rig, &make, &[preauth("enroll")]).0.status, 403);
    assert_eq!(rig.called(), ["preauth", "preauth"], "no user is made");
    let visit = dave.posts(&format!("/.duo-mfa/preauth?{THERE}"));
    let told = dave.asks(&mut rig, &visit, &[preauth("enroll")]).json();
    assert_eq!(told["enroll_url"], "/.duo-mfa/enroll");
}

/// A program that signs in at the address in its refusal gets an approval of the right application.
#[test]
fn start_url_leads_to_the_application() {
    let mut changes = two_more();
    changes["api"] = json!({"mode": "refuse"});
    let mut rig = Rig::with(changes);
    let refused = rig.send(&get("/payments/x"), &[]).refused();
    assert_eq!(refused.json()["start_url"], "/.duo-mfa/?return_to=%2Fpayments%2Fx");
    let push = format!("/.duo-mfa/auth?factor=push&{THERE}");
    let begun = rig.send(&posted(get(&push)), &[one_phone(), started()]).answered();
    let token = begun.json()["transaction"].as_str().unwrap().to_owned();
    let look = get(STATUS).with("x-duo-mfa-transaction", &token);
    let state = rig.send(&look, &[status("waiting", "pushed")]).answered();
    assert_eq!(state.json()["state"], "waiting");
    assert_eq!(last_asked(&rig), "DIPAYMENTSXXXXXXXXXX");
}
