//! More calls to Duo at once than Envoy's circuit breaker allows. That is a limit of this Envoy, and never a
//! reason to admit a request.

use std::time::Duration;

use serde_json::{Value, json};

use crate::message::Request;
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::{Protocol, Stack};
use crate::tally::Verdict;

/// A stack with `fail_mode: safe`. Its cluster of Duo allows `connections` connections and `pending` waiting
/// calls.
fn start(connections: u32, pending: u32, plugin: Value) -> Stack {
    let safe = json!({"duo": {"fail_mode": "safe", "timeout": "2s", "check_interval": "1s"}});
    let setup = Setup { workers: 1, ..Setup::default() }.plugin(safe).plugin(plugin);
    let given = setup.clone();
    Stack::start_as(setup, |parts| {
        let mut configuration = given.envoy(parts.module, parts.app, parts.duo);
        let cluster = &mut configuration["static_resources"]["clusters"][1];
        assert_eq!(cluster["name"], "duo_api");
        cluster["circuit_breakers"] = json!({"thresholds": [{
            "max_connections": connections, "max_pending_requests": pending,
        }]});
        configuration
    })
}

fn is_up(stack: &Stack) -> bool {
    stack.envoy.stat("wasmcustom.duo_mfa_duo_up") == 1
}

/// Sends one request of each of many users at once, and returns the codes of their refusals.
fn crowd(stack: &Stack, number: usize) -> Vec<String> {
    let held: Vec<_> = (0..number)
        .map(|number| {
            let request = Request::get("/crowd").user(&stack.sim.guest(number));
            stack.hold(request, Protocol::Http1)
        })
        .collect();
    let replies = held.into_iter().map(crate::stack::Held::reply);
    replies
        .map(|reply| {
            reply.json()["code"].as_str().unwrap_or_else(|| panic!("{reply:?}")).to_owned()
        })
        .collect()
}

#[test]
fn a_full_circuit_breaker_admits_nobody_under_safe() {
    let stack = start(1, 1, json!({}));
    eventually("a check that goes well", || is_up(&stack).then_some(()));
    stack.sim.fault(&json!({"endpoint": "preauth", "kind": "latency", "ms": 8000, "acts": true}));
    let codes = stack.judged(Verdict::Denied, "a crowd of 12", || crowd(&stack, 12));
    let overloaded = codes.iter().filter(|code| *code == "overloaded").count();
    assert!(overloaded >= 10, "{codes:?}");
    assert!(codes.iter().all(|code| ["overloaded", "duo_unavailable"].contains(&code.as_str())));
    eventually("the count", || {
        let counted = stack.envoy.stat("wasmcustom.duo_mfa_overflows.endpoint.preauth");
        (counted >= 10).then_some(())
    });
    let log = stack.envoy.log();
    assert!(log.contains("this Envoy's circuit breaker for Duo's cluster is full"), "{log}");
    assert!(!log.contains("has no usable host"), "{log}");
    assert!(is_up(&stack), "it says nothing of Duo");
    stack.sim.clear_faults();
    stack.signed_in("alice");
}

#[test]
fn calls_that_time_out_behind_others_admit_nobody_under_safe() {
    let stack = start(1, 100, json!({}));
    eventually("a check that goes well", || is_up(&stack).then_some(()));
    // All calls together take longer than a call's timeout, but each is answered in time.
    stack.sim.fault(&json!({"endpoint": "preauth", "kind": "latency", "ms": 700, "acts": true}));
    let codes = stack.judged(Verdict::Denied, "a crowd of 16 in a queue", || {
        for number in 0..16 {
            stack
                .sim
                .put_user(&json!({"username": crate::setup::guest(number), "status": "denied"}));
        }
        let held: Vec<_> = (0..16)
            .map(|number| {
                let request = Request::get("/crowd").user(&crate::setup::guest(number));
                stack.hold(request, Protocol::Http1)
            })
            .collect();
        held.into_iter().map(|held| held.reply().json()["code"].clone()).collect::<Vec<_>>()
    });
    assert!(codes.contains(&json!("duo_unavailable")), "some waited in vain: {codes:?}");
    stack.sim.clear_faults();
    eventually("readiness", || is_up(&stack).then_some(()));
    assert_eq!(stack.envoy.stat("wasmcustom.duo_mfa_admitted.factor.fail_safe"), 0);
}

#[test]
fn fail_safe_opens_within_seconds_of_an_outage_and_closes_after_it() {
    let stack = start(1024, 1024, json!({"duo": {"check_interval": "1h"}}));
    eventually("a check that goes well", || is_up(&stack).then_some(()));
    std::thread::sleep(Duration::from_millis(1100));
    for endpoint in ["ping", "check", "preauth"] {
        stack.sim.fault(&json!({"endpoint": endpoint, "kind": "status", "status": 503}));
    }
    let request = Request::get("/").user("alice");
    stack.denied(&request).assert_problem(503, "duo_unavailable");
    let from = std::time::Instant::now();
    eventually("a failed check", || (!is_up(&stack)).then_some(()));
    std::thread::sleep(Duration::from_millis(300));
    let (_, seen) = stack.admitted(&request);
    crate::say!("fail-safe opened after {:?}", from.elapsed());
    assert!(from.elapsed() < Duration::from_secs(5), "{:?}", from.elapsed());
    assert_eq!(seen.values("x-duo-mfa-factor"), ["fail_safe"]);
    let since = r#""reason":"Duo has been unreachable since "#;
    assert!(stack.envoy.log().contains(since), "{}", stack.envoy.log());
    stack.sim.clear_faults();
    stack.signed_in("alice");
    stack.sim.fault(&json!({"endpoint": "preauth", "kind": "status", "status": 503}));
    stack.denied(&request).assert_problem(503, "duo_unavailable");
}
