//! Three Envoys that share nothing but the keys, one simulator, and a rate limit service. No client stays with one
//! Envoy. `make fleet` runs more of it, with Limitador as the service, and prints figures.

use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::browser::Browser;
use crate::http1::Connection;
use crate::limiter::{Limiter, WAIT, limited_by};
use crate::message::{Reply, Request};
use crate::setup::Setup;
use crate::stack::Stack;
use crate::tally::Verdict;

mod crowd;

/// The pushes of one user that the tests allow.
const BUDGET: usize = 3;

/// A denial stops the next push at its Envoy for a second.
fn impatient() -> Setup {
    Setup::default().plugin(json!({"limits": {"deny_cooldown": ["1s"]}}))
}

/// Sends a user's request for a push to each of three Envoys in turn, `turns` times. The user denies each push. Returns
/// the count of the pushes, and the replies to requests without one.
fn pushes_in_turn(stack: &Stack, user: &str, turns: usize) -> (usize, Vec<Reply>) {
    let others = [stack.another_envoy(), stack.another_envoy()];
    let listeners = [stack.envoy.listener, others[0].listener, others[1].listener];
    stack.sim.always(user, "deny");
    let mut refused = Vec::new();
    for _ in 0..turns {
        for listener in listeners {
            let request = Request::get("/").user(user);
            let reply = stack.judged(Verdict::Denied, "a push that its user denies", || {
                Connection::open(listener).exchange(&request).expect("an answer")
            });
            if reply.status != 403 {
                refused.push(reply);
            }
        }
        thread::sleep(Duration::from_millis(1_500));
    }
    (stack.sim.pushes(), refused)
}

/// A port where nobody listens.
fn nowhere() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn budget_of_a_user_holds_over_three_envoys() {
    let limiter = Limiter::start(BUDGET);
    let stack = limited_by(limiter.address, "allow", impatient());
    let user = stack.sim.guest(0);
    let (pushes, refused) = pushes_in_turn(&stack, &user, 2);
    assert_eq!(pushes, BUDGET);
    assert_eq!(refused.len(), BUDGET);
    for reply in refused {
        reply.assert_problem(429, "too_many_requests");
        let wait: i64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!(wait > 0 && wait <= 3_600, "{wait}");
        if let [(name, tag)] = limiter.users().as_slice() {
            assert_eq!((name.as_str(), tag.len(), wait), ("duo_mfa_prompt", 32, WAIT));
            assert!(!tag.contains(&user));
        }
    }
    let log = stack.envoy.log();
    assert!(log.contains(r#""reason":"rate limit service""#), "{log}");
    // Another user has a budget too.
    let other = stack.sim.guest(1);
    assert_eq!(stack.answered_push(Request::get("/").user(&other), &other, "approve").status, 200);
}

#[test]
fn budget_of_a_user_counts_for_each_envoy_without_a_service() {
    let stack = Stack::start(impatient());
    let user = stack.sim.guest(0);
    let (pushes, refused) = pushes_in_turn(&stack, &user, BUDGET);
    assert_eq!((pushes, refused.len()), (3 * BUDGET, 0), "{refused:?}");
}

#[test]
fn page_signs_in_with_the_consent_of_the_service() {
    let limiter = Limiter::start(1);
    let stack = limited_by(limiter.address, "deny", Setup::default());
    let mut alice = Browser::of("alice");
    alice.sign_in(&stack);
    let auth = "auth?factor=push&device=auto&return_to=%2F";
    Browser::of("alice").fetch(&stack, "POST", auth).assert_problem(429, "too_many_requests");
    assert_eq!(stack.sim.pushes(), 1);
}

#[test]
fn dead_service_leaves_the_decision_to_each_envoy() {
    let stack = limited_by(nowhere(), "allow", Setup::default());
    let user = stack.sim.guest(0);
    assert_eq!(stack.answered_push(Request::get("/").user(&user), &user, "approve").status, 200);
    let log = stack.envoy.log();
    assert!(log.contains("the rate limit service gave no answer"), "{log}");
    assert_eq!(stack.sim.calls("auth"), 1);
}

#[test]
fn dead_service_stops_pushes_if_configured() {
    let stack = limited_by(nowhere(), "deny", Setup::default());
    let user = stack.sim.guest(0);
    let reply = stack.denied(&Request::get("/").user(&user));
    reply.assert_problem(503, "duo_unavailable");
    assert_eq!(stack.sim.pushes(), 0);
}

#[test]
fn hanging_service_counts_as_dead_after_its_timeout() {
    // It accepts connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let stack = limited_by(silent.local_addr().unwrap(), "deny", Setup::default());
    let user = stack.sim.guest(0);
    stack.denied(&Request::get("/").user(&user)).assert_problem(503, "duo_unavailable");
    assert_eq!(stack.sim.pushes(), 0);
    let log = stack.envoy.log();
    assert!(log.contains("it was late or unreachable"), "{log}");
}

#[test]
fn service_that_dies_stops_pushes_if_configured() {
    let limiter = Limiter::start(BUDGET);
    let address = limiter.address;
    let stack = limited_by(address, "deny", Setup::default());
    let user = stack.sim.guest(0);
    let pushed = || stack.answered_push(Request::get("/").user(&user), &user, "approve").status;
    assert_eq!(pushed(), 200);
    drop(limiter);
    stack.denied(&Request::get("/").user(&user)).assert_problem(503, "duo_unavailable");
    assert_eq!(stack.sim.pushes(), 1);
}

#[test]
#[ignore = "make fleet STORE=redis runs it"]
fn budget_outlives_a_service_that_counts_in_redis() {
    let mut limiter = Limiter::start(BUDGET);
    let stack = limited_by(limiter.address, "deny", impatient());
    let user = stack.sim.guest(0);
    let pushed = pushes_in_turn(&stack, &user, 1);
    assert_eq!((pushed.0, pushed.1.len()), (BUDGET, 0), "{:?}", pushed.1);
    limiter.restart();
    let pushed = pushes_in_turn(&stack, &user, 1);
    assert_eq!(pushed.0, BUDGET, "no push more");
    for reply in pushed.1 {
        reply.assert_problem(429, "too_many_requests");
    }
}
