//! `duo.prompt: universal`: what is read, and what is refused.

use super::document::{COOKIE_KEY, SECRET_KEY, encoded, environment, minimal, with_all};
use super::{codes, found, parse};
use duo_mfa::config::{Code, Config, Destination, Enrollment, Keys, Universal};
use duo_mfa::factor::Factor;
use duo_mfa::http::authority::Host;
use serde_json::{Value, json};

const CLIENT_ID: &str = "DIUNIVERSALTEST00001";

/// `duo.universal` with all that it needs.
fn universal() -> Value {
    json!({
        "client_id": CLIENT_ID,
        "client_secret": {"env": "DUO_CLIENT_SECRET"},
        "hosts": ["app.example.com", "*.apps.example.com"],
    })
}

/// The minimal configuration with the Universal Prompt and further members.
pub(super) fn configured(members: &[(&str, Value)]) -> Value {
    let mut all = vec![("/duo/prompt", json!("universal")), ("/duo/universal", universal())];
    all.extend(members.iter().cloned());
    with_all(&all)
}

fn read(members: &[(&str, Value)]) -> Universal {
    match parse(&configured(members)).unwrap().applications.main.duo.keys {
        Keys::Both(_, universal) => universal,
        other @ (Keys::AuthApi(_) | Keys::WebSdk(_)) => panic!("{other:?}"),
    }
}

#[test]
fn own_page_is_the_default() {
    for document in [minimal(), with_all(&[("/duo/prompt", json!("own"))])] {
        assert!(parse(&document).unwrap().applications.main.duo.universal().is_none());
    }
}

#[test]
fn credentials_and_hosts_are_read() {
    let universal = read(&[]);
    let app = Host::of(b"X.apps.example.com").unwrap();
    assert_eq!(universal.web_sdk.client_id(), CLIENT_ID);
    assert_eq!(universal.web_sdk.api_host().as_str(), "api-1234abcd.duosecurity.com");
    assert_eq!(universal.hosts.len(), 2);
    assert!(universal.hosts[1].allows(&app) && !universal.hosts[0].allows(&app));
    assert_eq!(universal.destination, Destination::Host);
    assert_eq!(universal.destination("app.example.com"), Some("app.example.com"));
    assert_eq!(universal.origin, "https://api-1234abcd.duosecurity.com");
}

#[test]
fn keys_have_the_names_of_duos_pages() {
    for (id, secret) in [("integration_key", "secret_key"), ("ikey", "skey")] {
        let named = json!({
            id: CLIENT_ID, secret: {"env": "DUO_CLIENT_SECRET"}, "hosts": ["app.example.com"],
        });
        assert_eq!(read(&[("/duo/universal", named)]).web_sdk.client_id(), CLIENT_ID);
    }
}

#[test]
fn destination_is_the_host_a_text_or_off() {
    for (value, destination, name) in [
        (json!("host"), Destination::Host, Some("app.example.com")),
        (json!("Wiki"), Destination::Text("Wiki".to_owned()), Some("Wiki")),
        (json!("off"), Destination::Off, None),
        (json!(false), Destination::Off, None),
    ] {
        let universal = read(&[("/duo/universal/destination", value)]);
        assert_eq!(universal.destination, destination);
        assert_eq!(universal.destination("app.example.com"), name);
    }
}

#[test]
fn struct_configuration_is_read_as_well() {
    let document = configured(&[("/duo/universal/destination", json!(false))]);
    let from_struct = Config::parse(&encoded(&document), &environment).unwrap();
    assert_eq!(format!("{from_struct:?}"), format!("{:?}", parse(&document).unwrap()));
}

#[test]
fn settings_that_turn_on_nothing_are_taken() {
    let off = [("/duo/enrollment", json!("off")), ("/duo/remembered_devices", json!(false))];
    let config = parse(&configured(&off)).unwrap();
    assert_eq!(config.applications.main.duo.enrollment, Enrollment::Off);
}

#[test]
fn each_faulty_universal_prompt_is_refused_with_its_code_and_path() {
    for (pointer, value, code, path) in [
        ("/duo/prompt", json!("duo"), Code::UnknownValue, "duo.prompt"),
        ("/duo/enrollment", json!("inline"), Code::ConflictingKeys, "duo.enrollment"),
        ("/duo/remembered_devices", json!(true), Code::ConflictingKeys, "duo.remembered_devices"),
        ("/duo/universal", json!("on"), Code::WrongType, "duo.universal"),
        ("/duo/universal/client", json!("x"), Code::UnknownKey, "duo.universal.client"),
        ("/duo/universal/ikey", json!(CLIENT_ID), Code::ConflictingKeys, "duo.universal.ikey"),
        ("/duo/universal/client_id", json!(1), Code::WrongType, "duo.universal.client_id"),
        (
            "/duo/universal/client_id",
            json!("DIUNIVERSAL"),
            Code::InvalidIntegrationKey,
            "duo.universal.client_id",
        ),
        (
            "/duo/universal/client_id",
            json!("DIXXXXXXXXXXXXXXXXXX"),
            Code::ReusedKey,
            "duo.universal.client_id",
        ),
        (
            "/duo/universal/client_secret",
            json!(SECRET_KEY),
            Code::InlineSecret,
            "duo.universal.client_secret",
        ),
        (
            "/duo/universal/client_secret",
            json!({"env": "IKEY"}),
            Code::InvalidSecretKey,
            "duo.universal.client_secret",
        ),
        (
            "/duo/universal/client_secret",
            json!({"env": "DUO_SECRET_KEY"}),
            Code::ReusedKey,
            "duo.universal.client_secret",
        ),
        ("/duo/universal/hosts", json!([]), Code::EmptyList, "duo.universal.hosts"),
        ("/duo/universal/hosts", json!("a.test"), Code::WrongType, "duo.universal.hosts"),
        (
            "/duo/universal/hosts",
            json!(["a.test", "https://b.test"]),
            Code::InvalidHost,
            "duo.universal.hosts[1]",
        ),
        ("/duo/universal/hosts", json!(["a:443"]), Code::InvalidHost, "duo.universal.hosts[0]"),
        ("/duo/universal/hosts", json!(["a/b"]), Code::InvalidHost, "duo.universal.hosts[0]"),
        ("/duo/universal/hosts", json!(["*"]), Code::InvalidHost, "duo.universal.hosts[0]"),
        (
            "/duo/universal/hosts",
            json!(["a.test", "A.test"]),
            Code::DuplicateEntry,
            "duo.universal.hosts[1]",
        ),
        ("/duo/universal/destination", json!(""), Code::InvalidText, "duo.universal.destination"),
        (
            "/duo/universal/browser_origin",
            json!("http://127.0.0.1:10001"),
            Code::InvalidOrigin,
            "duo.universal.browser_origin",
        ),
    ] {
        let document = configured(&[(pointer, value.clone())]);
        assert_eq!(found(&document), [(code, path.to_owned())], "{pointer} {value}");
    }
}

#[test]
fn limit_of_starts_and_reused_client_secret_are_checked() {
    for (pointer, value, code, path) in [
        ("/limits/starts", json!(0), Code::InvalidNumber, "limits.starts"),
        ("/limits/starts", json!(10), Code::InvalidNumber, "limits.starts"),
        (
            "/session/keys",
            json!([{"env": "DUO_CLIENT_SECRET"}]),
            Code::ReusedKey,
            "session.keys[0]",
        ),
    ] {
        let document = configured(&[(pointer, value.clone())]);
        assert_eq!(found(&document), [(code, path.to_owned())], "{pointer} {value}");
    }
}

#[test]
fn needed_keys_are_named() {
    for (key, path) in [
        ("client_id", "duo.universal.client_id"),
        ("client_secret", "duo.universal.client_secret"),
        ("hosts", "duo.universal.hosts"),
    ] {
        let mut document = configured(&[]);
        document["duo"]["universal"].as_object_mut().unwrap().remove(key);
        assert_eq!(found(&document), [(Code::MissingKey, path.to_owned())]);
    }
}

#[test]
fn prompt_and_its_credentials_need_each_other() {
    let alone = with_all(&[("/duo/universal", universal())]);
    assert_eq!(found(&alone), [(Code::ConflictingKeys, "duo.universal".to_owned())]);
    let without = with_all(&[("/duo/prompt", json!("universal"))]);
    assert_eq!(found(&without), [(Code::MissingKey, "duo.universal".to_owned())]);
}

#[test]
fn browser_origin_is_an_origin_on_loopback_of_a_demo() {
    let demo = |origin: &str| {
        configured(&[
            ("/allow_inline_secrets", json!(true)),
            ("/duo/universal/browser_origin", json!(origin)),
        ])
    };
    for origin in ["http://127.0.0.1:10001", "https://localhost", "http://[::1]:8080"] {
        let duo = parse(&demo(origin)).unwrap().applications.main.duo;
        assert_eq!(duo.universal().unwrap().origin, origin);
    }
    for origin in [
        "http://127.0.0.1:10001/",
        "http://127.0.0.1.evil.test",
        "http://localhost@evil.test",
        "http://localhost:65536",
        "http://localhost:",
        "http://127.0.0.2",
        "ftp://localhost",
        "localhost:10001",
        "https://evil.test",
        "",
    ] {
        let expected = [(Code::InvalidOrigin, "duo.universal.browser_origin".to_owned())];
        assert_eq!(found(&demo(origin)), expected, "{origin}");
    }
}

/// A further application that a rule names, beside a root with the Universal Prompt.
fn further(duo: &Value) -> Value {
    let mut payments = json!({
        "api_host": "api-1234abcd.duosecurity.com",
        "integration_key": "DIPAYMENTSXXXXXXXXXX",
        "secret_key": {"env": "PAYMENTS_SECRET_KEY"},
    });
    payments.as_object_mut().unwrap().extend(duo.as_object().unwrap().clone());
    let rule = json!({"paths": ["/pay/*"], "policy": "two_factor", "application": "payments"});
    configured(&[
        ("/applications", json!({"payments": {"duo": payments}})),
        ("/access_control", json!({"rules": [rule]})),
    ])
}

#[test]
fn further_application_has_separate_credentials() {
    let own = json!({"client_id": "DIPAYMENTSWEBSDK0001", "client_secret": {"env": "PAYMENTS_CLIENT_SECRET"}});
    let config = parse(&further(&json!({"universal": own}))).unwrap();
    let [main, payments] =
        [0, 1].map(|number| config.applications.get(number).duo.universal().unwrap());
    assert_eq!(payments.web_sdk.client_id(), "DIPAYMENTSWEBSDK0001");
    assert_eq!(payments.hosts, main.hosts);

    let config = parse(&further(&json!({"prompt": "own", "enrollment": "portal"}))).unwrap();
    let payments = config.applications.get(1);
    assert!(payments.duo.universal().is_none());
    assert_eq!(payments.duo.enrollment, Enrollment::Portal);
}

#[test]
fn further_application_takes_the_factors_of_a_root_with_its_own_page() {
    let universal = json!({
        "client_id": "DIPAYMENTSWEBSDK0001",
        "client_secret": {"env": "PAYMENTS_CLIENT_SECRET"},
        "hosts": ["app.example.com"],
    });
    let mut all = further(&json!({"prompt": "universal", "universal": universal}));
    let root = all["duo"].as_object_mut().unwrap();
    root.remove("prompt");
    root.remove("universal");
    root.insert("factors".to_owned(), json!(["push"]));
    let config = parse(&all).unwrap();
    let payments = &config.applications.get(1).duo;
    assert!(payments.universal().is_some());
    assert_eq!(payments.accepted.as_ref().unwrap().factors, [Factor::Push]);
}

#[test]
fn further_application_without_credentials_is_refused() {
    let missing = (Code::MissingKey, "applications.payments.duo.universal".to_owned());
    assert_eq!(found(&further(&json!({}))), [missing]);
    let path = "applications.payments.duo.universal.client_id";
    let shared = json!({"client_id": "DIXXXXXXXXXXXXXXXXXX", "client_secret": {"env": "PAYMENTS_CLIENT_SECRET"}});
    let expected = [(Code::ReusedKey, path.to_owned())];
    assert_eq!(found(&further(&json!({"universal": shared}))), expected);
}

#[test]
fn no_client_secret_is_in_any_message() {
    let secret = environment("DUO_CLIENT_SECRET").unwrap();
    let config = parse(&configured(&[])).unwrap();
    assert!(!format!("{config:?}").contains(&secret));
    for (pointer, value) in [
        ("/duo/universal/client_secret", json!(secret)),
        ("/duo/universal/client_secret", json!({"env": secret})),
        ("/duo/universal/client_id", json!(secret)),
        ("/session/keys", json!([{"env": "DUO_CLIENT_SECRET"}])),
    ] {
        let faults = parse(&configured(&[(pointer, value)])).unwrap_err();
        assert!(!codes(&faults).is_empty());
        let text = format!("{faults} {faults:?}");
        assert!(!text.contains(&secret) && !text.contains(COOKIE_KEY), "{text}");
    }
}

/// One rule with these members, for `/admin/*`.
pub(super) fn ruled(members: &[(&str, Value)]) -> Value {
    let mut rule = json!({"paths": ["/admin/*"], "policy": "two_factor"});
    for (key, value) in members {
        rule[key] = value.clone();
    }
    json!({"rules": [rule]})
}

#[test]
fn rule_may_ask_for_a_passkey_of_duos_page() {
    let rule = ruled(&[("factors", json!(["webauthn", "push"]))]);
    let config = parse(&configured(&[("/access_control", rule)])).unwrap();
    let terms = &config.policies.rules[0].terms;
    let accepted = terms.factors.as_ref().unwrap();
    assert!(accepted.webauthn);
    assert_eq!(accepted.factors, [Factor::Push]);
}

#[test]
fn passkeys_are_refused_where_no_page_of_duo_asks_for_them() {
    let rule = || ruled(&[("factors", json!(["webauthn"]))]);
    let path = "access_control.rules[0].factors[0]";
    let own = with_all(&[("/access_control", rule())]);
    assert_eq!(found(&own), [(Code::ConflictingKeys, path.to_owned())]);
    let own = with_all(&[("/duo/factors", json!(["webauthn"]))]);
    assert_eq!(found(&own), [(Code::ConflictingKeys, "duo.factors[0]".to_owned())]);

    let path = "access_control.rules[0].factors";
    let without = [("/access_control", rule()), ("/duo/factors", json!(["push"]))];
    assert_eq!(found(&configured(&without)), [(Code::ConflictingKeys, path.to_owned())]);
    let per_request =
        ruled(&[("factors", json!(["webauthn"])), ("approval", json!("per_request"))]);
    let per_request = configured(&[("/access_control", per_request)]);
    assert_eq!(found(&per_request), [(Code::ConflictingKeys, path.to_owned())]);
}

#[test]
fn factors_of_duo_are_those_that_duos_page_may_use() {
    let accepted =
        |members: &[_]| parse(&configured(members)).unwrap().applications.main.duo.accepted;
    assert_eq!(accepted(&[]), None);
    let accepted = accepted(&[("/duo/factors", json!(["webauthn", "phone"]))]).unwrap();
    assert_eq!(
        (accepted.factors.as_slice(), accepted.webauthn),
        ([Factor::Phone].as_slice(), true)
    );
    let double = configured(&[("/duo/factors", json!(["webauthn", "webauthn"]))]);
    assert_eq!(found(&double), [(Code::DuplicateEntry, "duo.factors[1]".to_owned())]);
}
