//! A request that a browser sends without an act of its user never rings a phone, at the application's
//! addresses and at the filter's.

use crate::browser::{Browser, PENDING};
use crate::message::{Body, Request};
use crate::stack::{Protocol, Stack};
use crate::tally::Verdict;

type Headers = &'static [(&'static str, &'static str)];

const CHROME: (&str, &str) = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156");
const SAFARI: (&str, &str) = ("user-agent", "Mozilla/5.0 (Macintosh) Version/15.0 Safari/605");
const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
const ANY: (&str, &str) = ("accept", "*/*");
const NAVIGATE: (&str, &str) = ("sec-fetch-mode", "navigate");
const NO_CORS: (&str, &str) = ("sec-fetch-mode", "no-cors");
const CORS: (&str, &str) = ("sec-fetch-mode", "cors");
const DOCUMENT: (&str, &str) = ("sec-fetch-dest", "document");
const EMPTY: (&str, &str) = ("sec-fetch-dest", "empty");
const OTHER_SITE: (&str, &str) = ("sec-fetch-site", "cross-site");
const SAME_SITE: (&str, &str) = ("sec-fetch-site", "same-site");
const SAME_ORIGIN: (&str, &str) = ("sec-fetch-site", "same-origin");
const NO_SITE: (&str, &str) = ("sec-fetch-site", "none");
const EVIL: (&str, &str) = ("origin", "https://evil.example");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const PREFETCH: (&str, &str) = ("sec-purpose", "prefetch");

/// Every kind of read that a browser makes. A read never changes anything, whether the user asked for it or not.
const READS: &[(&str, Headers)] = &[
    ("an address typed", &[CHROME, HTML, NAVIGATE, DOCUMENT, NO_SITE, ("sec-fetch-user", "?1")]),
    ("a link of this site", &[CHROME, HTML, NAVIGATE, DOCUMENT, SAME_ORIGIN]),
    ("a link of another site", &[CHROME, HTML, NAVIGATE, DOCUMENT, OTHER_SITE]),
    ("a link of a sub-domain", &[CHROME, HTML, NAVIGATE, DOCUMENT, SAME_SITE]),
    ("a page, in an old browser", &[SAFARI, HTML]),
    ("a page, by a text browser", &[("user-agent", "Lynx/2.9"), ("accept", "text/html")]),
    ("a reload", &[CHROME, HTML, NAVIGATE, DOCUMENT, NO_SITE, ("cache-control", "max-age=0")]),
    ("a frame", &[CHROME, HTML, NAVIGATE, ("sec-fetch-dest", "iframe"), OTHER_SITE]),
    ("an object", &[CHROME, HTML, NAVIGATE, ("sec-fetch-dest", "object"), SAME_ORIGIN]),
    ("an embed", &[CHROME, ANY, NO_CORS, ("sec-fetch-dest", "embed"), OTHER_SITE]),
    ("a prefetch", &[CHROME, HTML, NAVIGATE, DOCUMENT, SAME_ORIGIN, PREFETCH]),
    (
        "a prerendering",
        &[CHROME, HTML, NAVIGATE, DOCUMENT, NO_SITE, ("sec-purpose", "prefetch;prerender")],
    ),
    ("a prefetch, in an old browser", &[SAFARI, HTML, ("purpose", "prefetch")]),
    ("a prefetch of Firefox", &[("user-agent", "Mozilla/5.0"), HTML, ("x-moz", "prefetch")]),
    ("a preview of Safari", &[SAFARI, HTML, ("x-purpose", "preview")]),
    ("an image", &[CHROME, ("accept", "image/*"), NO_CORS, ("sec-fetch-dest", "image")]),
    ("an image of another site", &[CHROME, ANY, NO_CORS, ("sec-fetch-dest", "image"), OTHER_SITE]),
    ("an image, in an old browser", &[SAFARI, ("accept", "image/png,image/*;q=0.8,*/*;q=0.5")]),
    ("a style sheet", &[CHROME, ("accept", "text/css"), NO_CORS, ("sec-fetch-dest", "style")]),
    ("a script", &[CHROME, ANY, NO_CORS, ("sec-fetch-dest", "script"), OTHER_SITE]),
    ("a font", &[CHROME, ANY, CORS, ("sec-fetch-dest", "font"), OTHER_SITE, EVIL]),
    ("a film", &[CHROME, ANY, NO_CORS, ("sec-fetch-dest", "video"), ("range", "bytes=0-")]),
    ("a manifest", &[CHROME, ANY, CORS, ("sec-fetch-dest", "manifest"), SAME_ORIGIN]),
    ("a worker", &[CHROME, ANY, ("sec-fetch-mode", "same-origin"), ("sec-fetch-dest", "worker")]),
    ("a fetch", &[CHROME, ("accept", "application/json"), CORS, EMPTY, SAME_ORIGIN]),
    ("a fetch of another site", &[CHROME, ANY, CORS, EMPTY, OTHER_SITE, EVIL]),
    ("a fetch that asks for a page", &[CHROME, HTML, CORS, EMPTY, SAME_ORIGIN]),
    ("an XMLHttpRequest", &[SAFARI, ANY, ("x-requested-with", "XMLHttpRequest")]),
    ("an event stream", &[CHROME, ("accept", "text/event-stream"), CORS, EMPTY, SAME_ORIGIN]),
    ("a link with a referrer alone", &[ANY, ("referer", "https://evil.example/")]),
    ("a request with cookies alone", &[ANY, ("accept-language", "en"), SAME_ORIGIN]),
];

/// POST requests that other sites, or pages without an origin, make a browser send.
const FOREIGN_ACTS: &[(&str, Headers)] = &[
    ("another site's form", &[CHROME, HTML, NAVIGATE, DOCUMENT, OTHER_SITE, EVIL, FORM]),
    (
        "a sub-domain's form",
        &[
            CHROME,
            HTML,
            NAVIGATE,
            DOCUMENT,
            SAME_SITE,
            ("origin", "http://evil.app.example.com"),
            FORM,
        ],
    ),
    (
        "a form in a frame",
        &[CHROME, HTML, NAVIGATE, ("sec-fetch-dest", "iframe"), OTHER_SITE, EVIL],
    ),
    ("a sandboxed form", &[CHROME, HTML, NAVIGATE, DOCUMENT, OTHER_SITE, ("origin", "null"), FORM]),
    ("another site's form, in an old browser", &[SAFARI, HTML, EVIL, FORM]),
    ("a sandboxed form, in an old browser", &[SAFARI, HTML, ("origin", "null"), FORM]),
    ("another port's form", &[SAFARI, HTML, ("origin", "http://app.example.com:8080"), FORM]),
    ("a look-alike's form", &[SAFARI, HTML, ("origin", "http://app.example.com.evil.example")]),
    ("another site's fetch", &[CHROME, ANY, CORS, EMPTY, OTHER_SITE, EVIL]),
    ("another site's blind fetch", &[CHROME, ANY, NO_CORS, EMPTY, OTHER_SITE, EVIL]),
    (
        "another site's beacon",
        &[
            CHROME,
            ANY,
            NO_CORS,
            EMPTY,
            OTHER_SITE,
            EVIL,
            ("content-type", "text/plain;charset=UTF-8"),
        ],
    ),
    (
        "another site's ping",
        &[CHROME, ANY, NO_CORS, EMPTY, OTHER_SITE, ("ping-to", "http://app.example.com/"), EVIL],
    ),
    (
        "a site in unknown words",
        &[CHROME, HTML, NAVIGATE, DOCUMENT, ("sec-fetch-site", "Same-Origin")],
    ),
    ("two sites", &[CHROME, ANY, CORS, EMPTY, ("sec-fetch-site", "same-origin,cross-site"), EVIL]),
];

/// Addresses that answer a read, or refuse it.
const READ_AT: [&str; 10] = [
    "/",
    "/reports?factor=push&device=auto",
    "/.duo-mfa/",
    "/.duo-mfa/auth?factor=push&device=auto",
    "/.duo-mfa/auth?factor=phone",
    "/.duo-mfa/auth?factor=sms",
    "/.duo-mfa/preauth",
    "/.duo-mfa/status",
    "/.duo-mfa/unknown?factor=push",
    "/.duo-mfa/auth/?factor=push",
];

/// Addresses that a form may be sent to.
const POST_AT: [&str; 7] = [
    "/",
    "/reports?factor=push",
    "/.duo-mfa/preauth",
    "/.duo-mfa/auth?factor=push&device=auto",
    "/.duo-mfa/auth?factor=phone",
    "/.duo-mfa/auth?factor=sms",
    "/.duo-mfa/cancel",
];

fn requests() -> Vec<(String, Request)> {
    let mut requests = Vec::new();
    for (kind, headers) in READS {
        for target in READ_AT {
            for method in ["GET", "HEAD"] {
                let request = Request::new(method, target).all(headers);
                requests.push((format!("{kind}: {method} {target}"), request));
            }
        }
    }
    for (kind, headers) in FOREIGN_ACTS {
        for target in POST_AT {
            for method in ["POST", "PUT"] {
                let request = Request::new(method, target).all(headers);
                let request = request.body(Body::Sized(b"factor=push&device=auto".to_vec()));
                requests.push((format!("{kind}: {method} {target}"), request));
            }
        }
    }
    requests
}

fn assert_no_phone_rang(stack: &Stack) {
    assert_eq!([stack.sim.calls("auth"), stack.sim.pushes()], [0, 0]);
}

#[test]
fn nothing_but_an_act_of_this_origin_rings_a_phone() {
    assert!(READS.len() + FOREIGN_ACTS.len() >= 25);
    let stack = Stack::standard();
    for (what, request) in requests() {
        let reply = stack.denied(&request.user("alice"));
        assert!(matches!(reply.status, 200 | 400..500), "{what}: {reply:?} {}", reply.text());
        assert_eq!(reply.values("set-cookie"), [""; 0], "{what}");
    }
    assert_no_phone_rang(&stack);
    assert_eq!(stack.sim.user_calls(), 0, "Duo is asked nothing at all");
}

#[test]
fn same_requests_over_http2_ring_no_phone() {
    let stack = Stack::standard();
    for (what, request) in requests().into_iter().step_by(5) {
        let request = request.user("alice");
        let reply =
            stack.judged(Verdict::Denied, &what, || stack.hold(request, Protocol::Http2).reply());
        assert!(matches!(reply.status, 200 | 400..500), "{what}: {reply:?} {}", reply.text());
    }
    assert_no_phone_rang(&stack);
    assert_eq!(stack.sim.user_calls(), 0);
}

#[test]
fn sign_in_that_waits_is_not_started_again() {
    let stack = Stack::standard();
    let mut alice = Browser::of("alice");
    alice.push(&stack);
    let token = alice.jar[PENDING].clone();
    let is_look = |what: &str| !what.contains("/status") && !what.ends_with("GET /.duo-mfa/");
    for (what, request) in requests().into_iter().filter(|(what, _)| is_look(what)) {
        // A browser would not send a `Strict` cookie here. The test sends it anyway.
        let reply = alice.clone().ask(&stack, request);
        assert!(matches!(reply.status, 200 | 400..500), "{what}: {reply:?} {}", reply.text());
        assert_eq!(reply.values("set-cookie"), [""; 0], "{what}");
    }
    assert_eq!([stack.sim.calls("auth"), stack.sim.pushes()], [1, 1]);
    assert_eq!(stack.sim.calls("auth_status"), 0);
    assert_eq!(alice.jar[PENDING], token);
}

#[test]
fn same_origin_post_rings_the_phone() {
    let own: &[(&str, Headers)] = &[
        (
            "the script",
            &[CHROME, ANY, CORS, EMPTY, SAME_ORIGIN, ("origin", "http://app.example.com")],
        ),
        ("the form", &[CHROME, HTML, NAVIGATE, DOCUMENT, SAME_ORIGIN, ("origin", "null")]),
        ("the form, in an old browser", &[SAFARI, HTML, ("origin", "https://app.example.com")]),
        ("a program", &[ANY, ("user-agent", "curl/8.5")]),
    ];
    let stack = Stack::standard();
    for (number, (kind, headers)) in own.iter().enumerate() {
        let user = stack.sim.guest(number);
        let request = Request::post("/.duo-mfa/auth?factor=push&device=auto").user(&user);
        let reply = stack.denied(&request.all(headers).header("content-length", "0"));
        assert!(matches!(reply.status, 202 | 303), "{kind}: {reply:?} {}", reply.text());
        assert_eq!(stack.sim.pending(&user)["username"], user.as_str(), "{kind}");
    }
    assert_eq!([stack.sim.calls("auth"), stack.sim.pushes()], [own.len(), own.len()]);
}
