//! Only the background check decides whether Duo counts as unreachable, since no client can make it
//! fail. A client can make its own calls fail: it only has to send more than Duo's cluster takes.

use crate::browser::Browser;
use crate::rig::{
    Rig, Scripted, approval, fail, forwarded_header, get, ok, one_phone, pair, preauth, says,
    started, status,
};
use duo_mfa::gate::{Health, Standing, Unanswered};
use duo_mfa::signal::{Counter, Level, Signal};
use serde_json::json;
use std::time::Duration;

/// The ways in which a call does not reach Duo.
fn unreachable() -> Vec<Scripted> {
    vec![
        says(503, "upstream connect error"),
        says(504, "upstream request timeout"),
        fail(50_001, "Internal server error", ""),
        Scripted::Fails(Unanswered::Cut),
        Scripted::Fails(Unanswered::NotSent),
    ]
}

/// The ways in which this Envoy, or one on the way to Duo, has no room for a call.
fn overflows() -> [Scripted; 2] {
    let egress =
        "upstream connect error or disconnect/reset before headers. reset reason: overflow";
    [Scripted::Fails(Unanswered::Overflow), says(503, egress)]
}

fn safe() -> Rig {
    let mut rig = Rig::with(json!({"duo": {"fail_mode": "safe"}}));
    rig.check_meets(&ok(&json!({"time": rig.now.seconds()})));
    rig
}

fn is_check_due(rig: &Rig) -> bool {
    rig.health.is_due(rig.now, Duration::from_secs(60))
}

fn counted(rig: &Rig, counter: Counter) -> usize {
    rig.signals.iter().filter(|signal| **signal == Signal::Count(counter)).count()
}

#[test]
fn calls_that_fail_alone_open_nothing_and_have_the_check_come_at_once() {
    for fault in unreachable() {
        let mut rig = safe();
        rig.now = rig.now.plus(Duration::from_secs(10));
        assert!(!is_check_due(&rig));
        let refused = rig.send(&get("/"), &[fault.clone(), fault.clone()]).refused();
        assert_eq!(refused.code(), "duo_unavailable", "{fault:?}");
        assert_eq!(refused.header("retry-after").as_deref(), Some("5"));
        assert!(is_check_due(&rig), "{fault:?}");

        let alice = Browser::of("alice");
        for path in ["/.duo-mfa/preauth", "/.duo-mfa/auth?factor=push"] {
            let refused = rig.send(&alice.posts(path), &[fault.clone(), fault.clone()]).answered();
            assert_eq!(refused.code(), "duo_unavailable", "{path} {fault:?}");
        }
        rig.check_meets(&fault);
        rig.send(&get("/"), &[fault.clone(), fault]).admitted();
    }
}

#[test]
fn the_line_of_a_fail_safe_admission_says_since_when_duo_is_unreachable() {
    let mut rig = safe();
    let gone = says(503, "upstream connect error");
    rig.check_meets(&gone);
    let since = rig.now.rfc2822();
    rig.now = rig.now.plus(Duration::from_secs(300));
    rig.check_meets(&gone);
    let forward = rig.send(&get("/"), &[gone.clone(), gone]).admitted();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("fail_safe"));
    let reason = format!(r#""reason":"Duo has been unreachable since {since}""#);
    let says = |signal: &Signal| matches!(signal, Signal::Log(Level::Warn, line) if line.contains(&reason));
    assert!(rig.signals.iter().any(says), "{:?}", rig.signals);
}

#[test]
fn any_answer_of_duos_ends_fail_safe_until_a_check_has_failed_again() {
    let gone = || says(503, "upstream connect error");
    for answer in [preauth("deny"), fail(42_901, "Too many requests", ""), ok(&json!({}))] {
        let mut rig = safe();
        rig.check_meets(&gone());
        rig.send(&get("/"), &[gone(), gone()]).admitted();
        rig.now = rig.now.plus(Duration::from_secs(1));
        rig.send(&get("/"), std::slice::from_ref(&answer)).refused();
        let refused = rig.send(&get("/"), &[gone(), gone()]).refused();
        assert_eq!(refused.code(), "duo_unavailable", "{answer:?}");
        rig.now = rig.now.plus(Duration::from_secs(1));
        rig.check_meets(&gone());
        rig.send(&get("/"), &[gone(), gone()]).admitted();
    }
}

#[test]
fn a_call_without_room_is_never_an_outage() {
    for overflow in overflows() {
        for outage_is_known in [false, true] {
            let mut rig = safe();
            if outage_is_known {
                rig.check_meets(&says(503, "upstream connect error"));
            }
            rig.now = rig.now.plus(Duration::from_secs(2));
            let health = rig.health;
            let refused = rig.send(&get("/"), std::slice::from_ref(&overflow)).refused();
            assert_eq!((refused.code().as_str(), refused.0.status), ("overloaded", 503));
            assert!(refused.header("retry-after").is_some());
            assert_eq!(rig.health, health, "it says nothing of Duo");
            assert_eq!(counted(&rig, Counter::Overflows("preauth")), 1);
            assert_eq!(counted(&rig, Counter::DuoFailures("preauth")), 0);
            let line = |signal: &Signal| matches!(signal, Signal::Log(_, line) if line.contains("circuit breaker"));
            assert!(rig.signals.iter().any(line), "{:?}", rig.signals);
        }
    }
}

#[test]
fn a_push_that_found_no_room_was_not_sent_and_a_look_is_repeated() {
    for overflow in overflows() {
        let mut rig = safe();
        let refused = rig.send(&get("/"), &[one_phone(), overflow.clone()]).refused();
        assert_eq!(refused.code(), "overloaded");
        let looks = [one_phone(), started(), overflow, status("allow", "allow")];
        let forward = rig.send(&get("/"), &looks).admitted();
        assert!(!pair(&approval(&forward)).is_empty(), "nothing was pending, nothing is lost");
    }
}

#[test]
fn a_check_without_room_changes_nothing_and_is_repeated_soon() {
    for overflow in overflows() {
        let mut rig = safe();
        let before = rig.health;
        let after = rig.check_meets(&overflow);
        assert_eq!((after.standing, after.unreached_since()), (Standing::Well, None));
        assert_eq!(Health { checked: before.checked, ..after }, before);
        rig.now = rig.now.plus(Duration::from_secs(2));
        assert!(is_check_due(&rig));
    }
}

#[test]
fn a_check_that_times_out_while_duo_answers_others_waited_behind_them() {
    let late = says(504, "upstream request timeout");
    let mut rig = safe();
    rig.send(&get("/"), &[preauth("deny")]).refused();
    // The longest time for which a call of a request can occupy its place: 25 s.
    rig.now = rig.now.plus(Duration::from_secs(25));
    let after = rig.check_meets(&late);
    assert_eq!((after.standing, after.unreached_since()), (Standing::Well, None));
    rig.now = rig.now.plus(Duration::from_secs(1));
    let since = rig.now;
    let after = rig.check_meets(&late);
    assert_eq!((after.standing, after.unreached_since()), (Standing::Unavailable, Some(since)));
}

#[test]
fn what_a_requester_can_make_duo_say_to_the_check_is_no_outage() {
    // Duo limits the rate of the whole account, so that any requester can use it up.
    for said in [fail(42_901, "Too many requests", ""), says(429, ""), says(200, "<html>")] {
        let mut rig = safe();
        let after = rig.check_meets(&said);
        assert_eq!((after.standing, after.unreached_since()), (Standing::Unavailable, None));
        let gone = says(503, "upstream connect error");
        let refused = rig.send(&get("/"), &[gone.clone(), gone]).refused();
        assert_eq!(refused.code(), "duo_unavailable", "{said:?}");
    }
}
