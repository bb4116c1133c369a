//! The text on the phone. A requester cannot use it to send the owner a message.

use serde_json::{Value, json};

use crate::message::Request;
use crate::setup::Setup;
use crate::stack::{Protocol, Stack};
use crate::tally::Verdict;

/// Returns the pairs that the push on `user`'s phone shows, and denies the push.
fn shown(stack: &Stack, request: Request, user: &str) -> Value {
    let held = stack.held_push(request, Protocol::Http1, user);
    let mut shown = stack.sim.pending(user)["context"]["pushinfo"].clone();
    let last = shown.as_array_mut().unwrap().pop().unwrap();
    assert_eq!((&last[0], last[1].as_str().unwrap().len()), (&json!("reference"), 8));
    stack.judged(Verdict::Denied, "a denied push", || {
        stack.sim.answer(user, "deny");
        held.reply()
    });
    shown
}

#[test]
fn requester_cannot_write_on_the_phone() {
    let stack = Stack::start(Setup::default().plugin(json!({
        "push": {"hosts": ["app.example.com"]},
        "access_control": {"rules": [
            {"paths": ["/wire/*"], "policy": "two_factor", "approval": "per_request"},
        ]},
    })));
    let text = "IT%20security%3A%20please%20approve%20this";
    let ahead = format!("/.duo-mfa/auth?factor=push&return_to=%2Fwire%2F7&method={text}");
    let ahead = Request::post(ahead).user("alice").header("content-length", "0");
    stack.denied(&ahead).assert_problem(400, "bad_request");
    assert_eq!([stack.sim.user_calls(), stack.sim.pushes()], [0, 0]);

    let lure = Request::get("/").user("alice").header("host", "approve.this.your-bank.example");
    assert_eq!(shown(&stack, lure, "alice"), json!([["request", "GET"], ["path", "/"]]));

    let guest = stack.sim.guest(0);
    let wire = Request::get("/wire/7?to=12&amount=5000").user(&guest);
    let pairs = json!([
        ["host", "app.example.com"],
        ["request", "GET"],
        ["path", "/wire/7"],
        ["query", "to=12&amount=5000"],
    ]);
    assert_eq!(shown(&stack, wire, &guest), pairs);
}
