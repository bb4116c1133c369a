//! Routes where the filter is off, and the headers that only the filter may set come from the client.

use super::Subject;
use super::header;
use super::warning::{Code, Warning};
use crate::plugin::{Chain, Host};
use crate::value::{at, extension, is_set, list_at, member, text_at};
use serde_json::Value;

/// The headers that the application trusts.
const OWN: [&str; 6] = [
    "x-duo-mfa-user",
    "x-duo-mfa-result",
    "x-duo-mfa-factor",
    "x-duo-mfa-time",
    "x-duo-mfa-approved-by",
    "x-duo-mfa-assertion",
];

pub(super) fn warnings(subject: &Subject<'_>) -> Option<Warning> {
    let Host::Envoy { chain: Some(chain), .. } = subject.host else { return None };
    let filters = list_at(chain.manager, &["http_filters"]);
    let own = filters.get(chain.before.len())?;
    let (route, missing) = routes(&chain)
        .filter(|route| is_off(own, route) && reaches_application(route))
        .find_map(|route| Some((route, unstripped(&chain, filters, &route)?)))?;
    let name = route.name().map(|name| format!(" {name}")).unwrap_or_default();
    let problem = format!(
        "on route{name} the filter is off, and nothing removes the client's own {missing}: there a \
         client can claim any user and factor"
    );
    let all = OWN.map(|header| format!("{{remove: {header}}}")).join(", ");
    let fix = format!("add a header_mutation filter with {all}, which is on for that route");
    Some(Warning::new(Code::OwnHeadersNotStripped, problem, fix).on(subject, route.route))
}

/// A route and what is around it.
#[derive(Clone, Copy)]
struct Route<'v> {
    table: &'v Value,
    host: &'v Value,
    route: &'v Value,
}

impl<'v> Route<'v> {
    /// The settings of a filter on the route, or on its virtual host.
    fn by_route(&self, filter: &str) -> Option<&'v Value> {
        let of = |value: &'v Value| member(value, "typed_per_filter_config")?.get(filter);
        of(self.route).or_else(|| of(self.host))
    }

    fn name(&self) -> Option<&'v str> {
        let matched = member(self.route, "match").unwrap_or(&Value::Null);
        let paths = ["path", "prefix", "path_separated_prefix"];
        text_at(self.route, &["name"])
            .or_else(|| paths.iter().find_map(|it| text_at(matched, &[it])))
    }
}

fn routes<'v>(chain: &Chain<'v>) -> impl Iterator<Item = Route<'v>> {
    let table = member(chain.manager, "route_config").unwrap_or(&Value::Null);
    let hosts = list_at(table, &["virtual_hosts"]).iter();
    hosts.flat_map(move |host| {
        list_at(host, &["routes"]).iter().map(move |route| Route { table, host, route })
    })
}

fn is_off(filter: &Value, route: &Route<'_>) -> bool {
    let by_route = text_at(filter, &["name"]).and_then(|name| route.by_route(name));
    by_route.map_or_else(|| is_set(filter, &["disabled"]), |config| is_set(config, &["disabled"]))
}

/// Whether a request on the route leaves Envoy.
fn reaches_application(route: &Route<'_>) -> bool {
    member(route.route, "route").is_some()
}

/// The first of the filter's headers that passes from the client to the application.
fn unstripped(chain: &Chain<'_>, filters: &[Value], route: &Route<'_>) -> Option<&'static str> {
    let by_filter = |filter: &Value, name: &str| {
        let config = at(filter, &["typed_config"]).and_then(extension).map(|(_, config)| config);
        !is_off(filter, route) && config.is_some_and(|config| removes(config, name))
    };
    let by_early = |name: &str| {
        let mut early = list_at(chain.manager, &["early_header_mutation_extensions"]).iter();
        early.any(|early| at(early, &["typed_config"]).is_some_and(|config| removes(config, name)))
    };
    let by_table = |name: &str| {
        [route.table, route.host, route.route].into_iter().any(|of| {
            let mut removed = list_at(of, &["request_headers_to_remove"]).iter();
            removed.any(|it| it.as_str().is_some_and(|it| it.eq_ignore_ascii_case(name)))
        })
    };
    let by_route = |filter: &Value, name: &str| {
        let config = text_at(filter, &["name"]).and_then(|filter| route.by_route(filter));
        config.is_some_and(|config| removes(config, name))
    };
    OWN.into_iter().find(|name| {
        !by_table(name)
            && !by_early(name)
            && !filters.iter().any(|it| by_filter(it, name) || by_route(it, name))
    })
}

/// Whether a header mutation, of a filter, of a route or an early one, removes the header.
fn removes(config: &Value, name: &str) -> bool {
    let of_filter = list_at(config, &["mutations", "request_mutations"]).iter();
    let mut all = of_filter.chain(list_at(config, &["mutations"]));
    all.any(|mutation| header::strips(mutation, name))
}
