//! Sign-ins at Duo's page whose approvals are bound to something that a thief does not have
//! (`session.bind`).

use serde_json::json;

use crate::browser::Browser;
use crate::message::Request;
use crate::setup::{FirstFactor, Setup};
use crate::stack::{APPROVAL, Stack};
use crate::universal::{
    PAGE, approved_at_duo, approves, assert_arrived, assert_no_token_call, assert_refused, back,
    press, setup,
};

fn from(address: &str, request: Request) -> Request {
    request.header("x-forwarded-for", address)
}

/// The path and query with which Duo sends the browser back.
fn approved(stack: &Stack, pressed: &crate::message::Reply) -> String {
    assert_eq!(pressed.status, 303, "{pressed:?} {}", pressed.text());
    approved_at_duo(&stack.sim, pressed.header("location").unwrap())
}

#[test]
fn sign_in_ends_in_the_network_where_it_began() {
    let manager = json!({"xff_num_trusted_hops": 1});
    let setup = setup().plugin(json!({"session": {"bind": ["ip_prefix"]}}));
    let stack = Stack::start(Setup { manager, ..setup });
    approves(&stack.sim, "alice");
    let mut alice = Browser::of("alice");
    let pressed = alice.ask(&stack, from("203.0.113.7", press(PAGE)));
    let target = approved(&stack, &pressed);
    for address in ["203.0.112.7", "198.51.100.7", "2001:db8::7", "203.0.113.7, 198.51.100.7"] {
        let mut thief = alice.clone();
        let reply = thief.ask(&stack, from(address, back(&target)));
        assert_refused(&reply, 403, "sign_in_lost");
        assert!(!thief.has(APPROVAL), "{address}");
    }
    // Where the value is missing, nothing can be bound to it.
    let reply = alice.clone().ask(&stack, from("unknown", back(&target)));
    assert_eq!((reply.status, reply.set_cookie(APPROVAL)), (403, None), "{}", reply.text());
    assert_no_token_call(&stack);
    assert_arrived(&alice.ask(&stack, from("203.0.113.200", back(&target))), PAGE);
    let open = |address: &str| alice.with_cookies(from(address, Request::get(PAGE).navigation()));
    stack.admitted(&open("203.0.113.9"));
    assert_eq!(stack.denied(&open("198.51.100.7")).status, 403);
    // Nor does the callback of a reloaded page go on elsewhere.
    let mut thief = alice.clone();
    assert_refused(&thief.ask(&stack, from("198.51.100.7", back(&target))), 403, "sign_in_lost");
    assert_eq!(stack.sim.calls("token"), 1);
}

#[test]
fn sign_in_ends_with_the_metadata_with_which_it_began() {
    // The first factor's filter writes its user into the metadata. The header names alice for all.
    let mut setup = setup().plugin(json!({
        "identity": {"source": "header", "header": "x-person"},
        "session": {"bind": [{"metadata": ["first_factor", "user"]}]},
    }));
    setup.first_factor = FirstFactor::Metadata;
    let stack = Stack::start(setup);
    approves(&stack.sim, "alice");
    let person = |request: Request| request.header("x-person", "alice");
    let mut alice = Browser::of("alice");
    let pressed = alice.ask(&stack, person(press(PAGE)));
    let target = approved(&stack, &pressed);
    let mut thief = Browser::of("bob");
    thief.jar.clone_from(&alice.jar);
    assert_refused(&thief.ask(&stack, person(back(&target))), 403, "sign_in_lost");
    assert_no_token_call(&stack);
    assert_arrived(&alice.ask(&stack, person(back(&target))), PAGE);
    thief.jar.clone_from(&alice.jar);
    let open = |browser: &Browser| browser.with_cookies(person(Request::get(PAGE).navigation()));
    stack.admitted(&open(&alice));
    assert_eq!(stack.denied(&open(&thief)).status, 403);
}
