//! Other parts of the proxy that change the filter's replies, or reply before it.
//!
//! Envoy passes a reply of the filter through `local_reply_config` and through the response path of
//! every filter, wherever that filter is in the chain. Without the filter's page, statuses and
//! cookies nobody can sign in.

use super::Subject;
use super::header::strips;
use super::warning::{Code, Warning};
use crate::plugin::{Chain, Host};
use crate::value::{at, each, extension, is_set, list_at, member, text_at};
use serde_json::Value;

/// The statuses of the filter's replies.
const STATUSES: [u64; 10] = [200, 202, 303, 400, 403, 404, 405, 422, 429, 503];

/// The prefix of the response details of the filter's replies, as a CEL expression may name it.
const DETAILS: &str = "duo_mfa_";

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut places: Vec<&Value> = Vec::new();
    if let Host::Envoy { chain: Some(Chain { manager, before, .. }), .. } = subject.host {
        places.push(manager);
        warnings.extend(cached(before));
    }
    let documents = subject.documents.iter().filter_map(|document| document.value());
    for object in documents {
        match text_at(object, &["kind"]) {
            Some("EnvoyFilter" | "EnvoyPatchPolicy") => places.push(object),
            Some("BackendTrafficPolicy") => warnings.extend(overridden(object)),
            Some(_) | None => {}
        }
    }
    warnings.extend(places.iter().find_map(|place| rewritten(place)));
    warnings.extend(places.iter().find_map(|place| customised(place)));
    warnings.extend(places.iter().find_map(|place| without_cookies(place)));
    warnings
}

fn replaced(what: &str, fix: &'static str) -> Warning {
    let problem = format!("{what} replaces the filter's replies, so nobody can sign in");
    Warning::new(Code::RepliesReplaced, problem, fix)
}

/// Checks `local_reply_config`, in a connection manager or in a patch of one.
fn rewritten(place: &Value) -> Option<Warning> {
    let mut is_rewritten = false;
    each(place, &mut |value| {
        let by_patch = text_at(value, &["path"])
            .filter(|path| path.contains("local_reply_config"))
            .and_then(|_| value.get("value"));
        let configs = member(value, "local_reply_config").into_iter().chain(by_patch);
        is_rewritten |= configs.into_iter().any(rewrites);
    });
    is_rewritten.then(|| {
        let fix = "put the mapper for response.code_details from docs/deploy/envoy.md first";
        replaced("local_reply_config", fix)
    })
}

/// Whether `body_format`, or the first mapper for a reply of the filter, changes it.
fn rewrites(config: &Value) -> bool {
    let is_formatted = at(config, &["body_format"]).is_some_and(|format| !is_identity(format));
    for mapper in list_at(config, &["mappers"]) {
        let format = at(mapper, &["body_format_override"]);
        let changes = ["status_code", "body"].into_iter().any(|key| at(mapper, &[key]).is_some())
            || format.map_or(is_formatted, |format| !is_identity(format));
        match at(mapper, &["filter"]).map_or(Reach::Some, reach) {
            Reach::All => return changes,
            Reach::Some if changes => return true,
            Reach::Some | Reach::None => {}
        }
    }
    is_formatted
}

/// Whether a format leaves the body as it is. Envoy then leaves the media type too, unless the
/// format sets one.
fn is_identity(format: &Value) -> bool {
    let text = text_at(format, &["text_format_source", "inline_string"])
        .or_else(|| text_at(format, &["text_format"]));
    text == Some("%LOCAL_REPLY_BODY%") && at(format, &["content_type"]).is_none()
}

/// Which of the filter's replies an access log filter may match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    None,
    Some,
    All,
}

fn reach(filter: &Value) -> Reach {
    let parts = |name| list_at(filter, &[name, "filters"]).iter().map(reach);
    if at(filter, &["and_filter"]).is_some() {
        parts("and_filter").min().unwrap_or(Reach::Some)
    } else if at(filter, &["or_filter"]).is_some() {
        parts("or_filter").max().unwrap_or(Reach::Some)
    } else if let Some(comparison) = at(filter, &["status_code_filter", "comparison"]) {
        of_status(comparison)
    } else if at(filter, &["response_flag_filter"]).is_some() {
        // A reply of a filter has no response flag.
        Reach::None
    } else {
        let expression =
            text_at(filter, &["extension_filter", "typed_config", "expression"]).unwrap_or("");
        match (expression.contains(DETAILS), expression.trim_start().starts_with('!')) {
            (true, false) => Reach::All,
            (true, true) => Reach::None,
            (false, _) => Reach::Some,
        }
    }
}

fn of_status(comparison: &Value) -> Reach {
    let wanted = at(comparison, &["value", "default_value"]).and_then(Value::as_u64).unwrap_or(0);
    let matches = |status: &u64| match text_at(comparison, &["op"]) {
        Some("GE") => *status >= wanted,
        Some("LE") => *status <= wanted,
        Some("NE") => *status != wanted,
        Some(_) | None => *status == wanted,
    };
    if STATUSES.iter().any(matches) { Reach::Some } else { Reach::None }
}

/// Checks Envoy's filter custom_response, in the chain or on a route.
fn customised(place: &Value) -> Option<Warning> {
    let mut is_replaced = false;
    each(place, &mut |value| {
        let is_of_filter =
            |(kind, _): &(&str, &Value)| kind.ends_with(".custom_response.v3.CustomResponse");
        if let Some((_, config)) = extension(value).filter(is_of_filter) {
            each(config, &mut |value| {
                is_replaced |= member(value, "value_match").is_some_and(matches_status);
            });
        }
    });
    is_replaced.then(|| {
        let fix = "do not let it match 400, 403, 404, 405, 422, 429 or 503: no exception can be \
                   written";
        replaced("the filter custom_response", fix)
    })
}

/// Whether a matcher of a status may match one of the filter's. Any pattern but an exact one may.
fn matches_status(matcher: &Value) -> bool {
    text_at(matcher, &["exact"]).is_none_or(|exact| match exact.parse() {
        Ok(status) => STATUSES.contains(&status),
        Err(_) => matches!(exact, "2xx" | "4xx" | "5xx"),
    })
}

/// Checks Envoy Gateway's `responseOverride`, from which it makes a custom_response filter.
fn overridden(policy: &Value) -> Option<Warning> {
    let overrides = list_at(policy, &["spec", "responseOverride"]).iter();
    let mut codes = overrides.flat_map(|entry| list_at(entry, &["match", "statusCodes"]));
    let bound = |code: &Value, key| at(code, &["range", key]).and_then(Value::as_u64);
    let is_ours = |code: &Value| {
        let exact = code.get("value").and_then(Value::as_u64);
        let range = exact.map(|exact| exact..=exact);
        let range = range.or_else(|| Some(bound(code, "start")?..=bound(code, "end")?));
        range.is_none_or(|range| STATUSES.iter().any(|status| range.contains(status)))
    };
    codes.any(is_ours).then(|| {
        let fix = "do not let it match 400, 403, 404, 405, 422, 429 or 503: no exception can be \
                   written";
        replaced("responseOverride of a BackendTrafficPolicy", fix)
    })
}

/// Checks header mutations that remove cookies. They change the filter's replies wherever they are
/// in the chain.
fn without_cookies(place: &Value) -> Option<Warning> {
    let mut is_stripped = false;
    each(place, &mut |value| {
        let is_mutation = |(kind, _): &(&str, &Value)| kind.ends_with(".HeaderMutation");
        if let Some((_, config)) = extension(value).filter(is_mutation) {
            let mut mutations = list_at(config, &["mutations", "response_mutations"]).iter();
            is_stripped |= mutations.any(|mutation| strips(mutation, "set-cookie"));
        }
    });
    is_stripped.then(|| {
        let problem = "a header_mutation filter removes set-cookie from responses, and with it the \
                       filter's cookies: users are asked again at every request";
        let fix = "remove the application's cookies with a route's response_headers_to_remove";
        Warning::new(Code::CookiesRemoved, problem, fix)
    })
}

/// Checks for a cache before the filter. On a miss, Envoy's cache sends the request to the cluster
/// itself, past all filters behind it.
fn cached(before: &[Value]) -> Option<Warning> {
    let is_cache = |filter: &Value| {
        let kind = at(filter, &["typed_config"]).and_then(extension).map(|(kind, _)| kind);
        kind.is_some_and(|kind| kind.contains(".http.cache")) && !is_set(filter, &["disabled"])
    };
    before.iter().any(is_cache).then(|| {
        let problem = "a cache before the filter answers requests or sends them to the application; \
                       the filter never sees them";
        Warning::new(Code::CachedBeforeFilter, problem, "put the cache after the filter")
    })
}
