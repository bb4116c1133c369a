//! How the proxy treats a client's own header before the filter sees it.

use super::route;
use crate::document::Document;
use crate::plugin::Chain;
use crate::value::{at, each, extension, is_set, list_at, text_at};
use serde_json::Value;

/// How a header is treated on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Handling {
    /// No treatment was found in the files.
    Untouched,
    /// The client's own header is removed on some routes, and passes on others.
    StrippedHereAndThere,
    /// It is replaced if an authorization service has a value for it; otherwise the client's own
    /// passes.
    MaybeReplaced,
    /// The client's own header never passes.
    Stripped,
}

/// The treatment by everything before the filter.
pub(super) fn in_chain(chain: &Chain<'_>, header: &str) -> Handling {
    let by_filters = chain.before.iter().map(|filter| {
        let handling = by_filter(filter, header);
        let is_everywhere = handling != Handling::Stripped || !route::skips(chain, filter);
        if is_everywhere { handling } else { Handling::StrippedHereAndThere }
    });
    by_filters.max().unwrap_or(Handling::Untouched).max(by_manager(chain.manager, header))
}

/// The part of an HTTP filter in the life of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It sets the header, as a first factor does.
    Sets,
    /// It removes the header.
    Removes,
    /// None of these.
    Other,
}

pub(super) fn step(filter: &Value, header: &str) -> Step {
    let Some((kind, config)) = at(filter, &["typed_config"]).and_then(extension) else {
        return Step::Other;
    };
    let handling = by_extension(kind, config, header);
    let is_mutation = kind.ends_with(".HeaderMutation");
    if is_set(filter, &["disabled"]) || handling == Handling::Untouched {
        Step::Other
    } else if !is_mutation {
        Step::Sets
    } else if list_at(config, &["mutations", "request_mutations"])
        .iter()
        .any(|it| removes(it, header))
    {
        Step::Removes
    } else {
        Step::Other
    }
}

/// The treatment by an HTTP filter.
fn by_filter(filter: &Value, header: &str) -> Handling {
    match at(filter, &["typed_config"]).and_then(extension) {
        Some((kind, config)) => by_extension(kind, config, header),
        None => Handling::Untouched,
    }
}

/// The treatment by the connection manager, before any filter.
fn by_manager(manager: &Value, header: &str) -> Handling {
    let early = list_at(manager, &["early_header_mutation_extensions"]).iter();
    let by_early = early.map(|extension| by_filter(extension, header)).max();
    let is_certificate = is(header, "x-forwarded-client-cert");
    let sanitizes = text_at(manager, &["forward_client_cert_details"])
        .is_none_or(|how| matches!(how, "SANITIZE" | "SANITIZE_SET"));
    if is_certificate && sanitizes {
        return Handling::Stripped;
    }
    by_early.unwrap_or(Handling::Untouched)
}

/// The treatment by any object of Istio or Envoy Gateway. It does not check which of them apply to
/// the filter's gateway, since labels and references may be anything.
pub(super) fn by_documents(documents: &[&Document], header: &str) -> Handling {
    let values = documents.iter().filter_map(|document| document.value());
    values.map(|value| by_object(value, header)).max().unwrap_or(Handling::Untouched)
}

fn by_object(object: &Value, header: &str) -> Handling {
    let spec = object.get("spec").unwrap_or(&Value::Null);
    let stripped_if = |does| if does { Handling::Stripped } else { Handling::Untouched };
    let names = |list: &[Value], key: &str| list.iter().any(|entry| has(entry, key, header));
    match object.get("kind").and_then(Value::as_str) {
        Some("EnvoyFilter" | "EnvoyPatchPolicy") => by_any_extension(spec, header),
        Some("RequestAuthentication") => {
            let mut rules = list_at(spec, &["jwtRules"]).iter();
            stripped_if(rules.any(|rule| {
                names(list_at(rule, &["outputClaimToHeaders"]), "header")
                    || has(rule, "outputPayloadToHeader", header)
            }))
        }
        Some("ClientTrafficPolicy") => {
            let early = at(spec, &["headers", "earlyRequestHeaders"]).unwrap_or(&Value::Null);
            let removes = list_at(early, &["remove"]).iter().any(|name| is_text(name, header));
            stripped_if(removes || names(list_at(early, &["set"]), "name"))
        }
        Some("SecurityPolicy") => by_security_policy(spec, header),
        Some(_) | None => Handling::Untouched,
    }
}

fn by_security_policy(spec: &Value, header: &str) -> Handling {
    let mut providers = list_at(spec, &["jwt", "providers"]).iter();
    let sets_claim = providers.any(|provider| {
        list_at(provider, &["claimToHeaders"]).iter().any(|claim| has(claim, "header", header))
    });
    let basic_auth = at(spec, &["basicAuth"]).unwrap_or(&Value::Null);
    let mut passed_on = ["http", "grpc"]
        .into_iter()
        .flat_map(|kind| list_at(spec, &["extAuth", kind, "headersToBackend"]));
    if sets_claim || has(basic_auth, "forwardUsernameHeader", header) {
        Handling::Stripped
    } else if passed_on.any(|name| is_text(name, header)) {
        Handling::MaybeReplaced
    } else {
        Handling::Untouched
    }
}

fn by_any_extension(spec: &Value, header: &str) -> Handling {
    let mut most = Handling::Untouched;
    each(spec, &mut |value| {
        if let Some((kind, config)) = extension(value) {
            most = most.max(by_extension(kind, config, header));
        }
    });
    most
}

fn by_extension(kind: &str, config: &Value, header: &str) -> Handling {
    let stripped_if = |does| if does { Handling::Stripped } else { Handling::Untouched };
    let kind = kind.rsplit('.').next().unwrap_or_default();
    match kind {
        "HeaderMutation" => {
            // The HTTP filter has its list in `mutations.request_mutations`, the early extension in
            // `mutations`.
            let of_filter = list_at(config, &["mutations", "request_mutations"]).iter();
            let mut mutations = of_filter.chain(list_at(config, &["mutations"]));
            stripped_if(mutations.any(|mutation| strips(mutation, header)))
        }
        "BasicAuth" => stripped_if(has(config, "forward_username_header", header)),
        "JwtAuthentication" => {
            let providers = at(config, &["providers"]).and_then(Value::as_object);
            stripped_if(providers.into_iter().flatten().any(|(_, provider)| {
                let mut claims = list_at(provider, &["claim_to_headers"]).iter();
                claims.any(|claim| has(claim, "header_name", header))
                    || has(provider, "forward_payload_header", header)
            }))
        }
        "ExtAuthz" => {
            let path = ["http_service", "authorization_response", "allowed_upstream_headers"];
            let allowed = at(config, &path).unwrap_or(&Value::Null);
            let mut patterns = list_at(allowed, &["patterns"]).iter();
            let answers = patterns.any(|pattern| matches(pattern, header));
            if answers || at(config, &["grpc_service"]).is_some() {
                Handling::MaybeReplaced
            } else {
                Handling::Untouched
            }
        }
        _ => Handling::Untouched,
    }
}

/// Whether a header mutation removes or overwrites a client's own header.
pub(super) fn strips(mutation: &Value, header: &str) -> bool {
    let overwrites = || {
        let append = at(mutation, &["append"])?;
        let how = text_at(append, &["append_action"])?;
        let key = text_at(append, &["header", "key"])?;
        Some(how == "OVERWRITE_IF_EXISTS_OR_ADD" && is(key, header))
    };
    removes(mutation, header) || overwrites().unwrap_or(false)
}

fn removes(mutation: &Value, header: &str) -> bool {
    let matcher = at(mutation, &["remove_on_match", "key_matcher"]);
    has(mutation, "remove", header) || matcher.is_some_and(|pattern| matches(pattern, header))
}

/// Whether Envoy's `StringMatcher` matches. A regular expression counts as no match.
fn matches(pattern: &Value, header: &str) -> bool {
    let text = |name| text_at(pattern, &[name]);
    text("exact").is_some_and(|exact| is(exact, header))
        || text("prefix").is_some_and(|prefix| header.starts_with(prefix))
        || text("suffix").is_some_and(|suffix| header.ends_with(suffix))
        || text("contains").is_some_and(|part| header.contains(part))
}

fn has(object: &Value, key: &str, header: &str) -> bool {
    text_at(object, &[key]).is_some_and(|name| is(name, header))
}

fn is_text(value: &Value, header: &str) -> bool {
    value.as_str().is_some_and(|name| is(name, header))
}

fn is(name: &str, header: &str) -> bool {
    name.eq_ignore_ascii_case(header)
}
