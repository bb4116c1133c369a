//! Routes that switch the filter off or on by a path that the application may read differently.

use super::Subject;
use super::warning::{Code, Warning};
use crate::environment::printable;
use crate::plugin::{Chain, Host};
use crate::value::{is_set, list_at, member, text_at};
use serde_json::Value;

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    let Host::Envoy { chain: Some(chain), .. } = subject.host else { return Vec::new() };
    let Some(filter) = list_at(chain.manager, &["http_filters"]).get(chain.before.len()) else {
        return Vec::new();
    };
    let own = subject.config.map(|config| format!("{}/", config.path_prefix));
    let mut paths = switched(&chain, filter);
    paths.retain(|path| own.as_deref() != Some(path.as_str()));
    paths.dedup();
    let Some(first) = paths.first().map(|path| printable(path)) else { return Vec::new() };
    let further = match paths.len() {
        1 => String::new(),
        number => format!(" and {} more", number.saturating_sub(1)),
    };
    let problem = format!(
        "a route switches the filter off or on by a path ({first}{further}). The application may \
         take other spellings for that path, or for one beside it: /a;x/b, /a/..;/b, /A/b"
    );
    let fix = "leave the filter on there, and write access_control.rules for the paths: a rule \
               with policy bypass, or default_policy: bypass and a rule with policy two_factor";
    vec![Warning::new(Code::SwitchedByPath, problem, fix)]
}

/// The paths by which routes switch the filter, if another reading of the path would switch it
/// differently.
fn switched(chain: &Chain<'_>, filter: &Value) -> Vec<String> {
    let Some(name) = text_at(filter, &["name"]) else { return Vec::new() };
    let mut paths = Vec::new();
    for host in list_at(chain.manager, &["route_config", "virtual_hosts"]) {
        let of_host = is_off(host, name).unwrap_or_else(|| is_set(filter, &["disabled"]));
        for route in list_at(host, &["routes"]) {
            let matched = member(route, "match").and_then(matched);
            let (Some(of_route), Some((kind, path))) = (is_off(route, name), matched) else {
                continue;
            };
            // An exact path: no reader takes another path for it.
            let is_safe = of_route && kind == "path";
            if of_route != of_host && !is_safe && !is_everything(path) {
                paths.push(path.to_owned());
            }
        }
    }
    paths
}

/// Whether a host or a route switches the filter off; `None` if it does not mention the filter.
fn is_off(of: &Value, filter: &str) -> Option<bool> {
    let configuration = member(of, "typed_per_filter_config")?.get(filter)?;
    Some(is_set(configuration, &["disabled"]))
}

/// The kind of a route's path matcher, and its path.
fn matched(matcher: &Value) -> Option<(&'static str, &str)> {
    let kinds = ["path", "prefix", "path_separated_prefix"];
    let plain = kinds.into_iter().find_map(|kind| Some((kind, text_at(matcher, &[kind])?)));
    let regex = || Some(("safe_regex", text_at(matcher, &["safe_regex", "regex"])?));
    let template = || {
        let path = ["path_match_policy", "typed_config", "path_template"];
        Some(("path_template", text_at(matcher, &path)?))
    };
    plain.or_else(regex).or_else(template)
}

fn is_everything(path: &str) -> bool {
    matches!(path, "" | "/" | ".*" | "/.*")
}
