//! Duo hangs: after five failed calls new requests are refused at once, one in ten seconds tries Duo, and its answer
//! ends that. Sign-ins under way go on, and approved users do not notice.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::message::Request;
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::{Protocol, Stack};
use crate::tally::Verdict;

const OPEN: &str = "wasmcustom.duo_mfa_breaker_open";

/// The longest time from Duo's return to the first answer of Duo's.
const RECOVERS: Duration = Duration::from_secs(15);

pub(crate) fn is_open(stack: &Stack) -> bool {
    stack.envoy.stat(OPEN) == 1
}

fn start() -> Stack {
    let stack = Stack::start(Setup::default().plugin(json!({
        "duo": {"timeout": "1s", "status_timeout": "1s", "push_timeout": "55s"},
        "api": {"hold_timeout": "55s"},
    })));
    eventually("a check that goes well", || {
        (stack.envoy.stat("wasmcustom.duo_mfa_duo_up") == 1).then_some(())
    });
    stack
}

/// Sends requests of several users at once, so that five calls in a row fail.
fn fail_five_times(stack: &Stack) {
    stack.judged(Verdict::Denied, "requests while Duo hangs", || {
        let users = (0..6).map(|number| stack.sim.guest(number));
        let held: Vec<_> =
            users.map(|user| stack.hold(Request::get("/").user(&user), Protocol::Http1)).collect();
        for held in held {
            held.reply().assert_problem(503, "duo_unavailable");
        }
    });
    eventually("an open breaker", || is_open(stack).then_some(()));
    // Every worker knows then.
    stack.await_tick();
}

#[test]
fn a_hanging_duo_costs_new_requests_no_time_and_its_return_is_noticed() {
    let stack = start();
    let cookie = stack.signed_in("two");
    let carol = stack.sim.guest(9);
    let held = stack.held_push(Request::get("/held").user(&carol), Protocol::Http1, &carol);

    stack.sim.fault(&json!({"kind": "hang"}));
    fail_five_times(&stack);
    let line = "5 calls to Duo in a row have failed";
    assert_eq!(stack.envoy.log().matches(line).count(), 1, "{}", stack.envoy.log());

    let calls = stack.sim.calls("preauth");
    let from = Instant::now();
    for number in 0..20 {
        let user = stack.sim.guest(number);
        let refused = stack.denied(&Request::get("/").user(&user));
        refused.assert_problem(503, "duo_unavailable");
        assert_eq!(refused.header("retry-after"), Some("5"));
    }
    crate::say!("20 requests were refused in {:?}", from.elapsed());
    assert!(from.elapsed() < Duration::from_secs(2), "{:?}", from.elapsed());
    assert_eq!(stack.sim.calls("preauth"), calls);
    let ready = stack.denied(&Request::get("/.duo-mfa/readyz").user("alice"));
    assert_eq!(ready.json()["breaker_open"], json!([{"keys": "auth_api"}]), "{}", ready.text());
    let (_, seen) = stack.admitted(&Request::get("/").user("two").cookie(&cookie));
    assert_eq!(seen.values("x-duo-mfa-factor"), ["push"]);

    // One request has tried Duo in vain, so the breaker is as it was.
    std::thread::sleep(Duration::from_secs(10));
    stack.denied(&Request::get("/").user(&carol)).assert_problem(503, "duo_unavailable");
    assert!(is_open(&stack));

    stack.sim.clear_faults();
    let dave = stack.sim.guest(30);
    stack.sim.always(&dave, "approve");
    let from = Instant::now();
    stack.judged(Verdict::Admitted(1), "a sign-in after Duo's return", || {
        while stack.send(&Request::get("/").user(&dave)).status != 200 {
            assert!(from.elapsed() < RECOVERS, "{:?}", from.elapsed());
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    crate::say!("Duo was asked again {:?} after its return", from.elapsed());
    eventually("a closed breaker", || (!is_open(&stack)).then_some(()));
    assert_eq!(stack.envoy.log().matches("Duo answers again").count(), 1);

    let reply = stack.judged(Verdict::Admitted(1), "a push that was sent before", || {
        stack.sim.answer(&carol, "approve");
        held.reply()
    });
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn the_background_check_notices_duos_return_if_no_request_comes() {
    let stack = start();
    stack.sim.fault(&json!({"kind": "refuse"}));
    fail_five_times(&stack);
    stack.sim.clear_faults();
    let from = Instant::now();
    while is_open(&stack) {
        assert!(from.elapsed() < RECOVERS, "{:?}", from.elapsed());
        std::thread::sleep(Duration::from_millis(100));
    }
    crate::say!("the check closed the breaker {:?} after Duo's return", from.elapsed());
    stack.signed_in("two");
}

#[test]
fn a_retry_after_of_duos_is_kept_by_both_workers() {
    let stack = start();
    let body = r#"{"stat": "FAIL", "code": 50301, "message": "Try later"}"#;
    stack.sim.fault(&json!({
        "endpoint": "preauth", "kind": "raw", "status": 503, "body": body, "headers": [["retry-after", "3"]],
    }));
    let refused = stack.denied(&Request::get("/").user("two"));
    refused.assert_problem(503, "duo_unavailable");
    assert_eq!(refused.header("retry-after"), Some("3"));
    stack.sim.clear_faults();
    stack.await_tick();
    let calls = stack.sim.calls("preauth");
    for number in 0..8 {
        let user = stack.sim.guest(number);
        stack.denied(&Request::get("/").user(&user)).assert_problem(503, "duo_unavailable");
    }
    assert_eq!(stack.sim.calls("preauth"), calls);
    std::thread::sleep(Duration::from_secs(3));
    stack.signed_in("two");
}
