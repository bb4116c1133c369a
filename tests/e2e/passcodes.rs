//! A passcode sent up front, with the request itself.

use crate::message::Request;
use crate::stack::{APPROVAL, Stack};

crate::trials![
    right_passcode_up_front_admits_without_a_push,
    wrong_passcode_up_front_is_refused_without_a_push,
    passcode_that_cannot_be_one_never_reaches_duo,
];

fn with_passcode(passcode: &str) -> Request {
    Request::get("/reports").user("alice").header("x-duo-mfa-passcode", passcode)
}

fn right_passcode_up_front_admits_without_a_push() {
    let stack = Stack::standard();
    let (reply, seen) = stack.admitted(&with_passcode("123456"));
    let approval = reply.set_cookie(APPROVAL).expect("an approval").to_owned();
    assert_eq!(seen.values("x-duo-mfa-factor"), ["passcode"]);
    assert_eq!(seen.values("x-duo-mfa-passcode"), [""; 0]);
    assert_eq!(stack.sim.pushes(), 0);
    assert_eq!(stack.sim.calls("auth"), 1);

    let calls = stack.sim.user_calls();
    let request = Request::get("/reports").user("alice").cookie(&approval);
    let (_, seen) = stack.admitted(&request.header("x-duo-mfa-passcode", "123456"));
    assert_eq!(seen.values("x-duo-mfa-passcode"), [""; 0]);
    assert_eq!(stack.sim.user_calls(), calls);
}

fn wrong_passcode_up_front_is_refused_without_a_push() {
    let stack = Stack::standard();
    stack.denied(&with_passcode("000000")).assert_problem(422, "passcode_incorrect");
    assert_eq!(stack.sim.pushes(), 0);
    assert_eq!(stack.sim.calls("auth"), 1);
}

fn passcode_that_cannot_be_one_never_reaches_duo() {
    let stack = Stack::standard();
    let long = "1".repeat(200);
    for passcode in ["", "12 34 56", "factor=push", "12345\u{e9}", long.as_str()] {
        let reply = stack.denied(&with_passcode(passcode));
        assert!(matches!(reply.status, 400 | 422), "{passcode}: {reply:?}");
    }
    assert_eq!(stack.sim.calls("auth"), 0);
}
