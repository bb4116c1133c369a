//! Requests with bodies. No byte reaches the application before Duo allows the request. Then the whole body
//! does, unchanged and once. Both settings of `allow_on_headers_stop_iteration` are tested.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use crate::http1::encode;
use crate::message::{Body, Request};
use crate::setup::Setup;
use crate::stack::{Protocol, Stack};
use crate::tally::Verdict;

const SMALL: usize = 100_000;
const LARGE: usize = 3_000_000;

fn stopping(buffer_limit: u32) -> Setup {
    Setup::default().stopping_at_headers(buffer_limit)
}

/// Bytes without a repeating pattern, so that a lost or repeated piece is noticed.
fn bytes(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn trailers() -> Vec<(String, String)> {
    vec![("x-checksum".to_owned(), "c0ffee".to_owned())]
}

/// Every way to send a body of this length.
fn framings(length: usize) -> Vec<(Protocol, Body)> {
    let body = bytes(length);
    vec![
        (Protocol::Http1, Body::Sized(body.clone())),
        (Protocol::Http1, Body::Chunked(body.clone(), 7_000)),
        (Protocol::Http2, Body::Sized(body.clone())),
        (Protocol::Http2, Body::Chunked(body.clone(), 10_000)),
        (Protocol::Http2, Body::Trailed(body, 16_000, trailers())),
    ]
}

fn assert_arrive_after_the_push(stack: &Stack) {
    for length in [1, SMALL, LARGE] {
        for (number, (protocol, body)) in framings(length).into_iter().enumerate() {
            let method = if number % 2 == 0 { "POST" } else { "PUT" };
            let request = Request::new(method, "/upload").user("alice").body(body.clone());
            let held = stack.held_push(request, protocol, "alice");
            stack.judged(Verdict::Denied, "a body while the push is pending", || {
                sleep(Duration::from_millis(200));
            });
            let reply = stack.judged(Verdict::Admitted(1), "an approved upload", || {
                stack.sim.answer("alice", "approve");
                held.reply()
            });
            let case = format!("{method} {protocol:?} {length}");
            assert_eq!(reply.status, 200, "{case}: {reply:?} {}", reply.text());
            let seen = stack.app.last();
            assert!(seen.carries(&bytes(length)), "{case}: {} bytes came", seen.body_length);
            assert_eq!(seen.method, method);
            let expected = if matches!(body, Body::Trailed(..)) { trailers() } else { Vec::new() };
            assert_eq!(seen.trailers, expected, "{case}");
        }
    }
}

#[test]
fn bodies_wait_for_the_push_and_arrive_whole() {
    assert_arrive_after_the_push(&Stack::standard());
}

#[test]
fn bodies_wait_for_the_push_where_the_module_stops_at_headers() {
    assert_arrive_after_the_push(&Stack::start(stopping(8 << 20)));
}

fn assert_denied_bodies_stay_out(stack: &Stack) {
    let preauth = framings(SMALL).into_iter().chain(framings(1));
    for (protocol, body) in preauth {
        let request = Request::post("/upload").user("mallory").body(body);
        let reply = stack.judged(Verdict::Denied, "a body refused at preauth", || {
            stack.hold(request, protocol).reply()
        });
        reply.assert_problem(403, "duo_denied");
    }
    for (number, (protocol, body)) in framings(LARGE).into_iter().enumerate() {
        let user = stack.sim.guest(number);
        let request = Request::post("/upload").user(&user).body(body);
        let held = stack.held_push(request, protocol, &user);
        let reply = stack.judged(Verdict::Denied, "a body refused by push", || {
            stack.sim.answer(&user, "deny");
            held.reply()
        });
        reply.assert_problem(403, "mfa_denied");
    }
    stack.judged(Verdict::Denied, "bodies refused long ago", || {
        sleep(Duration::from_millis(300));
    });
    assert_eq!(stack.app.count(), 0);
}

#[test]
fn denied_bodies_never_reach_the_application() {
    assert_denied_bodies_stay_out(&Stack::standard());
}

#[test]
fn denied_bodies_never_reach_the_application_where_the_module_stops_at_headers() {
    assert_denied_bodies_stay_out(&Stack::start(stopping(8 << 20)));
}

/// Over HTTP/1.1 Envoy cannot slow down a client whose body it buffers, so it answers 413. Over HTTP/2 the
/// window of the stream closes instead, and the rest of the body arrives after the push.
#[test]
fn body_above_the_buffer_limit_is_413_where_the_module_stops_at_headers() {
    crate::of_another_host!();
    let stack = Stack::start(stopping(1 << 20));
    for (protocol, body) in framings(LARGE) {
        let request = Request::post("/upload").user("alice").body(body);
        if protocol == Protocol::Http2 {
            let held = stack.held_push(request, protocol, "alice");
            let reply = stack.judged(Verdict::Admitted(1), "a slowed upload", || {
                stack.sim.answer("alice", "approve");
                held.reply()
            });
            assert_eq!(reply.status, 200, "{reply:?} {}", reply.text());
            assert!(stack.app.last().carries(&bytes(LARGE)));
            continue;
        }
        let reply = stack.judged(Verdict::Denied, "a body above the limit", || {
            stack.hold(request, protocol).reply()
        });
        assert_eq!(reply.status, 413, "{protocol:?}: {reply:?} {}", reply.text());
    }
    stack.assert_alive();
}

#[test]
fn body_that_ends_during_the_push_arrives_whole() {
    for setup in [Setup::default(), stopping(1 << 20)] {
        let stack = Stack::start(setup);
        let body = bytes(SMALL);
        let request = Request::post("/upload").user("alice").body(Body::Sized(body.clone()));
        let encoded = encode(&request);
        let (first, rest) = encoded.split_at(encoded.len() - SMALL / 2);
        let mut connection = stack.judged(Verdict::Denied, "half a body", || {
            let mut connection = stack.connect();
            connection.send_part(first);
            stack.sim.pending("alice");
            connection
        });
        stack.judged(Verdict::Denied, "a body that is whole", || {
            connection.send_rest(rest);
            sleep(Duration::from_millis(200));
        });
        let reply = stack.judged(Verdict::Admitted(1), "an approved body", || {
            stack.sim.answer("alice", "approve");
            connection.receive().expect("an answer")
        });
        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(stack.app.last().carries(&body));
    }
}

#[test]
fn approved_upload_passes_by_its_cookie_alone() {
    for setup in [Setup::default(), stopping(1 << 20)] {
        let stack = Stack::start(setup);
        let approval = stack.signed_in("alice");
        for (protocol, body) in framings(LARGE) {
            let request = Request::post("/upload").user("alice").cookie(&approval).body(body);
            let reply = stack.judged(Verdict::Admitted(1), "an upload with its cookie", || {
                stack.hold(request, protocol).reply()
            });
            assert_eq!(reply.status, 200, "{protocol:?}: {reply:?} {}", reply.text());
            assert!(stack.app.last().carries(&bytes(LARGE)), "{protocol:?}");
        }
    }
}

/// Only Envoy's idle timeout limits a held request, as docs/deploy/envoy.md says.
#[test]
fn routes_timeout_begins_when_the_request_goes_on() {
    let route = json!({"match": {"prefix": "/"}, "route": {"cluster": "app", "timeout": "1s"}});
    let host = json!({"name": "app", "domains": ["*"], "routes": [route]});
    let manager = json!({"route_config": {"virtual_hosts": [host]}});
    for setup in [Setup::default(), stopping(1_000_000)] {
        let stack = Stack::start(Setup { manager: manager.clone(), ..setup });
        let bodies = [Body::Sized(Vec::new()), Body::Sized(bytes(SMALL))];
        for (user, body) in ["alice", "two"].into_iter().zip(bodies) {
            let request = Request::post("/orders").user(user).body(body);
            let held = stack.held_push(request, Protocol::Http1, user);
            sleep(Duration::from_secs(3));
            let reply = stack.judged(Verdict::Admitted(1), "after the route's timeout", || {
                stack.sim.answer(user, "approve");
                held.reply()
            });
            assert_eq!(reply.status, 200, "{user} {reply:?}");
        }
    }
}
