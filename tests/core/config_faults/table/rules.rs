//! Rules with faults.

use super::Row;
use duo_mfa::config::Code;
use serde_json::{Value, json};

pub(super) fn faulty() -> Vec<Row> {
    let mut table = whole_rules();
    table.extend(terms());
    table.extend(approval());
    table.extend(patterns());
    table
}

fn whole_rules() -> Vec<Row> {
    let rules = "/access_control/rules";
    let healthz = || json!({"paths": ["/healthz"], "policy": "bypass"});
    let list = |key: &str, value: Value| json!([healthz(), {"policy": "deny", key: value}]);
    vec![
        (rules, json!({}), Code::WrongType, "access_control.rules"),
        (rules, json!(["bypass"]), Code::WrongType, "access_control.rules[0]"),
        (rules, json!([{"policy": "bypass"}]), Code::NoCondition, "access_control.rules[0]"),
        (rules, json!([{"paths": ["/a"]}]), Code::MissingKey, "access_control.rules[0].policy"),
        (
            rules,
            json!([{"paths": ["/a"], "policy": "allow"}]),
            Code::UnknownValue,
            "access_control.rules[0].policy",
        ),
        (
            rules,
            json!([{"groups": ["ops"], "policy": "deny"}]),
            Code::MissingKey,
            "identity.groups",
        ),
        (
            rules,
            json!([{"path": ["/a"], "methods": ["GET"], "policy": "deny"}]),
            Code::UnknownKey,
            "access_control.rules[0].path",
        ),
        (rules, list("paths", json!("/a")), Code::WrongType, "access_control.rules[1].paths"),
        (rules, list("paths", json!([])), Code::EmptyList, "access_control.rules[1].paths"),
        (rules, list("paths", json!([7])), Code::WrongType, "access_control.rules[1].paths[0]"),
        (
            rules,
            list("paths", json!(["!/a", "!/b"])),
            Code::OnlyNegations,
            "access_control.rules[1].paths[0]",
        ),
        (
            rules,
            list("users", json!(["!alice"])),
            Code::OnlyNegations,
            "access_control.rules[1].users[0]",
        ),
    ]
}

fn terms() -> Vec<Row> {
    let rules = "/access_control/rules";
    vec![
        (
            rules,
            json!([{"paths": ["/a"], "policy": "two_factor", "max_age": "25h"}]),
            Code::InvalidDuration,
            "access_control.rules[0].max_age",
        ),
        (
            rules,
            json!([{"paths": ["/a"], "policy": "bypass", "max_age": "5m"}]),
            Code::ConflictingKeys,
            "access_control.rules[0].max_age",
        ),
        (
            rules,
            json!([{"paths": ["/a"], "policy": "deny", "factors": ["push"]}]),
            Code::ConflictingKeys,
            "access_control.rules[0].factors",
        ),
        (
            rules,
            json!([{"paths": ["/a"], "policy": "two_factor", "factors": []}]),
            Code::EmptyList,
            "access_control.rules[0].factors",
        ),
        (
            rules,
            json!([{"paths": ["/a"], "policy": "two_factor", "factors": ["push", "fax"]}]),
            Code::UnknownValue,
            "access_control.rules[0].factors[1]",
        ),
        (
            rules,
            json!([{"paths": ["/a"], "policy": "two_factor", "fail_mode": "open"}]),
            Code::UnknownValue,
            "access_control.rules[0].fail_mode",
        ),
        (
            rules,
            json!([{"paths": ["/a"], "policy": "two_factor", "application": "b"}]),
            Code::UnknownValue,
            "access_control.rules[0].application",
        ),
    ]
}

fn approval() -> Vec<Row> {
    let rules = "/access_control/rules";
    vec![
        (
            rules,
            json!([{"paths": ["/a"], "policy": "two_factor", "approval": "once"}]),
            Code::UnknownValue,
            "access_control.rules[0].approval",
        ),
        (
            rules,
            json!([{"paths": ["/a"], "policy": "two_factor", "api_mode": "wait"}]),
            Code::UnknownValue,
            "access_control.rules[0].api_mode",
        ),
        (
            rules,
            json!([{"paths": ["/a"], "policy": "deny", "api_mode": "refuse"}]),
            Code::ConflictingKeys,
            "access_control.rules[0].api_mode",
        ),
        (
            rules,
            json!([{"paths": ["/a"], "policy": "bypass", "approval": "per_request"}]),
            Code::ConflictingKeys,
            "access_control.rules[0].approval",
        ),
        (
            rules,
            json!([{"paths": ["/a"], "policy": "two_factor", "approval": "per_request",
                "max_age": "5m"}]),
            Code::ConflictingKeys,
            "access_control.rules[0].max_age",
        ),
        (
            rules,
            json!([{"paths": ["/a"], "policy": "two_factor", "approval": "per_request",
                "fail_mode": "safe"}]),
            Code::ConflictingKeys,
            "access_control.rules[0].fail_mode",
        ),
    ]
}

fn patterns() -> Vec<Row> {
    let mut table = Vec::new();
    for (key, path, texts) in [
        ("methods", "access_control.rules[0].methods[0]", &["", "get", "GET ", "*", "!get"][..]),
        ("paths", "access_control.rules[0].paths[0]", &FAULTY_PATHS),
        ("hosts", "access_control.rules[0].hosts[0]", &FAULTY_HOSTS),
        ("networks", "access_control.rules[0].networks[0]", &FAULTY_NETWORKS),
        (
            "users",
            "access_control.rules[0].users[0]",
            &["", "Alice", "al  ice", "*-svc", "s*c", "svc-**", "É", "alice\n", "!Bob"],
        ),
    ] {
        for text in texts {
            // With a valid entry after it, a list that begins with an exception has more than exceptions.
            let good = GOOD.iter().find(|(name, _)| *name == key).map(|(_, good)| good);
            let rule = json!([{key: [text, good], "policy": "bypass"}]);
            table.push(("/access_control/rules", rule, Code::InvalidPattern, path));
        }
    }
    table
}

const GOOD: [(&str, &str); 5] = [
    ("methods", "GET"),
    ("paths", "/public/*"),
    ("hosts", "*.example.com"),
    ("networks", "10.0.0.0/8"),
    ("users", "svc-*"),
];

const FAULTY_PATHS: [&str; 22] = [
    "",
    "a",
    "*",
    "/a*",
    "/*/b",
    "/a/*/b",
    "/a/**",
    "/a//*",
    "/a//b",
    "/a/../b",
    "/a/./*",
    "/a;b",
    "/a\\b",
    "/a?b",
    "/a#b",
    "/a b",
    "/%61",
    "/a%2fb",
    "/a%zz",
    "/caf%c3%a9",
    "/café",
    "!a",
];

const FAULTY_HOSTS: [&str; 14] = [
    "",
    "*",
    "*.",
    "*example.com",
    "*.*.example.com",
    "a.*.example.com",
    "App.example.com",
    "app.example.com:443",
    "app.example.com.",
    "https://app.example.com",
    "app.example.com/",
    "a..b",
    "*.[::1]",
    "!*",
];

const FAULTY_NETWORKS: [&str; 8] =
    ["", "10", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/08", "10.*", "localhost", "::1/64"];
