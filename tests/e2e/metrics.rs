//! The metrics as Prometheus reads them from a real Envoy, with the labels of the shipped files.

use serde_json::{Value, json};

use crate::message::Request;
use crate::resources::root;
use crate::setup::{FirstFactor, Setup};
use crate::sim::eventually;
use crate::stack::Stack;
use duo_mfa::gate::counters;

/// An Envoy with the labels of `envoy/production.yaml`.
fn start(plugin: Value) -> Stack {
    let setup = Setup { first_factor: FirstFactor::Absent, ..Setup::default().plugin(plugin) };
    let given = setup.clone();
    Stack::start_as(setup, |parts| {
        let mut envoy = given.envoy(parts.module, parts.app, parts.duo);
        let shipped = std::fs::read_to_string(root().join("envoy/production.yaml")).unwrap();
        let shipped: Value = serde_saphyr::from_str(&shipped).unwrap();
        envoy["stats_config"] = shipped["stats_config"].clone();
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

fn scraped(stack: &Stack, series: &str) -> Option<u64> {
    let page = stack.envoy.admin("/stats/prometheus");
    let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map(|value| value.parse().unwrap())
}

#[test]
fn every_counter_is_shown_from_the_start_on() {
    let stack = start(json!({"api": {"mode": "refuse"}}));
    let page = stack.envoy.admin("/stats/prometheus");
    for counter in counters() {
        let series = prometheus(&counter.to_string());
        assert!(page.lines().any(|line| line == format!("{series} 0")), "{series}");
    }
    for series in ["duo_mfa_duo_up{}", "envoy_wasm_duo_mfa_vm_reload{}"] {
        assert!(page.contains(series), "{series}");
    }
    assert!(!page.contains("duo_mfa_refused_code"), "a name without labels");

    stack.denied(&Request::get("/").header("x-basic-user", "alice"));
    let refused = "duo_mfa_refused{code=\"mfa_required\"}";
    eventually("the count", || (scraped(&stack, refused) == Some(1)).then_some(()));
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
        eventually("the count", || (scraped(&stack, series) == Some(1)).then_some(()));
    }
}
