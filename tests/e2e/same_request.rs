//! Programs that give up while the phone rings and send the same request again, as `docker login`
//! does after 15 seconds.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use crate::http1::encode;
use crate::message::Request;
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::{Protocol, Stack};
use crate::tally::Verdict;

/// The request of `docker login`, which docker sends twice.
fn login() -> Request {
    Request::get("/v2/").user("alice").header("user-agent", "docker/28.0.0 go/go1.24")
}

/// Sends the request and leaves once the phone rings.
fn give_up(stack: &Stack) {
    stack.judged(Verdict::Denied, "a program that gives up", || {
        let mut connection = stack.connect();
        connection.send_part(&encode(&login()));
        stack.sim.pending("alice");
        connection.leave();
        eventually("the end of the request", || {
            (stack.envoy.stat("http.e2e.downstream_rq_active") == 0).then_some(())
        });
    });
}

/// Sends the request again, and asserts that the push approved meanwhile admits it.
fn take_up(stack: &Stack) {
    stack.judged(Verdict::Admitted(1), "the same request after the approval", || {
        let reply = stack.send(&login());
        assert_eq!(reply.status, 200, "{}", reply.text());
    });
}

fn assert_taken_up(pause: Duration) {
    let stack = Stack::start(Setup { workers: 4, ..Setup::default() });
    give_up(&stack);
    sleep(pause);
    let reply = stack.judged(Verdict::Admitted(1), "the same request", || {
        let held = stack.hold(login(), Protocol::Http1);
        sleep(Duration::from_secs(4));
        if held.is_answered() {
            let reply = held.reply();
            panic!("it does not wait for the push: {} {}", reply.status, reply.text());
        }
        stack.sim.answer("alice", "approve");
        held.reply()
    });
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(stack.sim.pushes(), 1);
}

#[test]
fn same_request_sent_again_takes_up_the_push_that_waits() {
    assert_taken_up(Duration::from_secs(2));
}

#[test]
fn same_request_sent_again_at_once_takes_up_the_push_that_waits() {
    assert_taken_up(Duration::ZERO);
}

#[test]
fn push_approved_while_nobody_waited_lets_the_same_request_through_once() {
    let stack = Stack::start(Setup { workers: 4, ..Setup::default() });
    give_up(&stack);
    sleep(Duration::from_secs(1));
    stack.sim.answer("alice", "approve");
    take_up(&stack);
    assert_eq!(stack.sim.pushes(), 1);
    assert_eq!(stack.answered_push(login(), "alice", "deny").status, 403);
    assert_eq!(stack.sim.pushes(), 2, "one approval, one request");
}

#[test]
fn other_request_never_rides_on_the_push_that_waits() {
    let hops = json!({"xff_num_trusted_hops": 1});
    let stack = Stack::start(Setup { workers: 4, manager: hops, ..Setup::default() });
    give_up(&stack);
    sleep(Duration::from_secs(1));
    let others = [
        Request::get("/v2/x").user("alice").header("user-agent", "docker/28.0.0 go/go1.24"),
        Request::get("/v2/?x").user("alice").header("user-agent", "docker/28.0.0 go/go1.24"),
        Request::post("/v2/").user("alice").header("user-agent", "docker/28.0.0 go/go1.24"),
        Request::get("/v2/").user("alice").header("user-agent", "curl/8.5.0"),
        login().header("cookie", "session=1"),
        login().header("x-forwarded-for", "203.0.113.7"),
    ];
    for other in others {
        stack.denied(&other).assert_problem(429, "pending_elsewhere");
    }
    stack.sim.answer("alice", "approve");
    take_up(&stack);
    assert_eq!(stack.sim.pushes(), 1);
}
