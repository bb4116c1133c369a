//! Rules with `approval: per_request`: the requests that one approval admits, and how often.

use std::time::Duration;

use duo_mfa::hex::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::browser::{Browser, PENDING};
use crate::message::{Body, Reply, Request};
use crate::setup::Setup;
use crate::stack::{APPROVAL, Protocol, Stack};
use crate::tally::Verdict;

const OPERATION: &str = "__Host-duo_operation";
const WIRE: &str = "/wire?to=7";

fn setup(workers: u32) -> Setup {
    let rule =
        json!({"paths": ["/wire", "/orders/*"], "policy": "two_factor", "approval": "per_request"});
    let setup = Setup { workers, ..Setup::default() };
    setup.plugin(json!({"access_control": {"rules": [rule]}}))
}

fn stack(workers: u32) -> Stack {
    Stack::start(setup(workers))
}

fn delete(path: &str) -> Request {
    Request::new("DELETE", path).user("alice")
}

/// Starts a per-request approval, as the page at `WIRE` does for its request.
fn begin(browser: &mut Browser, stack: &Stack, query: &str) -> Reply {
    browser.fetch(stack, "POST", &format!("auth?factor=push&device=auto&{query}"))
}

/// A browser of alice with the approval of a GET of `WIRE`.
fn approved(stack: &Stack) -> Browser {
    let mut alice = Browser::of("alice");
    let begun = begin(&mut alice, stack, "return_to=%2Fwire%3Fto%3D7");
    assert_eq!(begun.status, 202, "{}", begun.text());
    stack.sim.answer("alice", "approve");
    assert_eq!(alice.ended(stack)["state"], "approved");
    assert!(alice.has(OPERATION) && !alice.has(APPROVAL) && !alice.has(PENDING));
    alice
}

/// The approval in advance of the request that `query` describes, for Alice's program.
fn ahead(stack: &Stack, query: &str) -> String {
    let auth = format!("/.duo-mfa/auth?factor=push&device=auto&{query}");
    let begun = stack.denied(&Request::post(auth).user("alice").header("content-length", "0"));
    assert_eq!(begun.status, 202, "{}", begun.text());
    let transaction = |state: &Value| state["transaction"].as_str().unwrap().to_owned();
    stack.sim.answer("alice", "approve");
    let pending = transaction(&begun.json());
    let ask = Request::get("/.duo-mfa/status").user("alice");
    let ask = ask.header("x-duo-mfa-transaction", pending);
    let state = crate::sim::eventually("the approval", || {
        let state = stack.denied(&ask).json();
        (state["state"] != "waiting").then_some(state)
    });
    assert_eq!(state["state"], "approved");
    transaction(&state)
}

fn open(browser: &Browser, target: &str) -> Request {
    browser.with_cookies(Request::get(target).navigation())
}

#[test]
fn second_delete_needs_a_second_push() {
    let stack = stack(4);
    let session = stack.signed_in("alice");
    for number in 1..=3 {
        let request = delete("/orders/7").cookie(&session);
        let reply = stack.answered_push(request, "alice", "approve");
        assert_eq!((reply.status, reply.set_cookie(APPROVAL)), (200, None));
        assert_eq!(reply.set_cookie(OPERATION), None);
        assert_eq!(stack.sim.pushes(), 1 + number);
    }
    stack.admitted(&Request::get("/reports").user("alice").cookie(&session));
    assert_eq!(stack.sim.pushes(), 4);
}

#[test]
fn denied_delete_never_reaches_the_application() {
    let stack = stack(2);
    let session = stack.signed_in("alice");
    let reply = stack.answered_push(delete("/orders/7").cookie(&session), "alice", "deny");
    reply.assert_problem(403, "mfa_denied");
    stack.denied(&delete("/orders/7").cookie(&session)).assert_problem(429, "too_many_requests");
}

#[test]
fn page_leads_to_one_use_of_its_operation() {
    let stack = stack(2);
    let page = stack.denied(&open(&Browser::of("alice"), WIRE));
    assert_eq!((page.status, page.text().contains(r#"data-pane="start""#)), (403, true));
    let mut alice = approved(&stack);
    let (reply, seen) = stack.admitted(&open(&alice, WIRE));
    assert_eq!(seen.values("x-duo-mfa-factor"), ["push"]);
    assert_eq!(seen.values("cookie"), [""; 0], "the filter's cookies stay here");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    alice.keep(&reply);
    assert!(!alice.has(OPERATION), "the response clears it: {:?}", alice.jar);
    assert_eq!(stack.denied(&open(&alice, WIRE)).status, 403);
    assert_eq!(stack.sim.pushes(), 1);
}

#[test]
fn replay_is_refused_on_one_worker_and_on_four() {
    for workers in [1, 4] {
        let stack = stack(workers);
        let alice = approved(&stack);
        stack.admitted(&open(&alice, WIRE));
        for _ in 0..16 {
            let page = stack.denied(&open(&alice, WIRE));
            assert_eq!((page.status, page.set_cookie(OPERATION)), (403, None));
        }
        std::thread::sleep(Duration::from_secs(2));
        assert_eq!(stack.denied(&open(&alice, WIRE)).status, 403);
        assert_eq!(stack.sim.pushes(), 1);
    }
}

#[test]
fn crowd_with_one_approval_is_one_request() {
    let stack = stack(4);
    let alice = approved(&stack);
    let replies = stack.judged(Verdict::Admitted(1), "forty at once", || {
        let held: Vec<_> =
            (0..40).map(|_| stack.hold(open(&alice, WIRE), Protocol::Http1)).collect();
        held.into_iter().map(|held| held.reply().status).collect::<Vec<_>>()
    });
    assert_eq!(replies.iter().filter(|status| **status == 200).count(), 1, "{replies:?}");
    assert_eq!(replies.iter().filter(|status| **status == 403).count(), 39, "{replies:?}");
}

#[test]
fn approval_of_another_operation_opens_nothing() {
    let stack = stack(4);
    let alice = approved(&stack);
    for target in
        ["/wire", "/wire?to=8", "/wire?to=7&", "/Wire?to=7", "/wire?TO=7", "/orders/7", "/"]
    {
        assert_eq!(stack.denied(&open(&alice, target)).status, 403, "{target}");
    }
    for method in ["POST", "PUT", "DELETE", "HEAD"] {
        let request = Request::new(method, WIRE).navigation();
        assert_eq!(stack.denied(&alice.with_cookies(request)).status, 403, "{method}");
    }
    let mut bob = Browser::of("bob");
    bob.jar.clone_from(&alice.jar);
    assert_eq!(stack.denied(&open(&bob, WIRE)).status, 403);
    stack.admitted(&open(&alice, WIRE));
}

#[test]
fn program_approves_ahead_and_sends_once() {
    let stack = Stack::start(setup(4).plugin(json!({"api": {"mode": "refuse"}})));
    let token = ahead(&stack, "method=DELETE&return_to=%2Forders%2F7");
    let with = |request: Request| request.header("x-duo-mfa-transaction", &token);
    for other in [delete("/orders/8"), Request::get("/orders/7").user("alice"), delete("/reports")]
    {
        stack.denied(&with(other)).assert_problem(403, "mfa_required");
    }
    let (_, seen) = stack.admitted(&with(delete("/orders/7")));
    assert_eq!(seen.values("x-duo-mfa-transaction"), [""; 0]);
    for _ in 0..8 {
        stack.denied(&with(delete("/orders/7"))).assert_problem(403, "mfa_required");
    }
    assert_eq!(stack.sim.pushes(), 1);
}

fn posted(body: impl Into<Vec<u8>>, token: &str) -> Request {
    let request = Request::post(WIRE).user("alice").header("x-duo-mfa-transaction", token);
    request.body(Body::Sized(body.into()))
}

fn for_body(body: &[u8]) -> String {
    let digest = hex(&Sha256::digest(body));
    format!("method=POST&return_to=%2Fwire%3Fto%3D7&body_sha256={digest}")
}

#[test]
fn body_is_part_of_what_was_approved() {
    let reading = json!({"request_bodies": true, "api": {"mode": "refuse"}});
    let stack = Stack::start(setup(4).stopping_at_headers(1 << 20).plugin(reading));
    let body: Vec<u8> = (0..50_000_u32).flat_map(u32::to_le_bytes).take(60_000).collect();
    let token = ahead(&stack, &for_body(&body));
    let mut other = body.clone();
    other[59_999] ^= 1;
    for wrong in [other, body[1..].to_vec(), Vec::new(), vec![b'x'; 70_000]] {
        stack.denied(&posted(wrong, &token)).assert_problem(403, "mfa_required");
    }
    // More bytes after the approved ones are read too, even in a separate frame.
    let more = [body.clone(), b"x".to_vec()].concat();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let request = Request::post(WIRE).user("alice").header("x-duo-mfa-transaction", &token);
        let request = request.body(Body::Chunked(more.clone(), body.len()));
        let reply = stack.judged(Verdict::Denied, "more than was approved", || {
            stack.hold(request, protocol).reply()
        });
        reply.assert_problem(403, "mfa_required");
    }
    let (_, seen) = stack.admitted(&posted(body.clone(), &token));
    assert!(seen.carries(&body), "whole, and once");
    assert_eq!(seen.values("x-duo-mfa-factor"), ["push"]);
    stack.denied(&posted(body.clone(), &token)).assert_problem(403, "mfa_required");

    let token = ahead(&stack, &for_body(&body));
    let request = Request::post(WIRE).user("alice").header("x-duo-mfa-transaction", &token);
    let request = request.body(Body::Chunked(body.clone(), 7_000));
    let reply = stack
        .judged(Verdict::Admitted(1), "in pieces", || stack.hold(request, Protocol::Http2).reply());
    assert_eq!(reply.status, 200, "{reply:?} {}", reply.text());
    assert!(stack.app.last().carries(&body));

    let token = ahead(&stack, &for_body(&body));
    let trailers = vec![("x-checksum".to_owned(), "c0ffee".to_owned())];
    let request = Request::post(WIRE).user("alice").header("x-duo-mfa-transaction", &token);
    let request = request.body(Body::Trailed(body.clone(), 16_000, trailers.clone()));
    let reply = stack.judged(Verdict::Admitted(1), "with trailers", || {
        stack.hold(request, Protocol::Http2).reply()
    });
    assert_eq!(reply.status, 200, "{reply:?} {}", reply.text());
    let seen = stack.app.last();
    assert!(seen.carries(&body) && seen.trailers == trailers);
}

#[test]
fn body_that_was_read_in_vain_waits_for_a_push() {
    let reading = json!({"request_bodies": true});
    let stack = Stack::start(setup(2).stopping_at_headers(1 << 20).plugin(reading));
    for length in [9_usize, 60_000, 200_000] {
        let body: Vec<u8> = b"amount=12".iter().copied().cycle().take(length).collect();
        let reply = stack.answered_push(posted(body.clone(), "no approval"), "alice", "approve");
        assert_eq!((reply.status, reply.set_cookie(OPERATION)), (200, None));
        assert!(stack.app.last().carries(&body), "{length}");
    }
}

#[test]
fn body_is_not_read_where_the_module_may_not() {
    let stack = Stack::start(setup(2).plugin(json!({"api": {"mode": "refuse"}})));
    let mut alice = Browser::of("alice");
    let refused = begin(&mut alice, &stack, &for_body(b"amount=12"));
    refused.assert_problem(400, "bad_request");
    let token = ahead(&stack, "method=POST&return_to=%2Fwire%3Fto%3D7");
    stack.denied(&posted("amount=12", &token)).assert_problem(403, "mfa_required");
    assert_eq!(stack.sim.pushes(), 1);
}

/// Bella has bypass status at Duo, so she can request approvals in a loop.
#[test]
fn user_with_bypass_status_cannot_take_the_places_of_others() {
    let stack = stack(2);
    let uses_one = || {
        let mut bella = Browser::of("bella");
        // The rate limit of calls slows the loop down.
        crate::sim::eventually("leave to ask", || {
            let asked = bella.fetch(&stack, "POST", "preauth?return_to=%2Fwire%3Fto%3D7");
            (asked.status == 200).then_some(())
        });
        let before = stack.app.count();
        let reply = stack.send(&open(&bella, WIRE));
        let is_through = stack.app.count() > before;
        stack.settle(if is_through { Verdict::Admitted(1) } else { Verdict::Denied }, "bella");
        (is_through, reply)
    };
    let mut used = 0;
    let refused = loop {
        let (is_through, reply) = uses_one();
        if !is_through {
            break reply;
        }
        used += 1;
        assert!(used <= 128, "more than a share");
    };
    assert_eq!((used, refused.status), (128, 429), "{}", refused.text());
    assert!(refused.header("retry-after").is_some());
    let alice = approved(&stack);
    stack.admitted(&open(&alice, WIRE));
}
