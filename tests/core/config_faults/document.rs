//! Configurations to start from, the environment for reading them, and their encodings.

use prost::Message;
use prost_types::value::Kind;
use serde_json::{Value, json};

pub(super) const SECRET_KEY: &str = "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep";
pub(super) const COOKIE_KEY: &str = "qUXTyDRKoT0mqzy7hfPV2gJ1z1Lw0oVnJkz0yq6c3sE=";
pub(super) const OTHER_COOKIE_KEY: &str = "oQ8Yb6w7l5QHqg0cEJtFvLZx4m1d2iUeT9nRkSsPjAM=";

/// All keys that are required.
pub(crate) fn minimal() -> Value {
    json!({
        "version": 1,
        "duo": {
            "api_host": "api-1234abcd.duosecurity.com",
            "integration_key": "DIXXXXXXXXXXXXXXXXXX",
            "secret_key": {"env": "DUO_SECRET_KEY"},
        },
        "identity": {"source": "header", "header": "x-basic-user"},
        "session": {"keys": [{"env": "DUO_MFA_COOKIE_KEY"}]},
    })
}

/// All keys, each with another value than its default.
pub(super) fn full() -> Value {
    json!({
        "version": 1,
        "mode": "enforce",
        "path_prefix": "/sso/.mfa",
        "duo": {
            "hostname": "api-1234abcd.duosecurity.com",
            "ikey": "DIXXXXXXXXXXXXXXXXXX",
            "skey": {"env": "DUO_SECRET_KEY"},
            "cluster": "outbound|443||api-1234abcd.duosecurity.com",
            "signature": "v2-sha1",
            "timeout": "5s",
            "status_timeout": "30s",
            "push_timeout": "2m",
            "check_interval": "1h",
            "fail_mode": "secure",
            "factors": ["any_passcode", "push"],
            "enrollment": "portal",
            "remembered_devices": true,
        },
        "identity": {
            "source": "jwt",
            "metadata": ["envoy.filters.http.jwt_authn", "payload", "sub"],
            "normalize": ["trim", "lowercase", {"strip_domain": ["corp.example.com", "CORP"]}],
            "username": "{user}@corp.example.com",
            "groups": {"metadata": ["envoy.filters.http.jwt_authn", "payload", "groups"]},
        },
        "session": {
            "cookie": "__Host-sso",
            "keys": [{"env": "OTHER_COOKIE_KEY"}, {"env": "DUO_MFA_COOKIE_KEY"}],
            "application": "payments",
            "expiration": "1h",
            "inactivity": "10m",
            "not_before": 1_700_000_000,
            "bind": ["certificate", "ip_prefix", {"metadata": ["first_factor", "device"]}],
            "logout_paths": ["/oauth2/sign_out"],
        },
        "assertion": {
            "key": {"env": "DUO_MFA_ASSERTION_KEY"},
            "issuer": "https://app.example.com",
            "audience": "wiki",
            "header": "x-duo-mfa-jwt",
            "lifetime": "5m",
        },
        "access_control": {
            "default_policy": "deny",
            "rules": [{
                "methods": ["GET", "POST"],
                "paths": ["/public/*", "!/public/admin/*"],
                "hosts": ["*.example.com"],
                "networks": ["10.0.0.0/8", "2001:db8::/32"],
                "users": ["svc-*"],
                "groups": ["ops"],
                "policy": "bypass",
            }],
        },
        "api": {"mode": "refuse", "hold_timeout": "90s"},
        "request_bodies": true,
        "cross_site_forms": ["/saml/acs"],
        "push": {
            "title": "Wire transfer", "info": {"service": "payments"}, "hosts": ["app.example.com"],
        },
        "limits": {
            "user_calls": 5, "user_rate": 60, "calls": 50, "held": 70,
            "pushes": 9, "passcode_tries": 9, "starts": 4, "users": 65_536, "window": "1h", "deny_cooldown": ["1s", "8h"],
            "rate_limit_service": {
                "cluster": "outbound|8081||limits.example.com", "domain": "duo", "timeout": "100ms",
                "on_error": "deny",
            },
        },
        "branding": {
            "name": "Example", "logo": "data:image/png;base64,AAAA", "accent": "#0b5fff",
            "help_text": "Call 100.", "help_url": "https://help.example.com/",
        },
        "allow_inline_secrets": false,
    })
}

pub(crate) fn environment(name: &str) -> Option<String> {
    let value = match name {
        "DUO_SECRET_KEY" => SECRET_KEY,
        "DUO_MFA_COOKIE_KEY" => COOKIE_KEY,
        "DUO_CLIENT_SECRET" => "UniversalTestSecretUniversalTestSecret40",
        "PAYMENTS_SECRET_KEY" => "PaymentsSecretKeyPaymentsSecretKeyABCD40",
        "PAYMENTS_CLIENT_SECRET" => "PaymentsWebSdkSecretPaymentsWebSdkABCD40",
        "OTHER_COOKIE_KEY" => OTHER_COOKIE_KEY,
        "DUO_MFA_ASSERTION_KEY" => "0jSn6lYgFR2DhwdBscfF7NrIo8b+aSpAwY1aMXyQVaQ=",
        // The same key in the other alphabet, with a line break at the end as in a file.
        "SAME_COOKIE_KEY" => "qUXTyDRKoT0mqzy7hfPV2gJ1z1Lw0oVnJkz0yq6c3sE\n",
        // The bytes of the secret key, in base64.
        "SECRET_KEY_BASE64" => "Wmg1ZUdtVXE5enBmUW55VUl1NU9MOWlXb01NdjVaTm1rM3pMSjRFcA==",
        "SAME_ASSERTION_KEY" => "0jSn6lYgFR2DhwdBscfF7NrIo8b-aSpAwY1aMXyQVaQ",
        "EMPTY" => "",
        "SHORT" => "tooshort",
        "QUOTED" => "\"Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep\"",
        "LINE_BREAK" => "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4E\n",
        "IKEY" => "DIXXXXXXXXXXXXXXXXXX",
        "ONE_BYTE" => "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=",
        "BYTES_31" => "qUXTyDRKoT0mqzy7hfPV2gJ1z1Lw0oVnJkz0yq6c3g==",
        "BYTES_33" => "qUXTyDRKoT0mqzy7hfPV2gJ1z1Lw0oVnJkz0yq6c3sEz",
        "CHANGEME" => "changeme",
        "COOKIE_KEY_1" => "hTQyBqbYzZ6r2b0VYVx3v0mEoTt9cWf1Gq8s0C7pXKE=",
        "COOKIE_KEY_2" => "b7yQ2mXw9UoVh3kF5rZsE1cTn8aJpL0dGi6vRqWxKuM=",
        "COOKIE_KEY_3" => "N4s8dVgKx1qZ0mBtY7uHc2eRfJ5wLpOi9TaXnQvCkEs=",
        "COOKIE_KEY_4" => "x9Lw3RkTqVb7FzN1hYc5uJm0sGdP8eAoX2iKvQnZtCE=",
        "COOKIE_KEY_5" => "T2vKq9mXc4RzWb8nYh1LsJ6dGf0uPoEi7aVtQxNkCrM=",
        _ => return None,
    };
    Some(value.to_owned())
}

pub(super) fn with(pointer: &str, value: Value) -> Value {
    with_all(&[(pointer, value)])
}

/// The minimal configuration with members put in by their JSON pointers.
pub(crate) fn with_all(members: &[(&str, Value)]) -> Value {
    let mut document = minimal();
    for (pointer, value) in members {
        let mut place = &mut document;
        for name in pointer.split('/').skip(1) {
            place = &mut place[name];
        }
        *place = value.clone();
    }
    document
}

pub(super) fn encoded(document: &Value) -> Vec<u8> {
    let Some(Kind::StructValue(members)) = proto(document).kind else { panic!("no object") };
    members.encode_to_vec()
}

fn proto(value: &Value) -> prost_types::Value {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(on) => Kind::BoolValue(*on),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap()),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(list) => {
            Kind::ListValue(prost_types::ListValue { values: list.iter().map(proto).collect() })
        }
        Value::Object(members) => Kind::StructValue(prost_types::Struct {
            fields: members.iter().map(|(key, value)| (key.clone(), proto(value))).collect(),
        }),
    };
    prost_types::Value { kind: Some(kind) }
}
