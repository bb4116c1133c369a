//! Warnings about the files around a configuration: each mistake has one, and nothing else does.

use crate::files::{File, MANAGER, configure, example, filter_config};
use crate::run::duo_mfa;
use serde_json::{Value, json};

pub(crate) fn warned(files: &[Value], codes: &[&str]) {
    let files: Vec<_> = files.iter().map(File::of).collect();
    let mut arguments = vec!["check"];
    arguments.extend(files.iter().map(File::path));
    let ran = duo_mfa(&arguments);
    let sorted = |mut codes: Vec<&str>| {
        codes.sort_unstable();
        codes.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(sorted(ran.found()), sorted(codes.to_vec()), "{ran:#?}");
    assert_eq!(ran.status, i32::from(!ran.faults().is_empty()), "{ran:#?}");
    arguments.push("--strict");
    let status = i32::from(!codes.is_empty());
    assert_eq!(duo_mfa(&arguments).status, status, "{codes:?}");
}

/// An example with one change, and the warning that it is to get.
pub(crate) type Row = (&'static str, fn(&mut Value), &'static [&'static str]);

pub(crate) fn manager(bootstrap: &mut Value) -> &mut Value {
    bootstrap.pointer_mut(MANAGER).unwrap()
}

pub(crate) fn filters(bootstrap: &mut Value) -> &mut Vec<Value> {
    manager(bootstrap)["http_filters"].as_array_mut().unwrap()
}

pub(crate) fn without(bootstrap: &mut Value, name: &str) {
    filters(bootstrap).retain(|filter| filter["name"] != name);
}

fn filter<'b>(bootstrap: &'b mut Value, name: &str) -> &'b mut Value {
    filters(bootstrap).iter_mut().find(|filter| filter["name"] == name).unwrap()
}

const FILTER_CONFIG: &str = "type.googleapis.com/envoy.config.route.v3.FilterConfig";

pub(crate) fn virtual_host(bootstrap: &mut Value) -> &mut Value {
    &mut manager(bootstrap)["route_config"]["virtual_hosts"][0]
}

/// Switches a filter off on a route or a virtual host.
fn off(route: &mut Value, filter: &str) {
    route["typed_per_filter_config"][filter] = json!({"@type": FILTER_CONFIG, "disabled": true});
}

/// Has the header taken off by basic_auth alone, and switches that off together with this filter.
fn both_off(bootstrap: &mut Value) {
    without(bootstrap, "strip");
    off(virtual_host(bootstrap), "envoy.filters.http.basic_auth");
    off(virtual_host(bootstrap), "duo_mfa");
}

/// Has the circuit breaker of Duo's cluster take so many connections.
pub(crate) fn breakers(bootstrap: &mut Value, most: &Value) {
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().unwrap();
    let duo = clusters.iter_mut().find(|cluster| cluster["name"] == "duo_api").unwrap();
    duo["circuit_breakers"] = json!({"thresholds": [{"max_connections": most}]});
}

pub(crate) fn remove(value: &mut Value, key: &str) {
    value.as_object_mut().unwrap().remove(key).unwrap();
}

const FIRST_FACTOR: &[Row] = &[
    ("basic-auth", |it| without(it, "strip"), &[]),
    ("basic-auth", |it| without(it, "envoy.filters.http.basic_auth"), &[]),
    (
        "basic-auth",
        |it| {
            without(it, "strip");
            without(it, "envoy.filters.http.basic_auth");
        },
        &["header_not_stripped"],
    ),
    (
        "basic-auth",
        |it| filters(it).rotate_left(2),
        &["header_not_stripped", "runs_before_first_factor"],
    ),
    (
        "basic-auth",
        |it| configure(it, |plugin| plugin["identity"]["header"] = json!("x-other-user")),
        &["header_not_stripped"],
    ),
    (
        "basic-auth",
        |it| configure(it, |plugin| plugin["identity"]["groups"] = json!({"header": "x-groups"})),
        &["header_not_stripped"],
    ),
    (
        "basic-auth",
        |it| {
            without(it, "strip");
            without(it, "envoy.filters.http.basic_auth");
            manager(it)["route_config"]["request_headers_to_remove"] = json!(["x-basic-user"]);
        },
        &["header_not_stripped"],
    ),
    (
        "basic-auth",
        |it| {
            without(it, "strip");
            filter(it, "envoy.filters.http.basic_auth")["disabled"] = json!(true);
        },
        &["header_not_stripped"],
    ),
    // Switched off on a route: alone, together with this filter, and this one on again below.
    (
        "basic-auth",
        |it| {
            without(it, "strip");
            off(&mut virtual_host(it)["routes"][0], "envoy.filters.http.basic_auth");
        },
        &["header_not_stripped"],
    ),
    (
        "basic-auth",
        |it| off(&mut virtual_host(it)["routes"][0], "envoy.filters.http.basic_auth"),
        &[],
    ),
    ("basic-auth", |it| both_off(it), &["own_headers_not_stripped"]),
    (
        "basic-auth",
        |it| {
            both_off(it);
            virtual_host(it)["routes"][0]["typed_per_filter_config"]["duo_mfa"] =
                json!({"@type": FILTER_CONFIG, "config": {}});
        },
        &["header_not_stripped"],
    ),
    ("oauth2-proxy", |it| without(it, "strip"), &["header_not_stripped"]),
    ("jwt", |it| without(it, "envoy.filters.http.jwt_authn"), &["jwt_filter_missing"]),
    ("jwt", |it| filters(it).rotate_left(1), &["runs_before_first_factor"]),
    (
        "jwt",
        |it| {
            let jwt = filter(it, "envoy.filters.http.jwt_authn");
            remove(&mut jwt["typed_config"]["providers"]["idp"], "payload_in_metadata");
        },
        &["jwt_payload_missing"],
    ),
    (
        "jwt",
        |it| {
            configure(it, |plugin| {
                plugin["identity"]["metadata"] = json!(["jwt_payload", "email"]);
            });
        },
        &["jwt_payload_missing"],
    ),
    (
        "jwt",
        |it| {
            configure(it, |plugin| {
                plugin["identity"] = json!({"source": "header", "header": "x-email"});
            });
            let jwt = filter(it, "envoy.filters.http.jwt_authn");
            jwt["typed_config"]["providers"]["idp"]["claim_to_headers"] =
                json!([{"header_name": "x-email", "claim_name": "email"}]);
        },
        &[],
    ),
    ("metadata", |it| without(it, "envoy.filters.http.ext_authz"), &["metadata_filter_missing"]),
    (
        "mtls",
        |it| {
            let chain = &mut it["static_resources"]["listeners"][0]["filter_chains"][0];
            remove(&mut chain["transport_socket"]["typed_config"], "require_client_certificate");
        },
        &["certificate_not_required"],
    ),
    (
        "mtls",
        |it| {
            let chain = &mut it["static_resources"]["listeners"][0]["filter_chains"][0];
            let tls = &mut chain["transport_socket"]["typed_config"];
            tls["common_tls_context"]["validation_context"]["trust_chain_verification"] =
                json!("ACCEPT_UNTRUSTED");
        },
        &["certificate_not_verified"],
    ),
];

const AROUND: &[Row] = &[
    (
        "basic-auth",
        |it| configure(it, |plugin| plugin["identity"]["username"] = json!("{local}")),
        &["names_joined"],
    ),
    (
        "basic-auth",
        |it| {
            configure(it, |plugin| {
                plugin["identity"]["username"] = json!("{local}");
                plugin["identity"]["normalize"] = json!([{"strip_domain": ["corp.example.com"]}]);
            });
        },
        &[],
    ),
    ("jwt", |it| filter_config(it)["failure_policy"] = json!("FAIL_OPEN"), &["fails_open"]),
    ("jwt", |it| filter_config(it)["fail_open"] = json!(true), &["fails_open"]),
    ("jwt", |it| remove(filter_config(it), "failure_policy"), &["fails_for_good"]),
    (
        "jwt",
        |it| {
            filter_config(it)["vm_config"]["environment_variables"]["host_env_keys"] =
                json!(["DUO_SECRET_KEY"]);
        },
        &["variable_not_passed"],
    ),
    (
        "jwt",
        |it| {
            filter_config(it)["vm_config"]["environment_variables"]["key_values"] =
                json!({"DUO_SECRET_KEY": "x"});
        },
        &["variable_in_plain_sight"],
    ),
    (
        "jwt",
        |it| configure(it, |plugin| plugin["request_bodies"] = json!(true)),
        &["request_bodies_not_held"],
    ),
    (
        "jwt",
        |it| filter_config(it)["allow_on_headers_stop_iteration"] = json!(true),
        &["request_bodies_not_read"],
    ),
    (
        "jwt",
        |it| {
            filter_config(it)["allow_on_headers_stop_iteration"] = json!(true);
            configure(it, |plugin| plugin["request_bodies"] = json!(true));
        },
        &[],
    ),
    ("jwt", |it| remove(manager(it), "use_remote_address"), &["address_not_trusted"]),
    ("jwt", |it| manager(it)["stream_idle_timeout"] = json!("60s"), &["idle_timeout_too_short"]),
    ("jwt", |it| remove(manager(it), "stream_idle_timeout"), &[]),
    ("jwt", |it| manager(it)["stream_idle_timeout"] = json!("0s"), &[]),
    (
        "jwt",
        |it| {
            manager(it)["stream_idle_timeout"] = json!("30s");
            configure(it, |plugin| plugin["api"] = json!({"mode": "refuse"}));
        },
        &[],
    ),
    (
        "jwt",
        |it| {
            let route = &mut manager(it)["route_config"]["virtual_hosts"][0]["routes"][0]["route"];
            route["idle_timeout"] = json!("10s");
        },
        &["idle_timeout_too_short"],
    ),
    (
        "jwt",
        |it| {
            manager(it)["common_http_protocol_options"] = json!({"max_stream_duration": "30s"});
        },
        &["stream_duration_too_short"],
    ),
    (
        "jwt",
        |it| configure(it, |plugin| plugin["mode"] = json!("report_only")),
        &["nobody_is_asked"],
    ),
    (
        "jwt",
        |it| configure(it, |plugin| plugin["access_control"]["default_policy"] = json!("bypass")),
        &["nobody_is_asked"],
    ),
    (
        "jwt",
        |it| {
            configure(it, |plugin| {
                plugin["access_control"]["rules"] = json!([
                    {"networks": ["0.0.0.0/0", "::/0"], "policy": "bypass"},
                    {"paths": ["/*", "!/admin"], "policy": "bypass"},
                    {"paths": ["/*"], "policy": "two_factor"},
                ]);
            });
        },
        &["nobody_is_asked"],
    ),
    (
        "jwt",
        |it| configure(it, |plugin| plugin["allow_inline_secrets"] = json!(true)),
        &["inline_secrets_allowed"],
    ),
];

#[test]
fn a_first_factor_that_cannot_be_trusted_is_warned_of() {
    every(FIRST_FACTOR);
}

#[test]
fn a_host_that_does_not_fit_is_warned_of() {
    every(AROUND);
}

pub(crate) fn every(rows: &[Row]) {
    for (name, change, codes) in rows {
        let mut bootstrap = example(name);
        change(&mut bootstrap);
        warned(&[bootstrap], codes);
    }
}
