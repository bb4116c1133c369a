//! Requests that try to break the filter, or to impersonate another user.

use serde_json::json;

use crate::http1::encode;
use crate::message::{Body, Request};
use crate::setup::{FirstFactor, Setup};
use crate::stack::{Protocol, Stack};
use crate::tally::Verdict;

/// Asserts that no VM trapped: a thousand requests with a valid cookie are all admitted.
fn assert_a_thousand_pass(stack: &Stack, approval: &str) {
    stack.judged(Verdict::Admitted(1000), "a thousand approved requests", || {
        for _ in 0..10 {
            let mut connection = stack.connect();
            for _ in 0..100 {
                let request = Request::get("/").user("alice").cookie(approval);
                assert_eq!(connection.exchange(&request).expect("an answer").status, 200);
            }
        }
    });
}

#[test]
fn bytes_that_are_not_utf8_end_no_vm() {
    let stack = Stack::standard();
    let approval = stack.signed_in("alice");
    let names = [
        "cookie",
        "accept",
        "user-agent",
        "sec-fetch-mode",
        "origin",
        "referer",
        "content-type",
        "x-duo-mfa-user",
        "x-duo-mfa-passcode",
        "x-duo-mfa-transaction",
        "x-request-id",
        "te",
        "x-anything",
        "x-forwarded-for",
        "upgrade",
        "sec-purpose",
        "authorization",
        "host",
    ];
    for name in names {
        for value in [&b"\xff"[..], b"a\xffb", b"\xc3\x28", b"__Host-duo_mfa=\xff\xfe"] {
            let request = Request::get("/").user("mallory").header(name, value);
            let reply = stack.denied(&request);
            assert!(matches!(reply.status, 400..500), "{name}: {reply:?} {}", reply.text());
        }
    }
    for raw in [
        Request::get("/").user("mallory").header(b"x-\xff", b"a"),
        Request::get(b"/\xff\xfe").user("mallory"),
        Request::get(b"/.duo-mfa/\xff").user("mallory"),
        Request::new("G\u{e9}T", "/").user("mallory"),
    ] {
        let outcome = stack
            .judged(Verdict::Denied, "a byte that is no text", || stack.connect().exchange(&raw));
        assert!(
            outcome.as_ref().is_ok_and(|reply| matches!(reply.status, 400..500)),
            "{outcome:?}"
        );
    }
    let odd = Request::get("/").user("alice").cookie(&approval).header("x-anything", b"\xff\xfe");
    let (_, seen) = stack.admitted(&odd);
    let passed = seen.headers.iter().find(|(name, _)| name == "x-anything").unwrap();
    assert_eq!(passed.1, b"\xff\xfe");
    assert_a_thousand_pass(&stack, &approval);
}

/// A stack that trusts the client's identity header, so that values can arrive that basic_auth never sets.
fn unguarded() -> Stack {
    let setup = Setup::default().plugin(json!({"api": {"mode": "refuse"}}));
    Stack::start(Setup { first_factor: FirstFactor::Absent, ..setup })
}

#[test]
fn identity_that_is_not_canonical_never_reaches_duo() {
    let stack = unguarded();
    let long = "a".repeat(300);
    let faulty: &[&[u8]] = &[
        b"alice,bob",
        b"a@x@corp",
        b"al  ice",
        b"alice\xff",
        "\u{ff41}lice".as_bytes(),
        "alice\u{200b}".as_bytes(),
        b"alice;factor=auto",
        b"..\\alice",
        b"alice%00",
        b"alice\"",
        long.as_bytes(),
    ];
    for identity in faulty {
        let request = Request::get("/").header("x-basic-user", identity);
        stack.denied(&request).assert_problem(400, "identity_invalid");
    }
    for request in [Request::get("/"), Request::get("/").header("x-basic-user", "")] {
        stack.denied(&request).assert_problem(403, "identity_missing");
    }
    stack
        .denied(
            &Request::get("/").header("connection", "x-basic-user").header("x-basic-user", "alice"),
        )
        .assert_problem(403, "identity_missing");
    let reply = stack.denied(&Request::get("/").header("x-basic-user", "alice"));
    reply.assert_problem(403, "mfa_required");
    assert_eq!(stack.sim.user_calls(), 0);
}

#[test]
fn second_identity_is_refused() {
    let stack = unguarded();
    for second in ["x-basic-user", "x_basic_user", "X-Basic_User", "X_BASIC-USER"] {
        let request = Request::get("/").header("x-basic-user", "alice").header(second, "bob");
        stack.denied(&request).assert_problem(400, "identity_invalid");
    }
    assert_eq!(stack.sim.user_calls(), 0);

    let guarded = Stack::standard();
    let request = Request::get("/").user("alice").header("x-basic-user", "bella");
    let reply = guarded.answered_push(request, "alice", "approve");
    assert_eq!(reply.status, 200);
    assert_eq!(guarded.app.last().values("x-duo-mfa-user"), ["alice"]);
    let calls = guarded.sim.user_calls();
    let beside = Request::get("/").user("alice").header("x_basic_user", "bella");
    guarded.denied(&beside).assert_problem(400, "identity_invalid");
    assert_eq!(guarded.sim.user_calls(), calls);
}

#[test]
fn spoofed_result_headers_never_reach_the_application() {
    let stack = Stack::standard();
    let approval = stack.signed_in("alice");
    let spoofed = |request: Request| {
        request.all(&[
            ("x-duo-mfa-user", "root"),
            ("X-Duo-MFA-User", "root"),
            ("x_duo_mfa_user", "root"),
            ("x-duo_mfa-factor", "webauthn"),
            ("x_duo-mfa_time", "0"),
            ("x-duo-mfa-result", "off"),
            ("x_duo_mfa_result", "off"),
            ("x-duo-mfa-transaction", "abc"),
            ("x-duo-mfa-anything", "abc"),
        ])
    };
    let reserved = |headers: &[(String, Vec<u8>)]| {
        let folded = headers.iter().map(|(name, _)| name.replace('_', "-"));
        let mut names: Vec<_> = folded.filter(|name| name.starts_with("x-duo-mfa-")).collect();
        names.sort();
        names
    };
    let (_, seen) = stack.admitted(&spoofed(Request::get("/").user("alice").cookie(&approval)));
    assert_eq!(seen.values("x-duo-mfa-user"), ["alice"]);
    assert_eq!(seen.values("x-duo-mfa-factor"), ["push"]);
    assert_eq!(seen.values("x-duo-mfa-result"), ["passed"]);
    let expected = ["x-duo-mfa-factor", "x-duo-mfa-result", "x-duo-mfa-time", "x-duo-mfa-user"];
    assert_eq!(reserved(&seen.headers), expected);

    let open = Stack::start(Setup::default().plugin(json!({
        "access_control": {"default_policy": "bypass"},
    })));
    let (_, seen) = open.admitted(&spoofed(Request::get("/").user("alice")));
    assert_eq!(reserved(&seen.headers), ["x-duo-mfa-result"]);
    assert_eq!(seen.values("x-duo-mfa-result"), ["bypassed"]);
}

#[test]
fn spoofed_result_trailers_never_reach_the_application() {
    let stack = Stack::standard();
    let approval = stack.signed_in("alice");
    let owned = |name: &str| (name.to_owned(), "admin".to_owned());
    let trailers =
        ["x-checksum", "x-duo-mfa-result", "x_duo_mfa_factor", "x-duo-mfa-passcode"].map(owned);
    let request = Request::post("/").user("alice");
    let request = request.body(Body::Trailed(b"amount=12".to_vec(), 4, trailers.to_vec()));
    stack.judged(Verdict::Admitted(1), "by its cookie", || {
        let passed = stack.hold(request.clone().cookie(&approval), Protocol::Http2);
        assert_eq!(passed.reply().status, 200);
    });
    assert_eq!(stack.app.last().trailers, [owned("x-checksum")]);
    let request = Request::post("/").user("alice");
    let request =
        request.body(Body::Trailed(b"amount=12".to_vec(), 4, vec![owned("x-duo-mfa-time")]));
    let held = stack.held_push(request, Protocol::Http2, "alice");
    stack.judged(Verdict::Admitted(1), "by its push", || {
        stack.sim.answer("alice", "approve");
        assert_eq!(held.reply().status, 200);
    });
    assert_eq!(stack.app.last().trailers, []);
}

#[test]
fn connect_without_a_path_is_refused() {
    let stack = Stack::standard();
    let approval = stack.signed_in("alice");
    let plain = Request::new("CONNECT", "app.example.com:443").user("alice");
    for request in [plain.clone(), plain.cookie(&approval)] {
        let outcome =
            stack.judged(Verdict::Denied, "a CONNECT", || stack.connect().exchange(&request));
        assert!(
            outcome.as_ref().is_ok_and(|reply| matches!(reply.status, 400..500)),
            "{outcome:?}"
        );
    }
    assert_a_thousand_pass(&stack, &approval);
}

#[test]
fn cookie_bombs_are_refused() {
    let stack = Stack::standard();
    let approval = stack.signed_in("alice");
    let calls = stack.sim.user_calls();
    let pair = approval.split(';').next().unwrap();
    let large = format!("a={}; {pair}", "x".repeat(50_000));
    let many = format!("{}{pair}", "a=1; ".repeat(5_000));
    let separators = ";".repeat(50_000);
    for cookie in [large, many, separators, "=".repeat(50_000)] {
        let request = Request::get("/").user("alice").navigation().header("cookie", &cookie);
        let reply = stack.denied(&request);
        assert!(matches!(reply.status, 400..500), "{reply:?}");
    }
    assert_eq!(stack.sim.user_calls(), calls);
    let raw = encode(&Request::get("/").user("alice").header("cookie", "x".repeat(70_000)));
    let mut connection = stack.connect();
    let reply = stack.judged(Verdict::Denied, "a head above Envoy's limit", || {
        connection.send_part(&raw);
        connection.receive()
    });
    assert!(reply.is_ok_and(|reply| reply.status == 431));
    assert_a_thousand_pass(&stack, &approval);
}
