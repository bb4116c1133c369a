//! Approvals and pending sign-ins that are bound to more than their user (`session.bind`).

use crate::browser::Browser;
use crate::rig::{Rig, approval, forwarded_header, get, ok, one_phone, pair, started, status};
use serde_json::{Value, json};

const PENDING: &str = "__Host-duo_txn";
const HERE: &[u8] = b"192.0.2.7:51000";
const NEXT_DOOR: &[u8] = b"192.0.2.255:1";
const ELSEWHERE: &[u8] = b"198.51.100.7:51000";

fn bound(bind: &Value) -> Rig {
    Rig::with(json!({"session": {"bind": bind}}))
}

fn refusing(bind: &Value) -> Rig {
    Rig::with(json!({"session": {"bind": bind}, "api": {"mode": "refuse"}}))
}

fn values(values: &[&str]) -> Vec<Option<Vec<u8>>> {
    values.iter().map(|value| Some(value.as_bytes().to_vec())).collect()
}

/// Signs Alice in with a held request and returns her cookie.
fn signed_in(rig: &mut Rig) -> String {
    let script = [one_phone(), started(), status("allow", "allow")];
    pair(&approval(&rig.send(&get("/"), &script).admitted())).to_owned()
}

fn code(rig: &mut Rig, cookie: &str) -> String {
    rig.send(&get("/").with("cookie", cookie), &[]).refused().code()
}

#[test]
fn approval_is_good_in_the_network_where_it_was_given() {
    let bind = json!(["ip_prefix"]);
    let mut rig = bound(&bind);
    rig.peer = Some(HERE);
    let cookie = signed_in(&mut rig);
    for (peer, is_near) in [(HERE, true), (NEXT_DOOR, true), (ELSEWHERE, false)] {
        let mut rig = refusing(&bind);
        // The same worker, which caches verified cookies, and another one.
        for peer in [HERE, peer, peer] {
            rig.peer = Some(peer);
            let sent = get("/").with("cookie", &cookie);
            if is_near || peer == HERE {
                rig.send(&sent, &[]).admitted();
            } else {
                assert_eq!(rig.send(&sent, &[]).refused().code(), "mfa_required");
            }
        }
        let mut other = refusing(&bind);
        other.peer = Some(ELSEWHERE);
        assert_eq!(code(&mut other, &cookie), "mfa_required");
    }
}

#[test]
fn approval_is_good_with_the_certificate_and_the_metadata_that_it_was_given_with() {
    for bind in [json!(["certificate"]), json!([{"metadata": ["first_factor", "device"]}])] {
        let mut rig = bound(&bind);
        rig.bound = values(&["aa"]);
        let cookie = signed_in(&mut rig);
        let mut rig = refusing(&bind);
        for (value, is_same) in [("aa", true), ("ab", false), ("aaa", false), ("aa", true)] {
            rig.bound = values(&[value]);
            let sent = get("/").with("cookie", &cookie);
            if is_same {
                rig.send(&sent, &[]).admitted();
            } else {
                assert_eq!(rig.send(&sent, &[]).refused().code(), "mfa_required", "{value}");
            }
        }
    }
}

#[test]
fn approval_is_void_where_the_configuration_binds_to_something_else() {
    let binds = [
        json!([]),
        json!(["certificate"]),
        json!(["ip_prefix"]),
        json!(["certificate", "ip_prefix"]),
        json!([{"metadata": ["first_factor", "device"]}]),
        json!([{"metadata": ["first_factor", "other"]}]),
    ];
    for given in &binds {
        let mut rig = bound(given);
        rig.bound = values(&["aa"]);
        let cookie = signed_in(&mut rig);
        for bind in &binds {
            let mut rig = refusing(bind);
            rig.bound = values(&["aa"]);
            let sent = get("/").with("cookie", &cookie);
            if given == bind {
                rig.send(&sent, &[]).admitted();
            } else {
                rig.send(&sent, &[]).refused();
            }
        }
    }
}

#[test]
fn what_is_missing_is_refused_before_duo_is_asked() {
    let certificate = json!(["certificate"]);
    let metadata = json!([{"metadata": ["first_factor", "device"]}]);
    for (bind, values, peer) in [
        (&certificate, vec![], Some(HERE)),
        (&certificate, vec![None], Some(HERE)),
        (&certificate, vec![Some(Vec::new())], Some(HERE)),
        (&metadata, vec![None], Some(HERE)),
        (&json!(["ip_prefix"]), vec![], None),
        (&json!(["ip_prefix"]), vec![], Some(&b"/run/app.sock"[..])),
    ] {
        let mut rig = bound(bind);
        (rig.bound, rig.peer) = (values, peer);
        let alice = Browser::of("alice");
        for request in [
            get("/"),
            alice.opens("/"),
            alice.opens("/.duo-mfa/"),
            alice.posts("/.duo-mfa/preauth"),
            alice.posts("/.duo-mfa/auth?factor=push&device=auto"),
            alice.fetches("/.duo-mfa/status"),
        ] {
            let refused = rig.send(&request, &[]).refused();
            assert_eq!(
                (refused.0.status, refused.0.details.as_str()),
                (403, "duo_mfa_access_denied")
            );
        }
        assert!(rig.called().is_empty());
    }
}

#[test]
fn rules_that_ask_for_no_approval_need_nothing_to_bind_it_to() {
    let mut rig = Rig::with(json!({
        "session": {"bind": ["certificate"]},
        "access_control": {"rules": [{"users": ["alice"], "policy": "bypass"}]},
    }));
    let forward = rig.send(&get("/"), &[]).admitted();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-user"), None);
}

#[test]
fn sign_in_is_finished_where_it_was_begun() {
    let mut rig = bound(&json!(["ip_prefix"]));
    rig.peer = Some(HERE);
    let mut alice = Browser::of("alice");
    let start = alice.posts("/.duo-mfa/auth?factor=push&device=auto");
    alice.asks(&mut rig, &start, &[one_phone(), started()]);
    assert!(alice.has(PENDING));

    rig.peer = Some(ELSEWHERE);
    let mut thief = alice.clone();
    let status_of = |browser: &Browser| browser.fetches("/.duo-mfa/status");
    let refused = thief.asks(&mut rig, &status_of(&thief), &[]);
    assert!(matches!(refused.0.status, 400..=404), "{}", refused.text());

    rig.peer = Some(NEXT_DOOR);
    let approved = alice.is_approved(&mut rig, &status_of(&alice), &[status("allow", "allow")]);
    assert_eq!(approved.json()["state"], "approved");
    rig.send(&alice.opens("/"), &[]).admitted();
    rig.peer = Some(ELSEWHERE);
    rig.send(&alice.opens("/"), &[]).refused();
}

#[test]
fn device_is_remembered_if_duo_remembers_it() {
    let mut rig = Rig::with(json!({
        "duo": {"remembered_devices": true}, "session": {"bind": ["certificate"]},
    }));
    rig.bound = values(&["aa"]);
    let mut alice = Browser::pushed(&mut rig);
    let allow = json!({"result": "allow", "status": "allow", "trusted_device_token": "T"});
    alice.is_approved(&mut rig, &alice.fetches("/.duo-mfa/status"), &[ok(&allow)]);
    assert!(alice.has("__Host-duo_device"));
    for (certificate, token) in [("aa", Some("T")), ("ab", None)] {
        rig.bound = values(&[certificate]);
        alice.asks(&mut rig, &alice.posts("/.duo-mfa/preauth"), &[one_phone()]);
        let asked = rig.body(rig.calls.len() - 1);
        assert_eq!(asked.get("trusted_device_token").and_then(Value::as_str), token);
    }
}

#[test]
fn approval_of_one_request_is_good_where_it_was_given() {
    let mut rig = Rig::with(json!({
        "session": {"bind": ["ip_prefix"]},
        "access_control": {"rules": [
            {"paths": ["/wire"], "policy": "two_factor", "approval": "per_request"},
        ]},
    }));
    let mut alice = Browser::of("alice");
    rig.peer = Some(HERE);
    let start = alice.posts("/.duo-mfa/auth?factor=push&device=auto&return_to=%2Fwire");
    alice.asks(&mut rig, &start, &[one_phone(), started()]);
    alice.asks(&mut rig, &alice.fetches("/.duo-mfa/status"), &[status("allow", "allow")]);
    assert!(alice.has("__Host-duo_operation"));
    rig.peer = Some(ELSEWHERE);
    rig.send(&alice.opens("/wire"), &[]).refused();
    rig.peer = Some(NEXT_DOOR);
    rig.send(&alice.opens("/wire"), &[]).admitted();
}
