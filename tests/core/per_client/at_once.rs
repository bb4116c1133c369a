//! A program that sends many requests at once. The later ones wait for what the first one obtains.

use super::{ELSEWHERE, HERE, NEXT_DOOR, is_asked, passes, rig, rule, ruled, wait};
use crate::browser::Browser;
use crate::rig::{
    Outcome, Progress, Request, Rig, Scripted, allows, get, ok, phone_of, preauth, started, status,
};
use duo_mfa::clock::UnixTime;
use duo_mfa::gate::limit::Permit;
use duo_mfa::gate::{AwaitingPermit, By, Crowded, Flow, Unanswered};
use serde_json::json;
use std::time::Duration;

/// A request that waits for another one's push.
type Pause = (UnixTime, Box<Permit>, Box<AwaitingPermit>);

/// Sends the first request of a run, up to its first call to Duo.
fn asking(rig: &mut Rig, request: &Request) -> Box<Flow> {
    rig.pauses = true;
    let Progress::Waits(_, flow) = rig.start(request) else { panic!("no preauth") };
    flow
}

/// Asserts that each of these, and a new request, asks Duo without waiting for another.
#[track_caller]
fn ask_at_once(rig: &mut Rig, waiting: Vec<Pause>) {
    let mut all: Vec<_> = waiting.into_iter().map(|pause| on(rig, pause)).collect();
    all.push(rig.start(&get("/api/2")));
    for progress in all {
        let Progress::Waits(call, _) = progress else { panic!("no call") };
        assert_eq!(call.endpoint.name(), "preauth");
    }
}

/// Sends the first request of a run, up to its push.
fn ringing(rig: &mut Rig, request: &Request) -> Box<Flow> {
    let flow = asking(rig, request);
    let Progress::Waits(_, flow) = rig.resume(*flow, &phone_of("alice")) else { panic!("no auth") };
    let Progress::Waits(_, flow) = rig.resume(*flow, &started()) else { panic!("no status") };
    flow
}

#[track_caller]
fn paused(progress: Progress) -> Pause {
    match progress {
        Progress::Pauses(due, permit, then) => (due, permit, then),
        Progress::Done(outcome) => panic!("decided: {outcome:?}"),
        Progress::Waits(call, _) => panic!("a call: {call:?}"),
    }
}

fn on(rig: &mut Rig, (due, permit, then): Pause) -> Progress {
    rig.go_on(due, *permit, then)
}

#[track_caller]
fn done(progress: Progress) -> Outcome {
    match progress {
        Progress::Done(outcome) => outcome,
        Progress::Pauses(..) => panic!("it waits"),
        Progress::Waits(call, _) => panic!("a call: {call:?}"),
    }
}

/// Asserts that the request calls preauth and is then refused without another push. Returns the code.
#[track_caller]
fn stopped(rig: &mut Rig, progress: Progress) -> String {
    let Progress::Waits(call, flow) = progress else { panic!("no preauth") };
    assert_eq!(call.endpoint.name(), "preauth");
    match rig.resume(*flow, &phone_of("alice")) {
        // The last push is polled once.
        Progress::Waits(look, flow) if look.endpoint.name() == "auth_status" => {
            done(rig.resume(*flow, &status("waiting", "pushed"))).refused().code()
        }
        other @ (Progress::Done(_) | Progress::Waits(..) | Progress::Pauses(..)) => {
            done(other).refused().code()
        }
    }
}

fn calls(rig: &Rig, endpoint: &str) -> usize {
    rig.called().into_iter().filter(|name| *name == endpoint).count()
}

#[test]
fn fifty_requests_at_once_are_one_push() {
    let mut rig = rig();
    let first = ringing(&mut rig, &get("/api/0"));
    let mut waiting: Vec<_> =
        (1..50).map(|number| paused(rig.start(&get(&format!("/api/{number}"))))).collect();
    for _ in 0..30 {
        waiting = waiting.into_iter().map(|pause| paused(on(&mut rig, pause))).collect();
    }
    done(rig.resume(*first, &allows())).admitted();
    for pause in waiting {
        assert_eq!(done(on(&mut rig, pause)).admitted().cookie, None);
    }
    assert_eq!([calls(&rig, "preauth"), calls(&rig, "auth")], [1, 1]);
}

/// They wait from the moment on at which the first one is about to ask Duo.
#[test]
fn requests_of_one_moment_are_one_push() {
    let mut rig = rig();
    let mut first = asking(&mut rig, &get("/api/0"));
    let mut waiting = Vec::new();
    for response in [phone_of("alice"), started(), allows()] {
        waiting.extend((0..16).map(|_| paused(rig.start(&get("/api/1")))));
        match rig.resume(*first, &response) {
            Progress::Waits(_, flow) => first = flow,
            end @ (Progress::Done(_) | Progress::Pauses(..)) => {
                done(end).admitted();
                break;
            }
        }
    }
    assert_eq!(waiting.len(), 48);
    for pause in waiting {
        assert_eq!(done(on(&mut rig, pause)).admitted().cookie, None);
    }
    assert_eq!([calls(&rig, "preauth"), calls(&rig, "auth")], [1, 1]);
}

/// However the first request ends without an approval, the others ask Duo themselves, all at once.
#[test]
fn nobody_waits_for_a_request_that_has_ended() {
    let gone = || Scripted::Fails(Unanswered::Cut);
    let scripts = [
        vec![preauth("deny")],
        vec![preauth("enroll")],
        vec![preauth("allow")],
        vec![ok(&json!({"result": "auth", "devices": []}))],
        vec![gone(), gone()],
        vec![phone_of("alice"), gone()],
        vec![phone_of("alice"), started(), status("deny", "error")],
        vec![phone_of("alice"), started(), gone(), status("deny", "error")],
    ];
    for (number, script) in scripts.iter().enumerate() {
        let mut rig = rig();
        rig.pauses = true;
        let mut progress = rig.start(&get("/api/0"));
        let waiting: Vec<_> = (0..3).map(|_| paused(rig.start(&get("/api/1")))).collect();
        for response in script {
            let Progress::Waits(_, flow) = progress else { panic!("{number}: {script:?}") };
            progress = rig.resume(*flow, response);
        }
        done(progress);
        ask_at_once(&mut rig, waiting);
    }
}

#[test]
fn nobody_waits_for_a_client_that_has_left() {
    for answered in 0..3 {
        let mut rig = rig();
        let mut first = asking(&mut rig, &get("/api/0"));
        for response in [phone_of("alice"), started()].iter().take(answered) {
            let Progress::Waits(_, flow) = rig.resume(*first, response) else { panic!("no call") };
            first = flow;
        }
        let waiting: Vec<_> = (0..3).map(|_| paused(rig.start(&get("/api/1")))).collect();
        rig.leave(&first);
        ask_at_once(&mut rig, waiting);
    }
}

/// A request without room for its call, or without a permit to ring the phone.
#[test]
fn nobody_waits_for_a_request_that_is_refused() {
    let mut rig = rig();
    rig.crowded = Some(Crowded { by: By::Held, wait: Duration::from_secs(2) });
    done(rig.start(&get("/api/0"))).refused();
    rig.crowded = None;
    ask_at_once(&mut rig, Vec::new());

    let mut rig = ruled(&json!([rule(&json!({})), rule(&json!({"paths": ["/b/*"]}))]));
    ringing(&mut rig, &get("/b/0"));
    let progress = rig.start(&get("/api/0"));
    let waiting: Vec<_> = (0..3).map(|_| paused(rig.start(&get("/api/1")))).collect();
    assert_eq!(stopped(&mut rig, progress), "pending_elsewhere");
    ask_at_once(&mut rig, waiting);
}

/// The worker of the first request ends, and no request says so.
#[test]
fn a_request_that_vanishes_delays_the_others_by_four_calls() {
    let mut rig = rig();
    asking(&mut rig, &get("/api/0"));
    let since = rig.now;
    let mut pause = paused(rig.start(&get("/api/1")));
    loop {
        match on(&mut rig, pause) {
            Progress::Pauses(due, permit, then) => pause = (due, permit, then),
            Progress::Waits(call, _) => break assert_eq!(call.endpoint.name(), "preauth"),
            Progress::Done(outcome) => panic!("{outcome:?}"),
        }
    }
    assert_eq!(rig.now.since(since).as_secs(), 40);
}

/// The first call takes its whole time and is made again, and the others take nearly theirs.
#[test]
fn a_slow_duo_ends_nobodys_wait() {
    let mut rig = rig();
    let mut first = asking(&mut rig, &get("/api/0"));
    let mut pause = paused(rig.start(&get("/api/1")));
    let script: [(u64, Scripted); 3] =
        [(10, Scripted::Fails(Unanswered::Cut)), (9, phone_of("alice")), (9, started())];
    for (seconds, response) in script {
        wait(&mut rig, seconds);
        pause = paused(on(&mut rig, pause));
        let Progress::Waits(_, flow) = rig.resume(*first, &response) else { panic!("no call") };
        first = flow;
    }
    done(rig.resume(*first, &allows())).admitted();
    assert_eq!(done(on(&mut rig, pause)).admitted().cookie, None);
}

#[test]
fn a_denial_refuses_all_of_them_without_another_push() {
    for (word, code) in [("deny", "mfa_denied"), ("fraud", "mfa_fraud"), ("timeout", "mfa_timeout")]
    {
        let mut rig = rig();
        let first = ringing(&mut rig, &get("/api/0"));
        let waiting: Vec<_> = (1..5).map(|_| paused(rig.start(&get("/api/1")))).collect();
        assert_eq!(done(rig.resume(*first, &status("deny", word))).refused().code(), code);
        for pause in waiting {
            let progress = on(&mut rig, pause);
            assert_eq!(stopped(&mut rig, progress), "too_many_requests", "{word}");
        }
        assert_eq!(calls(&rig, "auth"), 1);
    }
}

/// The first client leaves, or its request ends before the user answers.
#[test]
fn nobody_waits_for_a_push_that_nobody_hears() {
    let mut rig = rig();
    let first = ringing(&mut rig, &get("/api/0"));
    let pause = paused(rig.start(&get("/api/1")));
    let pause = paused(on(&mut rig, pause));
    rig.leave(&first);
    let progress = on(&mut rig, pause);
    let Progress::Waits(_, flow) = progress else { panic!("no preauth") };
    let Progress::Waits(look, flow) = rig.resume(*flow, &phone_of("alice")) else {
        panic!("no look")
    };
    assert_eq!(look.endpoint.name(), "auth_status");
    let refused = done(rig.resume(*flow, &status("waiting", "pushed"))).refused();
    assert_eq!(refused.code(), "pending_elsewhere");

    let mut rig = self::rig();
    let first = ringing(&mut rig, &get("/api/0"));
    wait(&mut rig, 61);
    let over = done(rig.resume(*first, &status("waiting", "pushed"))).refused();
    assert_eq!(over.code(), "mfa_timeout");
    assert!(matches!(rig.start(&get("/api/1")), Progress::Waits(..)));
}

#[test]
fn a_request_waits_no_longer_than_it_may_be_held() {
    let mut config = super::config(&json!([rule(&json!({}))]));
    config["api"] = json!({"hold_timeout": "20s"});
    config["duo"] = json!({"push_timeout": "2m"});
    let mut long = config.clone();
    long["api"]["hold_timeout"] = json!("2m");
    let mut first = Rig::with(long);
    ringing(&mut first, &get("/api/0"));
    let mut rig = first.beside(config);
    rig.pauses = true;
    let since = rig.now;
    let mut pause = paused(rig.start(&get("/api/1")));
    let outcome = loop {
        match on(&mut rig, pause) {
            Progress::Pauses(due, permit, then) => pause = (due, permit, then),
            other @ (Progress::Done(_) | Progress::Waits(..)) => break done(other),
        }
    };
    assert_eq!(outcome.refused().code(), "pending_elsewhere");
    assert_eq!(rig.now.since(since).as_secs(), 20);
    assert_eq!(rig.calls.len(), 0);
}

/// Other requests are refused at once, as without such a rule.
#[test]
fn only_what_the_approval_would_open_waits() {
    let rules = json!([rule(&json!({})), rule(&json!({"paths": ["/b/*"]})), {
        "paths": ["/plain/*"], "policy": "two_factor"}]);
    let mut rig = ruled(&rules);
    let first = ringing(&mut rig, &get("/api/0"));
    for (peer, path) in [(ELSEWHERE, "/api/1"), (HERE, "/b/1"), (HERE, "/plain/1")] {
        rig.peer = Some(peer);
        let progress = rig.start(&get(path));
        assert_eq!(stopped(&mut rig, progress), "pending_elsewhere", "{path}");
    }
    rig.peer = Some(HERE);
    is_asked(&mut rig, &get("/api/1").of("bob"));
    let code = get("/api/1").with("x-duo-mfa-passcode", "123456");
    assert!(matches!(rig.start(&code), Progress::Waits(..)), "a passcode is tried");
    let alice = Browser::of("alice");
    assert_eq!(rig.send(&alice.fetches("/api/1"), &[]).refused().code(), "mfa_required");
    let grpc = get("/api/1").with("content-type", "application/grpc");
    assert_eq!(rig.send(&grpc, &[]).refused().0.details, "duo_mfa_mfa_required");
    rig.peer = Some(NEXT_DOOR);
    let pause = paused(rig.start(&get("/api/1")));
    rig.peer = Some(HERE);
    done(rig.resume(*first, &allows())).admitted();
    done(on(&mut rig, pause)).admitted();
    passes(&mut rig, &get("/api/2"));
}

/// A waiting request is not approved, however its wait ends.
#[test]
fn a_push_that_waits_opens_nothing() {
    let mut rig = rig();
    ringing(&mut rig, &get("/api/0"));
    let mut pause = paused(rig.start(&get("/api/1")));
    for _ in 0..58 {
        pause = paused(on(&mut rig, pause));
    }
    // The push has timed out, and no request has read its result.
    rig.now = rig.now.plus(Duration::from_secs(10));
    assert!(matches!(on(&mut rig, pause), Progress::Waits(..)));
}

#[test]
fn a_request_without_room_to_wait_is_refused() {
    for (by, status, code) in
        [(By::UserCalls, 429, "too_many_requests"), (By::Held, 429, "too_many_requests")]
    {
        let mut rig = rig();
        ringing(&mut rig, &get("/api/0"));
        rig.crowded = Some(Crowded { by, wait: Duration::from_secs(2) });
        let refused = done(rig.start(&get("/api/1"))).refused();
        assert_eq!((refused.0.status, refused.code().as_str()), (status, code));
    }
}
