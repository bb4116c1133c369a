//! Two configurations on one host are warned of where they take each other's cookie.

use crate::files::{configure, example};
use crate::warnings::{manager, warned};
use serde_json::{Value, json};

/// The example twice, on two ports.
pub(crate) fn two(change: impl FnOnce(&mut Value)) -> Value {
    let mut first = example("jwt");
    let mut second = first.clone();
    for one in [&mut first, &mut second] {
        let hosts = &mut manager(one)["route_config"]["virtual_hosts"];
        hosts[0]["domains"] = json!(["app.example.com", "app.example.com:*"]);
    }
    second["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"] =
        json!(8443);
    change(&mut second);
    let listener = second["static_resources"]["listeners"][0].take();
    first["static_resources"]["listeners"].as_array_mut().unwrap().push(listener);
    first
}

fn session(of: &mut Value, key: &str, value: &Value) {
    configure(of, |plugin| plugin["session"][key] = value.clone());
}

fn domains(of: &mut Value, names: &Value) {
    manager(of)["route_config"]["virtual_hosts"][0]["domains"] = names.clone();
}

/// A change of the second, and whether they contest the cookie then.
type Row = (fn(&mut Value), bool);

const ROWS: &[Row] = &[
    (|_| {}, false),
    (|it| session(it, "application", &json!("admin")), true),
    (|it| session(it, "keys", &json!([{"env": "DUO_SECRET_KEY_2"}])), true),
    (
        |it| {
            session(it, "application", &json!("admin"));
            session(it, "cookie", &json!("__Host-duo_mfa_admin"));
        },
        false,
    ),
    (
        |it| {
            session(it, "application", &json!("admin"));
            domains(it, &json!(["other.example.com"]));
        },
        false,
    ),
    (
        |it| {
            session(it, "application", &json!("admin"));
            domains(it, &json!(["other.example.com", "*.EXAMPLE.com:8443"]));
        },
        true,
    ),
    (
        |it| {
            session(it, "application", &json!("admin"));
            domains(it, &json!(["*"]));
        },
        true,
    ),
    (
        |it| {
            session(it, "application", &json!("admin"));
            let listener = &mut it["static_resources"]["listeners"][0];
            listener["address"]["socket_address"]["port_value"] = json!(10_000);
        },
        false,
    ),
];

#[test]
fn configurations_that_replace_each_others_cookie_are_warned_of() {
    for (change, is_warned_of) in ROWS {
        let both = two(change);
        let codes: &[&str] = match both.to_string().contains("DUO_SECRET_KEY_2") {
            true => &["variable_not_passed", "cookie_contested"],
            false if *is_warned_of => &["cookie_contested"],
            false => &[],
        };
        warned(&[both], codes);
    }
}

#[test]
fn two_configurations_that_count_one_phone_twice_are_warned_of() {
    let other_key =
        |plugin: &mut Value| plugin["duo"]["secret_key"] = json!({"env": "DUO_SECRET_KEY_2"});
    let apart = two(|second| configure(second, other_key));
    // Neither listener passes the new variables on.
    warned(&[apart], &["limits_apart", "variable_not_passed", "limits_apart"]);
    let mut joined = two(|second| configure(second, other_key));
    let listeners = joined["static_resources"]["listeners"].as_array_mut().unwrap();
    for listener in listeners {
        let mut one = json!({"static_resources": {"listeners": [listener.take()]}});
        configure(&mut one, |plugin| plugin["limits"]["key"] = json!({"env": "DUO_LIMITS_KEY"}));
        *listener = one["static_resources"]["listeners"][0].take();
    }
    warned(&[joined], &["variable_not_passed"; 3]);
}
