//! The order of the filters: the client's header is removed, the first factor sets it, and this filter
//! reads it.

use super::Subject;
use super::header::{Step, step};
use super::mesh;
use super::warning::{Code, Warning};
use crate::plugin::{Chain, Host};
use crate::value::{at, each, list_at, text_at};
use serde_json::Value;
use std::ptr;

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    let header = text_at(subject.written, &["identity", "header"]);
    let is_header = text_at(subject.written, &["identity", "source"]) == Some("header");
    let header = header.filter(|_| is_header);
    match subject.host {
        Host::Envoy { chain: Some(chain), .. } => {
            header.map(|header| in_chain(subject, &chain, header)).unwrap_or_default()
        }
        Host::Envoy { plugin, chain: None, .. } => first(subject, plugin).into_iter().collect(),
        Host::Istio { phase: Some("AUTHN"), .. } => {
            header.and_then(|header| before_authentication(subject, header)).into_iter().collect()
        }
        Host::Nothing | Host::Istio { .. } | Host::Gateway { .. } => Vec::new(),
    }
}

/// The filters behind this one.
pub(super) fn behind<'d>(chain: &Chain<'d>) -> &'d [Value] {
    let next = chain.before.len().saturating_add(1);
    list_at(chain.manager, &["http_filters"]).get(next..).unwrap_or_default()
}

pub(super) fn name(filter: &Value) -> &str {
    text_at(filter, &["name"]).unwrap_or("a filter")
}

/// A finding about a first factor that runs too late.
pub(super) fn too_early(first_factor: &Value) -> Warning {
    let name = name(first_factor);
    let problem =
        format!("the filter runs before {name}, which names the user: every request is refused");
    Warning::new(Code::RunsBeforeFirstFactor, problem, format!("move {name} before this filter"))
}

fn in_chain(subject: &Subject<'_>, chain: &Chain<'_>, header: &str) -> Vec<Warning> {
    let sets = |filter: &&Value| step(filter, header) == Step::Sets;
    let Some(setter) = chain.before.iter().rposition(|filter| sets(&filter)) else {
        let later = behind(chain).iter().find(sets);
        return later.map(|later| too_early(later).on(subject, later)).into_iter().collect();
    };
    let after = chain.before.get(setter..).unwrap_or_default();
    let remover = after.iter().find(|filter| step(filter, header) == Step::Removes);
    let removed = remover.map(|remover| {
        let (name, by) = (name(remover), after.first().map_or("the first factor", name));
        let problem = format!(
            "{name} is behind {by} and removes the {header} that {by} has set: every request is \
             refused"
        );
        let fix = format!("move {name} before {by}");
        Warning::new(Code::FirstFactorRemoved, problem, fix).cannot_work().on(subject, remover)
    });
    removed.into_iter().collect()
}

/// Reports Istio's EnvoyFilter that puts this filter before all others.
fn first(subject: &Subject<'_>, plugin: &Value) -> Option<Warning> {
    let object = subject.document.value()?;
    let mut patches = list_at(object, &["spec", "configPatches"]).iter();
    let own = patches.find(|patch| {
        let mut is_own = false;
        each(patch, &mut |value| is_own |= ptr::eq(value, plugin));
        is_own
    })?;
    let is_verified = matches!(
        text_at(subject.written, &["identity", "source"]),
        Some("jwt" | "header" | "metadata")
    );
    let operation = text_at(own, &["patch", "operation"]);
    (operation == Some("INSERT_FIRST") && is_verified).then(|| {
        let problem = "INSERT_FIRST puts the filter before the first factor: it sees no user, or the \
                       user that the client names";
        let fix = "write INSERT_BEFORE with `subFilter: {name: envoy.filters.http.router}`";
        Warning::new(Code::RunsBeforeFirstFactor, problem, fix).on(subject, own)
    })
}

/// Reports Istio's phase AUTHN if Istio sets the header after it.
fn before_authentication(subject: &Subject<'_>, header: &str) -> Option<Warning> {
    let mut policies = mesh::objects(subject.documents, "RequestAuthentication");
    let sets = policies.any(|policy| {
        let mut outputs = list_at(policy, &["spec", "jwtRules"])
            .iter()
            .flat_map(|rule| list_at(rule, &["outputClaimToHeaders"]));
        outputs.any(|output| at(output, &["header"]).is_some_and(|it| it == header))
    });
    sets.then(|| {
        let problem = format!(
            "in phase AUTHN the filter runs before Istio sets {header}: it sees no user, or the user \
             that the client names"
        );
        Warning::new(Code::RunsBeforeFirstFactor, problem, "write `phase: AUTHZ`")
    })
}
