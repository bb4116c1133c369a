//! The cluster that leads to Duo, as Envoy's file describes it.

use crate::document::Document;
use crate::value::{at, each, extension, list_at, member, text_at};
use serde_json::Value;

/// Members that only a cluster has.
const MARKS: [&str; 5] =
    ["load_assignment", "connect_timeout", "cluster_type", "lb_policy", "eds_cluster_config"];
/// The key of the metadata that names the proxy (Envoy, "Upstream HTTP/1.1 Proxy").
const PROXY_ADDRESS: &str = "envoy.http11_proxy_transport_socket.proxy_address";

/// The first cluster with this name in some documents.
pub(crate) fn cluster<'d>(
    documents: impl IntoIterator<Item = &'d Document>,
    name: &str,
) -> Option<&'d Value> {
    let mut found = None;
    for value in documents.into_iter().filter_map(Document::value) {
        each(value, &mut |value| {
            let is_cluster = MARKS.iter().any(|mark| member(value, mark).is_some());
            if is_cluster && text_at(value, &["name"]) == Some(name) {
                found = found.or(Some(value));
            }
        });
    }
    found
}

/// The `UpstreamTlsContext` of a cluster, also inside other transport sockets, as `http_11_proxy`.
pub(crate) fn tls(cluster: &Value) -> Option<&Value> {
    let (kind, socket) = extension(at(cluster, &["transport_socket", "typed_config"])?)?;
    if kind.ends_with(".UpstreamTlsContext") {
        return Some(socket);
    }
    member(socket, "transport_socket").and_then(|_| tls(socket))
}

/// The first address of a cluster: host and port.
pub(crate) fn address(cluster: &Value) -> Option<(&str, u16)> {
    let localities = list_at(cluster, &["load_assignment", "endpoints"]).iter();
    let mut endpoints = localities.flat_map(|locality| list_at(locality, &["lb_endpoints"]));
    endpoints.find_map(|endpoint| socket_address(at(endpoint, &["endpoint", "address"])?))
}

/// The proxy that a cluster's connections go through, by the transport socket `http_11_proxy`.
pub(crate) fn proxy(cluster: &Value) -> Option<(&str, u16)> {
    let (kind, socket) = extension(at(cluster, &["transport_socket", "typed_config"])?)?;
    if !kind.ends_with(".Http11ProxyUpstreamTransport") {
        return None;
    }
    let localities = list_at(cluster, &["load_assignment", "endpoints"]).iter();
    let of_metadata = |value| {
        let metadata = at(value, &["metadata", "typed_filter_metadata"])?.get(PROXY_ADDRESS)?;
        let (_, address) = extension(metadata)?;
        socket_address(address)
    };
    let mut all = localities.flat_map(|locality| {
        list_at(locality, &["lb_endpoints"]).iter().chain(std::iter::once(locality))
    });
    all.find_map(of_metadata).or_else(|| socket_address(member(socket, "default_proxy_address")?))
}

fn socket_address(address: &Value) -> Option<(&str, u16)> {
    let socket = member(address, "socket_address")?;
    let port = member(socket, "port_value")?.as_u64()?;
    Some((text_at(socket, &["address"])?, u16::try_from(port).ok()?))
}

/// The checks of the server's certificate that a TLS context asks for.
pub(crate) struct Verification<'c> {
    pub(crate) has_authority: bool,
    /// Some of it comes from a secret discovery service.
    pub(crate) is_discovered: bool,
    /// The names of which the certificate must have one; `None` for a pattern.
    pub(crate) names: Vec<Option<&'c str>>,
    /// The `DataSource` of the certificate authorities.
    pub(crate) trusted_ca: Option<&'c Value>,
}

impl<'c> Verification<'c> {
    pub(crate) fn of(tls: &'c Value) -> Self {
        let common = at(tls, &["common_tls_context"]).unwrap_or(&Value::Null);
        let combined = at(common, &["combined_validation_context"]).unwrap_or(&Value::Null);
        let discovered = "validation_context_sds_secret_config";
        let is_discovered =
            member(common, discovered).is_some() || member(combined, discovered).is_some();
        let context = member(common, "validation_context")
            .or_else(|| member(combined, "default_validation_context"))
            .unwrap_or(&Value::Null);
        let has_authority = ["trusted_ca", "system_root_certs", "ca_certificate_provider_instance"]
            .iter()
            .any(|key| member(context, key).is_some());
        let typed = list_at(context, &["match_typed_subject_alt_names"]).iter();
        let typed = typed.map(|name| text_at(name, &["matcher", "exact"]));
        let untyped = list_at(context, &["match_subject_alt_names"]).iter();
        let untyped = untyped.map(|name| text_at(name, &["exact"]));
        Self {
            has_authority: has_authority || is_discovered,
            is_discovered,
            names: typed.chain(untyped).collect(),
            trusted_ca: member(context, "trusted_ca"),
        }
    }
}
