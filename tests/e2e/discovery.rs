//! Files from which a running Envoy reads its resources: listeners, clusters, endpoints.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

pub(crate) const LISTENER: &str = "listener.v3.Listener";
pub(crate) const CLUSTER: &str = "cluster.v3.Cluster";
#[allow(dead_code, reason = "for the tests of e2e")]
pub(crate) const ENDPOINTS: &str = "endpoint.v3.ClusterLoadAssignment";

/// A file in the place of a service.
pub(crate) fn source(file: &Path) -> Value {
    json!({"resource_api_version": "V3", "path_config_source": {"path": file}})
}

/// Has an Envoy with this configuration read resources from a file; `member` is `lds_config` or `cds_config`.
pub(crate) fn subscribe(configuration: &mut Value, member: &str, file: &Path) {
    configuration["node"] = json!({"id": "e2e", "cluster": "e2e"});
    configuration["dynamic_resources"][member] = source(file);
}

/// Replaces the resources in a file. Envoy loads them at once: it sees a file that is moved, and never a part of one.
pub(crate) fn write(file: &Path, kind: &str, resources: &[Value]) {
    let mut resources = resources.to_vec();
    for resource in &mut resources {
        resource["@type"] = json!(format!("type.googleapis.com/envoy.config.{kind}"));
    }
    let next = file.with_extension("next");
    fs::write(&next, json!({"resources": resources}).to_string()).unwrap();
    fs::rename(next, file).unwrap();
}
