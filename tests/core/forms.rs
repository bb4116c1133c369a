//! Passcodes in a form's body, for browsers without a script.

use crate::browser::Browser;
use crate::rig::{Request, Rig, Scripted, forwarded_header, one_phone, started, status};
use duo_mfa::signal::Signal;
use serde_json::json;

const AUTH: &str = "/.duo-mfa/auth?factor=passcode&return_to=%2Freports";
const FORM: &str = "application/x-www-form-urlencoded";

fn reading() -> Rig {
    Rig::with(json!({"request_bodies": true}))
}

/// The page's form for a passcode, filled in.
fn form(browser: &Browser, body: &str) -> Request {
    browser.submits(AUTH).with("content-type", FORM).followed_by(body)
}

fn right() -> [Scripted; 2] {
    [one_phone(), status("allow", "allow")]
}

fn wrong() -> [Scripted; 2] {
    [one_phone(), status("deny", "deny")]
}

#[test]
fn passcode_of_a_form_signs_in() {
    for content_type in [FORM, "application/x-www-form-urlencoded; charset=UTF-8"] {
        let mut rig = reading();
        let mut alice = Browser::of("alice");
        let typed = alice.submits(AUTH).with("content-type", content_type);
        let typed = typed.followed_by("passcode=+123456&go=");
        let approved = alice.is_approved(&mut rig, &typed, &right());
        assert_eq!(rig.body(1)["passcode"], "123456");
        let onward = (approved.0.status, approved.header("location"));
        assert_eq!(onward, (303, Some("/reports".to_owned())));
        let forward = rig.send(&alice.opens("/reports"), &[]).admitted();
        assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("passcode"));
    }
}

#[test]
fn factor_device_and_way_back_may_stand_in_the_form() {
    let mut rig = reading();
    let mut alice = Browser::of("alice");
    let bare = alice.submits("/.duo-mfa/auth").with("content-type", FORM);
    let push = bare.clone().followed_by("factor=push&device=DPFZRS9FB0D46QFTM891&return_to=%2Fa");
    let begun = alice.asks(&mut rig, &push, &[one_phone(), started()]);
    let onward = (begun.0.status, begun.header("location"));
    assert_eq!(onward, (303, Some("/.duo-mfa/?return_to=%2Fa".to_owned())));
    assert_eq!(rig.body(1)["factor"], "push");
    let elsewhere = bare.followed_by("factor=passcode&passcode=1&return_to=%2F%2Fevil.example");
    let approved = alice.is_approved(&mut rig, &elsewhere, &right());
    assert_eq!(approved.header("location").as_deref(), Some("/"));
}

#[test]
fn wrong_passcode_of_a_form_is_shown_at_its_field() {
    let mut rig = reading();
    let mut alice = Browser::of("alice");
    let page = alice.asks(&mut rig, &form(&alice, "passcode=000000"), &wrong());
    assert_eq!((page.0.status, page.0.details.as_str()), (422, "duo_mfa_passcode_incorrect"));
    assert!(page.text().contains("That code was not right."), "{}", page.text());
    assert!(page.text().contains("<form id=\"passcode\" method=\"post\" data-offered>"));
    let page = alice.asks(&mut rig, &form(&alice, "passcode=12%3B34"), &[]);
    assert_eq!(page.0.status, 422);
}

#[test]
fn form_without_one_passcode_is_refused_unasked() {
    for body in ["", "passcode", "code=123456", "passcode=1&passcode=2", "factor=push&passcode=1"] {
        let mut rig = reading();
        let mut alice = Browser::of("alice");
        let page = alice.asks(&mut rig, &form(&alice, body), &[]);
        let status = if body == "passcode" { 422 } else { 400 };
        assert_eq!(page.0.status, status, "{body}");
    }
    let mut rig = reading();
    let mut alice = Browser::of("alice");
    let both = form(&alice, "passcode=1").with("x-duo-mfa-passcode", "1");
    assert_eq!(alice.asks(&mut rig, &both, &[]).0.status, 400);
    let in_the_address = alice.submits(&format!("{AUTH}&passcode=123456"));
    assert_eq!(alice.asks(&mut rig, &in_the_address, &[]).0.status, 400);
    assert_eq!(rig.calls.len(), 0);
}

#[test]
fn form_above_4_kib_or_without_an_end_is_refused() {
    let mut rig = reading();
    let mut alice = Browser::of("alice");
    let padded = |length: usize| format!("passcode=123456&x={}", "x".repeat(length - 18));
    let long = alice.asks(&mut rig, &form(&alice, &padded(4097)), &[]);
    assert_eq!((long.0.status, long.0.details.as_str()), (400, "duo_mfa_bad_request"));
    let late = alice.submits(AUTH).with("content-type", FORM).followed_by_half();
    let noon = rig.now;
    let late = alice.asks(&mut rig, &late, &[]);
    assert_eq!((late.0.status, rig.now.since(noon).as_secs()), (400, 10));
    let hint = "allow_on_headers_stop_iteration";
    assert!(rig.signals.iter().any(|s| matches!(s, Signal::Log(_, text) if text.contains(hint))));
    alice.is_approved(&mut rig, &form(&alice, &padded(4096)), &right());
}

#[test]
fn no_other_body_is_read() {
    let mut alice = Browser::of("alice");
    let body = "passcode=123456";
    let typed = |content_type| {
        let bare = Browser::of("alice").submits(AUTH);
        bare.with("content-type", content_type).followed_by(body)
    };
    for (changes, request) in [
        (json!({}), typed(FORM)),
        (json!({"request_bodies": false}), typed(FORM)),
        (json!({"request_bodies": true}), typed("text/plain")),
        (json!({"request_bodies": true}), typed("multipart/form-data; boundary=x")),
        (json!({"request_bodies": true}), typed("application/x-www-form-urlencoded-not")),
        (json!({"request_bodies": true}), alice.submits(AUTH).followed_by(body)),
        (json!({"request_bodies": true}), typed(FORM).with("content-type", "text/plain")),
    ] {
        let mut rig = Rig::with(changes);
        let refused = alice.asks(&mut rig, &request, &[]);
        assert_eq!((refused.0.status, rig.bodies), (400, 0), "{request:?}");
    }
    let mut rig = reading();
    for (path, expected) in [("/.duo-mfa/logout", 200), ("/.duo-mfa/cancel", 303), ("/shop", 403)] {
        let other = alice.submits(path).with("content-type", FORM).followed_by(body);
        assert_eq!(alice.asks(&mut rig, &other, &[]).0.status, expected, "{path}");
    }
    let foreign = form(&alice, body).without("sec-fetch-site").with("sec-fetch-site", "cross-site");
    assert_eq!(alice.asks(&mut rig, &foreign, &[]).0.details, "duo_mfa_cross_site");
    let unknown = form(&alice, body).without("x-basic-user");
    assert_eq!(alice.asks(&mut rig, &unknown, &[]).0.details, "duo_mfa_identity_missing");
    assert_eq!((rig.bodies, rig.calls.len()), (0, 0));
}

#[test]
fn request_that_ends_with_its_head_is_not_waited_for() {
    let mut rig = reading();
    let mut alice = Browser::of("alice");
    let button = alice.submits("/.duo-mfa/auth?factor=push").with("content-type", FORM);
    assert_eq!(alice.asks(&mut rig, &button, &[one_phone(), started()]).0.status, 303);
    assert_eq!(rig.bodies, 0);
}

#[test]
fn page_says_that_a_passcode_needs_a_script_where_no_body_is_read() {
    for (is_read, is_said) in [(true, false), (false, true)] {
        let mut rig = Rig::with(json!({"request_bodies": is_read}));
        let mut alice = Browser::of("alice");
        let chooser = alice.submits("/.duo-mfa/preauth");
        let page = alice.asks(&mut rig, &chooser, &[one_phone()]).text();
        assert_eq!(page.contains("Entering a passcode needs JavaScript."), is_said, "{page}");
        assert_eq!(page.contains("<form id=\"passcode\" method=\"post\" hidden"), is_said);
    }
}
