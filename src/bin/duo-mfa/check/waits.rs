//! Whether Envoy waits for a held request as long as the filter does.

use super::Subject;
use super::warning::{Code, Warning};
use crate::plugin::{Chain, Host};
use crate::value::{duration_at, list_at};
use duo_mfa::config::ApiMode;
use std::time::Duration;

/// Envoy's default.
const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(5 * 60);

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    let (Host::Envoy { chain: Some(Chain { manager, .. }), .. }, Some(config)) =
        (subject.host, subject.config)
    else {
        return Vec::new();
    };
    let mut by_rules = config.policies.rules.iter().filter_map(|rule| rule.terms.api_mode);
    if config.api.mode == ApiMode::Refuse && by_rules.all(|mode| mode == ApiMode::Refuse) {
        return Vec::new();
    }
    let hold = config.api.hold_timeout;
    let is_short = |limit: &Duration| !limit.is_zero() && *limit <= hold;
    let routes = || {
        let hosts = list_at(manager, &["route_config", "virtual_hosts"]).iter();
        hosts.flat_map(|host| list_at(host, &["routes"]))
    };

    let mut warnings = Vec::new();
    let idle = duration_at(manager, &["stream_idle_timeout"]).unwrap_or(DEFAULT_IDLE_TIMEOUT);
    let of_routes = routes().filter_map(|route| duration_at(route, &["route", "idle_timeout"]));
    if let Some(idle) = of_routes.chain([idle]).find(is_short) {
        let problem = format!(
            "Envoy ends a request without traffic after {} s, but a held one has none for up to {} s",
            idle.as_secs_f64(),
            hold.as_secs_f64()
        );
        let fix = "make stream_idle_timeout, and a route's idle_timeout, longer than \
                   api.hold_timeout";
        warnings.push(Warning::new(Code::IdleTimeoutTooShort, problem, fix));
    }
    let path = ["common_http_protocol_options", "max_stream_duration"];
    let of_routes = routes().filter_map(|route| {
        duration_at(route, &["route", "max_stream_duration", "max_stream_duration"])
    });
    if let Some(most) = of_routes.chain(duration_at(manager, &path)).find(is_short) {
        let problem = format!(
            "Envoy ends every request after {} s, but the filter may hold one for {} s",
            most.as_secs_f64(),
            hold.as_secs_f64()
        );
        let fix = "make max_stream_duration longer than api.hold_timeout";
        warnings.push(Warning::new(Code::StreamDurationTooShort, problem, fix));
    }
    warnings
}
