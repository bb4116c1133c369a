//! Valid configurations, and faulty ones with the code and the path of each fault.

mod approvals;
pub(crate) mod document;
mod forms;
mod keys;
mod per_client;
mod table;
mod universal;

use crate::schema;
use document::{COOKIE_KEY, OTHER_COOKIE_KEY, SECRET_KEY, encoded, environment, full, minimal};
use document::{with, with_all};
use duo_mfa::config::{
    Api, ApiMode, Capacity, Code, Config, ConfigFaults, Enrollment, Limits, OnError, PushDetails,
    RateLimitService,
};
use duo_mfa::duo::Signature;
use duo_mfa::factor::Factor;
use duo_mfa::policy::{Criterion, Pattern, Policy};
use serde_json::{Value, json};
use std::time::Duration;
use table::faulty_values;

#[test]
fn minimal_configuration_has_the_documented_defaults() {
    let config = parse(&minimal()).unwrap();

    assert_eq!(config.path_prefix, "/.duo-mfa");
    assert_eq!(config.identity.attribute(), None);
    assert_eq!(config.applications.main.sessions.cookie_name(), "__Host-duo_mfa");
    assert_eq!(config.policies.default, Policy::TwoFactor);
    assert_eq!(config.api, Api { mode: ApiMode::Hold, hold_timeout: Duration::from_secs(60) });
    assert!(!config.request_bodies);
    assert_eq!(
        config.push,
        PushDetails { title: "Sign-in".to_owned(), info: Vec::new(), hosts: Vec::new() }
    );
    let deny_cooldown = vec![minutes(1), minutes(5), minutes(30)];
    assert_eq!(
        config.limits,
        Limits {
            pushes: 3,
            window: minutes(10),
            deny_cooldown,
            passcode_tries: 5,
            starts: 9,
            users: 16_384
        }
    );
    assert_eq!(config.rate_limit_service, None);
    assert_eq!(
        config.capacity,
        Capacity { user_calls: 20, user_rate: 180, calls: 240, held: 1_000 }
    );
}

#[test]
fn duo_is_asked_by_the_documented_defaults() {
    let config = parse(&minimal()).unwrap();
    let application = &config.applications.main;
    let duo = &application.duo;

    assert_eq!(duo.api_host().as_str(), "api-1234abcd.duosecurity.com");
    assert_eq!(duo.credentials().unwrap().integration_key, "DIXXXXXXXXXXXXXXXXXX");
    assert_eq!(duo.credentials().unwrap().secret_key.expose(), SECRET_KEY);
    assert_eq!(duo.credentials().unwrap().signature, Signature::V5);
    assert_eq!(duo.cluster, "duo_api");
    assert_eq!(duo.timeout, Duration::from_secs(10));
    assert_eq!(duo.status_timeout, Duration::from_secs(25));
    assert_eq!(duo.push_timeout, Duration::from_secs(60));
    assert_eq!(duo.check_interval, Duration::from_secs(60));
    assert_eq!(duo.factors(), [Factor::Push, Factor::Passcode, Factor::Phone, Factor::Sms]);
    assert_eq!(duo.enrollment, Enrollment::Off);
    assert!(application.remembered_devices.is_none());
}

#[test]
fn every_key_is_read() {
    let config = parse(&full()).unwrap();
    let info = vec![("service".to_owned(), "payments".to_owned())];

    assert_eq!(config.path_prefix, "/sso/.mfa");
    assert_eq!(
        config.identity.attribute().unwrap(),
        ["metadata", "filter_metadata", "envoy.filters.http.jwt_authn", "payload", "sub"]
    );
    assert_eq!(config.applications.main.sessions.cookie_name(), "__Host-sso");
    assert_eq!(config.policies.default, Policy::Deny);
    assert_eq!(config.api, Api { mode: ApiMode::Refuse, hold_timeout: Duration::from_secs(90) });
    assert!(config.request_bodies);
    let hosts = vec![Pattern::read(Criterion::Hosts, "app.example.com").unwrap()];
    assert_eq!(config.push, PushDetails { title: "Wire transfer".to_owned(), info, hosts });
    let deny_cooldown = vec![Duration::from_secs(1), minutes(8 * 60)];
    assert_eq!(
        config.limits,
        Limits {
            pushes: 9,
            window: minutes(60),
            deny_cooldown,
            passcode_tries: 9,
            starts: 4,
            users: 65_536
        }
    );
    assert_eq!(
        config.rate_limit_service,
        Some(RateLimitService {
            cluster: "outbound|8081||limits.example.com".to_owned(),
            domain: "duo".to_owned(),
            timeout: Duration::from_millis(100),
            on_error: OnError::Deny,
        })
    );
    assert_eq!(config.capacity, Capacity { user_calls: 5, user_rate: 60, calls: 50, held: 70 });
}

#[test]
fn every_key_of_duo_is_read() {
    let config = parse(&full()).unwrap();
    let application = &config.applications.main;
    let duo = &application.duo;

    assert_eq!(duo.credentials().unwrap().signature, Signature::V2Sha1);
    assert_eq!(duo.cluster, "outbound|443||api-1234abcd.duosecurity.com");
    assert_eq!(duo.timeout, Duration::from_secs(5));
    assert_eq!(duo.status_timeout, Duration::from_secs(30));
    assert_eq!(duo.push_timeout, Duration::from_secs(120));
    assert_eq!(duo.check_interval, Duration::from_secs(3600));
    assert_eq!(duo.factors(), [Factor::Passcode, Factor::Push]);
    assert_eq!(duo.enrollment, Enrollment::Portal);
    assert!(application.remembered_devices.is_some());
}

#[test]
fn struct_configuration_is_that_of_the_json_text() {
    for document in [minimal(), full()] {
        let from_json = Config::parse(document.to_string().as_bytes(), &environment).unwrap();
        let from_struct = Config::parse(&encoded(&document), &environment).unwrap();
        assert_eq!(format!("{from_struct:?}"), format!("{from_json:?}"));
    }
    let faulty = with("/duo/timeout", json!("0s"));
    assert_eq!(
        Config::parse(&encoded(&faulty), &environment).unwrap_err(),
        parse(&faulty).unwrap_err()
    );
}

#[test]
fn aliases_name_the_same_keys() {
    for (host, ikey, skey) in [
        ("api_host", "integration_key", "secret_key"),
        ("hostname", "ikey", "skey"),
        ("host", "ikey", "secret_key"),
    ] {
        let duo = json!({
            host: "API-1234abcd.duosecurity.com",
            ikey: "DIXXXXXXXXXXXXXXXXXX",
            skey: {"env": "DUO_SECRET_KEY"},
        });
        let config = parse(&with("/duo", duo)).unwrap();
        assert_eq!(
            config.applications.main.duo.api_host().as_str(),
            "api-1234abcd.duosecurity.com"
        );
        assert_eq!(
            config.applications.main.duo.credentials().unwrap().secret_key.expose(),
            SECRET_KEY
        );
    }
}

#[test]
fn keys_of_later_releases_are_accepted_where_they_turn_on_nothing() {
    for (pointer, value) in [
        ("/duo/enrollment", json!("off")),
        ("/duo/enrollment", json!(false)),
        ("/duo/remembered_devices", json!(false)),
        ("/session/domain", json!("")),
        ("/access_control/rules", json!([])),
        ("/applications", json!({})),
    ] {
        parse(&with(pointer, value)).unwrap();
    }
}

#[test]
fn inline_secrets_need_the_operators_word() {
    let inline =
        with_all(&[("/duo/secret_key", json!(SECRET_KEY)), ("/session/keys", json!([COOKIE_KEY]))]);
    assert_eq!(
        found(&inline),
        [
            (Code::InlineSecret, "duo.secret_key".into()),
            (Code::InlineSecret, "session.keys[0]".into())
        ]
    );

    let mut allowed = inline;
    allowed["allow_inline_secrets"] = json!(true);
    parse(&allowed).unwrap();
}

#[test]
fn each_faulty_configuration_is_refused_with_its_code_and_path() {
    for (pointer, value, code, path) in faulty_values() {
        let document = with(pointer, value.clone());
        assert_eq!(found(&document), [(code, path.to_owned())], "{pointer} {value}");
    }
}

#[test]
fn all_faults_are_reported_at_once() {
    let document = json!({
        "version": 2,
        "path_prefix": "mfa",
        "duo": {"api_host": "https://api-1.duosecurity.com/", "intergration_key": "DI", "timeout": 10,
                "factors": ["push", "push", "pull"]},
        "identity": {"source": "header", "header": "Cookie", "normalize": ["trim", "fold"]},
        "session": {"keys": [{"env": "SHORT"}, {"env": "UNSET"}], "cookie": "sid"},
        "access_control": {"rules": [{"paths": ["/healthz"], "policy": "pass", "approval": "once"}]},
    });
    let expected = [
        (Code::UnknownVersion, "version"),
        (Code::InvalidPathPrefix, "path_prefix"),
        (Code::UnknownKey, "duo.intergration_key"),
        (Code::InvalidApiHost, "duo.api_host"),
        (Code::MissingKey, "duo.integration_key"),
        (Code::MissingKey, "duo.secret_key"),
        (Code::WrongType, "duo.timeout"),
        (Code::DuplicateEntry, "duo.factors[1]"),
        (Code::UnknownValue, "duo.factors[2]"),
        (Code::InvalidHeader, "identity.header"),
        (Code::UnknownValue, "identity.normalize[1]"),
        (Code::InvalidCookieName, "session.cookie"),
        (Code::InvalidCookieKey, "session.keys[0]"),
        (Code::MissingVariable, "session.keys[1]"),
        (Code::UnknownValue, "access_control.rules[0].policy"),
        (Code::UnknownValue, "access_control.rules[0].approval"),
    ];

    assert_eq!(found(&document), expected.map(|(code, path)| (code, path.to_owned())));
    let text = parse(&document).unwrap_err().to_string();
    assert_eq!(text.lines().count(), expected.len());
    assert!(text.lines().all(|line| line.starts_with("duo_mfa configuration: ")), "{text}");
}

#[test]
fn a_fault_tells_what_to_write_instead() {
    for (pointer, value, line) in [
        (
            "/duo/api_host",
            json!("https://api-1.duosecurity.com/"),
            r#"duo.api_host: invalid_api_host: "https://api-1.duosecurity.com/" must be a bare host name; use "api-1.duosecurity.com""#,
        ),
        (
            "/duo/clsuter",
            json!("duo_api"),
            r#"duo.clsuter: unknown_key: is not a known key; did you mean "cluster"?"#,
        ),
        (
            "/duo/timeout",
            json!(10),
            r#"duo.timeout: wrong_type: must be a text, not a number; write it with a unit, as in "10s", "5m" or "8h""#,
        ),
        (
            "/duo/factors",
            json!("push"),
            "duo.factors: wrong_type: must be a list, not a text; write it as a list: [...]",
        ),
        (
            "/access_control/cors_preflight",
            json!(true),
            "access_control.cors_preflight: wrong_type: must be a text, not true or false; write \
             two_factor, bypass",
        ),
        (
            "/limits/pushes",
            json!(-1),
            "limits.pushes: wrong_type: must be a whole number, zero or more, not a number below \
             zero, too large, or with a fraction; write it in digits and without quotes, as in 3",
        ),
        (
            "/fail_mode",
            json!("safe"),
            "fail_mode: unknown_key: is not a known key; write it as duo.fail_mode",
        ),
        (
            "/rules",
            json!([]),
            "rules: unknown_key: is not a known key; write it as access_control.rules",
        ),
        (
            "/duo/secret_key",
            json!({"env": SECRET_KEY}),
            "duo.secret_key: missing_variable: the environment variable (not shown, since it may \
             be the secret itself) is not set; set it where Envoy runs, and list it in the plugin's \
             host_env_keys",
        ),
        (
            "/identity/header",
            json!("X-User"),
            r#"identity.header: invalid_header: "X-User" must be in lower case; use "x-user""#,
        ),
        (
            "/path_prefix",
            json!("/a\r\nb"),
            r#"path_prefix: invalid_path_prefix: "/a\r\nb" has a character other than letters, digits, "/", ".", "-", "_" and "~"; write a plain path, as in "/.duo-mfa""#,
        ),
    ] {
        let text = parse(&with(pointer, value)).unwrap_err().to_string();
        assert_eq!(text, format!("duo_mfa configuration: {line}"));
    }
}

#[test]
fn duplicate_key_is_a_fault() {
    let text = minimal().to_string().replacen(
        r#""secret_key":"#,
        r#""secret_key": {"env": "UNSET"}, "secret_key":"#,
        1,
    );
    let faults = Config::parse(text.as_bytes(), &environment).unwrap_err();
    assert_eq!(codes(&faults), [(Code::DuplicateKey, "duo.secret_key".into())]);
}

#[test]
fn what_is_no_configuration_at_all_is_refused() {
    for (bytes, code) in [
        (&b""[..], Code::Empty),
        (b"\n", Code::Empty),
        (b"{\"duo\": {", Code::Malformed),
        (b"duo:\n  api_host: x\n", Code::Malformed),
        (b"\x0a\xff", Code::Malformed),
    ] {
        let faults = Config::parse(bytes, &environment).unwrap_err();
        assert_eq!(codes(&faults), [(code, String::new())]);
    }
}

#[test]
fn no_secret_is_in_any_message() {
    let misplaced = [
        ("/duo/secret_key", json!([SECRET_KEY])),
        ("/duo/secret_key", json!({"env": SECRET_KEY})),
        ("/duo/secret_key", json!({"value": SECRET_KEY})),
        ("/duo/skey", json!(SECRET_KEY)),
        ("/duo/secretkey", json!(SECRET_KEY)),
        ("/duo/timeout", json!([SECRET_KEY])),
        ("/session/keys", json!([{"env": COOKIE_KEY}])),
        ("/session/keys", json!([COOKIE_KEY, {"base64": COOKIE_KEY}])),
    ];
    let documents = faulty_values()
        .into_iter()
        .map(|(pointer, value, _, _)| (pointer, value))
        .chain(misplaced)
        .map(|(pointer, value)| with(pointer, value));

    for document in documents {
        let faults = parse(&document).unwrap_err();
        for text in [faults.to_string(), format!("{faults:?}")] {
            for secret in [SECRET_KEY, COOKIE_KEY, OTHER_COOKIE_KEY, "tooshort"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }
    for config in [parse(&minimal()).unwrap(), parse(&full()).unwrap()] {
        let text = format!("{config:?}");
        assert!(!text.contains(SECRET_KEY) && !text.contains(COOKIE_KEY), "{text}");
    }
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// Reads a document, about which the schema must agree.
fn parse(document: &Value) -> Result<Config, ConfigFaults> {
    let read = Config::parse(document.to_string().as_bytes(), &environment);
    schema::must_agree(document, read.as_ref().err());
    read
}

fn found(document: &Value) -> Vec<(Code, String)> {
    codes(&parse(document).unwrap_err())
}

fn codes(faults: &ConfigFaults) -> Vec<(Code, String)> {
    faults.iter().map(|fault| (fault.code, fault.path.clone())).collect()
}
