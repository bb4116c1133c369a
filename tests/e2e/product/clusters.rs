//! The clusters of a product's Envoy, which lead to the application and to the simulator.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::stack::Parts;

pub(super) fn app_cluster(parts: &Parts<'_>) -> Value {
    let mut cluster = json!({"name": "app", "type": "STATIC"});
    lead_to(&mut cluster, parts.app);
    cluster
}

pub(super) fn duo_cluster(name: &str, sni: &Value, san: &Value, parts: &Parts<'_>) -> Value {
    let mut cluster = json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "transport_socket": {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "sni": sni,
                "common_tls_context": {"validation_context": {
                    "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": san}}],
                }},
            },
        },
    });
    lead_to_simulator(&mut cluster, parts);
    cluster
}

pub(super) fn lead_to_simulator(cluster: &mut Value, parts: &Parts<'_>) {
    lead_to(cluster, parts.duo.address);
    trust(cluster, parts);
}

pub(super) fn lead_to(cluster: &mut Value, address: SocketAddr) {
    let name = cluster["name"].clone();
    cluster["load_assignment"] = json!({
        "cluster_name": name,
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket(address)}}]}],
    });
}

/// Makes a cluster with TLS trust the simulator's authority.
pub(super) fn trust(cluster: &mut Value, parts: &Parts<'_>) {
    if let Some(socket) = cluster.get_mut("transport_socket") {
        let tls = &mut socket["typed_config"]["common_tls_context"]["validation_context"];
        assert!(tls["match_typed_subject_alt_names"].is_array());
        tls["trusted_ca"] = json!({"filename": parts.duo.authority});
    }
}

pub(super) fn socket(of: SocketAddr) -> Value {
    json!({"socket_address": {"address": of.ip(), "port_value": of.port()}})
}
