//! Routes that make Envoy follow redirects of the application.

use super::Subject;
use super::warning::{Code, Warning};
use crate::plugin::{Chain, Host};
use crate::value::{at, each, is_set, list_at, member, text_at};
use serde_json::Value;

/// Ways to say so: the present one, and one of old.
const POLICY: &str = "internal_redirect_policy";
const ACTION: &str = "internal_redirect_action";

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    let Host::Envoy { chain: Some(chain), .. } = subject.host else { return Vec::new() };
    let Some(routes) = member(chain.manager, "route_config") else { return Vec::new() };
    let mut found = None;
    each(routes, &mut |route| {
        if found.is_none() && follows(route) && !is_off(&chain, route) {
            found = Some(route);
        }
    });
    let Some(route) = found else { return Vec::new() };
    let name = text_at(route, &["name"]).map(|name| format!(" {name}")).unwrap_or_default();
    let problem = format!(
        "route{name} has {POLICY}: after a redirect of the application Envoy runs the filter again \
         without the approval, and the filter refuses (internal_redirect)"
    );
    let fix = "remove it from the route, and let the client follow the redirect";
    vec![Warning::new(Code::RedirectsFollowed, problem, fix).on(subject, route)]
}

fn follows(route: &Value) -> bool {
    at(route, &["route", POLICY]).is_some_and(Value::is_object)
        || text_at(route, &["route", ACTION]) == Some("HANDLE_INTERNAL_REDIRECT")
}

/// Whether the route switches the filter off.
fn is_off(chain: &Chain<'_>, route: &Value) -> bool {
    let own = list_at(chain.manager, &["http_filters"]).get(chain.before.len());
    let name = own.and_then(|own| text_at(own, &["name"]));
    let by_route = member(route, "typed_per_filter_config");
    by_route
        .zip(name)
        .and_then(|(by_route, name)| by_route.get(name))
        .is_some_and(|config| is_set(config, &["disabled"]))
}
