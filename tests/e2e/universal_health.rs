//! The background check of the Web SDK application: `readyz`, the metric and the log.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::envoy::{Envoy, await_tick};
use crate::http1::Connection;
use crate::message::Request;
use crate::setup::{INTEGRATION_KEY, SECRET_KEY, Setup};
use crate::sim::eventually;
use crate::stack::{APPROVAL, Stack};
use crate::universal::{CLIENT_ID, CLIENT_SECRET, PAGE, approves, press, says, setup};

const UP: &str = "wasmcustom.duo_mfa_duo_up";
const WELL: &str = "Duo's Universal Prompt answers and accepts the credentials";
const FAILED: &str = "the check of Duo's Universal Prompt failed";
const OTHER_SECRET: &str = "AnotherTestSecretAnotherTestSecretABCDEF";

/// The status and document of `readyz`.
fn readyz_at(listener: SocketAddr) -> (u16, Value) {
    let ask = Request::get("/.duo-mfa/readyz").user("alice");
    let reply = Connection::open(listener).exchange(&ask).expect("an answer");
    (reply.status, reply.json())
}

/// Waits until each worker has read the results of all first checks.
fn settled(envoy: &Envoy) -> (u16, Value) {
    let is_known = |(status, document): &(u16, Value)| {
        *status == 200 || !document.to_string().contains("unchecked")
    };
    let settled =
        eventually("the first checks", || Some(readyz_at(envoy.listener)).filter(is_known));
    await_tick();
    assert_eq!(readyz_at(envoy.listener), settled, "all workers know the same");
    settled
}

fn start(setup: Setup) -> Stack {
    let stack = Stack::start(setup.plugin(json!({"duo": {"check_interval": "1s"}})));
    approves(&stack.sim, "alice");
    stack
}

/// The button leads nowhere, and admits nobody.
fn assert_no_start(stack: &Stack) {
    let reply = Browser::of("alice").ask(stack, press(PAGE));
    assert_eq!((reply.status, reply.set_cookie(APPROVAL)), (503, None), "{}", reply.text());
    assert!(says(&reply, "duo_misconfigured"), "{}", reply.text());
    assert_eq!(stack.sim.calls("authorize"), 0);
}

#[test]
fn wrong_client_secret_is_not_ready_until_it_is_corrected() {
    let mut stack = start(setup());
    stack.restart_with(&[("DUO_CLIENT_SECRET", OTHER_SECRET)]);
    let causes = json!([{"keys": "web_sdk", "cause": "misconfigured"}]);
    assert_eq!(settled(&stack.envoy), (503, json!({"status": "unavailable", "causes": causes})));
    assert_eq!(stack.envoy.stat(UP), 0);
    let log = stack.envoy.log();
    let line = log.lines().find(|line| line.contains(FAILED)).expect("a line");
    assert!(line.contains("invalid_client") && line.contains("[error]"), "{line}");
    assert!(line.contains("the client secret is not that of the client ID"), "{line}");
    assert!(!log.contains(OTHER_SECRET) && !log.contains(CLIENT_SECRET), "{log}");
    assert_no_start(&stack);
    // The Auth API's keys are right: programs are not affected.
    assert!(log.contains("Duo answers and accepts the credentials"), "{log}");
    stack.signed_in("alice");

    stack.restart_with(&[("DUO_CLIENT_SECRET", CLIENT_SECRET)]);
    assert_eq!(settled(&stack.envoy), (200, json!({"status": "ok"})));
    eventually("the metric", || (stack.envoy.stat(UP) == 1).then_some(()));
    let log = stack.envoy.log();
    assert!(log.contains(WELL) && !log.contains(FAILED), "{log}");
    Browser::of("alice").signs_in_at_duo(&stack, PAGE);
}

#[test]
fn keys_of_the_auth_api_in_place_of_the_clients_have_their_own_line() {
    // The two applications' keys are exchanged: each pair is right, at the wrong place.
    let mut exchanged = setup().plugin(json!({"duo": {
        "integration_key": CLIENT_ID, "universal": {"client_id": INTEGRATION_KEY},
    }}));
    exchanged.set_variable("DUO_SECRET_KEY", CLIENT_SECRET);
    exchanged.set_variable("DUO_CLIENT_SECRET", SECRET_KEY);
    let stack = start(exchanged);
    let (status, document) = settled(&stack.envoy);
    let causes = json!([
        {"keys": "auth_api", "cause": "misconfigured"}, {"keys": "web_sdk", "cause": "misconfigured"},
    ]);
    assert_eq!((status, &document["causes"]), (503, &causes));
    let log = stack.envoy.log();
    let line = log.lines().find(|line| line.contains(FAILED)).expect("a line");
    assert!(line.contains("keys of an application of type Auth API"), "{line}");
    assert!(log.contains("the check of Duo failed"), "{log}");
    assert_no_start(&stack);
}

#[test]
fn skewed_clock_is_learned_and_a_warning() {
    for seconds in [-4_000, 600] {
        let stack = start(setup());
        stack.sim.fault(&json!({"kind": "skew", "seconds": seconds}));
        let other = stack.another_envoy();
        assert_eq!(settled(&other), (200, json!({"status": "ok"})));
        let log = other.log();
        let line = log.lines().find(|line| line.contains(WELL)).expect("a line");
        assert!(line.contains("[warning]"), "{line}");
        // The two clocks are read in whole seconds.
        let said = [seconds - 1, seconds, seconds + 1]
            .map(|seconds| format!("its clock is {seconds} s ahead of this host's"));
        assert!(said.iter().any(|said| line.contains(said)), "{line}");
        assert!(!log.contains(FAILED), "{log}");
    }
}

#[test]
fn each_change_is_seen_and_logged_once() {
    let stack = start(setup());
    assert_eq!(settled(&stack.envoy).0, 200);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let refused = json!({"stat": "FAIL", "code": 40002, "message": "invalid_client",
        "message_detail": "The provided client_assertion was invalid.", "timestamp": now.as_secs()});
    let refusal = json!({"kind": "raw", "status": 400, "body": refused.to_string()});
    let count = |said: &str| {
        let log = stack.envoy.log();
        log.lines().filter(|line| line.contains("Universal Prompt") && line.contains(said)).count()
    };
    eventually("the first line", || (count(WELL) == 1).then_some(()));
    for (number, (mut fault, cause, said)) in (2..).zip([
        (json!({"kind": "refuse"}), "unavailable", "Duo cannot be reached"),
        (refusal, "misconfigured", "the client secret is not that of the client ID"),
        (json!({"kind": "rate_limit"}), "unavailable", "Duo limits the rate of calls"),
        (json!({"kind": "malformed"}), "unavailable", "the response is not from Duo"),
    ]) {
        fault["endpoint"] = json!("health_check");
        stack.sim.fault(&fault);
        let causes = json!([{"keys": "web_sdk", "cause": cause}]);
        eventually("the fault to be seen", || {
            (readyz_at(stack.envoy.listener).1["causes"] == causes).then_some(())
        });
        eventually("the line of the fault", || (count(said) > 0).then_some(()));
        stack.sim.clear_faults();
        eventually("one more line", || (count(WELL) == number).then_some(()));
        eventually("readiness", || (readyz_at(stack.envoy.listener).0 == 200).then_some(()));
        stack.await_tick();
    }
    eventually("the metric", || (stack.envoy.stat(UP) == 1).then_some(()));
}

#[test]
fn one_health_check_serves_all_workers() {
    let stack = Stack::start(Setup { workers: 4, ..setup() });
    thread::sleep(Duration::from_secs(4));
    let calls = ["ping", "check", "health_check"].map(|endpoint| stack.sim.calls(endpoint));
    assert_eq!(calls, [1, 1, 1]);
}
