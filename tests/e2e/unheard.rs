//! Pushes whose result no client waited for. The phone does not ring again before the filter knows the result.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use crate::browser::{Browser, fetched};
use crate::http1::encode;
use crate::message::{Reply, Request};
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::Stack;
use crate::tally::Verdict;

const START: &str = "auth?factor=push&device=auto";

fn request() -> Request {
    Request::get("/").user("alice")
}

fn four_workers() -> Stack {
    Stack::start(Setup { workers: 4, ..Setup::default() })
}

fn retry_after(reply: &Reply) -> u64 {
    reply.header("retry-after").expect("a wait").parse().expect("seconds")
}

/// Starts a push on the page with Alice's password. Nobody polls for its state.
fn start(stack: &Stack) -> Reply {
    stack.denied(&Browser::of("alice").with_cookies(fetched("POST", START)))
}

#[test]
fn four_denials_that_nobody_waited_for_are_one_push() {
    let stack = four_workers();
    assert_eq!(start(&stack).status, 202);
    stack.sim.answer("alice", "deny");
    for _ in 0..4 {
        let refused = start(&stack);
        refused.assert_problem(429, "too_many_requests");
        assert!((40..=60).contains(&retry_after(&refused)), "{refused:?}");
    }
    assert_eq!(stack.sim.pushes(), 1);
    let said = |log: String| log.contains(r#""code":"mfa_denied","user":"alice","factor":"push""#);
    eventually("the log line of the denial", || said(stack.envoy.log()).then_some(()));
    eventually("the count of the denial", || {
        let denied = stack.envoy.stat("wasmcustom.duo_mfa_refused.code.mfa_denied");
        (denied == 1).then_some(())
    });
}

#[test]
fn report_of_fraud_that_nobody_waited_for_stops_pushes_for_half_an_hour() {
    let stack = four_workers();
    assert_eq!(start(&stack).status, 202);
    stack.sim.answer("alice", "fraud");
    for _ in 0..4 {
        let refused = start(&stack);
        refused.assert_problem(429, "too_many_requests");
        assert!((1_780..=1_800).contains(&retry_after(&refused)), "{refused:?}");
    }
    stack.denied(&request()).assert_problem(429, "too_many_requests");
    assert_eq!(stack.sim.pushes(), 1);
}

/// A program sends its request and leaves after `pause`. Alice denies the push.
fn assert_one_push_past_a_denial(stack: &Stack, pause: Option<Duration>) {
    stack.judged(Verdict::Denied, "a program that leaves", || {
        let mut connection = stack.connect();
        connection.send_part(&encode(&request()));
        match pause {
            Some(pause) => sleep(pause),
            None => drop(stack.sim.pending("alice")),
        }
        connection.leave();
        eventually("the end of the request", || {
            (stack.envoy.stat("http.e2e.downstream_rq_active") == 0).then_some(())
        });
        stack.sim.answer("alice", "deny");
        // A request that arrives before the push is known to be sent is refused for another reason.
        sleep(Duration::from_secs(2));
    });
    // Another request, since an equal one would take up the push and get the denial.
    let another = Request::get("/another").user("alice");
    for _ in 0..4 {
        stack.denied(&another).assert_problem(429, "too_many_requests");
    }
    assert_eq!(stack.sim.pushes(), 1);
}

#[test]
fn program_that_leaves_once_the_phone_rings_gets_no_second_push_past_a_denial() {
    assert_one_push_past_a_denial(&four_workers(), None);
}

#[test]
fn program_that_leaves_while_the_push_is_sent_gets_no_second_push_past_a_denial() {
    let stack = four_workers();
    let late = json!({"endpoint": "auth", "kind": "latency", "ms": 1_000, "acts": true});
    stack.sim.fault(&late);
    assert_one_push_past_a_denial(&stack, Some(Duration::from_millis(500)));
}

#[test]
fn three_cancelled_starts_within_a_moment_are_one_push() {
    let stack = four_workers();
    let mut alice = Browser::of("alice");
    assert_eq!(alice.fetch(&stack, "POST", START).status, 202);
    for _ in 0..2 {
        assert_eq!(alice.fetch(&stack, "POST", "cancel").status, 200);
        alice.fetch(&stack, "POST", START).assert_problem(429, "pending_elsewhere");
    }
    assert_eq!(stack.sim.pushes(), 1);
    sleep(Duration::from_secs(3));
    stack.sim.answer("alice", "approve");
    alice.sign_in(&stack);
    assert_eq!(stack.sim.pushes(), 2);
}

#[test]
fn answer_that_nobody_waited_for_frees_the_user() {
    let stack = four_workers();
    assert_eq!(start(&stack).status, 202);
    stack.sim.answer("alice", "approve");
    stack.signed_in("alice");
    assert_eq!(stack.sim.pushes(), 2);
}
