//! Requests that are no plain GET, each with an approval and without: upgrades, streams, calls,
//! tunnels, and methods that servers treat specially.

use crate::app::EVENT;
use crate::http1::encode;
use crate::message::{Body, Request};
use crate::stack::{Protocol, Stack};
use crate::tally::Verdict;

const METHODS: [&str; 4] = ["HEAD", "OPTIONS", "TRACE", "DELETE"];

fn websocket() -> Request {
    Request::get("/socket").all(&[
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ])
}

fn event_stream() -> Request {
    let request = Request::get("/events").header("accept", "text/event-stream");
    request.all(&[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")])
}

fn grpc_call() -> Request {
    Request::post("/package.Service/Call")
        .all(&[("content-type", "application/grpc"), ("te", "trailers")])
        .body(Body::Chunked(b"\0\0\0\0\x03abc".to_vec(), 4))
}

#[test]
fn websocket_of_an_approved_user_carries_bytes_both_ways() {
    let stack = Stack::standard();
    let approval = stack.signed_in("alice");
    let request = websocket().user("alice").cookie(&approval);
    let mut connection = stack.connect();
    let reply = stack.judged(Verdict::Admitted(1), "an upgrade", || {
        connection.exchange(&request).expect("an answer")
    });
    assert_eq!(reply.status, 101, "{reply:?}");
    assert_eq!(reply.header("upgrade"), Some("websocket"));
    for size in [1, 125, 70_000] {
        let sent: Vec<u8> = (0..=u8::MAX).cycle().take(size).collect();
        assert_eq!(connection.echoed(&sent), Ok(sent), "{size} bytes");
    }
    let seen = stack.app.last();
    assert_eq!(seen.values("x-duo-mfa-user"), ["alice"]);
    assert_eq!(seen.values("cookie"), [""; 0], "the approval stays here");
}

#[test]
fn event_stream_of_an_approved_user_is_not_waited_for() {
    let stack = Stack::standard();
    let approval = stack.signed_in("alice");
    let request = event_stream().user("alice").cookie(&approval);
    let mut connection = stack.connect();
    let (reply, event) = stack.judged(Verdict::Admitted(1), "a stream of events", || {
        connection.send_part(&encode(&request));
        connection.receive_first().expect("an event, of an answer that has no end")
    });
    assert_eq!((reply.status, event.as_slice()), (200, EVENT.as_bytes()), "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
}

#[test]
fn grpc_call_of_an_approved_user_arrives_whole() {
    let stack = Stack::standard();
    let approval = stack.signed_in("alice");
    let request = grpc_call().user("alice").cookie(&approval);
    let reply = stack.judged(Verdict::Admitted(1), "a gRPC call", || {
        stack.hold(request, Protocol::Http2).reply()
    });
    assert_eq!((reply.status, reply.header("x-app")), (200, Some("reached")), "{reply:?}");
    let seen = stack.app.last();
    assert_eq!(seen.values("content-type"), ["application/grpc"]);
    assert_eq!(seen.values("te"), ["trailers"]);
    assert!(seen.carries(b"\0\0\0\0\x03abc"), "{seen:?}");
}

#[test]
fn without_an_approval_nothing_of_a_stream_begins() {
    let stack = Stack::standard();
    for request in [websocket(), event_stream()] {
        stack.denied(&request.user("alice")).assert_problem(403, "mfa_required");
    }
    let reply = stack.judged(Verdict::Denied, "a gRPC call", || {
        stack.hold(grpc_call().user("alice"), Protocol::Http2).reply()
    });
    assert_eq!((reply.status, reply.header("grpc-status")), (200, Some("16")), "{reply:?}");
    assert_eq!(stack.sim.user_calls(), 0);
}

/// A tunnel has no path that a rule could match.
#[test]
fn connect_is_refused_with_an_approval_and_without() {
    let stack = Stack::standard();
    let approval = stack.signed_in("alice");
    let calls = stack.sim.user_calls();
    let connect = || Request::new("CONNECT", "app.example.com:443").user("alice");
    for request in [connect(), connect().cookie(&approval)] {
        stack.denied(&request).assert_problem(400, "bad_request");
    }
    assert_eq!(stack.sim.user_calls(), calls);
}

#[test]
fn methods_of_an_approved_user_arrive_as_they_are() {
    let stack = Stack::standard();
    let approval = stack.signed_in("alice");
    let calls = stack.sim.user_calls();
    for method in METHODS {
        let request = Request::new(method, "/reports?a=1").user("alice").cookie(&approval);
        let (reply, seen) = stack.admitted(&request);
        assert_eq!((seen.method.as_str(), seen.target.as_str()), (method, "/reports?a=1"));
        assert_eq!(reply.body.is_empty(), method == "HEAD", "{method}: {reply:?}");
    }
    assert_eq!(stack.sim.user_calls(), calls);
}

#[test]
fn methods_without_an_approval_wait_for_the_push() {
    let stack = Stack::standard();
    for (number, method) in METHODS.into_iter().enumerate() {
        let user = stack.sim.guest(number);
        let request = Request::new(method, "/reports").user(&user);
        let reply = stack.answered_push(request, &user, "approve");
        assert_eq!((reply.status, stack.app.last().method.as_str()), (200, method), "{reply:?}");

        let user = stack.sim.guest(METHODS.len() + number);
        let request = Request::new(method, "/reports").user(&user);
        let reply = stack.answered_push(request, &user, "deny");
        assert_eq!(reply.status, 403, "{method}: {reply:?}");
        assert_eq!(reply.body.is_empty(), method == "HEAD", "{method}: {reply:?}");
    }
    assert_eq!(stack.sim.pushes(), 2 * METHODS.len());
}

#[test]
fn methods_of_a_page_are_refused_without_an_approval() {
    let stack = Stack::standard();
    for method in METHODS {
        let request = Request::new(method, "/reports").user("alice");
        let request = request.all(&[("sec-fetch-mode", "cors"), ("sec-fetch-site", "same-origin")]);
        let reply = stack.denied(&request);
        assert_eq!(reply.status, 403, "{method}: {reply:?}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{method}");
    }
    assert_eq!(stack.sim.user_calls(), 0);
}
