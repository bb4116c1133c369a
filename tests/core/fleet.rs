//! The limit that several Envoys share: a rate limit service is asked before each prompt.

use crate::browser::Browser;
use crate::rate_limit::{Descriptor, Entry, RateLimitRequest};
use crate::rig::{
    FleetSays, Outcome, Rig, allows, framed, get, one_phone, overlay, phone_of, started, status,
};
use duo_mfa::gate::{FleetQuestion, Unanswered};
use duo_mfa::signal::{Code, Counter, Level, Signal};
use prost::Message;
use serde_json::{Value, json};
use std::time::Duration;

fn rig_with(service: Value) -> Rig {
    let mut members = json!({"cluster": "rate_limit", "domain": "duo"});
    overlay(&mut members, service);
    Rig::with(json!({"limits": {"rate_limit_service": members}}))
}

fn rig() -> Rig {
    rig_with(json!({}))
}

fn denying() -> Rig {
    rig_with(json!({"on_error": "deny"}))
}

/// The only entry of a question.
fn entry(question: &FleetQuestion) -> (String, String) {
    let (head, message) = question.body.split_at(5);
    assert_eq!(head[0], 0, "not compressed");
    let length = u32::from_be_bytes(head[1..].try_into().unwrap());
    assert_eq!(usize::try_from(length), Ok(message.len()));
    let request = RateLimitRequest::decode(message).unwrap();
    assert_eq!((request.domain.as_str(), request.hits_addend), ("duo", 0));
    let [Descriptor { entries }] = request.descriptors.as_slice() else { panic!("{request:?}") };
    let [Entry { key, value }] = entries.as_slice() else { panic!("{request:?}") };
    (key.clone(), value.clone())
}

/// The answers that were counted.
fn counted(rig: &Rig) -> Vec<&'static str> {
    let answer = |signal: &Signal| match signal {
        Signal::Count(Counter::RateLimitService(answer)) => Some(*answer),
        Signal::Count(_) | Signal::Log(..) => None,
    };
    rig.signals.iter().filter_map(answer).collect()
}

fn is_logged(rig: &Rig, level: Level, text: &str) -> bool {
    let is_it =
        |it: &Signal| matches!(it, Signal::Log(at, line) if *at == level && line.contains(text));
    rig.signals.iter().any(is_it)
}

const POST: &str = "/.duo-mfa/auth?factor=push&return_to=%2Freports";

#[test]
fn each_prompt_is_one_question_after_the_local_limit_and_before_duo() {
    let mut rig = rig();
    rig.fleet_says([FleetSays::ok(), FleetSays::ok()]);
    rig.send(&get("/"), &[one_phone(), started(), allows()]).admitted();
    rig.send(&Browser::of("alice").posts(POST), &[one_phone(), started()]).answered();
    assert_eq!(rig.called(), ["preauth", "auth", "auth_status", "preauth", "auth"]);
    assert_eq!(counted(&rig), ["ok", "ok"]);
    let asked: Vec<_> = rig.fleet.questions.iter().map(entry).collect();
    assert_eq!(asked[0], asked[1], "the page and the held request are of one user");
    assert_eq!(asked[0].0, "duo_mfa_prompt");
    assert!(asked[0].1.len() == 32 && asked[0].1.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(rig.fleet.questions[0].timeout.as_millis(), 250);

    // The phone may still ring, so the table of this Envoy refuses, and no question is asked.
    rig.send(&get("/"), &[one_phone(), status("waiting", "pushed")]).refused();
    assert_eq!(rig.fleet.questions.len(), 2);
}

#[test]
fn tag_is_the_users_over_all_spellings_and_says_no_name() {
    let mut rig = rig();
    let users = ["alice", "ALICE", "bob"];
    rig.fleet_says(users.map(|_| FleetSays::over_limit()));
    for user in users {
        rig.send(&get("/").of(user), &[phone_of(&user.to_lowercase())]).refused();
    }
    let tags: Vec<_> = rig.fleet.questions.iter().map(|question| entry(question).1).collect();
    assert_eq!(tags[0], tags[1]);
    assert_ne!(tags[0], tags[2]);
    let mut other = rig_with(json!({}));
    other.fleet_says([FleetSays::over_limit()]);
    other.send(&get("/"), &[one_phone()]).refused();
    assert_eq!(entry(&other.fleet.questions[0]).1, tags[0], "Envoys of one application agree");
    let mut keyed = Rig::with(json!({"limits": {
        "key": {"env": "DUO_MFA_LIMITS_KEY"},
        "rate_limit_service": {"cluster": "rate_limit", "domain": "duo"},
    }}));
    keyed.fleet_says([FleetSays::over_limit()]);
    keyed.send(&get("/"), &[one_phone()]).refused();
    assert_ne!(entry(&keyed.fleet.questions[0]).1, tags[0], "the tag needs the key");
}

#[test]
fn over_limit_is_refused_like_the_local_limit_and_costs_nothing_here() {
    for (message, wait) in [
        (&[8, 2][..], "60"),
        // A status with code 2 and 90 seconds until the reset.
        (&[8, 2, 18, 6, 8, 2, 34, 2, 8, 90][..], "90"),
    ] {
        let mut rig = rig();
        // More often than the budget of this Envoy.
        for _ in 0..5 {
            rig.fleet_says([FleetSays::Responds(200, framed(message))]);
            let refused = rig.send(&get("/"), &[one_phone()]).refused();
            assert_eq!((refused.code().as_str(), refused.0.status), ("too_many_requests", 429));
            assert_eq!(refused.header("retry-after").as_deref(), Some(wait));
            assert_eq!(refused.json()["passcode_accepted"], true);
        }
        assert_eq!(counted(&rig), ["over_limit"; 5]);
        assert!(
            is_logged(&rig, Level::Info, r#""reason":"rate limit service""#),
            "{:?}",
            rig.signals
        );
        assert!(rig.signals.contains(&Signal::Count(Counter::Refused(Code::TooManyRequests))));
        rig.fleet_says([FleetSays::ok()]);
        rig.send(&get("/"), &[one_phone(), started(), allows()]).admitted();
    }
}

#[test]
fn over_limit_stops_the_push_of_a_page() {
    let mut rig = rig();
    rig.fleet_says([FleetSays::over_limit()]);
    let refused = rig.send(&Browser::of("alice").posts(POST), &[one_phone()]).answered();
    assert_eq!((refused.code().as_str(), refused.0.status), ("too_many_requests", 429));
    assert_eq!(rig.called(), ["preauth"]);
}

/// Everything that is no answer.
fn faults() -> Vec<FleetSays> {
    let says = FleetSays::Responds;
    vec![
        FleetSays::Fails(Unanswered::NotSent),
        FleetSays::Fails(Unanswered::Overflow),
        FleetSays::Fails(Unanswered::Cut),
        says(504, Vec::new()),
        says(503, b"upstream connect error".to_vec()),
        says(200, Vec::new()),
        says(200, b"garbled".to_vec()),
        says(200, framed(&[])),
        says(200, framed(&[8, 0])),
        says(200, framed(&[8, 3])),
        says(404, framed(&[8, 1])),
    ]
}

#[test]
fn without_an_answer_this_envoy_decides() {
    for fault in faults() {
        let mut rig = rig_with(json!({"on_error": "allow"}));
        rig.breaks = true;
        for _ in 0..6 {
            rig.fleet_says([fault.clone()]);
            rig.send(&get("/"), &[one_phone(), started(), allows()]).admitted();
        }
        assert_eq!(counted(&rig), ["error"; 6]);
        assert!(is_logged(&rig, Level::Warn, "the limits of this Envoy decide"), "{fault:?}");
        assert_eq!(rig.breaker_lines(), [""; 0], "Duo has answered each time");
        // Three that nobody answers are the budget of this Envoy.
        for _ in 0..3 {
            rig.fleet_says([fault.clone()]);
            rig.send(&get("/"), &[one_phone(), started(), status("deny", "timeout")]).refused();
            rig.now = rig.now.plus(Duration::from_secs(15));
        }
        let refused = rig.send(&get("/"), &[one_phone()]).refused();
        assert_eq!(refused.code(), "too_many_requests");
    }
}

#[test]
fn without_an_answer_the_prompt_is_refused_if_configured() {
    for fault in faults() {
        let mut rig = denying();
        rig.breaks = true;
        for _ in 0..6 {
            rig.fleet_says([fault.clone()]);
            let refused = rig.send(&get("/"), &[one_phone()]).refused();
            assert_eq!((refused.code().as_str(), refused.0.status), ("duo_unavailable", 503));
            assert_eq!(refused.header("retry-after").as_deref(), Some("5"));
        }
        assert_eq!(counted(&rig), ["error"; 6]);
        assert!(is_logged(&rig, Level::Warn, "the prompt is refused"), "{fault:?}");
        assert_eq!(rig.breaker_lines(), [""; 0]);
        rig.fleet_says([FleetSays::ok()]);
        rig.send(&get("/"), &[one_phone(), started(), allows()]).admitted();
    }
}

#[test]
fn passcode_is_no_prompt() {
    let mut rig = denying();
    let with_code = get("/").with("x-duo-mfa-passcode", "123456");
    rig.send(&with_code, &[one_phone(), allows()]).admitted();
    assert_eq!(rig.fleet.questions.len(), 0);
}

#[test]
fn prompt_of_a_client_that_leaves_meanwhile_costs_nothing_here() {
    for request in [get("/"), Browser::of("alice").posts(POST)] {
        let mut rig = rig();
        for _ in 0..4 {
            rig.fleet_says([FleetSays::ClientLeaves]);
            let Outcome::Replied(reply) = rig.send(&request, &[one_phone()]) else {
                panic!("wrongly admitted")
            };
            assert_eq!(reply.status, 499);
        }
        assert_eq!(rig.called(), ["preauth"; 4]);
        rig.fleet_says([FleetSays::ok()]);
        rig.send(&get("/"), &[one_phone(), started(), allows()]).admitted();
    }
}

#[test]
fn start_at_duos_page_is_counted_by_another_name() {
    let mut rig = crate::universal_flow::rig_with(json!({"limits": {
        "starts": 1, "rate_limit_service": {"cluster": "rate_limit", "domain": "duo"},
    }}));
    let start = || Browser::of("alice").posts("/.duo-mfa/start?return_to=%2F");
    rig.fleet_says([FleetSays::over_limit(), FleetSays::ok()]);
    let refused = rig.send(&start(), &[]).answered();
    assert_eq!((refused.code().as_str(), refused.0.status), ("too_many_requests", 429));
    let sent = rig.send(&start(), &[crate::universal_flow::duo::healthy()]).refused();
    assert_eq!(sent.0.status, 200, "the first one has not used up the only start");
    assert_eq!(entry(&rig.fleet.questions[0]).0, "duo_mfa_start");
}

#[test]
fn without_the_service_nothing_is_asked() {
    let mut rig = Rig::new();
    rig.send(&get("/"), &[one_phone(), started(), allows()]).admitted();
    assert_eq!((rig.fleet.questions.len(), counted(&rig).len()), (0, 0));
}
