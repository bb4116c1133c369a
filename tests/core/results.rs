//! `x-duo-mfa-result`: why a request was forwarded. The rig checks besides that every forwarded request of every test has one,
//! and that it agrees with the audit line.

use crate::browser::Browser;
use crate::rig::{
    Request, Rig, Scripted, allows, approval, forwarded_header, get, ok, one_phone, pair, preauth,
    says, started, status,
};
use duo_mfa::gate::ForwardedAs;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const RESULT: &str = "x-duo-mfa-result";

fn rig(mode: &str, changes: &Value) -> Rig {
    let mut config = json!({
        "mode": mode,
        "duo": {"fail_mode": "safe"},
        "session": {"bind": ["ip_prefix"], "logout_paths": ["/signout"]},
        "access_control": {"cors_preflight": "bypass", "rules": [
            {"paths": ["/public/*"], "policy": "bypass"},
            {"paths": ["/internal/*"], "policy": "deny"},
            {"paths": ["/wire"], "policy": "two_factor", "approval": "per_request"},
            {"paths": ["/api/*"], "policy": "two_factor", "approval": {"per": "client", "for": "5m"}},
        ]},
    });
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    let mut rig = Rig::with(config);
    rig.check_meets(&ok(&json!({"time": rig.now.seconds()})));
    rig
}

/// Adds the header in every spelling with which a client could try to choose its value.
fn forged(request: Request) -> Request {
    let names = ["x-duo-mfa-result", "X-Duo-Mfa-Result", "x_duo_mfa_result"];
    names.into_iter().fold(request, |request, name| request.with(name, "passed"))
}

#[track_caller]
fn says_why(rig: &mut Rig, request: &Request, script: &[Scripted]) -> (String, Option<String>) {
    let forward = rig.send(&forged(request.clone()), script).admitted();
    let factor = forwarded_header(&forward, "x-duo-mfa-factor");
    (forwarded_header(&forward, RESULT).expect("a result"), factor)
}

#[test]
fn each_way_to_the_application_has_its_word() {
    let push = || [one_phone(), started(), allows()];
    let mut known = BTreeSet::new();
    let mut check = |found: (String, Option<String>), word: &str, factor: Option<&str>| {
        assert_eq!((found.0.as_str(), found.1.as_deref()), (word, factor));
        known.insert(found.0);
    };
    let mut enforcing = rig("enforce", &json!({}));
    let cookie = approval(&enforcing.send(&get("/"), &push()).admitted());
    let with_cookie = |path: &str| get(path).with("cookie", pair(&cookie));
    check(says_why(&mut enforcing, &with_cookie("/"), &[]), "passed", Some("push"));
    check(says_why(&mut enforcing, &with_cookie("/signout"), &[]), "passed", Some("push"));
    check(says_why(&mut enforcing, &get("/public/a").of(""), &[]), "bypassed", None);
    let preflight = get("/other").of("").without(":method").with(":method", "OPTIONS");
    let preflight = preflight.with("origin", "https://spa.example.com");
    let preflight = preflight.with("access-control-request-method", "DELETE");
    check(says_why(&mut enforcing, &preflight, &[]), "bypassed", None);

    let script = push();
    check(says_why(&mut rig("enforce", &json!({})), &get("/"), &script), "admitted", Some("push"));
    let passcode = get("/").with("x-duo-mfa-passcode", "123456");
    let script =
        [one_phone(), ok(&json!({"result": "allow", "status": "allow", "status_msg": ""}))];
    let found = says_why(&mut rig("enforce", &json!({})), &passcode, &script);
    check(found, "admitted", Some("passcode"));
    let found = says_why(&mut rig("enforce", &json!({})), &get("/"), &[preauth("allow")]);
    check(found, "admitted", Some("bypass"));

    // A program that keeps no cookie: the second request passes by the approval of its client.
    let mut per_client = rig("enforce", &json!({}));
    let script = push();
    check(says_why(&mut per_client, &get("/api/a"), &script), "admitted", Some("push"));
    check(says_why(&mut per_client, &get("/api/b"), &[]), "passed", Some("push"));

    let down = || says(503, "upstream connect error");
    let mut outage = rig("enforce", &json!({}));
    outage.check_meets(&down());
    let found = says_why(&mut outage, &get("/"), &[down(), down()]);
    check(found, "admitted", Some("fail_safe"));

    let mut reporting = rig("report_only", &json!({}));
    check(says_why(&mut reporting, &with_cookie("/"), &[]), "passed", Some("push"));
    check(says_why(&mut reporting, &get("/public/a"), &[]), "bypassed", None);
    for path in ["/", "/internal/a", "/wire", "/api/a", "/signout", "/a/../b"] {
        check(says_why(&mut reporting, &get(path), &[]), "would_refuse", None);
    }
    check(says_why(&mut reporting, &get("/").of(""), &[]), "would_refuse", None);

    for request in [get("/"), get("/internal/a"), get("/").of(""), with_cookie("/signout")] {
        check(says_why(&mut rig("off", &json!({})), &request, &[]), "off", None);
    }
    let words: BTreeSet<_> = ForwardedAs::ALL.map(|it| it.name().to_owned()).into();
    assert_eq!(known, words);
}

#[test]
fn request_with_its_own_approval_was_admitted() {
    let mut rig = rig("enforce", &json!({}));
    let mut alice = Browser::of("alice");
    let auth = "/.duo-mfa/auth?factor=push&return_to=%2Fwire";
    alice.asks(&mut rig, &alice.posts(auth), &[one_phone(), started()]);
    alice.asks(&mut rig, &alice.fetches("/.duo-mfa/status"), &[status("allow", "allow")]);
    let (word, factor) = says_why(&mut rig, &alice.opens("/wire"), &[]);
    assert_eq!((word.as_str(), factor.as_deref()), ("admitted", Some("push")));
}

#[test]
fn addresses_of_the_filter_never_reach_the_application() {
    for mode in ["enforce", "report_only", "off"] {
        for path in ["/.duo-mfa/none", "/.duo-mfa/preauth", "/.duo-mfa/status"] {
            rig(mode, &json!({})).send(&forged(get(path)), &[]).answered();
        }
    }
}
