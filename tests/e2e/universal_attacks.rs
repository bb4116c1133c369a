//! Attacks on the way to Duo's page and back: jars full of cookies, split headers, other spellings of
//! the path, other methods, and floods.

use serde_json::json;

use crate::browser::Browser;
use crate::http1::encode;
use crate::message::{Reply, Request};
use crate::sim::eventually;
use crate::stack::{APPROVAL, Protocol, Stack};
use crate::universal::{
    BROWSER, CALLBACK, PAGE, approved_at_duo, approves, assert_arrived, assert_no_token_call,
    assert_refused, back, denied, parameter, press, settled_checks, start, start_with,
};

const LOST: &str = "sign_in_lost";

/// The callback of alice's approved sign-in, with the value of her browser's cookie.
fn on_the_way(stack: &Stack) -> (Browser, String, String) {
    let mut alice = Browser::of("alice");
    let target = alice.is_approved(stack, PAGE);
    let value = alice.jar[BROWSER].clone();
    (alice, target, value)
}

fn with_cookies(target: &str, lines: &[String]) -> Request {
    lines.iter().fold(back(target).user("alice"), |request, line| request.header("cookie", line))
}

/// Names that are not the cookie's, though some reader may take them for it.
fn look_alikes(value: &str) -> Vec<String> {
    let mut names: Vec<String> = (0..120).map(|number| format!("{BROWSER}-a{number}")).collect();
    names.extend(
        [
            "__host-duo_universal",
            "__Host-duo_universalx",
            "x__Host-duo_universal",
            "duo_universal",
            "__Secure-duo_universal",
            "__Host-duo_universa",
            "__Host-duo_universal%20",
            "$__Host-duo_universal",
            "__Host-duo_universal[]",
            "__Host-duo%5funiversal",
        ]
        .map(str::to_owned),
    );
    names.iter().map(|name| format!("{name}={value}")).collect()
}

#[test]
fn jar_full_of_look_alikes_neither_helps_nor_harms() {
    let stack = start();
    let (alice, target, value) = on_the_way(&stack);
    let mut other = Browser::of("alice");
    other.leaves(&stack, PAGE);
    let foreign = other.jar[BROWSER].clone();
    let real = format!("{BROWSER}={value}");
    let all = look_alikes(&value).join("; ");
    for (what, lines) in [
        ("look-alikes alone", vec![all.clone()]),
        ("twice, at the ends", vec![format!("{real}; {all}; {real}")]),
        ("in two lines", vec![real.clone(), real.clone()]),
        ("a foreign one in another line", vec![real.clone(), format!("{BROWSER}={foreign}")]),
        ("an empty one beside", vec![format!("{real}; {BROWSER}=")]),
        ("quoted", vec![format!("{BROWSER}=\"{value}\"")]),
        ("with a comma", vec![format!("{real},{BROWSER}={value}")]),
        ("with a part behind", vec![format!("{real}.x")]),
        ("escaped", vec![format!("{BROWSER}=%{:02x}{}", value.as_bytes()[0], &value[1..])]),
    ] {
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let request = with_cookies(&target, &lines);
            let reply = denied(&stack, what, || stack.hold(request, protocol).reply());
            assert_eq!(reply.set_cookie(APPROVAL), None, "{what}");
            assert_refused(&reply, 403, LOST);
        }
    }
    assert_no_token_call(&stack);
    // HTTP/2 clients send each cookie in a line. Envoy joins them, but resets a stream with more than
    // 100 lines.
    let mut lines = look_alikes(&foreign).split_off(60);
    lines.insert(30, real);
    let request = with_cookies(&target, &lines);
    let reply = denied(&stack, "the real one among look-alikes", || {
        stack.hold(request, Protocol::Http2).reply()
    });
    assert_arrived(&reply, PAGE);
    let mut alice = alice;
    alice.keep(&reply);
    alice.is_admitted(&stack, PAGE);
}

/// No line of the reply comes from the request.
fn assert_unsplit(reply: &Reply, what: &str) {
    assert_eq!(reply.header("x-evil"), None, "{what}: {reply:?}");
    for line in reply.values("set-cookie") {
        assert!(!line.contains("evil"), "{what}: {line}");
    }
}

/// Line breaks and the like, escaped in the ways that some reader may undo.
const BREAKS: [&str; 8] = [
    "%0d%0ax-evil:%201%0d%0aset-cookie:%20evil=1",
    "%0ax-evil:1",
    "%0dx-evil:1",
    "%E5%98%8A%E5%98%8Dx-evil:1",
    "%00x-evil",
    "%u000ax-evil:1",
    "%250d%250ax-evil:1",
    "%85x-evil:1",
];

#[test]
fn line_breaks_in_state_or_code_split_no_header() {
    let stack = start();
    let (mut alice, target, _) = on_the_way(&stack);
    let (state, code) = (parameter(&target, "state"), parameter(&target, "duo_code"));
    for line in BREAKS {
        for query in [
            format!("state={state}{line}&duo_code={code}"),
            format!("state={line}{state}&duo_code={code}"),
            format!("state={state}&duo_code={code}{line}"),
        ] {
            let reply = alice.returns(&stack, &format!("{CALLBACK}?{query}"));
            assert!(matches!(reply.status, 400 | 403), "{line}: {reply:?}");
            assert_eq!(reply.set_cookie(APPROVAL), None, "{line}");
            assert_unsplit(&reply, line);
        }
    }
    // Raw bytes: Envoy refuses the request, or the filter does.
    for raw in ["\r\nx-evil: 1", "\nx-evil: 1", "\0", "\t", " x-evil"] {
        let line = format!("{CALLBACK}?state={state}{raw}&duo_code={code}");
        let bytes = encode(&alice.with_cookies(back(&line)));
        let reply = denied(&stack, "raw bytes", || {
            let mut connection = stack.connect();
            connection.send_part(&bytes);
            connection.receive()
        });
        if let Ok(reply) = reply {
            assert!((400..500).contains(&reply.status), "{raw:?}: {reply:?}");
            assert_unsplit(&reply, raw);
        }
    }
    assert_log_is_whole(&stack);
    assert_no_token_call(&stack);
    assert_arrived(&alice.returns(&stack, &target), PAGE);
}

#[test]
fn line_breaks_in_an_error_of_duos_split_no_header() {
    let stack = start();
    let mut alice = Browser::of("alice");
    for line in BREAKS {
        // Each ends an attempt.
        let state = parameter(&alice.is_approved(&stack, PAGE), "state");
        let query = format!("state={state}&error={line}&error_description={line}");
        let reply = alice.returns(&stack, &format!("{CALLBACK}?{query}"));
        assert_refused(&reply, 403, LOST);
        assert_unsplit(&reply, line);
    }
    assert_log_is_whole(&stack);
    assert_no_token_call(&stack);
}

#[test]
fn line_breaks_in_a_return_path_split_no_header() {
    let stack = start();
    for line in BREAKS {
        let encoded = line.replace('%', "%25");
        for path in [format!("/a{line}"), format!("/a{encoded}"), format!("{line}//evil.test")] {
            let mut request = press("/");
            request.target = format!("/.duo-mfa/start?return_to={path}").into_bytes();
            let mut alice = Browser::of("alice");
            let reply = alice.ask(&stack, request);
            assert_eq!(reply.status, 303, "{path}: {}", reply.text());
            assert_unsplit(&reply, &path);
            let target = approved_at_duo(&stack.sim, reply.header("location").unwrap());
            let page = alice.returns(&stack, &target);
            assert_eq!(page.status, 200, "{path}: {}", page.text());
            assert_unsplit(&page, &path);
            let text = page.text();
            assert!(!text.contains("url=//") && !text.contains("url=http"), "{path}: {text}");
        }
    }
    assert_log_is_whole(&stack);
}

/// No text of a request began a line of the log.
fn assert_log_is_whole(stack: &Stack) {
    let log = stack.envoy.log().to_ascii_lowercase();
    assert!(!log.lines().any(|line| line.trim_start().starts_with("x-evil")), "a line was broken");
}

#[test]
fn spellings_of_the_callbacks_path_are_not_the_callback() {
    let stack = start();
    let (mut alice, target, _) = on_the_way(&stack);
    let query = target.split_once('?').unwrap().1;
    for path in [
        "/.duo-mfa/callback/",
        "/.duo-mfa/callback//",
        "/.duo-mfa//callback",
        "//.duo-mfa/callback",
        "/./.duo-mfa/callback",
        "/.duo-mfa/./callback",
        "/x/../.duo-mfa/callback",
        "/.duo-mfa/x/../callback",
        "/.duo-mfa/%63allback",
        "/.duo-mfa/callbac%6b",
        "/%2eduo-mfa/callback",
        "/.duo%2dmfa/callback",
        "/.duo-mfa%2fcallback",
        "/.duo-mfa%5ccallback",
        "/.duo-mfa\\callback",
        "\\.duo-mfa\\callback",
        "/.duo-mfa/CALLBACK",
        "/.DUO-MFA/callback",
        "/.duo-mfa/Callback",
        "/.duo-mfa/callback%00",
        "/.duo-mfa/callback%20",
        "/.duo-mfa/callback.",
        "/.duo-mfa/callback;x=1",
        "/.duo-mfa;x=1/callback",
        "/.duo-mfa/callback%3b",
        "/.duo-mfa/callback%3f",
        "/.duo-mfa/callback/payments",
        "/.duo-mfa/callback/default",
        "/.duo-mfa/callback/%2e%2e",
        "/.duo-mfa/callback/..",
        "/.duo-mfa/callback&",
        "/.duo-mfa/callback/../callback",
        "/.duo-mfa/%E3%80%80callback",
        "/.duo-mfa/callback%EF%BC%8F",
        "/.duo-mfa/callbac\u{212a}",
    ] {
        for query in [query.to_owned(), query.replace('&', ";")] {
            let reply = alice.returns(&stack, &format!("{path}?{query}"));
            assert!(matches!(reply.status, 400..=404), "{path}: {reply:?}");
            assert_eq!(reply.set_cookie(APPROVAL), None, "{path}");
            assert_eq!(reply.header("location"), None, "{path}");
        }
    }
    let semicolons = query.replace('&', ";");
    for line in [
        format!("{CALLBACK}?{semicolons}"),
        format!("{CALLBACK};{query}"),
        format!("{CALLBACK}#{query}"),
        format!("{CALLBACK}?x#{query}"),
        format!("{CALLBACK}%3f{query}"),
        format!("{CALLBACK}??{query}"),
        format!("{CALLBACK}?%3f{query}"),
        format!("{CALLBACK}?&amp;{}", query.replace('&', "&amp;")),
    ] {
        let reply = alice.returns(&stack, &line);
        assert!(matches!(reply.status, 400..=404), "{line}: {reply:?}");
        assert_eq!(reply.set_cookie(APPROVAL), None, "{line}");
    }
    assert_no_token_call(&stack);
    assert_arrived(&alice.returns(&stack, &target), PAGE);
}

#[test]
fn method_that_a_client_claims_by_other_means_changes_nothing() {
    let patch = json!({"access_control": {"cors_preflight": "bypass"}});
    let stack = start_with(patch);
    let (mut alice, target, _) = on_the_way(&stack);
    let before = settled_checks(&stack);
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        let mut post = back(&target).header(name, "GET").header("content-length", "0");
        post.method = "POST".to_owned();
        assert!(matches!(alice.ask(&stack, post).status, 400 | 403 | 405), "{name}");
        let mut get = press(PAGE).header(name, "POST");
        get.method = "GET".to_owned();
        assert!(matches!(alice.ask(&stack, get).status, 400 | 405), "{name}");
    }
    for path in [target.as_str(), "/.duo-mfa/start?return_to=%2F", "/.duo-mfa/start?_method=POST"] {
        for method in ["OPTIONS", "HEAD", "PUT", "DELETE", "TRACE", "get", "PROPFIND", "QUERY"] {
            let request = Request::new(method, path).all(&[
                ("origin", "https://evil.test"),
                ("access-control-request-method", "GET"),
                ("access-control-request-headers", "authorization"),
            ]);
            let request = alice.with_cookies(request);
            let outcome = denied(&stack, method, || stack.connect().exchange(&request));
            if let Ok(reply) = outcome {
                assert!(matches!(reply.status, 400 | 403 | 405), "{method} {path}: {reply:?}");
                assert_eq!(reply.set_cookie(APPROVAL), None);
                assert_eq!(reply.header("access-control-allow-origin"), None);
            }
        }
    }
    assert_no_token_call(&stack);
    assert_eq!(stack.sim.calls("health_check"), before);
    assert_arrived(&alice.returns(&stack, &target), PAGE);
}

#[test]
fn flood_of_presses_at_once_keeps_to_the_limit() {
    let stack = start();
    let before = settled_checks(&stack);
    let request = Browser::of("alice").with_cookies(press(PAGE));
    let outcomes = denied(&stack, "a flood of presses", || {
        crate::http2::burst(stack.envoy.listener, &request, 6, 10)
    });
    let replies: Vec<_> = outcomes.into_iter().map(|outcome| outcome.expect("an answer")).collect();
    let count = |status: u16| replies.iter().filter(|reply| reply.status == status).count();
    assert!(replies.iter().all(|reply| matches!(reply.status, 303 | 429 | 503)), "{replies:?}");
    assert!((1..=9).contains(&count(303)), "{}", count(303));
    assert!(stack.sim.calls("health_check") - before <= 9);
    assert_eq!(stack.sim.calls("authorize"), 0);
    // Nobody else is kept from signing in.
    approves(&stack.sim, "bob");
    eventually("room for bob", || {
        let reply = stack.send(&Browser::of("bob").with_cookies(press(PAGE)));
        (reply.status == 303).then_some(())
    });
    stack.assert_alive();
}

#[test]
fn return_path_into_the_filters_own_addresses_makes_no_loop() {
    let stack = start();
    for (path, then) in [
        ("/.duo-mfa/start?return_to=%2F", 405),
        ("/.duo-mfa/callback?state=0123456789abcdef&duo_code=y", 403),
        ("/.duo-mfa/callback", 400),
        ("/.duo-mfa/logout", 200),
        ("/.duo-mfa/auth?factor=push", 405),
    ] {
        let mut alice = Browser::of("alice");
        let target = alice.is_approved(&stack, path);
        let tokens = stack.sim.calls("token");
        let reply = alice.returns(&stack, &target);
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        let led = reply.text().contains(&format!("url={}", path.replace('&', "&amp;")));
        assert!(led || reply.text().contains("url=/\""), "{path}: {}", reply.text());
        let next = alice.open(&stack, path);
        assert_eq!(next.status, then, "{path}: {next:?}");
        assert!(!next.text().contains("http-equiv=\"refresh\""), "{path}: {}", next.text());
        assert!(alice.has(APPROVAL), "{path}: nobody is signed out by a link");
        assert_eq!(stack.sim.calls("token"), tokens + 1, "{path}");
    }
    assert_eq!(stack.sim.calls("auth"), 0);
}
