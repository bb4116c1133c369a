//! Which keys of Duo an application needs, and what it cannot do without some.

use super::document::{minimal, with_all};
use super::universal::{configured, ruled};
use super::{found, parse};
use duo_mfa::config::{Code, Keys};
use serde_json::{Value, json};

/// A configuration without keys of the Auth API, with further members.
fn keyless(members: &[(&str, Value)]) -> Value {
    let mut all = vec![("/api/mode", json!("refuse"))];
    all.extend(members.iter().cloned());
    without_keys(configured(&all))
}

fn without_keys(mut document: Value) -> Value {
    let duo = document["duo"].as_object_mut().unwrap();
    duo.remove("integration_key");
    duo.remove("secret_key");
    document
}

/// An application without keys of the Auth API, for one rule with these members; the root has them.
fn further(duo: &Value, rule: &[(&str, Value)]) -> Value {
    let mut payments = json!({
        "api_host": "api-1234abcd.duosecurity.com",
        "universal": {
            "client_id": "DIPAYMENTSWEBSDK0001",
            "client_secret": {"env": "PAYMENTS_CLIENT_SECRET"},
        },
    });
    payments.as_object_mut().unwrap().extend(duo.as_object().unwrap().clone());
    let mut members = vec![("application", json!("payments"))];
    members.extend(rule.iter().cloned());
    configured(&[
        ("/applications", json!({"payments": {"duo": payments}})),
        ("/access_control", ruled(&members)),
    ])
}

#[track_caller]
fn accepted(document: &Value) {
    if let Err(faults) = parse(document) {
        panic!("{faults}");
    }
}

fn conflict(path: &str) -> Vec<(Code, String)> {
    vec![(Code::ConflictingKeys, path.to_owned())]
}

#[test]
fn browsers_alone_need_no_keys_of_the_auth_api() {
    let config = parse(&keyless(&[])).unwrap();
    let duo = &config.applications.main.duo;
    assert!(matches!(duo.keys, Keys::WebSdk(_)), "{duo:?}");
    assert!(duo.credentials().is_none());
    assert_eq!(duo.api_host().as_str(), "api-1234abcd.duosecurity.com");

    let config = parse(&configured(&[])).unwrap();
    assert!(matches!(config.applications.main.duo.keys, Keys::Both(..)));
    let config = parse(&minimal()).unwrap();
    assert!(matches!(config.applications.main.duo.keys, Keys::AuthApi(_)));
}

#[test]
fn missing_keys_are_a_fault_that_names_both_ways_out() {
    let missing =
        ["integration_key", "secret_key"].map(|key| (Code::MissingKey, format!("duo.{key}")));
    for document in [
        without_keys(minimal()),
        without_keys(configured(&[])),
        without_keys(configured(&[("/api/mode", json!("hold"))])),
        without_keys(with_all(&[("/api/mode", json!("refuse"))])),
    ] {
        assert_eq!(found(&document), missing, "{document}");
        let text = parse(&document).unwrap_err().to_string();
        let line = text.lines().find(|line| line.contains("duo.integration_key")).unwrap();
        for word in ["Auth API", "\"prompt\": \"universal\"", "api.mode", "\"refuse\""] {
            assert!(line.contains(word), "{word}: {line}");
        }
    }
}

#[test]
fn one_of_the_two_keys_alone_is_a_fault() {
    for key in ["integration_key", "secret_key"] {
        let mut document = configured(&[("/api/mode", json!("refuse"))]);
        document["duo"].as_object_mut().unwrap().remove(key);
        assert_eq!(found(&document), [(Code::MissingKey, format!("duo.{key}"))]);
    }
}

#[test]
fn what_needs_the_auth_api_is_refused_without_its_keys() {
    let rule = |members: &[_]| ("/access_control", ruled(members));
    let in_rule = |key: &str| format!("access_control.rules[0].{key}");
    for (member, path) in [
        (rule(&[("approval", json!("per_request"))]), in_rule("approval")),
        (rule(&[("api_mode", json!("hold"))]), in_rule("api_mode")),
        (("/branding/logo", json!("duo")), "branding.logo".to_owned()),
        (("/duo/signature", json!("v2-sha1")), "duo.signature".to_owned()),
        (("/duo/status_timeout", json!("20s")), "duo.status_timeout".to_owned()),
        (("/duo/push_timeout", json!("30s")), "duo.push_timeout".to_owned()),
        (("/duo/enrollment", json!("portal")), "duo.enrollment".to_owned()),
        (("/duo/remembered_devices", json!(true)), "duo.remembered_devices".to_owned()),
    ] {
        assert_eq!(found(&keyless(std::slice::from_ref(&member))), conflict(&path), "{member:?}");
    }
    for member in [
        rule(&[("factors", json!(["webauthn", "push"])), ("api_mode", json!("refuse"))]),
        ("/duo/factors", json!(["webauthn"])),
        ("/duo/fail_mode", json!("safe")),
        ("/branding/logo", json!("data:image/png;base64,AAAA")),
    ] {
        accepted(&keyless(&[member]));
    }
}

#[test]
fn further_application_may_be_for_browsers_alone() {
    let refused = [("api_mode", json!("refuse"))];
    let config = parse(&further(&json!({}), &refused)).unwrap();
    assert!(matches!(config.applications.main.duo.keys, Keys::Both(..)));
    assert!(config.applications.get(1).duo.credentials().is_none());

    let mut refuses_all = further(&json!({}), &[]);
    refuses_all["api"] = json!({"mode": "refuse"});
    accepted(&refuses_all);
}

#[test]
fn further_application_without_keys_holds_no_program() {
    let rule = "access_control.rules[0]";
    assert_eq!(found(&further(&json!({}), &[])), conflict(&format!("{rule}.application")));
    let holds = [("api_mode", json!("hold"))];
    assert_eq!(found(&further(&json!({}), &holds)), conflict(&format!("{rule}.api_mode")));
    let single = [("api_mode", json!("refuse")), ("approval", json!("per_request"))];
    assert_eq!(found(&further(&json!({}), &single)), conflict(&format!("{rule}.approval")));

    let refused = [("api_mode", json!("refuse"))];
    let path = "applications.payments.duo";
    let signed = json!({"signature": "v2-sha1"});
    assert_eq!(found(&further(&signed, &refused)), conflict(&format!("{path}.signature")));
    let half = json!({"integration_key": "DIPAYMENTSXXXXXXXXXX"});
    let missing = (Code::MissingKey, format!("{path}.secret_key"));
    assert_eq!(found(&further(&half, &refused)), [missing]);
    let mut own = further(&json!({"prompt": "own"}), &refused);
    own["applications"]["payments"]["duo"].as_object_mut().unwrap().remove("universal");
    let missing =
        ["integration_key", "secret_key"].map(|key| (Code::MissingKey, format!("{path}.{key}")));
    assert_eq!(found(&own), missing);
}

#[test]
fn further_application_inherits_from_a_root_without_keys() {
    let mut document = further(&json!({}), &[]);
    document["api"] = json!({"mode": "refuse"});
    let mut document = without_keys(document);
    let payments = document["applications"]["payments"]["duo"].as_object_mut().unwrap();
    payments.insert("integration_key".to_owned(), json!("DIPAYMENTSXXXXXXXXXX"));
    payments.insert("secret_key".to_owned(), json!({"env": "PAYMENTS_SECRET_KEY"}));
    document["duo"]["signature"] = json!("v2-sha1");
    document["duo"]["push_timeout"] = json!("30s");
    let config = parse(&document).unwrap();
    assert!(config.applications.main.duo.credentials().is_none());
    let payments = &config.applications.get(1).duo;
    assert_eq!(payments.credentials().unwrap().signature, duo_mfa::duo::Signature::V2Sha1);
    assert_eq!(payments.push_timeout.as_secs(), 30);
}

#[test]
fn application_with_the_own_page_inherits_no_list_that_it_cannot_ask_for() {
    let own = json!({
        "prompt": "own",
        "integration_key": "DIPAYMENTSXXXXXXXXXX",
        "secret_key": {"env": "PAYMENTS_SECRET_KEY"},
    });
    let document = |factors: Value| {
        let mut document = further(&own, &[]);
        let payments = document["applications"]["payments"]["duo"].as_object_mut().unwrap();
        payments.remove("universal");
        document["duo"]["factors"] = factors;
        document
    };
    let expected = [(Code::MissingKey, "applications.payments.duo.factors".to_owned())];
    assert_eq!(found(&document(json!(["webauthn"]))), expected);
    let config = parse(&document(json!(["webauthn", "push"]))).unwrap();
    assert_eq!(config.applications.get(1).duo.factors(), [duo_mfa::factor::Factor::Push]);
    let mut named = document(json!(["webauthn"]));
    named["applications"]["payments"]["duo"]["factors"] = json!(["phone"]);
    accepted(&named);
}

#[test]
fn rule_for_single_requests_needs_a_factor_of_the_own_page() {
    let single = [("approval", json!("per_request"))];
    let members = [("/access_control", ruled(&single)), ("/duo/factors", json!(["webauthn"]))];
    assert_eq!(found(&configured(&members)), conflict("access_control.rules[0].approval"));
    let members =
        [("/access_control", ruled(&single)), ("/duo/factors", json!(["webauthn", "push"]))];
    accepted(&configured(&members));
}
