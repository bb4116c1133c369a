//! The time that a user takes to approve is measured once for each sign-in, from the prompt on.

use crate::browser::Browser;
use crate::rig::{Rig, Scripted, allows, get, one_phone, preauth, started, status};
use crate::universal_flow;
use duo_mfa::gate::Unanswered;
use serde_json::json;
use std::time::Duration;

/// The factor and the milliseconds of each time.
fn times(rig: &Rig) -> Vec<(&'static str, u64)> {
    rig.times.iter().map(|time| (time.factor, time.millis)).collect()
}

fn later(rig: &mut Rig, seconds: u64) {
    rig.now = rig.now.plus(Duration::from_secs(seconds));
}

#[test]
fn held_request_is_timed_from_the_push_on() {
    let mut rig = Rig::new();
    let script = [one_phone().after(3), started(), allows().after(7)];
    rig.send(&get("/"), &script).admitted();
    let waited = rig.lines().last().unwrap()["waited_ms"].as_u64().unwrap();
    assert_eq!(times(&rig), [("push", waited)]);
    assert!((7_000..10_000).contains(&waited), "{waited}");
}

#[test]
fn push_in_a_browser_is_timed_from_the_push_on_and_a_passcode_from_the_page_on() {
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    later(&mut rig, 9);
    let poll = alice.fetches("/.duo-mfa/status");
    alice.is_approved(&mut rig, &poll, &[allows()]);
    assert_eq!(times(&rig), [("push", 9_000)]);

    rig.times.clear();
    let mut bob = Browser::of("bob");
    let page = bob.asks(&mut rig, &bob.opens("/reports"), &[]).text();
    let (_, ticket) = page.split_once("data-ticket=\"").unwrap();
    let (ticket, _) = ticket.split_once('"').unwrap();
    later(&mut rig, 20);
    let auth = format!("/.duo-mfa/auth?factor=passcode&return_to=%2F&reference={ticket}");
    let typed = bob.posts(&auth).with("x-duo-mfa-passcode", "123456");
    let phone = crate::rig::phone_of("bob");
    bob.is_approved(&mut rig, &typed, &[phone, allows()]);
    assert_eq!(times(&rig), [("passcode", 20_000)]);
}

#[test]
fn sign_in_at_duos_page_is_timed_from_the_departure_on() {
    let mut rig = universal_flow::rig_with(json!({}));
    let mut alice = Browser::of("alice");
    alice.asks(&mut rig, &alice.opens("/reports"), &[]);
    later(&mut rig, 60);
    let asked = universal_flow::starts(&mut rig, &mut alice, "/reports");
    later(&mut rig, 12);
    let approves = universal_flow::by_push(&asked, &rig);
    let back = universal_flow::back(&alice, asked.state());
    alice.is_approved(&mut rig, &back, &[approves]);
    assert_eq!(times(&rig), [("push", 12_000)]);
}

#[test]
fn nobody_is_timed_who_was_not_asked_or_did_not_approve() {
    let mut rig = Rig::with(json!({"duo": {"fail_mode": "safe"}}));
    rig.send(&get("/").of("bob"), &[preauth("allow")]).admitted();
    rig.send(&get("/"), &[one_phone(), started(), status("deny", "deny").after(5)]).refused();
    later(&mut rig, 600);
    let cut = || Scripted::Fails(Unanswered::Cut);
    rig.check_meets(&cut());
    rig.send(&get("/").of("carol"), &[cut(), cut()]).admitted();
    assert_eq!(times(&rig), []);
}

#[test]
fn approval_for_one_request_is_timed_once() {
    let mut rig = Rig::with(json!({"access_control": {"rules": [
        {"paths": ["/wire"], "policy": "two_factor", "approval": "per_request"},
    ]}}));
    let mut alice = Browser::of("alice");
    let push = alice.posts("/.duo-mfa/auth?factor=push&return_to=%2Fwire");
    alice.asks(&mut rig, &push, &[one_phone(), started()]);
    later(&mut rig, 4);
    let poll = alice.fetches("/.duo-mfa/status");
    let answer = rig.send(&poll, &[allows()]).answered();
    alice.keep(&answer);
    later(&mut rig, 30);
    rig.send(&alice.opens("/wire"), &[]).admitted();
    assert_eq!(times(&rig), [("push", 4_000)]);
}
