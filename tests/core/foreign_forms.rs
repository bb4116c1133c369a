//! Forms of other sites: a SAML response, an OpenID `form_post`, the return from a payment.

use crate::browser::Browser;
use crate::rig::{Request, Response, Rig, get, one_phone, started, status};
use duo_mfa::signal::Signal;
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded";
const SENT: &str =
    "SAMLResponse=PHA%2B%0D%0A%3D&RelayState=a+b&x=%3C%2Fform%3E%3Cscript%3E%22%27&x=&submit=1";

fn named() -> Value {
    json!({"request_bodies": true, "cross_site_forms": ["/saml/acs", "/pay/return"]})
}

/// A form of another site, as a browser submits it: without cookies that are `Lax` or `Strict`.
fn foreign(path: &str, content_type: &str, body: &str) -> Request {
    let request = Browser::of("alice").submits(path).without("sec-fetch-site").without("origin");
    let request = request.with("sec-fetch-site", "cross-site").with("origin", "null");
    let request = request.with("content-type", content_type);
    request.with("content-length", body.len().to_string()).followed_by(body)
}

fn old(request: &Request, origin: &str) -> Request {
    let request = request.clone().without("sec-fetch-site").without("sec-fetch-mode");
    request.without("sec-fetch-dest").without("origin").with("origin", origin)
}

fn is_resent(page: &Response) -> bool {
    page.text().contains("id=\"held\"")
}

fn assert_not_taken(page: &Response) {
    assert_eq!((page.0.status, page.0.details.as_str()), (403, "duo_mfa_cross_site"));
    let text = page.text();
    assert!(text.contains("Your form was not sent"), "{text}");
    assert!(text.contains("this address takes no forms from other sites"), "{text}");
    assert!(!text.contains("/preauth") && !text.contains("<script"), "no way to a push: {text}");
}

#[test]
fn form_of_another_site_is_not_taken_and_leads_to_no_push() {
    for changes in [json!({}), json!({"request_bodies": true}), named()] {
        let mut rig = Rig::with(changes);
        let form = foreign("/orders", FORM, SENT);
        for form in [&form, &old(&form, "https://idp.example"), &old(&form, "null")] {
            assert_not_taken(&rig.send(form, &[]).answered());
        }
        assert_eq!((rig.bodies, rig.calls.len()), (0, 0));
        let is_logged = |signal: &Signal| matches!(signal, Signal::Log(_, line) if line.contains("cross_site_forms"));
        assert!(rig.signals.iter().any(is_logged));
    }
}

#[test]
fn form_of_another_site_is_sent_again_from_this_one_where_it_is_named() {
    let mut rig = Rig::with(named());
    let form = foreign("/saml/acs?tenant=%22%3E", FORM, SENT);
    for form in [&form, &old(&form, "https://idp.example")] {
        let page = rig.send(form, &[]).answered();
        assert_eq!((page.0.status, page.0.details.as_str()), (403, "duo_mfa_mfa_required"));
        let text = page.text();
        let fields = "<form id=\"held\" method=\"post\">\
            <input type=\"hidden\" name=\"SAMLResponse\" value=\"PHA+\r\n=\">\
            <input type=\"hidden\" name=\"RelayState\" value=\"a b\">\
            <input type=\"hidden\" name=\"x\" value=\"&lt;/form&gt;&lt;script&gt;&quot;'\">\
            <input type=\"hidden\" name=\"x\" value=\"\">\
            <input type=\"hidden\" name=\"submit\" value=\"1\">";
        assert!(text.contains(fields), "{text}");
        assert!(!text.contains("action=\"/saml"), "it goes to where it is: {text}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("form-action 'self' https:;"), "{policy}");
        assert!(policy.contains("script-src 'self'") && policy.contains("default-src 'none'"));
        assert_eq!(page.header("cross-origin-opener-policy"), None, "its opener waits for it");
        assert_eq!(page.header("x-frame-options").as_deref(), Some("DENY"));
        assert_eq!(page.header("cache-control").as_deref(), Some("no-store"));
    }
    assert_eq!((rig.bodies, rig.calls.len()), (2, 0));
}

/// The browser sends the form again with the approval cookie, and marks it as sent from this site.
#[test]
fn form_that_is_sent_again_arrives_with_the_approval() {
    let mut rig = Rig::with(named());
    let mut alice = Browser::pushed(&mut rig);
    alice.is_approved(&mut rig, &alice.fetches("/.duo-mfa/status"), &[status("allow", "allow")]);
    let again = |alice: &Browser| {
        let again = alice.submits("/saml/acs").with("content-type", FORM);
        again.with("content-length", "9").followed_by("amount=12")
    };
    rig.send(&again(&alice), &[]).admitted();
    let unapproved = rig.send(&again(&Browser::of("alice")), &[]).answered();
    assert!(!is_resent(&unapproved), "no loop");
    assert!(unapproved.text().contains("Confirm it’s you, then send it again"));
    assert_eq!(rig.bodies, 0);
}

#[test]
fn form_that_cannot_be_sent_again_as_it_is_is_not_taken() {
    let long = format!("a={}", "x".repeat(64 * 1024 - 2));
    let fits = foreign("/saml/acs", FORM, &long);
    assert!(is_resent(&Rig::with(named()).send(&fits, &[]).answered()));
    let no_length = foreign("/saml/acs", FORM, SENT).without("content-length");
    for form in [
        foreign("/saml/acs", "multipart/form-data; boundary=x", SENT),
        foreign("/saml/acs", "text/plain", SENT),
        foreign("/saml/acs", FORM, &format!("{long}x")),
        foreign("/saml/acs", FORM, "a=%FF"),
        foreign("/saml/acs", FORM, "a=%00"),
        foreign("/saml/acs", FORM, &"a&".repeat(257)),
        no_length.clone(),
        no_length.clone().with("content-length", "-1"),
        no_length.clone().with("content-length", "4").followed_by("x".repeat(70_000)),
        no_length.with("content-length", "99").followed_by_half(),
        foreign("/saml/acs/", FORM, SENT),
        foreign("/saml/ACS", FORM, SENT),
        foreign("/saml/acs/x", FORM, SENT),
        foreign("/saml/%61cs", FORM, SENT),
    ] {
        let mut rig = Rig::with(named());
        assert_not_taken(&rig.send(&form, &[]).answered());
        assert!(rig.calls.is_empty());
    }
}

#[test]
fn form_is_sent_again_only_for_a_page_of_another_site() {
    let form = foreign("/saml/acs", FORM, SENT);
    let from = |site: &str| form.clone().without("sec-fetch-site").with("sec-fetch-site", site);
    for form in [
        from("same-origin"),
        from("none"),
        // The browser sends a `Lax` cookie.
        from("same-site"),
        old(&form, "https://app.example.com"),
        // The browser does not know `SameSite`.
        form.clone().with("cookie", "a=1; __Host-duo_mfa=x"),
    ] {
        let mut rig = Rig::with(named());
        let page = rig.send(&form, &[]).answered();
        assert_eq!(page.0.details, "duo_mfa_mfa_required");
        assert!(page.text().contains("Confirm it’s you, then send it again"), "{}", page.text());
        assert_eq!(rig.bodies, 0);
    }
    let mut rig = Rig::with(named());
    let script = form.clone().without("sec-fetch-mode").with("sec-fetch-mode", "cors");
    assert_eq!(rig.send(&script, &[]).refused().code(), "mfa_required");
    let nobody = form.without("x-basic-user");
    assert_eq!(rig.send(&nobody, &[]).answered().0.details, "duo_mfa_identity_missing");
    assert_eq!(rig.bodies, 0);
}

#[test]
fn request_with_its_own_approval_is_never_sent_again() {
    let mut changes = named();
    changes["access_control"] = json!({"rules": [
        {"paths": ["/pay/*"], "policy": "two_factor", "approval": "per_request"},
        {"paths": ["/saml/*"], "users": ["mallory"], "policy": "deny"},
    ]});
    let mut rig = Rig::with(changes);
    let page = rig.send(&foreign("/pay/return", FORM, SENT), &[]).answered();
    assert_eq!(page.0.details, "duo_mfa_access_denied");
    let denied = rig.send(&foreign("/saml/acs", FORM, SENT).of("mallory"), &[]).answered();
    assert_eq!(denied.0.details, "duo_mfa_access_denied");
    assert_eq!(rig.bodies, 0);
    assert!(is_resent(&rig.send(&foreign("/saml/acs", FORM, SENT), &[]).answered()));
}

/// The page with the form polls the sign-in and continues like any other page.
#[test]
fn page_with_the_form_leads_to_an_approval() {
    let mut rig = Rig::with(named());
    let page = rig.send(&foreign("/saml/acs", FORM, SENT), &[]).answered();
    assert!(page.text().contains("data-pane=\"resend\"") && page.text().contains("<script"));
    let mut alice = Browser::of("alice");
    let state = alice.fetches("/.duo-mfa/status?return_to=%2Fsaml%2Facs");
    assert_eq!(alice.asks(&mut rig, &state, &[]).code(), "bad_request");
    let push = alice.posts("/.duo-mfa/auth?factor=push&return_to=%2Fsaml%2Facs");
    alice.asks(&mut rig, &push, &[one_phone(), started()]);
    let state = alice.fetches("/.duo-mfa/status?return_to=%2Fsaml%2Facs");
    alice.is_approved(&mut rig, &state, &[status("allow", "allow")]);
    let state = alice.fetches("/.duo-mfa/status?return_to=%2Fsaml%2Facs");
    assert_eq!(alice.asks(&mut rig, &state, &[]).json()["state"], "approved");
    rig.send(&get("/").with("cookie", alice.jar["__Host-duo_mfa"].clone()), &[]).admitted();
}
