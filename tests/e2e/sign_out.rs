//! Sign-outs in a real Envoy: the button on the page, and the address of the first factor.

use serde_json::json;

use crate::browser::{Browser, PENDING};
use crate::message::Request;
use crate::setup::Setup;
use crate::stack::{APPROVAL, Stack};
use crate::tally::Verdict;

#[test]
fn page_signs_out_by_its_button_and_never_by_a_get() {
    let stack = Stack::standard();
    let mut alice = Browser::of("alice");
    alice.sign_in(&stack);
    let page = alice.open(&stack, "/.duo-mfa/logout?next=%2Foauth2%2Fsign_out");
    assert_eq!((page.status, page.values("set-cookie").len()), (200, 0));
    alice.reaches_the_application(&stack, "/reports");
    let text = page.text();
    let (_, rest) = text.split_once("formaction=\"").expect("a button");
    let page = alice.submit(&stack, rest.split_once('"').unwrap().0);
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.text().contains("content=\"0;url=/oauth2/sign_out\""), "{}", page.text());
    assert!(!alice.has(APPROVAL));
    assert_eq!(alice.open(&stack, "/reports").status, 403);
}

#[test]
fn sign_out_of_the_first_factor_ends_the_approval() {
    let stack = Stack::start(Setup::default().plugin(json!({
        "session": {"logout_paths": ["/oauth2/sign_out"]},
        "access_control": {"rules": [{"paths": ["/oauth2/*"], "policy": "bypass"}]},
    })));
    stack.app.answer_with("set-cookie", "session=; Path=/; Max-Age=0");
    stack.app.answer_with("cache-control", "public, max-age=60");
    let mut alice = Browser::of("alice");
    alice.push(&stack);
    let replay = alice.clone();
    stack.sim.answer("alice", "approve");
    alice.ended(&stack);
    alice.reaches_the_application(&stack, "/reports");
    let request = alice.with_cookies(Request::get("/oauth2/sign_out?rd=%2F").navigation());
    let (reply, _) = stack.admitted(&request);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let names: Vec<_> = reply.values("set-cookie");
    let names: Vec<_> = names.iter().map(|line| line.split('=').next().unwrap()).collect();
    assert_eq!(names[0], "session", "the application's own cookie stays: {names:?}");
    assert_eq!(names.len(), 4, "{names:?}");
    alice.keep(&reply);
    assert!(!alice.has(APPROVAL) && !alice.has(PENDING));
    assert_eq!(alice.open(&stack, "/reports").status, 403);
    // A copy of the sign-in's token gives no approval any more.
    let mut replay = replay;
    let state = stack.judged(Verdict::Denied, "a replay", || replay.fetch(&stack, "GET", "status"));
    assert_eq!(state.status, 400, "{}", state.text());
}
