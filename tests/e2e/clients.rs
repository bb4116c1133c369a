//! Clients that are not held: each gets the right reply, and none causes a push.

use serde_json::json;

use crate::message::{Body, Reply, Request};
use crate::setup::Setup;
use crate::stack::{Protocol, Stack};
use crate::tally::Verdict;

const CHROME: (&str, &str) = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156");

/// Asserts that no request has started a push.
fn assert_no_push(stack: &Stack) {
    assert_eq!(stack.sim.calls("auth"), 0);
    assert_eq!(stack.sim.pushes(), 0);
}

fn assert_own_answer(reply: &Reply) {
    assert_eq!(reply.header("cache-control"), Some("no-store"), "{reply:?}");
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{reply:?}");
    assert_eq!(reply.header("x-frame-options"), Some("DENY"), "{reply:?}");
    assert_eq!(reply.header("access-control-allow-origin"), None, "{reply:?}");
}

#[test]
fn navigation_is_refused_and_never_pushes() {
    let stack = Stack::standard();
    for method in ["GET", "HEAD", "POST"] {
        let reply = stack.denied(&Request::new(method, "/reports").user("alice").navigation());
        assert_eq!(reply.status, 403, "{method}: {reply:?}");
        assert_own_answer(&reply);
    }
    assert_no_push(&stack);
}

#[test]
fn background_requests_are_refused_and_never_push() {
    let stack = Stack::standard();
    let kinds: &[(&str, &[(&str, &str)])] = &[
        (
            "fetch",
            &[CHROME, ("accept", "*/*"), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")],
        ),
        ("xhr", &[CHROME, ("accept", "*/*"), ("x-requested-with", "XMLHttpRequest")]),
        (
            "image",
            &[
                CHROME,
                ("accept", "image/*"),
                ("sec-fetch-mode", "no-cors"),
                ("sec-fetch-dest", "image"),
            ],
        ),
        (
            "image of an old browser",
            &[("accept", "image/png"), ("referer", "https://evil.example/")],
        ),
        ("cross-site post", &[("origin", "https://evil.example"), ("accept", "*/*")]),
        (
            "frame",
            &[
                CHROME,
                ("accept", "text/html"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "iframe"),
            ],
        ),
        ("event stream", &[CHROME, ("accept", "text/event-stream"), ("sec-fetch-mode", "cors")]),
    ];
    for (kind, headers) in kinds {
        for (method, there) in [("GET", ""), ("POST", "&method=POST")] {
            let reply = stack.denied(&Request::new(method, "/api").user("alice").all(headers));
            reply.assert_problem(403, "mfa_required");
            let start_url = format!("/.duo-mfa/?return_to=%2Fapi{there}");
            assert_eq!(reply.json()["start_url"], start_url, "{kind}");
            assert_own_answer(&reply);
            assert!(reply.values("set-cookie").is_empty(), "{kind}: {reply:?}");
        }
    }
    let prefetch = Request::get("/").user("alice").navigation().header("sec-purpose", "prefetch");
    stack.denied(&prefetch).assert_problem(403, "mfa_required");
    assert_no_push(&stack);
}

#[test]
fn websocket_upgrade_is_refused_before_it_is_one() {
    let stack = Stack::standard();
    let upgrade = Request::get("/socket?room=1").user("alice").all(&[
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]);
    let by_browser = upgrade.clone().all(&[
        CHROME,
        ("origin", "http://app.example.com"),
        ("sec-fetch-mode", "websocket"),
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-site", "same-origin"),
    ]);
    for request in [upgrade, by_browser] {
        let reply = stack.denied(&request);
        reply.assert_problem(403, "mfa_required");
        assert_eq!(reply.json()["start_url"], "/.duo-mfa/?return_to=%2Fsocket%3Froom%3D1");
        assert_eq!(reply.header("sec-websocket-accept"), None, "{reply:?}");
    }
    assert_no_push(&stack);
}

#[test]
fn grpc_call_is_refused_with_status_16_in_the_head_alone() {
    let stack = Stack::standard();
    for kind in ["application/grpc", "application/grpc+proto"] {
        let call = Request::post("/package.Service/Call")
            .user("alice")
            .all(&[("content-type", kind), ("te", "trailers")])
            .body(Body::Chunked(vec![0; 5], 5));
        let reply = stack
            .judged(Verdict::Denied, "a gRPC call", || stack.hold(call, Protocol::Http2).reply());
        assert!(reply.is_head_alone, "{reply:?}");
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.header("content-type"), Some("application/grpc"));
        assert_eq!(reply.header("grpc-status"), Some("16"));
        assert!(reply.header("grpc-message").is_some_and(|message| !message.is_empty()));
        let start_url = "/.duo-mfa/?return_to=%2Fpackage.Service%2FCall&method=POST";
        assert_eq!(reply.header("x-duo-mfa-start-url"), Some(start_url));
        assert!(reply.values("set-cookie").is_empty(), "{reply:?}");
    }
    assert_no_push(&stack);
}

#[test]
fn script_is_refused_at_once_in_refuse_mode() {
    let stack = Stack::start(Setup::default().plugin(json!({"api": {"mode": "refuse"}})));
    for method in ["GET", "POST", "DELETE", "OPTIONS", "TRACE"] {
        let reply = stack.denied(&Request::new(method, "/reports").user("alice"));
        reply.assert_problem(403, "mfa_required");
    }
    assert_eq!(stack.sim.user_calls(), 0);
}

#[test]
fn request_without_a_first_factor_never_reaches_duo() {
    let stack = Stack::standard();
    for request in [
        Request::get("/"),
        Request::get("/").header("x-basic-user", "alice"),
        Request::get("/").header("authorization", "Basic YWxpY2U6d3Jvbmc="),
    ] {
        assert_eq!(stack.denied(&request).status, 401);
    }
    assert_eq!(stack.sim.user_calls(), 0);
}
