//! Requests that pass, wait, or are refused.

use crate::exchange::{Exchange, config, duo, program, returning, run, signed_in, turn, user};
use crate::host::{Ends, Host, Response};
use serde_json::json;

#[test]
fn held_request_goes_on_and_its_cookie_lets_the_next_one_pass() {
    let _turn = turn();
    let host = Host::start(&config(&json!({"filter_state": true})));
    let held = Exchange::of(&host, &program()).decided(&host);
    assert_eq!(held.upstream("x-duo-mfa-factor").as_deref(), Some("push"));
    assert_eq!(held.upstream("x-duo-mfa-result").as_deref(), Some("admitted"));
    assert_eq!(held.outcome.state.borrow()["wasm.duo_mfa_result"], "admitted");

    let (user, cookie) = signed_in(&host);
    let cookies = format!("theme=dark; {cookie}; lang=en");
    for _ in 0..2 {
        let mut headers = returning(user, &cookies);
        headers.push(("x-duo-mfa-user", "mallory"));
        headers.push(("x-duo-mfa-result", "off"));
        let pass = Exchange::of(&host, &headers);
        assert_eq!(pass.upstream("cookie").as_deref(), Some("theme=dark; lang=en"));
        assert_eq!(pass.upstream("x-duo-mfa-user").as_deref(), Some(user));
        assert_eq!(pass.upstream("x-duo-mfa-result").as_deref(), Some("passed"));
        assert_eq!(pass.respond(&[(":status", "200")]), 0);
        assert_eq!(pass.outcome.state.borrow()["wasm.duo_mfa_result"], "passed");
    }
    // This host has no metrics outside of requests, as Envoy 1.38.
    assert!(host.metric("duo_mfa_passed") > 0);
}

#[test]
fn request_with_more_headers_than_fit_on_the_stack_is_read_whole() {
    let _turn = turn();
    let host = Host::start(&config(&json!({})));
    let (user, cookie) = signed_in(&host);
    let names: Vec<_> = (0..200).map(|number| format!("x-header-{number}")).collect();
    let mut headers: Vec<_> = names.iter().map(|name| (name.as_str(), "value")).collect();
    headers.extend(returning(user, &cookie));
    headers.push(("x-duo-mfa-other", "forged"));
    let pass = Exchange::of(&host, &headers);
    assert_eq!(pass.upstream("x-duo-mfa-other"), None);
    assert_eq!(pass.upstream("x-duo-mfa-user").as_deref(), Some(user));
    assert_eq!(pass.upstream("cookie"), None);
}

#[test]
fn stream_may_end_while_it_is_resumed() {
    let _turn = turn();
    let host = Host::start(&config(&json!({"filter_state": true})));
    let held = Exchange::of(&host, &program()).ends(Ends::InResume).decided(&host);
    assert!(held.outcome.has_ended.get());
    assert!(held.response("set-cookie").is_some());
}

#[test]
fn stream_may_end_while_it_gets_a_reply() {
    let _turn = turn();
    let host = Host::start(&config(&json!({})));
    // In the hook of its headers ...
    let mut nobody = program();
    nobody.pop();
    let exchange = Exchange::begin(&host, &nobody).ends(Ends::InReply);
    assert_ne!(exchange.headers(true), 0);
    assert_eq!(exchange.refusal().1, "duo_mfa_identity_missing");
    // ... and in that of the end of a call.
    let denies = |call: &_| match duo(call) {
        Response::Answered(_, body) if body.contains("allow") => {
            Response::Answered(200, body.replace("allow", "deny"))
        }
        answered @ (Response::Answered(..) | Response::Reset) => answered,
    };
    let held = Exchange::of(&host, &program()).ends(Ends::InReply);
    run(&host, &[&held], &denies, &|| held.is_decided());
    assert_eq!(held.refusal().0, 403);
    assert!(held.outcome.has_ended.get());
}

/// A form's request with a passcode, whose body comes.
pub(crate) fn form_of_a_browser() -> Vec<(&'static str, &'static str)> {
    vec![
        (":method", "POST"),
        (":authority", "app.example.com"),
        (":path", "/.duo-mfa/auth?factor=passcode&return_to=%2Freports"),
        (":scheme", "https"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
        ("accept", "text/html,application/xhtml+xml"),
        ("origin", "https://app.example.com"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-basic-user", user()),
    ]
}

#[test]
fn body_in_parts_is_read_with_and_without_trailers() {
    let _turn = turn();
    let host = Host::start(&config(&json!({"request_bodies": true})));
    for has_trailers in [false, true] {
        let form = Exchange::begin(&host, &form_of_a_browser());
        assert_eq!(form.headers(false), 1);
        for part in [b"pass".as_slice(), b"", b"code=12"] {
            assert_eq!(form.body(part, false), 1);
        }
        if has_trailers {
            assert_eq!(form.body(b"3456", false), 1);
            form.trailers(&[("x-duo-mfa-user", "mallory"), ("x-checksum", "1")]);
        } else {
            form.body(b"3456", true);
        }
        let form = form.decided(&host);
        assert_eq!(form.refusal().0, 303, "{:?}", form.outcome.replies.borrow());
        assert!(form.response("set-cookie").is_some());
    }
}

#[test]
fn body_that_is_too_long_or_left_in_the_middle_is_refused_or_forgotten() {
    let _turn = turn();
    let host = Host::start(&config(&json!({"request_bodies": true})));
    let form = Exchange::begin(&host, &form_of_a_browser());
    form.headers(false);
    form.body(&[b'x'; 100_000], false);
    let form = form.decided(&host);
    assert_eq!(form.refusal(), (400, "duo_mfa_bad_request".to_owned()));

    let left = Exchange::begin(&host, &form_of_a_browser());
    left.headers(false);
    left.body(b"passcode=1", false);
    left.leave();
    run(&host, &[], &duo, &|| host.metric("duo_mfa_duo_up") == 0);
}

#[test]
fn values_that_the_host_lends_are_copied() {
    let _turn = turn();
    let by_metadata = json!({
        "identity": {
            "source": "metadata", "metadata": ["first_factor", "user"],
            "groups": {"metadata": ["first_factor", "groups"]},
        },
        "access_control": {"rules": [{"groups": ["staff"], "policy": "bypass"}]},
    });
    let host = Host::start(&config(&by_metadata));
    let exchange = Exchange::begin(&host, &program());
    // SAFETY: it has not ended.
    let stream = unsafe { &*exchange.stream().unwrap() };
    let place = |key: &str| ("first_factor".to_owned(), key.to_owned());
    let groups = vec!["wheel".to_owned(), "staff".to_owned()];
    stream.metadata.borrow_mut().insert(place("user"), vec!["alice".to_owned()]);
    stream.metadata.borrow_mut().insert(place("groups"), groups);
    assert_eq!(exchange.headers(true), 0);
    assert!(exchange.upstream("x-basic-user").is_some());
}

#[test]
fn malformed_configuration_is_refused() {
    let _turn = turn();
    for text in ["", "{", "{\"version\": 1}", "[]"] {
        assert!(Host::try_start(text).is_none(), "{text}");
    }
}
