//! Two Duo applications with one cluster of Envoy. A client that fills the cluster with calls for one of them gains nothing at
//! the other.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::message::Request;
use crate::setup::{API_HOST, OTHER_SECRET_KEY, Setup, guest};
use crate::sim::eventually;
use crate::stack::{Held, Protocol, Stack};
use crate::tally::Verdict;

#[test]
fn cluster_filled_for_one_application_admits_nobody_at_the_other() {
    let mut setup = Setup { workers: 1, ..Setup::default() }.plugin(json!({
        "duo": {"fail_mode": "safe", "timeout": "2s", "check_interval": "1s"},
        "applications": {"payments": {"duo": {
            "api_host": API_HOST,
            "integration_key": "DIPAYM4E2E7TESTS2KEY",
            "secret_key": {"env": "DUO_SECRET_KEY_PAYMENTS"},
        }}},
        "access_control": {"rules": [
            {"paths": ["/payments/*"], "policy": "two_factor", "application": "payments"},
        ]},
    }));
    setup.environment.push(("DUO_SECRET_KEY_PAYMENTS", OTHER_SECRET_KEY.to_owned()));
    let given = setup.clone();
    let stack = Stack::start_as(setup, |parts| {
        let mut configuration = given.envoy(parts.module, parts.app, parts.duo);
        let cluster = &mut configuration["static_resources"]["clusters"][1];
        assert_eq!(cluster["name"], "duo_api");
        cluster["circuit_breakers"] =
            json!({"thresholds": [{"max_connections": 2, "max_pending_requests": 2}]});
        configuration
    });
    let is_up = || (stack.envoy.stat("wasmcustom.duo_mfa_duo_up") == 1).then_some(());
    eventually("a check that goes well", is_up);
    std::thread::sleep(Duration::from_secs(3));
    stack.sim.fault(&json!({"endpoint": "preauth", "kind": "latency", "ms": 8000, "acts": true}));
    stack.judged(Verdict::Denied, "payments while the cluster is full", || {
        let (mut crowd, mut number, mut payer): (Vec<Held>, usize, usize) = (Vec::new(), 0, 0);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(12) {
            crowd.retain(|held| !held.is_answered());
            while crowd.len() < 12 {
                let request = Request::get("/crowd").user(&guest(number % 1000));
                crowd.push(stack.hold(request, Protocol::Http1));
                number += 1;
            }
            // A single user would reach the user's rate limit.
            payer = (payer + 1) % 10;
            let reply = stack.send(&Request::get("/payments/x").user(&guest(990 + payer)));
            assert_eq!(reply.status, 503, "after {:?}: {reply:?}", start.elapsed());
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    assert_eq!(stack.envoy.stat("wasmcustom.duo_mfa_admitted.factor.fail_safe"), 0);
}
