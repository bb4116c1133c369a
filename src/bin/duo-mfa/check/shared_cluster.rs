//! A cluster for Duo that two plugin configurations share, if one of them has `fail_mode: safe`.
//!
//! Envoy does not say whether a cluster has no host, or only no room for another call. The filter
//! knows only the calls of its configuration. Calls of another one can fill the cluster, which
//! then looks like an outage.

use super::Subject;
use super::native;
use super::warning::{Code, Warning};
use crate::plugin::{Host, Plugin};
use crate::value::{each, member, text_at};
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) fn warnings(subject: &Subject<'_>) -> Option<Warning> {
    let Host::Envoy { plugin: own, .. } = subject.host else { return None };
    let state = native::state(subject.host);
    if !opens(subject.written) {
        return None;
    }
    let clusters = clusters(subject.written);
    let is_in_the_way = |other: &&Plugin<'_>| {
        let Host::Envoy { plugin, .. } = other.host else { return false };
        let written = other.configuration.value();
        !std::ptr::eq(plugin, own)
            && written.is_some_and(|written| {
                let knows = native::state(other.host) == state
                    && application(&written) == application(subject.written);
                !knows && !self::clusters(&written).is_disjoint(&clusters)
            })
    };
    let plugins = Plugin::all(subject.document);
    let other = plugins.iter().find(is_in_the_way)?;
    let problem = format!(
        "fail_mode is safe, and another configuration ({}) calls Duo through the same cluster: \
         anyone who fills it there is admitted here, as in an outage",
        other.place
    );
    let fix = "name a separate cluster in duo.cluster of each configuration";
    Some(Warning::new(Code::ClusterShared, problem, fix))
}

/// Whether some request may pass while Duo cannot be reached.
fn opens(written: &Value) -> bool {
    let mut is_safe = false;
    each(written, &mut |value| is_safe |= text_at(value, &["fail_mode"]) == Some("safe"));
    is_safe
}

/// The clusters through which a configuration calls Duo.
fn clusters(written: &Value) -> BTreeSet<String> {
    let main = text_at(written, &["duo", "cluster"]).unwrap_or("duo_api");
    let others = member(written, "applications").and_then(Value::as_object);
    let others = others.into_iter().flat_map(|others| others.values());
    let named = others.filter_map(|other| text_at(other, &["duo", "cluster"]));
    named.chain([main]).map(str::to_owned).collect()
}

/// The parts of the name of the filter's record of Duo's health. Configurations of one application
/// share the record.
fn application(written: &Value) -> Vec<Option<&Value>> {
    let duo = written.get("duo");
    let of_auth_api = values(duo, &["integration_key", "ikey", "secret_key", "skey"]);
    if of_auth_api.iter().any(Option::is_some) {
        return of_auth_api;
    }
    let universal = duo.and_then(|duo| duo.get("universal"));
    let ids = ["client_id", "integration_key", "ikey"];
    let secrets = ["client_secret", "secret_key", "skey"];
    values(universal, &[ids, secrets].concat())
}

fn values<'a>(section: Option<&'a Value>, keys: &[&str]) -> Vec<Option<&'a Value>> {
    keys.iter().map(|key| section.and_then(|section| section.get(key))).collect()
}
