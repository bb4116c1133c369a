//! The native filter: `check` reads its configuration wherever it is, and warns of what a dynamic module cannot do.

use crate::files::{File, configure, example, extension_policy, plugin};
use crate::one_host::two;
use crate::run::duo_mfa;
use crate::warnings::{filters, manager, remove, warned};
use serde_json::{Value, json};

const TYPE: &str =
    "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter";
const PATH: &str = "/opt/duo-mfa/0.1.0/libduo_mfa.so";

/// The native filter around the configuration of a wasm filter.
fn native(filter: &mut Value) {
    let configuration = filter["typed_config"]["config"]["configuration"].take();
    filter["typed_config"] = json!({
        "@type": TYPE,
        "filter_name": "duo_mfa",
        "dynamic_module_config": {"module": {"local": {"filename": PATH}}},
        "filter_config": configuration,
    });
}

/// An example with the native filter.
fn native_example(name: &str) -> Value {
    let mut bootstrap = example(name);
    native(ours(&mut bootstrap));
    bootstrap
}

/// The filter in an example.
fn ours(bootstrap: &mut Value) -> &mut Value {
    filters(bootstrap).iter_mut().find(|filter| filter["name"] == "duo_mfa").unwrap()
}

/// The module's settings in an example.
fn module(bootstrap: &mut Value) -> &mut Value {
    &mut ours(bootstrap)["typed_config"]["dynamic_module_config"]
}

/// Changes the plugin configuration of an example's native filter.
fn reconfigure(bootstrap: &mut Value, change: impl FnOnce(&mut Value)) {
    let text = &mut ours(bootstrap)["typed_config"]["filter_config"]["value"];
    let mut plugin = serde_json::from_str(text.as_str().unwrap()).unwrap();
    change(&mut plugin);
    *text = json!(plugin.to_string());
}

fn remote() -> Value {
    json!({"remote": {"sha256": "00",
        "http_uri": {"uri": "https://modules.example.com/libduo_mfa.so", "cluster": "modules", "timeout": "9s"}}})
}

type Row = (&'static str, fn(&mut Value), &'static [&'static str]);

const ROWS: &[Row] = &[
    ("basic-auth", |_| {}, &[]),
    ("mtls", |_| {}, &[]),
    ("metadata", |_| {}, &[]),
    // What is around the filter is looked at as around a wasm filter.
    (
        "basic-auth",
        |it| filters(it).rotate_left(2),
        &["header_not_stripped", "runs_before_first_factor"],
    ),
    ("basic-auth", |it| remove(manager(it), "use_remote_address"), &["address_not_trusted"]),
    // A native filter can always read bodies, and knows all variables.
    ("basic-auth", |it| reconfigure(it, |plugin| plugin["request_bodies"] = json!(true)), &[]),
    // Where the module comes from.
    ("basic-auth", |it| module(it)["module"] = remote(), &["module_fails_open"]),
    (
        "basic-auth",
        |it| {
            module(it)["module"] = remote();
            module(it)["nack_on_cache_miss"] = json!(false);
        },
        &["module_fails_open"],
    ),
    (
        "basic-auth",
        |it| {
            module(it)["module"] = remote();
            module(it)["nack_on_cache_miss"] = json!(true);
        },
        &[],
    ),
    (
        "basic-auth",
        |it| module(it)["module"]["local"]["filename"] = json!("/usr/lib64/libduo_mfa.so"),
        &["module_path_without_version"],
    ),
    ("basic-auth", |it| *module(it) = json!({"name": "duo_mfa"}), &["module_path_without_version"]),
    // What a dynamic module cannot read.
    ("jwt", |_| {}, &["metadata_not_reachable"]),
    (
        "basic-auth",
        |it| {
            reconfigure(it, |plugin| {
                plugin["identity"]["groups"] =
                    json!({"metadata": ["first_factor", "user", "groups"]});
            });
        },
        &[],
    ),
    (
        "basic-auth",
        |it| {
            reconfigure(it, |plugin| {
                plugin["identity"]["groups"] =
                    json!({"metadata": ["first_factor", "user", "groups"]});
                plugin["access_control"]["rules"] =
                    json!([{"groups": ["staff"], "policy": "two_factor", "max_age": "5m"}]);
            });
        },
        &["metadata_not_reachable"],
    ),
    (
        "basic-auth",
        |it| {
            reconfigure(it, |plugin| {
                plugin["session"]["bind"] = json!([{"metadata": ["first_factor", "id"]}, {"metadata": ["first_factor", "device", "id"]}]);
            });
        },
        &["metadata_not_reachable"],
    ),
];

#[test]
fn the_native_filter_is_looked_at_in_envoys_file() {
    for (name, change, codes) in ROWS {
        let mut bootstrap = native_example(name);
        change(&mut bootstrap);
        warned(&[bootstrap], codes);
    }
}

/// Envoy writes a `Struct` as JSON for the module.
#[test]
fn a_struct_is_the_configuration_too() {
    let mut bootstrap = native_example("basic-auth");
    let given = |value: Value| json!({"@type": "type.googleapis.com/google.protobuf.Struct", "value": value});
    ours(&mut bootstrap)["typed_config"]["filter_config"] = given(plugin());
    warned(&[bootstrap.clone()], &[]);

    let mut faulty = plugin();
    faulty["duo"]["clutser"] = json!("duo_api");
    ours(&mut bootstrap)["typed_config"]["filter_config"] = given(faulty);
    let file = File::of(&bootstrap);
    let ran = duo_mfa(&["check", file.path()]);
    assert_eq!((ran.status, ran.faults()), (1, vec!["unknown_key"]), "{ran:#?}");
}

#[test]
fn explain_reads_the_native_filter() {
    let file = File::of(&native_example("basic-auth"));
    let ran = duo_mfa(&["explain", file.path(), "--path", "/reports"]);
    assert_eq!(ran.status, 0, "{ran:#?}");
    assert!(ran.output.contains("policy: two_factor"), "{ran:#?}");
}

/// An EnvoyFilter, where the module's type may be inside a `TypedStruct`.
#[test]
fn the_native_filter_is_looked_at_in_an_envoy_filter() {
    let config = json!({
        "filter_name": "duo_mfa",
        "dynamic_module_config": {"module": remote()},
        "filter_config": {
            "@type": "type.googleapis.com/google.protobuf.StringValue",
            "value": plugin().to_string()
        }
    });
    let mut typed = config.clone();
    typed["@type"] = json!(TYPE);
    let within = json!({"@type": "type.googleapis.com/xds.type.v3.TypedStruct", "type_url": TYPE,
        "value": config});
    for typed_config in [typed, within] {
        let value = json!({"name": "duo_mfa", "typed_config": typed_config});
        let filter = json!({"kind": "EnvoyFilter", "spec": {"configPatches": [
            {"applyTo": "HTTP_FILTER", "patch": {"operation": "INSERT_BEFORE", "value": value}}]}});
        warned(&[filter], &["header_not_stripped", "module_fails_open"]);
    }
}

/// An EnvoyExtensionPolicy names the module; the EnvoyProxy says where it is.
#[test]
fn the_native_filter_is_looked_at_in_envoy_gateways_objects() {
    let mut stripped = plugin();
    stripped["identity"] = json!({"source": "mtls", "certificate": "san_uri"});
    let mut policy = extension_policy(&stripped);
    policy["spec"] = json!({"dynamicModule": [{"name": "duo-mfa", "filterName": "duo_mfa", "config": stripped}]});
    let proxy = |name: &str, source: Value| {
        json!({"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyProxy",
            "spec": {"dynamicModules": [{"name": name, "source": source}]}})
    };
    let local = |path: &str| json!({"type": "Local", "local": {"path": path}});
    let remote = json!({"type": "Remote", "remote": {"url": "https://modules.example.com/m.so", "sha256": "00"}});
    warned(&[policy.clone()], &[]);
    for (proxy, codes) in [
        (proxy("duo-mfa", local(PATH)), &[][..]),
        (proxy("duo-mfa", local("/opt/libduo_mfa.so")), &["module_path_without_version"]),
        (proxy("duo-mfa", remote.clone()), &["module_fails_open"]),
        (proxy("other", remote), &[]),
    ] {
        warned(&[proxy, policy.clone()], codes);
    }
}

/// A wasm module and a library each have a table of limits, and so has each path of a library.
#[test]
fn limits_in_two_tables_are_warned_of() {
    // A claim that both can read.
    let flat = |it: &mut Value| {
        configure(it, |plugin| {
            plugin["identity"] = json!({"source": "metadata", "metadata": ["envoy.filters.http.jwt_authn", "email"]});
        });
    };
    let second_native = |path: &'static str| {
        let mut both = two(|second| {
            flat(second);
            native(ours(second));
            module(second)["module"]["local"]["filename"] = json!(path);
        });
        flat(&mut both);
        both
    };
    let both_native = |path: &'static str| {
        let mut both = second_native(path);
        native(ours(&mut both));
        both
    };
    warned(&[both_native(PATH)], &[]);
    warned(&[both_native("/opt/duo-mfa/0.2.0/libduo_mfa.so")], &["limits_apart"; 2]);
    warned(&[second_native(PATH)], &["limits_apart"; 2]);
}
