//! Faults between Envoy and Duo: the client gets an error, no request reaches the application, and the VM
//! keeps running.

use std::time::Duration;

use serde_json::{Value, json};

use crate::message::{Reply, Request};
use crate::setup::{DuoLink, Setup};
use crate::stack::Stack;
use crate::tally::Verdict;

/// Invalid responses of Duo, as faults of the simulator.
fn spoilt() -> Vec<(&'static str, Value)> {
    vec![
        ("refused", json!({"kind": "refuse"})),
        ("hang", json!({"kind": "hang"})),
        ("cut", json!({"kind": "truncated"})),
        ("33 MB", json!({"kind": "huge", "bytes": 33_000_000})),
        ("34 MB", json!({"kind": "huge", "bytes": 34_000_000})),
        ("above 64 KiB", json!({"kind": "huge", "bytes": 70_000})),
        ("malformed", json!({"kind": "malformed"})),
        ("empty", json!({"kind": "empty"})),
        ("500 in HTML", json!({"kind": "status", "status": 500, "body": "<h1>Oops</h1>"})),
        ("502", json!({"kind": "status", "status": 502, "body": ""})),
        ("50001", json!({"kind": "fail", "code": 50001})),
        ("150 headers", json!({"kind": "headers", "count": 150})),
        ("nothing of Duo's", raw(200, "true")),
        ("deep", raw(200, &"[".repeat(20_000))),
    ]
}

fn raw(status: u16, body: &str) -> Value {
    json!({
        "kind": "raw", "status": status, "body": body,
        "headers": [["content-type", "application/json"]],
    })
}

/// A stack with short timeouts, so that a fault that hangs shows early.
fn impatient() -> Stack {
    Stack::start(Setup::default().plugin(json!({
        "duo": {"timeout": "1s", "status_timeout": "1s", "push_timeout": "3s"},
        "api": {"hold_timeout": "3s"},
    })))
}

fn switch_on(stack: &Stack, endpoint: &str, fault: &Value) {
    let mut fault = fault.clone();
    fault["endpoint"] = json!(endpoint);
    stack.sim.fault(&fault);
}

fn assert_unavailable(reply: &Reply, case: &str) {
    assert_eq!(reply.status, 503, "{case}: {reply:?} {}", reply.text());
    reply.assert_problem(503, "duo_unavailable");
    let after: u64 = reply.header("retry-after").expect("when to come again").parse().unwrap();
    assert!(after > 0, "{case}");
}

/// Has Duo answer once, so that the filter keeps on calling it after some failures.
fn is_asked_again(stack: &Stack, guest: usize) {
    stack.signed_in(&stack.sim.guest(guest));
}

fn assert_spoilt_is_unavailable(endpoint: &str) {
    let stack = impatient();
    for (number, (case, fault)) in spoilt().into_iter().enumerate() {
        switch_on(&stack, endpoint, &fault);
        let before = stack.sim.calls("auth");
        let user = stack.sim.guest(number);
        let reply = stack.denied(&Request::get("/").user(&user));
        assert_unavailable(&reply, case);
        assert!(stack.sim.calls("auth") - before <= 1, "{case}: auth is never sent twice");
        stack.sim.clear_faults();
        is_asked_again(&stack, 100 + number);
    }
    stack.signed_in("alice");
    stack.assert_alive();
}

#[test]
fn spoilt_preauth_is_duo_unavailable() {
    assert_spoilt_is_unavailable("preauth");
}

#[test]
fn spoilt_auth_is_duo_unavailable() {
    assert_spoilt_is_unavailable("auth");
}

/// A failed poll may be retried until the push ends, with pauses.
#[test]
fn spoilt_auth_status_never_admits() {
    let stack = impatient();
    for (number, (case, fault)) in spoilt().into_iter().enumerate() {
        switch_on(&stack, "auth_status", &fault);
        let before = ["auth", "auth_status"].map(|endpoint| stack.sim.calls(endpoint));
        let user = stack.sim.guest(number);
        stack.sim.always(&user, "approve");
        let reply = stack.denied(&Request::get("/").user(&user));
        let code = reply.json()["code"].as_str().unwrap_or_default().to_owned();
        let expected = [(503, "duo_unavailable"), (403, "mfa_timeout")];
        assert!(expected.contains(&(reply.status, code.as_str())), "{case}: {}", reply.text());
        let after = ["auth", "auth_status"].map(|endpoint| stack.sim.calls(endpoint));
        assert_eq!(after[0] - before[0], 1, "{case}");
        assert!(after[1] - before[1] <= 10, "{case}: {} polls", after[1] - before[1]);
        stack.sim.clear_faults();
    }
    stack.signed_in("alice");
    stack.assert_alive();
}

#[test]
fn closed_port_is_duo_unavailable() {
    assert_unreachable(DuoLink::ClosedPort);
}

#[test]
fn impostor_of_duo_is_never_believed() {
    let stack = assert_unreachable(DuoLink::Impostor);
    assert_eq!(stack.sim.journal().len(), 0, "an impostor gets no request");
}

#[test]
fn unknown_cluster_is_duo_unavailable() {
    let stack = assert_unreachable(DuoLink::NoCluster);
    assert!(stack.envoy.log().contains("duo_api"), "the log names the cluster");
}

fn assert_unreachable(duo_link: DuoLink) -> Stack {
    let stack = Stack::start(Setup { duo_link, ..Setup::default() });
    for _ in 0..20 {
        let reply = stack.denied(&Request::get("/").user("alice"));
        assert_unavailable(&reply, "unreachable");
    }
    stack
}

#[test]
fn rate_limit_of_duo_is_handed_on() {
    let stack = impatient();
    for (number, endpoint) in ["preauth", "auth"].into_iter().enumerate() {
        switch_on(&stack, endpoint, &json!({"kind": "rate_limit", "retry_after": "7"}));
        let user = stack.sim.guest(number);
        let reply = stack.denied(&Request::get("/").user(&user));
        reply.assert_problem(429, "too_many_requests");
        assert_eq!(reply.header("retry-after"), Some("7"), "{endpoint}");
        assert_eq!(stack.sim.calls(endpoint), 1, "{endpoint} is not repeated");
        stack.sim.clear_faults();
    }
}

#[test]
fn what_only_an_operator_can_mend_is_duo_misconfigured() {
    let stack = impatient();
    let mut guests = 0..;
    for endpoint in ["preauth", "auth", "auth_status"] {
        let refusals = [40102, 40103, 40301].map(|code| json!({"kind": "fail", "code": code}));
        let strangers = [raw(302, ""), raw(404, "<h1>Not here</h1>")];
        for fault in refusals.into_iter().chain(strangers) {
            switch_on(&stack, endpoint, &fault);
            let user = stack.sim.guest(guests.next().unwrap());
            let reply = stack.denied(&Request::get("/").user(&user));
            reply.assert_problem(503, "duo_misconfigured");
            stack.sim.clear_faults();
        }
    }
    stack.assert_alive();
}

#[test]
fn lone_clock_skew_is_corrected() {
    for seconds in [600, -600] {
        let stack = Stack::standard();
        stack.sim.fault(&json!({"kind": "skew", "seconds": seconds}));
        stack.signed_in("alice");
        assert!(stack.sim.calls("ping") >= 1);
        assert!(stack.sim.calls("preauth") <= 2, "{:?}", stack.sim.journal());
    }
}

#[test]
fn lasting_clock_skew_is_duo_misconfigured() {
    let stack = Stack::standard();
    switch_on(&stack, "preauth", &json!({"kind": "fail", "code": 40105}));
    let reply = stack.denied(&Request::get("/").user("alice"));
    reply.assert_problem(503, "duo_misconfigured");
    assert_eq!(stack.sim.calls("preauth"), 2);
    assert_eq!(stack.sim.calls("auth"), 0);
}

#[test]
fn lost_poll_does_not_end_a_sign_in() {
    let stack = Stack::start(Setup::default().plugin(json!({"duo": {"status_timeout": "1s"}})));
    switch_on(&stack, "auth_status", &json!({"kind": "hang", "times": 1}));
    let held =
        stack.held_push(Request::get("/").user("alice"), crate::stack::Protocol::Http1, "alice");
    stack.judged(Verdict::Denied, "a poll that hangs", || {
        std::thread::sleep(Duration::from_millis(1500));
    });
    let reply = stack.judged(Verdict::Admitted(1), "an approved push", || {
        stack.sim.answer("alice", "approve");
        held.reply()
    });
    assert_eq!(reply.status, 200, "{reply:?} {}", reply.text());
}

/// Bodies of an HTTP 200 that resemble an allow, but are none.
const NEARLY_ALLOW: &[&str] = &[
    r#"{"stat":"OK","response":{"result":"Allow","status":"allow","status_msg":"x"}}"#,
    r#"{"stat":"OK","response":{"result":"ALLOW","status":"allow","status_msg":"x"}}"#,
    r#"{"stat":"OK","response":{"result":" allow","status":"allow","status_msg":"x"}}"#,
    r#"{"stat":"OK","response":{"result":"allow\u0000","status":"allow","status_msg":"x"}}"#,
    r#"{"stat":"OK","response":{"result":["allow"],"status":"allow","status_msg":"x"}}"#,
    r#"{"stat":"OK","response":{"result":{"allow":true},"status":"allow","status_msg":"x"}}"#,
    r#"{"stat":"OK","response":{"result":true,"status":"allow","status_msg":"x"}}"#,
    r#"{"stat":"OK","response":{"result":1,"status":"allow","status_msg":"x"}}"#,
    r#"{"stat":"OK","response":{"result":null,"status":"allow","status_msg":"x"}}"#,
    r#"{"stat":"OK","response":{"status":"allow","status_msg":"x"}}"#,
    r#"{"stat":"OK","response":{"result":"permit","status":"allow","status_msg":"x"}}"#,
    r#"{"stat":"OK","response":{"result":"deny","result":"allow","status":"allow","status_msg":"x"}}"#,
    r#"{"stat":"OK","response":{"result":"allow","result":"allow","status":"allow","status_msg":"x"}}"#,
    r#"{"stat":"OK","stat":"OK","response":{"result":"allow","status":"allow","status_msg":"x"}}"#,
    r#"{"stat":"FAIL","response":{"result":"allow","status":"allow","status_msg":"x"}}"#,
    r#"{"stat":"ok","response":{"result":"allow","status":"allow","status_msg":"x"}}"#,
    r#"{"stat":"OK ","response":{"result":"allow","status":"allow","status_msg":"x"}}"#,
    r#"{"response":{"result":"allow","status":"allow","status_msg":"x"}}"#,
    r#"{"stat":"OK","response":"allow"}"#,
    r#"{"stat":"OK","response":[{"result":"allow","status":"allow","status_msg":"x"}]}"#,
    r#"{"stat":"OK","result":"allow","status":"allow","status_msg":"x"}"#,
    r#"{"stat":"OK","response":{"result":"allow","status":"allow","status_msg":"x"}}x"#,
    r#"{"stat":"OK","response":{"result":"allow","status":"allow","status_msg":"x"}"#,
    r#"[{"stat":"OK","response":{"result":"allow","status":"allow","status_msg":"x"}}]"#,
    r#""allow""#,
    "allow",
];

const ALLOW: &str =
    r#"{"stat":"OK","response":{"result":"allow","status":"allow","status_msg":"x"}}"#;

fn assert_only_the_exact_allow_admits(endpoint: &str) {
    let stack = Stack::start(Setup::default().plugin(json!({
        "duo": {"timeout": "1s", "status_timeout": "1s", "push_timeout": "1s"},
        "api": {"hold_timeout": "1s"},
    })));
    let bodies = NEARLY_ALLOW.iter().map(|body| (200, *body));
    let statuses = [201, 202, 206, 400, 401, 403, 404, 500].map(|status| (status, ALLOW));
    let mut guests = 0..;
    for (status, body) in bodies.chain(statuses) {
        switch_on(&stack, endpoint, &raw(status, body));
        let user = stack.sim.guest(guests.next().unwrap());
        let reply = stack.denied(&Request::get("/").user(&user));
        assert!(matches!(reply.status, 403 | 503), "{status} {body}: {reply:?}");
        stack.sim.clear_faults();
        is_asked_again(&stack, guests.next().unwrap());
    }
    switch_on(&stack, endpoint, &raw(200, ALLOW));
    let user = stack.sim.guest(guests.next().unwrap());
    stack.admitted(&Request::get("/").user(&user));
}

#[test]
fn only_the_exact_allow_of_auth_status_admits() {
    assert_only_the_exact_allow_admits("auth_status");
}

#[test]
fn only_the_exact_allow_of_preauth_admits() {
    assert_only_the_exact_allow_admits("preauth");
}

#[test]
fn approved_go_on_while_duo_is_down() {
    let stack = impatient();
    let approval = stack.signed_in("alice");
    stack.sim.fault(&json!({"kind": "refuse"}));
    for _ in 0..10 {
        stack.admitted(&Request::get("/").user("alice").cookie(&approval));
    }
    let reply = stack.denied(&Request::get("/").user("two"));
    assert_unavailable(&reply, "a stranger while Duo is down");
}
