//! Tests the sections of `docs/failures.md` about Duo's Universal Prompt against a real Envoy: each row that a fault
//! of the simulator can cause.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::failures::{Row, cells, hold, is_ready, refusal_in_words, row, simulated};
use crate::sim::eventually;
use crate::stack::{APPROVAL, Stack};
use crate::tally::Verdict;
use crate::universal::{approves, start_with};

const START: &str = "start?return_to=%2Freports";

/// The faults with a row in the sections about these calls. The clock's is tested with the clock of the whole simulator.
fn faults() -> Vec<(&'static str, Value)> {
    let mut faults = simulated();
    faults.retain(|(name, _)| *name != "clock skew");
    for (name, fault) in &mut faults {
        if *name == "malformed" {
            fault["body"] = json!(r#"{"stat":"PERHAPS"}"#);
        }
    }
    faults
}

fn refusal() -> Value {
    let body = json!({"stat": "FAIL", "code": 40002, "message": "invalid_client"});
    json!({"kind": "raw", "status": 400, "body": body.to_string()})
}

fn oauth_error(word: &str) -> Value {
    json!({"kind": "raw", "status": 400, "body": json!({"error": word}).to_string()})
}

fn at(endpoint: &str, mut fault: Value) -> Value {
    fault["endpoint"] = json!(endpoint);
    fault
}

/// The number of health checks that requests have made.
fn checks_of_requests(stack: &Stack) -> u64 {
    stack.await_tick();
    stack.envoy.stat("wasmcustom.duo_mfa_duo_calls.endpoint.health_check")
}

/// The page's script asks to leave for Duo's page; the outcome in the page's words.
fn press(stack: &Stack, user: &str) -> String {
    let reply = Browser::of(user).fetch(stack, "POST", START);
    if reply.set_cookie(APPROVAL).is_some() {
        return "passes unverified".to_owned();
    }
    if reply.status == 200 && reply.json()["location"].is_string() {
        return "passes".to_owned();
    }
    refusal_in_words(&reply, reply.json()["code"].as_str().expect("a code"))
}

/// Waits until each worker knows that Duo is well. The first that knows says so at once; another one is not ready until its
/// next tick, which does not mean that a check failed.
fn await_readiness(stack: &Stack) {
    eventually("readiness", || is_ready(stack).then_some(()));
    stack.await_tick();
}

fn assert_lasting_faults_lead_where_the_page_says(fail_mode: &str) {
    let stack = start_with(json!({"duo": {
        "fail_mode": fail_mode, "check_interval": "1s", "timeout": "1s",
    }}));
    await_readiness(&stack);
    let mut faults = faults();
    faults.push(("wrong client secret", refusal()));
    for (number, (name, fault)) in faults.into_iter().enumerate() {
        let Row { calls, lasting, .. } = row("health_check", name, fail_mode);
        stack.sim.fault(&at("health_check", fault));
        let standing = &cells("health_check in the background", name)[1];
        assert!(standing.starts_with("not ready"), "{name}: {standing}");
        eventually("a failed check", || (!is_ready(&stack)).then_some(()));
        hold(&format!("{name} at health_check in the background"));
        let before = checks_of_requests(&stack);
        let occasion = format!("{name} at health_check, lasting, {fail_mode}");
        assert_eq!(press(&stack, &stack.sim.guest(number)), lasting, "{occasion}");
        let made = checks_of_requests(&stack) - before;
        // The background check has met the 429 before, and Duo's wait holds for requests too.
        let calls = if name == "429" { "0" } else { &calls };
        assert_eq!(made.to_string(), calls, "{occasion}");
        hold(&occasion);
        stack.await_tick();
        stack.sim.clear_faults();
        await_readiness(&stack);
    }
}

#[test]
fn lasting_faults_at_the_health_check_lead_where_the_page_says_under_secure() {
    assert_lasting_faults_lead_where_the_page_says("secure");
}

#[test]
fn lasting_faults_at_the_health_check_lead_where_the_page_says_under_safe() {
    assert_lasting_faults_lead_where_the_page_says("safe");
}

#[test]
fn single_faults_at_the_health_check_lead_where_the_page_says() {
    let stack = start_with(json!({"duo": {"timeout": "1s"}}));
    await_readiness(&stack);
    for (number, (name, mut fault)) in faults().into_iter().enumerate() {
        // The check that the fault before has made due must not meet this one.
        stack.await_tick();
        fault["times"] = json!(1);
        stack.sim.fault(&at("health_check", fault));
        let occasion = format!("{name} at health_check, once");
        let once = &cells("health_check", name)[1];
        assert_eq!(press(&stack, &stack.sim.guest(number)), *once, "{occasion}");
        hold(&occasion);
        stack.sim.clear_faults();
    }
}

/// Waits for the line of the log about a user's refusal, and gives its code. Pages do not show it.
fn refused_as(stack: &Stack, user: &str) -> String {
    let user = format!(r#""user":"{user}""#);
    let line = eventually("the line of the refusal", || {
        let log = stack.envoy.log();
        log.lines().rfind(|line| line.contains(&user)).map(str::to_owned)
    });
    let document: Value = serde_json::from_str(&line[line.find('{').unwrap()..]).unwrap();
    document["code"].as_str().expect("a code").to_owned()
}

#[test]
fn faults_at_token_lead_where_the_page_says() {
    let stack = start_with(json!({"duo": {"fail_mode": "safe", "timeout": "1s"}}));
    let mut faults = faults();
    faults.push(("wrong client secret", oauth_error("invalid_client")));
    faults.push(("used or expired code", oauth_error("invalid_grant")));
    let other = json!({"kind": "secret", "secret": "AnotherTestSecretAnotherTestSecretABCDEF"});
    faults.push(("id_token of somebody else", other));
    for (number, (name, fault)) in faults.into_iter().enumerate() {
        let user = stack.sim.guest(number);
        approves(&stack.sim, &user);
        let mut browser = Browser::of(&user);
        let target = browser.is_approved(&stack, "/reports");
        stack.sim.fault(&at("token", fault));
        let reply = browser.returns(&stack, &target);
        assert_eq!(reply.set_cookie(APPROVAL), None, "{name}");
        let code = stack.judged(Verdict::Denied, name, || refused_as(&stack, &user));
        assert_eq!(
            refusal_in_words(&reply, &code),
            cells("token", name)[1],
            "{name}: {}",
            reply.text()
        );
        hold(&format!("{name} at token"));
        stack.sim.clear_faults();
    }
}
