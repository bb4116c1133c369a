//! A cluster that does not lead to Duo: each mistake has its warning.

use crate::files::configure;
use crate::warnings::{Row, breakers, every, remove};
use serde_json::{Value, json};

fn duo_tls(bootstrap: &mut Value) -> &mut Value {
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().unwrap();
    let duo = clusters.iter_mut().find(|cluster| cluster["name"] == "duo_api").unwrap();
    &mut duo["transport_socket"]["typed_config"]
}

fn validation(bootstrap: &mut Value) -> &mut Value {
    &mut duo_tls(bootstrap)["common_tls_context"]["validation_context"]
}

fn payments(plugin: &mut Value) -> &mut Value {
    &mut plugin["applications"]["payments"]["duo"]
}

/// Has a rate limit service, whose cluster has these members.
fn limit_by(bootstrap: &mut Value, members: Value) {
    configure(bootstrap, |plugin| {
        let service = json!({"cluster": "rate_limit", "domain": "duo"});
        plugin["limits"] = json!({"rate_limit_service": service});
    });
    let Value::Object(mut cluster) = members else { return };
    cluster.insert("name".to_owned(), json!("rate_limit"));
    cluster.insert("connect_timeout".to_owned(), json!("1s"));
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().unwrap();
    clusters.push(Value::Object(cluster));
}

const CLUSTER: &[Row] = &[
    ("jwt", |it| limit_by(it, json!(null)), &["rate_limit_cluster_missing"]),
    ("jwt", |it| limit_by(it, json!({})), &["rate_limit_without_http2"]),
    ("jwt", |it| limit_by(it, json!({"http2_protocol_options": {}})), &[]),
    (
        "jwt",
        |it| {
            let http2 = json!({"explicit_http_config": {"http2_protocol_options": {}}});
            let kind = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
            limit_by(it, json!({"typed_extension_protocol_options": {kind: http2}}));
        },
        &[],
    ),
    (
        "jwt",
        |it| {
            limit_by(it, json!(null));
            it["dynamic_resources"] = json!({"cds_config": {"ads": {}}});
        },
        &[],
    ),
    // A cluster may be without any time-out.
    (
        "jwt",
        |it| {
            let clusters = it["static_resources"]["clusters"].as_array_mut().unwrap();
            let cluster = clusters.iter_mut().find(|it| it["name"] == "duo_api").unwrap();
            remove(cluster, "connect_timeout");
            remove(cluster, "load_assignment");
            cluster["type"] = json!("EDS");
            cluster["eds_cluster_config"] = json!({"eds_config": {"ads": {}}});
        },
        &[],
    ),
    (
        "jwt",
        |it| configure(it, |plugin| plugin["duo"]["cluster"] = json!("duo")),
        &["cluster_missing"],
    ),
    (
        "jwt",
        |it| {
            configure(it, |plugin| plugin["duo"]["cluster"] = json!("duo"));
            it["dynamic_resources"] = json!({"cds_config": {"ads": {}}});
        },
        &[],
    ),
    (
        "jwt",
        |it| {
            let clusters = it["static_resources"]["clusters"].as_array_mut().unwrap();
            clusters.iter_mut().for_each(|cluster| {
                cluster.as_object_mut().unwrap().remove("transport_socket");
            });
        },
        &["cluster_without_tls"],
    ),
    (
        "applications",
        |it| configure(it, |plugin| payments(plugin)["cluster"] = json!("duo")),
        &["cluster_missing"],
    ),
    (
        "applications",
        |it| configure(it, |plugin| payments(plugin)["cluster"] = json!("duo_api")),
        &["cluster_of_other_host"],
    ),
    ("jwt", |it| breakers(it, &json!(240)), &["cluster_too_narrow"]),
    ("jwt", |it| breakers(it, &json!(241)), &[]),
    (
        "jwt",
        |it| configure(it, |plugin| plugin["duo"]["fail_mode"] = json!("safe")),
        &["cluster_too_narrow"],
    ),
    (
        "jwt",
        |it| {
            configure(it, |plugin| plugin["duo"]["fail_mode"] = json!("safe"));
            breakers(it, &json!(1024));
        },
        &[],
    ),
    ("jwt", |it| remove(duo_tls(it), "sni"), &["cluster_without_sni"]),
    ("jwt", |it| remove(validation(it), "trusted_ca"), &["cluster_not_verified"]),
    (
        "jwt",
        |it| remove(validation(it), "match_typed_subject_alt_names"),
        &["cluster_name_not_verified"],
    ),
    (
        "jwt",
        |it| remove(&mut duo_tls(it)["common_tls_context"], "validation_context"),
        &["cluster_not_verified", "cluster_name_not_verified"],
    ),
    ("jwt", |it| duo_tls(it)["sni"] = json!("api-other.test"), &["cluster_of_other_host"]),
    (
        "jwt",
        |it| {
            validation(it)["match_typed_subject_alt_names"] =
                json!([{"san_type": "DNS", "matcher": {"suffix": ".duosecurity.com"}}]);
        },
        &[],
    ),
    (
        "jwt",
        |it| {
            validation(it)["match_typed_subject_alt_names"][0]["matcher"]["exact"] =
                json!("api-other.test");
        },
        &["cluster_of_other_host"],
    ),
];

#[test]
fn a_cluster_that_does_not_lead_to_duo_is_warned_of() {
    every(CLUSTER);
}
