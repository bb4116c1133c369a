//! Requests that a client has approved in advance, by their method, address and body.

use super::{PUSH, STATUS, WIRE, allows, auth, delete, held, rig, rig_with, used_up};
use crate::accounts::two_more;
use crate::browser::{Browser, posted};
use crate::rig::{Request, Response, Rig, get, overlay, preauth, status};
use crate::universal_flow;
use serde_json::{Value, json};
use sha2::Digest;

#[test]
fn program_approves_an_operation_and_sends_it() {
    for mode in ["hold", "refuse"] {
        let mut rig = rig_with(&json!({"api": {"mode": mode}}));
        let start = posted(get(&format!("{}&method=DELETE", auth("/orders/7"))));
        let begun = rig.send(&start, &PUSH.map(|answer| answer())).answered().json();
        assert_eq!(rig.phone_shows(1), "request=DELETE&path=%2Forders%2F7");
        let ask = get(STATUS).with("x-duo-mfa-transaction", begun["transaction"].as_str().unwrap());
        let state = rig.send(&ask, &[allows()]).answered().json();
        assert_eq!(state["state"], "approved");
        let token = state["transaction"].as_str().unwrap();
        let with = |request: Request| request.with("x-duo-mfa-transaction", token);
        for other in [with(delete("/orders/8")), with(delete("/orders/7")).followed_by("x")] {
            let refused = refused_or_held(&mut rig, &other, mode);
            assert_eq!(refused.code(), if mode == "hold" { "duo_denied" } else { "mfa_required" });
        }
        assert_eq!(rig.bodies, 0, "the host could not hold one back");
        let digest = "0".repeat(64);
        let start = format!("{}&method=DELETE&body_sha256={digest}", auth("/orders/7"));
        assert_eq!(rig.send(&posted(get(&start)), &[]).answered().code(), "bad_request", "{mode}");
        used_up(&rig.send(&with(delete("/orders/7")), &[]).admitted());
        let again = refused_or_held(&mut rig, &with(delete("/orders/7")), mode);
        assert!(again.json().get("start_url").is_none(), "no page leads to a DELETE");
    }
}

/// Asserts that a request is refused. A held one first calls Duo, which denies it.
#[track_caller]
fn refused_or_held(rig: &mut Rig, request: &Request, mode: &str) -> Response {
    let script = [preauth("deny")];
    rig.send(request, if mode == "hold" { &script } else { &[] }).refused()
}

#[test]
fn script_of_a_page_approves_an_operation_by_cookie() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let request =
        |alice: &Browser| alice.fetches("/orders/7").without(":method").with(":method", "DELETE");
    let refused = alice.asks(&mut rig, &request(&alice), &[]);
    assert_eq!((refused.code().as_str(), refused.0.status), ("mfa_required", 403));
    assert!(refused.json().get("start_url").is_none());
    let start = alice.posts(&format!("{}&method=DELETE", auth("/orders/7")));
    alice.asks(&mut rig, &start, &PUSH.map(|answer| answer()));
    alice.asks(&mut rig, &alice.fetches(STATUS), &[allows()]);
    used_up(&rig.send(&request(&alice), &[]).admitted());
    assert_eq!(rig.send(&request(&alice), &[]).refused().code(), "mfa_required");
}

#[test]
fn body_is_read_where_an_approval_comes_with_it() {
    let config = json!({"api": {"mode": "refuse"}, "request_bodies": true});
    let mut rig = rig_with(&config);
    let auth = format!("{}&method=POST", auth(WIRE));
    for digest in ["", "00", &"g".repeat(64), &"0".repeat(66)] {
        let start = posted(get(&format!("{auth}&body_sha256={digest}")));
        assert_eq!(rig.send(&start, &[]).answered().code(), "bad_request", "{digest}");
    }
    let digest: String =
        sha2::Sha256::digest(b"amount=12").iter().map(|byte| format!("{byte:02X}")).collect();
    let start = posted(get(&format!("{auth}&body_sha256={digest}")));
    let begun = rig.send(&start, &PUSH.map(|answer| answer())).answered().json();
    let ask = get(STATUS).with("x-duo-mfa-transaction", begun["transaction"].as_str().unwrap());
    let state = rig.send(&ask, &[allows()]).answered().json();
    let token = state["transaction"].as_str().unwrap();
    let bare = || posted(get(WIRE));
    rig.send(&bare().followed_by("amount=12"), &[]).refused();
    assert_eq!(rig.bodies, 0, "nothing came with it");
    let request = || bare().with("x-duo-mfa-transaction", token);
    let long = vec![b'x'; 64 * 1024 + 1];
    for other in ["amount=13".into(), Vec::new(), b"amount=12\n".to_vec(), long] {
        assert_eq!(rig.send(&request().followed_by(other), &[]).refused().code(), "mfa_required");
    }
    assert_eq!(rig.send(&request(), &[]).refused().code(), "mfa_required");
    let late = rig.send(&request().followed_by_half(), &[]).refused();
    assert_eq!((late.code().as_str(), rig.bodies), ("mfa_required", 5));
    used_up(&rig.send(&request().followed_by("amount=12"), &[]).admitted());
    let again = rig.send(&request().followed_by("amount=12"), &[]).refused();
    assert_eq!(again.code(), "mfa_required");
}

#[test]
fn headers_that_change_the_meaning_are_part_of_what_is_approved() {
    let config = json!({"api": {"mode": "refuse"}, "request_bodies": true});
    for (header, parameter, value) in [
        ("content-type", "content_type", "application/json; charset=utf-8"),
        ("content-encoding", "content_encoding", "gzip"),
        ("content-range", "content_range", "bytes 0-8/9"),
        ("destination", "destination", "/b"),
        ("range", "range", "bytes=0-1"),
    ] {
        let mut rig = rig_with(&config);
        let digest = duo_mfa::hex::hex(&sha2::Sha256::digest(b"amount=12"));
        let stated: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let start = format!("{}&method=POST&body_sha256={digest}", auth(WIRE));
        let token = |rig: &mut Rig, start: &str| {
            rig.table.clear();
            let begun = rig.send(&posted(get(start)), &PUSH.map(|answer| answer()));
            let begun = begun.answered().json();
            let ask =
                get(STATUS).with("x-duo-mfa-transaction", begun["transaction"].as_str().unwrap());
            let state = rig.send(&ask, &[allows()]).answered().json();
            state["transaction"].as_str().unwrap().to_owned()
        };
        let request = |token: &str| {
            posted(get(WIRE)).with("x-duo-mfa-transaction", token).followed_by("amount=12")
        };
        let bare = token(&mut rig, &start);
        let with_header = rig.send(&request(&bare).with(header, value), &[]).refused();
        assert_eq!(with_header.code(), "mfa_required", "{header}");
        used_up(&rig.send(&request(&bare), &[]).admitted());

        let whole = token(&mut rig, &format!("{start}&{parameter}={stated}"));
        for other in [
            request(&whole),
            request(&whole).with(header, "other"),
            request(&whole).with(header, value).with(header, value),
        ] {
            assert_eq!(rig.send(&other, &[]).refused().code(), "mfa_required", "{header}");
        }
        used_up(&rig.send(&request(&whole).with(header, value), &[]).admitted());
    }
}

#[test]
fn held_body_goes_on_with_its_push_whatever_came_with_it() {
    let mut rig = rig_with(&json!({"request_bodies": true}));
    let request = posted(get(WIRE)).with("x-duo-mfa-transaction", "x").followed_by("amount=12");
    let forward = held(&mut rig, &request);
    assert_eq!((forward.cookie, rig.bodies), (None, 1));
}

/// Rules under which the same path, requested by GET, has other terms or is denied.
fn by_method() -> [Rig; 3] {
    let wire = json!({"paths": ["/wire"], "methods": ["POST"], "policy": "two_factor",
        "approval": "per_request"});
    let rules = |rules: Value| json!({"access_control": {"rules": rules}});
    let mut other = wire.clone();
    other["application"] = json!("payments");
    let mut payments = two_more();
    overlay(&mut payments, json!({"applications": {"wiki": null}}));
    overlay(&mut payments, rules(json!([other])));
    let deny = json!({"paths": ["/wire"], "policy": "deny"});
    let mut duos_page = rules(json!([wire]));
    duos_page["api"] = json!({"mode": "refuse"});
    [
        Rig::with(payments),
        Rig::with(rules(json!([wire, deny]))),
        universal_flow::rig_with(duos_page),
    ]
}

/// Starts a push for `POST /wire`. Returns the pending sign-in.
fn begun(rig: &mut Rig) -> String {
    let start = posted(get(&format!("{}&method=POST", auth("/wire"))));
    let begun = rig.send(&start, &PUSH.map(|answer| answer())).answered().json();
    begun["transaction"].as_str().unwrap().to_owned()
}

#[test]
fn sign_in_goes_on_under_the_rule_of_its_method() {
    for mut rig in by_method() {
        let ask = get(STATUS).with("x-duo-mfa-transaction", begun(&mut rig));
        let waits = rig.send(&ask, &[status("waiting", "pushed")]).answered().json();
        assert_eq!(waits["state"], "waiting");
        let state = rig.send(&ask, &[allows()]).answered().json();
        assert_eq!(state["state"], "approved");
        let token = state["transaction"].as_str().unwrap();
        let wire = posted(get("/wire")).with("x-duo-mfa-transaction", token);
        used_up(&rig.send(&wire, &[]).admitted());
    }
}

#[test]
fn approval_of_a_cancelled_sign_in_opens_nothing() {
    for mut rig in by_method() {
        let token = begun(&mut rig);
        let with = |request: Request| request.with("x-duo-mfa-transaction", &token);
        let cancelled = rig.send(&with(posted(get("/.duo-mfa/cancel"))), &[]).answered();
        assert_eq!(cancelled.0.status, 200);
        let there = format!("{STATUS}?return_to=%2Fwire&method=POST");
        let refused = rig.send(&with(get(&there)), &[allows()]).answered();
        assert!(refused.0.status >= 400, "{}", refused.text());
    }
}
