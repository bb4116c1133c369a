//! The prompt page in place of the application's response, and the filter's endpoints.

use crate::browser::{Browser, posted};
use crate::rig::{Rig, get, preauth};
use serde_json::json;
use std::time::Duration;

#[test]
fn browser_gets_the_page_in_place_without_a_call_to_duo() {
    let mut rig = Rig::new();
    let mut browser = Browser::of("alice");
    let page = browser.asks(&mut rig, &browser.opens("/reports?q=1"), &[]);
    assert_eq!((page.0.status, page.0.details.as_str()), (403, "duo_mfa_mfa_required"));
    assert_eq!(page.header("content-type").as_deref(), Some("text/html; charset=utf-8"));
    assert!(page.text().contains(r#"data-pane="start""#), "{}", page.text());
    assert!(page.text().contains(r#"data-arrival="here""#));
    assert!(page.text().contains(r#"data-return="/reports?q=1""#));
    assert!(
        page.text().contains("alice")
            && page.text().contains(rig.lines()[0]["reference"].as_str().unwrap())
    );
    assert_eq!(page.cookies(), [""; 0]);
    assert_eq!(rig.calls.len(), 0);
}

#[test]
fn hundred_pages_send_no_push() {
    let mut rig = Rig::new();
    let mut browser = Browser::of("alice");
    for path in ["/", "/.duo-mfa/", "/.duo-mfa/?factor=push", "/a/b?c=d"].repeat(25) {
        let page = browser.asks(&mut rig, &browser.opens(path), &[]);
        assert!(matches!(page.0.status, 200 | 403));
    }
    assert_eq!(rig.calls.len(), 0);
}

#[test]
fn page_says_that_a_form_that_came_too_late_is_not_sent() {
    let mut rig = Rig::new();
    let mut browser = Browser::of("alice");
    let page = browser.asks(&mut rig, &browser.submits("/orders"), &[]);
    assert_eq!(page.0.status, 403);
    assert!(page.text().contains(r#"data-arrival="form""#));
    assert!(page.text().contains("Your form was not sent"));
}

#[test]
fn page_says_that_a_form_after_the_approval_expired_is_not_sent() {
    let mut rig = Rig::with(json!({"session": {"expiration": "10m"}}));
    let mut browser = Browser::of("alice");
    let bypassed = browser.posts("/.duo-mfa/preauth");
    browser.is_approved(&mut rig, &bypassed, &[preauth("allow")]);
    let order = || browser.submits("/orders?id=1").followed_by("amount=12");
    rig.send(&order(), &[]).admitted();
    rig.now = rig.now.plus(Duration::from_secs(600));
    let page = rig.send(&order(), &[]).answered();
    assert_eq!((page.0.status, page.0.details.as_str()), (403, "duo_mfa_mfa_required"));
    assert!(page.text().contains("Your form was not sent"), "{}", page.text());
    assert!(page.text().contains(r#"data-return="/orders?id=1""#));
    assert_eq!(rig.bodies, 0);
}

#[test]
fn page_at_its_own_address_is_no_refusal() {
    let mut rig = Rig::new();
    let mut browser = Browser::of("alice");
    let page = browser.asks(&mut rig, &browser.opens("/.duo-mfa/?return_to=%2Fa%3Fb%3D1"), &[]);
    assert_eq!((page.0.status, page.0.details.as_str()), (200, "duo_mfa_page"));
    assert!(page.text().contains(r#"data-return="/a?b=1""#));
    let evil = browser.opens("/.duo-mfa/?return_to=https%3A%2F%2Fevil.example%2F");
    assert!(browser.asks(&mut rig, &evil, &[]).text().contains(r#"data-return="/""#));
}

#[test]
fn background_request_learns_where_to_start() {
    let mut rig = Rig::with(json!({"path_prefix": "/sso"}));
    let browser = Browser::of("alice");
    for request in [
        browser.fetches("/api?x=1"),
        browser.opens("/api?x=1").with("sec-purpose", "prefetch"),
        browser.fetches("/api?x=1").with("upgrade", "websocket"),
    ] {
        let refused = rig.send(&request, &[]).answered();
        assert_eq!((refused.code().as_str(), refused.0.status), ("mfa_required", 403));
        assert_eq!(refused.json()["start_url"], "/sso/?return_to=%2Fapi%3Fx%3D1");
    }
    let mut rig = Rig::with(json!({"api": {"mode": "refuse"}}));
    let refused = rig.send(&get("/api"), &[]).answered();
    assert_eq!(refused.json()["start_url"], "/.duo-mfa/?return_to=%2Fapi");
}

#[test]
fn page_speaks_the_language_of_its_reader() {
    let mut rig = Rig::new();
    let browser = Browser::of("alice");
    let request = browser.opens("/").with("accept-language", "de-CH,de;q=.9");
    let page = rig.send(&request, &[]).answered();
    assert_eq!(page.header("content-language").as_deref(), Some("de"));
    assert!(page.text().contains(r#"<html lang="de""#));
}

#[test]
fn page_has_the_organisations_look_and_loads_its_own_files_alone() {
    let look = json!({"branding": {"name": "<b>Example", "help_text": "Call 100."}});
    let mut rig = Rig::with(look);
    let browser = Browser::of("alice");
    let page = rig.send(&browser.opens("/"), &[]).answered().text();
    assert!(page.contains("&lt;b&gt;Example") && !page.contains("<b>Example"));
    assert!(page.contains("Call 100."));
    for (mark, kind) in
        [("href=\"/.duo-mfa/assets/", "css"), ("src=\"/.duo-mfa/assets/", "javascript")]
    {
        let (_, rest) = page.split_once(mark).unwrap();
        let path = format!("/.duo-mfa/assets/{}", rest.split('"').next().unwrap());
        let file = rig.send(&get(&path).without("x-basic-user"), &[]).answered();
        assert_eq!(file.0.status, 200);
        assert!(file.header("content-type").unwrap().contains(kind));
        assert!(file.header("cache-control").unwrap().contains("immutable"));
    }
    let other = rig.send(&get("/.duo-mfa/assets/0123456789abcdef.css"), &[]).answered();
    assert_eq!(other.code(), "not_found");
}

#[test]
fn page_needs_a_user() {
    let mut rig = Rig::new();
    let browser = Browser::of("alice");
    for path in ["/", "/.duo-mfa/", "/.duo-mfa/status"] {
        let page = rig.send(&browser.opens(path).without("x-basic-user"), &[]).answered();
        assert_eq!((page.0.status, page.0.details.as_str()), (403, "duo_mfa_identity_missing"));
        assert!(page.text().contains("Sign in first"));
    }
    for path in ["preauth", "auth?factor=push", "cancel", "logout"] {
        let request = browser.posts(&format!("/.duo-mfa/{path}")).without("x-basic-user");
        assert_eq!(rig.send(&request, &[]).answered().code(), "identity_missing");
    }
    assert_eq!(rig.calls.len(), 0);
}

#[test]
fn wrong_methods_get_a_list_of_the_right_ones() {
    let mut rig = Rig::new();
    let browser = Browser::of("alice");
    for path in ["preauth", "auth?factor=push&device=auto", "cancel", "logout"] {
        for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
            let request = browser.fetches(&format!("/.duo-mfa/{path}"));
            let request = request.without(":method").with(":method", method);
            let refused = rig.send(&request, &[]).answered();
            assert_eq!(refused.code(), "method_not_allowed", "{method} {path}");
            // A user who opens the address of the sign-out gets a page.
            let is_page_too = path == "logout" && method != "GET";
            let allow = if is_page_too { "GET, POST" } else { "POST" };
            assert_eq!(refused.header("allow").as_deref(), Some(allow));
        }
    }
    for (path, allow) in [("", "GET, HEAD"), ("status", "GET"), ("userinfo", "GET, HEAD")] {
        let refused = rig.send(&browser.posts(&format!("/.duo-mfa/{path}")), &[]).answered();
        assert_eq!(refused.code(), "method_not_allowed", "POST {path}");
        assert_eq!(refused.header("allow").as_deref(), Some(allow));
    }
    assert_eq!(rig.calls.len(), 0);
}

#[test]
fn other_sites_can_start_nothing() {
    let mut rig = Rig::new();
    let browser = Browser::of("alice");
    let forged = |path: &str| {
        let without_site = |request: crate::rig::Request| request.without("sec-fetch-site");
        [
            without_site(posted(browser.opens(path))).with("sec-fetch-site", "cross-site"),
            without_site(posted(browser.fetches(path))).with("sec-fetch-site", "same-site"),
            posted(get(path)).with("origin", "https://evil.example"),
            posted(get(path)).with("origin", "null").with("accept", "text/html"),
        ]
    };
    for path in ["preauth", "auth?factor=push&device=auto", "auth?factor=sms", "cancel", "logout"] {
        for request in forged(&format!("/.duo-mfa/{path}")) {
            let refused = rig.send(&request, &[]).answered();
            assert_eq!((refused.0.status, refused.0.details.as_str()), (403, "duo_mfa_cross_site"));
            assert_eq!(refused.cookies(), [""; 0]);
        }
    }
    assert_eq!(rig.calls.len(), 0);
}
