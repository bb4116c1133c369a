//! Conditions between keys, as a schema can express them. `tests/core/reference` has the faults that
//! it cannot express.

use super::range;
use serde_json::{Value, json};

/// The conditions between the keys of one section.
pub(super) fn local(section: &str) -> Vec<Value> {
    match section {
        "duo" => vec![inside(&["factors"], &passcodes())],
        "identity" => sources().iter().map(of_source).collect(),
        "groups" => vec![json!({"oneOf": [{"required": ["header"]}, {"required": ["metadata"]}]})],
        "mapping" => vec![when(
            &with(&["user"], &json!({"pattern": "[*]"})),
            &inside(
                &["username"],
                &json!({"pattern": "\\{(user|local)\\}", "not": {"pattern": "[^!-~]"}}),
            ),
        )],
        "session" => vec![when(
            &without("expiration"),
            &inside(&["inactivity"], &json!({"pattern": range::times(1, 28_800)})),
        )],
        "limits" => {
            vec![when(&without("calls"), &inside(&["user_calls"], &json!({"maximum": 240})))]
        }
        "rule" => rule(),
        _ => Vec::new(),
    }
}

/// `identity.source`, and the key that it needs.
const fn sources() -> [(&'static str, &'static str); 4] {
    [("header", "header"), ("jwt", "metadata"), ("metadata", "metadata"), ("mtls", "certificate")]
}

/// The keys of other sources have no effect.
fn of_source((source, key): &(&str, &str)) -> Value {
    let others = ["header", "metadata", "certificate"].into_iter().filter(|other| other != key);
    let others: serde_json::Map<_, _> = others.map(|it| (it.to_owned(), json!(false))).collect();
    when(&with(&["source"], &json!({"const": source})), &json!({"properties": others}))
}

/// A list with `passcode` names `sms` too, and not `any_passcode`.
fn passcodes() -> Value {
    json!({
        "if": has("passcode"),
        "then": {"allOf": [has("sms"), {"not": has("any_passcode")}]},
    })
}

fn rule() -> Vec<Value> {
    let criteria = ["methods", "paths", "hosts", "networks", "users", "groups"];
    let some_criterion: Vec<_> = criteria.iter().map(|key| json!({"required": [key]})).collect();
    let positive = json!({"contains": {"not": {"type": "string", "pattern": "^!"}}});
    let mut conditions = vec![json!({"anyOf": some_criterion})];
    conditions.extend(criteria.map(|key| inside(&[key], &positive)));
    conditions.push(inside(&["factors"], &passcodes()));
    conditions.push(when(
        &with(&["policy"], &json!({"enum": ["bypass", "deny"]})),
        &json!({"properties": {
            "max_age": false, "factors": false, "fail_mode": false, "application": false,
            "approval": false, "api_mode": false, "approver": false,
        }}),
    ));
    conditions.push(when(
        &with(&["approval"], &json!({"const": "per_request"})),
        &json!({"properties": {
            "max_age": false,
            "fail_mode": {"not": {"const": "safe"}},
            "factors": {"not": has("webauthn")},
        }}),
    ));
    conditions.push(when(
        &json!({"required": ["approver"]}),
        &json!({
            "required": ["approval"],
            "properties": {
                "approval": {"const": "per_request"},
                "approver": {"anyOf": [{"required": ["users"]}, {"required": ["groups"]}]},
                "factors": {"items": {"const": "push"}},
            },
        }),
    ));
    conditions
}

/// The conditions of a whole configuration.
pub(super) fn whole() -> Vec<Value> {
    let mut conditions = vec![json!({"required": ["duo", "identity", "session"]})];
    conditions.push(inside(&["session"], &json!({"required": ["keys"]})));
    conditions.push(inside(&["identity"], &json!({"required": ["source"]})));
    conditions.extend(sources().map(|(source, key)| {
        let is_source = with(&["source"], &json!({"const": source}));
        inside(&["identity"], &when(&is_source, &json!({"required": [key]})))
    }));
    conditions.extend(secrets());
    conditions.extend(keys_of_duo());
    conditions.extend(without_auth_api());
    conditions.extend(rules_and_factors());
    conditions.extend(applications());
    conditions.extend(rest());
    conditions
}

/// Secrets in the configuration, and another origin than Duo's, need `allow_inline_secrets`.
fn secrets() -> Vec<Value> {
    let object = json!({"type": "object"});
    let duo = json!({"properties": {
        "secret_key": object,
        "skey": object,
        "universal": {"properties": {
            "client_secret": object, "secret_key": object, "skey": object, "browser_origin": false,
        }},
    }});
    let assertion = json!({"type": ["object", "array"], "items": object});
    let closed = json!({"properties": {
        "duo": duo,
        "applications": {"additionalProperties": {"properties": {"duo": duo}}},
        "session": {"properties": {"keys": {"items": object}}},
        "assertion": {"properties": {"keys": assertion, "key": assertion}},
        "limits": {"properties": {"key": {"anyOf": [{"const": "duo"}, object]}}},
    }});
    let allowed = with(&["allow_inline_secrets"], &json!({"const": true}));
    vec![when(&not(&allowed), &closed)]
}

fn is_universal() -> Value {
    with(&["duo", "prompt"], &json!({"const": "universal"}))
}

fn refuses_programs() -> Value {
    with(&["api", "mode"], &json!({"const": "refuse"}))
}

/// One of the names of each.
fn named(names: &[&str]) -> Value {
    json!({"anyOf": names.iter().map(|name| json!({"required": [name]})).collect::<Vec<_>>()})
}

fn both_keys() -> Value {
    json!({"allOf": [named(&["integration_key", "ikey"]), named(&["secret_key", "skey"])]})
}

fn neither_key() -> Value {
    not(&named(&["integration_key", "ikey", "secret_key", "skey"]))
}

/// A `duo` section with `prompt: universal`.
fn at_duos_page() -> Value {
    json!({
        "required": ["universal"],
        "properties": {
            "enrollment": {"enum": ["off", false]},
            "remembered_devices": {"const": false},
        },
    })
}

/// A `duo` section with `prompt: own`.
fn at_own_page() -> Value {
    json!({
        "allOf": [both_keys()],
        "properties": {"universal": false, "factors": {"not": has("webauthn")}},
    })
}

fn web_sdk() -> Value {
    json!({"allOf": [
        named(&["client_id", "integration_key", "ikey"]),
        named(&["client_secret", "secret_key", "skey"]),
    ]})
}

fn keys_of_duo() -> Vec<Value> {
    let duo = json!({"allOf": [
        named(&["api_host", "hostname", "host"]),
        inside(&["universal"], &json!({"allOf": [web_sdk(), {"required": ["hosts"]}]})),
    ]});
    let either = json!({"anyOf": [both_keys(), neither_key()]});
    vec![
        inside(&["duo"], &duo),
        json!({
            "if": is_universal(),
            "then": inside(&["duo"], &at_duos_page()),
            "else": inside(&["duo"], &at_own_page()),
        }),
        json!({
            "if": {"allOf": [is_universal(), refuses_programs()]},
            "then": inside(&["duo"], &either),
            "else": inside(&["duo"], &both_keys()),
        }),
    ]
}

/// The configuration has no keys of the Auth API. It then has `prompt: universal`.
fn is_keyless() -> Value {
    json!({"allOf": [is_universal(), refuses_programs(), with(&["duo"], &neither_key())]})
}

/// The keys of `duo` that only calls of the Auth API need.
fn no_calls() -> Value {
    json!({"properties": {"signature": false, "status_timeout": false, "push_timeout": false}})
}

fn without_auth_api() -> Vec<Value> {
    let rules = json!({"properties": {
        "approval": {"not": {"const": "per_request"}},
        "api_mode": {"not": {"const": "hold"}},
    }});
    let without_applications = json!({"allOf": [is_keyless(), without("applications")]});
    vec![
        when(&without_applications, &inside(&["duo"], &no_calls())),
        when(&is_keyless(), &inside(&["branding", "logo"], &json!({"not": {"const": "duo"}}))),
        when(&is_keyless(), &of_rules(&when(&without("application"), &rules))),
    ]
}

fn of_rules(schema: &Value) -> Value {
    inside(&["access_control", "rules"], &json!({"items": schema}))
}

/// Some rule has these keys.
fn some_rule(schema: &Value) -> Value {
    with(&["access_control", "rules"], &json!({"contains": schema}))
}

/// Factors of rules are among those of `duo`.
fn rules_and_factors() -> Vec<Value> {
    let mut conditions = Vec::new();
    let of_duo = |schema: &Value| of_rules(&when(&without("application"), schema));
    let without_factor =
        |names: &[&str]| inside(&["factors"], &json!({"items": {"not": {"enum": names}}}));
    conditions.push(when(&not(&is_universal()), &of_duo(&without_factor(&["webauthn"]))));
    for names in [&["push"][..], &["passcode", "any_passcode"], &["phone"], &["sms"], &["webauthn"]]
    {
        let lacks = json!({"items": {"not": {"enum": names}}});
        let lacks = with(&["duo", "factors"], &lacks);
        conditions.push(when(&lacks, &of_duo(&without_factor(names))));
    }
    let only_webauthn = with(&["duo", "factors"], &json!({"items": {"const": "webauthn"}}));
    let per_request = with(&["approval"], &json!({"const": "per_request"}));
    let has_factors = when(&per_request, &json!({"required": ["factors"]}));
    conditions.push(when(&only_webauthn, &of_duo(&has_factors)));
    let own = with(&["prompt"], &json!({"const": "own"}));
    conditions.push(when(
        &only_webauthn,
        &of_applications(&when(&own, &json!({"required": ["factors"]}))),
    ));
    conditions
}

/// The `duo` sections of named applications.
fn of_applications(schema: &Value) -> Value {
    inside(&["applications"], &json!({"additionalProperties": inside(&["duo"], schema)}))
}

fn applications() -> Vec<Value> {
    let keyless = when(&neither_key(), &no_calls());
    let universal = json!({"allOf": [
        at_duos_page(), keyless, {"anyOf": [both_keys(), neither_key()]},
    ]});
    let prompt = |word: &str| with(&["prompt"], &json!({"const": word}));
    let inherits = |schema: &Value| of_applications(&when(&without("prompt"), schema));
    let duo = json!({"allOf": [
        named(&["api_host", "hostname", "host"]),
        inside(&["universal"], &web_sdk()),
        when(&prompt("universal"), &universal),
        when(&prompt("own"), &at_own_page()),
    ]});
    let some = with(&["applications"], &json!({"minProperties": 1}));
    let needs_hosts = inside(&["universal"], &json!({"required": ["hosts"]}));
    vec![
        of_applications(&duo),
        json!({
            "if": is_universal(),
            "then": inherits(&universal),
            "else": {"allOf": [inherits(&at_own_page()), of_applications(&needs_hosts)]},
        }),
        json!({
            "if": some,
            "then": some_rule(&json!({"required": ["application"]})),
            "else": of_rules(&json!({"properties": {"application": false}})),
        }),
        when(
            &not(&with(&["session"], &json!({"required": ["application"]}))),
            &inside(&["applications"], &without("default")),
        ),
    ]
}

fn rest() -> Vec<Value> {
    let per_client =
        json!({"required": ["approval"], "properties": {"approval": {"type": "object"}}});
    let half_an_hour = json!({"pattern": range::times(10, 1_800)});
    let bound = json!({"required": ["bind"], "properties": {"bind": {"minItems": 1}}});
    let own = json!({"items": {"not": {"pattern": "^/\\.duo-mfa(/|$)"}}});
    vec![
        when(
            &with(&["cross_site_forms"], &json!({"minItems": 1})),
            &with(&["request_bodies"], &json!({"const": true})),
        ),
        when(
            &some_rule(&json!({"required": ["groups"]})),
            &inside(&["identity"], &json!({"required": ["groups"]})),
        ),
        when(&some_rule(&per_client), &inside(&["session"], &bound)),
        when(
            &inside(&["session"], &without("inactivity")),
            &of_rules(&inside(&["approval", "for"], &half_an_hour)),
        ),
        when(&without("path_prefix"), &inside(&["session", "logout_paths"], &own)),
    ]
}

/// The member at a path, if it is present, has a schema.
fn inside(path: &[&str], schema: &Value) -> Value {
    path.iter().rev().fold(schema.clone(), |inner, key| json!({"properties": {*key: inner}}))
}

/// The member at a path is present and has a schema.
fn with(path: &[&str], schema: &Value) -> Value {
    path.iter()
        .rev()
        .fold(schema.clone(), |inner, key| json!({"required": [key], "properties": {*key: inner}}))
}

fn without(key: &str) -> Value {
    json!({"not": {"required": [key]}})
}

fn has(word: &str) -> Value {
    json!({"contains": {"const": word}})
}

fn not(schema: &Value) -> Value {
    json!({"not": schema})
}

fn when(condition: &Value, then: &Value) -> Value {
    json!({"if": condition, "then": then})
}
