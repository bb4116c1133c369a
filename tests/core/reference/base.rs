//! The configuration around a value of a key: each value gets the other keys that it needs.

use crate::config_faults::document::minimal;
use serde_json::{Value, json};

/// The configuration that a value of a key is put into.
pub(super) fn base(path: &str, value: &Value) -> Value {
    let mut document = minimal();
    if let Some(key) = path.strip_prefix("access_control.rules[].") {
        of_rule(key, value, &mut document);
    }
    if path.starts_with("duo.universal")
        || path.ends_with("factors")
        || *value == json!("universal")
    {
        universal(&mut document["duo"], "DIUNIVERSALTEST00001", "DUO_CLIENT_SECRET");
    }
    if path.starts_with("applications.NAME") {
        document["applications"]["payments"]["duo"] = payments();
        document["access_control"]["rules"] = rules("application", json!("payments"));
    }
    if path.starts_with("assertion.") {
        let keys = json!([{"env": "DUO_MFA_ASSERTION_KEY"}]);
        document["assertion"] = json!({"keys": keys, "issuer": "https://a.test", "audience": "a"});
    }
    if path.starts_with("limits.rate_limit_service.") {
        document["limits"]["rate_limit_service"] = json!({"cluster": "limiter", "domain": "duo"});
    }
    match path {
        "access_control.approver_groups" if value.get("ops").is_some() => {
            of_rule("approver", value, &mut document);
            document["access_control"]["rules"][0]["approver"] = json!({"groups": ["ops"]});
        }
        "duo.universal.browser_origin" => document["allow_inline_secrets"] = json!(true),
        "identity.metadata" => document["identity"] = json!({"source": "jwt"}),
        "identity.certificate" => document["identity"] = json!({"source": "mtls"}),
        "identity.source" => document["identity"] = of_source(value),
        "identity.normalize[].strip_domain" => document["identity"]["normalize"] = json!([{}]),
        "identity.groups.separator" => document["identity"]["groups"]["header"] = json!("x-groups"),
        "identity.map[].user" => document["identity"]["map"] = json!([{"username": "{user}"}]),
        "identity.map[].username" => document["identity"]["map"] = json!([{"user": "alice"}]),
        "session.bind[].metadata" => document["session"]["bind"] = json!([{}]),
        "session.inactivity" => document["session"]["expiration"] = json!("24h"),
        "cross_site_forms" => document["request_bodies"] = json!(true),
        "limits.user_calls" => document["limits"]["calls"] = json!(10_000),
        "limits.calls" => document["limits"]["user_calls"] = json!(1),
        _ => {}
    }
    document
}

fn of_rule(key: &str, value: &Value, document: &mut Value) {
    document["access_control"]["rules"] = match key {
        "methods" | "paths" | "hosts" | "networks" | "users" | "groups" => rules(key, json!(null)),
        _ => rules("paths", json!(["/a"])),
    };
    match key {
        "groups" => document["identity"]["groups"] = json!({"header": "x-groups"}),
        "application" => {
            let name = value.as_str().filter(|name| name.len() == 64).unwrap_or("payments");
            document["applications"] = json!({name: {"duo": payments()}});
        }
        "approval" | "approval.per" | "approval.for" => {
            document["session"]["bind"] = json!(["certificate"]);
            document["session"]["inactivity"] = json!("1h");
            document["access_control"]["rules"][0]["approval"] = match key {
                "approval.per" => json!({"for": "5m"}),
                "approval.for" => json!({"per": "client"}),
                _ => value.clone(),
            };
        }
        "approver" | "approver.users" | "approver.groups" => {
            document["access_control"]["rules"][0]["approval"] = json!("per_request");
            let name = value.get(0).and_then(Value::as_str).filter(|name| name.len() == 64);
            document["access_control"]["approver_groups"] =
                json!({name.unwrap_or("ops"): {"users": ["carol"]}});
        }
        _ => {}
    }
}

fn rules(key: &str, value: Value) -> Value {
    let mut rule = json!({"policy": "two_factor"});
    if key == "application" {
        rule["paths"] = json!(["/a"]);
    }
    rule[key] = value;
    json!([rule])
}

fn universal(duo: &mut Value, id: &str, secret: &str) {
    duo["prompt"] = json!("universal");
    duo["universal"] =
        json!({"client_id": id, "client_secret": {"env": secret}, "hosts": ["app.example.com"]});
}

fn payments() -> Value {
    json!({
        "api_host": "api-1234abcd.duosecurity.com",
        "integration_key": "DIPAYMENTSXXXXXXXXXX",
        "secret_key": {"env": "PAYMENTS_SECRET_KEY"},
    })
}

fn of_source(source: &Value) -> Value {
    match source.as_str() {
        Some("jwt" | "metadata") => json!({"source": source, "metadata": ["filter", "key"]}),
        Some("mtls") => json!({"source": source, "certificate": "subject"}),
        _ => json!({"source": source, "header": "x-basic-user"}),
    }
}

/// The path as a fault names it.
pub(super) fn concrete(path: &str) -> String {
    path.replace("[]", "[0]").replace("NAME", "payments")
}

/// The names on the way to a key; `0` for the first entry of a list.
fn steps(path: &str) -> Vec<String> {
    let path = path.replace("[]", ".0").replace("NAME", "payments");
    path.split('.').map(str::to_owned).collect()
}

pub(super) fn put(mut document: Value, path: &str, value: &Value) -> Value {
    let place = steps(path).into_iter().fold(&mut document, |place, step| match step.parse() {
        Ok(0) => {
            if !place.is_array() {
                *place = json!([{}]);
            }
            &mut place[0]
        }
        Ok(_) | Err(_) => &mut place[step],
    });
    *place = value.clone();
    document
}

pub(super) fn remove(mut document: Value, path: &str) -> Value {
    let mut steps = steps(path);
    let last = steps.pop().unwrap();
    let place = steps.into_iter().fold(&mut document, |place, step| match step.parse::<usize>() {
        Ok(index) => &mut place[index],
        Err(_) => &mut place[step],
    });
    if let Some(members) = place.as_object_mut() {
        members.remove(&last);
    }
    document
}
