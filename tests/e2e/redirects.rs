//! Redirects of the application that Envoy follows internally. The filters then run again for the same
//! request of the client.

use serde_json::{Value, json};

use crate::message::{Reply, Request};
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::{Held, Protocol, Stack};
use crate::tally::Verdict;

fn following() -> Value {
    json!({"route_config": {"virtual_hosts": [{
        "name": "app",
        "domains": ["*"],
        "routes": [{
            "match": {"prefix": "/"},
            "route": {"cluster": "app", "internal_redirect_policy": {"max_internal_redirects": 3}},
        }],
    }]}})
}

fn stack() -> Stack {
    let stack = Stack::start(Setup { manager: following(), ..Setup::default() });
    stack.app.redirect("/moved", "http://app.example.com/landing");
    stack
}

fn assert_refused(stack: &Stack, reply: &Reply) {
    reply.assert_problem(503, "internal_redirect");
    assert!(stack.envoy.log().contains("internal_redirect_policy"), "the log says what to do");
}

/// Waits for the reply. The user denies a second push, so that the reply comes and pushes can be counted.
fn reply_to(stack: &Stack, held: Held) -> Reply {
    let rang_again = || stack.sim.pushes() > 1;
    eventually("a reply or a second push", || (held.is_answered() || rang_again()).then_some(()));
    if rang_again() {
        stack.sim.answer("alice", "deny");
    }
    held.reply()
}

#[test]
fn held_request_that_envoy_redirects_rings_once() {
    let stack = stack();
    let reply = stack.judged(Verdict::Admitted(1), "a redirect of a held request", || {
        let held = stack.hold(Request::get("/moved").user("alice"), Protocol::Http1);
        stack.sim.answer("alice", "approve");
        reply_to(&stack, held)
    });
    assert_eq!(stack.sim.pushes(), 1, "one request of the client, one push");
    assert_refused(&stack, &reply);
}

#[test]
fn approved_request_that_envoy_redirects_is_not_asked_again() {
    let stack = stack();
    let cookie = stack.signed_in("alice");
    let reply = stack.judged(Verdict::Admitted(1), "a redirect of an approved request", || {
        let request = Request::get("/moved").user("alice").cookie(&cookie);
        reply_to(&stack, stack.hold(request, Protocol::Http1))
    });
    assert_eq!(stack.sim.pushes(), 1, "the only push is the sign-in's");
    assert_refused(&stack, &reply);
}

#[test]
fn headers_of_a_redirect_admit_nobody() {
    let stack = Stack::standard();
    let faked = Request::get("/").user("alice").all(&[
        ("x-envoy-original-url", "http://app.example.com/moved"),
        ("x-duo-mfa-user", "alice"),
        ("x-duo-mfa-factor", "push"),
        ("x-duo-mfa-time", "1800000000"),
    ]);
    // An edge Envoy removes the address, so this is an ordinary request.
    assert_eq!(stack.answered_push(faked, "alice", "deny").status, 403);
    assert_eq!(stack.sim.pushes(), 1);
}
