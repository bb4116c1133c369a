//! Sign-ins at Duo's page while Duo is down, slow, wrong, or does not know the application.

use crate::browser::Browser;
use crate::message::Reply;
use crate::stack::{APPROVAL, Stack};
use crate::universal::{PAGE, assert_refused, press, settled_checks, start, start_with};
use serde_json::{Value, json};

fn fault(stack: &Stack, endpoint: &str, mut fault: Value) {
    fault["endpoint"] = json!(endpoint);
    stack.sim.fault(&fault);
}

/// Presses the button while the health check has this fault.
fn pressed(stack: &Stack, times: Option<u32>, mut what: Value) -> Reply {
    stack.sim.clear_faults();
    if let Some(times) = times {
        what["times"] = json!(times);
    }
    fault(stack, "health_check", what);
    Browser::of("alice").ask(stack, press(PAGE))
}

#[test]
fn failed_health_check_is_repeated_once_and_then_fails_closed() {
    let stack = start_with(json!({"duo": {"timeout": "1s"}}));
    settled_checks(&stack);
    let reply = pressed(&stack, None, json!({"kind": "status", "status": 502}));
    assert_eq!(reply.status, 503, "{reply:?} {}", reply.text());
    assert!(crate::universal::says(&reply, "duo_unavailable"), "{}", reply.text());
    let reply = pressed(&stack, Some(1), json!({"kind": "status", "status": 502}));
    assert_eq!(reply.status, 303, "one failure goes on: {reply:?} {}", reply.text());
    for what in [json!({"kind": "refuse"}), json!({"kind": "hang"})] {
        let reply = pressed(&stack, None, what.clone());
        assert_eq!(reply.status, 503, "{what}: {reply:?}");
        assert!(crate::universal::says(&reply, "duo_unavailable"), "{}", reply.text());
    }
    assert_eq!(stack.sim.calls("authorize") + stack.sim.calls("token"), 0);
}

#[test]
fn fail_mode_safe_admits_for_minutes_while_duo_does_not_answer() {
    // The filter's own check has to fail too: a client can make its own calls fail.
    let stack = start_with(json!({"duo": {"fail_mode": "safe", "check_interval": "1s"}}));
    stack.sim.fault(&json!({"kind": "status", "status": 502}));
    stack.await_failed_check("Duo's Universal Prompt");
    let mut alice = Browser::of("alice");
    alice.ask(&stack, press(PAGE));
    assert!(alice.has(APPROVAL), "an approval for some minutes");
    let seen = alice.is_admitted(&stack, PAGE);
    assert_eq!(seen.values("x-duo-mfa-factor"), ["fail_safe"]);
}

#[test]
fn press_after_duo_went_down_meets_the_fail_mode_of_the_rule() {
    let stack = start_with(json!({
        "duo": {"fail_mode": "safe", "check_interval": "1s"},
        "access_control": {"rules": [
            {"paths": ["/admin/*"], "policy": "two_factor", "fail_mode": "secure"},
        ]},
    }));
    // Two browsers are at Duo's page when Duo goes down. Their users go back and press again.
    let [mut strict, mut lenient] = [(); 2].map(|()| Browser::of("alice"));
    strict.leaves(&stack, "/admin/x");
    lenient.leaves(&stack, PAGE);
    stack.sim.fault(&json!({"kind": "status", "status": 502}));
    stack.await_failed_check("Duo's Universal Prompt");
    assert_eq!(strict.open(&stack, "/admin/x").status, 403, "the start page again");
    let reply = strict.ask(&stack, press("/admin/x"));
    assert_eq!(reply.status, 503, "{reply:?}");
    assert!(crate::universal::says(&reply, "duo_unavailable"), "{}", reply.text());
    assert!(!strict.has(APPROVAL));
    lenient.ask(&stack, press(PAGE));
    assert!(lenient.has(APPROVAL));
    let seen = lenient.is_admitted(&stack, PAGE);
    assert_eq!(seen.values("x-duo-mfa-factor"), ["fail_safe"]);
    // That approval does not open what the strict rule covers.
    assert_eq!(lenient.open(&stack, "/admin/x").status, 403);
    assert_eq!(stack.sim.calls("token"), 0);
}

#[test]
fn wrong_answers_of_the_health_check_never_fail_open() {
    let stack = start_with(json!({"duo": {"fail_mode": "safe"}, "limits": {"starts": 9}}));
    settled_checks(&stack);
    let twice = "{\"stat\":\"OK\",\"stat\":\"OK\",\"response\":{\"timestamp\":1}}";
    for (what, status) in [
        (json!({"kind": "raw", "status": 200, "body": "<html>"}), 503),
        (json!({"kind": "raw", "status": 200, "body": twice}), 503),
        (json!({"kind": "rate_limit"}), 429),
        (json!({"kind": "secret", "secret": "x"}), 303),
    ] {
        let reply = pressed(&stack, None, what.clone());
        assert_eq!(reply.status, status, "{what}: {reply:?} {}", reply.text());
        assert_eq!(reply.set_cookie(APPROVAL), None, "{what}");
    }
    stack.sim.clear_faults();
    let refused = json!({"stat": "FAIL", "code": 40002, "message": "invalid_client",
        "message_detail": "The provided client_assertion was invalid.", "timestamp": 1});
    let what = json!({"kind": "raw", "status": 400, "body": refused.to_string()});
    let reply = pressed(&stack, None, what);
    assert_eq!((reply.status, reply.set_cookie(APPROVAL)), (503, None), "{}", reply.text());
}

#[test]
fn token_is_called_once_whatever_comes_back_and_never_fails_open() {
    let stack = start_with(json!({"duo": {"fail_mode": "safe", "timeout": "1s"}}));
    for (number, what) in [
        json!({"kind": "hang"}),
        json!({"kind": "status", "status": 502}),
        json!({"kind": "status", "status": 502, "acts": true}),
        json!({"kind": "truncated"}),
        json!({"kind": "refuse"}),
        json!({"kind": "huge", "bytes": 71_680}),
        json!({"kind": "raw", "status": 200, "body": "<html>"}),
        json!({"kind": "raw", "status": 201, "body": "{}"}),
    ]
    .into_iter()
    .enumerate()
    {
        stack.sim.clear_faults();
        let mut alice = Browser::of("alice");
        let user = stack.sim.guest(number);
        crate::universal::approves(&stack.sim, &user);
        let mut browser = Browser::of(&user);
        let target = browser.is_approved(&stack, PAGE);
        fault(&stack, "token", what.clone());
        let reply = browser.returns(&stack, &target);
        assert_eq!(reply.status, 503, "{what}: {reply:?} {}", reply.text());
        assert_eq!(reply.set_cookie(APPROVAL), None, "{what}");
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"), "{what}");
        assert_eq!(stack.sim.calls("token"), number + 1, "{what}: not repeated");
        // Loaded again it is used, not asked about again.
        stack.sim.clear_faults();
        assert_refused(&browser.returns(&stack, &target), 403, "sign_in_lost");
        assert_eq!(stack.sim.calls("token"), number + 1, "{what}");
        alice.jar.clear();
    }
}

#[test]
fn id_tokens_with_a_wrong_part_approve_nobody() {
    let stack = start();
    for (number, what) in [
        json!({"kind": "claims", "merge": {"auth_result": {"result": "deny"}}}),
        json!({"kind": "claims", "merge": {"auth_result": {"status": "deny"}}}),
        json!({"kind": "claims", "drop": ["auth_result"]}),
        json!({"kind": "claims", "merge": {"iss": "https://evil.test/oauth/v1/token"}}),
        json!({"kind": "claims", "merge": {"aud": "DIOTHEROTHEROTHER001"}}),
        json!({"kind": "claims", "merge": {"exp": 1}}),
        json!({"kind": "claims", "drop": ["exp"]}),
        json!({"kind": "claims", "merge": {"iat": 4_000_000_000_u32}}),
        json!({"kind": "claims", "merge": {"nonce": "another-nonce-of-this-attempt"}}),
        json!({"kind": "nonce", "nonce": "omit"}),
        json!({"kind": "secret", "secret": "AnotherTestSecretAnotherTestSecretABCDEF"}),
        json!({"kind": "algorithm", "algorithm": "none"}),
        json!({"kind": "algorithm", "algorithm": "HS256"}),
        json!({"kind": "header", "text": "{\"alg\":\"HS512\",\"crit\":[\"exp\"]}"}),
        json!({"kind": "raw_id_token", "value": {"a": 1}}),
        json!({"kind": "raw_id_token", "value": "a.b.c"}),
        json!({"kind": "user", "user": "bob"}),
    ]
    .into_iter()
    .enumerate()
    {
        stack.sim.clear_faults();
        let user = stack.sim.guest(number);
        crate::universal::approves(&stack.sim, &user);
        fault(&stack, "token", what.clone());
        let mut browser = Browser::of(&user);
        let target = browser.is_approved(&stack, PAGE);
        let reply = browser.returns(&stack, &target);
        assert!(matches!(reply.status, 403 | 503), "{what}: {reply:?} {}", reply.text());
        assert!(!browser.has(APPROVAL), "{what}");
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"), "{what}");
    }
    assert_eq!(stack.sim.calls("token"), 17);
    stack.assert_alive();
}

#[test]
fn wrong_client_secret_is_a_misconfiguration() {
    let mut setup = crate::universal::setup();
    setup.set_variable("DUO_CLIENT_SECRET", &"x".repeat(40));
    let stack = Stack::start(setup);
    crate::universal::approves(&stack.sim, "alice");
    let reply = Browser::of("alice").ask(&stack, press(PAGE));
    assert_eq!(reply.status, 503, "{reply:?} {}", reply.text());
    assert!(crate::universal::says(&reply, "duo_misconfigured"), "{}", reply.text());
    assert!(stack.envoy.log().contains("invalid_client"), "{}", stack.envoy.log());
    assert_eq!(stack.sim.calls("authorize"), 0);
}

#[test]
fn clock_of_duo_far_from_ours_is_learned_from_its_answer() {
    for seconds in [-600, 600] {
        let stack = start();
        stack.sim.fault(&json!({"kind": "skew", "seconds": seconds}));
        let mut alice = Browser::of("alice");
        // The first press may find that the clocks differ; then it is known.
        alice.ask(&stack, press(PAGE));
        // The callback may reach another worker. A person spends longer than this at Duo's page.
        stack.await_tick();
        alice.signs_in_at_duo(&stack, PAGE);
        alice.is_admitted(&stack, PAGE);
    }
}
