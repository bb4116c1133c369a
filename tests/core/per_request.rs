//! Rules with `approval: per_request`: each request is approved separately.

mod ahead;
mod share;

use crate::browser::{Browser, posted};
use crate::rig::{
    Outcome, Request, Rig, Scripted, allows, approval, fail, get, one_phone, pair, phone_of,
};
use crate::rig::{forwarded_header, preauth, started, status};
use duo_mfa::gate::{Forward, NewCookie};
use duo_mfa::signal::{Counter, Signal};
use serde_json::{Value, json};
use std::time::Duration;

const WIRE: &str = "/wire?to=7";
const STATUS: &str = "/.duo-mfa/status";
const OPERATION: &str = "__Host-duo_operation";
const PUSH: [fn() -> Scripted; 2] = [one_phone, started];

fn rig_with(changes: &Value) -> Rig {
    let mut config = json!({"access_control": {"rules": [
        {"paths": ["/wire", "/wire/*"], "policy": "two_factor", "approval": "per_request"},
        {"paths": ["/orders/*"], "methods": ["DELETE"], "policy": "two_factor", "approval": "per_request"},
    ]}});
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    Rig::with(config)
}

fn rig() -> Rig {
    rig_with(&json!({}))
}

fn delete(path: &str) -> Request {
    get(path).without(":method").with(":method", "DELETE")
}

/// Sends a held request, whose push is approved.
fn held(rig: &mut Rig, request: &Request) -> Forward {
    rig.send(request, &[one_phone(), started(), allows()]).admitted()
}

fn auth(path: &str) -> String {
    let path = path.replace('?', "%3F").replace('=', "%3D").replace('#', "%23");
    format!("/.duo-mfa/auth?factor=push&return_to={path}")
}

/// Alice's browser after it has started a push for this address.
fn pushed(rig: &mut Rig, path: &str) -> Browser {
    let mut alice = Browser::of("alice");
    alice.asks(rig, &alice.posts(&auth(path)), &PUSH.map(|answer| answer()));
    alice
}

/// Alice's browser with the approval of this request, and no other.
fn approved(rig: &mut Rig, path: &str) -> Browser {
    let mut alice = pushed(rig, path);
    let state = alice.asks(rig, &alice.fetches(STATUS), &[allows()]);
    assert_eq!((state.0.status, &state.json()["state"]), (200, &json!("approved")));
    assert_eq!(state.json()["return_to"], path);
    assert!(state.json().get("transaction").is_none(), "a browser has it as a cookie");
    assert!(alice.has(OPERATION) && !alice.has("__Host-duo_mfa") && !alice.has("__Host-duo_txn"));
    alice
}

#[track_caller]
fn assert_asked_again(rig: &mut Rig, request: &Request) {
    let page = rig.send(request, &[]).refused();
    assert_eq!((page.0.status, page.0.details.as_str()), (403, "duo_mfa_mfa_required"));
}

#[track_caller]
fn used_up(forward: &Forward) {
    let Some(NewCookie::UsedUp(line)) = &forward.cookie else { panic!("{forward:?}") };
    let line = str::from_utf8(line.as_bytes()).unwrap();
    assert!(line.starts_with("__Host-duo_operation=;") && line.contains("Max-Age=0"), "{line}");
}

#[test]
fn held_request_is_asked_about_each_time() {
    let mut rig = rig();
    let session = held(&mut rig, &get("/reports"));
    let session = pair(&approval(&session)).to_owned();
    rig.send(&get("/reports").with("cookie", &session), &[]).admitted();
    for request in [delete("/orders/7"), get(WIRE), posted(get(WIRE)).followed_by("amount=12")] {
        for _ in 0..2 {
            let forward = held(&mut rig, &request.clone().with("cookie", &session));
            assert_eq!(forward.cookie, None, "it opens nothing else");
            assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("push"));
        }
        let script = [one_phone(), started(), status("deny", "deny")];
        let refused = rig.send(&request.with("cookie", &session), &script).refused();
        assert_eq!(refused.code(), "mfa_denied");
        rig.now = rig.now.plus(Duration::from_secs(24 * 60));
        rig.table.clear();
    }
}

#[test]
fn rule_by_method_leaves_the_others_alone() {
    let mut rig = rig();
    let session = pair(&approval(&held(&mut rig, &get("/orders/7")))).to_owned();
    rig.send(&get("/orders/7").with("cookie", &session), &[]).admitted();
}

#[test]
fn passcode_up_front_approves_one_request() {
    let mut rig = rig();
    let request = delete("/orders/7").with("x-duo-mfa-passcode", "123456");
    let forward = rig.send(&request, &[one_phone(), allows()]).admitted();
    assert_eq!(forward.cookie, None);
    let again = rig.send(&request, &[one_phone(), status("deny", "deny")]).refused();
    assert_eq!(again.code(), "passcode_incorrect");
}

#[test]
fn page_leads_to_an_approval_that_is_used_once() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let page = alice.asks(&mut rig, &alice.opens(WIRE), &[]);
    assert_eq!(page.0.status, 403);
    assert!(page.text().contains(r#"data-pane="start""#));
    let alice = approved(&mut rig, WIRE);
    assert_eq!(rig.phone_shows(1), "request=GET&path=%2Fwire&query=to%3D7");
    let forward = rig.send(&alice.opens(WIRE), &[]).admitted();
    used_up(&forward);
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-user").as_deref(), Some("alice"));
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("push"));
    for _ in 0..3 {
        assert_asked_again(&mut rig, &alice.opens(WIRE));
    }
    let lines: Vec<_> =
        rig.signals.iter().filter(|s| **s == Signal::Count(Counter::Passed)).collect();
    assert_eq!(lines.len(), 1);
}

#[test]
fn place_in_a_page_is_no_part_of_what_it_asks_for() {
    let mut rig = rig();
    let alice = approved(&mut rig, &format!("{WIRE}#amount"));
    used_up(&rig.send(&alice.opens(WIRE), &[]).admitted());
}

#[test]
fn approval_opens_nothing_else() {
    let mut rig = rig();
    let alice = approved(&mut rig, WIRE);
    for path in
        ["/wire", "/wire?to=8", "/wire?to=7&to=8", "/wire?to=%37", "/WIRE?to=7", "/wire/?to=7"]
    {
        assert_asked_again(&mut rig, &alice.opens(path));
    }
    assert_asked_again(&mut rig, &alice.opens("/reports"));
    let elsewhere = alice.opens(WIRE).without(":authority").with(":authority", "b.example.com");
    assert_asked_again(&mut rig, &elsewhere);
    let mut mallory = Browser::of("mallory");
    mallory.jar.clone_from(&alice.jar);
    assert_asked_again(&mut rig, &mallory.opens(WIRE));
    let twice = alice.opens(WIRE).with("cookie", &alice.jar[OPERATION]);
    assert_asked_again(&mut rig, &twice);
    let head = alice.opens(WIRE).without(":method").with(":method", "HEAD");
    assert_eq!(rig.send(&head, &[]).refused().0.status, 403);
    assert_eq!(rig.send(&alice.posts(WIRE), &[]).refused().code(), "mfa_required");
    assert_asked_again(&mut rig, &alice.opens(WIRE).followed_by("x"));
    // None of all that has used it.
    used_up(&rig.send(&alice.opens(WIRE), &[]).admitted());
}

#[test]
fn forged_approvals_open_nothing() {
    let mut rig = rig();
    let alice = approved(&mut rig, WIRE);
    let token = alice.jar[OPERATION].split_once('=').unwrap().1.to_owned();
    for place in (0..token.len()).step_by(3) {
        let mut bytes = token.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let mut forger = Browser::of("alice");
        let value = String::from_utf8(bytes).unwrap();
        forger.jar.insert(OPERATION.to_owned(), format!("{OPERATION}={value}"));
        assert_asked_again(&mut rig, &forger.opens(WIRE));
    }
    // A pending sign-in, an approval and a per-request approval do not replace each other.
    let pending = pushed(&mut rig, WIRE).jar["__Host-duo_txn"].clone();
    let script = [phone_of("bob"), started(), allows()];
    let session = pair(&approval(&rig.send(&get("/").of("bob"), &script).admitted())).to_owned();
    for (other, user) in [(pending, "alice"), (session, "bob")] {
        let value = other.split_once('=').unwrap().1;
        let mut forger = Browser::of(user);
        forger.jar.insert(OPERATION.to_owned(), format!("{OPERATION}={value}"));
        assert_asked_again(&mut rig, &forger.opens(WIRE));
    }
    let mut forger = Browser::of("alice");
    forger.jar.insert("a".to_owned(), format!("__Host-duo_mfa={token}"));
    assert_asked_again(&mut rig, &forger.opens("/reports"));
    forger.jar.insert("a".to_owned(), format!("__Host-duo_txn={token}"));
    assert_eq!(forger.asks(&mut rig, &forger.fetches(STATUS), &[]).code(), "bad_request");
}

#[test]
fn approval_waits_for_a_minute() {
    for (waits, is_good) in [(60, true), (61, false)] {
        let mut rig = rig();
        let alice = approved(&mut rig, WIRE);
        rig.now = rig.now.plus(Duration::from_secs(waits));
        match is_good {
            true => used_up(&rig.send(&alice.opens(WIRE), &[]).admitted()),
            false => assert_asked_again(&mut rig, &alice.opens(WIRE)),
        }
    }
}

#[test]
fn lost_answer_given_again_is_still_one_use() {
    let mut rig = rig();
    let first = pushed(&mut rig, WIRE);
    let (mut first, mut second) = (first.clone(), first);
    first.asks(&mut rig, &first.fetches(STATUS), &[allows()]);
    rig.now = rig.now.plus(Duration::from_secs(9));
    second.asks(&mut rig, &second.fetches(STATUS), &[allows()]);
    assert_ne!(first.jar, second.jar);
    used_up(&rig.send(&first.opens(WIRE), &[]).admitted());
    for waits in [0, 55] {
        rig.now = rig.now.plus(Duration::from_secs(waits));
        assert_asked_again(&mut rig, &second.opens(WIRE));
    }
}

/// A poll may name another address than the push did. It does not get an approval for that address.
#[test]
fn sign_in_gives_what_it_was_begun_for() {
    let mut rig = rig();
    let mut alice = pushed(&mut rig, WIRE);
    let elsewhere = alice.fetches("/.duo-mfa/status?return_to=%2Freports");
    alice.asks(&mut rig, &elsewhere, &[allows()]);
    assert_asked_again(&mut rig, &alice.opens("/reports"));
    used_up(&rig.send(&alice.opens(WIRE), &[]).admitted());

    let mut alice = pushed(&mut rig, "/reports");
    let there = alice.fetches("/.duo-mfa/status?return_to=%2Fwire%3Fto%3D7");
    alice.is_approved(&mut rig, &there, &[allows()]);
    assert!(!alice.has(OPERATION));
    assert_asked_again(&mut rig, &alice.opens(WIRE));
    let again = alice.fetches("/.duo-mfa/status?return_to=%2Fwire%3Fto%3D7");
    let state = alice.asks(&mut rig, &again, &[]);
    assert_eq!((state.code().as_str(), state.0.status), ("bad_request", 400), "it is not approved");
}

#[test]
fn form_of_a_browser_is_refused() {
    let mut rig = rig();
    let form = Browser::of("alice").submits(WIRE).followed_by("to=7");
    let page = rig.send(&form, &[]).refused();
    assert_eq!((page.0.status, page.0.details.as_str()), (403, "duo_mfa_access_denied"));
}

#[test]
fn outage_approves_no_operation() {
    let down = || Scripted::Fails(duo_mfa::gate::Unanswered::NotSent);
    let duo = json!({"fail_mode": "safe"});
    let mut rig = rig_with(&json!({"duo": duo}));
    rig.check_meets(&down());
    let forward = rig.send(&get("/reports"), &[down(), down()]).admitted();
    let unverified = pair(&approval(&forward)).to_owned();
    let request = get(WIRE).with("cookie", &unverified);
    assert_eq!(rig.send(&request, &[down(), down()]).refused().code(), "duo_unavailable");
    let alice = Browser::of("alice");
    let begun = rig.send(&alice.posts(&auth(WIRE)), &[down(), down()]).answered();
    assert_eq!(begun.code(), "duo_unavailable");
    let limited = fail(42_901, "Too Many Requests", "");
    assert_eq!(rig.send(&request, &[limited]).refused().code(), "too_many_requests");
}

#[test]
fn bypass_status_at_duo_is_asked_about_each_time() {
    let mut rig = rig();
    let mut bella = Browser::of("bella");
    let ask = bella.posts("/.duo-mfa/preauth?return_to=%2Fwire%3Fto%3D7");
    let allowed = bella.asks(&mut rig, &ask, &[preauth("allow")]);
    assert_eq!(allowed.json()["result"], "allow");
    used_up(&rig.send(&bella.opens(WIRE), &[]).admitted());
    assert_asked_again(&mut rig, &bella.opens(WIRE));
    for _ in 0..2 {
        let forward = rig.send(&get(WIRE).of("bella"), &[preauth("allow")]).admitted();
        assert_eq!(forward.cookie, None);
    }
}

#[test]
fn other_factor_than_the_rule_takes_approves_nothing() {
    let rule = |factor| {
        json!({"rules": [
            {"paths": ["/wire"], "policy": "two_factor", "approval": "per_request", "factors": [factor]},
        ]})
    };
    let mut by_push = rig_with(&json!({"access_control": rule("push")}));
    let alice = approved(&mut by_push, WIRE);
    let mut by_phone = rig_with(&json!({"access_control": rule("phone")}));
    assert_asked_again(&mut by_phone, &alice.opens(WIRE));
    used_up(&by_push.send(&alice.opens(WIRE), &[]).admitted());
}

#[test]
fn table_that_cannot_be_read_lets_nothing_pass() {
    let mut rig = rig();
    let alice = approved(&mut rig, WIRE);
    rig.spoil_the_table();
    for _ in 0..2 {
        assert_asked_again(&mut rig, &alice.opens(WIRE));
        rig.now = rig.now.plus(Duration::from_secs(30));
    }
}

#[test]
fn report_only_says_what_would_be_refused() {
    let mut rig = rig_with(&json!({"mode": "report_only"}));
    let Outcome::Forwarded(forward) = rig.send(&delete("/orders/7"), &[]) else {
        panic!("refused")
    };
    assert_eq!(forward.cookie, None);
    let code = duo_mfa::signal::Code::MfaRequired;
    assert!(rig.signals.contains(&Signal::Count(Counter::Reported { rule: Some(1), code })));
}
