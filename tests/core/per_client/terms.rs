//! An approval per client admits only requests under the same, unchanged rule.

use super::{approved, config, is_asked, passes, ruled, wait};
use super::{pushed, rule};
use crate::applications::two_more;
use crate::rig::{Rig, get};
use serde_json::{Value, json};

#[test]
fn only_the_same_rule_is_met() {
    let rules = json!([
        rule(&json!({})),
        rule(&json!({"paths": ["/b/*"]})),
        rule(&json!({"paths": ["/c/*"], "factors": ["push"]})),
        rule(&json!({"paths": ["/d/*"], "approval": {"per": "client", "for": "10m"}})),
        {"paths": ["/e/*"], "policy": "two_factor"},
        {"paths": ["/f/*"], "policy": "two_factor", "approval": "per_request"},
        {"paths": ["/g/*"], "policy": "deny"},
    ]);
    let mut rig = ruled(&rules);
    approved(&mut rig, &get("/api/a"));
    for path in ["/b/a", "/c/a", "/d/a", "/e/a", "/f/a", "/other"] {
        is_asked(&mut rig, &get(path));
    }
    assert_eq!(rig.send(&get("/g/a"), &[]).refused().code(), "access_denied");
    passes(&mut rig, &get("/api/a"));
    for path in ["/b/a", "/c/a", "/d/a"] {
        approved(&mut rig, &get(path));
        passes(&mut rig, &get(path));
    }
    for path in ["/e/a", "/f/a"] {
        approved(&mut rig, &get(path));
        is_asked(&mut rig, &get(path));
    }
}

/// Changes of the rule, and changes of the settings for all requests.
#[test]
fn an_approval_from_before_a_change_opens_nothing() {
    let before = config(&json!([rule(&json!({}))]));
    let with = |pointer: &str, value: Value| {
        let mut config = before.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        config.pointer_mut(parent).unwrap()[key] = value;
        config
    };
    let of_rule = |key: &str, value: Value| with(&format!("/access_control/rules/0/{key}"), value);
    let mut at_duo = before.clone();
    at_duo["duo"] = json!({"factors": ["push"]});
    let mut other_secret = before.clone();
    other_secret["duo"] = json!({"secret_key": {"env": "OTHER_SECRET_KEY"}});
    let mut other_host = before.clone();
    other_host["duo"] = json!({"api_host": "api-yyyyyyyy.duosecurity.com"});
    let rig = {
        let mut rig = Rig::with(before.clone());
        approved(&mut rig, &get("/api/a"));
        rig
    };
    for (what, changed) in [
        ("factors", of_rule("factors", json!(["push"]))),
        ("max_age", of_rule("max_age", json!("5m"))),
        ("a shorter time", of_rule("approval", json!({"per": "client", "for": "2m"}))),
        ("fail_mode", of_rule("fail_mode", json!("safe"))),
        ("users", of_rule("users", json!(["alice"]))),
        ("duo.factors", at_duo),
        ("duo.secret_key", other_secret),
        ("duo.api_host", other_host),
        ("session.keys", with("/session/keys", json!([{"env": "DUO_MFA_OTHER_COOKIE_KEY"}]))),
        ("session.cookie", with("/session/cookie", json!("__Host-other"))),
        ("session.application", with("/session/application", json!("other"))),
        ("session.expiration", with("/session/expiration", json!("1h"))),
        ("session.not_before", with("/session/not_before", json!(1_800_000_001))),
        ("session.bind", with("/session/bind", json!(["ip_prefix", "certificate"]))),
    ] {
        let mut other = rig.beside(changed);
        other.bound = vec![Some(b"aa".to_vec())];
        let calls = other.calls.len();
        is_asked(&mut other, &get("/api/a"));
        assert!(other.calls.len() > calls, "{what}");
    }
    let mut same = rig.beside(before.clone());
    passes(&mut same, &get("/api/a"));
    // A rule keeps its approvals if it moves, or if other rules are added or removed.
    let rules = json!([{"paths": ["/healthz"], "policy": "bypass"}, rule(&json!({}))]);
    let mut moved = rig.beside(config(&rules));
    passes(&mut moved, &get("/api/a"));
}

/// Rules are evaluated before approvals.
#[test]
fn an_approval_opens_nothing_that_a_rule_denies() {
    let mut before = ruled(&json!([rule(&json!({}))]));
    approved(&mut before, &get("/api/a"));
    for denies in [
        json!({"users": ["alice"], "policy": "deny"}),
        json!({"networks": ["192.0.2.0/24"], "policy": "deny"}),
        json!({"paths": ["/api/a"], "policy": "deny"}),
    ] {
        let mut rig = before.beside(config(&json!([denies, rule(&json!({}))])));
        assert_eq!(rig.send(&get("/api/a"), &[]).refused().code(), "access_denied", "{denies}");
    }
}

#[test]
fn each_application_at_duo_is_apart() {
    let mut config = two_more();
    config["session"] = json!({"bind": ["ip_prefix"]});
    let rules = config["access_control"]["rules"].as_array_mut().unwrap();
    let of = |path: &str, application: &str| {
        let changes = json!({"paths": [path], "application": application});
        rule(&changes)
    };
    *rules = vec![of("/payments/*", "payments"), of("/wiki/*", "wiki"), rule(&json!({}))];
    let mut rig = Rig::with(config);
    let paths = ["/payments/x", "/wiki/x", "/api/x"];
    for approves in paths {
        approved(&mut rig, &get(approves));
        for path in paths {
            if path == approves {
                passes(&mut rig, &get(path))
            } else {
                is_asked(&mut rig, &get(path));
                continue;
            };
        }
        wait(&mut rig, 600);
    }
}

#[test]
fn only_a_factor_of_the_rule_is_kept() {
    let mut rig = ruled(&json!([rule(&json!({"factors": ["push"]}))]));
    approved(&mut rig, &get("/api/a"));
    passes(&mut rig, &get("/api/a"));
    let mut rig = ruled(&json!([rule(&json!({"factors": ["push"]}))]));
    let with_code = get("/api/a").with("x-duo-mfa-passcode", "123456");
    let [phone, ..] = pushed();
    assert_eq!(rig.send(&with_code, &[phone]).refused().code(), "bad_request");
    is_asked(&mut rig, &get("/api/a"));
}

#[test]
fn a_shorter_max_age_ends_it_sooner() {
    let changes = json!({"max_age": "1m", "approval": {"per": "client", "for": "1m"}});
    let mut rig = ruled(&json!([rule(&changes)]));
    approved(&mut rig, &get("/api/a"));
    wait(&mut rig, 59);
    passes(&mut rig, &get("/api/a"));
    wait(&mut rig, 1);
    is_asked(&mut rig, &get("/api/a"));
}

#[test]
fn a_user_has_eight_at_once_and_keeps_the_latest() {
    let rules: Vec<_> =
        (0..9).map(|number| rule(&json!({"paths": [format!("/r{number}/*")]}))).collect();
    let mut rig = ruled(&json!(rules));
    for number in 0..9 {
        approved(&mut rig, &get(&format!("/r{number}/a")));
        wait(&mut rig, 1);
    }
    is_asked(&mut rig, &get("/r0/a"));
    for number in 1..9 {
        passes(&mut rig, &get(&format!("/r{number}/a")));
    }
}
