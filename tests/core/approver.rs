//! Rules with `approver`: another person approves each request.

mod page;
mod ruled;

use crate::browser::Browser;
use crate::rig::{
    Outcome, Request, Rig, Scripted, allows, fail, forwarded_header, get, phone_of, preauth,
    started, status,
};
use duo_mfa::gate::Forward;
use serde_json::{Value, json};
use std::time::Duration;

const WIRE: &str = "/wire?to=7";
const NAMES: &str = "x-duo-mfa-approver";
const BY: &str = "x-duo-mfa-approved-by";

fn rule(approver: &Value) -> Value {
    json!({"paths": ["/wire"], "policy": "two_factor", "approval": "per_request",
        "approver": approver})
}

/// A rig with a rule whose requests these people approve.
fn rig(users: &[&str]) -> Rig {
    rig_with(users, json!({}))
}

fn rig_with(users: &[&str], changes: Value) -> Rig {
    let mut config = json!({"access_control": {"rules": [rule(&json!({"users": users}))]}});
    crate::rig::overlay(&mut config, changes);
    Rig::with(config)
}

fn wire() -> Request {
    get(WIRE).of("alice")
}

/// Duo's responses to a push to this person.
fn pushed_to(person: &str) -> [Scripted; 2] {
    [phone_of(person), started()]
}

fn and_then(person: &str, end: Scripted) -> Vec<Scripted> {
    pushed_to(person).into_iter().chain([end]).collect()
}

#[track_caller]
fn assert_by(forward: &Forward, approver: &str) {
    assert_eq!(forwarded_header(forward, BY).as_deref(), Some(approver));
    assert_eq!(forwarded_header(forward, "x-duo-mfa-user").as_deref(), Some("alice"));
    assert_eq!(forwarded_header(forward, "x-duo-mfa-factor").as_deref(), Some("push"));
}

/// The refusal of a request; Duo was asked nothing about it.
#[track_caller]
fn refused_unasked(rig: &mut Rig, request: &Request) -> Value {
    let calls = rig.calls.len();
    let refused = rig.send(request, &[]).refused();
    assert_eq!(rig.calls.len(), calls);
    refused.json()
}

#[test]
fn held_request_of_one_person_is_approved_by_another() {
    let mut rig = rig(&["carol"]);
    let forward = rig.send(&wire(), &and_then("carol", allows())).admitted();
    assert_by(&forward, "carol");
    assert_eq!(forward.cookie, None, "it opens nothing else");
    assert_eq!(rig.body(0)["username"], "carol");
    assert_eq!(
        (&rig.body(1)["username"], &rig.body(1)["factor"]),
        (&json!("carol"), &json!("push"))
    );
    assert_eq!(rig.phone_shows(1), "requester=alice&request=GET&path=%2Fwire&query=to%3D7");
    let lines = rig.lines();
    for line in [&lines[0], lines.last().unwrap()] {
        assert_eq!(
            (&line["user"], &line["approver"]),
            (&json!("alice"), &json!("carol")),
            "{line}"
        );
    }
    assert_eq!(lines.last().unwrap()["result"], "admitted");
}

#[test]
fn each_request_needs_a_new_approval() {
    let mut rig = rig(&["carol"]);
    for _ in 0..2 {
        rig.send(&wire(), &and_then("carol", allows())).admitted();
    }
    let refused = rig.send(&wire(), &and_then("carol", status("deny", "deny"))).refused();
    assert_eq!(refused.code(), "mfa_denied");
}

#[test]
fn other_ends_refuse_the_request() {
    for (end, code) in [
        (status("deny", "deny"), "mfa_denied"),
        (status("deny", "fraud"), "mfa_fraud"),
        (status("deny", "timeout"), "mfa_timeout"),
        (status("deny", "locked_out"), "approver_unavailable"),
    ] {
        let mut rig = rig(&["carol"]);
        assert_eq!(rig.send(&wire(), &and_then("carol", end)).refused().code(), code);
        let line = rig.lines().pop().unwrap();
        assert_eq!((&line["code"], &line["approver"]), (&json!(code), &json!("carol")));
    }
}

#[test]
fn approver_without_a_push_approves_nothing() {
    let token = json!([{"device": "DHIZ34ALBA2445ND4AI2", "type": "token", "name": "0"}]);
    for (says, code) in [
        (preauth("allow"), "approver_not_asked"),
        (preauth("deny"), "approver_unavailable"),
        (preauth("enroll"), "approver_unavailable"),
        (crate::rig::devices(&token), "approver_unavailable"),
        (crate::rig::devices(&json!([])), "approver_unavailable"),
        (fail(40_002, "Invalid request parameters", "username"), "approver_unavailable"),
    ] {
        let mut rig = rig(&["carol"]);
        let refused = rig.send(&wire(), &[says]).refused();
        assert_eq!(refused.code(), code);
        assert!(!refused.text().contains("Words of Duo"), "{}", refused.text());
    }
}

#[test]
fn passcode_is_no_approval_of_another_person() {
    let mut rig = rig(&["carol"]);
    let request = wire().with("x-duo-mfa-passcode", "123456");
    // Duo is not asked, so the answer says nothing about the person.
    assert_eq!(refused_unasked(&mut rig, &request)["code"], "bad_request");
    let browser = Browser::of("alice").opens(WIRE).with("x-duo-mfa-passcode", "123456");
    assert_eq!(rig.send(&browser, &[]).refused().0.status, 400);
}

/// The person gets Duo's bypass while the push is under way.
#[test]
fn answer_without_a_question_is_no_approval() {
    let mut rig = rig(&["carol"]);
    let refused = rig.send(&wire(), &and_then("carol", status("allow", "bypass"))).refused();
    assert_eq!(refused.code(), "approver_not_asked");
}

/// A person approves what the phone shows.
#[test]
fn request_that_no_phone_can_show_whole_is_refused() {
    let mut rig = rig(&["carol"]);
    let long = "a".repeat(600);
    for target in [format!("{WIRE}?to=7&{long}"), format!("/wire/{long}")] {
        let rules = json!([{"paths": ["/wire", "/wire/*"], "policy": "two_factor",
            "approval": "per_request", "approver": {"users": ["carol"]}}]);
        let mut rig = rig.beside(json!({"access_control": {"rules": rules}}));
        let refused = refused_unasked(&mut rig, &get(&target).of("alice"));
        assert_eq!(refused["code"], "bad_request", "{target}");
        let auth = format!(
            "/.duo-mfa/auth?factor=push&return_to={}",
            target.replace('?', "%3F").replace('&', "%26")
        );
        let browser = Browser::of("alice");
        assert_eq!(rig.send(&browser.posts(&auth), &[]).answered().code(), "bad_request");
    }
    rig.send(&wire(), &and_then("carol", allows())).admitted();
}

#[test]
fn client_chooses_among_several_people() {
    let mut rig = rig(&["carol", "dave"]);
    let refused = refused_unasked(&mut rig, &wire());
    assert_eq!(refused["code"], "approver_required");
    assert_eq!(refused["approvers"], json!(["carol", "dave"]));
    for name in ["carol", "dave", " dave "] {
        let request = wire().with(NAMES, name);
        let forward = rig.send(&request, &and_then(name.trim(), allows())).admitted();
        assert_by(&forward, name.trim());
    }
    for name in ["erin", "", "Carol", "carol,dave", "CORP\\carol", "\u{e9}", "carol@example.com"] {
        let refused = refused_unasked(&mut rig, &wire().with(NAMES, name));
        assert_eq!(refused["code"], "approver_not_allowed", "{name}");
        assert_eq!(refused["approvers"], json!(["carol", "dave"]));
    }
    let both = wire().with(NAMES, "carol").with("X_Duo_Mfa_Approver", "dave");
    assert_eq!(refused_unasked(&mut rig, &both)["code"], "approver_required");
}

#[test]
fn nobody_approves_their_own_request() {
    let mut rig = rig(&["alice", "carol"]);
    // Without a name, the only other person is asked.
    assert_by(&rig.send(&wire(), &and_then("carol", allows())).admitted(), "carol");
    let refused = refused_unasked(&mut rig, &wire().with(NAMES, "alice"));
    assert_eq!(
        (&refused["code"], &refused["approvers"]),
        (&json!("approver_not_allowed"), &json!(["carol"]))
    );
    let refused = refused_unasked(&mut rig, &get(WIRE).of("carol").with(NAMES, "carol"));
    assert_eq!(refused["approvers"], json!(["alice"]));
    let mut alone = self::rig(&["alice"]);
    let refused = refused_unasked(&mut alone, &wire());
    assert_eq!(
        (&refused["code"], refused.get("approvers")),
        (&json!("approver_not_allowed"), None)
    );
}

/// Two names of the first factor that lead to one user at Duo are one person.
#[test]
fn other_name_of_the_requester_is_no_other_person() {
    let map =
        |username: &str| json!({"identity": {"map": [{"user": "asmith", "username": username}]}});
    for (approver, identity) in [
        ("asmith", map("alice")),
        ("asmith", map("ALICE")),
        ("asmith", map("CORP\\alice")),
        ("asmith", map("alice@example.com")),
        ("alice@example.com", json!({"identity": {"username": "{local}"}})),
        ("alice@example.com", json!({})),
    ] {
        let mut rig = rig_with(&[approver], identity.clone());
        for request in [wire(), wire().with(NAMES, approver)] {
            let refused = refused_unasked(&mut rig, &request);
            assert_eq!(refused["code"], "approver_not_allowed", "{approver} {identity}");
        }
    }
    let mut rig = rig_with(&["asmith"], map("a.smith"));
    let forward = rig.send(&wire(), &and_then("asmith", allows())).admitted();
    assert_by(&forward, "asmith");
    assert_eq!(rig.body(0)["username"], "a.smith");
}

/// The phone is the approver's, so its limits hold for every requester.
#[test]
fn limits_are_those_of_the_approver() {
    let mut rig = rig(&["carol"]);
    let denied = rig.send(&wire(), &and_then("carol", status("deny", "deny"))).refused();
    assert_eq!(denied.code(), "mfa_denied");
    for request in [wire(), get(WIRE).of("bob"), get("/").of("carol")] {
        let refused = rig.send(&request, &[phone_of("carol")]).refused();
        assert_eq!((refused.code().as_str(), refused.0.status), ("too_many_requests", 429));
    }
    // Alice's own phone has not rung.
    rig.send(&get("/").of("alice"), &and_then("alice", allows())).admitted();
}

#[test]
fn budget_is_that_of_the_approver() {
    let mut rig = rig_with(&["carol"], json!({"limits": {"deny_cooldown": ["1s"]}}));
    for user in ["alice", "bob", "erin"] {
        let script = and_then("carol", status("deny", "deny"));
        assert_eq!(rig.send(&get(WIRE).of(user), &script).refused().code(), "mfa_denied");
        rig.now = rig.now.plus(Duration::from_secs(1));
    }
    let refused = rig.send(&wire(), &[phone_of("carol")]).refused();
    assert_eq!(refused.code(), "too_many_requests");
}

#[test]
fn unreachable_duo_admits_nobody() {
    let mut rig = rig_with(&["carol"], json!({"duo": {"fail_mode": "safe"}}));
    rig.check_meets(&crate::rig::says(503, "upstream connect error"));
    let outage = || crate::rig::says(503, "upstream connect error");
    let refused = rig.send(&wire(), &[outage(), outage()]).refused();
    assert_eq!(refused.code(), "duo_unavailable");
}

/// Only the filter names an approver to the application.
#[test]
fn name_in_the_header_never_reaches_the_application() {
    let sent = |request: Request| {
        request
            .with(NAMES, "mallory")
            .with("X-Duo_Mfa-Approver", "mallory")
            .with("X-DUO-MFA-APPROVER", "m")
            .with("X-Duo-Mfa-Approved_By", "mallory")
            .with(BY, "mallory")
    };
    let bypass = json!([{"paths": ["/wire"], "policy": "bypass"}]);
    for changes in [
        json!({"mode": "off"}),
        json!({"mode": "report_only"}),
        json!({"access_control": {"rules": bypass}}),
        json!({"access_control": {"rules": []}, "mode": "report_only"}),
    ] {
        let mut rig = rig_with(&["carol"], changes.clone());
        let Outcome::Forwarded(forward) = rig.send(&sent(wire()), &[]) else { panic!("{changes}") };
        assert_eq!(
            [NAMES, BY].map(|name| forwarded_header(&forward, name)),
            [None, None],
            "{changes}"
        );
    }
    let mut rig = rig(&["carol"]);
    let request = get("/reports").of("alice").with(NAMES, "carol");
    let forward = rig.send(&request, &and_then("alice", allows())).admitted();
    assert_eq!(forwarded_header(&forward, BY), None, "the rule names nobody");
}
