//! The sign-in of a browser in a real Envoy, by script and by plain forms.

use crate::browser::{Browser, PENDING};
use crate::message::{Reply, Request};
use crate::sim::eventually;
use crate::stack::{APPROVAL, Stack};

#[test]
fn script_signs_in_and_reaches_the_application() {
    let stack = Stack::standard();
    let mut browser = Browser::of("alice");
    let page = browser.open(&stack, "/reports?year=2026");
    assert_eq!(page.status, 403, "{page:?}");
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(stack.sim.user_calls(), 0);

    assert_eq!(browser.push(&stack)["state"], "waiting");
    let waiting = browser.fetch(&stack, "GET", "status");
    assert_eq!(waiting.json()["state"], "waiting", "{}", waiting.text());
    stack.sim.answer("alice", "approve");
    let approved = eventually("the approval", || {
        let state = browser.fetch(&stack, "GET", "status").json();
        (state["state"] == "approved").then_some(state)
    });
    assert_eq!(approved["return_to"], "/reports?year=2026");
    assert!(browser.has(APPROVAL) && !browser.has(PENDING));
    browser.reaches_the_application(&stack, "/reports?year=2026");
    assert_eq!([stack.sim.calls("auth"), stack.sim.pushes()], [1, 1]);
}

#[test]
fn plain_forms_sign_in_and_reach_the_application() {
    let stack = Stack::standard();
    let mut browser = Browser::of("alice");
    let page = browser.open(&stack, "/reports");
    let chooser = browser.submit(&stack, &action(&page, "/.duo-mfa/preauth"));
    assert_eq!(chooser.status, 200, "{chooser:?} {}", chooser.text());
    let begun = browser.submit(&stack, &action(&chooser, "/.duo-mfa/auth?factor=push"));
    assert_eq!(begun.status, 303, "{begun:?} {}", begun.text());
    let page = begun.header("location").unwrap().to_owned();
    assert_eq!(browser.open(&stack, &page).status, 200);
    stack.sim.answer("alice", "approve");
    let onward = eventually("the approval", || {
        let reply = browser.open(&stack, &page);
        (reply.status == 303).then_some(reply)
    });
    assert_eq!(onward.header("location"), Some("/reports"));
    browser.reaches_the_application(&stack, "/reports");
    assert_eq!(stack.sim.pushes(), 1);
}

/// The address of the first button that leads to an endpoint.
fn action(page: &Reply, endpoint: &str) -> String {
    let text = page.text();
    let start = format!("formaction=\"{}", endpoint.replace('&', "&amp;"));
    let at = text.find(&start).unwrap_or_else(|| panic!("no button to {endpoint}: {text}"));
    let value = text[at..].split('"').nth(1).unwrap();
    value.replace("&amp;", "&")
}

#[test]
fn denied_push_is_reported_and_approves_nothing() {
    let stack = Stack::standard();
    let mut browser = Browser::of("alice");
    browser.push(&stack);
    stack.sim.answer("alice", "deny");
    let denied = eventually("the denial", || {
        let state = browser.fetch(&stack, "GET", "status").json();
        (state["state"] != "waiting").then_some(state)
    });
    assert_eq!((&denied["state"], &denied["code"]), (&"denied".into(), &"mfa_denied".into()));
    assert_eq!(browser.jar.len(), 0, "{:?}", browser.jar);
    assert_eq!(browser.open(&stack, "/reports").status, 403);
}

#[test]
fn page_is_answered_to_head_without_a_body() {
    let stack = Stack::standard();
    let reply = stack.denied(&Request::new("HEAD", "/reports").user("alice").navigation());
    assert_eq!((reply.status, reply.body.len()), (403, 0), "{reply:?}");
}
