//! Whether Envoy's list of capabilities lets the module do what it does. Envoy says nothing of a
//! callback that is missing: it does not call the module there, and goes on.

use super::Subject;
use super::warning::{Code, Warning};
use crate::plugin::{Form, Host};
use crate::value::member;
use serde_json::Value;

/// The page with the list of what the module needs. A test holds it to the module's file.
const DOCUMENT: &str = include_str!("../../../../docs/security.md");
/// The capability without which Envoy starts, and every request passes by the filter.
const OF_A_REQUEST: &str = "proxy_on_request_headers";

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    let Host::Envoy { plugin, form: Form::Wasm, .. } = subject.host else { return Vec::new() };
    let restriction = member(plugin, "capability_restriction_config").unwrap_or(&Value::Null);
    let list = member(restriction, "allowed_capabilities").and_then(Value::as_object);
    // An empty list restricts nothing.
    let Some(list) = list.filter(|list| !list.is_empty()) else { return Vec::new() };
    let missing = needed().filter(|name| !list.contains_key(*name));
    let (open, others): (Vec<_>, Vec<_>) = missing.partition(|name| *name == OF_A_REQUEST);
    let warn = |names: &[&str], consequence: &str| {
        let names = names.join(", ");
        let problem = format!("the list of capabilities lacks {names}: {consequence}");
        let fix = "write the whole list of docs/security.md, or remove \
                   capability_restriction_config";
        let warning = Warning::new(Code::CapabilityMissing, problem, fix);
        warning.cannot_work().on(subject, restriction)
    };
    let cases = [
        (open, "every request passes without the filter"),
        (others, "the module cannot do its work"),
    ];
    let cases = cases.iter().filter(|(names, _)| !names.is_empty());
    cases.map(|(names, consequence)| warn(names, consequence)).collect()
}

/// The capabilities that the module needs.
fn needed() -> impl Iterator<Item = &'static str> {
    let block = DOCUMENT.split_once("allowed_capabilities:\n").map(|(_, block)| block);
    let lines = block.unwrap_or_default().lines().take_while(|line| *line != "```");
    lines.filter_map(|line| line.trim().strip_suffix(": {}"))
}
