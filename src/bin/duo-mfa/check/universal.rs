//! Traps of Duo's Universal Prompt. A browser leaves for Duo's page, and has to come back by a
//! navigation from another site, to a host that this Envoy serves by HTTPS.

mod access_log;
mod strict_cookie;

use super::Subject;
use super::one_host::{self, overlap};
use super::warning::{Code, Warning};
use crate::plugin::Host;
use crate::value::{at, each, list_at, member};
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
    access_log::note(&chain).into_iter().collect()
}

/// Whether browsers of some application are sent to Duo's page.
pub(super) fn is_used(subject: &Subject<'_>) -> bool {
    let mut applications = subject.config.into_iter().flat_map(|it| it.applications.iter());
    applications.any(|it| it.duo.universal().is_some())
}

/// Each host that a browser may come back to, with its path in the configuration.
pub(super) fn hosts<'v>(subject: &Subject<'v>) -> Vec<(String, &'v str)> {
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
