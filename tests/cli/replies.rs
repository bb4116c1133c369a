//! Settings that replace the filter's replies cause a warning, unless they have the documented exception.

use crate::files::{example, extension_policy, plugin, wasm_plugin};
use crate::run::duo_mfa;
use crate::warnings::{Row, every, filters, manager, virtual_host, warned};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// The block of docs/deploy/envoy.md.
fn documented() -> Value {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/deploy/envoy.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("```yaml file=local-replies\n").unwrap();
    serde_saphyr::from_str(rest.split_once("```").unwrap().0).unwrap()
}

fn status(op: &str, value: u16) -> Value {
    json!({"status_code_filter": {"comparison": {"op": op, "value": {"default_value": value}}}})
}

fn cel(expression: &str) -> Value {
    json!({"extension_filter": {"name": "cel", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
        "expression": expression}}})
}

/// A mapper that replaces the body.
fn mapper(filter: &Value) -> Value {
    json!({"filter": filter, "body": {"inline_string": "error"}})
}

#[test]
fn local_replies_are_warned_of_where_they_may_be_the_filters() {
    let ours = "response.code_details.startsWith('duo_mfa_')";
    let identity = json!({"text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"}});
    let wrapped = json!({"text_format_source": {"inline_string": "<%LOCAL_REPLY_BODY%>"}});
    let typed = json!({"text_format": "%LOCAL_REPLY_BODY%", "content_type": "text/html"});
    let rows = [
        (json!({}), false),
        (json!({"body_format": identity}), false),
        (json!({"body_format": wrapped}), true),
        (json!({"body_format": typed}), true),
        (json!({"bodyFormat": {"jsonFormat": {}}}), true),
        (json!({"mappers": [mapper(&status("EQ", 403))]}), true),
        (json!({"mappers": [mapper(&status("GE", 500))]}), true),
        (json!({"mappers": [mapper(&status("GE", 504))]}), false),
        (json!({"mappers": [mapper(&status("EQ", 401))]}), false),
        (json!({"mappers": [mapper(&status("NE", 403))]}), true),
        (json!({"mappers": [mapper(&json!({"response_flag_filter": {"flags": ["UH"]}}))]}), false),
        (json!({"mappers": [mapper(&json!({"header_filter": {}}))]}), true),
        (
            json!({"mappers": [mapper(&json!({"and_filter": {"filters": [
            status("EQ", 403), cel(&format!("!{ours}"))]}}))]}),
            false,
        ),
        (
            json!({"mappers": [mapper(&json!({"and_filter": {"filters": [
            status("EQ", 403), {"header_filter": {}}]}}))]}),
            true,
        ),
        (
            json!({"mappers": [mapper(&json!({"or_filter": {"filters": [
            status("EQ", 401), status("EQ", 403)]}}))]}),
            true,
        ),
        (json!({"mappers": [{"filter": status("EQ", 403), "status_code": 200}]}), true),
        (json!({"mappers": [{"filter": status("EQ", 403), "headers_to_add": []}]}), false),
        (json!({"mappers": [{"filter": cel(ours)}, mapper(&status("EQ", 403))]}), false),
        (json!({"mappers": [{"filter": cel(ours)}], "body_format": wrapped}), true),
        (json!({"mappers": [mapper(&cel(ours))]}), true),
        (documented()["local_reply_config"].clone(), false),
    ];
    for (config, is_warned_of) in rows {
        let codes: &[&str] = if is_warned_of { &["replies_replaced"] } else { &[] };
        let mut bootstrap = example("jwt");
        manager(&mut bootstrap)["local_reply_config"] = config.clone();
        println!("{config}");
        warned(&[bootstrap], codes);
        let merge = json!({"kind": "EnvoyFilter", "spec": {"configPatches": [
            {"applyTo": "NETWORK_FILTER", "patch": {"operation": "MERGE",
                "value": {"typed_config": {"local_reply_config": config}}}}]}});
        warned(&[merge, wasm_plugin(&without_header())], codes);
        let patch = json!({"kind": "EnvoyPatchPolicy", "spec": {"jsonPatches": [
            {"operation": {"op": "add", "path": "/typed_config/local_reply_config", "value": config}}]}});
        let mut plugin = without_header();
        plugin["identity"]["metadata"][1] = json!("idp");
        warned(&[patch, extension_policy(&plugin)], codes);
    }
}

/// A configuration that trusts no header.
fn without_header() -> Value {
    let mut plugin = plugin();
    plugin["identity"] = json!({"source": "jwt",
        "metadata": ["envoy.filters.http.jwt_authn", "payload", "email"]});
    plugin
}

fn custom_response(matcher: &Value) -> Value {
    json!({"name": "errors", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.custom_response.v3.CustomResponse",
        "custom_response_matcher": {"matcher_list": {"matchers": [{
            "predicate": {"single_predicate": {"value_match": matcher}}}]}}}})
}

fn mutation(mutations: &Value) -> Value {
    json!({"name": "mutation", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
        "mutations": {"response_mutations": mutations}}})
}

fn cache() -> Value {
    json!({"name": "cache", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.cache.v3.CacheConfig"}})
}

const FILTERS: &[Row] = &[
    (
        "jwt",
        |it| filters(it).insert(0, custom_response(&json!({"exact": "403"}))),
        &["replies_replaced"],
    ),
    ("jwt", |it| filters(it).insert(0, custom_response(&json!({"exact": "404x"}))), &[]),
    ("jwt", |it| filters(it).insert(0, custom_response(&json!({"exact": "500"}))), &[]),
    (
        "jwt",
        |it| filters(it).insert(0, custom_response(&json!({"exact": "4xx"}))),
        &["replies_replaced"],
    ),
    (
        "jwt",
        |it| {
            let of_route = custom_response(&json!({"prefix": "4"}))["typed_config"].take();
            virtual_host(it)["routes"][0]["typed_per_filter_config"]["errors"] = of_route;
        },
        &["replies_replaced"],
    ),
    (
        "jwt",
        |it| filters(it).insert(0, mutation(&json!([{"remove": "Set-Cookie"}]))),
        &["cookies_removed"],
    ),
    ("jwt", |it| filters(it).insert(0, mutation(&json!([{"remove": "server"}]))), &[]),
    (
        "jwt",
        |it| manager(it)["route_config"]["response_headers_to_remove"] = json!(["set-cookie"]),
        &[],
    ),
    ("jwt", |it| filters(it).insert(0, cache()), &["cached_before_filter"]),
    (
        "jwt",
        |it| {
            let end = filters(it).len() - 1;
            filters(it).insert(end, cache())
        },
        &[],
    ),
];

#[test]
fn filters_that_change_the_replies_are_warned_of() {
    every(FILTERS);
}

#[test]
fn a_response_override_is_warned_of_where_it_names_a_status_of_the_filters() {
    let mut plugin = without_header();
    plugin["identity"]["metadata"][1] = json!("idp");
    let exact = |status: u16| json!({"type": "Value", "value": status});
    let range =
        |start: u16, end: u16| json!({"type": "Range", "range": {"start": start, "end": end}});
    let rows = [
        (exact(403), true),
        (exact(503), true),
        (exact(500), false),
        (range(500, 599), true),
        (range(505, 599), false),
    ];
    for (status, is_warned_of) in rows {
        let policy = json!({"kind": "BackendTrafficPolicy", "spec": {"responseOverride": [
            {"match": {"statusCodes": [status]}, "response": {"body": {"inline": "error"}}}]}});
        let codes: &[&str] = if is_warned_of { &["replies_replaced"] } else { &[] };
        warned(&[policy, extension_policy(&plugin)], codes);
    }
}

#[test]
fn the_warning_names_the_exception_to_write() {
    let mut bootstrap = example("jwt");
    manager(&mut bootstrap)["local_reply_config"] =
        json!({"mappers": [mapper(&status("EQ", 403))]});
    let file = crate::files::File::of(&bootstrap);
    let ran = duo_mfa(&["check", file.path()]);
    let line = "  warning replies_replaced: local_reply_config replaces the filter's replies, so \
        nobody can sign in; put the mapper for response.code_details from docs/deploy/envoy.md \
        first";
    assert!(ran.output.contains(line), "{}", ran.output);
}
