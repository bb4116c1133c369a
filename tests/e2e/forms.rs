//! Passcodes in a form's body, from a browser without a script, if the module may read bodies.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::http1::encode;
use crate::message::{Body, Reply, Request};
use crate::setup::Setup;
use crate::stack::{APPROVAL, Protocol, Stack};
use crate::tally::Verdict;

const AUTH: &str = "/.duo-mfa/auth?factor=passcode&return_to=%2Freports";
const FORM: &str = "application/x-www-form-urlencoded";

fn reading() -> Setup {
    Setup::default().stopping_at_headers(1 << 20).plugin(json!({"request_bodies": true}))
}

/// A form that Alice's browser submits without a script.
fn submitted(target: &str, content_type: &str) -> Request {
    let request = Request::post(target).user("alice").navigation();
    request.header("origin", "http://app.example.com").header("content-type", content_type)
}

fn form(body: &str) -> Request {
    submitted(AUTH, FORM).body(Body::Sized(body.into()))
}

fn assert_page(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status, status, "{code}: {reply:?} {}", reply.text());
    assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"));
}

#[test]
fn passcode_of_a_form_signs_in_however_it_is_framed() {
    let stack = Stack::start(reading());
    let body = b"passcode=123456&x=".to_vec();
    let trailers = vec![("x-checksum".to_owned(), "c0ffee".to_owned())];
    for (protocol, body) in [
        (Protocol::Http1, Body::Sized(body.clone())),
        (Protocol::Http1, Body::Chunked(body.clone(), 5)),
        (Protocol::Http1, Body::Chunked(body.clone(), 1_000)),
        (Protocol::Http2, Body::Sized(body.clone())),
        (Protocol::Http2, Body::Chunked(body.clone(), 5)),
        (Protocol::Http2, Body::Trailed(body.clone(), 7, trailers)),
        (Protocol::Http2, Body::Trailed(body, 7, Vec::new())),
    ] {
        let request = submitted(AUTH, FORM).body(body);
        let occasion = request.summary();
        let reply = stack
            .judged(Verdict::Denied, &occasion, || stack.hold(request.clone(), protocol).reply());
        assert_eq!((reply.status, reply.header("location")), (303, Some("/reports")), "{reply:?}");
        let approval = reply.set_cookie(APPROVAL).expect("an approval");
        let (_, seen) = stack.admitted(&Request::get("/reports").user("alice").cookie(approval));
        assert_eq!(seen.values("x-duo-mfa-factor"), ["passcode"]);
    }
    assert_eq!((stack.sim.pushes(), stack.sim.calls("auth")), (0, 7));
}

#[test]
fn wrong_passcode_of_a_form_is_shown_on_the_page() {
    let stack = Stack::start(reading());
    let page = stack.denied(&form("passcode=000000"));
    assert_page(&page, 422, "passcode_incorrect");
    assert!(page.text().contains("name=\"passcode\""), "{}", page.text());
    let cookie = page.set_cookie("__Host-duo_txn").expect("a sign-in").to_owned();
    let again = form("passcode=123456").cookie(&cookie);
    let reply = stack.judged(Verdict::Denied, "a right passcode", || stack.send(&again));
    assert_eq!(reply.status, 303, "{reply:?}");
    assert!(reply.set_cookie(APPROVAL).is_some());
}

#[test]
fn form_that_is_too_long_is_refused_before_its_end() {
    let stack = Stack::start(reading());
    let long = format!("passcode=123456&x={}", "x".repeat(4_096));
    for body in [Body::Sized(long.clone().into()), Body::Chunked(long.into(), 700)] {
        let reply = stack.denied(&submitted(AUTH, FORM).body(body));
        assert_page(&reply, 400, "bad_request");
    }
    let mut connection = stack.connect();
    let endless = submitted(AUTH, FORM).header("content-length", "100000000");
    connection.send_part(&encode(&endless));
    let reply = stack.judged(Verdict::Denied, "a form without an end", || {
        connection.send_rest(&[b'x'; 8_192]);
        connection.receive().expect("an answer")
    });
    assert_page(&reply, 400, "bad_request");
    assert_eq!(stack.sim.user_calls(), 0);
    stack.assert_alive();
}

#[test]
fn body_that_is_no_form_is_not_read() {
    let stack = Stack::start(reading());
    for content_type in ["text/plain", "application/json", "multipart/form-data; boundary=x"] {
        let request = submitted(AUTH, content_type).body(Body::Sized(b"passcode=123456".into()));
        assert_page(&stack.denied(&request), 400, "bad_request");
    }
    assert_eq!(stack.sim.user_calls(), 0);
}

#[test]
fn form_that_comes_in_pieces_is_waited_for() {
    let stack = Stack::start(reading());
    let encoded = encode(&form("passcode=123456"));
    let (first, rest) = encoded.split_at(encoded.len() - 4);
    let mut connection = stack.connect();
    let reply = stack.judged(Verdict::Denied, "a form in two pieces", || {
        connection.send_part(first);
        sleep(Duration::from_millis(500));
        assert_eq!(stack.sim.user_calls(), 0);
        connection.send_rest(rest);
        connection.receive().expect("an answer")
    });
    assert_eq!(reply.status, 303, "{reply:?}");
    assert!(reply.set_cookie(APPROVAL).is_some());
}

#[test]
fn form_that_does_not_arrive_is_refused_in_time() {
    let stack = Stack::start(reading());
    let encoded = encode(&form("passcode=123456"));
    let mut connection = stack.connect();
    let begun = Instant::now();
    let reply = stack.judged(Verdict::Denied, "half a form", || {
        connection.send_part(&encoded[..encoded.len() - 4]);
        connection.receive().expect("an answer")
    });
    assert_page(&reply, 400, "bad_request");
    let waited = begun.elapsed().as_secs();
    assert!((9..=12).contains(&waited), "{waited}");
    assert_eq!(stack.sim.user_calls(), 0);
    stack.assert_alive();
}

#[test]
fn forms_that_do_not_arrive_take_no_room_from_held_requests() {
    let limits = json!({"limits": {"held": 2}});
    let stack = Stack::start(Setup { workers: 1, ..reading() }.plugin(limits));
    let encoded = encode(&form("passcode=123456"));
    let mut slow: Vec<_> = (0..3).map(|_| stack.connect()).collect();
    slow.iter_mut().for_each(|connection| connection.send_part(&encoded[..encoded.len() - 4]));
    sleep(Duration::from_millis(500));
    stack.signed_in(&stack.sim.guest(0));
}

#[test]
fn form_is_refused_at_once_where_the_module_reads_no_bodies() {
    for setup in [Setup::default(), Setup::default().stopping_at_headers(1 << 20)] {
        let stack = Stack::start(setup);
        assert_page(&stack.denied(&form("passcode=123456")), 400, "bad_request");
        assert_eq!(stack.sim.user_calls(), 0);
    }
}

#[test]
fn buttons_send_no_body_and_are_not_waited_for() {
    let stack = Stack::start(reading());
    let button = submitted("/.duo-mfa/auth?factor=push", FORM);
    for (protocol, body) in [
        (Protocol::Http1, Body::Sized(Vec::new())),
        (Protocol::Http1, Body::Chunked(Vec::new(), 1)),
        (Protocol::Http2, Body::None),
        (Protocol::Http2, Body::Sized(Vec::new())),
    ] {
        let button = button.clone().body(body);
        let occasion = button.summary();
        let reply =
            stack.judged(Verdict::Denied, &occasion, || stack.hold(button, protocol).reply());
        assert_eq!(reply.status, 303, "{reply:?} {}", reply.text());
        stack.sim.answer("alice", "approve");
        let cookie = reply.set_cookie("__Host-duo_txn").expect("a sign-in").to_owned();
        let status = Request::get("/.duo-mfa/status").user("alice").cookie(&cookie);
        stack.judged(Verdict::Denied, "the end of a push", || {
            crate::sim::eventually("the approval", || {
                stack.send(&status).set_cookie(APPROVAL).map(drop)
            });
        });
    }
    assert_eq!(stack.sim.pushes(), 4);
}

#[test]
fn form_of_the_application_is_not_sent_after_the_approval_ran_out() {
    for setup in [Setup::default(), reading()] {
        let stack = Stack::start(setup.plugin(json!({"session": {"expiration": "2s"}})));
        let approval = stack.signed_in("alice");
        let order = |body| submitted("/orders", FORM).cookie(&approval).body(body);
        let (_, seen) = stack.admitted(&order(Body::Sized(b"amount=12".into())));
        assert!(seen.carries(b"amount=12"));
        sleep(Duration::from_secs(3));
        let large = vec![b'x'; 300_000];
        for body in [Body::Sized(b"amount=12".into()), Body::Chunked(large, 9_000)] {
            let page = stack.denied(&order(body));
            assert_page(&page, 403, "mfa_required");
            assert!(page.text().contains("Your form was not sent"), "{}", page.text());
        }
    }
}
