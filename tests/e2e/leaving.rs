//! Clients that leave while their request is held.

use std::thread::sleep;
use std::time::Duration;

use h2::Reason;

use crate::http1::encode;
use crate::http2;
use crate::message::{Body, Request};
use crate::sim::eventually;
use crate::stack::{Protocol, Stack};
use crate::tally::Verdict;

/// Makes a client leave, then has its push approved. Asserts that no request goes upstream.
fn assert_left_alone(stack: &Stack, leave: impl FnOnce()) {
    stack.judged(Verdict::Denied, "a client that left", || {
        stack.sim.pending("alice");
        leave();
        let active = || stack.envoy.stat("http.e2e.downstream_rq_active");
        eventually("the end of the request", || (active() == 0).then_some(()));
        stack.sim.answer("alice", "approve");
        sleep(Duration::from_secs(1));
    });
    assert_eq!(stack.sim.pushes(), 1, "nobody asked again");
    stack.signed_in("two");
    stack.assert_alive();
}

#[test]
fn client_that_leaves_before_the_allow_is_never_resumed() {
    let stack = Stack::standard();
    let mut connection = stack.connect();
    connection.send_part(&encode(&Request::get("/reports").user("alice")));
    assert_left_alone(&stack, || connection.leave());
}

#[test]
fn client_that_leaves_in_the_middle_of_its_body_is_never_resumed() {
    let stack = Stack::standard();
    let body = Body::Chunked(vec![b'x'; 200_000], 1_000);
    let encoded = encode(&Request::post("/upload").user("alice").body(body));
    let mut connection = stack.connect();
    connection.send_part(&encoded[..encoded.len() / 2]);
    assert_left_alone(&stack, || connection.leave());
}

#[test]
fn stream_that_is_reset_is_never_resumed() {
    for reason in [Reason::CANCEL, Reason::NO_ERROR, Reason::INTERNAL_ERROR] {
        let stack = Stack::standard();
        let request = Request::get("/reports").user("alice");
        let pending = http2::Pending::send(stack.envoy.listener, &request);
        assert_left_alone(&stack, || pending.reset(reason));
    }
}

#[test]
fn client_that_leaves_as_duo_allows_is_not_logged_as_admitted() {
    let stack = Stack::standard();
    stack.sim.fault(&serde_json::json!({
        "endpoint": "auth_status", "kind": "latency", "ms": 1_000,
    }));
    let mut connection = stack.connect();
    stack.judged(Verdict::Denied, "a client that leaves as Duo allows", || {
        connection.send_part(&encode(&Request::get("/reports").user("alice")));
        stack.sim.pending("alice");
        // The poll of the push is under way. Duo answers it when the user answers.
        eventually("a look at the push", || (stack.sim.calls("auth_status") > 0).then_some(()));
        stack.envoy.stopped(|| {
            connection.leave();
            stack.sim.answer("alice", "approve");
            sleep(Duration::from_millis(1_500));
        });
        eventually("the count", || {
            (stack.envoy.stat("wasmcustom.duo_mfa_abandoned") == 1).then_some(())
        });
    });
    let log = stack.envoy.log();
    assert!(!log.contains(r#""result":"admitted""#), "{log}");
    // The approval is not lost: it is for the same request, sent again.
    stack.judged(Verdict::Admitted(1), "the same request again", || {
        let reply = stack.hold(Request::get("/reports").user("alice"), Protocol::Http1).reply();
        assert_eq!(reply.status, 200, "{reply:?}");
    });
    assert_eq!(stack.sim.pushes(), 1);
}

#[test]
fn clients_that_leave_at_every_stage_leave_the_vm_alive() {
    let stack = Stack::standard();
    for endpoint in ["preauth", "auth", "auth_status"] {
        stack.sim.fault(&serde_json::json!({
            "endpoint": endpoint, "kind": "latency", "ms": 300, "acts": true,
        }));
        stack.judged(Verdict::Denied, endpoint, || {
            for number in 0..8 {
                let mut connection = stack.connect();
                let user = stack.sim.guest(number);
                connection.send_part(&encode(&Request::get("/").user(&user)));
                sleep(Duration::from_millis(40 * (number as u64 + 1)));
                connection.leave();
            }
            sleep(Duration::from_secs(1));
        });
        stack.sim.clear_faults();
    }
    stack.signed_in("alice");
    stack.assert_alive();
}
