//! Two plugin configurations on one host. Cookies belong to a host and not to a port, so each of
//! the two replaces the other's approval, unless they share it or name it differently.

use super::Subject;
use super::warning::{Code, Warning};
use crate::plugin::{Chain, Host, Plugin};
use crate::value::{at, list_at, text_at};
use serde_json::Value;

/// Looks for another configuration before this one in the same document.
pub(super) fn warnings(subject: &Subject<'_>) -> Option<Warning> {
    let Host::Envoy { plugin: own, chain: Some(chain), .. } = subject.host else { return None };
    let plugins = Plugin::all(subject.document);
    let is_before = |other: &&Plugin<'_>| match other.host {
        Host::Envoy { plugin, .. } => !std::ptr::eq(plugin, own),
        Host::Nothing | Host::Istio { .. } | Host::Gateway { .. } => true,
    };
    let other = plugins.iter().take_while(is_before).find(|other| {
        let Host::Envoy { chain: Some(others), .. } = other.host else { return false };
        let written = other.configuration.value();
        share_a_host(&chain, &others)
            && written.is_some_and(|written| is_contested(subject.written, &written))
    })?;
    let problem = format!(
        "this host has another configuration on another port or route ({}), with the same cookie \
         but another session.application or cookie key. Browsers send cookies to every port, so \
         each sign-in replaces the other's",
        other.place
    );
    let fix = "set in one of them a session.cookie such as \"__Host-duo_mfa_admin\", or both the same \
               session.keys and session.application";
    Some(Warning::new(Code::CookieContested, problem, fix))
}

/// Whether a browser can reach both under one name.
fn share_a_host(one: &Chain<'_>, other: &Chain<'_>) -> bool {
    if std::ptr::eq(one.manager, other.manager) {
        return true;
    }
    let (Some(port), Some(others)) = (port(one), port(other)) else { return false };
    // The filter chains of one port have different names.
    let names = |chain: &Chain<'_>| {
        at(chain.manager, &["route_config"]).into_iter().flat_map(domains).collect::<Vec<_>>()
    };
    let others_names = names(other);
    port != others
        && names(one).iter().any(|name| others_names.iter().any(|other| overlap(name, other)))
}

fn port<'v>(chain: &Chain<'v>) -> Option<&'v Value> {
    at(chain.listener?, &["address", "socket_address", "port_value"])
}

/// The domains of the virtual hosts in a route configuration, without ports.
pub(super) fn domains(routes: &Value) -> impl Iterator<Item = String> {
    let hosts = list_at(routes, &["virtual_hosts"]).iter();
    let names = hosts.flat_map(|host| list_at(host, &["domains"])).filter_map(Value::as_str);
    names.map(without_port)
}

/// One of Envoy's domains in lower case, without a port.
fn without_port(domain: &str) -> String {
    match domain.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit() || byte == b'*') => {
            host.to_ascii_lowercase()
        }
        Some(_) | None => domain.to_ascii_lowercase(),
    }
}

/// Whether two of Envoy's domains have a name in common. A `*` may be at one end of a domain.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    let covers = |pattern: &str, name: &str| {
        pattern.strip_prefix('*').is_some_and(|end| name.ends_with(end))
            || pattern.strip_suffix('*').is_some_and(|start| name.starts_with(start))
    };
    one == other || covers(one, other) || covers(other, one)
}

/// Whether both set the same cookie, and one of them does not accept the approvals of the other.
fn is_contested(one: &Value, other: &Value) -> bool {
    let text = |of, key, default| text_at(of, &["session", key]).unwrap_or(default);
    let cookie = |of| text(of, "cookie", "__Host-duo_mfa");
    let application = |of| text(of, "application", "default");
    let keys = |of| list_at(of, &["session", "keys"]);
    let takes = |of, signed| keys(signed).first().is_some_and(|key| keys(of).contains(key));
    cookie(one) == cookie(other)
        && (application(one) != application(other) || !takes(one, other) || !takes(other, one))
}
