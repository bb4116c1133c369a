//! Sign-ins at Duo's page that begin at one Envoy and end at another.

use serde_json::json;

use crate::browser::Browser;
use crate::message::Request;
use crate::setup::{COOKIE_KEY, Setup};
use crate::stack::{APPROVAL, Stack};
use crate::universal::{
    PAGE, approves, assert_arrived, assert_refused, back, denied, press, setup, start,
};

const PEOPLE: usize = 50;
const NEW_KEY: &str = "x3Qf0mJ9TzY1rK7uVbW5oLd2hSgCaEeP8nNiXtZkMwU=";

/// People who have been approved at Duo, with the address that each comes back with.
fn on_their_way(stack: &Stack) -> Vec<(String, Browser, String)> {
    (0..PEOPLE)
        .map(|person| {
            let user = stack.sim.guest(person);
            approves(&stack.sim, &user);
            let mut browser = Browser::of(&user);
            let target = browser.is_approved(stack, PAGE);
            (user, browser, target)
        })
        .collect()
}

#[test]
fn fifty_sign_ins_begin_at_one_envoy_and_end_at_another_after_a_restart() {
    let mut stack = start();
    let people = on_their_way(&stack);
    stack.restart();
    let mut other = stack.another_envoy();
    let mut finished = 0;
    for (user, mut browser, target) in people {
        denied(&stack, "a callback at another Envoy", || {
            let reply = browser.ask_at(other.listener, back(&target));
            assert_arrived(&reply, PAGE);
        });
        let seen = browser.is_admitted(&stack, PAGE);
        assert_eq!(seen.values("x-duo-mfa-user"), [user.as_str()]);
        finished += 1;
        // The state again, at the Envoy that has not seen it: Duo knows the code.
        let mut replayed = browser.clone();
        replayed.jar.remove(APPROVAL);
        if finished <= 5 {
            assert_refused(&replayed.returns(&stack, &target), 403, "sign_in_lost");
        }
    }
    assert_eq!(finished, PEOPLE);
    assert_eq!(other.damage(), None);
    let codes = stack.sim.codes();
    assert_eq!((&codes["given"], &codes["used"]), (&json!(PEOPLE), &json!(PEOPLE)), "{codes}");
}

/// A setup whose tokens are sealed under the first of these keys.
fn under(keys: &[&str]) -> Setup {
    let keys: Vec<_> = keys.iter().map(|name| json!({"env": name})).collect();
    let mut setup = setup().plugin(json!({"session": {"keys": keys}}));
    setup.environment.extend([("OLD_KEY", COOKIE_KEY.to_owned()), ("NEW_KEY", NEW_KEY.to_owned())]);
    Setup { listener_file: Some("listener.json".into()), ..setup }
}

#[test]
fn sign_in_outlives_a_new_key_and_not_a_removed_one() {
    let mut stack = Stack::start(under(&["OLD_KEY"]));
    approves(&stack.sim, "alice");
    let mut alice = Browser::of("alice");
    let first = alice.is_approved(&stack, PAGE);
    let mut later = Browser::of("alice");
    let second = later.is_approved(&stack, PAGE);
    stack.reload(json!({"session": {"keys": [{"env": "NEW_KEY"}, {"env": "OLD_KEY"}]}}));
    assert_arrived(&alice.returns(&stack, &first), PAGE);
    alice.is_admitted(&stack, PAGE);
    stack.reload(json!({"session": {"keys": [{"env": "NEW_KEY"}]}}));
    assert_refused(&later.returns(&stack, &second), 403, "sign_in_lost");
    assert_eq!(stack.sim.calls("token"), 1);
}

#[test]
fn tokens_of_other_kinds_are_no_state_and_no_browser_cookie() {
    let stack = start();
    let mut alice = Browser::of("alice");
    alice.signs_in_at_duo(&stack, PAGE);
    let approval = alice.jar[APPROVAL].clone();
    alice.jar.remove(APPROVAL);
    let reply = alice.ask(&stack, press(PAGE));
    assert_eq!(reply.status, 303);
    let browser = alice.jar[crate::universal::BROWSER].clone();
    for state in [&approval, &browser] {
        let target = format!("/.duo-mfa/callback?state={state}&duo_code=0123456789abcdef");
        let reply = alice.returns(&stack, &target);
        assert!(matches!(reply.status, 400 | 403), "{reply:?} {}", reply.text());
    }
    let target = alice.is_approved(&stack, PAGE);
    let swapped = back(&target).user("alice");
    let swapped = swapped.header("cookie", format!("{}={approval}", crate::universal::BROWSER));
    assert_refused(&stack.denied(&swapped), 403, "sign_in_lost");
    let state = crate::universal::parameter(&target, "state");
    let as_approval = Request::get("/x").user("alice").navigation();
    let as_approval = as_approval.header("cookie", format!("{APPROVAL}={state}"));
    assert_eq!(stack.denied(&as_approval).status, 403);
    assert_eq!(stack.sim.calls("token"), 1);
}
