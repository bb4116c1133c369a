//! Passcodes in the header of a request or on the page, and the limit of tries.

use serde_json::json;

use crate::browser::Browser;
use crate::message::Request;
use crate::setup::Setup;
use crate::stack::{APPROVAL, Protocol, Stack};
use crate::tally::Verdict;

fn with_passcode(passcode: &str) -> Request {
    Request::get("/reports").user("alice").header("x-duo-mfa-passcode", passcode)
}

#[test]
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

#[test]
fn wrong_passcode_up_front_is_refused_without_a_push() {
    let stack = Stack::standard();
    stack.denied(&with_passcode("000000")).assert_problem(422, "passcode_incorrect");
    assert_eq!(stack.sim.pushes(), 0);
    assert_eq!(stack.sim.calls("auth"), 1);
}

#[test]
fn passcode_that_cannot_be_one_never_reaches_duo() {
    let stack = Stack::standard();
    let long = "1".repeat(200);
    for passcode in ["", "12 34 56", "factor=push", "12345\u{e9}", long.as_str()] {
        let reply = stack.denied(&with_passcode(passcode));
        assert!(matches!(reply.status, 400 | 422), "{passcode}: {reply:?}");
    }
    assert_eq!(stack.sim.calls("auth"), 0);
}

/// A wrong passcode, typed on the page by a client with this sign-in's cookie, or without one.
fn guess(cookie: Option<&str>) -> Request {
    let request = Request::post("/.duo-mfa/auth?factor=passcode").user("alice");
    let request = request.header("x-duo-mfa-passcode", "000000").header("content-length", "0");
    match cookie {
        Some(cookie) => request.cookie(cookie),
        None => request,
    }
}

fn on_four_workers() -> Stack {
    Stack::start(Setup { workers: 4, ..Setup::default() })
}

#[test]
fn sign_in_that_is_sent_again_has_no_more_than_five_tries() {
    let stack = on_four_workers();
    let first = stack.denied(&guess(None));
    first.assert_problem(422, "passcode_incorrect");
    let cookie = first.set_cookie("__Host-duo_txn").expect("a sign-in").to_owned();
    for _ in 0..4 {
        stack.denied(&guess(Some(&cookie))).assert_problem(422, "passcode_incorrect");
    }
    for cookie in [Some(cookie.as_str()), None].into_iter().cycle().take(16) {
        let stopped = stack.denied(&guess(cookie));
        stopped.assert_problem(429, "too_many_requests");
        let wait: u64 = stopped.header("retry-after").expect("a wait").parse().unwrap();
        assert!((280..=301).contains(&wait), "{wait}");
    }
    stack.denied(&with_passcode("000000")).assert_problem(429, "too_many_requests");
    assert_eq!(stack.sim.calls("auth"), 5);
}

#[test]
fn crowd_of_guesses_is_five_tries() {
    let stack = on_four_workers();
    let first = stack.denied(&guess(None));
    let cookie = first.set_cookie("__Host-duo_txn").expect("a sign-in").to_owned();
    let replies = stack.judged(Verdict::Denied, "a crowd of guesses", || {
        let ask = |number| {
            let request = if number % 2 == 0 { guess(Some(&cookie)) } else { guess(None) };
            stack.hold(request, Protocol::Http1)
        };
        let held: Vec<_> = (0..40).map(ask).collect();
        held.into_iter().map(|held| held.reply().status).collect::<Vec<_>>()
    });
    assert_eq!(replies.iter().filter(|status| **status == 422).count(), 4, "{replies:?}");
    assert_eq!(replies.iter().filter(|status| **status == 429).count(), 36, "{replies:?}");
    assert_eq!(stack.sim.calls("auth"), 5);
}

/// The page texts codes for `/`. The client then omits the cookie that records the text message.
#[test]
fn texted_code_without_its_cookie_opens_no_more_than_with_it() {
    let stack = Stack::start(Setup::default().plugin(json!({"access_control": {"rules": [
        {"paths": ["/push/*"], "policy": "two_factor", "factors": ["push", "phone"]},
        {"paths": ["/code/*"], "policy": "two_factor", "factors": ["push", "any_passcode"]},
    ]}})));
    for keeps_cookie in [true, false] {
        stack.sim.reset();
        let mut alice = Browser::of("alice");
        alice.open(&stack, "/");
        let sent = alice.fetch(&stack, "POST", "auth?factor=sms&return_to=%2F");
        assert_eq!(sent.json()["state"], "sent", "{}", sent.text());
        let mut alice = if keeps_cookie { alice } else { Browser::of("alice") };
        let code = stack.sim.texted_code();
        let typed = |address: &str| {
            Request::post(format!("/.duo-mfa/auth?factor=passcode&return_to={address}"))
                .all(&[("sec-fetch-mode", "cors"), ("content-length", "0")])
                .header("x-duo-mfa-passcode", &code)
        };
        let refused = alice.ask(&stack, typed("%2Fpush%2Fx"));
        refused.assert_problem(400, "bad_request");
        assert_eq!(alice.ask(&stack, typed("%2F")).json()["state"], "approved");
        let get = |path: &str| alice.with_cookies(Request::get(path).navigation());
        assert_eq!(stack.denied(&get("/push/x")).status, 403, "{keeps_cookie}");
        stack.admitted(&get("/code/x"));
    }
}
