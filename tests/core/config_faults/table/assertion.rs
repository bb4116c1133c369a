//! Faulty assertions.

use super::{COOKIE_KEY, Row};
use duo_mfa::config::Code;
use serde_json::{Value, json};

pub(super) fn faulty() -> Vec<Row> {
    let with = |member: &str, value: Value| {
        let mut section = json!({
            "keys": [{"env": "DUO_MFA_ASSERTION_KEY"}], "issuer": "https://a.test", "audience": "a",
        });
        section[member] = value;
        section
    };
    let key =
        |variable: &str| with("keys", json!([{"env": "DUO_MFA_ASSERTION_KEY"}, {"env": variable}]));
    let header = |name: &str| with("header", json!(name));
    let without_keys = json!({"issuer": "https://a.test", "audience": "a"});
    let at_key = "assertion.keys[1]";
    vec![
        ("/assertion", without_keys, Code::MissingKey, "assertion.keys"),
        ("/assertion", json!([]), Code::WrongType, "assertion"),
        (
            "/assertion",
            json!({"audience": "a", "key": {"env": "DUO_MFA_ASSERTION_KEY"}}),
            Code::MissingKey,
            "assertion.issuer",
        ),
        (
            "/assertion",
            json!({"issuer": "a", "key": {"env": "DUO_MFA_ASSERTION_KEY"}}),
            Code::MissingKey,
            "assertion.audience",
        ),
        ("/assertion", with("keys", json!([])), Code::EmptyList, "assertion.keys"),
        ("/assertion", with("keys", json!(COOKIE_KEY)), Code::InlineSecret, "assertion.keys"),
        ("/assertion", with("keys", json!([COOKIE_KEY])), Code::InlineSecret, "assertion.keys[0]"),
        ("/assertion", with("keys", json!(7)), Code::WrongType, "assertion.keys"),
        ("/assertion", key("UNSET"), Code::MissingVariable, at_key),
        ("/assertion", key("SHORT"), Code::InvalidAssertionKey, at_key),
        ("/assertion", key("BYTES_31"), Code::InvalidAssertionKey, at_key),
        ("/assertion", key("BYTES_33"), Code::InvalidAssertionKey, at_key),
        ("/assertion", key("CHANGEME"), Code::InvalidAssertionKey, at_key),
        ("/assertion", key("DUO_SECRET_KEY"), Code::ReusedKey, at_key),
        ("/assertion", key("SECRET_KEY_BASE64"), Code::ReusedKey, at_key),
        ("/assertion", key("DUO_MFA_COOKIE_KEY"), Code::ReusedKey, at_key),
        ("/assertion", key("SAME_COOKIE_KEY"), Code::ReusedKey, at_key),
        ("/assertion", key("SAME_ASSERTION_KEY"), Code::DuplicateEntry, at_key),
        ("/assertion", header("authorization"), Code::InvalidHeader, "assertion.header"),
        ("/assertion", header("X-Duo-Mfa-Jwt"), Code::InvalidHeader, "assertion.header"),
        ("/assertion", header("x-duo-mfa-user"), Code::InvalidHeader, "assertion.header"),
        ("/assertion", header("x-duo-mfa-"), Code::InvalidHeader, "assertion.header"),
        ("/assertion", with("issuer", json!("")), Code::InvalidText, "assertion.issuer"),
        ("/assertion", with("lifetime", json!("9s")), Code::InvalidDuration, "assertion.lifetime"),
        ("/assertion", with("lifetime", json!("61m")), Code::InvalidDuration, "assertion.lifetime"),
    ]
}
