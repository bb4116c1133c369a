//! Warnings about the objects of Istio and Envoy Gateway around a configuration.

use crate::files::{extension_policy, plugin, wasm_plugin};
use crate::warnings::{remove, warned};
use serde_json::{Value, json};

/// A change to the object of a control plane, and the warnings that it is to get.
type Object = (fn(&mut Value), &'static [&'static str]);

const OF_ISTIO: &[Object] = &[
    (|_| {}, &[]),
    (|it| it["phase"] = json!("AUTHN"), &["runs_before_first_factor"]),
    (|it| it["failStrategy"] = json!("FAIL_OPEN"), &["fails_open"]),
    (|it| remove(it, "failStrategy"), &["fails_for_good"]),
    (|it| remove(it, "vmConfig"), &["variable_not_passed", "variable_not_passed"]),
    (
        |it| it["vmConfig"]["env"][0] = json!({"name": "DUO_SECRET_KEY", "value": "x"}),
        &["variable_in_plain_sight"],
    ),
    (|it| it["pluginConfig"]["request_bodies"] = json!(true), &["request_bodies_not_held"]),
];

const OF_GATEWAY: &[Object] = &[
    (|_| {}, &[]),
    (|it| it["wasm"][0]["failOpen"] = json!(true), &["fails_open"]),
    (|it| it["wasm"][0]["env"]["hostKeys"] = json!(["DUO_SECRET_KEY"]), &["variable_not_passed"]),
    (|it| it["wasm"][0]["config"]["request_bodies"] = json!(true), &["request_bodies_not_held"]),
];

#[test]
fn a_control_planes_object_is_looked_at_as_a_host() {
    let mut plugin = plugin();
    plugin["identity"] = json!({"source": "jwt",
        "metadata": ["envoy.filters.http.jwt_authn", "payload", "email"]});
    for (change, codes) in OF_ISTIO {
        let mut object = wasm_plugin(&plugin);
        change(&mut object["spec"]);
        warned(&[object], codes);
    }
    plugin["identity"]["metadata"][1] = json!("idp");
    for (change, codes) in OF_GATEWAY {
        let mut object = extension_policy(&plugin);
        change(&mut object["spec"]);
        warned(&[object], codes);
    }
}

const ISTIO: &[Object] = &[
    (|_| {}, &[]),
    (
        |it| it["plugin"]["duo"]["cluster"] = json!("outbound|443||api-other.test"),
        &["cluster_of_other_host", "cluster_missing"],
    ),
    (|it| it["entry"]["spec"]["hosts"] = json!(["api-other.test"]), &["cluster_missing"]),
    (|it| it["entry"]["spec"]["ports"] = json!([{"number": 443}]), &[]),
    (|it| it["entry"]["spec"]["ports"] = json!([{"number": 80}]), &["cluster_missing"]),
    (
        |it| it["plugin"]["identity"]["metadata"] = json!(["payload", "email"]),
        &["jwt_payload_missing"],
    ),
    (|it| it["rule"]["spec"]["host"] = json!("api-other.test"), &["cluster_without_tls"]),
    (
        |it| it["rule"]["spec"]["trafficPolicy"]["tls"]["mode"] = json!("DISABLE"),
        &["cluster_without_tls"],
    ),
    (
        |it| it["rule"]["spec"]["trafficPolicy"]["tls"]["insecureSkipVerify"] = json!(true),
        &["cluster_not_verified"],
    ),
    (
        |it| it["rule"]["spec"]["trafficPolicy"]["tls"]["sni"] = json!("api-other.test"),
        &["cluster_of_other_host"],
    ),
    (|it| it["plugin"]["identity"]["metadata"][1] = json!("idp"), &["jwt_payload_missing"]),
    // What is not in the files may be in the cluster.
    (|it| it["entry"] = json!({}), &[]),
];

const GATEWAY: &[Object] = &[
    (|_| {}, &[]),
    (|it| it["route"]["metadata"]["name"] = json!("other"), &["cluster_missing"]),
    (
        |it| it["plugin"]["duo"]["cluster"] = json!("httproute/default/duo-api/rule/1"),
        &["cluster_missing"],
    ),
    (|it| it["tls"]["spec"]["targetRefs"] = json!([]), &["cluster_without_tls"]),
    (
        |it| it["tls"]["spec"]["validation"]["hostname"] = json!("api-other.test"),
        &["cluster_of_other_host"],
    ),
    (|it| it["plugin"]["identity"]["metadata"][1] = json!("payload"), &["jwt_payload_missing"]),
    (|it| it["route"] = json!({}), &[]),
    (|it| it["security"] = json!({}), &[]),
];

/// The control plane makes clusters of its objects. The objects among the checked files are read as such.
#[test]
fn a_cluster_that_is_made_of_objects_is_looked_at_in_them() {
    let host = "api-xxxxxxxx.duosecurity.com";
    let mut plugin = plugin();
    plugin["identity"] = json!({"source": "jwt",
        "metadata": ["envoy.filters.http.jwt_authn", "payload", "email"]});
    plugin["duo"]["cluster"] = json!(format!("outbound|443||{host}"));
    for (change, codes) in ISTIO {
        let mut objects = json!({
            "plugin": plugin,
            "entry": {"kind": "ServiceEntry", "spec": {"hosts": [host]}},
            "rule": {"kind": "DestinationRule", "spec": {"host": host,
                "trafficPolicy": {"tls": {"mode": "SIMPLE", "sni": host}}}},
        });
        change(&mut objects);
        let plugin = wasm_plugin(&objects["plugin"]);
        warned(&[objects["entry"].clone(), objects["rule"].clone(), plugin], codes);
    }
    plugin["identity"]["metadata"][1] = json!("idp");
    plugin["duo"]["cluster"] = json!("httproute/default/duo-api/rule/0");
    for (change, codes) in GATEWAY {
        let mut objects = json!({
            "plugin": plugin,
            "route": {"kind": "HTTPRoute", "metadata": {"name": "duo-api", "namespace": "default"},
                "spec": {"rules": [{"backendRefs": [{"kind": "Backend", "name": "duo-api"}]}]}},
            "tls": {"kind": "BackendTLSPolicy", "spec": {
                "targetRefs": [{"kind": "Backend", "name": "duo-api"}],
                "validation": {"hostname": host, "wellKnownCACertificates": "System"}}},
            "security": {"kind": "SecurityPolicy", "spec": {"jwt": {"providers": [{"name": "idp"}]}}},
        });
        change(&mut objects);
        let others = ["route", "tls", "security"].map(|name| objects[name].clone());
        let plugin = extension_policy(&objects["plugin"]);
        warned(&[&others[..], &[plugin]].concat(), codes);
    }
}

/// The object that strips the header may be in another file.
#[test]
fn a_header_that_another_object_strips_is_not_warned_of() {
    let strips = |remove: &str| {
        json!({"kind": "EnvoyFilter", "spec": {"configPatches": [{"patch": {"value": {
            "name": "strip",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
                "mutations": {"request_mutations": [{"remove": remove}]}}
        }}}]}})
    };
    let early = |remove: &str| {
        json!({"kind": "ClientTrafficPolicy",
            "spec": {"headers": {"earlyRequestHeaders": {"remove": [remove]}}}})
    };
    for object in [wasm_plugin(&plugin()), extension_policy(&plugin())] {
        warned(std::slice::from_ref(&object), &["header_not_stripped"]);
        for other in [strips("x-other"), early("x-other")] {
            warned(&[object.clone(), other], &["header_not_stripped"]);
        }
        for other in [strips("X-Basic-User"), early("x-basic-user")] {
            warned(&[other, object.clone()], &[]);
        }
    }
}
