//! The outage breaker for the calls of requests, and the waits that Duo asks for.

use crate::browser::Browser;
use crate::rig::{
    NOON, Progress, Rig, Scripted, allows, fail, forwarded_header, get, ok, one_phone, preauth,
    says, started, status,
};
use crate::universal_flow::{rig_with, start_at};
use duo_mfa::duo::Endpoint;
use duo_mfa::gate::{Api, KeyPair, Unanswered};
use serde_json::{Value, json};
use std::time::Duration;

const AUTH_API: KeyPair = KeyPair { application: 0, api: Api::AuthApi };

fn rig_of(changes: Value) -> Rig {
    let mut rig = Rig::with(changes);
    rig.breaks = true;
    rig.check_meets(&ok(&json!({"time": NOON.seconds()})));
    rig
}

fn rig() -> Rig {
    rig_of(json!({}))
}

fn late() -> Scripted {
    says(504, "upstream request timeout")
}

/// Five calls that fail: two requests with one retry each, and a third one.
fn fail_five_times(rig: &mut Rig) {
    for _ in 0..2 {
        rig.send(&get("/"), &[late(), late()]).refused();
    }
    assert!(!rig.breaker().is_open());
    rig.send(&get("/"), &[late()]).refused();
    assert!(rig.breaker().is_open());
}

fn later(rig: &mut Rig, seconds: u64) {
    rig.now = rig.now.plus(Duration::from_secs(seconds));
}

#[test]
fn a_request_is_refused_at_once_after_five_failed_calls() {
    let mut rig = rig();
    fail_five_times(&mut rig);
    let calls = rig.calls.len();
    for _ in 0..100 {
        let refused = rig.send(&get("/"), &[]).refused();
        assert_eq!((refused.0.status, refused.code().as_str()), (503, "duo_unavailable"));
        assert_eq!(refused.header("retry-after").as_deref(), Some("5"));
    }
    let alice = Browser::of("alice");
    for path in ["/.duo-mfa/preauth", "/.duo-mfa/auth?factor=push"] {
        let refused = rig.send(&alice.posts(path), &[]).answered();
        assert_eq!(refused.code(), "duo_unavailable", "{path}");
    }
    assert_eq!(rig.calls.len(), calls);
    let line = "5 calls to Duo in a row have failed: requests that need a new one are refused at once, \
                and one in 10 s tries it";
    assert_eq!(rig.breaker_lines(), [line]);
}

#[test]
fn one_request_in_ten_seconds_tries_duo_and_its_answer_closes_the_breaker() {
    let mut rig = rig();
    fail_five_times(&mut rig);
    later(&mut rig, 10);
    let Progress::Waits(_, tries) = rig.start(&get("/")) else { panic!("it has to try") };
    rig.send(&get("/"), &[]).refused();
    later(&mut rig, 5);
    let Progress::Done(refused) = rig.resume(*tries, &late()) else { panic!("no retry") };
    assert_eq!(refused.refused().code(), "duo_unavailable");
    later(&mut rig, 4);
    rig.send(&get("/"), &[]).refused();
    later(&mut rig, 1);
    rig.send(&get("/"), &[one_phone(), started(), allows()]).admitted();
    assert!(!rig.breaker().is_open());
    rig.send(&get("/"), &[preauth("deny")]).refused();
    assert_eq!(rig.breaker_lines()[1..], ["Duo answers again: requests call it"]);
}

#[test]
fn the_background_check_closes_the_breaker_where_no_request_comes() {
    let mut rig = rig();
    fail_five_times(&mut rig);
    let is_due = |rig: &Rig| rig.health.is_due(rig.now, Duration::from_secs(3_600));
    rig.check_meets(&ok(&json!({"time": rig.now.seconds()})));
    assert!(rig.breaker().is_open() && !is_due(&rig), "too early");
    later(&mut rig, 11);
    assert!(is_due(&rig));
    rig.check_meets(&late());
    assert!(rig.breaker().is_open());
    later(&mut rig, 11);
    assert!(is_due(&rig));
    rig.check_meets(&ok(&json!({"time": rig.now.seconds()})));
    assert!(!rig.breaker().is_open());
}

#[test]
fn a_sign_in_under_way_goes_on_while_the_breaker_is_open() {
    let mut rig = rig();
    let Progress::Waits(_, flow) = rig.start(&get("/held")) else { panic!() };
    let Progress::Waits(_, flow) = rig.resume(*flow, &one_phone()) else { panic!() };
    let Progress::Waits(_, flow) = rig.resume(*flow, &started()) else { panic!() };
    for calls in [2, 2, 1] {
        let script: Vec<_> = (0..calls).map(|_| late()).collect();
        rig.send(&get("/").of("bob"), &script).refused();
    }
    assert!(rig.breaker().is_open());
    let Progress::Waits(_, flow) = rig.resume(*flow, &late()) else { panic!("it goes on polling") };
    let Progress::Done(outcome) = rig.resume(*flow, &allows()) else { panic!() };
    outcome.admitted();
}

#[test]
fn what_duo_or_this_envoy_answers_is_no_failure() {
    let harmless = [
        preauth("deny"),
        fail(40_002, "Invalid request parameters", "username"),
        fail(40_103, "Invalid signature in request credentials", ""),
        fail(42_901, "Too many requests", ""),
        says(404, "not here"),
        says(429, ""),
        Scripted::Fails(Unanswered::Overflow),
        says(
            503,
            "upstream connect error or disconnect/reset before headers. reset reason: overflow",
        ),
    ];
    for answer in harmless {
        let mut rig = rig();
        for _ in 0..20 {
            rig.send(&get("/"), std::slice::from_ref(&answer)).refused();
        }
        assert!(!rig.breaker().is_open(), "{answer:?}");
    }
    let mut rig = rig();
    let mut looks = vec![one_phone(), started()];
    looks.extend((0..20).map(|_| late()));
    looks.push(status("allow", "allow"));
    rig.send(&get("/"), &looks).admitted();
    assert!(!rig.breaker().is_open(), "a poll that saw nothing new");
}

#[test]
fn each_way_in_which_duo_fails_opens_the_breaker() {
    let faults = [
        late(),
        says(503, "upstream connect error"),
        fail(50_001, "Internal server error", ""),
        says(200, "<html>"),
        says(200, r#"{"stat":"OK","response":{"result":"perhaps"}}"#),
        Scripted::Fails(Unanswered::Cut),
        Scripted::Fails(Unanswered::NotSent),
    ];
    for fault in faults {
        let mut rig = rig();
        rig.drive(&get("/"), |_| Some(fault.clone())).refused();
        for _ in 0..4 {
            rig.drive(&get("/"), |_| Some(fault.clone())).refused();
        }
        assert!(rig.breaker().is_open(), "{fault:?}");
        assert_eq!(rig.calls.len(), 5, "{fault:?}");
    }
}

#[test]
fn fail_safe_admits_at_once_if_the_check_does_not_reach_duo_either() {
    let mut rig = rig_of(json!({"duo": {"fail_mode": "safe"}}));
    fail_five_times(&mut rig);
    assert_eq!(rig.send(&get("/"), &[]).refused().code(), "duo_unavailable");
    rig.check_meets(&late());
    let calls = rig.calls.len();
    let forward = rig.send(&get("/"), &[]).admitted();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("fail_safe"));
    assert_eq!(rig.calls.len(), calls);
}

#[test]
fn readyz_shows_an_open_breaker_and_stays_ready_by_the_check() {
    let mut rig = rig();
    let ask = get("/.duo-mfa/readyz");
    fail_five_times(&mut rig);
    let ready = rig.send(&ask, &[]).answered();
    let open = json!([{"keys": "auth_api"}]);
    assert_eq!(
        (ready.0.status, ready.json()),
        (200, json!({"status": "ok", "breaker_open": open}))
    );
    later(&mut rig, 10);
    rig.send(&get("/"), &[preauth("deny")]).refused();
    assert_eq!(rig.send(&ask, &[]).answered().json(), json!({"status": "ok"}));
}

#[test]
fn browsers_on_their_way_to_duos_page_are_refused_at_once_too() {
    let mut rig = rig_with(json!({}));
    rig.breaks = true;
    let alice = Browser::of("alice");
    for calls in [2, 2, 1] {
        let script: Vec<_> = (0..calls).map(|_| late()).collect();
        let refused = rig.send(&alice.submits(&start_at("/")), &script).answered();
        assert_eq!(refused.0.status, 503);
    }
    assert!(rig.breaker().is_open());
    let refused = rig.send(&alice.submits(&start_at("/")), &[]).answered();
    assert_eq!(refused.0.status, 503);
    assert_eq!(refused.header("retry-after").as_deref(), Some("5"));
}

#[test]
fn a_503_with_retry_after_is_obeyed_and_passed_on() {
    let mut rig = rig();
    let wait = says(503, "maintenance").retry_after("42");
    for (script, seconds) in [(vec![wait], "42"), (vec![], "42")] {
        let refused = rig.send(&get("/"), &script).refused();
        assert_eq!((refused.0.status, refused.code().as_str()), (503, "duo_unavailable"));
        assert_eq!(refused.header("retry-after").as_deref(), Some(seconds));
    }
    later(&mut rig, 41);
    let bob = get("/").of("bob");
    assert_eq!(rig.send(&bob, &[]).refused().header("retry-after").as_deref(), Some("1"));
    later(&mut rig, 1);
    rig.send(&bob, &[preauth("deny")]).refused();
}

#[test]
fn a_held_request_waits_as_long_as_duo_asks_and_then_polls_again() {
    let mut rig = rig();
    let Progress::Waits(_, flow) = rig.start(&get("/")) else { panic!() };
    let Progress::Waits(_, flow) = rig.resume(*flow, &one_phone()) else { panic!() };
    let Progress::Waits(_, flow) = rig.resume(*flow, &started()) else { panic!() };
    let wait = says(503, "").retry_after("8");
    let from = rig.now;
    let calls = rig.calls.len();
    let Progress::Waits(_, flow) = rig.resume(*flow, &wait) else { panic!("it goes on") };
    assert!(rig.now.since(from) >= Duration::from_secs(8), "{:?}", rig.now.since(from));
    assert_eq!(rig.calls.len(), calls + 1);
    let Progress::Done(outcome) = rig.resume(*flow, &allows()) else { panic!() };
    outcome.admitted();
}

#[test]
fn a_429_with_retry_after_stops_the_calls_of_its_user_only() {
    let mut rig = rig();
    let limited = fail(42_901, "Too many requests", "").retry_after("60");
    let refused = rig.send(&get("/"), &[limited]).refused();
    assert_eq!((refused.0.status, refused.code().as_str()), (429, "too_many_requests"));
    later(&mut rig, 18);
    let refused = rig.send(&get("/"), &[]).refused();
    assert_eq!((refused.0.status, refused.code().as_str()), (429, "too_many_requests"));
    assert_eq!(refused.header("retry-after").as_deref(), Some("42"));
    rig.send(&get("/").of("bob"), &[preauth("deny")]).refused();
    later(&mut rig, 42);
    rig.send(&get("/"), &[preauth("deny")]).refused();
}

#[test]
fn the_check_finds_out_that_a_limit_is_the_accounts() {
    let mut rig = rig();
    later(&mut rig, 10);
    let limited = fail(42_901, "Too many requests", "").retry_after("60");
    rig.send(&get("/"), std::slice::from_ref(&limited)).refused();
    let usual = Duration::from_secs(60);
    assert!(rig.health.is_due(rig.now, usual));
    let time = rig.now.seconds();
    rig.check(AUTH_API, |call| {
        if call.endpoint == Endpoint::Ping { ok(&json!({"time": time})) } else { limited.clone() }
    });
    let refused = rig.send(&get("/").of("bob"), &[]).refused();
    assert_eq!((refused.0.status, refused.code().as_str()), (429, "too_many_requests"));
    assert_eq!(refused.header("retry-after").as_deref(), Some("60"));
    later(&mut rig, 59);
    assert!(!rig.health.is_due(rig.now, usual), "the check waits too");
    later(&mut rig, 1);
    assert!(rig.health.is_due(rig.now, usual));
    rig.send(&get("/").of("bob"), &[preauth("deny")]).refused();
}
