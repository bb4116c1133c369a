//! The cluster through which the filter calls Duo.

use super::Subject;
use super::mesh;
use super::warning::{Code, Warning};
use crate::plugin::Host;
use crate::upstream::{self, Verification};
use crate::value::{at, is_set, list_at, member, text_at};
use duo_mfa::policy::FailMode;
use serde_json::Value;
use std::iter;

/// The filter's default cluster name.
const DEFAULT: &str = "duo_api";
/// Envoy's default.
const DEFAULT_CONNECTIONS: usize = 1024;
/// The names of the key for the API host under `duo`.
const API_HOST: [&str; 3] = ["api_host", "hostname", "host"];

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    if !subject.is_readable() {
        return Vec::new();
    }
    let main = at(subject.written, &["duo"]).unwrap_or(&Value::Null);
    let usual = text_at(main, &["cluster"]).unwrap_or(DEFAULT);
    let others = at(subject.written, &["applications"]).and_then(Value::as_object);
    let others = others.into_iter().flat_map(|named| named.values());
    let all = iter::once(main).chain(others.filter_map(|other| member(other, "duo")));
    let mut called = Vec::new();
    for duo in all {
        let name = text_at(duo, &["cluster"]).unwrap_or(usual);
        let api_host = API_HOST.iter().find_map(|key| text_at(duo, &[key]));
        if !called.contains(&(name, api_host)) {
            called.push((name, api_host));
        }
    }
    called.into_iter().flat_map(|(name, api_host)| of(subject, name, api_host)).collect()
}

fn of(subject: &Subject<'_>, name: &str, api_host: Option<&str>) -> Vec<Warning> {
    if let Some(warnings) = mesh::warnings(subject, name, api_host) {
        return warnings;
    }
    // The filter's own document comes first.
    let documents = iter::once(&subject.document).chain(subject.documents).copied();
    match upstream::cluster(documents, name) {
        Some(cluster) => {
            let mut warnings = of_cluster(cluster, name, api_host);
            warnings.extend(too_narrow(subject, cluster, name));
            warnings.into_iter().map(|warning| warning.on(subject, cluster)).collect()
        }
        None => missing(subject, name).into_iter().collect(),
    }
}

/// Reports a missing cluster. Only a bootstrap that gets no clusters from elsewhere can show that
/// there is none.
fn missing(subject: &Subject<'_>, name: &str) -> Option<Warning> {
    let Host::Envoy { .. } = subject.host else { return None };
    let is_static = mesh::has_all_clusters(subject.document.value()?);
    let fix = "add it to static_resources.clusters, or name another cluster in duo.cluster";
    // The module itself reports an empty name.
    (is_static && !name.is_empty()).then(|| mesh::missing(name, fix.to_owned()).cannot_work())
}

fn of_cluster(cluster: &Value, name: &str, api_host: Option<&str>) -> Vec<Warning> {
    let Some(tls) = upstream::tls(cluster) else {
        let fix = "add a transport_socket with an UpstreamTlsContext";
        return vec![mesh::without_tls(name, fix.to_owned())];
    };
    let options = at(cluster, &["typed_extension_protocol_options"]).and_then(Value::as_object);
    let follows_host = |what: &str| {
        let mut options = options.into_iter().flatten();
        options.any(|(_, options)| is_set(options, &["upstream_http_protocol_options", what]))
    };
    let sni = text_at(tls, &["sni"]);
    let has_sni = sni.is_some() || follows_host("auto_sni") || is_set(tls, &["auto_host_sni"]);
    let verification = Verification::of(tls);
    let names_follow =
        follows_host("auto_san_validation") || is_set(tls, &["auto_sni_san_validation"]);

    let mut warnings = Vec::new();
    let host = api_host.unwrap_or("API-HOST");
    if !has_sni {
        let problem = format!("cluster {name} sends no server name (SNI) in the TLS handshake");
        let fix = format!("write `sni: {host}` in its UpstreamTlsContext");
        warnings.push(Warning::new(Code::ClusterWithoutSni, problem, fix));
    }
    if !verification.has_authority {
        warnings.push(mesh::not_verified(name, "write `trusted_ca` in its validation_context"));
    }
    if verification.names.is_empty() && !verification.is_discovered && !names_follow {
        warnings.push(Warning::new(
            Code::ClusterNameNotVerified,
            format!("cluster {name} accepts a certificate of any host as Duo's"),
            format!(
                "write `match_typed_subject_alt_names: [{{san_type: DNS, matcher: {{exact: \
                 {host}}}}}]` in its validation_context"
            ),
        ));
    }
    let is_other = |given: &str| api_host.is_some_and(|host| !given.eq_ignore_ascii_case(host));
    // A pattern may match the host; if there are several names, one match is enough.
    let names: Option<Vec<_>> = verification.names.into_iter().collect();
    let names = names.filter(|names| names.iter().all(|name| is_other(name)));
    let wrong_name = names.and_then(|names| names.first().copied());
    let other = sni.filter(|sni| is_other(sni)).or(wrong_name);
    warnings.extend(other.and_then(|other| mesh::other_host(name, other, api_host)));
    warnings
}

/// Whether the circuit breaker leaves too little room for the calls of the filter's requests. That
/// is so if it is narrower than the calls of one worker, or if nobody has set it although a failed
/// call may admit a user (`fail_mode: safe`).
fn too_narrow(subject: &Subject<'_>, cluster: &Value, name: &str) -> Option<Warning> {
    let config = subject.config?;
    let calls = config.capacity.calls;
    let thresholds = list_at(cluster, &["circuit_breakers", "thresholds"]).iter();
    let of_default = |it: &&Value| text_at(it, &["priority"]).is_none_or(|text| text == "DEFAULT");
    let most = thresholds.filter(of_default).find_map(|it| at(it, &["max_connections"])?.as_u64());
    let is_safe = config.applications.iter().any(|it| it.duo.fail_mode == FailMode::Safe)
        || config.policies.rules.iter().any(|rule| rule.terms.fail_mode == Some(FailMode::Safe));
    let fix = format!(
        "write max_connections in its circuit_breakers: above limits.calls, {calls}, times the \
         number of workers"
    );
    let problem = match most.map(|most| usize::try_from(most).unwrap_or(usize::MAX)) {
        Some(most) if most <= calls => format!(
            "cluster {name} takes {most} connections, and one worker may have {calls} calls under \
             way: other workers and the check of Duo find no room"
        ),
        None if is_safe => format!(
            "fail_mode is safe, and cluster {name} has Envoy's default circuit breaker of \
             {DEFAULT_CONNECTIONS} connections for all workers"
        ),
        Some(_) | None => return None,
    };
    Some(Warning::new(Code::ClusterTooNarrow, problem, fix))
}
