//! A program that gave up may send the same request again and take up its push. No other client may.

use crate::rig::{Progress, Request, Rig, allows, get, one_phone, started, status};
use duo_mfa::gate::Flow;
use serde_json::json;
use std::time::Duration;

fn login() -> Request {
    get("/v2/").with("authorization", "Basic YWxpY2U6cGFzcw==").with("user-agent", "docker/28.0.0")
}

/// Sends the request, up to its push. The `Flow` waits for Alice's answer.
fn ringing(rig: &mut Rig, request: &Request) -> Box<Flow> {
    let Progress::Waits(_, flow) = rig.start(request) else { panic!("no preauth") };
    let Progress::Waits(_, flow) = rig.resume(*flow, &one_phone()) else { panic!("no auth") };
    let Progress::Waits(_, flow) = rig.resume(*flow, &started()) else { panic!("no status") };
    flow
}

fn given_up(rig: &mut Rig) -> Box<Flow> {
    let flow = ringing(rig, &login());
    rig.leave(&flow);
    rig.now = rig.now.plus(Duration::from_secs(1));
    flow
}

fn rings(rig: &Rig) -> usize {
    rig.called().iter().filter(|name| **name == "auth").count()
}

#[test]
fn same_request_takes_up_the_push_of_a_client_that_left() {
    let mut rig = Rig::new();
    for _ in 0..2 {
        given_up(&mut rig);
        rig.send(&login(), &[one_phone(), status("waiting", "pushed"), allows()]).admitted();
    }
    assert_eq!(rings(&rig), 2);
    given_up(&mut rig);
    let again = login().with("x-request-id", "other").with("traceparent", "00-0-0-01");
    let again = again.with("x-forwarded-for", "192.0.2.7");
    let refused = rig.send(&again, &[one_phone(), status("deny", "deny")]).refused();
    assert_eq!(refused.code(), "mfa_denied");
    assert_eq!(rig.send(&login(), &[one_phone()]).refused().code(), "too_many_requests");
    assert_eq!(rings(&rig), 3);
}

#[test]
fn push_of_a_client_that_waits_is_not_taken_up() {
    let mut rig = Rig::new();
    let flow = ringing(&mut rig, &login());
    let look = [one_phone(), status("waiting", "pushed")];
    assert_eq!(rig.send(&login(), &look).refused().code(), "pending_elsewhere");
    let Progress::Done(outcome) = rig.resume(*flow, &allows()) else { panic!("no end") };
    outcome.admitted();
}

#[test]
fn push_is_taken_up_by_one_request_at_a_time() {
    let mut rig = Rig::new();
    given_up(&mut rig);
    let Progress::Waits(_, flow) = rig.start(&login()) else { panic!("no preauth") };
    let Progress::Waits(_, flow) = rig.resume(*flow, &one_phone()) else { panic!("no status") };
    let look = [one_phone(), status("waiting", "pushed")];
    assert_eq!(rig.send(&login(), &look).refused().code(), "pending_elsewhere");
    rig.leave(&flow);
    rig.send(&login(), &[one_phone(), allows()]).admitted();
}

#[test]
fn approval_lets_one_of_two_through() {
    let mut rig = Rig::new();
    // The host reports that the first client left, but it has not.
    let first = given_up(&mut rig);
    let Progress::Waits(_, second) = rig.start(&login()) else { panic!("no preauth") };
    let Progress::Waits(_, second) = rig.resume(*second, &one_phone()) else { panic!("no status") };
    let Progress::Done(outcome) = rig.resume(*second, &allows()) else { panic!("no end") };
    outcome.admitted();
    let Progress::Done(outcome) = rig.resume(*first, &allows()) else { panic!("no end") };
    assert_eq!(outcome.refused().code(), "mfa_required");
}

#[test]
fn look_that_finds_the_client_gone_takes_its_push_up() {
    let mut rig = Rig::new();
    let first = ringing(&mut rig, &login());
    let Progress::Waits(_, flow) = rig.start(&login()) else { panic!("no preauth") };
    let Progress::Waits(call, flow) = rig.resume(*flow, &one_phone()) else { panic!("no look") };
    assert_eq!(call.endpoint.name(), "auth_status");
    rig.leave(&first);
    let Progress::Waits(_, flow) = rig.resume(*flow, &status("waiting", "pushed")) else {
        panic!("not taken up")
    };
    let Progress::Done(outcome) = rig.resume(*flow, &allows()) else { panic!("no end") };
    outcome.admitted();
    assert_eq!(rings(&rig), 1);
}

#[test]
fn approval_whose_worker_has_ended_is_taken_up() {
    let mut rig = Rig::new();
    // Nothing says that it left.
    drop(ringing(&mut rig, &login()));
    let refused = rig.send(&login(), &[one_phone(), allows()]).refused();
    assert_eq!(refused.code(), "pending_elsewhere");
    assert_eq!(refused.header("retry-after").as_deref(), Some("2"));
    rig.now = rig.now.plus(Duration::from_secs(2));
    let other = login().without("user-agent").with("user-agent", "curl/8.5.0");
    assert_eq!(rig.send(&other, &[one_phone()]).refused().code(), "pending_elsewhere");
    rig.send(&login(), &[one_phone(), allows()]).admitted();
    assert_eq!(rings(&rig), 1);
}

#[test]
fn approval_of_a_client_that_waits_is_its_own() {
    let mut rig = Rig::new();
    let first = ringing(&mut rig, &login());
    let refused = rig.send(&login(), &[one_phone(), allows()]).refused();
    assert_eq!(refused.code(), "pending_elsewhere");
    let Progress::Done(outcome) = rig.resume(*first, &allows()) else { panic!("no end") };
    outcome.admitted();
    rig.send(&login(), &[one_phone(), started(), allows()]).admitted();
    assert_eq!(rings(&rig), 2);
}

/// Changes a request, or the connection that it comes by.
type Change = fn(&mut Rig) -> Request;

#[test]
fn nobody_else_takes_a_push_up() {
    let others: [(&str, Change); 11] = [
        ("address", |rig| {
            rig.peer = Some(b"192.0.2.8:51000");
            login()
        }),
        ("no address", |rig| {
            rig.peer = None;
            login()
        }),
        ("path", |_| login().without(":path").with(":path", "/v2/x")),
        ("query", |_| login().without(":path").with(":path", "/v2/?x")),
        ("method", |_| login().without(":method").with(":method", "POST")),
        ("host", |_| login().without(":authority").with(":authority", "b.example.com")),
        ("credential", |_| login().without("authorization").with("authorization", "Basic x")),
        ("cookie", |_| login().with("cookie", "session=1")),
        ("certificate", |_| login().with("x-forwarded-client-cert", "Hash=0a")),
        ("token", |_| login().with("x-forwarded-access-token", "t")),
        ("program", |_| login().without("user-agent").with("user-agent", "curl/8.5.0")),
    ];
    for (what, other) in others {
        let mut rig = Rig::new();
        given_up(&mut rig);
        let other = other(&mut rig);
        let look = [one_phone(), status("waiting", "pushed")];
        assert_eq!(rig.send(&other, &look).refused().code(), "pending_elsewhere", "{what}");
        assert_eq!(rings(&rig), 1);
    }
}

#[test]
fn push_of_another_listener_is_not_taken_up() {
    let others = [
        json!({"session": {"keys": [{"env": "DUO_MFA_OTHER_COOKIE_KEY"}]}}),
        json!({"session": {"cookie": "__Host-other"}}),
        json!({"session": {"expiration": "1h"}}),
    ];
    for other in others {
        let mut rig = Rig::new();
        given_up(&mut rig);
        let mut beside = rig.beside(other.clone());
        let look = [one_phone(), status("waiting", "pushed")];
        let refused = beside.send(&login(), &look).refused();
        assert_eq!(refused.code(), "pending_elsewhere", "{other}");
        assert_eq!(rings(&beside), 0);
    }
}

#[test]
fn request_with_its_own_approval_takes_up_no_push() {
    let rules = json!([{"paths": ["/v2/*"], "policy": "two_factor", "approval": "per_request"}]);
    let mut rig = Rig::with(json!({"access_control": {"rules": rules}}));
    given_up(&mut rig);
    let look = [one_phone(), status("waiting", "pushed")];
    assert_eq!(rig.send(&login(), &look).refused().code(), "pending_elsewhere");
}

#[test]
fn push_that_outlived_its_request_is_taken_up() {
    let mut rig = Rig::with(json!({"api": {"hold_timeout": "5s"}}));
    let mut script = [one_phone(), started()].into_iter();
    let waits = |_: &_| Some(script.next().unwrap_or_else(|| status("waiting", "pushed")));
    assert_eq!(rig.drive(&login(), waits).refused().code(), "mfa_timeout");
    rig.send(&login(), &[one_phone(), allows()]).admitted();
    assert_eq!(rings(&rig), 1);
}

#[test]
fn request_that_envoy_redirected_rings_no_phone() {
    let mut rig = Rig::new();
    let redirected = get("/landing")
        .with("x-envoy-original-url", "http://app.example.com/moved")
        .with("x-duo-mfa-user", "alice")
        .with("x-duo-mfa-factor", "push")
        .with("x-duo-mfa-time", "1800000000");
    let refused = rig.send(&redirected, &[]).refused();
    assert_eq!((refused.code().as_str(), refused.0.status), ("internal_redirect", 503));
    // A rule bypassed the first stream, so no user has approved it.
    let bypassed = redirected.without("x-duo-mfa-user");
    rig.send(&bypassed, &[one_phone(), started(), allows()]).admitted();
}
