//! Routes that Envoy answers itself. Their response comes while the filter is still resuming the request, so
//! the host enters the filter again from within its own call.

use serde_json::{Value, json};

use crate::message::{Body, Reply, Request};
use crate::setup::Setup;
use crate::stack::{APPROVAL, Held, Protocol, Stack};
use crate::tally::Verdict;

const PROTOCOLS: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

fn routes() -> Value {
    let text = json!({"status": 200, "body": {"inline_string": "direct"}});
    json!({"route_config": {"virtual_hosts": [{
        "name": "app",
        "domains": ["*"],
        "routes": [
            {"match": {"prefix": "/direct"}, "direct_response": text},
            {"match": {"prefix": "/moved"}, "redirect": {"path_redirect": "/direct"}},
            {"match": {"prefix": "/"}, "route": {"cluster": "app", "timeout": "60s"}},
        ],
    }]}})
}

fn start() -> Stack {
    let setup = Setup { manager: routes(), ..Setup::default() }.stopping_at_headers(1 << 20);
    Stack::start(setup.plugin(json!({
        "request_bodies": true,
        "access_control": {"rules": [
            {"paths": ["/direct/each"], "policy": "two_factor", "approval": "per_request"},
        ]},
    })))
}

/// Has a new user approve this request, which Envoy answers itself.
fn approved(stack: &Stack, number: usize, request: Request, protocol: Protocol) -> Reply {
    let user = stack.sim.guest(number);
    let held = stack.held_push(request.user(&user), protocol, &user);
    stack.judged(Verdict::Denied, "a response of Envoy's", || {
        stack.sim.answer(&user, "approve");
        held.reply()
    })
}

#[test]
fn held_request_gets_envoys_response_with_the_approval() {
    let stack = start();
    let upload = || Body::Chunked(vec![b'x'; 50_000], 1_000);
    let mut users = 0..;
    for protocol in PROTOCOLS {
        for (request, status) in [
            (Request::get("/direct"), 200),
            (Request::get("/moved"), 301),
            (Request::post("/direct").body(Body::Sized(vec![b'x'; 10_000])), 200),
            (Request::post("/direct").body(upload()), 200),
        ] {
            let occasion = request.summary();
            let reply = approved(&stack, users.next().unwrap(), request, protocol);
            assert_eq!(reply.status, status, "{occasion} {protocol:?} {reply:?}");
            assert!(reply.set_cookie(APPROVAL).is_some(), "{occasion} {protocol:?} {reply:?}");
            assert_eq!(reply.text() == "direct", status == 200, "{occasion} {protocol:?}");
        }
        // Such an approval opens the request that was held, and no other: it is no cookie.
        let each = Request::post("/direct/each").body(upload());
        let reply = approved(&stack, users.next().unwrap(), each, protocol);
        assert_eq!((reply.status, reply.text().as_str()), (200, "direct"), "{protocol:?}");
        assert_eq!(reply.set_cookie(APPROVAL), None);
    }
    assert_eq!(stack.sim.pushes(), users.start);
}

#[test]
fn request_with_an_approval_gets_envoys_response_and_another_does_not() {
    let stack = start();
    let cookie = stack.signed_in("alice");
    for path in ["/direct", "/moved"] {
        let request = Request::get(path).user("alice").cookie(&cookie);
        let reply = stack.judged(Verdict::Denied, path, || stack.send(&request));
        assert!(matches!(reply.status, 200 | 301), "{reply:?}");
        stack.denied(&Request::get(path).user("mallory")).assert_problem(403, "duo_denied");
        let page = stack.denied(&Request::get(path).user("alice").navigation());
        assert_eq!(page.status, 403);
        assert!(!page.text().contains("direct\n") && page.text() != "direct", "{}", page.text());
    }
    let denied = stack.answered_push(Request::get("/direct").user("two"), "two", "deny");
    denied.assert_problem(403, "mfa_denied");
}

#[test]
fn many_held_requests_get_envoys_response_at_once() {
    const PEOPLE: usize = 40;
    let stack = start();
    let replies = stack.judged(Verdict::Denied, "a crowd at a response of Envoy's", || {
        let held: Vec<_> = (0..PEOPLE)
            .map(|number| {
                let user = stack.sim.guest(number);
                let answer = if number % 4 == 3 { "deny" } else { "approve" };
                stack.sim.always(&user, answer);
                stack.hold(Request::get("/direct").user(&user), PROTOCOLS[number % 2])
            })
            .collect();
        held.into_iter().map(Held::reply).collect::<Vec<_>>()
    });
    for (number, reply) in replies.iter().enumerate() {
        let expected = if number % 4 == 3 { 403 } else { 200 };
        assert_eq!(reply.status, expected, "{number}: {reply:?}");
        assert_eq!(reply.text() == "direct", expected == 200, "{number}");
    }
    stack.assert_alive();
}
