//! Limits on how often a phone rings for requests of browsers, for any number of browsers and workers.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::browser::{Browser, PENDING, fetched};
use crate::http1::encode;
use crate::message::Reply;
use crate::setup::Setup;
use crate::stack::Stack;
use crate::tally::Verdict;

const START: &str = "auth?factor=push&device=auto";

fn retry_after(reply: &Reply) -> u64 {
    reply.header("retry-after").expect("a wait").parse().expect("seconds")
}

#[test]
fn thousand_starts_of_one_browser_are_one_push() {
    const STARTS: usize = 1_000;
    let setup = Setup { workers: 4, ..Setup::default() };
    let stack = Stack::start(setup.plugin(json!({"duo": {"timeout": "30s"}})));
    let mut alice = Browser::of("alice");
    let request = encode(&alice.with_cookies(fetched("POST", START)));
    let replies = stack.judged(Verdict::Denied, "a thousand starts", || {
        let mut connections: Vec<_> = (0..STARTS).map(|_| stack.connect()).collect();
        for connection in &mut connections {
            connection.send_part(&request);
        }
        let replies = connections.iter_mut().map(|connection| connection.receive());
        replies.map(|reply| reply.expect("an answer")).collect::<Vec<_>>()
    });
    let (begun, refused): (Vec<_>, Vec<_>) =
        replies.into_iter().partition(|reply| reply.status == 202);
    assert_eq!((begun.len(), refused.len()), (1, STARTS - 1));
    for reply in &refused {
        assert_eq!(reply.status, 429, "{reply:?} {}", reply.text());
        assert_eq!(reply.set_cookie(PENDING), None);
    }
    assert_eq!([stack.sim.calls("auth"), stack.sim.pushes()], [1, 1]);
    alice.keep(&begun[0]);
    stack.sim.answer("alice", "approve");
    assert_eq!(alice.ended(&stack)["state"], "approved");
    alice.reaches_the_application(&stack, "/reports");
}

/// Five browsers of Alice start a push in turn, and each cancels its push at once.
fn assert_one_push(workers: u32) {
    let stack = Stack::start(Setup { workers, ..Setup::default() });
    let mut browsers = vec![Browser::of("alice"); 5];
    for turn in 0..20 {
        let browser = &mut browsers[turn % 5];
        let reply = browser.fetch(&stack, "POST", START);
        if turn == 0 {
            assert_eq!(reply.status, 202);
        } else {
            reply.assert_problem(429, "pending_elsewhere");
            assert!((1..=65).contains(&retry_after(&reply)), "{reply:?}");
        }
        assert_eq!(browser.fetch(&stack, "POST", "cancel").status, 200);
        assert_eq!(stack.sim.pushes(), 1);
    }
}

#[test]
fn twenty_starts_that_five_browsers_cancel_are_one_push_on_one_worker() {
    assert_one_push(1);
}

#[test]
fn twenty_starts_that_five_browsers_cancel_are_one_push_on_four_workers() {
    assert_one_push(4);
}

/// Has Alice answer a push with `action`, and asserts that no browser of hers starts another for `wait`
/// seconds.
fn assert_stopped(stack: &Stack, action: &str, wait: u64) {
    let mut alice = Browser::of("alice");
    alice.push(stack);
    stack.sim.answer("alice", action);
    assert_ne!(alice.ended(stack)["state"], "approved");
    let pushes = stack.sim.pushes();
    let asked = Instant::now();
    for mut browser in [alice, Browser::of("alice")] {
        let reply = browser.fetch(stack, "POST", START);
        reply.assert_problem(429, "too_many_requests");
        assert!((wait.saturating_sub(20)..=wait).contains(&retry_after(&reply)), "{reply:?}");
        let page = browser.submit(stack, "/.duo-mfa/auth?factor=push");
        assert_eq!(page.status, 429, "{page:?}");
    }
    assert!(asked.elapsed() < Duration::from_secs(wait), "the machine is too slow for this test");
    assert_eq!(stack.sim.pushes(), pushes);
}

#[test]
fn denials_on_the_page_stop_pushes_for_longer_each_time() {
    let limits = json!({"limits": {"pushes": 4, "deny_cooldown": ["4s", "6s", "30m"]}});
    let stack = Stack::start(Setup { workers: 4, ..Setup::default() }.plugin(limits));
    for wait in [4, 6, 1_800] {
        assert_stopped(&stack, "deny", wait);
        if wait < 60 {
            sleep(Duration::from_secs(wait));
        }
    }
    assert_eq!(stack.sim.pushes(), 3);
}

#[test]
fn fraud_on_the_page_stops_pushes_for_half_an_hour() {
    assert_stopped(&Stack::standard(), "fraud", 1_800);
}
