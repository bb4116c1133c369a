//! Browsers sign in at Duo's page, programs are refused, and there are no keys of the Auth API.

use serde_json::json;

use crate::browser::{Browser, fetched};
use crate::message::Request;
use crate::sim::eventually;
use crate::stack::Stack;
use crate::universal::{PAGE, approves, setup};

#[test]
fn browser_signs_in_and_the_auth_api_gets_no_call() {
    let mut setup = setup().plugin(json!({
        "duo": {"integration_key": null, "secret_key": null, "check_interval": "1s"},
        "api": {"mode": "refuse"},
    }));
    setup.environment.retain(|(name, _)| *name != "DUO_SECRET_KEY");
    let stack = Stack::start(setup);
    approves(&stack.sim, "alice");

    let refused = stack.denied(&Request::get(PAGE).user("alice"));
    assert_eq!(refused.status, 403, "{refused:?}");
    for endpoint in ["preauth", "auth?factor=push"] {
        let absent = Browser::of("alice").ask(&stack, fetched("POST", endpoint));
        assert_eq!(absent.status, 404, "{absent:?}");
    }

    let mut alice = Browser::of("alice");
    alice.signs_in_at_duo(&stack, PAGE);
    let seen = alice.is_admitted(&stack, PAGE);
    assert_eq!(seen.values("x-duo-mfa-factor"), ["push"]);
    // The background check has run more than once meanwhile.
    eventually("a second check", || (stack.sim.calls("health_check") > 2).then_some(()));

    let paths = stack.sim.journal();
    let paths: Vec<_> = paths.iter().map(|entry| entry["path"].as_str().unwrap()).collect();
    let is_auth_api = |path: &&&str| path.starts_with("/auth/");
    assert_eq!(paths.iter().filter(is_auth_api).count(), 0, "{paths:?}");
    assert!(paths.contains(&"/oauth/v1/token"), "{paths:?}");
}
