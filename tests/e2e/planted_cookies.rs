//! Cookies with the filter's names that the application, or a service behind it, sets. A browser stores them
//! and sends them back.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::{Browser, PENDING};
use crate::message::{Reply, Request};
use crate::setup::Setup;
use crate::stack::{APPROVAL, Stack};

/// The name of the approval cookie in the tests of edited responses.
const RENAMED: &str = "__Host-payroll";

/// `Set-Cookie` lines that a browser stores, and sends back under a name of the filter.
const PLANTED: [&str; 13] = [
    "__Host-payroll=planted; Path=/; Secure",
    "__Host-payroll = planted; Path=/; Secure",
    "__Host-payroll=; Path=/; Secure; Max-Age=0",
    "__Host-payroll",
    "=__Host-payroll=planted; Path=/; Secure",
    "= __Host-payroll =planted; Path=/; Secure",
    "=__Host-payroll; Path=/; Secure",
    "__Host-duo_mfa=planted; Path=/; Secure; HttpOnly; SameSite=None; Partitioned",
    "__Host-duo_txn=planted; Path=/; Secure; Domain=example.com",
    "__Host-duo_operation=planted",
    "__Host-duo_preferred=planted",
    "=__Host-duo_device=planted",
    "__Host-duo_later=planted",
];

/// Cookies of the application.
const KEPT: [&str; 6] = [
    "a=1; Path=/",
    "__Host-app=1; Path=/; Secure",
    "__Host-payrolls=1; Path=/; Secure",
    "__Host-duo=1; Path=/; Secure",
    "b=__Host-duo_mfa=1; Path=/",
    "c=2; __Host-duo_mfa=1",
];

/// Asserts that an edited response has the application's cookies in their order, and then the filter's.
fn assert_edited(reply: &Reply, own: &[&str]) {
    let lines = reply.values("set-cookie");
    let (kept, added) = lines.split_at(KEPT.len().min(lines.len()));
    assert_eq!(kept, KEPT, "{lines:?}");
    let names: Vec<_> = added.iter().map(|line| line.split('=').next().unwrap()).collect();
    assert_eq!(names, own, "{lines:?}");
    assert!(!added.join("\n").contains("planted"), "{added:?}");
}

/// A stack whose application sends every planted line between its cookies.
fn planting(session: Value, rule: Value) -> Stack {
    let setup = Setup::default().plugin(json!({
        "session": {"cookie": RENAMED}, "access_control": {"rules": [rule]},
    }));
    let stack = Stack::start(setup.plugin(json!({"session": session})));
    for (number, planted) in PLANTED.iter().enumerate() {
        stack.app.answer_with("set-cookie", planted);
        if let Some(kept) = KEPT.get(number) {
            stack.app.answer_with("set-cookie", kept);
        }
    }
    stack
}

#[test]
fn planted_cookies_of_every_form_go_from_every_edited_response() {
    let stack = planting(
        json!({"inactivity": "4s", "expiration": "1m"}),
        json!({"paths": ["/wire"], "policy": "two_factor", "approval": "per_request"}),
    );

    // The request that was held.
    let held = Request::get("/sign-in").user("alice");
    let reply = stack.answered_push(held, "alice", "approve");
    assert_edited(&reply, &[RENAMED]);
    let approval = reply.set_cookie(RENAMED).expect("an approval").to_owned();

    // The request that renews the approval.
    sleep(Duration::from_millis(1500));
    let background = Request::get("/")
        .user("alice")
        .all(&[("sec-fetch-mode", "cors"), ("sec-fetch-site", "same-origin")]);
    let (reply, _) = stack.admitted(&background.cookie(&approval));
    assert_edited(&reply, &[RENAMED]);

    // The request that uses its own approval up.
    let mut alice = Browser::of("alice");
    let auth = "auth?factor=push&device=auto&return_to=%2Fwire";
    assert_eq!(alice.fetch(&stack, "POST", auth).status, 202);
    stack.sim.answer("alice", "approve");
    assert_eq!(alice.ended(&stack)["state"], "approved");
    let (reply, _) = stack.admitted(&alice.with_cookies(Request::get("/wire").navigation()));
    assert_edited(&reply, &["__Host-duo_operation"]);
}

#[test]
fn planted_cookies_of_every_form_go_from_the_response_of_a_sign_out() {
    let stack = planting(
        json!({"logout_paths": ["/sign_out"]}),
        json!({"paths": ["/sign_out"], "policy": "bypass"}),
    );
    let held = Request::get("/sign-in").user("alice");
    let reply = stack.answered_push(held, "alice", "approve");
    let approval = reply.set_cookie(RENAMED).expect("an approval").to_owned();
    let (reply, _) = stack.admitted(&Request::get("/sign_out").user("alice").cookie(&approval));
    assert_edited(&reply, &[RENAMED, PENDING, "__Host-duo_operation"]);
}

/// Has the application plant a cookie in the response to a request that passes. The browser stores it.
fn plant(stack: &Stack, browser: &mut Browser, name: &str, value: &str) {
    let line = format!("{name}={value}; Path=/; Secure");
    stack.app.answer_with("set-cookie", &line);
    let (reply, _) = stack.admitted(&browser.with_cookies(Request::get("/").navigation()));
    assert_eq!(reply.values("set-cookie"), [line], "a plain pass is not edited");
    assert_eq!(reply.header("cache-control"), None);
    browser.keep(&reply);
    assert_eq!(browser.jar[name], value);
}

fn approval_of(stack: &Stack, user: &str) -> String {
    let mut browser = Browser::of(user);
    browser.sign_in(stack);
    browser.jar[APPROVAL].clone()
}

fn approval_of_a_guest() -> String {
    let stack = Stack::standard();
    let guest = stack.sim.guest(0);
    approval_of(&stack, &guest)
}

/// An approval of Alice from another configuration.
fn made_by(setup: Setup) -> String {
    approval_of(&Stack::start(setup), "alice")
}

#[test]
fn planted_approval_stays_on_a_plain_pass_and_admits_nobody() {
    let another_key = {
        let mut setup = Setup::default();
        setup.environment[1].1 = "d2Vha25lc3MgaXMgbm90IHdoYXQgdGhpcyBrZXkgaGFzISEh".to_owned();
        setup
    };
    let another_application = Setup::default().plugin(json!({"session": {"application": "other"}}));
    let approvals = [
        ("another user's", approval_of_a_guest()),
        ("another application's", made_by(another_application)),
        ("another key's", made_by(another_key)),
        ("text", "planted".to_owned()),
        ("text of its length", "A".repeat(182)),
    ];
    for (what, planted) in approvals {
        let stack = Stack::standard();
        let mut alice = Browser::of("alice");
        alice.sign_in(&stack);
        let own = alice.jar[APPROVAL].clone();
        plant(&stack, &mut alice, APPROVAL, &planted);
        assert_eq!(alice.open(&stack, "/reports").status, 403, "{what}");
        let background = Request::get("/reports")
            .all(&[("sec-fetch-mode", "cors"), ("sec-fetch-site", "same-origin")]);
        alice.ask(&stack, background.clone()).assert_problem(403, "mfa_required");
        let status = alice.fetch(&stack, "GET", "status");
        assert_ne!(status.json()["state"], "approved", "{what}: {}", status.text());
        // Beside the user's approval, as a separate cookie with another path or domain.
        let both = format!("{APPROVAL}={planted}; {APPROVAL}={own}");
        let both = background.user("alice").header("cookie", both);
        stack.denied(&both).assert_problem(403, "mfa_required");
        assert_eq!(stack.sim.pushes(), 1, "{what}");
        // The only harm: the user has to sign in again.
        alice.sign_in(&stack);
        alice.reaches_the_application(&stack, "/reports");
        // A program that sends it is held, like one without a cookie.
        let pair = format!("{APPROVAL}={planted}");
        let held = Request::get("/reports").user("alice").header("cookie", pair);
        stack.answered_push(held, "alice", "deny").assert_problem(403, "mfa_denied");
        assert_eq!(stack.sim.pushes(), 3, "{what}");
    }
}

#[test]
fn planted_sign_in_of_another_user_admits_nobody() {
    let stack = Stack::standard();
    let guest = stack.sim.guest(0);
    let [mut alice, mut other] = ["alice", &guest].map(Browser::of);
    alice.sign_in(&stack);
    other.push(&stack);
    let begun = other.jar[PENDING].clone();
    plant(&stack, &mut alice, PENDING, &begun);
    alice.jar.remove(APPROVAL);
    stack.sim.answer(&guest, "approve");
    assert_eq!(alice.fetch(&stack, "GET", "status").status, 400);
    assert_eq!(alice.open(&stack, "/.duo-mfa/").status, 200);
    assert_eq!(alice.open(&stack, "/reports").status, 403);
    assert!(!alice.has(APPROVAL));
    assert_eq!(other.ended(&stack)["state"], "approved");
    other.reaches_the_application(&stack, "/reports");
}
