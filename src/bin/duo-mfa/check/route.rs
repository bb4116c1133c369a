//! Routes and virtual hosts that switch filters off and on.

use crate::plugin::Chain;
use crate::value::{each, is_set, list_at, member, text_at};
use serde_json::Value;

/// Whether some routes switch off an earlier filter, and leave this one on.
pub(super) fn skips(chain: &Chain<'_>, filter: &Value) -> bool {
    let own = list_at(chain.manager, &["http_filters"]).get(chain.before.len());
    let (Some(own), Some(name)) = (own.and_then(name), name(filter)) else { return false };
    if is_set(filter, &["disabled"]) {
        return true;
    }
    let mut by_routes = Vec::new();
    if let Some(routes) = member(chain.manager, "route_config") {
        each(routes, &mut |value| by_routes.extend(member(value, "typed_per_filter_config")));
    }
    let is_off = |by_route: &&Value, name| {
        by_route.get(name).is_some_and(|config| is_set(config, &["disabled"]))
    };
    let mut off = by_routes.iter().copied().filter(|by_route| is_off(by_route, name)).peekable();
    let ours_is_on_again = || {
        let mut others = by_routes.iter().copied().filter(|by_route| !is_off(by_route, name));
        others.any(|by_route| by_route.get(own).is_some() && !is_off(&by_route, own))
    };
    off.peek().is_some() && (off.any(|by_route| !is_off(&by_route, own)) || ours_is_on_again())
}

fn name(filter: &Value) -> Option<&str> {
    text_at(filter, &["name"])
}
