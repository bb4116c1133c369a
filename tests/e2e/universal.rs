//! A sign-in at Duo's page, from the press of the button to the way back, without a real browser.

use serde_json::{Value, json};
use url::form_urlencoded;

use crate::browser::Browser;
use crate::http1::Connection;
use crate::message::{Reply, Request};
use crate::setup::{API_HOST, Setup};
pub(crate) use crate::setup::{CLIENT_ID, CLIENT_SECRET};
use crate::sim::{Sim, eventually};
use crate::stack::{APPROVAL, Stack};
use crate::tally::Verdict;

/// The cookie that ties a sign-in at Duo's page to its browser.
pub(crate) const BROWSER: &str = "__Host-duo_universal";
pub(crate) const CALLBACK: &str = "/.duo-mfa/callback";
/// The page that the tests ask for.
pub(crate) const PAGE: &str = "/reports?year=2026&x=%2F";

/// Browsers are sent to Duo's page.
pub(crate) fn setup() -> Setup {
    let mut setup = Setup::default().plugin(json!({"duo": {
        "prompt": "universal",
        // Tests count health checks, so the filter's own must not come between.
        "check_interval": "1h",
        "universal": {
            "client_id": CLIENT_ID,
            "client_secret": {"env": "DUO_CLIENT_SECRET"},
            "hosts": ["app.example.com", "*.apps.example.com"],
        },
    }}));
    setup.environment.push(("DUO_CLIENT_SECRET", CLIENT_SECRET.to_owned()));
    setup
}

pub(crate) fn start() -> Stack {
    start_with(json!({}))
}

/// As [`start`], with changes to the plugin configuration.
pub(crate) fn start_with(patch: Value) -> Stack {
    let stack = Stack::start(setup().plugin(patch));
    approves(&stack.sim, "alice");
    stack
}

/// Has the user approve at Duo's page without a browser.
pub(crate) fn approves(sim: &Sim, user: &str) {
    sim.universal(&json!({"user": user, "answer": "approve"}));
}

/// `POST start` as the page's button sends it.
pub(crate) fn press(return_to: &str) -> Request {
    let encoded = form_urlencoded::byte_serialize(return_to.as_bytes()).collect::<String>();
    Request::post(format!("/.duo-mfa/start?return_to={encoded}"))
        .all(&[
            ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
            ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
            ("sec-fetch-site", "same-origin"),
            ("origin", "http://app.example.com"),
        ])
        .header("content-length", "0")
}

/// As [`press`], for any host: without the `Origin`, which names one.
pub(crate) fn press_anywhere(return_to: &str) -> Request {
    let mut request = press(return_to);
    request.headers.retain(|(name, _)| name != b"origin");
    request
}

/// The navigation by which a browser comes back from Duo's page.
pub(crate) fn back(target: &str) -> Request {
    Request::get(target).all(&[
        ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-site", "cross-site"),
    ])
}

/// Opens an address at Duo, as a browser would. The redirect is not followed.
pub(crate) fn at_duo(sim: &Sim, address: &str) -> Reply {
    let target = address.strip_prefix(&format!("https://{API_HOST}")).unwrap_or(address);
    assert!(target.starts_with('/'), "no address at Duo: {address}");
    let request = Request::get(target).header("host", API_HOST);
    Connection::open(sim.api).ask(&request).expect("duo-sim answers")
}

/// Opens an address at Duo, where the user is approved; gives the path and query to come back with.
pub(crate) fn approved_at_duo(sim: &Sim, address: &str) -> String {
    let reply = at_duo(sim, address);
    assert_eq!(reply.status, 303, "{reply:?} {}", reply.text());
    target(reply.header("location").expect("an address")).to_owned()
}

/// The path and query of an absolute address.
pub(crate) fn target(address: &str) -> &str {
    let (_, rest) = address.split_once("://").unwrap_or_else(|| panic!("not absolute: {address}"));
    &rest[rest.find('/').expect("a path")..]
}

/// A parameter of an address.
pub(crate) fn parameter(address: &str, name: &str) -> String {
    let (_, query) = address.split_once('?').unwrap_or_else(|| panic!("no query: {address}"));
    form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .unwrap_or_else(|| panic!("no {name} in {address}"))
        .1
        .into_owned()
}

impl Browser {
    /// Presses the button of the start page, and gives the address at Duo.
    pub(crate) fn leaves(&mut self, stack: &Stack, return_to: &str) -> String {
        let reply = self.ask(stack, press(return_to));
        assert_eq!(reply.status, 303, "{reply:?} {}", reply.text());
        reply.header("location").expect("an address").to_owned()
    }

    /// Leaves for Duo and is approved there; gives the path and query to come back with.
    pub(crate) fn is_approved(&mut self, stack: &Stack, return_to: &str) -> String {
        approved_at_duo(&stack.sim, &self.leaves(stack, return_to))
    }

    /// Comes back from Duo's page.
    pub(crate) fn returns(&mut self, stack: &Stack, target: &str) -> Reply {
        self.ask(stack, back(target))
    }

    /// Signs in at Duo's page and gives the page that goes on.
    pub(crate) fn signs_in_at_duo(&mut self, stack: &Stack, return_to: &str) -> Reply {
        let target = self.is_approved(stack, return_to);
        let reply = self.returns(stack, &target);
        assert_arrived(&reply, return_to);
        assert!(self.has(APPROVAL) && self.has(BROWSER));
        reply
    }

    /// As a browser at another Envoy than the stack's; nothing is judged.
    pub(crate) fn ask_at(&mut self, to: std::net::SocketAddr, request: Request) -> Reply {
        let request = self.with_cookies(request);
        let reply = Connection::open(to).exchange(&request).expect("an answer");
        self.keep(&reply);
        reply
    }

    /// Opens a page of the application, which must see the request.
    pub(crate) fn is_admitted(&self, stack: &Stack, target: &str) -> crate::app::Seen {
        stack.admitted(&self.with_cookies(Request::get(target).navigation())).1
    }
}

/// A page that goes on to `return_to` by a refresh and by a link, and gives no address away.
pub(crate) fn assert_arrived(reply: &Reply, return_to: &str) {
    assert_eq!(reply.status, 200, "{reply:?} {}", reply.text());
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let escaped = return_to.replace('&', "&amp;");
    let page = reply.text();
    assert!(page.contains(&format!("href=\"{escaped}\"")), "{page}");
    assert!(page.contains("http-equiv=\"refresh\""), "{page}");
}

/// Whether a page or a problem document is about this refusal. Pages show its words, not its code.
pub(crate) fn says(reply: &Reply, code: &str) -> bool {
    let heading = match code {
        "sign_in_lost" => "Your sign-in was not finished",
        "other_user" => "Another user was confirmed",
        "mfa_insufficient" => "Not enough for this page",
        "bad_request" => "That didn’t work",
        "identity_missing" | "identity_invalid" => "Sign in first",
        "cross_site" => "Your form was not sent",
        "duo_unavailable" | "duo_misconfigured" => "Verification is unavailable",
        other => panic!("no words are known for {other}"),
    };
    let text = reply.text();
    text.contains(heading) || text.contains(&format!("\"{code}\""))
}

/// A refusal at the callback: its status and code, no approval, no address given away.
pub(crate) fn assert_refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status, status, "{reply:?} {}", reply.text());
    assert_eq!(reply.set_cookie(APPROVAL), None, "{reply:?}");
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"), "{reply:?}");
    assert_eq!(reply.header("location"), None, "{reply:?}");
    assert!(says(reply, code), "no {code}: {}", reply.text());
}

/// Asserts that Duo was not asked about a code.
pub(crate) fn assert_no_token_call(stack: &Stack) {
    assert_eq!(stack.sim.calls("token"), 0);
}

/// Waits until the filter's own first checks of Duo are over, so that those of a test can be counted.
pub(crate) fn settled_checks(stack: &Stack) -> usize {
    let mut last = (usize::MAX, 0);
    eventually("the first checks of Duo", || {
        let count = stack.sim.calls("health_check");
        last = if count == last.0 { (count, last.1 + 1) } else { (count, 0) };
        (count > 0 && last.1 > 15).then_some(count)
    })
}

/// As [`Stack::judged`], for anything that must not reach the application.
pub(crate) fn denied<T>(stack: &Stack, occasion: &str, work: impl FnOnce() -> T) -> T {
    stack.judged(Verdict::Denied, occasion, work)
}
