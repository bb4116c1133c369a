//! Routes that make Envoy follow redirects of the application.

use crate::warnings::{Row, every, virtual_host};
use serde_json::{Value, json};

fn route(bootstrap: &mut Value) -> &mut Value {
    &mut virtual_host(bootstrap)["routes"][0]
}

const ROUTES: &[Row] = &[
    (
        "jwt",
        |it| route(it)["route"]["internal_redirect_policy"] = json!({"max_internal_redirects": 2}),
        &["redirects_followed"],
    ),
    (
        "jwt",
        |it| route(it)["route"]["internal_redirect_policy"] = json!({}),
        &["redirects_followed"],
    ),
    (
        "jwt",
        |it| {
            route(it)["route"]["internal_redirect_action"] = json!("PASS_THROUGH_INTERNAL_REDIRECT")
        },
        &[],
    ),
];

#[test]
fn redirects_that_envoy_follows_are_warned_of() {
    every(ROUTES);
}
