//! Routes that switch the filter by a path: `check` warns of them.

use crate::warnings::{Row, every, filters, virtual_host};
use serde_json::{Value, json};

const FILTER_CONFIG: &str = "type.googleapis.com/envoy.config.route.v3.FilterConfig";

/// Has the filter's headers removed where the filter is off.
fn strip_own(bootstrap: &mut Value) {
    let strip = &mut filters(bootstrap)[0]["typed_config"]["mutations"]["request_mutations"];
    let own = json!({"remove_on_match": {"key_matcher": {"prefix": "x-duo-mfa-"}}});
    strip.as_array_mut().unwrap().push(own);
}

fn route(bootstrap: &mut Value, matcher: &Value, mut configuration: Value) {
    strip_own(bootstrap);
    configuration["@type"] = json!(FILTER_CONFIG);
    let route = json!({
        "match": matcher,
        "route": {"cluster": "app"},
        "typed_per_filter_config": {"duo_mfa": configuration},
    });
    virtual_host(bootstrap)["routes"].as_array_mut().unwrap().insert(0, route);
}

fn off_on_host(bootstrap: &mut Value) {
    strip_own(bootstrap);
    virtual_host(bootstrap)["typed_per_filter_config"]["duo_mfa"] =
        json!({"@type": FILTER_CONFIG, "disabled": true});
}

const ROWS: &[Row] = &[
    (
        "basic-auth",
        |it| route(it, &json!({"prefix": "/public/"}), json!({"disabled": true})),
        &["switched_by_path"],
    ),
    (
        "basic-auth",
        |it| route(it, &json!({"safe_regex": {"regex": "/p.*"}}), json!({"disabled": true})),
        &["switched_by_path"],
    ),
    (
        "basic-auth",
        |it| route(it, &json!({"path_separated_prefix": "/public"}), json!({"disabled": true})),
        &["switched_by_path"],
    ),
    ("basic-auth", |it| route(it, &json!({"path": "/robots.txt"}), json!({"disabled": true})), &[]),
    ("basic-auth", |it| route(it, &json!({"prefix": "/"}), json!({"disabled": true})), &[]),
    ("basic-auth", |it| route(it, &json!({"prefix": "/payroll/"}), json!({"config": {}})), &[]),
    ("basic-auth", off_on_host, &[]),
    (
        "basic-auth",
        |it| {
            off_on_host(it);
            route(it, &json!({"prefix": "/payroll/"}), json!({"config": {}}));
        },
        &["switched_by_path"],
    ),
    (
        "basic-auth",
        |it| {
            off_on_host(it);
            route(it, &json!({"path": "/payroll"}), json!({"config": {}}));
            route(it, &json!({"prefix": "/.duo-mfa/"}), json!({"config": {}}));
        },
        &["switched_by_path"],
    ),
    (
        "basic-auth",
        |it| {
            off_on_host(it);
            route(it, &json!({"prefix": "/.duo-mfa/"}), json!({"config": {}}));
        },
        &[],
    ),
];

#[test]
fn a_route_that_switches_the_filter_by_a_path_is_warned_of() {
    every(ROWS);
}
