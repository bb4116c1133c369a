//! Rules whose approvals are per client.

use super::document::with_all;
use super::{found, parse};
use duo_mfa::config::Code;
use serde_json::{Value, json};
use std::time::Duration;

const APPROVAL: &str = "access_control.rules[0].approval";

fn rule(changes: &Value) -> Value {
    let mut rule = json!({"paths": ["/api/*"], "policy": "two_factor",
        "approval": {"per": "client", "for": "5m"}});
    for (key, value) in changes.as_object().unwrap() {
        rule[key] = value.clone();
    }
    json!([rule])
}

/// A configuration with this rule, which binds approvals to the client's certificate.
fn with_rule(rule: Value, changes: &[(&str, Value)]) -> Value {
    let mut all = vec![("/session/bind", json!(["certificate"])), ("/access_control/rules", rule)];
    all.extend(changes.iter().cloned());
    with_all(&all)
}

#[test]
fn approval_per_client_is_read() {
    for (written, seconds) in [("10s", 10), ("5m", 300), ("30m", 1_800)] {
        let approval = json!({"approval": {"per": "client", "for": written}});
        let config = parse(&with_rule(rule(&approval), &[])).unwrap();
        let terms = &config.policies.rules[0].terms;
        assert_eq!(terms.per_client.unwrap().lasts, Duration::from_secs(seconds));
        assert!(!terms.is_per_request);
    }
    let hour = rule(&json!({"approval": {"per": "client", "for": "1h"}}));
    parse(&with_rule(hour, &[("/session/inactivity", json!("1h"))])).unwrap();
    for word in ["session", "per_request"] {
        let config = parse(&with_rule(rule(&json!({"approval": word})), &[])).unwrap();
        assert_eq!(config.policies.rules[0].terms.per_client, None);
    }
}

#[test]
fn approval_per_client_needs_its_keys_and_a_time_within_bounds() {
    for (approval, code, at) in [
        (json!("client"), Code::UnknownValue, ""),
        (json!("per_client"), Code::UnknownValue, ""),
        (json!("clients"), Code::UnknownValue, ""),
        (json!(7), Code::WrongType, ""),
        (json!(["client"]), Code::WrongType, ""),
        (json!({"per": "client"}), Code::MissingKey, ".for"),
        (json!({"for": "5m"}), Code::MissingKey, ".per"),
        (json!({"per": "session", "for": "5m"}), Code::UnknownValue, ".per"),
        (json!({"per": "client", "for": "9s"}), Code::InvalidDuration, ".for"),
        (json!({"per": "client", "for": "61m"}), Code::InvalidDuration, ".for"),
        (json!({"per": "client", "for": 300}), Code::WrongType, ".for"),
        (json!({"per": "client", "for": "5m", "by": ["ip_prefix"]}), Code::UnknownKey, ".by"),
    ] {
        let document = with_rule(rule(&json!({"approval": approval})), &[]);
        assert_eq!(found(&document), [(code, format!("{APPROVAL}{at}"))], "{approval}");
    }
    let document = with_rule(rule(&json!({"approval": "client"})), &[]);
    let told = parse(&document).unwrap_err().to_string();
    assert!(told.contains("write {\"per\": \"client\", \"for\": \"5m\"}"), "{told}");
}

/// If nothing distinguishes clients, an approval per client serves everyone who has the user's password.
#[test]
fn approval_per_client_needs_something_that_tells_clients_apart() {
    let sub = json!(["envoy.filters.http.jwt_authn", "payload", "sub"]);
    let jwt = json!({"source": "jwt", "metadata": sub});
    let bound = |bind: &Value| {
        let rules = ("/access_control/rules", rule(&json!({})));
        with_all(&[rules, ("/session/bind", bind.clone()), ("/identity", jwt.clone())])
    };
    let absent = with_all(&[("/access_control/rules", rule(&json!({})))]);
    assert_eq!(found(&absent), [(Code::MissingKey, "session.bind".to_owned())]);
    for bind in [json!([]), json!([{"metadata": sub}])] {
        assert_eq!(found(&bound(&bind)), [(Code::ConflictingKeys, APPROVAL.to_owned())], "{bind}");
    }
    let sid = json!({"metadata": ["envoy.filters.http.jwt_authn", "payload", "sid"]});
    for bind in [
        json!(["certificate"]),
        json!(["ip_prefix"]),
        json!([sid]),
        json!([{"metadata": sub}, sid]),
    ] {
        parse(&bound(&bind)).unwrap();
    }
}

#[test]
fn approval_per_client_outlives_nothing_else() {
    let at = || vec![(Code::ConflictingKeys, format!("{APPROVAL}.for"))];
    let max_age = |max_age: &str| with_rule(rule(&json!({"max_age": max_age})), &[]);
    assert_eq!(found(&max_age("299s")), at());
    parse(&max_age("5m")).unwrap();
    let inactivity =
        |time: &str| with_rule(rule(&json!({})), &[("/session/inactivity", json!(time))]);
    assert_eq!(found(&inactivity("299s")), at());
    parse(&inactivity("5m")).unwrap();
    // The default is half an hour. The value may not exceed `expiration`.
    let hour = rule(&json!({"approval": {"per": "client", "for": "31m"}}));
    assert_eq!(found(&with_rule(hour, &[])), at());
    let short = with_rule(rule(&json!({})), &[("/session/expiration", json!("1m"))]);
    assert_eq!(found(&short), at());
}

#[test]
fn approval_per_client_belongs_to_a_rule_that_asks() {
    for policy in ["bypass", "deny"] {
        let document = with_rule(rule(&json!({"policy": policy})), &[]);
        assert_eq!(found(&document), [(Code::ConflictingKeys, APPROVAL.to_owned())], "{policy}");
    }
}
