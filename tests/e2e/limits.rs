//! Limits on how often a user's phone rings, for any number of requests and workers.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use crate::http1::encode;
use crate::http2;
use crate::message::{Reply, Request};
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::{Held, Protocol, Stack};
use crate::tally::Verdict;

const CROWD: usize = 50;

fn request() -> Request {
    Request::get("/").user("alice")
}

/// Sends many requests of Alice, each on a new connection. She approves every push.
fn assert_one_push(workers: u32) {
    let stack = Stack::start(Setup { workers, ..Setup::default() });
    let replies = stack.judged(Verdict::Admitted(1), "a crowd of one user", || {
        let held: Vec<_> = (0..CROWD).map(|_| stack.hold(request(), Protocol::Http1)).collect();
        eventually("everybody but one to be refused", || {
            (held.iter().filter(|held| held.is_answered()).count() == CROWD - 1).then_some(())
        });
        stack.sim.answer("alice", "approve");
        held.into_iter().map(Held::reply).collect::<Vec<_>>()
    });
    let (admitted, refused): (Vec<_>, Vec<_>) =
        replies.iter().partition(|reply| reply.status == 200);
    assert_eq!(admitted.len(), 1);
    assert_eq!(refused.len(), CROWD - 1);
    for reply in refused {
        // Those beyond the calls that one user may have under way do not get as far as the push.
        let code = reply.json()["code"].clone();
        assert!(code == "pending_elsewhere" || code == "too_many_requests", "{reply:?}");
        assert_eq!(reply.status, 429);
        assert!((1..=65).contains(&retry_after(reply)), "{reply:?}");
    }
    assert_eq!((stack.sim.pushes(), stack.sim.calls("auth")), (1, 1));
}

fn retry_after(reply: &Reply) -> u64 {
    reply.header("retry-after").expect("a wait").parse().expect("seconds")
}

#[test]
fn fifty_held_requests_on_one_worker_are_one_push() {
    assert_one_push(1);
}

#[test]
fn fifty_held_requests_on_four_workers_are_one_push() {
    assert_one_push(4);
}

/// All of them ask for the permit to ring: the limits on calls do not keep any of them from it.
#[test]
fn thousand_starts_of_one_user_on_four_workers_are_one_push() {
    const STARTS: usize = 1_000;
    let calls = json!({"user_calls": STARTS, "user_rate": 6_000, "calls": 2 * STARTS});
    let mut setup = Setup { workers: 4, ..Setup::default() };
    setup = setup.plugin(json!({"limits": calls, "duo": {"timeout": "20s"}}));
    let given = setup.clone();
    let stack = Stack::start_as(setup, |parts| {
        let mut envoy = given.envoy(parts.module, parts.app, parts.duo);
        envoy["static_resources"]["clusters"][1]["circuit_breakers"] = json!({"thresholds": [{
            "max_connections": 4_096, "max_pending_requests": 4_096, "max_requests": 4_096,
        }]});
        envoy
    });
    let start = Request::post("/.duo-mfa/auth?factor=push").user("alice");
    let outcomes = stack.judged(Verdict::Denied, "a thousand starts", || {
        http2::burst(stack.envoy.listener, &start, 40, STARTS / 40)
    });
    let replies: Vec<_> = outcomes.into_iter().map(|it| it.expect("an answer")).collect();
    let begun = replies.iter().filter(|reply| reply.status == 202).count();
    assert_eq!(begun, 1, "sign-ins that have begun");
    for reply in replies.iter().filter(|reply| reply.status != 202) {
        assert_eq!(reply.status, 429, "{reply:?} {}", reply.text());
    }
    assert_eq!((stack.sim.pushes(), stack.sim.calls("auth")), (1, 1));
    assert!(stack.sim.calls("preauth") > STARTS / 2, "{}", stack.sim.calls("preauth"));
}

#[test]
fn crowd_after_a_push_that_was_never_answered_is_one_push() {
    let setup = Setup { workers: 4, ..Setup::default() };
    let stack = Stack::start(setup.plugin(json!({"duo": {"push_timeout": "1s"}})));
    for round in 1..=3 {
        let refusals = stack.judged(Verdict::Denied, "a crowd that alice ignores", || {
            let held: Vec<_> = (0..CROWD).map(|_| stack.hold(request(), Protocol::Http2)).collect();
            held.into_iter().map(Held::reply).collect::<Vec<_>>()
        });
        let timeouts = refusals.iter().filter(|reply| reply.status == 403).count();
        // An equal request may take up the push of one that gave up.
        assert!(timeouts >= 1, "{timeouts}");
        assert_eq!(stack.sim.pushes(), round);
        let waiting = stack.denied(&request());
        waiting.assert_problem(429, "pending_elsewhere");
        stack.sim.answer("alice", "timeout");
        sleep(Duration::from_secs(4));
        let reply = stack.denied(&request());
        reply.assert_problem(429, "too_many_requests");
        sleep(Duration::from_secs(retry_after(&reply).min(15)));
    }
    stack.denied(&request()).assert_problem(429, "too_many_requests");
    assert_eq!(stack.sim.pushes(), 3);
}

/// Has Alice answer a push with `action`, and asserts that she gets no other push for `wait` seconds.
fn assert_stopped_after(action: &str, wait: u64) {
    let stack = Stack::start(Setup { workers: 4, ..Setup::default() });
    assert_eq!(stack.answered_push(request(), "alice", action).status, 403);
    let auths = stack.sim.calls("auth");
    for _ in 0..8 {
        let reply = stack.denied(&request());
        reply.assert_problem(429, "too_many_requests");
        assert!((wait - 20..=wait).contains(&retry_after(&reply)), "{reply:?}");
    }
    assert_eq!(stack.sim.calls("auth"), auths);
    stack.signed_in("two");
    let (reply, _) = stack.admitted(&request().header("x-duo-mfa-passcode", "123456"));
    assert_eq!(reply.status, 200, "a passcode is taken meanwhile");
}

#[test]
fn nobody_is_pushed_again_right_after_a_denial() {
    assert_stopped_after("deny", 60);
}

#[test]
fn nobody_is_pushed_again_right_after_a_report_of_fraud() {
    assert_stopped_after("fraud", 1_800);
}

#[test]
fn budget_is_three_pushes_across_workers() {
    let setup = Setup { workers: 4, ..Setup::default() };
    let stack = Stack::start(setup.plugin(json!({"limits": {"deny_cooldown": ["1s"]}})));
    for _ in 0..3 {
        stack.answered_push(request(), "alice", "deny").assert_problem(403, "mfa_denied");
        sleep(Duration::from_millis(1_100));
    }
    for _ in 0..8 {
        let reply = stack.denied(&request());
        reply.assert_problem(429, "too_many_requests");
        assert!((500..=600).contains(&retry_after(&reply)), "{reply:?}");
    }
    assert_eq!(stack.sim.pushes(), 3);
}

#[test]
fn approvals_are_never_counted() {
    let stack = Stack::start(Setup { workers: 4, ..Setup::default() });
    for _ in 0..6 {
        stack.signed_in("alice");
    }
    assert_eq!(stack.sim.pushes(), 6);
}

#[test]
fn denial_after_a_client_has_left_stops_the_next_push() {
    let limits = json!({"duo": {"push_timeout": "3s"}, "limits": {"deny_cooldown": ["2s"]}});
    let stack = Stack::start(Setup::default().plugin(limits));
    let mut connection = stack.connect();
    connection.send_part(&encode(&request()));
    stack.judged(Verdict::Denied, "a client that leaves", || {
        stack.sim.pending("alice");
        connection.leave();
        eventually("the end of the request", || {
            (stack.envoy.stat("http.e2e.downstream_rq_active") == 0).then_some(())
        });
        stack.sim.answer("alice", "deny");
    });
    // Another request: the same one would wait for the first one's push, and be denied by it.
    let reply = stack.denied(&Request::get("/elsewhere").user("alice"));
    reply.assert_problem(429, "too_many_requests");
    sleep(Duration::from_secs(retry_after(&reply)));
    stack.signed_in("alice");
    assert_eq!(stack.sim.pushes(), 2);
}
