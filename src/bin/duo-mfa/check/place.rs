//! Where Istio applies a configuration: to which workloads, and whether the address there is the
//! client's.

use super::Subject;
use super::mesh::objects;
use super::warning::{Code, Warning};
use crate::document::Document;
use crate::plugin::Host;
use crate::value::{at, list_at, text_at};
use duo_mfa::policy::Criterion;
use serde_json::{Map, Value};

/// Kinds of object with a template of pods.
const WORKLOADS: [&str; 4] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"];
/// The label by which Istio marks the pods of a Gateway.
const OF_GATEWAY: &str = "gateway.networking.k8s.io/gateway-name";

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    let is_of_istio = matches!(subject.host, Host::Istio { .. } | Host::Envoy { chain: None, .. });
    let Some(own) = subject.document.value().filter(|_| is_of_istio) else { return Vec::new() };
    let mut warnings = selectors(subject, own);
    warnings.extend(address(subject, own));
    warnings
}

type Labels = Map<String, Value>;

/// The labels by which an object of Istio selects workloads.
fn selector(object: &Value) -> Option<(&Value, &Labels)> {
    let spec = object.get("spec")?;
    let paths = [&["selector", "matchLabels"][..], &["workloadSelector", "labels"]];
    let labels = paths.iter().find_map(|path| at(spec, path))?;
    Some((labels, labels.as_object()?))
}

fn namespace(object: &Value) -> Option<&str> {
    text_at(object, &["metadata", "namespace"])
}

/// The labels of the workloads in a namespace, as far as the files have them.
fn workloads<'d>(documents: &[&'d Document], of: Option<&str>) -> Vec<Labels> {
    let values = documents.iter().filter_map(|document| document.value());
    let here = values.filter(|object| namespace(object) == of);
    let labels = here.filter_map(|object: &'d Value| {
        let kind = text_at(object, &["kind"])?;
        let labels = |path: &[&str]| at(object, path).and_then(Value::as_object).cloned();
        if WORKLOADS.contains(&kind) {
            labels(&["spec", "template", "metadata", "labels"])
        } else if kind == "Pod" {
            labels(&["metadata", "labels"])
        } else if kind == "Gateway" && at(object, &["spec", "gatewayClassName"]).is_some() {
            let mut own = labels(&["spec", "infrastructure", "labels"]).unwrap_or_default();
            own.insert(OF_GATEWAY.to_owned(), at(object, &["metadata", "name"])?.clone());
            Some(own)
        } else {
            None
        }
    });
    labels.collect()
}

/// Reports selectors that select none of the workloads in their namespace: of the configuration, and
/// of the objects around it that select by the same labels.
fn selectors(subject: &Subject<'_>, own: &Value) -> Vec<Warning> {
    let Some((_, wanted)) = selector(own) else { return Vec::new() };
    let workloads = workloads(subject.documents, namespace(own));
    if workloads.is_empty() {
        return Vec::new();
    }
    let around = ["RequestAuthentication", "AuthorizationPolicy", "EnvoyFilter"];
    let around = around.into_iter().flat_map(|kind| objects(subject.documents, kind));
    let has_our_keys = |object: &&Value| {
        let labels = selector(object).map(|(_, labels)| labels);
        !std::ptr::eq(*object, own)
            && namespace(object) == namespace(own)
            && labels.is_some_and(|labels| labels.keys().eq(wanted.keys()))
    };
    let mut warnings = Vec::new();
    for object in std::iter::once(own).chain(around.filter(has_our_keys)) {
        let Some((place, labels)) = selector(object) else { continue };
        let selects = |workload: &Labels| {
            labels.iter().all(|(name, value)| workload.get(name) == Some(value))
        };
        if workloads.iter().any(selects) {
            continue;
        }
        let kind = text_at(object, &["kind"]).unwrap_or("object");
        let problem = format!(
            "the {kind} selects {}, and no workload of its namespace in these files has these \
             labels: it has no effect",
            text(labels)
        );
        let fix = "write the labels of the pods, as `kubectl get pods --show-labels` prints them";
        warnings.push(Warning::new(Code::SelectorMatchesNothing, problem, fix).on(subject, place));
    }
    warnings
}

fn text(labels: &Labels) -> String {
    let pairs = labels.iter().map(|(name, value)| {
        format!("{name}: {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    });
    pairs.collect::<Vec<_>>().join(", ")
}

/// Reports rules on networks where Envoy takes the client's address from a header. At a gateway Istio
/// configures the number of proxies before it; sidecars and waypoints believe every X-Forwarded-For.
fn address(subject: &Subject<'_>, own: &Value) -> Option<Warning> {
    let names_networks = subject.config?.policies.mentions(Criterion::Networks);
    let place = if is_waypoint(subject, own) {
        "a waypoint"
    } else if is_sidecar(own) {
        "a sidecar"
    } else {
        return None;
    };
    names_networks.then(|| {
        let problem = format!(
            "a rule names networks, and {place} takes the client's address from X-Forwarded-For, \
             which the client can write"
        );
        let fix = "put the filter at the gateway, or use users, groups or paths in the rule";
        let rules = list_at(subject.written, &["access_control", "rules"]);
        let rule = rules.iter().position(|rule| rule.get("networks").is_some());
        let path = rule.map(|number| format!("access_control.rules[{number}].networks"));
        Warning::new(Code::AddressNotTrusted, problem, fix).at(path.unwrap_or_default())
    })
}

fn is_waypoint(subject: &Subject<'_>, own: &Value) -> bool {
    let spec = own.get("spec").unwrap_or(&Value::Null);
    let targets = list_at(spec, &["targetRefs"]).iter().chain(at(spec, &["targetRef"]));
    let is_of_waypoint = |target: &Value| match text_at(target, &["kind"]) {
        Some("Service" | "ServiceEntry" | "GatewayClass") => true,
        Some("Gateway") => objects(subject.documents, "Gateway").any(|gateway| {
            text_at(gateway, &["metadata", "name"]) == text_at(target, &["name"])
                && text_at(gateway, &["spec", "gatewayClassName"]) == Some("istio-waypoint")
        }),
        Some(_) | None => false,
    };
    targets.into_iter().any(is_of_waypoint)
}

fn is_sidecar(own: &Value) -> bool {
    let is_at_server = |matches: &Value| text_at(matches, &["mode"]) == Some("SERVER");
    let is_inbound =
        |patch: &Value| text_at(patch, &["match", "context"]) == Some("SIDECAR_INBOUND");
    list_at(own, &["spec", "match"]).iter().any(is_at_server)
        || list_at(own, &["spec", "configPatches"]).iter().any(is_inbound)
        || selector(own).is_some_and(|(_, labels)| {
            // The pods of gateways have labels such as `istio: ingressgateway`.
            !labels.is_empty()
                && !labels.iter().any(|(name, value)| {
                    name == OF_GATEWAY || value.as_str().is_some_and(|it| it.contains("gateway"))
                })
        })
}
