//! The cluster of the rate limit service, in Envoy's own file.

use super::Subject;
use super::mesh;
use super::warning::{Code, Warning};
use crate::plugin::Host;
use crate::upstream;
use crate::value::{at, member, text_at};
use serde_json::Value;
use std::iter;

/// The key with the name of the cluster.
const KEY: &str = "limits.rate_limit_service.cluster";

pub(super) fn warnings(subject: &Subject<'_>) -> Option<Warning> {
    let name = text_at(subject.written, &["limits", "rate_limit_service", "cluster"])?;
    // The control plane makes such a cluster, by the name of the service's port.
    if mesh::is_made(name) {
        return None;
    }
    // The filter's own document comes first.
    let documents = iter::once(&subject.document).chain(subject.documents).copied();
    match upstream::cluster(documents, name) {
        Some(cluster) if speaks_http2(cluster) => None,
        Some(cluster) => {
            let problem = format!(
                "cluster {name} has no HTTP/2, which gRPC needs: the rate limit service never answers"
            );
            let fix = "write explicit_http_config with http2_protocol_options in its \
                       typed_extension_protocol_options";
            let warning = Warning::new(Code::RateLimitWithoutHttp2, problem, fix);
            Some(warning.at(KEY).on(subject, cluster))
        }
        None => missing(subject, name),
    }
}

/// Reports a missing cluster. Only a bootstrap that gets no clusters from elsewhere can show that
/// there is none.
fn missing(subject: &Subject<'_>, name: &str) -> Option<Warning> {
    let Host::Envoy { .. } = subject.host else { return None };
    let is_static = mesh::has_all_clusters(subject.document.value()?);
    let problem = format!("there is no cluster {name}: the rate limit service is never asked");
    let fix = "add it to static_resources.clusters, or name another cluster";
    let warning = Warning::new(Code::RateLimitClusterMissing, problem, fix).at(KEY);
    // The module itself reports an empty name.
    (is_static && !name.is_empty()).then_some(warning)
}

fn speaks_http2(cluster: &Value) -> bool {
    let options = at(cluster, &["typed_extension_protocol_options"]).and_then(Value::as_object);
    let mut options = options.into_iter().flat_map(|options| options.values());
    member(cluster, "http2_protocol_options").is_some()
        || options.any(|it| {
            let explicit = ["explicit_http_config", "http2_protocol_options"];
            at(it, &explicit).is_some() || member(it, "auto_config").is_some()
        })
}
