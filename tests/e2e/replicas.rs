//! Sign-ins that end at another Envoy than they started at: a replica, a restarted one, or one with another
//! configuration.

use serde_json::json;

use crate::browser::Browser;
use crate::message::Request;
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::{Protocol, Stack};
use crate::tally::Verdict;

/// Sign-ins under way at each turn.
const PEOPLE: usize = 10;
const TURNS: usize = 5;

#[test]
fn sign_in_is_begun_at_one_envoy_and_ended_at_another() {
    let stack = Stack::standard();
    let mut other = stack.another_envoy();
    let mut alice = Browser::of("alice");
    alice.push(&stack);
    stack.judged(Verdict::Denied, "looks at another Envoy", || {
        assert_eq!(alice.fetch_at(other.listener, "GET", "status").json()["state"], "waiting");
        stack.sim.answer("alice", "approve");
        let state = eventually("the approval", || {
            let state = alice.fetch_at(other.listener, "GET", "status").json();
            (state["state"] != "waiting").then_some(state)
        });
        assert_eq!([&state["state"], &state["return_to"]], ["approved", "/reports?year=2026"]);
    });
    assert_eq!(other.damage(), None);
    alice.reaches_the_application(&stack, "/reports?year=2026");
    assert_eq!([stack.sim.calls("auth"), stack.sim.pushes()], [1, 1]);
}

#[test]
fn replicas_admit_each_others_approvals() {
    let mut stack = Stack::standard();
    let mut alice = Browser::of("alice");
    alice.sign_in(&stack);
    for _ in 0..2 {
        stack.restart();
        alice.reaches_the_application(&stack, "/reports");
    }
    alice.fetch(&stack, "POST", "logout");
    assert_eq!(alice.open(&stack, "/reports").status, 403);
    assert_eq!(stack.sim.pushes(), 1);
}

/// In each round, many users start to sign in, `disturb` changes the Envoy, and all users finish.
fn assert_all_finish(mut stack: Stack, disturb: impl Fn(&mut Stack, usize)) {
    let mut finished = 0;
    for turn in 0..TURNS {
        let users = (0..PEOPLE).map(|person| stack.sim.guest(turn * PEOPLE + person));
        let mut browsers: Vec<_> = users
            .map(|user| {
                let mut browser = Browser::of(&user);
                browser.push(&stack);
                (user, browser)
            })
            .collect();
        disturb(&mut stack, turn);
        for (user, browser) in &mut browsers {
            assert_eq!(browser.fetch(&stack, "GET", "status").json()["state"], "waiting");
            stack.sim.answer(user, "approve");
            assert_eq!(browser.ended(&stack)["state"], "approved");
            browser.reaches_the_application(&stack, "/reports");
            finished += 1;
        }
    }
    assert_eq!(finished, TURNS * PEOPLE);
    assert_eq!(stack.sim.pushes(), finished, "no push but the first of each");
}

#[test]
fn fifty_sign_ins_outlive_a_restart() {
    assert_all_finish(Stack::standard(), |stack, _| stack.restart());
}

/// A stack whose Envoy reads its listener from a file.
fn reloadable() -> Stack {
    Stack::start(Setup { listener_file: Some("listener.json".into()), ..Setup::default() })
}

#[test]
fn fifty_sign_ins_outlive_a_new_configuration() {
    assert_all_finish(reloadable(), |stack, turn| {
        stack.reload(json!({"push": {"title": format!("Turn {turn}")}}));
    });
}

#[test]
fn held_request_outlives_a_new_configuration() {
    let mut stack = reloadable();
    for (turn, protocol) in [Protocol::Http1, Protocol::Http2].into_iter().enumerate() {
        let user = stack.sim.guest(turn);
        let held = stack.held_push(Request::get("/reports").user(&user), protocol, &user);
        stack.reload(json!({"push": {"title": format!("Turn {turn}")}}));
        assert!(!held.is_answered());
        // The new configuration knows the push too.
        let second = stack.denied(&Request::get("/reports").user(&user));
        second.assert_problem(429, "pending_elsewhere");
        let reply = stack.judged(Verdict::Admitted(1), "an approval after the change", || {
            stack.sim.answer(&user, "approve");
            held.reply()
        });
        assert_eq!(reply.status, 200, "{reply:?} {}", reply.text());
    }
    assert_eq!(stack.sim.pushes(), 2);
}
