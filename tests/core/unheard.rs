//! Prompts whose result no client waited for. The filter polls the result before the phone rings again.

use crate::browser::Browser;
use crate::rig::status;
use crate::rig::{Progress, Response, Rig, Scripted, allows, fail, get, one_phone, says, started};
use duo_mfa::gate::Unanswered;
use duo_mfa::signal::{Counter, Level, Signal};
use serde_json::json;
use std::time::Duration;

const PUSH: &str = "/.duo-mfa/auth?factor=push&return_to=%2Freports";

/// Alice's browser has started a push and never polls for its state.
fn rung() -> Rig {
    let mut rig = Rig::new();
    Browser::pushed(&mut rig);
    rig
}

/// Requests another push. `last` is Duo's response to the poll of the last one.
#[track_caller]
fn wanted(rig: &mut Rig, last: Scripted) -> Response {
    let alice = Browser::of("alice");
    rig.send(&alice.posts(PUSH), &[one_phone(), last]).answered()
}

fn rings(rig: &Rig) -> usize {
    rig.called().iter().filter(|name| **name == "auth").count()
}

fn wait(rig: &mut Rig, seconds: u64) {
    rig.now = rig.now.plus(Duration::from_secs(seconds));
}

#[test]
fn denial_that_nobody_waited_for_stops_the_next_push() {
    for (word, code, seconds) in [
        ("deny", "mfa_denied", 60),
        ("locked_out", "mfa_locked_out", 60),
        ("timeout", "mfa_timeout", 15),
        ("fraud", "mfa_fraud", 1_800),
    ] {
        let mut rig = rung();
        wait(&mut rig, 5);
        let refused = wanted(&mut rig, status("deny", word));
        assert_eq!((refused.code().as_str(), refused.0.status), ("too_many_requests", 429));
        assert_eq!(refused.header("retry-after"), Some(seconds.to_string()), "{word}");
        assert_eq!(rings(&rig), 1);
        let counted = |code: &str| {
            let is_it = |signal: &&Signal| matches!(signal, Signal::Count(Counter::Refused(it)) if it.name() == code);
            rig.signals.iter().filter(is_it).count()
        };
        assert_eq!(counted(code), 1, "{word}");
        let level = if word == "fraud" { Level::Error } else { Level::Info };
        let says = format!(r#""code":"{code}","user":"alice","factor":"push","txid":""#);
        let is_line = |signal: &&Signal| matches!(signal, Signal::Log(at, line) if *at == level && line.contains(&says));
        assert_eq!(rig.signals.iter().filter(is_line).count(), 1, "{word}: {:?}", rig.signals);
    }
}

#[test]
fn four_denials_that_nobody_waited_for_ring_once_a_cool_down() {
    let mut rig = rung();
    for (rung, seconds) in [60, 300, 1_800].into_iter().enumerate() {
        assert_eq!(rings(&rig), rung + 1);
        let refused = wanted(&mut rig, status("deny", "deny"));
        assert_eq!(refused.header("retry-after"), Some(seconds.to_string()));
        wait(&mut rig, seconds);
        Browser::pushed(&mut rig);
    }
    assert_eq!(rings(&rig), 4);
}

#[test]
fn denial_is_found_out_however_late_the_next_push_is_wanted() {
    for seconds in [64, 65, 79, 80, 400, 900] {
        let mut rig = rung();
        wait(&mut rig, seconds);
        let refused = wanted(&mut rig, status("deny", "fraud"));
        assert_eq!(refused.header("retry-after").as_deref(), Some("1800"), "{seconds}");
        assert_eq!(rings(&rig), 1);
    }
}

#[test]
fn answer_that_nobody_waited_for_frees_the_user() {
    for word in ["allow", "bypass"] {
        let mut rig = rung();
        wait(&mut rig, 5);
        let look = [one_phone(), status("allow", word), started(), allows()];
        rig.send(&get("/"), &look).admitted();
        assert_eq!(rings(&rig), 2);
    }
}

#[test]
fn push_that_still_waits_is_the_only_one() {
    let mut rig = rung();
    for at in [0, 30, 30] {
        wait(&mut rig, at);
        assert_eq!(wanted(&mut rig, status("waiting", "pushed")).code(), "pending_elsewhere");
    }
    // Duo says that the push waits although it has timed out. The filter believes that for five more minutes.
    for at in [5, 296] {
        wait(&mut rig, at);
        let refused = wanted(&mut rig, status("waiting", "pushed"));
        assert_eq!(refused.header("retry-after").as_deref(), Some("5"), "{at}");
    }
    assert_eq!(rings(&rig), 1);
    wait(&mut rig, 4);
    let look = [one_phone(), status("waiting", "pushed"), started(), allows()];
    rig.send(&get("/"), &look).admitted();
}

#[test]
fn waiting_that_is_called_a_timeout_is_one() {
    let mut rig = rung();
    let refused = wanted(&mut rig, status("waiting", "timeout"));
    assert_eq!(refused.header("retry-after").as_deref(), Some("15"));
}

#[test]
fn failed_look_rings_no_phone_while_the_last_push_may_be_there() {
    for outage in [
        Scripted::Fails(Unanswered::Cut),
        Scripted::Fails(Unanswered::NotSent),
        says(503, ""),
        says(504, ""),
        says(200, "{}"),
        says(200, "junk"),
        fail(40_002, "Invalid request parameters", "txid"),
        fail(40_103, "Invalid signature", ""),
        fail(42_901, "Too many requests", ""),
    ] {
        let mut rig = rung();
        let refused = wanted(&mut rig, outage.clone());
        assert_eq!((refused.code().as_str(), refused.0.status), ("pending_elsewhere", 429));
        wait(&mut rig, 65);
        let refused = wanted(&mut rig, outage.clone());
        assert_eq!(refused.0.status, 429, "{outage:?}");
        wait(&mut rig, 15);
        if matches!(outage, Scripted::Says { status: 504, .. }) {
            assert_eq!(wanted(&mut rig, outage).code(), "pending_elsewhere", "it waits");
            assert_eq!(rings(&rig), 1);
            continue;
        }
        assert_eq!(rings(&rig), 1);
        rig.send(&get("/"), &[one_phone(), outage, started(), allows()]).admitted();
    }
}

#[test]
fn date_that_duo_refuses_is_put_right_for_the_look_too() {
    let mut rig = rung();
    let alice = Browser::of("alice");
    let ping = crate::rig::ok(&json!({"time": 1_800_000_600}));
    let look =
        [one_phone(), fail(40_105, "Bad request timestamp", ""), ping, status("deny", "deny")];
    let refused = rig.send(&alice.posts(PUSH), &look).answered();
    assert_eq!(refused.header("retry-after").as_deref(), Some("60"));
}

#[test]
fn crowd_looks_once() {
    let mut rig = rung();
    let mut looks = 0;
    for _ in 0..50 {
        let answer = |call: &duo_mfa::duo::SignedCall| match call.endpoint.name() {
            "preauth" => Some(one_phone()),
            "auth_status" => {
                looks += 1;
                Some(status("waiting", "pushed"))
            }
            _ => None,
        };
        assert_eq!(rig.drive(&get("/"), answer).refused().code(), "pending_elsewhere");
    }
    assert_eq!(looks, 1);
}

#[test]
fn look_is_made_for_the_application_that_sent_the_push() {
    let mut rig = Rig::with(crate::applications::two_more());
    let mut alice = Browser::of("alice");
    let push = alice.posts("/.duo-mfa/auth?factor=push&return_to=%2Fpayments%2Fx");
    alice.asks(&mut rig, &push, &[one_phone(), started()]);
    let sent = rig.calls.last().unwrap().1.application;
    assert_ne!(sent, 0);
    let refused = wanted(&mut rig, status("deny", "deny"));
    assert_eq!(refused.header("retry-after").as_deref(), Some("60"));
    assert_eq!(rig.calls.last().unwrap().1.application, sent);
}

#[test]
fn passcode_is_no_word_on_the_push_that_waits() {
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    let typed = alice.posts("/.duo-mfa/auth?factor=passcode&return_to=%2Freports");
    let typed = typed.with("x-duo-mfa-passcode", "123456");
    alice.is_approved(&mut rig, &typed, &[one_phone(), allows()]);
    assert_eq!(wanted(&mut rig, status("waiting", "pushed")).code(), "pending_elsewhere");
    wait(&mut rig, 3);
    assert_eq!(wanted(&mut rig, status("deny", "deny")).code(), "too_many_requests");
}

#[test]
fn holder_is_admitted_even_if_another_learns_of_the_approval_first() {
    let mut rig = Rig::new();
    let Progress::Waits(_, flow) = rig.start(&get("/")) else { panic!("no preauth") };
    let Progress::Waits(_, flow) = rig.resume(*flow, &one_phone()) else { panic!("no auth") };
    let Progress::Waits(_, flow) = rig.resume(*flow, &started()) else { panic!("no status") };
    let look = [one_phone(), allows(), started(), status("deny", "deny")];
    rig.send(&Browser::of("alice").posts(PUSH), &look[..3]).answered();
    let Progress::Done(outcome) = rig.resume(*flow, &allows()) else { panic!("no end") };
    outcome.admitted();
}
