//! Limits on how often a user's phone rings, for every client and every kind of request.

use crate::browser::Browser;
use crate::rig::{
    Outcome, Progress, Response, Rig, Scripted, allows, fail, get, is_of_users, one_phone,
    phone_of, says, started, their_phone,
};
use crate::rig::{forwarded_header, status};
use duo_mfa::duo::SignedCall;
use duo_mfa::gate::Unanswered;
use duo_mfa::signal::{Level, Signal};
use serde_json::json;
use std::time::Duration;

/// The script of a held request whose push ends with this result.
fn pushed(end: &str) -> [Scripted; 3] {
    let result = if end == "allow" { "allow" } else { "deny" };
    [one_phone(), started(), status(result, end)]
}

/// Sends a held request and asserts that it is refused without a push.
#[track_caller]
fn stopped(rig: &mut Rig) -> Response {
    let calls = rig.calls.len();
    let refused = rig.send(&get("/"), &[one_phone()]).refused();
    assert_eq!(rig.called()[calls..], ["preauth"]);
    assert_eq!(refused.0.status, 429);
    refused
}

#[test]
fn fifty_requests_at_once_are_one_push_and_one_admission() {
    let mut rig = Rig::new();
    let mut waiting = Vec::new();
    for _ in 0..50 {
        match rig.start(&get("/")) {
            Progress::Waits(_, flow) => waiting.push(flow),
            Progress::Done(_) | Progress::Pauses(..) => panic!("preauth comes first"),
        }
    }
    // Every preauth is answered before any push is.
    let mut pushing = Vec::new();
    for flow in waiting {
        match rig.resume(*flow, &one_phone()) {
            Progress::Waits(call, flow) => {
                assert_eq!(call.endpoint.name(), "auth");
                pushing.push(flow);
            }
            Progress::Done(outcome) => {
                let refused = outcome.refused();
                assert_eq!((refused.code().as_str(), refused.0.status), ("pending_elsewhere", 429));
                assert_eq!(refused.header("retry-after").as_deref(), Some("65"));
            }
            Progress::Pauses(..) => panic!("no other push lets it pass"),
        }
    }
    assert_eq!(pushing.len(), 1);
    let flow = pushing.pop().unwrap();
    let Progress::Waits(_, flow) = rig.resume(*flow, &started()) else { panic!("no poll") };
    let Progress::Done(outcome) = rig.resume(*flow, &status("allow", "allow")) else {
        panic!("no end")
    };
    assert_eq!(forwarded_header(&outcome.admitted(), "x-duo-mfa-factor").as_deref(), Some("push"));
    let auths = rig.called().iter().filter(|name| **name == "auth").count();
    assert_eq!(auths, 1);
}

#[test]
fn spellings_of_a_name_share_its_limits_and_other_users_do_not() {
    let mut rig = Rig::new();
    rig.send(&get("/"), &pushed("deny")).refused();
    for spelling in ["ALICE", " Alice "] {
        let refused = rig.send(&get("/").of(spelling), &[one_phone()]).refused();
        assert_eq!(refused.code(), "too_many_requests", "{spelling:?}");
    }
    let script = [phone_of("bob"), started(), allows()];
    rig.send(&get("/").of("bob"), &script).admitted();
    assert_eq!(rig.table.len(), 5, "two users, two phones, one approval");
}

#[test]
fn every_end_but_allow_stops_the_next_push_for_its_time() {
    for (end, wait) in
        [("deny", 60), ("locked_out", 60), ("unheard_of", 60), ("timeout", 15), ("fraud", 1_800)]
    {
        let mut rig = Rig::new();
        rig.send(&get("/"), &pushed(end)).refused();
        let refused = stopped(&mut rig);
        assert_eq!(refused.code(), "too_many_requests", "{end}");
        assert_eq!(refused.header("retry-after"), Some(wait.to_string()), "{end}");
        assert_eq!(refused.json()["passcode_accepted"], true, "{end}");
        rig.now = rig.now.plus(Duration::from_secs(wait));
        rig.send(&get("/"), &pushed("allow")).admitted();
        rig.send(&get("/"), &pushed("allow")).admitted();
    }
}

#[test]
fn fraud_is_an_error_in_the_log() {
    let mut rig = Rig::new();
    rig.send(&get("/"), &pushed("fraud")).refused();
    let is_alarm = |signal: &&Signal| matches!(signal, Signal::Log(Level::Error, line) if line.contains("mfa_fraud"));
    assert_eq!(rig.signals.iter().filter(is_alarm).count(), 1);
}

#[test]
fn passcode_is_taken_while_pushes_are_stopped() {
    let mut rig = Rig::new();
    rig.send(&get("/"), &pushed("fraud")).refused();
    let with_code = get("/").with("x-duo-mfa-passcode", "123456");
    for _ in 0..5 {
        rig.send(&with_code, &[one_phone(), status("allow", "allow")]).admitted();
    }
    assert_eq!(stopped(&mut rig).code(), "too_many_requests", "a passcode is no word on a push");
}

#[test]
fn a_refusal_offers_passcodes_only_where_they_are_accepted() {
    let mut rig = Rig::with(json!({"duo": {"factors": ["push"]}}));
    rig.send(&get("/"), &pushed("deny")).refused();
    assert_eq!(stopped(&mut rig).json().get("passcode_accepted"), None);
    let mut rig = Rig::new();
    let with_code = get("/").with("x-duo-mfa-passcode", "000000");
    let wrong = [one_phone(), status("deny", "deny")];
    for _ in 0..5 {
        assert_eq!(rig.send(&with_code, &wrong).refused().code(), "passcode_incorrect");
    }
    let refused = rig.send(&with_code, &[one_phone()]).refused();
    assert_eq!(refused.code(), "too_many_requests");
    assert_eq!(refused.json().get("passcode_accepted"), None);
}

#[test]
fn calls_count_like_pushes() {
    let mut rig = Rig::with(json!({"duo": {"factors": ["phone"]}, "limits": {"pushes": 1}}));
    rig.send(&get("/"), &pushed("timeout")).refused();
    rig.now = rig.now.plus(Duration::from_secs(15));
    assert_eq!(stopped(&mut rig).header("retry-after").as_deref(), Some("586"));
}

#[test]
fn budget_is_three_in_ten_minutes() {
    let mut rig = Rig::with(json!({"limits": {"deny_cooldown": ["1s"]}}));
    for _ in 0..3 {
        rig.send(&get("/"), &pushed("deny")).refused();
        rig.now = rig.now.plus(Duration::from_secs(1));
    }
    let refused = stopped(&mut rig);
    assert_eq!(refused.code(), "too_many_requests");
    assert_eq!(refused.header("retry-after").as_deref(), Some("598"));
}

#[test]
fn prompt_that_duo_refuses_to_send_costs_nothing() {
    for answer in [
        fail(42_901, "Too many requests", ""),
        fail(40_002, "Invalid", "device"),
        Scripted::Fails(Unanswered::NotSent),
    ] {
        let mut rig = Rig::new();
        for _ in 0..4 {
            let refused = rig.send(&get("/"), &[one_phone(), answer.clone()]).refused();
            assert_ne!(refused.code(), "pending_elsewhere", "{answer:?}");
        }
        rig.send(&get("/"), &pushed("allow")).admitted();
    }
    let skewed = || fail(40_105, "Bad request timestamp", "");
    let mut rig = Rig::new();
    for _ in 0..4 {
        let script = [one_phone(), skewed(), says(503, ""), says(503, "")];
        assert_eq!(rig.send(&get("/"), &script).refused().code(), "duo_unavailable");
    }
}

#[test]
fn prompt_that_may_have_been_sent_counts() {
    for outage in [Scripted::Fails(Unanswered::Cut), says(503, ""), says(200, "{}")] {
        let mut rig = Rig::new();
        for _ in 0..3 {
            let refused = rig.send(&get("/"), &[one_phone(), outage.clone()]).refused();
            assert_eq!(refused.code(), "duo_unavailable", "{outage:?}");
            let refused = stopped(&mut rig);
            assert_eq!(refused.code(), "pending_elsewhere", "it may be on the phone: {outage:?}");
            assert_eq!(refused.header("retry-after").as_deref(), Some("65"));
            rig.now = rig.now.plus(Duration::from_secs(65));
            assert_eq!(stopped(&mut rig).header("retry-after").as_deref(), Some("15"));
            rig.now = rig.now.plus(Duration::from_secs(15));
        }
        assert_eq!(stopped(&mut rig).code(), "too_many_requests", "{outage:?}");
    }
}

#[test]
fn corrected_date_is_no_second_push() {
    let mut rig = Rig::with(json!({"limits": {"pushes": 1}}));
    let ping = crate::rig::ok(&json!({"time": 1_800_000_600}));
    let script = [
        one_phone(),
        fail(40_105, "Bad request timestamp", ""),
        ping,
        started(),
        status("allow", "allow"),
    ];
    rig.send(&get("/"), &script).admitted();
}

#[test]
fn push_that_outlives_its_request_is_still_pending() {
    let mut rig = Rig::with(json!({"api": {"hold_timeout": "5s"}}));
    let mut script = [one_phone(), started()].into_iter();
    let waits = |_: &_| Some(script.next().unwrap_or_else(|| status("waiting", "pushed")));
    assert_eq!(rig.drive(&get("/"), waits).refused().code(), "mfa_timeout");
    let look = [one_phone(), status("waiting", "pushed")];
    let refused = rig.send(&get("/other"), &look).refused();
    assert_eq!(refused.code(), "pending_elsewhere");
    assert_eq!(refused.header("retry-after").as_deref(), Some("60"));
}

#[test]
fn junk_in_the_table_refuses_pushes_for_a_minute() {
    let mut rig = Rig::new();
    rig.send(&get("/"), &pushed("allow")).admitted();
    for bytes in rig.table.values_mut().filter(|bytes| is_of_users(bytes)) {
        bytes[0] = 0xee;
    }
    assert_eq!(stopped(&mut rig).header("retry-after").as_deref(), Some("60"));
    rig.now = rig.now.plus(Duration::from_secs(60));
    let outcome: Outcome = rig.send(&get("/"), &pushed("allow"));
    outcome.admitted();
}

#[test]
fn users_beyond_number_share_a_table_of_one_size() {
    let mut rig = Rig::new();
    for number in 0..3_000 {
        let mut script = pushed("deny").into_iter();
        rig.drive(&get("/").of(&format!("user{number}")), |_| script.next()).refused();
    }
    assert!(rig.table.len() <= 4_096);
    assert!(rig.table.values().all(|bytes| is_of_users(bytes)));
}

/// Tries a wrong passcode in a browser that has only these cookies.
#[track_caller]
fn guessed(rig: &mut Rig, browser: &Browser) -> Response {
    let guess = browser.posts("/.duo-mfa/auth?factor=passcode").with("x-duo-mfa-passcode", "0");
    let is_preauth = |call: &SignedCall| call.endpoint.name() == "preauth";
    let answer = |call: &SignedCall| {
        if is_preauth(call) { their_phone(call) } else { status("deny", "deny") }
    };
    rig.drive(&guess, |call| Some(answer(call))).answered()
}

fn passcodes_tried(rig: &Rig) -> usize {
    rig.called().iter().filter(|name| **name == "auth").count()
}

#[test]
fn sign_in_that_is_sent_again_has_no_more_tries() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    let first = guessed(&mut rig, &alice);
    assert_eq!(first.code(), "passcode_incorrect");
    alice.keep(&first);
    for _ in 0..4 {
        assert_eq!(guessed(&mut rig, &alice).code(), "passcode_incorrect");
    }
    for browser in [&alice, &Browser::of("alice")] {
        let stopped = guessed(&mut rig, browser);
        assert_eq!((stopped.code().as_str(), stopped.0.status), ("too_many_requests", 429));
        assert_eq!(stopped.header("retry-after").as_deref(), Some("301"));
    }
    let up_front = get("/").with("x-duo-mfa-passcode", "0");
    assert_eq!(rig.send(&up_front, &[one_phone()]).refused().0.status, 429);
    assert_eq!(passcodes_tried(&rig), 5);
    assert_eq!(guessed(&mut rig, &Browser::of("bob")).code(), "passcode_incorrect");

    rig.now = rig.now.plus(Duration::from_secs(301));
    assert_eq!(guessed(&mut rig, &alice).code(), "passcode_incorrect");
}

#[test]
fn as_many_passcodes_may_be_wrong_as_configured() {
    for tries in [1, 2, 9] {
        let mut rig = Rig::with(json!({"limits": {"passcode_tries": tries}}));
        let mut alice = Browser::of("alice");
        for _ in 0..tries {
            let refused = guessed(&mut rig, &alice);
            assert_eq!(refused.code(), "passcode_incorrect");
            alice.keep(&refused);
        }
        let calls = rig.calls.len();
        let stopped = rig.send(
            &alice.posts("/.duo-mfa/auth?factor=passcode").with("x-duo-mfa-passcode", "0"),
            &[],
        );
        assert_eq!(stopped.answered().code(), "too_many_requests", "its own count is up");
        assert_eq!(guessed(&mut rig, &Browser::of("alice")).code(), "too_many_requests");
        assert_eq!(rig.called()[calls..], ["preauth"]);
        assert_eq!(passcodes_tried(&rig), tries);
    }
}

#[test]
fn right_passcode_forgets_the_wrong_ones() {
    let mut rig = Rig::new();
    let alice = Browser::of("alice");
    let code = || get("/").with("x-duo-mfa-passcode", "123456");
    for _ in 0..3 {
        for _ in 0..4 {
            assert_eq!(guessed(&mut rig, &alice).code(), "passcode_incorrect");
        }
        let forward = rig.send(&code(), &[one_phone(), status("allow", "allow")]).admitted();
        assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("passcode"));
    }
}

#[test]
fn passcode_that_duo_did_not_look_at_is_no_try() {
    let mut rig = Rig::new();
    let code = get("/").with("x-duo-mfa-passcode", "123456");
    for _ in 0..10 {
        let script = [one_phone(), Scripted::Fails(Unanswered::NotSent)];
        assert_eq!(rig.send(&code, &script).refused().code(), "duo_unavailable");
        let script = [one_phone(), fail(40_103, "Invalid signature", "")];
        assert_eq!(rig.send(&code, &script).refused().code(), "duo_misconfigured");
    }
    for _ in 0..5 {
        let script = [one_phone(), Scripted::Fails(Unanswered::Cut)];
        assert_eq!(rig.send(&code, &script).refused().code(), "duo_unavailable");
    }
    assert_eq!(rig.send(&code, &[one_phone()]).refused().code(), "too_many_requests");
}

#[test]
fn pushes_and_passcodes_are_counted_apart() {
    let mut rig = Rig::new();
    for _ in 0..5 {
        assert_eq!(guessed(&mut rig, &Browser::of("alice")).code(), "passcode_incorrect");
    }
    rig.send(&get("/"), &pushed("deny")).refused();
    assert_eq!(stopped(&mut rig).code(), "too_many_requests");
    let code = get("/").of("bob").with("x-duo-mfa-passcode", "123456");
    let denied = [phone_of("bob"), started(), status("deny", "deny")];
    rig.send(&get("/").of("bob"), &denied).refused();
    rig.send(&code, &[phone_of("bob"), allows()]).admitted();
}
