//! Many requests at once: each gets the result of its user's answer, and no other.

use crate::message::Request;
use crate::setup::Setup;
use crate::stack::{APPROVAL, Protocol, Stack};
use crate::tally::Verdict;

const PEOPLE: usize = 60;

#[test]
fn each_of_many_held_requests_gets_its_own_users_answer() {
    let stack = Stack::start(Setup { workers: 4, ..Setup::default() });
    let answers = ["approve", "deny", "fraud"];
    let admitted = PEOPLE.div_ceil(answers.len());
    let held = stack.judged(Verdict::Admitted(admitted), "a crowd", || {
        let held: Vec<_> = (0..PEOPLE)
            .map(|number| {
                let user = stack.sim.guest(number);
                stack.sim.always(&user, answers[number % answers.len()]);
                let protocol = if number % 2 == 0 { Protocol::Http1 } else { Protocol::Http2 };
                (number, stack.hold(Request::get("/crowd").user(&user), protocol))
            })
            .collect();
        held.into_iter().map(|(number, held)| (number, held.reply())).collect::<Vec<_>>()
    });
    for (number, reply) in held {
        match number % answers.len() {
            0 => {
                assert_eq!(reply.status, 200, "{reply:?}");
                assert!(reply.set_cookie(APPROVAL).is_some(), "{reply:?}");
            }
            1 => reply.assert_problem(403, "mfa_denied"),
            _ => reply.assert_problem(403, "mfa_fraud"),
        }
    }
    assert_eq!(stack.sim.pushes(), PEOPLE);
}

#[test]
fn cookies_serve_many_at_once() {
    let stack = Stack::start(Setup { workers: 4, ..Setup::default() });
    let approval = stack.signed_in("alice");
    let calls = stack.sim.user_calls();
    stack.judged(Verdict::Admitted(800), "eight connections", || {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                let mut connection = stack.connect();
                let request = Request::get("/").user("alice").cookie(&approval);
                scope.spawn(move || {
                    for _ in 0..100 {
                        assert_eq!(connection.exchange(&request).expect("an answer").status, 200);
                    }
                });
            }
        });
    });
    assert_eq!(stack.sim.user_calls(), calls);
}
