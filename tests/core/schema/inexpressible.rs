//! The faults that no schema can express, each with the reason and a document that has it.

use crate::config_faults::document::{environment, with_all};
use duo_mfa::config::{Code, Config, Fault};
use serde_json::{Value, json};

struct Row {
    code: Code,
    /// The beginning of the fault's path.
    path: &'static str,
    /// A part of its problem.
    problem: &'static str,
    reason: &'static str,
    /// JSON pointers and values in the minimal configuration.
    members: Vec<(&'static str, Value)>,
}

const ENVIRONMENT: &str = "the value is in Envoy's environment, not in the document";
const COMPARES: &str = "it compares two values, which a schema cannot name";

/// Whether a schema cannot express a fault.
pub(super) fn is_known(fault: &Fault) -> bool {
    rows().iter().any(|row| row.is(fault))
}

impl Row {
    fn is(&self, fault: &Fault) -> bool {
        fault.code == self.code
            && fault.path.starts_with(self.path)
            && fault.problem.contains(self.problem)
    }
}

fn rows() -> Vec<Row> {
    let mut rows = of_variables();
    rows.extend(of_one_value());
    rows.extend(of_two_values());
    rows.extend(of_named_applications());
    rows
}

fn of_variables() -> Vec<Row> {
    let row =
        |code, path, problem, members| Row { code, path, problem, reason: ENVIRONMENT, members };
    let keys = |second: &str| json!([{"env": "DUO_MFA_COOKIE_KEY"}, {"env": second}]);
    let at_keys = |second| vec![("/session/keys", keys(second))];
    let at_assertion = |second: &str| {
        let keys = json!([{"env": "DUO_MFA_ASSERTION_KEY"}, {"env": second}]);
        let section = json!({"keys": keys, "issuer": "https://a.test", "audience": "a"});
        vec![("/assertion", section)]
    };
    let at_secret = |name: &str| vec![("/duo/secret_key", json!({"env": name}))];
    vec![
        row(Code::MissingVariable, "", "is not set", at_secret("UNSET")),
        row(Code::MissingVariable, "", "is empty", at_secret("EMPTY")),
        row(Code::InvalidSecretKey, "", "", at_secret("SHORT")),
        row(Code::InvalidCookieKey, "session.keys", "", at_keys("CHANGEME")),
        row(Code::ReusedKey, "", "secret", at_keys("DUO_SECRET_KEY")),
        row(Code::InvalidAssertionKey, "assertion.keys", "", at_assertion("CHANGEME")),
        row(Code::ReusedKey, "assertion.keys", "cookies", at_assertion("DUO_MFA_COOKIE_KEY")),
        row(
            Code::DuplicateEntry,
            "assertion.keys",
            "is the same key",
            at_assertion("SAME_ASSERTION_KEY"),
        ),
        row(Code::DuplicateEntry, "session.keys", "is the same key", at_keys("SAME_COOKIE_KEY")),
    ]
}

fn of_one_value() -> Vec<Row> {
    vec![
        Row {
            code: Code::InvalidAccent,
            path: "branding.accent",
            problem: "contrast",
            reason: "it is computed from the colour",
            members: vec![("/branding/accent", json!("#ffcc00"))],
        },
        Row {
            code: Code::InvalidPattern,
            path: "access_control.rules",
            problem: "is not the first address",
            reason: "it is about bits, and patterns are about digits",
            members: vec![(
                "/access_control/rules",
                json!([{"networks": ["10.0.0.1/8"], "policy": "deny"}]),
            )],
        },
        Row {
            code: Code::DuplicateEntry,
            path: "duo.universal.hosts",
            problem: "is the same host",
            reason: "`uniqueItems` compares hosts in their case",
            members: at_duos_page(&[("/duo/universal/hosts", json!(["a.test", "A.test"]))]),
        },
    ]
}

fn of_two_values() -> Vec<Row> {
    let row = |code, path, problem, members| Row { code, path, problem, reason: COMPARES, members };
    let lasts = |time: &str| {
        let approval = json!({"per": "client", "for": time});
        let rule = json!({"paths": ["/a"], "policy": "two_factor", "approval": approval});
        ("/access_control/rules", json!([rule]))
    };
    let bind = ("/session/bind", json!(["certificate"]));
    let sub = json!(["envoy.filters.http.jwt_authn", "payload", "sub"]);
    vec![
        row(
            Code::InvalidDuration,
            "session.inactivity",
            "is longer than session.expiration",
            vec![("/session/expiration", json!("1h")), ("/session/inactivity", json!("2h"))],
        ),
        row(
            Code::ConflictingKeys,
            "access_control.rules",
            "is longer than",
            vec![lasts("10m"), bind, ("/session/inactivity", json!("5m"))],
        ),
        row(
            Code::ConflictingKeys,
            "access_control.rules",
            "needs session.bind to name more than the user",
            vec![
                lasts("5m"),
                ("/session/bind", json!([{"metadata": sub}])),
                ("/identity", json!({"source": "jwt", "metadata": sub})),
            ],
        ),
        row(
            Code::ConflictingKeys,
            "limits.user_calls",
            "is more than limits.calls",
            vec![("/limits/user_calls", json!(9)), ("/limits/calls", json!(8))],
        ),
        row(
            Code::InvalidPattern,
            "session.logout_paths",
            "is an address of the filter",
            vec![("/path_prefix", json!("/sso")), ("/session/logout_paths", json!(["/sso/out"]))],
        ),
        row(
            Code::ReusedKey,
            "",
            "is an integration_key of duo too",
            at_duos_page(&[("/duo/universal/client_id", json!("DIXXXXXXXXXXXXXXXXXX"))]),
        ),
    ]
}

fn of_named_applications() -> Vec<Row> {
    let row = |code, path, problem, members| Row {
        code,
        path,
        problem,
        reason: "it compares a rule's `application` with the names of `applications`",
        members,
    };
    let payments = || {
        json!({
            "api_host": "api-1234abcd.duosecurity.com",
            "integration_key": "DIPAYMENTSXXXXXXXXXX",
            "secret_key": {"env": "PAYMENTS_SECRET_KEY"},
        })
    };
    let elsewhere = || {
        let mut duo = payments();
        duo["api_host"] = json!("api-9.duosecurity.com");
        duo
    };
    let keyless = || {
        let universal = json!({
            "client_id": "DIPAYMENTSWEBSDK0001",
            "client_secret": {"env": "PAYMENTS_CLIENT_SECRET"},
            "hosts": ["app.example.com"],
        });
        json!({
            "api_host": "api-1234abcd.duosecurity.com", "prompt": "universal", "universal": universal,
        })
    };
    let members = |duo: Value, rule: Value| {
        let mut whole = json!({"paths": ["/a"], "policy": "two_factor", "application": "payments"});
        whole.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
        let other = json!({"paths": ["/b"], "policy": "bypass"});
        vec![
            ("/applications", json!({"payments": {"duo": duo}})),
            ("/access_control/rules", json!([other, whole])),
        ]
    };
    let rules = "access_control.rules";
    let other = json!({"application": "payment"});
    vec![
        row(
            Code::UnknownValue,
            rules,
            "is not among applications",
            members(payments(), other.clone()),
        ),
        row(Code::ConflictingKeys, "applications", "no rule names it", members(payments(), other)),
        row(Code::ConflictingKeys, rules, "no integration_key", members(keyless(), json!({}))),
        Row {
            reason: COMPARES,
            ..row(Code::MissingKey, "applications", "is missing", members(elsewhere(), json!({})))
        },
        row(
            Code::ConflictingKeys,
            rules,
            "but duo.factors does not have it",
            members(with_factors(payments(), &json!(["push"])), json!({"factors": ["phone"]})),
        ),
        row(
            Code::ConflictingKeys,
            "applications",
            "has the name of session.application",
            [members(payments(), json!({})), vec![("/session/application", json!("payments"))]]
                .concat(),
        ),
    ]
}

fn with_factors(mut duo: Value, factors: &Value) -> Value {
    duo["factors"] = factors.clone();
    duo
}

fn at_duos_page(members: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    let universal = json!({
        "client_id": "DIUNIVERSALTEST00001",
        "client_secret": {"env": "DUO_CLIENT_SECRET"},
        "hosts": ["app.example.com"],
    });
    let mut all = vec![("/duo/prompt", json!("universal")), ("/duo/universal", universal)];
    all.extend(members.iter().cloned());
    all
}

/// If the schema learns to express a fault, its row goes.
#[test]
fn inexpressible_faults_are_refused_by_the_reader_alone() {
    for row in rows() {
        let document = with_all(&row.members);
        let shown = format!("{} {}: {}", row.code.text(), row.path, row.reason);
        let faults = Config::parse(document.to_string().as_bytes(), &environment).unwrap_err();
        assert!(faults.iter().any(|fault| row.is(fault)), "{shown}: {faults}");
        assert!(super::accepts(&document).is_ok(), "{shown}: {document}");
    }
}
