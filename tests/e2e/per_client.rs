//! Approvals per client: programs that keep no cookie, in one run of a command.

use std::thread;
use std::time::{Duration, Instant};

use rcgen::DnType;
use serde_json::{Value, json};

use crate::certificates::{Authority, exchange, listening};
use crate::message::{Body, Request};
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::{Held, Protocol, Stack};
use crate::tally::Verdict;

const HERE: &str = "203.0.113.7";
const NEXT_DOOR: &str = "203.0.113.200";
const ELSEWHERE: &str = "198.51.100.7";

fn rules(lasts: &str) -> Value {
    json!({"rules": [
        {"paths": ["/api/*"], "policy": "two_factor",
         "approval": {"per": "client", "for": lasts}},
        {"paths": ["/plain/*"], "policy": "two_factor"},
        {"paths": ["/signout"], "policy": "bypass"},
    ]})
}

/// A stack behind a trusted proxy, which writes the client's address.
fn behind_a_proxy(lasts: &str, workers: u32) -> Stack {
    let manager = json!({"xff_num_trusted_hops": 1});
    let setup = Setup { manager, workers, ..Setup::default() };
    Stack::start(setup.plugin(json!({
        "session": {"bind": ["ip_prefix"], "logout_paths": ["/signout"]},
        "access_control": rules(lasts),
        "filter_state": true,
    })))
}

fn from(address: &str, request: Request) -> Request {
    request.header("x-forwarded-for", address)
}

/// A request of alice as kubectl sends it.
fn kubectl(path: &str) -> Request {
    let request = Request::get(path).user("alice").header("user-agent", "kubectl/v1.31.0");
    from(HERE, request.header("accept", "application/json, */*"))
}

#[test]
fn run_without_a_cookie_jar_is_one_push_and_ends_with_its_time() {
    let stack = behind_a_proxy("10s", 2);
    let first = stack.answered_push(kubectl("/api/v1"), "alice", "approve");
    let approved = Instant::now();
    assert_eq!(first.status, 200, "{first:?}");
    let since = stack.app.last().values("x-duo-mfa-time").concat();
    for path in ["/api", "/api/v1/pods", "/api/v1/pods/a?watch=1"] {
        let (reply, seen) = stack.admitted(&kubectl(path));
        assert_eq!(reply.header("set-cookie"), None, "it makes no longer approval");
        assert_eq!(seen.values("x-duo-mfa-user"), ["alice"]);
        assert_eq!(seen.values("x-duo-mfa-factor"), ["push"]);
        assert_eq!(seen.values("x-duo-mfa-time"), [since.as_str()]);
    }
    let post =
        from(HERE, Request::post("/api/v1/pods").user("alice").body(Body::Sized(b"{}".to_vec())));
    let (_, seen) = stack.admitted(&post);
    assert_eq!(seen.body_length, 2);
    assert_eq!((stack.sim.pushes(), stack.sim.calls("preauth")), (1, 1));
    eventually("the count", || {
        (stack.envoy.stat("wasmcustom.duo_mfa_passed_per_client") == 4).then_some(())
    });
    let lines = stack.envoy.log().matches("\"result\":\"passed_per_client\"").count();
    assert_eq!(lines, 4);

    thread::sleep(Duration::from_secs(11).saturating_sub(approved.elapsed()));
    let again = stack.answered_push(kubectl("/api/v1"), "alice", "approve");
    assert_eq!((again.status, stack.sim.pushes()), (200, 2));
    stack.admitted(&kubectl("/api/v1"));
}

#[test]
fn another_network_or_user_is_asked() {
    let stack = behind_a_proxy("5m", 2);
    stack.answered_push(kubectl("/api/v1"), "alice", "approve");
    let get = |address: &str, user: &str| from(address, Request::get("/api/v1").user(user));
    stack.admitted(&get(NEXT_DOOR, "alice"));
    let guest = stack.sim.guest(0);
    stack.answered_push(get(HERE, &guest), &guest, "deny").assert_problem(403, "mfa_denied");
    stack.answered_push(from(HERE, Request::get("/plain/a").user("alice")), "alice", "approve");
    stack.answered_push(from(HERE, Request::get("/plain/a").user("alice")), "alice", "approve");
    let denied = stack.answered_push(get(ELSEWHERE, "alice"), "alice", "deny");
    denied.assert_problem(403, "mfa_denied");
    // The denial was for another client.
    stack.admitted(&get(HERE, "alice"));
    stack.denied(&get(ELSEWHERE, "alice")).assert_problem(429, "too_many_requests");
    stack.denied(&get("2001:db8::7", "alice")).assert_problem(429, "too_many_requests");
    assert_eq!(stack.sim.pushes(), 5);
}

#[test]
fn another_certificate_of_the_same_user_is_asked() {
    let authority = Authority::new();
    let [laptop, other] =
        [(); 2].map(|()| authority.sign(&[(DnType::CommonName, "alice")], vec![]));
    let identity = json!({"source": "mtls", "header": null, "certificate": "subject"});
    let plugin = json!({
        "identity": identity,
        "session": {"bind": ["certificate"]},
        "access_control": rules("5m"),
    });
    let stack = listening(&authority, &plugin);
    let send = |client, verdict| {
        stack.judged(verdict, "by certificate", || {
            let request = Request::get("/api/v1");
            exchange(stack.envoy.listener, &authority, client, &request).expect("an answer")
        })
    };
    stack.sim.always("alice", "approve");
    for _ in 0..4 {
        assert_eq!(send(Some(&laptop), Verdict::Admitted(1)).0, 200);
    }
    assert_eq!(stack.sim.pushes(), 1);
    for _ in 0..4 {
        assert_eq!(send(Some(&other), Verdict::Admitted(1)).0, 200);
    }
    assert_eq!(stack.sim.pushes(), 2);
    let (status, text) = send(None, Verdict::Denied);
    assert!(status == 403 && text.contains("identity_missing"), "{text}");
}

#[test]
fn sign_out_ends_the_run() {
    let stack = behind_a_proxy("5m", 2);
    let logout = Request::post("/.duo-mfa/logout").user("alice").header("content-length", "0");
    for by_path in [false, true] {
        stack.answered_push(kubectl("/api/v1"), "alice", "approve");
        for _ in 0..4 {
            stack.admitted(&kubectl("/api/v1"));
        }
        if by_path {
            stack.admitted(&from(ELSEWHERE, Request::get("/signout").user("alice")));
        } else {
            let out = stack.judged(Verdict::Denied, "a sign-out", || {
                stack.send(&from(ELSEWHERE, logout.clone()))
            });
            assert_eq!(out.status, 200, "{out:?}");
        }
    }
    stack.answered_push(kubectl("/api/v1"), "alice", "deny").assert_problem(403, "mfa_denied");
    assert_eq!(stack.sim.pushes(), 3);
}

#[test]
fn many_requests_at_once_pass_in_all_workers() {
    let stack = behind_a_proxy("5m", 4);
    stack.answered_push(kubectl("/api/v1"), "alice", "approve");
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let held: Vec<_> = (0..40)
            .map(|number| {
                let path = format!("/api/v1/{number}");
                (path.clone(), kubectl(&path))
            })
            .collect();
        stack.judged(Verdict::Admitted(40), "forty at once", || {
            let held: Vec<_> =
                held.into_iter().map(|(_, request)| stack.hold(request, protocol)).collect();
            for reply in held.into_iter().map(Held::reply) {
                assert_eq!(reply.status, 200, "{reply:?}");
            }
        });
    }
    assert_eq!((stack.sim.pushes(), stack.sim.calls("preauth")), (1, 1));
}

/// All requests of a command, sent before the user answers.
fn at_once(stack: &Stack) -> Vec<Held> {
    let held = (0..16)
        .map(|number| stack.hold(kubectl(&format!("/api/{number}")), Protocol::Http2))
        .collect();
    stack.sim.pending("alice");
    thread::sleep(Duration::from_secs(3));
    held
}

#[test]
fn requests_at_once_wait_for_one_push() {
    let stack = behind_a_proxy("5m", 2);
    let held = stack.judged(Verdict::Denied, "before the approval", || at_once(&stack));
    assert!(held.iter().all(|held| !held.is_answered()));
    let elsewhere = from(ELSEWHERE, Request::get("/api/1").user("alice"));
    stack.denied(&elsewhere).assert_problem(429, "pending_elsewhere");
    stack.judged(Verdict::Admitted(16), "sixteen by one push", || {
        stack.sim.answer("alice", "approve");
        for held in held {
            assert_eq!(held.reply().status, 200);
        }
    });
    assert_eq!(stack.sim.pushes(), 1);
    assert_eq!(stack.sim.calls("preauth"), 2, "of the first request, and of the other network");
}

#[test]
fn requests_at_once_are_refused_by_one_denial() {
    let stack = behind_a_proxy("5m", 2);
    let held = stack.judged(Verdict::Denied, "before the denial", || at_once(&stack));
    stack.judged(Verdict::Denied, "sixteen by one denial", || {
        stack.sim.answer("alice", "deny");
        let mut codes: Vec<_> =
            held.into_iter().map(|held| held.reply().json()["code"].to_string()).collect();
        codes.sort();
        codes.dedup();
        assert_eq!(codes, ["\"mfa_denied\"", "\"too_many_requests\""]);
    });
    assert_eq!(stack.sim.pushes(), 1);
    assert_eq!(stack.envoy.stat("wasmcustom.duo_mfa_passed_per_client"), 0);
}

/// A page of another site makes the browser send requests with Alice's password.
#[test]
fn browser_of_the_same_client_is_asked() {
    let stack = behind_a_proxy("5m", 2);
    stack.answered_push(kubectl("/api/v1"), "alice", "approve");
    let chrome = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156");
    let foreign = [
        chrome,
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "no-cors"),
    ];
    let forged = Request::post("/api/v1/pods")
        .user("alice")
        .all(&foreign)
        .body(Body::Sized(b"a=b".to_vec()));
    stack.denied(&from(HERE, forged)).assert_problem(403, "mfa_required");
    let page = stack.denied(&from(HERE, Request::get("/api/v1").user("alice").navigation()));
    assert_eq!(page.status, 403, "{page:?}");
    stack.admitted(&kubectl("/api/v1"));
    assert_eq!(stack.sim.pushes(), 1);
}
