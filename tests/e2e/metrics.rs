//! The metrics as Prometheus reads them from a real Envoy, with the labels of the shipped files.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::filter::Host;
use crate::hosts::bring_counts;
use crate::message::Request;
use crate::resources::root;
use crate::setup::{FirstFactor, Setup};
use crate::sim::eventually;
use crate::stack::Stack;
use duo_mfa::gate::counters;

/// An Envoy whose metrics get their names and labels as in the shipped files.
fn start(plugin: Value) -> Stack {
    let setup = Setup { first_factor: FirstFactor::Absent, ..Setup::default().plugin(plugin) };
    let given = setup.clone();
    let (file, key) = match Host::of_this_run() {
        Host::Wasm => ("envoy/production.yaml", "stats_config"),
        Host::Native => ("envoy/native.yaml", "layered_runtime"),
    };
    Stack::start_as(setup, |parts| {
        let mut envoy = given.envoy(parts.module, parts.app, parts.duo);
        let shipped = std::fs::read_to_string(root().join(file)).unwrap();
        let shipped: Value = serde_saphyr::from_str(&shipped).unwrap();
        envoy[key] = shipped[key].clone();
        envoy
    })
}

/// A counter's name as Prometheus has it: `duo_mfa_refused{code="mfa_denied"}`.
fn prometheus(name: &str) -> String {
    let mut parts = name.split('.');
    let metric = parts.next().unwrap();
    let labels: Vec<_> = std::iter::from_fn(|| Some((parts.next()?, parts.next()?)))
        .map(|(label, value)| format!("{label}=\"{value}\""))
        .collect();
    format!("{metric}{{{}}}", labels.join(","))
}

/// A series with its labels in the order of their names. The order has no meaning to Prometheus.
fn ordered(series: &str) -> String {
    let (name, labels) = series.split_once('{').unwrap();
    let mut labels: Vec<_> = labels.trim_end_matches('}').split(',').collect();
    labels.sort_unstable();
    format!("{name}{{{}}}", labels.join(","))
}

/// The filter's series and their values.
fn scraped(stack: &Stack) -> BTreeMap<String, u64> {
    let page = stack.envoy.admin("/stats/prometheus");
    let lines = page.lines().filter(|line| line.contains("duo_mfa") && !line.starts_with('#'));
    let pair = |line: &str| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        (ordered(series), value.parse().unwrap())
    };
    lines.map(pair).collect()
}

/// The filter's series, with the latest values.
fn latest(stack: &Stack) -> BTreeMap<String, u64> {
    bring_counts(stack, |request| request.header("x-basic-user", "alice"));
    scraped(stack)
}

fn await_count(stack: &Stack, series: &str, count: u64) {
    let has_come = || latest(stack).get(&ordered(series)) == Some(&count);
    eventually("the count", || has_come().then_some(()));
}

/// The first tick defines the counters.
fn await_first_tick(stack: &Stack) {
    let is_shown = || latest(stack).contains_key("duo_mfa_passed{}");
    eventually("the counters", || is_shown().then_some(()));
}

#[test]
fn every_counter_is_shown_from_the_start_on() {
    let stack = start(json!({"api": {"mode": "refuse"}}));
    await_first_tick(&stack);
    let shown = scraped(&stack);
    for counter in counters() {
        let series = prometheus(&counter.to_string());
        assert_eq!(shown.get(&series), Some(&0), "{series}");
    }
    let damage = match Host::of_this_run() {
        Host::Wasm => "envoy_wasm_duo_mfa_vm_reload{}",
        Host::Native => "duo_mfa_internal_errors{}",
    };
    for series in ["duo_mfa_duo_up{}", damage] {
        assert!(shown.contains_key(series), "{series}");
    }
    let unlabelled = |series: &&String| series.contains("duo_mfa_refused_code");
    assert_eq!(shown.keys().find(unlabelled), None, "a name without labels");

    stack.denied(&Request::get("/").header("x-basic-user", "alice"));
    await_count(&stack, "duo_mfa_refused{code=\"mfa_required\"}", 1);
}

#[test]
fn what_would_be_refused_has_two_labels() {
    let stack = start(json!({
        "mode": "report_only",
        "access_control": {"rules": [{"paths": ["/internal/*"], "policy": "deny"}]},
    }));
    for path in ["/internal/1", "/1"] {
        stack.admitted(&Request::get(path).header("x-basic-user", "alice"));
    }
    for series in [
        "duo_mfa_would_refuse{code=\"access_denied\",rule=\"0\"}",
        "duo_mfa_would_refuse{code=\"mfa_required\",rule=\"default\"}",
    ] {
        await_count(&stack, series, 1);
    }
}
