//! Forms that a page of another site sends. Browsers do not send the approval cookie with them.

use serde_json::json;

use crate::message::{Body, Request};
use crate::setup::Setup;
use crate::stack::{APPROVAL, Protocol, Stack};
use crate::tally::Verdict;

const SENT: &str = "SAMLResponse=PHA%2B&RelayState=%22%3E%3Cb%3E";

fn naming() -> Setup {
    let plugin = json!({"request_bodies": true, "cross_site_forms": ["/saml/acs"]});
    Setup::default().stopping_at_headers(1 << 20).plugin(plugin)
}

fn foreign(path: &str, body: &str) -> Request {
    Request::post(path).user("alice").body(Body::Sized(body.into())).all(&[
        ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156"),
        ("origin", "https://idp.example"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-site", "cross-site"),
        ("content-type", "application/x-www-form-urlencoded"),
    ])
}

#[test]
fn form_of_another_site_is_not_taken_and_leads_to_no_push() {
    for setup in [Setup::default(), naming()] {
        let stack = Stack::start(setup);
        let page = stack.denied(&foreign("/orders", SENT));
        assert_eq!(page.status, 403, "{page:?}");
        let text = page.text();
        assert!(text.contains("this address takes no forms from other sites"), "{text}");
        assert!(!text.contains("/preauth"), "no way to a push: {text}");
        assert_eq!(stack.sim.user_calls(), 0);
    }
}

#[test]
fn form_of_another_site_is_sent_again_from_this_one_where_it_is_named() {
    let stack = Stack::start(naming());
    let approval = stack.signed_in("alice");
    let calls = stack.sim.user_calls();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let form = foreign("/saml/acs?tenant=1", SENT);
        let page = stack.judged(Verdict::Denied, "a form of another site", || {
            stack.hold(form, protocol).reply()
        });
        assert_eq!(page.status, 403, "{page:?}");
        let text = page.text();
        let field = "<input type=\"hidden\" name=\"RelayState\" value=\"&quot;&gt;&lt;b&gt;\">";
        assert!(text.contains(field), "{text}");
        assert!(text.contains("name=\"SAMLResponse\" value=\"PHA+\""), "{text}");
    }
    // The form as the page sends it, with the cookie that the browser now adds.
    let again = Request::post("/saml/acs?tenant=1").user("alice").navigation().cookie(&approval);
    let again = again.header("content-type", "application/x-www-form-urlencoded");
    let (_, seen) = stack.admitted(&again.body(Body::Sized(SENT.into())));
    assert!(seen.carries(SENT.as_bytes()) && approval.starts_with(APPROVAL));
    assert_eq!(stack.sim.user_calls(), calls);
}

#[test]
fn form_of_another_site_that_is_too_long_is_not_taken() {
    let stack = Stack::start(naming());
    let page = stack.denied(&foreign("/saml/acs", &format!("a={}", "x".repeat(64 * 1024))));
    assert_eq!(page.status, 403, "{page:?}");
    assert!(page.text().contains("this address takes no forms from other sites"));
    let whole = stack.denied(&foreign("/saml/acs", &format!("a={}", "x".repeat(60 * 1024))));
    assert!(whole.text().contains("id=\"held\""));
    assert_eq!(stack.sim.user_calls(), 0);
}
