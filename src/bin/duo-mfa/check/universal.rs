//! Traps of Duo's Universal Prompt. A browser leaves for Duo's page, and has to come back by a
//! navigation from another site, to a host that this Envoy serves by HTTPS.

mod access_log;
mod strict_cookie;

use super::Subject;
use super::one_host::{self, overlap};
use super::warning::{Code, Warning};
use crate::plugin::{Chain, Host};
use crate::value::{at, each, is_set, list_at, member, text_at};
use serde_json::Value;

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    if !is_used(subject) {
        return Vec::new();
    }
    let mut warnings: Vec<_> = strict_cookie::warning(subject).into_iter().collect();
    warnings.extend(unserved(subject));
    warnings
}

/// Facts that may be intended. They do not change the exit status.
pub(super) fn notes(subject: &Subject<'_>) -> Vec<Warning> {
    let Host::Envoy { chain: Some(chain), .. } = subject.host else { return Vec::new() };
    if !is_used(subject) {
        return Vec::new();
    }
    [no_tls(subject, &chain), access_log::note(&chain)].into_iter().flatten().collect()
}

/// Whether browsers of some application are sent to Duo's page.
fn is_used(subject: &Subject<'_>) -> bool {
    let mut applications = subject.config.into_iter().flat_map(|it| it.applications.iter());
    applications.any(|it| it.duo.universal().is_some())
}

/// Each host that a browser may come back to, with its path in the configuration.
fn hosts<'v>(subject: &Subject<'v>) -> Vec<(String, &'v str)> {
    let mut sections =
        vec![("duo.universal".to_owned(), at(subject.written, &["duo", "universal"]))];
    let named = member(subject.written, "applications").and_then(Value::as_object);
    sections.extend(named.into_iter().flatten().map(|(name, value)| {
        (format!("applications.{name}.duo.universal"), at(value, &["duo", "universal"]))
    }));
    let of_section = |(path, section): (String, Option<&'v Value>)| {
        let list = section.map_or(&[][..], |section| list_at(section, &["hosts"]));
        let hosts = list.iter().filter_map(Value::as_str).enumerate();
        hosts.map(move |(index, host)| (format!("{path}.hosts[{index}]"), host)).collect::<Vec<_>>()
    };
    sections.into_iter().flat_map(of_section).collect()
}

/// The hosts that no virtual host serves, in any of the files.
fn unserved(subject: &Subject<'_>) -> Vec<Warning> {
    let Host::Envoy { chain: Some(_), .. } = subject.host else { return Vec::new() };
    let (mut domains, mut is_complete) = (Vec::new(), true);
    for value in subject.documents.iter().filter_map(|document| document.value()) {
        each(value, &mut |value| {
            // The routes are in no file.
            is_complete &=
                member(value, "rds").is_none() && member(value, "scoped_routes").is_none();
            domains.extend(one_host::domains(value));
        });
    }
    if !is_complete || domains.is_empty() {
        return Vec::new();
    }
    let is_served = |host: &str| {
        let host = host.to_ascii_lowercase();
        domains.iter().any(|domain| overlap(domain, &host))
    };
    let unserved = hosts(subject).into_iter().filter(|(_, host)| !is_served(host));
    let warn = |(path, host): (String, &str)| {
        let problem =
            format!("a browser may come back to {host}, but no virtual host has this domain");
        let fix = "add the domain to a virtual host, or correct the name in hosts";
        Warning::new(Code::CallbackHostNotServed, problem, fix).at(path)
    };
    unserved.map(warn).collect()
}

/// Notes a listener without TLS, if nothing shows that TLS ends before this Envoy.
fn no_tls(subject: &Subject<'_>, chain: &Chain<'_>) -> Option<Warning> {
    let (listener, filter_chain) = (chain.listener?, chain.filter_chain?);
    let address = text_at(listener, &["address", "socket_address", "address"])?;
    let is_local = |host: &str| matches!(host, "localhost" | "127.0.0.1" | "::1" | "[::1]");
    let hops = at(chain.manager, &["xff_num_trusted_hops"]).and_then(Value::as_u64);
    let is_behind_a_proxy = hops.is_some_and(|hops| hops > 0)
        || !is_set(chain.manager, &["use_remote_address"])
        || list_at(listener, &["listener_filters"])
            .iter()
            .any(|filter| filter.to_string().contains("proxy_protocol"));
    if member(filter_chain, "transport_socket").is_some() || is_local(address) || is_behind_a_proxy
    {
        return None;
    }
    let (path, host) = hosts(subject).into_iter().find(|(_, host)| !is_local(host))?;
    let problem = format!("Duo sends browsers back to https://{host}, and the listener has no TLS");
    let fix =
        "add a transport_socket with a DownstreamTlsContext, unless TLS ends before this Envoy";
    Some(Warning::new(Code::CallbackWithoutTls, problem, fix).at(path))
}
