//! Callbacks, codes and states that come more than once, at one Envoy or at several.

use crate::browser::Browser;
use crate::http1::{Connection, encode};
use crate::http2;
use crate::sim::eventually;
use crate::stack::{APPROVAL, Held, Protocol};
use crate::universal::{
    CALLBACK, PAGE, approved_at_duo, approves, assert_arrived, assert_refused, back, denied,
    parameter, start,
};
use serde_json::json;

const LOST: &str = "sign_in_lost";

/// The link to the page that was wanted, on a page that asks Duo nothing.
const LINK: &str = "href=\"/reports?year=2026&amp;x=%2F\"";

#[test]
fn callback_sent_twice_at_once_is_exchanged_once_and_the_other_links_to_the_page() {
    let stack = start();
    stack.sim.fault(&json!({"endpoint": "token", "kind": "latency", "ms": 500}));
    let mut alice = Browser::of("alice");
    let target = alice.is_approved(&stack, PAGE);
    let request = alice.with_cookies(back(&target));
    denied(&stack, "a callback sent four times", || {
        let held: Vec<_> = (0..4).map(|_| stack.hold(request.clone(), Protocol::Http1)).collect();
        let replies: Vec<_> = held.into_iter().map(Held::reply).collect();
        let (approved, others): (Vec<_>, Vec<_>) =
            replies.iter().partition(|reply| reply.set_cookie(APPROVAL).is_some());
        assert_eq!((approved.len(), others.len()), (1, 3), "{replies:?}");
        assert_arrived(approved[0], PAGE);
        for other in others {
            assert_refused(other, 403, LOST);
            assert!(other.text().contains(LINK), "{}", other.text());
        }
    });
    assert_eq!(stack.sim.calls("token"), 1);
}

#[test]
fn callback_raced_over_two_envoys_approves_once() {
    let stack = start();
    let mut other = stack.another_envoy();
    stack.sim.fault(&json!({"endpoint": "token", "kind": "latency", "ms": 200}));
    for round in 0..6 {
        let user = stack.sim.guest(round);
        approves(&stack.sim, &user);
        let mut browser = Browser::of(&user);
        let target = browser.is_approved(&stack, PAGE);
        let request = &browser.with_cookies(back(&target));
        let to = [stack.envoy.listener, other.listener];
        let replies: Vec<_> = denied(&stack, "a race over two Envoys", || {
            std::thread::scope(|scope| {
                let ask = |number: usize| {
                    let to = to[number % 2];
                    scope.spawn(move || Connection::open(to).exchange(request).expect("an answer"))
                };
                let asked: Vec<_> = (0..6).map(ask).collect();
                asked.into_iter().map(|thread| thread.join().unwrap()).collect()
            })
        });
        let (approved, others): (Vec<_>, Vec<_>) =
            replies.iter().partition(|reply| reply.set_cookie(APPROVAL).is_some());
        assert_eq!(approved.len(), 1, "{replies:?}");
        assert_arrived(approved[0], PAGE);
        for other in others {
            assert_refused(other, 403, LOST);
        }
    }
    // Each Envoy asks Duo once. Duo accepts a code once.
    assert_eq!((stack.sim.calls("token"), &stack.sim.codes()["used"]), (12, &json!(6)));
    assert_eq!(other.damage(), None);
}

#[test]
fn spent_code_leads_to_a_page_with_a_button_at_every_envoy() {
    let stack = start();
    let mut other = stack.another_envoy();
    let mut alice = Browser::of("alice");
    let target = alice.is_approved(&stack, PAGE);
    let code = parameter(&target, "duo_code");
    assert_arrived(&alice.returns(&stack, &target), PAGE);
    for to in [stack.envoy.listener, other.listener] {
        // A browser without an approval, whose attempt is new.
        let mut browser = Browser::of("alice");
        let state = parameter(&browser.is_approved(&stack, PAGE), "state");
        let mixed = back(&format!("{CALLBACK}?state={state}&duo_code={code}"));
        let reply = denied(&stack, "a spent code", || browser.ask_at(to, mixed));
        assert_refused(&reply, 403, LOST);
        assert!(!reply.text().contains("http-equiv=\"refresh\""), "no loop: {}", reply.text());
        assert!(reply.text().contains(LINK), "{}", reply.text());
    }
    let codes = stack.sim.codes();
    assert_eq!((&codes["used"], &codes["reused"]), (&json!(1), &json!(2)), "{codes}");
    assert_eq!(stack.sim.calls("token"), 3, "one call for each");
    assert_eq!(other.damage(), None);
}

#[test]
fn code_that_was_never_given_or_is_of_another_attempt_is_refused() {
    let stack = start();
    let mut alice = Browser::of("alice");
    let foreign = parameter(&alice.is_approved(&stack, PAGE), "duo_code");
    for code in [foreign.as_str(), "0123456789abcdef0123456789abcdef"] {
        let state = parameter(&alice.is_approved(&stack, PAGE), "state");
        let reply = alice.returns(&stack, &format!("{CALLBACK}?state={state}&duo_code={code}"));
        assert_refused(&reply, 403, LOST);
        assert!(!reply.text().contains("http-equiv=\"refresh\""), "no loop: {}", reply.text());
        assert!(reply.text().contains(LINK), "{}", reply.text());
    }
    assert_eq!(stack.sim.calls("token"), 2);
}

#[test]
fn code_that_duo_lets_work_twice_works_here_once() {
    let stack = start();
    stack.sim.fault(&json!({"endpoint": "token", "kind": "code", "code": "reuse"}));
    let mut alice = Browser::of("alice");
    let target = alice.is_approved(&stack, PAGE);
    let before = alice.clone();
    assert_arrived(&alice.returns(&stack, &target), PAGE);
    let mut replayed = before;
    assert_refused(&replayed.returns(&stack, &target), 403, LOST);
    assert_eq!(stack.sim.calls("token"), 1);
}

#[test]
fn used_state_with_a_fresh_code_is_left_to_duo_at_an_envoy_that_has_not_seen_it() {
    let stack = start();
    let [mut second, mut third] = [(); 2].map(|()| stack.another_envoy());
    let mut alice = Browser::of("alice");
    let address = alice.leaves(&stack, PAGE);
    let [spent, fresh] = [(); 2].map(|()| approved_at_duo(&stack.sim, &address));
    let before = alice.clone();
    assert_arrived(&alice.returns(&stack, &spent), PAGE);
    let ask = |to, target: &str| {
        denied(&stack, "at another Envoy", || before.clone().ask_at(to, back(target)))
    };
    assert_refused(&ask(second.listener, &spent), 403, LOST);
    // The state is claimed there now, by the spent code.
    assert_refused(&ask(second.listener, &fresh), 403, LOST);
    assert_eq!(stack.sim.calls("token"), 2);
    // Nothing has come to the third. Duo accepts the code, so the user has approved twice.
    let reply = ask(third.listener, &fresh);
    assert_arrived(&reply, PAGE);
    assert!(reply.set_cookie(APPROVAL).is_some());
    assert_refused(&ask(third.listener, &fresh), 403, LOST);
    let codes = stack.sim.codes();
    assert_eq!((&codes["given"], &codes["used"]), (&json!(2), &json!(2)), "{codes}");
    assert_eq!((second.damage(), third.damage()), (None, None));
}

#[test]
fn client_that_leaves_during_the_exchange_has_used_its_code() {
    let stack = start();
    stack.sim.fault(&json!({"endpoint": "token", "kind": "latency", "ms": 1_000}));
    for round in 0..4 {
        let mut alice = Browser::of("alice");
        let target = alice.is_approved(&stack, PAGE);
        let request = alice.with_cookies(back(&target));
        denied(&stack, "a client that leaves", || {
            let arrives = || {
                eventually("the call", || (stack.sim.calls("token") > round).then_some(()));
            };
            if round % 2 == 0 {
                let mut connection = stack.connect();
                connection.send_part(&encode(&request));
                arrives();
                connection.leave();
            } else {
                let pending = http2::Pending::send(stack.envoy.listener, &request);
                arrives();
                pending.reset(h2::Reason::CANCEL);
            }
            let active = || stack.envoy.stat("http.e2e.downstream_rq_active");
            eventually("the end of the request", || (active() == 0).then_some(()));
        });
        assert_refused(&alice.returns(&stack, &target), 403, LOST);
        assert_eq!(stack.sim.calls("token"), round + 1, "the code is not asked about again");
    }
    stack.sim.clear_faults();
    Browser::of("alice").signs_in_at_duo(&stack, PAGE);
    stack.assert_alive();
}
