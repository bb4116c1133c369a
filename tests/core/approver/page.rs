//! Browsers, and programs that get the approval ahead.

use super::{NAMES, WIRE, assert_by, pushed_to, rig, rig_with, rule};
use crate::browser::{Browser, posted};
use crate::rig::{
    Response, Rig, allows, devices, get, ok, one_phone, phone_of, preauth, started, status,
};
use serde_json::json;
use std::time::Duration;

const AUTH: &str = "/.duo-mfa/auth?factor=push&return_to=%2Fwire%3Fto%3D7";
const PREAUTH: &str = "/.duo-mfa/preauth?return_to=%2Fwire%3Fto%3D7";
const STATUS: &str = "/.duo-mfa/status";
const OPERATION: &str = "__Host-duo_operation";
const PENDING: &str = "__Host-duo_txn";

fn auth(approver: &str) -> String {
    format!("{AUTH}&approver={approver}")
}

/// Alice's browser after this person was asked.
fn asked(rig: &mut Rig, approver: &str) -> Browser {
    let mut alice = Browser::of("alice");
    let begun = alice.asks(rig, &alice.posts(&auth(approver)), &pushed_to(approver));
    assert_eq!((begun.0.status, &begun.json()["state"]), (202, &json!("waiting")));
    assert!(begun.text().contains(approver) && !begun.text().contains("XXX-XXX-0100"));
    alice
}

/// Alice's browser with an approval of this person.
fn approved(rig: &mut Rig, approver: &str) -> Browser {
    let mut alice = asked(rig, approver);
    let state = alice.asks(rig, &alice.fetches(STATUS), &[allows()]);
    assert_eq!((state.0.status, &state.json()["state"]), (200, &json!("approved")));
    assert_eq!(alice.jar.keys().collect::<Vec<_>>(), [OPERATION]);
    alice
}

#[track_caller]
fn assert_page(page: &Response, heading: &str) {
    assert!(page.text().contains(heading), "{}", page.text());
}

#[test]
fn page_offers_the_people_and_shows_who_is_asked() {
    for script in [true, false] {
        let mut rig = rig(&["alice", "carol", "dave"]);
        let mut alice = Browser::of("alice");
        assert_page(
            &alice.asks(&mut rig, &alice.opens(WIRE), &[]),
            "Another person has to approve",
        );
        if script {
            let choices = alice.asks(&mut rig, &alice.posts(PREAUTH), &[]).json();
            let person = |name: &str| {
                json!({"device": name, "name": name, "type": "approver",
                "factors": ["push"], "preferred": false})
            };
            assert_eq!(choices["devices"], json!([person("carol"), person("dave")]));
            assert_eq!(
                (&choices["result"], &choices["factors"]),
                (&json!("auth"), &json!(["push"]))
            );
        } else {
            let page = alice.asks(&mut rig, &alice.submits(PREAUTH), &[]);
            for name in ["carol", "dave"] {
                assert_page(&page, &format!("&amp;approver={name}\""));
            }
            assert!(!page.text().contains("approver=alice"));
        }
        assert_eq!(rig.calls.len(), 0, "Duo is not asked about them");
        let begin = if script { alice.posts(&auth("dave")) } else { alice.submits(&auth("dave")) };
        alice.asks(&mut rig, &begin, &pushed_to("dave"));
        assert_eq!(rig.phone_shows(1), "requester=alice&request=GET&path=%2Fwire&query=to%3D7");
        let page = alice.asks(&mut rig, &alice.opens(WIRE), &[]);
        assert_page(&page, "Waiting for approval");
        assert_page(&page, "dave");
        assert!(!page.text().contains("XXX-XXX-0100"), "{}", page.text());
        assert!(!page.text().contains("ask for this?"), "{}", page.text());
        let waits = status("waiting", "pushed");
        assert_page(
            &alice.asks(&mut rig, &alice.fetches(STATUS), &[waits]),
            "Waiting for approval",
        );
        alice.asks(&mut rig, &alice.fetches(STATUS), &[allows()]);
        assert_by(&rig.send(&alice.opens(WIRE), &[]).admitted(), "dave");
        let page = rig.send(&alice.opens(WIRE), &[]).refused();
        assert_eq!(page.0.details, "duo_mfa_mfa_required");
    }
}

#[test]
fn only_one_person_needs_no_name() {
    let mut rig = rig(&["alice", "carol"]);
    let mut alice = Browser::of("alice");
    alice.asks(&mut rig, &alice.posts(AUTH), &pushed_to("carol"));
    alice.asks(&mut rig, &alice.fetches(STATUS), &[allows()]);
    assert_by(&rig.send(&alice.opens(WIRE), &[]).admitted(), "carol");
}

#[test]
fn request_names_one_of_the_people() {
    let mut rig = rig(&["alice", "carol", "dave"]);
    let mut alice = Browser::of("alice");
    for (request, code) in [
        (alice.posts(AUTH), "approver_required"),
        (alice.posts(&auth("alice")), "approver_not_allowed"),
        (alice.posts(&auth("erin")), "approver_not_allowed"),
        (alice.posts(&auth("dave")).with(NAMES, "erin"), "approver_not_allowed"),
        (alice.posts(&AUTH.replace("push", "phone")), "bad_request"),
        (alice.posts(&AUTH.replace("push", "sms")), "bad_request"),
        (
            alice.posts(&AUTH.replace("push", "passcode")).with("x-duo-mfa-passcode", "1"),
            "bad_request",
        ),
    ] {
        assert_eq!(alice.asks(&mut rig, &request, &[]).code(), code);
    }
    assert_eq!(rig.calls.len(), 0);
    alice.asks(&mut rig, &alice.posts(AUTH).with(NAMES, "dave"), &pushed_to("dave"));
    let page = rig_with(&["alice"], json!({})).send(&alice.submits(PREAUTH), &[]).refused();
    assert_page(&page, "Not approved by this person");
}

#[test]
fn ends_are_shown() {
    for (says, state) in [
        (status("deny", "deny"), "denied"),
        (status("deny", "fraud"), "fraud"),
        (status("deny", "timeout"), "timeout"),
    ] {
        let mut rig = rig(&["carol"]);
        let mut alice = asked(&mut rig, "carol");
        let ended = alice.asks(&mut rig, &alice.fetches(STATUS), &[says]);
        assert_eq!(ended.json()["state"], state);
        assert!(alice.jar.is_empty());
        let line = rig.lines().pop().unwrap();
        assert_eq!((&line["user"], &line["approver"]), (&json!("alice"), &json!("carol")));
        if state == "denied" {
            let limited = alice.asks(&mut rig, &alice.posts(AUTH), &[phone_of("carol")]);
            assert_eq!(limited.code(), "too_many_requests");
        }
    }
}

/// The user learns nothing about the account of the person.
#[test]
fn lock_out_of_the_person_is_not_told() {
    let mut rig = rig(&["carol"]);
    let mut alice = asked(&mut rig, "carol");
    let ended = alice.asks(&mut rig, &alice.fetches(STATUS), &[status("deny", "locked_out")]);
    assert_eq!(ended.code(), "approver_unavailable");
    assert!(!ended.text().contains("locked"), "{}", ended.text());
}

#[test]
fn bypass_after_the_push_is_no_approval() {
    let mut rig = rig(&["carol"]);
    let mut alice = asked(&mut rig, "carol");
    let ended = alice.asks(&mut rig, &alice.fetches(STATUS), &[status("allow", "bypass")]);
    assert_eq!(ended.code(), "approver_not_asked");
    assert!(alice.jar.is_empty());
}

#[test]
fn person_without_a_push_approves_nothing() {
    for (says, code) in [
        (preauth("allow"), "approver_not_asked"),
        (preauth("deny"), "approver_unavailable"),
        (preauth("enroll"), "approver_unavailable"),
        (devices(&json!([])), "approver_unavailable"),
    ] {
        for is_page in [false, true] {
            let mut rig = rig_with(&["carol"], json!({"duo": {"enrollment": "inline"}}));
            let mut alice = Browser::of("alice");
            let begin = if is_page { alice.submits(AUTH) } else { alice.posts(AUTH) };
            let refused = alice.asks(&mut rig, &begin, std::slice::from_ref(&says));
            assert_eq!((refused.0.status, refused.0.details), (403, format!("duo_mfa_{code}")));
            assert!(alice.jar.is_empty());
        }
    }
    let mut rig = rig_with(&["carol"], json!({"duo": {"enrollment": "inline"}}));
    let mut alice = Browser::of("alice");
    let enroll = alice.posts("/.duo-mfa/enroll?return_to=%2Fwire%3Fto%3D7");
    for says in ["allow", "enroll"] {
        let refused = alice.asks(&mut rig, &enroll, &[preauth(says)]);
        assert_eq!((refused.0.status, alice.jar.len()), (403, 0), "{says}");
    }
}

/// The approval is bound to the approver, and to the name at Duo.
#[test]
fn approval_opens_no_rule_of_other_people() {
    let mut rig = rig(&["carol", "dave"]);
    let alice = approved(&mut rig, "carol");
    let own = json!([{"paths": ["/wire"], "policy": "two_factor", "approval": "per_request"}]);
    let mapped = json!({"identity": {"map": [{"user": "carol", "username": "csmith"}]}});
    let mut others = [
        rig.beside(json!({"access_control": {"rules": [rule(&json!({"users": ["dave"]}))]}})),
        rig.beside(json!({"access_control": {"rules": own}})),
        rig.beside({
            let mut changes =
                json!({"access_control": {"rules": [rule(&json!({"users": ["carol"]}))]}});
            crate::rig::overlay(&mut changes, mapped);
            changes
        }),
    ];
    for other in &mut others {
        let page = other.send(&alice.opens(WIRE), &[]).refused();
        assert_eq!(page.0.details, "duo_mfa_mfa_required");
    }
    // An approval by the user opens no rule with approvers, either.
    let own = &mut others[1];
    let mut bob = Browser::of("alice");
    bob.asks(own, &bob.posts(AUTH), &[one_phone(), started()]);
    bob.asks(own, &bob.fetches(STATUS), &[allows()]);
    assert!(bob.has(OPERATION));
    rig.table = own.table.clone();
    assert_eq!(rig.send(&bob.opens(WIRE), &[]).refused().0.details, "duo_mfa_mfa_required");
    assert_by(&rig.send(&alice.opens(WIRE), &[]).admitted(), "carol");
}

/// A client says which request a sign-in leads to, and may say it otherwise each time.
#[test]
fn push_to_another_person_gives_no_other_approval() {
    let rules = json!([
        rule(&json!({"users": ["carol"]})),
        {"paths": ["/api"], "policy": "two_factor", "approval": {"per": "client", "for": "5m"}},
    ]);
    let config = json!({"access_control": {"rules": rules}, "session": {"bind": ["ip_prefix"]},
        "duo": {"remembered_devices": true}});
    for path in ["%2Fapi", "%2Freports"] {
        let mut rig = rig_with(&[], config.clone());
        let mut alice = asked(&mut rig, "carol");
        let status = alice.fetches(&format!("{STATUS}?return_to={path}"));
        let token = json!({"result": "allow", "status": "allow", "status_msg": "",
            "trusted_device_token": "TOKEN"});
        alice.asks(&mut rig, &status, &[ok(&token)]);
        assert_eq!(alice.jar.keys().collect::<Vec<_>>(), [OPERATION], "{path}");
        for path in ["/api", "/reports"] {
            let page = rig.send(&alice.opens(path), &[]).refused();
            assert_eq!(page.0.details, "duo_mfa_mfa_required");
        }
        let script = [phone_of("alice"), started(), crate::rig::status("deny", "deny")];
        assert_eq!(rig.send(&get("/api").of("alice"), &script).refused().code(), "mfa_denied");
        assert_by(&rig.send(&alice.opens(WIRE), &[]).admitted(), "carol");
    }
}

/// A sign-in that begins after it asks the user again, and never the approver.
#[test]
fn factor_after_a_push_to_another_person_is_the_users_own() {
    let mut rig = rig(&["carol"]);
    let mut alice = asked(&mut rig, "carol");
    let passcode = "/.duo-mfa/auth?factor=passcode&return_to=%2Freports";
    let typed = alice.posts(passcode).with("x-duo-mfa-passcode", "123456");
    alice.is_approved(&mut rig, &typed, &[one_phone(), allows()]);
    let users = [2, 3].map(|call| rig.body(call)["username"].clone());
    assert_eq!(users, ["alice", "alice"]);
    let page = rig.send(&alice.opens(WIRE), &[]).refused();
    assert_eq!(page.0.details, "duo_mfa_mfa_required");
}

#[test]
fn unknown_approver_of_a_pending_sign_in_ends_it() {
    let mut rig = rig(&["carol"]);
    let alice = asked(&mut rig, "carol");
    let mut other =
        rig.beside(json!({"access_control": {"rules": [rule(&json!({"users": ["dave"]}))]}}));
    assert_eq!(other.send(&alice.fetches(STATUS), &[]).answered().code(), "bad_request");
    rig.now = rig.now.plus(Duration::from_secs(301));
    assert_eq!(rig.send(&alice.fetches(STATUS), &[]).answered().code(), "bad_request");
}

#[test]
fn program_gets_the_approval_ahead() {
    let mut rig = rig_with(&["carol", "dave"], json!({"api": {"mode": "refuse"}}));
    let refused = rig.send(&get(WIRE).of("alice"), &[]).refused();
    assert_eq!(refused.code(), "mfa_required");
    let start = posted(get(AUTH).of("alice")).with(NAMES, "carol");
    let begun = rig.send(&start, &pushed_to("carol")).answered().json();
    let ask = get(STATUS)
        .of("alice")
        .with("x-duo-mfa-transaction", begun["transaction"].as_str().unwrap());
    let state = rig.send(&ask, &[allows()]).answered().json();
    let token = state["transaction"].as_str().unwrap();
    let request = |user: &str| get(WIRE).of(user).with("x-duo-mfa-transaction", token);
    assert_eq!(rig.send(&request("bob"), &[]).refused().code(), "mfa_required");
    assert_by(&rig.send(&request("alice"), &[]).admitted(), "carol");
    assert_eq!(rig.send(&request("alice"), &[]).refused().code(), "mfa_required");
}

#[test]
fn cancelled_request_gets_nothing() {
    let mut rig = rig(&["carol"]);
    let mut alice = asked(&mut rig, "carol");
    let pending = alice.jar[PENDING].clone();
    alice.asks(&mut rig, &alice.posts("/.duo-mfa/cancel"), &[]);
    alice.jar.insert(PENDING.to_owned(), pending);
    let state = alice.asks(&mut rig, &alice.fetches(STATUS), &[allows()]);
    assert_eq!((state.code().as_str(), alice.jar.len()), ("bad_request", 0));
    assert_eq!(rig.lines().iter().filter(|line| line["kind"] == "cancelled").count(), 1);
}
