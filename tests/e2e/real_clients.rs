//! Requests of real clients: some get the page, some are held, and some are refused.

use serde_json::Value;

use crate::http1::encode;
use crate::message::{Body, Reply, Request};
use crate::sim::eventually;
use crate::stack::{APPROVAL, Protocol, Stack};
use crate::tally::Verdict;

const CHROME: (&str, &str) = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156");
const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

#[test]
fn navigation_that_a_service_worker_passes_on_shows_the_page() {
    let stack = Stack::standard();
    let kind = [CHROME, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "empty")];
    let passed_on = Request::get("/reports").user("alice").all(&kind);
    let page = stack.denied(&passed_on.clone().all(&[HTML, ("sec-fetch-site", "same-origin")]));
    assert_eq!((page.status, page.header("content-type")), (403, Some("text/html; charset=utf-8")));
    assert!(page.text().contains("Confirm it’s you"), "{}", page.text());
    let download = passed_on.all(&[("accept", "*/*"), ("sec-fetch-site", "same-origin")]);
    stack.denied(&download).assert_problem(403, "mfa_required");
    assert_eq!(stack.sim.user_calls(), 0);
}

fn node(request: Request) -> Request {
    request.all(&[
        ("accept", "*/*"),
        ("accept-language", "*"),
        ("sec-fetch-mode", "cors"),
        ("user-agent", "node"),
        ("accept-encoding", "br, gzip, deflate"),
    ])
}

#[test]
fn fetch_of_node_is_held() {
    let stack = Stack::standard();
    let reply =
        stack.answered_push(node(Request::get("/reports").user("alice")), "alice", "approve");
    assert_eq!(reply.status, 200, "{reply:?}");
    let by_passcode = node(Request::get("/reports").user("two"));
    let (_, seen) = stack.admitted(&by_passcode.header("x-duo-mfa-passcode", "123456"));
    assert_eq!(seen.values("x-duo-mfa-factor"), ["passcode"]);
}

#[test]
fn sign_in_that_node_starts_is_followed_without_cookies() {
    let stack = Stack::standard();
    let start = node(Request::post("/.duo-mfa/auth?factor=push&device=auto").user("alice"));
    let begun = stack.denied(&start.header("content-length", "0"));
    assert_eq!(begun.status, 202, "{begun:?} {}", begun.text());
    let transaction = begun.json()["transaction"].as_str().expect("a transaction").to_owned();
    stack.sim.answer("alice", "approve");
    let ask = node(Request::get("/.duo-mfa/status").user("alice"));
    let ask = ask.header("x-duo-mfa-transaction", transaction);
    let approval = eventually("the approval", || {
        let state = stack.judged(Verdict::Denied, "a look at a sign-in", || stack.send(&ask));
        state.set_cookie(APPROVAL).map(str::to_owned)
    });
    stack.admitted(&node(Request::get("/reports").user("alice")).cookie(&approval));
    assert_eq!(stack.sim.pushes(), 1);
}

#[test]
fn package_installers_of_python_are_held() {
    let stack = Stack::standard();
    let pypi = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01";
    let clients = [("pip/24.0", pypi), ("uv/0.2.5", pypi), ("pip/21.3.1", "text/html")];
    for (number, (agent, accept)) in clients.into_iter().enumerate() {
        let user = stack.sim.guest(number);
        let request = Request::get("/simple/numpy/").user(&user);
        let request = request.all(&[("user-agent", agent), ("accept", accept)]);
        assert_eq!(stack.answered_push(request, &user, "approve").status, 200, "{agent}");
    }
    assert_eq!(stack.sim.pushes(), 3);
}

#[test]
fn passcode_is_tried_whatever_sends_it() {
    let stack = Stack::standard();
    let powershell = "Mozilla/5.0 (Windows NT 10.0; en-US) PowerShell/7.4.2";
    let kinds: [&[(&str, &str)]; 4] = [
        &[("user-agent", powershell)],
        &[CHROME],
        &[CHROME, HTML],
        &[("user-agent", "Lavf/60.16.100"), ("range", "bytes=0-")],
    ];
    for kind in kinds {
        let request = Request::get("/reports").user("alice").all(kind);
        let (_, seen) = stack.admitted(&request.header("x-duo-mfa-passcode", "123456"));
        assert_eq!(seen.values("x-duo-mfa-factor"), ["passcode"], "{kind:?}");
        let request = Request::get("/reports").user("alice").all(kind);
        let wrong = stack.denied(&request.header("x-duo-mfa-passcode", "000000"));
        wrong.assert_problem(422, "passcode_incorrect");
    }
    let socket = Request::get("/socket").user("alice").all(&[
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("x-duo-mfa-passcode", "123456"),
    ]);
    let mut connection = stack.connect();
    let reply = stack.judged(Verdict::Admitted(1), "an upgrade", || {
        connection.exchange(&socket).expect("an answer")
    });
    assert_eq!(reply.status, 101, "{reply:?}");
    assert_eq!(connection.echoed(b"abc"), Ok(b"abc".to_vec()));
    assert_eq!(stack.sim.pushes(), 0);
}

fn call(passcode: Option<&str>) -> Request {
    let call = Request::post("/package.Service/Call").user("alice");
    let call = call.all(&[("content-type", "application/grpc"), ("te", "trailers")]);
    let call = call.body(Body::Chunked(b"\0\0\0\0\x03abc".to_vec(), 4));
    match passcode {
        Some(passcode) => call.header("x-duo-mfa-passcode", passcode),
        None => call,
    }
}

#[test]
fn passcode_in_the_metadata_of_a_grpc_call_is_tried() {
    let stack = Stack::standard();
    let reply = stack.judged(Verdict::Admitted(1), "a gRPC call", || {
        stack.hold(call(Some("123456")), Protocol::Http2).reply()
    });
    assert_eq!((reply.status, reply.header("x-app")), (200, Some("reached")), "{reply:?}");
    assert!(stack.app.last().carries(b"\0\0\0\0\x03abc"));
    let refused = |passcode, occasion| -> Reply {
        stack.judged(Verdict::Denied, occasion, || {
            stack.hold(call(passcode), Protocol::Http2).reply()
        })
    };
    let wrong = refused(Some("000000"), "a gRPC call with a wrong passcode");
    assert_eq!((wrong.status, wrong.header("grpc-status")), (200, Some("3")), "{wrong:?}");
    let none = refused(None, "a gRPC call without a passcode");
    let message = none.header("grpc-message").unwrap_or_default();
    assert!(message.contains("x-duo-mfa-passcode"), "the remedy: {none:?}");
    assert_eq!(stack.sim.pushes(), 0);
}

#[test]
fn passcode_of_a_foreign_page_is_not_tried() {
    let stack = Stack::standard();
    for sender in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let request = Request::get("/reports").user("alice").all(&[CHROME, sender]);
        let reply = stack.denied(&request.header("x-duo-mfa-passcode", "123456"));
        reply.assert_problem(403, "mfa_required");
    }
    assert_eq!(stack.sim.user_calls(), 0);
}

#[test]
fn helpers_of_browsers_ring_no_phone() {
    let stack = Stack::standard();
    for agent in [
        "MobileSafari/8617.1.17.10.12 CFNetwork/1490.0.4 Darwin/23.2.0",
        "NetworkingExtension/8617.1.17 Network/3826 iOS/17.2 CFNetwork/1490.0.4",
        "AppleCoreMedia/1.0.0.21C62 (iPhone; U; CPU OS 17_2 like Mac OS X; en_us)",
        "VLC/3.0.20 LibVLC/3.0.20",
        "stagefright/1.2 (Linux;Android 7.0)",
        "Microsoft Office Existence Discovery",
        "WhatsApp/2.24.8.78 A",
    ] {
        let request = Request::get("/film.mp4").user("alice");
        let reply = stack.denied(&request.all(&[("user-agent", agent), ("accept", "*/*")]));
        reply.assert_problem(403, "mfa_required");
        let detail: Value = reply.json()["detail"].clone();
        assert!(detail.as_str().unwrap().contains("x-duo-mfa-passcode"), "{detail}");
    }
    let icon = Request::get("/favicon.ico").user("alice").header("accept", "*/*");
    stack.denied(&icon).assert_problem(403, "mfa_required");
    assert_eq!(stack.sim.user_calls(), 0);
}

#[test]
fn form_of_an_old_browser_that_names_no_sender_rings_no_phone() {
    let stack = Stack::standard();
    let ie = ("user-agent", "Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0) like Gecko");
    let form = || {
        let form = Request::post("/.duo-mfa/auth?factor=push&device=auto").user("alice");
        form.all(&[ie, HTML, ("content-length", "0")])
    };
    for foreign in [form(), form().header("referer", "https://evil.example/")] {
        assert_eq!(
            stack.denied(&foreign).status,
            403,
            "{}",
            String::from_utf8_lossy(&encode(&foreign))
        );
    }
    assert_eq!(stack.sim.user_calls(), 0);
    let own = form().header("referer", "https://app.example.com/reports");
    assert_eq!(stack.denied(&own).status, 303);
    assert_eq!(stack.sim.pushes(), 1);
}

#[test]
fn sign_in_over_plain_http_is_refused_before_any_push() {
    let stack = Stack::standard();
    let plain = |path: &str| {
        let request = Request::post(path).user("alice").header("content-length", "0");
        request.all(&[CHROME, ("accept", "application/json"), ("origin", "http://app.example.com")])
    };
    for endpoint in ["/.duo-mfa/preauth", "/.duo-mfa/auth?factor=push&device=auto"] {
        let reply = stack.denied(&plain(endpoint));
        reply.assert_problem(403, "https_required");
        assert!(reply.json()["detail"].as_str().unwrap().contains("https://"), "{}", reply.text());
    }
    assert_eq!(stack.sim.user_calls(), 0);
}
