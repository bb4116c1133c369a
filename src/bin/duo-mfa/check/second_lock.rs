//! A second lock behind the filter, Istio's AuthorizationPolicy, that blocks requests which the
//! filter forwards.

use super::Subject;
use super::mesh::objects;
use super::warning::{Code, Warning};
use crate::environment::printable;
use crate::value::{list_at, text_at};
use duo_mfa::config::{Config, Mode};
use duo_mfa::gate::ForwardedAs;
use serde_json::Value;

const RESULT: &str = "x-duo-mfa-result";

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    let Some(config) = subject.config else { return Vec::new() };
    let words = words(config, subject.written);
    let policies = objects(subject.documents, "AuthorizationPolicy");
    policies.filter_map(|policy| blocks(policy, &words, config.mode)).collect()
}

/// The words that forwarded requests may have under this configuration.
fn words(config: &Config, written: &Value) -> Vec<ForwardedAs> {
    let is = |word: &ForwardedAs| match (word, config.mode) {
        (ForwardedAs::Off, mode) => mode == Mode::Off,
        (_, Mode::Off) => false,
        (ForwardedAs::Passed | ForwardedAs::Admitted, _) => true,
        (ForwardedAs::Bypassed, _) => bypasses(written),
        (ForwardedAs::WouldRefuse, mode) => mode == Mode::ReportOnly,
    };
    ForwardedAs::ALL.into_iter().filter(is).collect()
}

/// Whether some requests need no second factor.
fn bypasses(written: &Value) -> bool {
    let is_bypass = |of: &Value, key| text_at(of, &[key]) == Some("bypass");
    let access = written.get("access_control").unwrap_or(&Value::Null);
    let mut rules = list_at(access, &["rules"]).iter();
    is_bypass(access, "default_policy")
        || is_bypass(access, "cors_preflight")
        || rules.any(|rule| is_bypass(rule, "policy"))
}

/// The warning about a policy that blocks requests with some of these words.
fn blocks(policy: &Value, words: &[ForwardedAs], mode: Mode) -> Option<Warning> {
    let rules = list_at(policy, &["spec", "rules"]);
    let (values, are_others_free) = match text_at(policy, &["spec", "action"]) {
        Some("DENY") => ("notValues", false),
        // Another rule may allow what this one does not.
        Some("ALLOW") | None => ("values", rules.len() > 1),
        Some(_) => return None,
    };
    rules.iter().find_map(|rule| {
        let excepts = |to: &Value| !list_at(to, &["operation", "notPaths"]).is_empty();
        let is_free = are_others_free || list_at(rule, &["to"]).iter().any(excepts);
        list_at(rule, &["when"]).iter().find_map(|when| {
            let header = header(when)?;
            let demanded = list_at(when, &[values]);
            if demanded.is_empty() {
                return None;
            }
            let is_blocked = |word: &&ForwardedAs| {
                let is_excepted = is_free && **word == ForwardedAs::Bypassed;
                !is_excepted && !is_taken(**word, &header, demanded)
            };
            let blocked: Vec<_> = words.iter().filter(is_blocked).copied().collect();
            (!blocked.is_empty()).then(|| warning(policy, &header, &blocked, mode))
        })
    })
}

/// The filter's header that a condition is about, in lower case.
fn header(when: &Value) -> Option<String> {
    let key = text_at(when, &["key"])?;
    let header = key.strip_prefix("request.headers[")?.strip_suffix(']')?.to_ascii_lowercase();
    header.starts_with("x-duo-mfa-").then_some(header)
}

/// Whether the values that a lock takes include a request with this word. The other headers of the
/// filter are on requests with an approval alone.
fn is_taken(word: ForwardedAs, header: &str, demanded: &[Value]) -> bool {
    if header != RESULT {
        return matches!(word, ForwardedAs::Passed | ForwardedAs::Admitted);
    }
    demanded.iter().filter_map(Value::as_str).any(|pattern| {
        let name = word.name();
        let starts = |start| name.starts_with(start);
        let ends = |end| name.ends_with(end);
        pattern == name
            || pattern.strip_suffix('*').is_some_and(starts)
            || pattern.strip_prefix('*').is_some_and(ends)
    })
}

fn warning(policy: &Value, header: &str, blocked: &[ForwardedAs], mode: Mode) -> Warning {
    let name = printable(text_at(policy, &["metadata", "name"]).unwrap_or("without a name"));
    let words: Vec<_> = blocked.iter().map(|word| word.name()).collect();
    let problem = format!(
        "the second lock, AuthorizationPolicy {name}, demands {header} and blocks requests that \
         the filter forwards as {}",
        words.join(" and ")
    );
    let fix = "demand x-duo-mfa-result with any value: under DENY notValues: [\"*\"], under ALLOW \
               values: [\"*\"]";
    let warning = Warning::new(Code::SecondLockBlocks, problem, fix);
    match mode {
        Mode::Enforce => warning,
        Mode::ReportOnly | Mode::Off => warning.at("mode"),
    }
}
