//! The cluster for Duo that Istio or Envoy Gateway makes from its objects. Only objects in the
//! given files are checked; missing ones may already be in the Kubernetes cluster.

use super::Subject;
use super::warning::{Code, Warning};
use crate::document::Document;
use crate::value::{at, is_set, list_at, text_at};
use serde_json::Value;

/// Checks a cluster whose name has the form of Istio or Envoy Gateway; `None` for any other name.
pub(super) fn warnings(
    subject: &Subject<'_>,
    name: &str,
    api_host: Option<&str>,
) -> Option<Vec<Warning>> {
    if let Some(of_istio) = name.strip_prefix("outbound|") {
        let (port, host) = (of_istio.split('|').next()?, of_istio.rsplit('|').next()?);
        return Some(of_service(subject.documents, (name, port, host), api_host));
    }
    let mut parts = name.strip_prefix("httproute/")?.split('/');
    let (namespace, route) = (parts.next()?, parts.next()?);
    let rule = parts.nth(1).and_then(|number| number.parse().ok());
    Some(of_route(subject.documents, name, (namespace, route, rule), api_host))
}

/// Whether a control plane makes the cluster with this name.
pub(super) fn is_made(name: &str) -> bool {
    name.starts_with("outbound|") || name.starts_with("httproute/")
}

/// Whether a bootstrap has all clusters of its Envoy, since it gets none from elsewhere.
pub(super) fn has_all_clusters(bootstrap: &Value) -> bool {
    bootstrap.get("static_resources").is_some()
        && at(bootstrap, &["dynamic_resources", "cds_config"]).is_none()
}

/// Checks Istio's cluster of a ServiceEntry.
fn of_service(
    documents: &[&Document],
    (name, port, host): (&str, &str, &str),
    api_host: Option<&str>,
) -> Vec<Warning> {
    // Higress names such a cluster by its registry of DNS names.
    if host.ends_with(".dns") {
        return Vec::new();
    }
    let mut warnings: Vec<_> = other_host(name, host, api_host).into_iter().collect();
    let mut entries = objects(documents, "ServiceEntry").peekable();
    if entries.peek().is_none() {
        return warnings;
    }
    let names = |entry: &Value| {
        let ports = list_at(entry, &["spec", "ports"]);
        let mut numbers = ports.iter().filter_map(|port| port.get("number")?.as_u64());
        let has_port = ports.is_empty() || numbers.any(|number| Ok(number) == port.parse());
        has_port && list_at(entry, &["spec", "hosts"]).iter().any(|it| it == host)
    };
    if !entries.any(names) {
        warnings.push(missing(name, format!("add a ServiceEntry for {host} with port {port}")));
        return warnings;
    }
    let is_meant = |rule: &&Value| text_at(rule, &["spec", "host"]) == Some(host);
    let rule = objects(documents, "DestinationRule").find(is_meant).unwrap_or(&Value::Null);
    let policy = at(rule, &["spec", "trafficPolicy"]).unwrap_or(&Value::Null);
    let of_port = || list_at(policy, &["portLevelSettings"]).iter().find_map(|it| it.get("tls"));
    let tls = policy.get("tls").or_else(of_port).unwrap_or(&Value::Null);
    if !matches!(text_at(tls, &["mode"]), Some("SIMPLE" | "MUTUAL")) {
        let fix = format!("add a DestinationRule for {host} with `tls: {{mode: SIMPLE}}`");
        warnings.push(without_tls(name, fix));
    } else if is_set(tls, &["insecureSkipVerify"]) {
        warnings.push(not_verified(name, "remove insecureSkipVerify from its DestinationRule"));
    }
    let sni = text_at(tls, &["sni"]);
    warnings.extend(sni.and_then(|sni| other_host(name, sni, Some(host))));
    warnings
}

/// Checks Envoy Gateway's cluster of a route.
fn of_route(
    documents: &[&Document],
    name: &str,
    (namespace, route, rule): (&str, &str, Option<usize>),
    api_host: Option<&str>,
) -> Vec<Warning> {
    let mut routes = objects(documents, "HTTPRoute").peekable();
    if routes.peek().is_none() {
        return Vec::new();
    }
    let is_meant = |object: &&Value| {
        text_at(object, &["metadata", "name"]) == Some(route)
            && text_at(object, &["metadata", "namespace"]).is_none_or(|given| given == namespace)
    };
    let rules = routes.find(is_meant).map(|route| list_at(route, &["spec", "rules"]));
    let Some(rule) = rules.zip(rule).and_then(|(rules, number)| rules.get(number)) else {
        let fix = "add its HTTPRoute (rule 0 is the first one) with Duo's API host as backend";
        return vec![missing(name, fix.into())];
    };
    let backends = list_at(rule, &["backendRefs"]).iter();
    let backends: Vec<_> = backends.filter_map(|backend| text_at(backend, &["name"])).collect();
    let is_theirs = |policy: &&Value| {
        let mut targets = list_at(policy, &["spec", "targetRefs"]).iter();
        targets.any(|target| text_at(target, &["name"]).is_some_and(|it| backends.contains(&it)))
    };
    let Some(policy) = objects(documents, "BackendTLSPolicy").find(is_theirs) else {
        let host = api_host.unwrap_or("API-HOST");
        let fix = format!("add a BackendTLSPolicy with `hostname: {host}` for its backend");
        return vec![without_tls(name, fix)];
    };
    let hostname = text_at(policy, &["spec", "validation", "hostname"]);
    hostname.and_then(|hostname| other_host(name, hostname, api_host)).into_iter().collect()
}

/// The objects of a kind in all files.
pub(super) fn objects<'d>(
    documents: &'d [&'d Document],
    kind: &'static str,
) -> impl Iterator<Item = &'d Value> {
    let values = documents.iter().filter_map(|document| document.value());
    values.filter(move |value| text_at(value, &["kind"]) == Some(kind))
}

pub(super) fn other_host(name: &str, given: &str, api_host: Option<&str>) -> Option<Warning> {
    let host = api_host.filter(|host| !host.eq_ignore_ascii_case(given))?;
    let problem = format!("cluster {name} is for {given}, but duo.api_host is {host}");
    Some(Warning::new(Code::ClusterOfOtherHost, problem, "write the same host in both"))
}

pub(super) fn missing(name: &str, fix: String) -> Warning {
    let problem = format!("there is no cluster {name}: the filter cannot call Duo");
    Warning::new(Code::ClusterMissing, problem, fix)
}

pub(super) fn not_verified(name: &str, fix: &'static str) -> Warning {
    let problem = format!("cluster {name} accepts any certificate as Duo's");
    Warning::new(Code::ClusterNotVerified, problem, fix)
}

pub(super) fn without_tls(name: &str, fix: String) -> Warning {
    let problem = format!("cluster {name} has no TLS: calls to Duo are not encrypted");
    Warning::new(Code::ClusterWithoutTls, problem, fix)
}
