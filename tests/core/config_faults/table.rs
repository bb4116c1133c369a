//! A table of single values in the minimal configuration, each with the one fault that it causes.

mod assertion;
mod rate_limit_service;
mod rules;

use super::document::{COOKIE_KEY, SECRET_KEY};
use duo_mfa::config::Code;
use serde_json::{Value, json};

/// JSON pointer, value, expected code, expected path.
pub(super) type Row = (&'static str, Value, Code, &'static str);

pub(super) fn faulty_values() -> Vec<Row> {
    let mut table = Vec::new();
    table.extend(faulty_documents());
    table.extend(faulty_duo());
    table.extend(faulty_identities());
    table.extend(faulty_groups());
    table.extend(faulty_sessions());
    table.extend(assertion::faulty());
    table.extend(rules::faulty());
    table.extend(faulty_rest());
    table.extend(faulty_limits());
    table.extend(rate_limit_service::faulty());
    table
}

fn faulty_limits() -> Vec<Row> {
    vec![
        ("/limits", json!([]), Code::WrongType, "limits"),
        ("/limits/push", json!(3), Code::UnknownKey, "limits.push"),
        ("/limits/pushes", json!("3"), Code::WrongType, "limits.pushes"),
        ("/limits/pushes", json!(0), Code::InvalidNumber, "limits.pushes"),
        ("/limits/pushes", json!(10), Code::InvalidNumber, "limits.pushes"),
        ("/limits/pushes", json!(2.5), Code::WrongType, "limits.pushes"),
        ("/limits/window", json!("0s"), Code::InvalidDuration, "limits.window"),
        ("/limits/window", json!("9h"), Code::InvalidDuration, "limits.window"),
        ("/limits/deny_cooldown", json!("60s"), Code::WrongType, "limits.deny_cooldown"),
        ("/limits/deny_cooldown", json!([]), Code::EmptyList, "limits.deny_cooldown"),
        (
            "/limits/deny_cooldown",
            json!(["60s", "5"]),
            Code::InvalidDuration,
            "limits.deny_cooldown[1]",
        ),
        ("/limits/user_calls", json!(0), Code::InvalidNumber, "limits.user_calls"),
        ("/limits/user_calls", json!(241), Code::ConflictingKeys, "limits.user_calls"),
        ("/limits/user_rate", json!(6001), Code::InvalidNumber, "limits.user_rate"),
        ("/limits/calls", json!("many"), Code::WrongType, "limits.calls"),
        ("/limits/calls", json!(10_001), Code::InvalidNumber, "limits.calls"),
        ("/limits/held", json!(0), Code::InvalidNumber, "limits.held"),
        ("/limits/passcode_tries", json!(0), Code::InvalidNumber, "limits.passcode_tries"),
        ("/limits/passcode_tries", json!(10), Code::InvalidNumber, "limits.passcode_tries"),
        ("/limits/key", json!("plain text"), Code::InlineSecret, "limits.key"),
        ("/limits/key", json!({"env": "UNSET"}), Code::MissingVariable, "limits.key"),
        ("/limits/key", json!({"env": "DUO_SECRET_KEY"}), Code::ReusedKey, "limits.key"),
        ("/limits/passcode_tries", json!("5"), Code::WrongType, "limits.passcode_tries"),
    ]
}

fn faulty_documents() -> Vec<Row> {
    vec![
        ("", json!([]), Code::WrongType, ""),
        ("", json!("text"), Code::WrongType, ""),
        ("/version", json!(2), Code::UnknownVersion, "version"),
        ("/version", json!(0), Code::UnknownVersion, "version"),
        ("/version", json!("1"), Code::WrongType, "version"),
        ("/mode", json!(true), Code::WrongType, "mode"),
        ("/mode", json!("enforced"), Code::UnknownValue, "mode"),
        ("/polices", json!({}), Code::UnknownKey, "polices"),
        ("/a.b\n", json!(1), Code::UnknownKey, r#"["a.b\n"]"#),
        ("/branding", json!([]), Code::WrongType, "branding"),
        ("/branding/nmae", json!("x"), Code::UnknownKey, "branding.nmae"),
        ("/branding/name", json!(""), Code::InvalidText, "branding.name"),
        ("/branding/name", json!("a\nb"), Code::InvalidText, "branding.name"),
        ("/branding/logo", json!("https://x/y.png"), Code::InvalidLogo, "branding.logo"),
        ("/branding/logo", json!("Duo"), Code::InvalidLogo, "branding.logo"),
        ("/branding/logo", json!("data:text/html,x"), Code::InvalidLogo, "branding.logo"),
        ("/branding/accent", json!("blue"), Code::InvalidAccent, "branding.accent"),
        ("/branding/accent", json!("#ffcc00"), Code::InvalidAccent, "branding.accent"),
        ("/branding/help_text", json!(7), Code::WrongType, "branding.help_text"),
        ("/branding/help_text", json!("x".repeat(257)), Code::InvalidText, "branding.help_text"),
        ("/branding/help_url", json!("javascript:a"), Code::InvalidLink, "branding.help_url"),
        ("/branding/help_url", json!("http://x/"), Code::InvalidLink, "branding.help_url"),
        ("/applications", json!([]), Code::WrongType, "applications"),
        ("/audit", json!("all"), Code::NotSupported, "audit"),
        ("/duo", json!(null), Code::WrongType, "duo"),
        ("/duo", json!("api"), Code::WrongType, "duo"),
    ]
}

fn faulty_duo() -> Vec<Row> {
    vec![
        ("/duo/api_host", json!(""), Code::InvalidApiHost, "duo.api_host"),
        ("/duo/api_host", json!("https://api-1.x.com/"), Code::InvalidApiHost, "duo.api_host"),
        ("/duo/api_host", json!("api-1.x.com:443"), Code::InvalidApiHost, "duo.api_host"),
        ("/duo/api_host", json!("api-1.x.com/auth/v2"), Code::InvalidApiHost, "duo.api_host"),
        ("/duo/api_host", json!(7), Code::WrongType, "duo.api_host"),
        ("/duo/host", json!("api-1.x.com"), Code::ConflictingKeys, "duo.host"),
        ("/duo/integration_key", json!(""), Code::InvalidIntegrationKey, "duo.integration_key"),
        (
            "/duo/integration_key",
            json!("dixxxxxxxxxxxxxxxxxx"),
            Code::InvalidIntegrationKey,
            "duo.integration_key",
        ),
        (
            "/duo/integration_key",
            json!(SECRET_KEY),
            Code::InvalidIntegrationKey,
            "duo.integration_key",
        ),
        ("/duo/secret_key", json!(SECRET_KEY), Code::InlineSecret, "duo.secret_key"),
        ("/duo/secret_key", json!(5), Code::WrongType, "duo.secret_key"),
        ("/duo/secret_key", json!({}), Code::MissingKey, "duo.secret_key.env"),
        ("/duo/secret_key", json!({"env": 1}), Code::WrongType, "duo.secret_key.env"),
        ("/duo/secret_key", json!({"env": ""}), Code::InvalidVariable, "duo.secret_key"),
        ("/duo/secret_key", json!({"env": "A B"}), Code::InvalidVariable, "duo.secret_key"),
        ("/duo/secret_key", json!({"env": "UNSET"}), Code::MissingVariable, "duo.secret_key"),
        ("/duo/secret_key", json!({"env": "EMPTY"}), Code::MissingVariable, "duo.secret_key"),
        ("/duo/secret_key", json!({"env": "SHORT"}), Code::InvalidSecretKey, "duo.secret_key"),
        ("/duo/secret_key", json!({"env": "LINE_BREAK"}), Code::InvalidSecretKey, "duo.secret_key"),
        ("/duo/secret_key", json!({"env": "QUOTED"}), Code::InvalidSecretKey, "duo.secret_key"),
        ("/duo/secret_key", json!({"env": "IKEY"}), Code::InvalidSecretKey, "duo.secret_key"),
        ("/duo/cluster", json!(""), Code::InvalidCluster, "duo.cluster"),
        ("/duo/cluster", json!("duo\napi"), Code::InvalidCluster, "duo.cluster"),
        ("/duo/signature", json!("v4"), Code::UnknownValue, "duo.signature"),
        ("/duo/timeout", json!(10), Code::WrongType, "duo.timeout"),
        ("/duo/timeout", json!("10"), Code::InvalidDuration, "duo.timeout"),
        ("/duo/timeout", json!("0s"), Code::InvalidDuration, "duo.timeout"),
        ("/duo/timeout", json!("2m"), Code::InvalidDuration, "duo.timeout"),
        ("/duo/timeout", json!("10ms"), Code::InvalidDuration, "duo.timeout"),
        ("/duo/status_timeout", json!("1h"), Code::InvalidDuration, "duo.status_timeout"),
        ("/duo/push_timeout", json!("6m"), Code::InvalidDuration, "duo.push_timeout"),
        ("/duo/check_interval", json!("1.5m"), Code::InvalidDuration, "duo.check_interval"),
        ("/duo/fail_mode", json!("open"), Code::UnknownValue, "duo.fail_mode"),
        ("/duo/factors", json!([]), Code::EmptyList, "duo.factors"),
        ("/duo/factors", json!("push"), Code::WrongType, "duo.factors"),
        ("/duo/factors", json!(["push", "push"]), Code::DuplicateEntry, "duo.factors[1]"),
        ("/duo/factors", json!(["push", "passcode"]), Code::ConflictingKeys, "duo.factors[1]"),
        ("/duo/factors", json!(["push", "pull"]), Code::UnknownValue, "duo.factors[1]"),
        ("/push/hosts", json!("app.example.com"), Code::WrongType, "push.hosts"),
        ("/push/hosts", json!(["App.example.com"]), Code::InvalidPattern, "push.hosts[0]"),
        ("/duo/enrollment", json!("on"), Code::UnknownValue, "duo.enrollment"),
        ("/duo/enrollment", json!(true), Code::WrongType, "duo.enrollment"),
        ("/duo/remembered_devices", json!("true"), Code::WrongType, "duo.remembered_devices"),
        ("/duo/skey2", json!("x"), Code::UnknownKey, "duo.skey2"),
    ]
}

fn faulty_identities() -> Vec<Row> {
    let jwt = |metadata: Value| json!({"source": "jwt", "metadata": metadata});
    vec![
        ("/identity", json!({}), Code::MissingKey, "identity.source"),
        ("/identity", json!({"source": "header"}), Code::MissingKey, "identity.header"),
        ("/identity", json!({"source": "jwt"}), Code::MissingKey, "identity.metadata"),
        ("/identity", json!({"source": "metadata"}), Code::MissingKey, "identity.metadata"),
        ("/identity", json!({"source": "mtls"}), Code::MissingKey, "identity.certificate"),
        (
            "/identity",
            json!({"source": "mtls", "certificate": "san_email"}),
            Code::UnknownValue,
            "identity.certificate",
        ),
        (
            "/identity",
            json!({"source": "mtls", "certificate": "subject", "header": "x-user"}),
            Code::ConflictingKeys,
            "identity.header",
        ),
        ("/identity/certificate", json!("subject"), Code::ConflictingKeys, "identity.certificate"),
        ("/identity", jwt(json!([])), Code::InvalidMetadataPath, "identity.metadata"),
        ("/identity", jwt(json!(["a", ""])), Code::InvalidMetadataPath, "identity.metadata"),
        ("/identity", jwt(json!(["a", 1])), Code::WrongType, "identity.metadata[1]"),
        ("/identity", jwt(json!("a.b")), Code::WrongType, "identity.metadata"),
        ("/identity/source", json!("cookie"), Code::UnknownValue, "identity.source"),
        ("/identity/metadata", json!(["a", "b"]), Code::ConflictingKeys, "identity.metadata"),
        ("/identity/header", json!("X-Basic-User"), Code::InvalidHeader, "identity.header"),
        ("/identity/header", json!(":authority"), Code::InvalidHeader, "identity.header"),
        ("/identity/header", json!("authorization"), Code::InvalidHeader, "identity.header"),
        ("/identity/header", json!("x_duo_mfa_user"), Code::InvalidHeader, "identity.header"),
        ("/identity/header", json!("x user"), Code::InvalidHeader, "identity.header"),
        ("/identity/normalize", json!("trim"), Code::WrongType, "identity.normalize"),
        ("/identity/normalize", json!(["upper"]), Code::UnknownValue, "identity.normalize[0]"),
        ("/identity/normalize", json!([1]), Code::WrongType, "identity.normalize[0]"),
        (
            "/identity/normalize",
            json!([{"strip_domain": []}]),
            Code::EmptyList,
            "identity.normalize[0].strip_domain",
        ),
        (
            "/identity/normalize",
            json!(["trim", {"strip_domain": ["ok.com", "@x.com"]}]),
            Code::InvalidDomain,
            "identity.normalize[1].strip_domain[1]",
        ),
        ("/identity/username", json!("everyone"), Code::InvalidUsername, "identity.username"),
        ("/identity/username", json!("{mail}"), Code::InvalidUsername, "identity.username"),
    ]
}

fn faulty_groups() -> Vec<Row> {
    vec![
        ("/identity/groups", json!("x-groups"), Code::WrongType, "identity.groups"),
        ("/identity/groups", json!({}), Code::MissingKey, "identity.groups.header"),
        (
            "/identity/groups",
            json!({"header": "Cookie"}),
            Code::InvalidHeader,
            "identity.groups.header",
        ),
        (
            "/identity/groups",
            json!({"header": "x-groups", "metadata": ["a", "b"]}),
            Code::ConflictingKeys,
            "identity.groups.metadata",
        ),
        (
            "/identity/groups",
            json!({"metadata": ["a"]}),
            Code::InvalidMetadataPath,
            "identity.groups.metadata",
        ),
        (
            "/identity/groups",
            json!({"header": "x-groups", "separator": ", "}),
            Code::InvalidText,
            "identity.groups.separator",
        ),
    ]
}

fn faulty_sessions() -> Vec<Row> {
    let key = |variable: &str| json!([{"env": "DUO_MFA_COOKIE_KEY"}, {"env": variable}]);
    let many: Vec<Value> = (1..=5).map(|n| json!({"env": format!("COOKIE_KEY_{n}")})).collect();
    vec![
        ("/session", json!({}), Code::MissingKey, "session.keys"),
        ("/session/keys", json!([]), Code::EmptyList, "session.keys"),
        ("/session/keys", json!(COOKIE_KEY), Code::WrongType, "session.keys"),
        ("/session/keys", key("UNSET"), Code::MissingVariable, "session.keys[1]"),
        ("/session/keys", key("SHORT"), Code::InvalidCookieKey, "session.keys[1]"),
        ("/session/keys", key("ONE_BYTE"), Code::InvalidCookieKey, "session.keys[1]"),
        ("/session/keys", key("31_BYTES"), Code::InvalidVariable, "session.keys[1]"),
        ("/session/keys", key("BYTES_31"), Code::InvalidCookieKey, "session.keys[1]"),
        ("/session/keys", key("CHANGEME"), Code::InvalidCookieKey, "session.keys[1]"),
        ("/session/keys", key("DUO_SECRET_KEY"), Code::ReusedKey, "session.keys[1]"),
        ("/session/keys", key("SECRET_KEY_BASE64"), Code::ReusedKey, "session.keys[1]"),
        ("/session/keys", key("SAME_COOKIE_KEY"), Code::DuplicateEntry, "session.keys[1]"),
        ("/session/keys", json!(many), Code::TooManyKeys, "session.keys"),
        ("/session/cookie", json!("duo_mfa"), Code::InvalidCookieName, "session.cookie"),
        ("/session/cookie", json!("__host-duo_mfa"), Code::InvalidCookieName, "session.cookie"),
        ("/session/cookie", json!("__Host-"), Code::InvalidCookieName, "session.cookie"),
        ("/session/cookie", json!("__Host-a;b"), Code::InvalidCookieName, "session.cookie"),
        ("/session/cookie", json!("__Host-duo_txn"), Code::InvalidCookieName, "session.cookie"),
        ("/session/cookie", json!("__Host-duo_txn-b"), Code::InvalidCookieName, "session.cookie"),
        ("/session/cookie", json!("__Host-duo_device"), Code::InvalidCookieName, "session.cookie"),
        ("/session/application", json!(""), Code::InvalidApplication, "session.application"),
        ("/session/application", json!("a b"), Code::InvalidApplication, "session.application"),
        ("/session/expiration", json!("25h"), Code::InvalidDuration, "session.expiration"),
        ("/session/inactivity", json!("9h"), Code::InvalidDuration, "session.inactivity"),
        ("/session/logout_paths", json!("/logout"), Code::WrongType, "session.logout_paths"),
        ("/session/logout_paths", json!([1]), Code::WrongType, "session.logout_paths[0]"),
        ("/session/logout_paths", json!(["out"]), Code::InvalidPattern, "session.logout_paths[0]"),
        ("/session/logout_paths", json!(["/x/*"]), Code::InvalidPattern, "session.logout_paths[0]"),
        ("/session/logout_paths", json!(["/x?y"]), Code::InvalidPattern, "session.logout_paths[0]"),
        (
            "/session/logout_paths",
            json!(["/a//b"]),
            Code::InvalidPattern,
            "session.logout_paths[0]",
        ),
        (
            "/session/logout_paths",
            json!(["/a", "/.duo-mfa/logout"]),
            Code::InvalidPattern,
            "session.logout_paths[1]",
        ),
        (
            "/session/logout_paths",
            json!(["/a", "/a"]),
            Code::DuplicateEntry,
            "session.logout_paths[1]",
        ),
        (
            "/session/logout_paths",
            json!(vec!["/a"; 17]),
            Code::InvalidPattern,
            "session.logout_paths",
        ),
        ("/session/not_before", json!(-1), Code::WrongType, "session.not_before"),
        ("/session/not_before", json!(1.5), Code::WrongType, "session.not_before"),
        (
            "/session/not_before",
            json!(1_700_000_000_000_u64),
            Code::InvalidNumber,
            "session.not_before",
        ),
        ("/session/bind", json!("certificate"), Code::WrongType, "session.bind"),
        ("/session/bind", json!(["Certificate"]), Code::UnknownValue, "session.bind[0]"),
        ("/session/bind", json!(["ip_prefix", "ip"]), Code::UnknownValue, "session.bind[1]"),
        (
            "/session/bind",
            json!(["ip_prefix", "ip_prefix"]),
            Code::DuplicateEntry,
            "session.bind[1]",
        ),
        ("/session/bind", json!([24]), Code::WrongType, "session.bind[0]"),
        ("/session/bind", json!([{}]), Code::MissingKey, "session.bind[0].metadata"),
        (
            "/session/bind",
            json!([{"metadata": ["f", "k"], "header": "x"}]),
            Code::UnknownKey,
            "session.bind[0].header",
        ),
        (
            "/session/bind",
            json!([{"metadata": ["first_factor"]}]),
            Code::InvalidMetadataPath,
            "session.bind[0].metadata",
        ),
        ("/session/domain", json!("example.com"), Code::NotSupported, "session.domain"),
    ]
}

fn faulty_rest() -> Vec<Row> {
    let mut table = vec![
        (
            "/access_control/default_policy",
            json!("one_factor"),
            Code::UnknownValue,
            "access_control.default_policy",
        ),
        (
            "/access_control/cors_preflight",
            json!(true),
            Code::WrongType,
            "access_control.cors_preflight",
        ),
        ("/api/mode", json!("wait"), Code::UnknownValue, "api.mode"),
        ("/api/hold_timeout", json!("500ms"), Code::InvalidDuration, "api.hold_timeout"),
        ("/api/hold_timeout", json!("0s"), Code::InvalidDuration, "api.hold_timeout"),
        ("/request_bodies", json!("true"), Code::WrongType, "request_bodies"),
        ("/cross_site_forms", json!("/saml/acs"), Code::WrongType, "cross_site_forms"),
        ("/cross_site_forms", json!(["/saml/acs"]), Code::ConflictingKeys, "cross_site_forms"),
        ("/allow_inline_secrets", json!(1), Code::WrongType, "allow_inline_secrets"),
        ("/push/title", json!(""), Code::InvalidText, "push.title"),
        ("/push/title", json!("Sign\nin"), Code::InvalidText, "push.title"),
        ("/push/info", json!(["a"]), Code::WrongType, "push.info"),
        ("/push/info", json!({"port": 443}), Code::WrongType, "push.info.port"),
        ("/push/info", json!({"a": "\u{1b}"}), Code::InvalidText, "push.info.a"),
        ("/push/colour", json!("red"), Code::UnknownKey, "push.colour"),
    ];
    for prefix in [
        "", "/", "mfa", "mfa/x", "/mfa/", "//mfa", "/a//b", "/a/../b", "/./a", "/a%2fb", "/a?b",
        "/a#b", "/a b", "/a\\b", "/a;b", "/ä",
    ] {
        table.push(("/path_prefix", json!(prefix), Code::InvalidPathPrefix, "path_prefix"));
    }
    table
}
