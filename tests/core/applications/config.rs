//! The configuration of several Duo applications, and its faults.

use super::two_more;
use crate::rig::{COOKIE_KEY, OTHER_SECRET_KEY, SECRET_KEY};
use crate::schema;
use duo_mfa::config::{Application, Code, Config, DuoSettings, Enrollment};
use duo_mfa::duo::{Credentials, Signature};
use duo_mfa::factor::Factor;
use duo_mfa::policy::FailMode;
use serde_json::{Value, json};
use std::time::Duration;

/// A complete configuration with the two applications.
fn document() -> Value {
    let mut document = two_more();
    document["version"] = json!(1);
    document["duo"] = json!({
        "api_host": "api-xxxxxxxx.duosecurity.com",
        "integration_key": "DIWJ8X6AEYOR5OMC6TQ1",
        "secret_key": {"env": "DUO_SECRET_KEY"},
    });
    document["identity"] = json!({"source": "header", "header": "x-basic-user"});
    document["session"] = json!({"keys": [{"env": "DUO_MFA_COOKIE_KEY"}]});
    document
}

fn environment(name: &str) -> Option<String> {
    match name {
        "DUO_SECRET_KEY" => Some(SECRET_KEY.to_owned()),
        "OTHER_SECRET_KEY" => Some(OTHER_SECRET_KEY.to_owned()),
        "DUO_MFA_COOKIE_KEY" => Some(COOKIE_KEY.to_owned()),
        _ => None,
    }
}

fn found(document: &Value) -> Vec<(Code, String)> {
    let faults = Config::parse(document.to_string().as_bytes(), &environment).unwrap_err();
    schema::must_agree(document, Some(&faults));
    faults.iter().map(|fault| (fault.code, fault.path.clone())).collect()
}

/// The document with one place changed.
fn with(pointer: &str, value: Value) -> Value {
    let mut document = document();
    let (place, key) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(place).unwrap()[key] = value;
    document
}

#[test]
fn what_an_application_does_not_say_is_as_at_the_root() {
    let mut document = document();
    let usual = json!({
        "signature": "v2-sha512", "timeout": "4s", "status_timeout": "20s", "push_timeout": "40s",
        "check_interval": "2m", "fail_mode": "safe", "factors": ["any_passcode", "push"],
        "enrollment": "portal", "remembered_devices": true,
    });
    let own = json!({
        "signature": "v5", "timeout": "3s", "status_timeout": "10s", "push_timeout": "30s",
        "check_interval": "5m", "fail_mode": "secure", "factors": ["phone"],
        "enrollment": "off", "remembered_devices": false,
    });
    for (pointer, members) in [("/duo", usual), ("/applications/payments/duo", own)] {
        let duo = document.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        duo.extend(members.as_object().unwrap().clone());
    }
    let config = Config::parse(document.to_string().as_bytes(), &environment).unwrap();
    let [main, payments, wiki] = [0, 1, 2].map(|number| config.applications.get(number));

    assert_eq!(payments.name.as_deref(), Some("payments"));
    assert_eq!(payments.duo.credentials().unwrap().signature, Signature::V5);
    assert_eq!(times(&payments.duo), [3, 10, 30, 300].map(Duration::from_secs));
    let own = (FailMode::Secure, Enrollment::Off, [Factor::Phone].as_slice(), false);
    assert_eq!(rest(payments), own);

    let Credentials { integration_key, secret_key, signature, .. } =
        &**wiki.duo.credentials().unwrap();
    assert_eq!(integration_key, "DIWIKIXXXXXXXXXXXXXX");
    assert_eq!(secret_key.expose(), OTHER_SECRET_KEY);
    assert_eq!(*signature, Signature::V2Sha512);
    assert_eq!(wiki.duo.cluster, "duo_api");
    assert_eq!(times(&wiki.duo), [4, 20, 40, 120].map(Duration::from_secs));
    let usual = [Factor::Passcode, Factor::Push];
    assert_eq!(rest(wiki), (FailMode::Safe, Enrollment::Portal, usual.as_slice(), true));
    assert_eq!(rest(main), rest(wiki));
}

fn times(duo: &DuoSettings) -> [Duration; 4] {
    [duo.timeout, duo.status_timeout, duo.push_timeout, duo.check_interval]
}

fn rest(application: &Application) -> (FailMode, Enrollment, &[Factor], bool) {
    let Application { duo, remembered_devices, .. } = application;
    (duo.fail_mode, duo.enrollment, duo.factors(), remembered_devices.is_some())
}

#[test]
fn faulty_application_is_refused_with_its_code_and_path() {
    let at = |key: &str| format!("applications.payments.{key}");
    let faulty = |key: &str, value| with(&format!("/applications/payments/{key}"), value);
    for (document, code, path) in [
        (
            with("/applications/payments", json!([])),
            Code::WrongType,
            "applications.payments".into(),
        ),
        (faulty("dou", json!({})), Code::UnknownKey, at("dou")),
        (faulty("duo", json!("x")), Code::WrongType, at("duo")),
        (faulty("duo/timeuot", json!("1s")), Code::UnknownKey, at("duo.timeuot")),
        (faulty("duo/api_host", json!("https://a.test")), Code::InvalidApiHost, at("duo.api_host")),
        (
            faulty("duo/secret_key", json!({"env": "UNSET"})),
            Code::MissingVariable,
            at("duo.secret_key"),
        ),
        (
            faulty("duo/secret_key", json!(OTHER_SECRET_KEY)),
            Code::InlineSecret,
            at("duo.secret_key"),
        ),
        (faulty("duo/factors", json!([])), Code::EmptyList, at("duo.factors")),
        (faulty("duo/remembered_devices", json!(1)), Code::WrongType, at("duo.remembered_devices")),
        (faulty("session", json!({"keys": []})), Code::UnknownKey, at("session.keys")),
        (
            faulty("session", json!({"application": "a b"})),
            Code::InvalidApplication,
            at("session.application"),
        ),
        (
            with("/applications/wiki/duo/api_host", json!("api-other.duosecurity.com")),
            Code::MissingKey,
            "applications.wiki.duo.cluster".into(),
        ),
        (
            with("/session/application", json!("wiki")),
            Code::ConflictingKeys,
            "applications.wiki".into(),
        ),
        (
            with("/access_control/rules/1/application", json!("wiki")),
            Code::ConflictingKeys,
            "applications.payments".into(),
        ),
        (
            with("/access_control/rules/0/application", json!("wiki")),
            Code::ConflictingKeys,
            "access_control.rules[0].application".into(),
        ),
    ] {
        assert_eq!(found(&document), [(code, path)], "{document}");
    }
    let mut named = document();
    named["applications"]["a b"] = named["applications"]["payments"].clone();
    named["access_control"]["rules"][0] =
        json!({"paths": ["/a"], "policy": "two_factor", "application": "a b"});
    let path = "applications[\"a b\"]".to_owned();
    assert_eq!(found(&named), [(Code::InvalidApplication, path)]);
}

#[test]
fn host_and_keys_are_never_those_of_the_root() {
    for key in ["api_host", "integration_key", "secret_key"] {
        let mut document = document();
        let duo = &mut document["applications"]["wiki"]["duo"];
        duo.as_object_mut().unwrap().remove(key).unwrap();
        assert_eq!(found(&document), [(Code::MissingKey, format!("applications.wiki.duo.{key}"))]);
    }
}

#[test]
fn misspelt_application_gets_a_suggestion() {
    let absent = "add it there, with its duo section; to use the duo section at the root, leave this key \
                  out";
    for (name, fix) in [("payment", "did you mean \"payments\"?"), ("shop", absent)] {
        let mut document = with("/access_control/rules/1/application", json!(name));
        document["access_control"]["rules"]
            .as_array_mut()
            .unwrap()
            .push(json!({"paths": ["/x"], "policy": "two_factor", "application": "payments"}));
        let faults = Config::parse(document.to_string().as_bytes(), &environment).unwrap_err();
        assert_eq!(
            faults.to_string(),
            format!(
                "duo_mfa configuration: access_control.rules[1].application: unknown_value: \
                 \"{name}\" is not among applications; {fix}"
            )
        );
    }
}

#[test]
fn rule_may_name_no_factor_that_its_application_does_not_offer() {
    let mut document = with("/applications/payments/duo/factors", json!(["phone"]));
    document["access_control"]["rules"][1]["factors"] = json!(["push"]);
    document["access_control"]["rules"][2]["factors"] = json!(["push"]);
    let path = "access_control.rules[1].factors".to_owned();
    assert_eq!(found(&document), [(Code::ConflictingKeys, path)]);
}

#[test]
fn no_secret_key_of_any_application_signs_cookies() {
    let document = with("/session/keys", json!([{"env": "OTHER_SECRET_KEY"}]));
    assert_eq!(found(&document), [(Code::ReusedKey, "session.keys[0]".to_owned())]);
}
