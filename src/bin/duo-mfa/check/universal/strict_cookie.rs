//! Looks for a first factor whose cookie is `SameSite=Strict`. Browsers leave such a cookie out of
//! the navigation by which they come back from Duo's page.

use crate::check::Subject;
use crate::check::first_factor;
use crate::check::warning::{Code, Warning};
use crate::plugin::Host;
use crate::value::{at, each, member, text_at};
use serde_json::Value;

/// The variable of oauth2-proxy for its `--cookie-samesite`, in lower case.
const VARIABLE: &str = "oauth2_proxy_cookie_samesite";
const OPTION: &str = "--cookie-samesite";
const STRICT: &str = "strict";

pub(super) fn warning(subject: &Subject<'_>) -> Option<Warning> {
    let chain = if let Host::Envoy { chain, .. } = subject.host { chain } else { None };
    let is_strict = |(kind, config): (&str, &Value)| {
        kind == "OAuth2" && member(config, "config").is_some_and(is_strict_filter)
    };
    let is_before = chain.is_some_and(|chain| first_factor::before(&chain).any(is_strict));
    let mut found = is_before.then_some(OAUTH2_FILTER);
    for document in subject.documents.iter().filter_map(|document| document.value()) {
        each(document, &mut |value| {
            let here = if is_oauth2_proxy(value) {
                Some(OAUTH2_PROXY)
            } else if is_policy(value) {
                Some(GATEWAY)
            } else if chain.is_none() && is_strict_filter(value) {
                Some(OAUTH2_FILTER)
            } else {
                None
            };
            found = found.or(here);
        });
    }
    let (whose, fix) = found?;
    let problem = format!(
        "{whose} is SameSite=Strict, so browsers do not send it when they come back from Duo's page: \
         no sign-in there can finish"
    );
    Some(Warning::new(Code::FirstFactorCookieStrict, problem, fix))
}

const OAUTH2_PROXY: (&str, &str) = ("the cookie of oauth2-proxy", "set --cookie-samesite=lax");
const OAUTH2_FILTER: (&str, &str) = (
    "a cookie of Envoy's OAuth2 filter",
    "write `same_site: LAX` for each cookie in cookie_configs",
);
const GATEWAY: (&str, &str) = (
    "the cookie of the SecurityPolicy's oidc",
    "write `cookieConfig: {sameSite: Lax}`; in releases that know the field its default is Strict",
);

/// Whether the configuration of Envoy's OAuth2 filter makes a cookie strict.
fn is_strict_filter(config: &Value) -> bool {
    let cookies = member(config, "cookie_configs").and_then(Value::as_object);
    cookies.is_some_and(|cookies| {
        cookies.values().any(|cookie| is_strict(text_at(cookie, &["same_site"])))
    })
}

/// Whether this is Envoy Gateway's SecurityPolicy with a strict cookie, which is its default.
fn is_policy(value: &Value) -> bool {
    value.get("kind").and_then(Value::as_str) == Some("SecurityPolicy")
        && at(value, &["spec", "oidc"]).is_some_and(|oidc| {
            let same_site = text_at(oidc, &["cookieConfig", "sameSite"]);
            same_site.is_none() || is_strict(same_site)
        })
}

/// Whether this sets the strict cookie of oauth2-proxy: an argument, a variable, or its file.
fn is_oauth2_proxy(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            let text = text.to_ascii_lowercase();
            let is_word = |word: &str| {
                let value = word.strip_prefix(OPTION).or_else(|| word.strip_prefix(VARIABLE));
                value.and_then(|rest| rest.strip_prefix('=')) == Some(STRICT)
            };
            let is_line = |line: &str| {
                let line: String =
                    line.chars().filter(|it| !it.is_whitespace() && *it != '"').collect();
                line == "cookie_samesite=strict"
            };
            text.split_whitespace().any(is_word) || text.lines().any(is_line)
        }
        Value::Array(list) => list.windows(2).any(|pair| {
            matches!(pair, [option, value]
                if option.as_str() == Some(OPTION) && is_strict(value.as_str()))
        }),
        Value::Object(members) => {
            let named = |name: &str| name.eq_ignore_ascii_case(VARIABLE);
            let is_entry = text_at(value, &["name"]).is_some_and(named)
                && is_strict(text_at(value, &["value"]));
            is_entry || members.iter().any(|(name, it)| named(name) && is_strict(it.as_str()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_strict(text: Option<&str>) -> bool {
    text.is_some_and(|text| text.eq_ignore_ascii_case(STRICT))
}
