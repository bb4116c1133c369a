//! The text that a phone shows about a request. A requester cannot use it to send the owner a message.

use crate::browser::posted;
use crate::rig::{Progress, Scripted};
use crate::rig::{Request, Rig, get, one_phone, started};
use serde_json::{Value, json};

const PUSH: [fn() -> Scripted; 2] = [one_phone, started];

fn per_request(push: &Value) -> Rig {
    Rig::with(json!({
        "push": push,
        "access_control": {"rules": [
            {"paths": ["/wire/*"], "policy": "two_factor", "approval": "per_request"},
        ]},
    }))
}

/// The `pushinfo` pairs that a push for this request shows.
fn shown(rig: &mut Rig, request: &Request) -> String {
    let Progress::Waits(_, flow) = rig.start(request) else { panic!("decided") };
    rig.resume(*flow, &one_phone());
    rig.phone_shows(rig.calls.len() - 1)
}

fn ahead(method: &str) -> Request {
    posted(get(&format!("/.duo-mfa/auth?factor=push&return_to=%2Fwire%2F7&method={method}")))
}

#[test]
fn method_of_an_approval_ahead_is_a_token() {
    for method in [
        "Approve%20this%3A%20IT%20security%20check",
        "GET%0Ahost%3A%20bank",
        "",
        "%C3%9C",
        "GET%20",
        "a%2Fb",
        "ABCDEFGHIJKLMNOPQRSTU",
        "%E2%80%AETEG",
    ] {
        let mut rig = per_request(&json!({}));
        let refused = rig.send(&ahead(method), &[]).answered();
        assert_eq!(refused.code(), "bad_request", "{method}");
        assert!(rig.calls.is_empty(), "{method}");
    }
    for method in ["DELETE", "PATCH", "UPDATEREDIRECTREF", "M-SEARCH"] {
        let mut rig = per_request(&json!({}));
        rig.send(&ahead(method), &PUSH.map(|answer| answer())).answered();
        let expected = format!("request={method}&path=%2Fwire%2F7");
        assert_eq!(rig.phone_shows(1), expected);
    }
}

#[test]
fn host_is_shown_as_the_configuration_spells_it_or_not_at_all() {
    let to = |host: &str| get("/").without(":authority").with(":authority", host);
    for (push, host, expected) in [
        (json!({}), "app.example.com", None),
        (json!({}), "your-bank-asks-you-to-approve.example", None),
        (json!({"hosts": []}), "app.example.com", None),
        (json!({"hosts": ["app.example.com"]}), "app.example.com", Some("app.example.com")),
        (json!({"hosts": ["app.example.com"]}), "APP.Example.com.:443", Some("app.example.com")),
        (json!({"hosts": ["app.example.com"]}), "approve.example.com", None),
        (json!({"hosts": ["*.example.com"]}), "approve-now.example.com", Some("%2A.example.com")),
        (json!({"hosts": ["app.example.com"]}), "app.example.com, approve now", None),
        (json!({"hosts": ["app.example.com"]}), "user@app.example.com", None),
    ] {
        let mut rig = Rig::with(json!({"push": push}));
        let host_shown = expected.map(|host| format!("host={host}&")).unwrap_or_default();
        assert_eq!(
            shown(&mut rig, &to(host)),
            format!("{host_shown}request=GET&path=%2F"),
            "{host}"
        );
    }
    let rules = json!([{"hosts": ["app.example.com", "!x.example.com"], "policy": "two_factor"}]);
    let named = json!({"access_control": {"rules": rules}});
    let info = |host: &str| shown(&mut Rig::with(named.clone()), &to(host));
    assert_eq!(info("app.example.com"), "host=app.example.com&request=GET&path=%2F");
    assert_eq!(info("x.example.com"), "request=GET&path=%2F");
}

#[test]
fn query_is_shown_where_it_is_approved_and_nowhere_else() {
    let mut rig = per_request(&json!({}));
    let query = shown(&mut rig, &get("/wire/7?to=12&amount=5%20000&note=%E2%80%AE"));
    let expected =
        "request=GET&path=%2Fwire%2F7&query=to%3D12%26amount%3D5%2520000%26note%3D%25E2%2580%25AE";
    assert_eq!(query, expected);
    assert_eq!(
        shown(&mut per_request(&json!({})), &get("/wire/7?")),
        "request=GET&path=%2Fwire%2F7"
    );
    assert_eq!(shown(&mut Rig::new(), &get("/a?token=secret")), "request=GET&path=%2Fa");
    let logged = format!("{:?}", rig.signals);
    assert!(!logged.contains("amount"), "{logged}");

    let long = format!("/wire/7?a={}&amount=1000000", "x".repeat(2_000));
    let info = shown(&mut per_request(&json!({})), &get(&long));
    assert!(info.ends_with("x%26amount%3D1000000"), "{info}");
    assert!(info.contains("x%5B1505%20more%5Dx"), "{info}");
    assert!(info.len() < 700, "{}", info.len());
}

#[test]
fn long_path_keeps_its_end_and_only_ascii_is_shown() {
    let info = shown(&mut Rig::new(), &get(&format!("/{}/delete-all", "x".repeat(1_000))));
    assert!(info.ends_with("x%2Fdelete-all") && info.contains("more%5D"), "{info}");
    let info = shown(&mut Rig::new(), &get("/\u{5d0}\u{202e}/\u{430}"));
    assert_eq!(info, "request=GET&path=%2F%25D7%2590%25EF%25BF%25BD%2F%25D0%25B0");
    let odd = get("/").without(":method").with(":method", "Please-approve-this-request-now");
    assert_eq!(shown(&mut Rig::new(), &odd), "path=%2F");
}
