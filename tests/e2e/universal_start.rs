//! The way to Duo's page: the start page, its button, and everybody who gets neither.

use serde_json::json;

use crate::browser::Browser;
use crate::message::{Body, Request};
use crate::setup::API_HOST;
use crate::stack::{Protocol, Stack};
use crate::tally::Verdict;
use crate::universal::{
    BROWSER, CLIENT_ID, PAGE, approves, parameter, press, press_anywhere, settled_checks, start,
};

fn calls(stack: &Stack) -> usize {
    ["preauth", "auth", "authorize", "token"].iter().map(|name| stack.sim.calls(name)).sum()
}

#[test]
fn navigation_without_an_approval_gets_the_start_page_and_duo_gets_no_call() {
    let stack = start();
    let before = settled_checks(&stack);
    let page = Browser::of("alice").open(&stack, PAGE);
    assert_eq!(page.status, 403, "{page:?}");
    let text = page.text();
    assert!(text.contains("alice"), "the page names the user: {text}");
    assert_eq!(text.matches("<button").count(), 1, "{text}");
    assert!(text.contains("formaction=\"/.duo-mfa/start?return_to="), "{text}");
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains(&format!("form-action 'self' https://{API_HOST}")), "{policy}");
    assert_eq!(page.set_cookie(BROWSER), None, "nothing begins before the press");
    assert_eq!((calls(&stack), stack.sim.calls("health_check")), (0, before));
}

#[test]
fn press_checks_duo_and_leads_to_its_page() {
    let stack = start();
    let before = settled_checks(&stack);
    let mut alice = Browser::of("alice");
    let reply = alice.ask(&stack, press(PAGE));
    assert_eq!(reply.status, 303, "{reply:?} {}", reply.text());
    let location = reply.header("location").unwrap();
    assert!(location.starts_with(&format!("https://{API_HOST}/oauth/v1/authorize?")), "{location}");
    let cookie = reply.set_cookie(BROWSER).unwrap();
    for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.split("; ").any(|it| it == attribute), "{attribute}: {cookie}");
    }
    assert_eq!(stack.sim.calls("health_check"), before + 1);
    assert_eq!(calls(&stack), 0);

    crate::universal::at_duo(&stack.sim, location);
    let entry = stack.sim.only_call("authorize");
    let claims = &entry["jwt"]["claims"];
    assert_eq!(entry["jwt"]["header"], json!({"alg": "HS512", "typ": "JWT"}));
    for (name, value) in [
        ("scope", json!("openid")),
        ("response_type", json!("code")),
        ("client_id", json!(CLIENT_ID)),
        ("iss", json!(CLIENT_ID)),
        ("aud", json!(format!("https://{API_HOST}"))),
        ("redirect_uri", json!("https://app.example.com/.duo-mfa/callback")),
        ("duo_uname", json!("alice")),
        ("use_duo_code_attribute", json!(true)),
        ("dest_app_name", json!("app.example.com")),
    ] {
        assert_eq!(claims[name], value, "{name}: {claims}");
    }
    assert!(claims["nonce"].as_str().is_some_and(|nonce| nonce.len() == 43), "{claims}");
    assert!(claims["state"].as_str().is_some_and(|state| state.len() <= 1024), "{claims}");
    assert!(claims.get("max_age").is_none(), "{claims}");
    for name in ["state", "nonce", "duo_uname", "redirect_uri"] {
        assert!(!location.contains(&format!("&{name}=")), "only signed: {name}");
    }
}

#[test]
fn script_gets_the_address_of_duos_page_as_json() {
    let stack = start();
    let reply = Browser::of("alice").fetch(&stack, "POST", "start?return_to=%2Fx");
    assert_eq!(reply.status, 200, "{reply:?} {}", reply.text());
    let location = reply.json()["location"].as_str().unwrap().to_owned();
    assert!(parameter(&location, "request").starts_with("ey"), "{location}");
}

#[test]
fn requests_that_can_show_no_page_are_refused_without_a_redirect() {
    let stack = start();
    let before = settled_checks(&stack);
    let fetched = |mode: &str, dest: &str| {
        let request = Request::get(PAGE).user("alice").header("accept", "*/*");
        let request = request.header("user-agent", "Mozilla/5.0 Chrome/156");
        let request = request.header("sec-fetch-mode", mode).header("sec-fetch-dest", dest);
        request.header("sec-fetch-site", "same-origin")
    };
    for (kind, request) in [
        ("fetch", fetched("cors", "empty")),
        ("image", fetched("no-cors", "image")),
        ("prefetch", fetched("navigate", "document").header("sec-purpose", "prefetch")),
        (
            "websocket",
            fetched("websocket", "websocket").all(&[
                ("connection", "upgrade"),
                ("upgrade", "websocket"),
                ("sec-websocket-version", "13"),
                ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ]),
        ),
        ("iframe", fetched("navigate", "iframe")),
    ] {
        let reply = stack.denied(&request);
        assert_eq!(reply.status, 403, "{kind}: {reply:?} {}", reply.text());
        assert_eq!(reply.header("location"), None, "{kind}");
        let start_url = "/.duo-mfa/?return_to=%2Freports%3Fyear%3D2026%26x%3D%252F";
        assert_eq!(reply.json()["start_url"], start_url, "{kind}");
    }
    let grpc = Request::post("/service/Method")
        .user("alice")
        .all(&[("content-type", "application/grpc"), ("te", "trailers")]);
    let grpc = grpc.body(Body::Chunked(vec![0; 5], 5));
    let reply =
        stack.judged(Verdict::Denied, "a gRPC call", || stack.hold(grpc, Protocol::Http2).reply());
    assert_eq!((reply.status, reply.header("grpc-status")), (200, Some("16")), "{reply:?}");
    let start_url = "/.duo-mfa/?return_to=%2Fservice%2FMethod&method=POST";
    assert_eq!(reply.header("x-duo-mfa-start-url"), Some(start_url));
    assert_eq!(reply.header("location"), None, "{reply:?}");
    assert_eq!((calls(&stack), stack.sim.calls("health_check")), (0, before));
}

#[test]
fn start_from_another_site_or_by_get_is_refused() {
    let stack = start();
    let before = settled_checks(&stack);
    let foreign = Request::post("/.duo-mfa/start?return_to=%2F").user("alice").all(&[
        ("accept", "text/html"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.test"),
        ("content-length", "0"),
    ]);
    let reply = stack.denied(&foreign);
    assert_eq!(reply.status, 403, "{reply:?} {}", reply.text());
    assert!(crate::universal::says(&reply, "cross_site"), "{}", reply.text());
    let reply = Browser::of("alice").open(&stack, "/.duo-mfa/start?return_to=%2F");
    assert_eq!(reply.status, 405, "{reply:?}");
    assert_eq!(reply.header("allow"), Some("POST"));
    assert_eq!((calls(&stack), stack.sim.calls("health_check")), (0, before));
}

#[test]
fn program_without_a_cookie_is_held_for_a_push_of_the_auth_api() {
    let stack = start();
    let reply = stack.answered_push(Request::get(PAGE).user("alice"), "alice", "approve");
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!((stack.sim.calls("auth"), stack.sim.calls("authorize")), (1, 0));
}

#[test]
fn tenth_start_without_an_approval_is_limited() {
    let stack = start();
    settled_checks(&stack);
    let mut alice = Browser::of("alice");
    for _ in 0..9 {
        alice.leaves(&stack, PAGE);
    }
    let before = stack.sim.calls("health_check");
    let reply = alice.ask(&stack, press(PAGE));
    assert_eq!(reply.status, 429, "{reply:?} {}", reply.text());
    assert!(reply.header("retry-after").unwrap().parse::<u32>().is_ok_and(|wait| wait > 0));
    assert_eq!(stack.sim.calls("health_check"), before);
    approves(&stack.sim, "bob");
    Browser::of("bob").leaves(&stack, PAGE);
}

#[test]
fn approval_gives_the_starts_back() {
    let stack = start();
    let mut alice = Browser::of("alice");
    for _ in 0..8 {
        alice.leaves(&stack, PAGE);
    }
    alice.signs_in_at_duo(&stack, PAGE);
    alice.jar.clear();
    alice.leaves(&stack, PAGE);
}

#[test]
fn only_listed_hosts_lead_to_duo_and_all_their_spellings_are_one() {
    let stack = start();
    settled_checks(&stack);
    for (host, uri) in [
        ("app.example.com", "https://app.example.com/.duo-mfa/callback"),
        ("app.example.com:443", "https://app.example.com/.duo-mfa/callback"),
        ("APP.Example.COM", "https://app.example.com/.duo-mfa/callback"),
        ("app.example.com:8443", "https://app.example.com:8443/.duo-mfa/callback"),
        ("one.apps.example.com", "https://one.apps.example.com/.duo-mfa/callback"),
    ] {
        let mut alice = Browser::of("alice");
        let reply = alice.ask(&stack, press_anywhere("/x").header("host", host));
        assert_eq!(reply.status, 303, "{host}: {reply:?} {}", reply.text());
        let back = crate::universal::at_duo(&stack.sim, reply.header("location").unwrap());
        assert!(back.header("location").unwrap().starts_with(&format!("{uri}?")), "{host}");
    }
    let before = stack.sim.calls("health_check");
    for host in ["evil.test", "app.example.com.", "app.example.com.evil.test", "apps.example.com"] {
        let request = press_anywhere("/x").user("alice").header("host", host);
        let reply = stack.denied(&request);
        assert_eq!(reply.status, 403, "{host}: {reply:?} {}", reply.text());
    }
    assert_eq!(stack.sim.calls("health_check"), before);
}

#[test]
fn http2_client_is_held_like_any_program() {
    let stack = start();
    let held = stack.held_push(Request::get("/x").user("alice"), Protocol::Http2, "alice");
    stack.judged(Verdict::Admitted(1), "approved", || {
        stack.sim.answer("alice", "approve");
        assert_eq!(held.reply().status, 200);
    });
}
