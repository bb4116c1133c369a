//! Rules with `approver`: the request of one person is approved on the phone of another.

use serde_json::{Value, json};

use crate::browser::{Browser, PENDING};
use crate::message::{Reply, Request};
use crate::setup::{DuoLink, Setup};
use crate::stack::{APPROVAL, Protocol, Stack};
use crate::tally::Verdict;

const OPERATION: &str = "__Host-duo_operation";
const WIRE: &str = "/wire?to=7";
const NAMED: &str = "x-duo-mfa-approver";
const BY: &str = "x-duo-mfa-approved-by";
const RETURN: &str = "return_to=%2Fwire%3Fto%3D7";

fn plugin(approvers: &[&str]) -> Value {
    let rule = json!({"paths": ["/wire"], "policy": "two_factor", "approval": "per_request",
        "approver": {"users": approvers}});
    json!({"access_control": {"rules": [rule]}})
}

fn stack(approvers: &[&str]) -> Stack {
    Stack::start(Setup { workers: 2, ..Setup::default() }.plugin(plugin(approvers)))
}

fn wire() -> Request {
    Request::post(WIRE).user("alice").header("content-length", "0")
}

fn named(approver: &str) -> Request {
    wire().header(NAMED, approver)
}

/// Asserts that the request was refused and that no phone has rung for it.
fn refused_unasked(stack: &Stack, request: &Request, code: &str) -> Reply {
    let pushes = stack.sim.pushes();
    let reply = stack.denied(request);
    reply.assert_problem(403, code);
    assert_eq!(stack.sim.pushes(), pushes, "{code}");
    reply
}

/// Alice's request goes on once `two` has approved it, and both names reach the application.
#[test]
fn held_request_is_approved_by_another_person() {
    let stack = stack(&["two"]);
    for count in 1..=2 {
        let held =
            stack.held_push(wire().header("x_duo_mfa_approver", "two"), Protocol::Http1, "two");
        let shown = stack.sim.pending("two");
        let pairs = shown["context"]["pushinfo"].as_array().unwrap();
        let wanted = json!([
            ["requester", "alice"],
            ["request", "POST"],
            ["path", "/wire"],
            ["query", "to=7"]
        ]);
        assert_eq!(json!(pairs[..4]), wanted);
        assert_eq!(stack.sim.transactions(true).len(), 1, "only one phone rings");
        let reply = stack.judged(Verdict::Admitted(1), "approved", || {
            stack.sim.answer("two", "approve");
            held.reply()
        });
        assert_eq!((reply.status, reply.set_cookie(APPROVAL)), (200, None));
        let seen = stack.app.last();
        assert_eq!(seen.values("x-duo-mfa-user"), ["alice"]);
        assert_eq!(seen.values(BY), ["two"]);
        assert_eq!(seen.values(NAMED), [""; 0]);
        assert_eq!(stack.sim.pushes(), count, "each request has its own approval");
    }
}

#[test]
fn request_that_nobody_approves_is_refused() {
    for (action, code) in
        [("deny", "mfa_denied"), ("fraud", "mfa_fraud"), ("timeout", "mfa_timeout")]
    {
        let stack = stack(&["two"]);
        stack.answered_push(wire(), "two", action).assert_problem(403, code);
        // The phone is left alone, also by other users.
        let limited = stack.denied(&wire());
        limited.assert_problem(429, "too_many_requests");
        stack.denied(&Request::get(WIRE).user("rita")).assert_problem(429, "too_many_requests");
        assert_eq!(stack.sim.pushes(), 1);
        // Alice's own phone is not.
        stack.signed_in("alice");
    }
}

#[test]
fn nobody_approves_their_own_request() {
    let stack = stack(&["alice", "two"]);
    refused_unasked(&stack, &named("alice"), "approver_not_allowed");
    let reply = stack.answered_push(wire(), "two", "approve");
    assert_eq!(reply.status, 200);
    let alias = json!({"identity": {"map": [{"user": "asmith", "username": "Alice"}]}});
    let setup = Setup::default().plugin(plugin(&["asmith", "alice@example.com"])).plugin(alias);
    let stack = Stack::start(setup);
    for request in [wire(), named("asmith"), named("alice@example.com"), named("ALICE")] {
        refused_unasked(&stack, &request, "approver_not_allowed");
    }
}

#[test]
fn program_names_one_of_several_people() {
    let stack = stack(&["rita", "two"]);
    let reply = refused_unasked(&stack, &wire(), "approver_required");
    assert_eq!(reply.json()["approvers"], json!(["rita", "two"]));
    refused_unasked(&stack, &named("mallory"), "approver_not_allowed");
    for name in ["two", "rita"] {
        let reply = stack.answered_push(named(name), name, "approve");
        assert_eq!(reply.status, 200);
        assert_eq!(stack.app.last().values(BY), [name]);
    }
}

/// dave is not enrolled, carol has only text messages, tom a token, mallory is denied, eve is locked out; bella skips
/// the second factor.
#[test]
fn approver_without_a_push_approves_nothing() {
    let approvers = ["dave", "carol", "tom", "mallory", "eve", "nobody", "bella", "bob"];
    let stack = stack(&approvers);
    for name in approvers {
        let code = if name == "bella" { "approver_not_asked" } else { "approver_unavailable" };
        refused_unasked(&stack, &named(name), code);
        let passcode = named(name).header("x-duo-mfa-passcode", "123456");
        assert_ne!(stack.denied(&passcode).status, 200);
    }
    assert_eq!(stack.sim.calls("auth"), 0);
}

#[test]
fn unreachable_duo_approves_nothing() {
    let safe = json!({"duo": {"fail_mode": "safe", "check_interval": "1s"}});
    let setup = Setup { duo_link: DuoLink::ClosedPort, ..Setup::default() };
    let stack = Stack::start(setup.plugin(plugin(&["two"])).plugin(safe));
    stack.await_failed_check("Duo");
    stack.admitted(&Request::get("/").user("alice"));
    stack.denied(&wire()).assert_problem(503, "duo_unavailable");
}

fn begin(browser: &mut Browser, stack: &Stack, approver: &str) -> Reply {
    browser.fetch(stack, "POST", &format!("auth?factor=push&approver={approver}&{RETURN}"))
}

#[test]
fn page_waits_for_the_person_that_was_chosen() {
    let stack = stack(&["alice", "rita", "two"]);
    let mut alice = Browser::of("alice");
    let page = alice.open(&stack, WIRE);
    assert!(page.text().contains("Another person has to approve"), "{}", page.text());
    let choices = alice.fetch(&stack, "POST", &format!("preauth?{RETURN}")).json();
    let names: Vec<_> =
        choices["devices"].as_array().unwrap().iter().map(|it| &it["device"]).collect();
    assert_eq!(names, ["rita", "two"]);
    assert_eq!(stack.sim.calls("preauth"), 0);
    assert_eq!(begin(&mut alice, &stack, "alice").json()["code"], "approver_not_allowed");
    let begun = begin(&mut alice, &stack, "two");
    assert_eq!(begun.status, 202, "{}", begun.text());
    assert!(!begun.text().contains("Work"), "the device is theirs: {}", begun.text());
    stack.sim.answer("two", "approve");
    assert_eq!(alice.ended(&stack)["state"], "approved");
    assert!(alice.has(OPERATION) && !alice.has(APPROVAL) && !alice.has(PENDING));
    let open = || alice.with_cookies(Request::get(WIRE).navigation());
    let (_, seen) = stack.admitted(&open());
    assert_eq!(seen.values("x-duo-mfa-user"), ["alice"]);
    assert_eq!(seen.values(BY), ["two"]);
    assert_eq!(stack.denied(&open()).status, 403, "the approval is used up");
    assert_eq!(stack.sim.pushes(), 1);
}

#[test]
fn page_shows_a_denial_and_leaves_the_phone_alone() {
    let stack = stack(&["two"]);
    let mut alice = Browser::of("alice");
    begin(&mut alice, &stack, "two");
    stack.sim.answer("two", "deny");
    assert_eq!(alice.ended(&stack)["state"], "denied");
    assert_eq!(begin(&mut alice, &stack, "two").status, 429);
    assert!(!alice.has(OPERATION));
    assert_eq!(stack.denied(&alice.with_cookies(Request::get(WIRE).navigation())).status, 403);
}

/// The token of a push to another person gives nothing under other rules, and nothing to other users.
#[test]
fn sign_in_by_another_person_opens_one_request() {
    let stack = stack(&["two"]);
    let mut alice = Browser::of("alice");
    begin(&mut alice, &stack, "two");
    stack.sim.answer("two", "approve");
    let mut rita = Browser::of("rita");
    rita.jar = alice.jar.clone();
    assert_eq!(rita.fetch(&stack, "GET", "status").status, 400);
    let state = alice.fetch(&stack, "GET", "status?return_to=%2Freports");
    assert_eq!(state.json()["state"], "approved");
    assert!(alice.has(OPERATION) && !alice.has(APPROVAL));
    for target in ["/reports", "/wire?to=8", "/wire"] {
        let request = alice.with_cookies(Request::get(target).navigation());
        assert_eq!(stack.denied(&request).status, 403, "{target}");
    }
    stack.admitted(&alice.with_cookies(Request::get(WIRE).navigation()));
}

/// Only the filter names an approver to the application.
#[test]
fn name_in_the_header_never_reaches_the_application() {
    let bypass = json!({"access_control": {"rules": [{"paths": ["/wire"], "policy": "bypass"}]}});
    for changes in [json!({"mode": "off"}), json!({"mode": "report_only"}), bypass] {
        let stack = Stack::start(Setup::default().plugin(plugin(&["two"])).plugin(changes.clone()));
        let request =
            named("mallory").header("X-Duo_Mfa-Approver", "mallory").header(BY, "mallory");
        let (_, seen) = stack.admitted(&request);
        for name in [BY, NAMED, "x-duo_mfa-approver", "x_duo_mfa_approver"] {
            assert_eq!(seen.values(name), [""; 0], "{changes}");
        }
        assert_eq!(stack.sim.pushes(), 0);
    }
    let stack = stack(&["two"]);
    let cookie = stack.signed_in("alice");
    let request = Request::get("/reports").user("alice").cookie(&cookie).header(NAMED, "two");
    let (_, seen) = stack.admitted(&request.header(BY, "two"));
    assert_eq!([seen.values(NAMED), seen.values(BY)], [[""; 0]; 2]);
}

/// The approver's budget is one, over all requesters and their own sign-ins.
#[test]
fn approver_has_one_push_at_a_time() {
    let stack = stack(&["two"]);
    let held = stack.held_push(wire(), Protocol::Http1, "two");
    for request in [Request::get(WIRE).user("rita"), Request::get("/").user("two")] {
        stack.denied(&request).assert_problem(429, "pending_elsewhere");
    }
    assert_eq!(stack.sim.pushes(), 1);
    let reply = stack.judged(Verdict::Admitted(1), "approved", || {
        stack.sim.answer("two", "approve");
        held.reply()
    });
    assert_eq!(reply.status, 200);
}
