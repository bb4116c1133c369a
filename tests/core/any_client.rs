//! Clients of every kind may send a passcode, and each refusal says how to proceed.

use crate::browser::{Browser, posted};
use crate::rig::{Outcome, Request, Rig, forwarded_header, get, one_phone, started, status};
use duo_mfa::signal::Signal;
use serde_json::json;

const CHROME: (&str, &str) = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0");

fn powershell(path: &str) -> Request {
    let agent =
        "Mozilla/5.0 (Windows NT 10.0; Microsoft Windows 10.0.22631; en-US) PowerShell/7.4.2";
    get(path).with("user-agent", agent)
}

fn with_passcode(request: &Request) -> Request {
    request.clone().with("x-duo-mfa-passcode", "123456")
}

/// One request of each kind that is not held.
fn unheld() -> [(&'static str, Request); 6] {
    let grpc = posted(get("/package.Service/Call")).with("te", "trailers");
    [
        ("a program that calls itself Mozilla", get("/api").with(CHROME.0, CHROME.1)),
        ("a script of our page", Browser::of("alice").fetches("/api")),
        ("a form", Browser::of("alice").submits("/api")),
        ("gRPC", grpc.with("content-type", "application/grpc")),
        ("an upgrade", get("/api").with("upgrade", "websocket")),
        ("a player", get("/api").with("user-agent", "Lavf/60.16.100")),
    ]
}

#[test]
fn passcode_of_any_client_is_tried_and_rings_no_phone() {
    for (name, request) in unheld() {
        let mut rig = Rig::new();
        let right = [one_phone(), status("allow", "allow")];
        let forward = rig.send(&with_passcode(&request), &right).admitted();
        assert_eq!(
            forwarded_header(&forward, "x-duo-mfa-factor").as_deref(),
            Some("passcode"),
            "{name}"
        );
        assert_eq!(rig.body(1)["factor"], "passcode", "{name}");

        let mut rig = Rig::new();
        let wrong = [one_phone(), status("deny", "deny")];
        let refused = rig.send(&with_passcode(&request), &wrong).answered();
        assert_eq!(refused.0.details, "duo_mfa_passcode_incorrect", "{name}");
        assert_eq!(refused.0.grpc.is_some(), name == "gRPC", "{name}");
    }
}

#[test]
fn passcode_of_a_foreign_page_is_not_tried() {
    for request in [
        get("/api").with("origin", "https://evil.example"),
        get("/api").with("origin", "null"),
        Browser::of("alice")
            .fetches("/api")
            .without("sec-fetch-site")
            .with("sec-fetch-site", "cross-site"),
        Browser::of("alice")
            .fetches("/api")
            .without("sec-fetch-site")
            .with("sec-fetch-site", "same-site"),
    ] {
        let mut rig = Rig::new();
        rig.send(&with_passcode(&request), &[]).refused();
    }
}

#[test]
fn passcode_waits_for_nobody_where_programs_are_refused_at_once() {
    let mut rig = Rig::with(json!({"api": {"mode": "refuse"}}));
    for (_, request) in unheld() {
        rig.send(&with_passcode(&request), &[]).refused();
    }
}

#[test]
fn refusal_names_the_remedy_that_there_is() {
    for (changes, is_named) in [
        (json!({}), true),
        (json!({"api": {"mode": "refuse"}}), false),
        (json!({"duo": {"factors": ["push"]}}), false),
    ] {
        for (name, request) in unheld().into_iter().filter(|(name, _)| *name != "a form") {
            let mut rig = Rig::with(changes.clone());
            let Outcome::Replied(reply) = rig.send(&request, &[]) else { panic!("{name}") };
            let said = match &reply.grpc {
                Some((_, message)) => message.clone(),
                None => String::from_utf8(reply.body.clone()).unwrap(),
            };
            assert_eq!(said.contains("x-duo-mfa-passcode"), is_named, "{name}: {said}");
            assert!(said.contains("start_url"), "{name}: {said}");
        }
    }
}

#[test]
fn powershell_is_held_and_starts_sign_ins() {
    let mut rig = Rig::new();
    let right = [one_phone(), status("allow", "allow")];
    rig.send(&with_passcode(&powershell("/api")), &right).admitted();
    let start = posted(powershell("/.duo-mfa/auth?factor=push"));
    let begun = rig.send(&start, &[one_phone(), started()]).answered();
    assert_eq!(begun.0.status, 202);
    assert!(begun.json()["transaction"].is_string());
}

#[test]
fn client_that_brought_no_cookie_is_given_the_transaction() {
    let start = || posted(get("/.duo-mfa/auth?factor=push"));
    let node = |request: Request| {
        request.with("accept", "*/*").with("sec-fetch-mode", "cors").with("user-agent", "node")
    };
    let own = ("origin", "https://app.example.com");
    for request in [
        start(),
        node(start()),
        start().with(CHROME.0, CHROME.1).with(own.0, own.1),
        Browser::of("alice").posts("/.duo-mfa/auth?factor=push"),
        Browser::of("alice").posts("/.duo-mfa/auth?factor=push").with("cookie", "theme=dark"),
    ] {
        let mut rig = Rig::new();
        let begun = rig.send(&request, &[one_phone(), started()]).answered();
        assert_eq!(begun.0.status, 202);
        let transaction = begun.json()["transaction"].as_str().unwrap().to_owned();
        let ask = node(get("/.duo-mfa/status")).with("x-duo-mfa-transaction", &transaction);
        Browser::of("alice").is_approved(&mut rig, &ask, &[status("allow", "allow")]);
    }
    let kept = ["__Host-duo_preferred=1", "theme=dark; __Host-duo_mfa=1"];
    for (request, cookie) in kept.into_iter().map(|cookie| {
        (Browser::of("alice").posts("/.duo-mfa/auth?factor=push").with("cookie", cookie), cookie)
    }) {
        let begun = Rig::new().send(&request, &[one_phone(), started()]).answered();
        assert!(begun.json().get("transaction").is_none(), "{cookie}");
    }
}

#[test]
fn form_of_an_old_browser_that_names_no_sender_rings_no_phone() {
    let ie = || get("/.duo-mfa/auth?factor=push").with("user-agent", "Mozilla/5.0 (Trident/7.0)");
    let form = || posted(ie()).with("accept", "text/html, application/xhtml+xml, */*");
    for foreign in [form(), form().with("referer", "https://evil.example/")] {
        let mut rig = Rig::new();
        let refused = rig.send(&foreign, &[]).answered();
        assert_eq!(refused.0.details, "duo_mfa_cross_site");
    }
    let mut rig = Rig::new();
    let own = form().with("referer", "https://app.example.com/reports");
    assert_eq!(rig.send(&own, &[one_phone(), started()]).answered().0.status, 303);
}

/// Over plain HTTP no browser keeps a `Secure` cookie, so the sign-in would start over forever.
#[test]
fn sign_in_over_plain_http_is_refused_before_any_push() {
    let plain = |path: &str| {
        let request = posted(get(path)).with(CHROME.0, CHROME.1).with("accept-language", "de");
        request.with("accept", "application/json").with("origin", "http://app.example.com")
    };
    for path in ["/.duo-mfa/preauth", "/.duo-mfa/auth?factor=push"] {
        let mut rig = Rig::new();
        let refused = rig.send(&plain(path), &[]).answered();
        assert_eq!((refused.0.status, refused.code().as_str()), (403, "https_required"));
        let told = refused.json();
        assert_eq!(told["heading"], "Eine sichere Verbindung ist nötig");
        assert!(told["detail"].as_str().unwrap().contains("https://"), "{told}");
        let is_logged = |signal: &Signal| matches!(signal, Signal::Log(_, line) if line.contains(r#""code":"https_required""#));
        assert!(rig.signals.iter().any(is_logged));

        let html = "text/html,application/xhtml+xml";
        let form = plain(path).without("accept").with("accept", html);
        let page = rig.send(&form, &[]).answered();
        assert_eq!(page.0.details, "duo_mfa_https_required");
        assert!(page.text().contains("Eine sichere Verbindung ist nötig"), "{}", page.text());
        assert!(rig.calls.is_empty());
    }
    for (path, status) in [("/.duo-mfa/cancel", 200), ("/.duo-mfa/logout", 200)] {
        assert_eq!(Rig::new().send(&plain(path), &[]).answered().0.status, status);
    }
    let local = plain("/.duo-mfa/preauth").without(":authority").without("origin");
    let local =
        local.with(":authority", "localhost:10000").with("origin", "http://localhost:10000");
    assert_eq!(Rig::new().send(&local, &[one_phone()]).answered().0.status, 200);
}
