//! Duo refuses one factor of a user: the reason is shown, and the user goes on by another factor.

use serde_json::json;

use crate::browser::Browser;
use crate::message::Request;
use crate::sim::eventually;
use crate::stack::{APPROVAL, Stack};

#[test]
fn one_refused_factor_leaves_the_others_to_page_and_program() {
    let stack = Stack::standard();
    stack.sim.fault(&json!({
        "endpoint": "auth", "factor": "push", "kind": "fail", "code": 40002, "detail": "factor",
    }));

    let mut alice = Browser::of("alice");
    alice.open(&stack, "/reports");
    let refused = alice.fetch(&stack, "POST", "auth?factor=push");
    refused.assert_problem(403, "factor_refused");
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("Invalid request parameters: factor"), "{detail}");
    let offered = alice.fetch(&stack, "POST", "preauth").json()["factors"].clone();
    assert!(offered.as_array().unwrap().contains(&json!("phone")), "{offered}");
    let page = alice.submit(&stack, "/.duo-mfa/auth?factor=push");
    assert_eq!((page.status, page.text().contains("Use another way")), (403, true), "{page:?}");

    let called = alice.fetch(&stack, "POST", "auth?factor=phone");
    assert_eq!(called.status, 202, "{}", called.text());
    stack.sim.answer("alice", "approve");
    eventually("the approval", || {
        let state = alice.fetch(&stack, "GET", "status").json();
        (state["state"] == "approved").then_some(())
    });
    assert!(alice.has(APPROVAL));
    let request = alice.with_cookies(Request::get("/reports").navigation());
    let (_, seen) = stack.admitted(&request);
    assert_eq!(seen.values("x-duo-mfa-factor"), ["phone"]);

    let refused = stack.denied(&Request::get("/").user("two"));
    refused.assert_problem(403, "factor_refused");
    assert!(refused.json()["start_url"].is_string(), "{}", refused.text());
    assert_eq!(stack.sim.pushes(), 0);
    assert!(!stack.envoy.log().contains("duo_misconfigured"), "nobody is woken");
}
