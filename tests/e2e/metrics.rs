//! The metrics as Prometheus reads them from a real Envoy, with the labels of the shipped files.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::filter::Host;
use crate::hosts::bring_counts;
use crate::message::Request;
use crate::resources::root;
use crate::setup::{FirstFactor, Setup};
use crate::sim::eventually;
use crate::stack::{Protocol, Stack};
use crate::tally::Verdict;
use duo_mfa::gate::counters;

/// An Envoy whose metrics get their names and labels as in the shipped files.
fn start(plugin: Value) -> Stack {
    start_as(Setup { first_factor: FirstFactor::Absent, ..Setup::default().plugin(plugin) })
}

pub(crate) fn start_as(setup: Setup) -> Stack {
    let given = setup.clone();
    let (file, key) = match Host::of_this_run() {
        Host::Wasm => ("envoy/production.yaml", "stats_config"),
        Host::Native => ("envoy/native.yaml", "layered_runtime"),
    };
    Stack::start_as(setup, |parts| {
        let given = given.with_files_in(parts.directory);
        let mut envoy = given.envoy(parts.module, parts.app, parts.duo);
        let shipped = std::fs::read_to_string(root().join(file)).unwrap();
        let shipped: Value = serde_saphyr::from_str(&shipped).unwrap();
        envoy[key] = shipped[key].clone();
        envoy
    })
}

/// A name with labels as `stats_tags` makes them, as a selector: `duo_mfa_refused{code="mfa_denied"}`.
pub(crate) fn selector(name: &str) -> String {
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
        // The sum of a histogram may have a fraction.
        Some((ordered(series), value.parse().ok()?))
    };
    lines.filter_map(pair).collect()
}

/// The filter's series, with the latest values.
fn latest(stack: &Stack) -> BTreeMap<String, u64> {
    bring_counts(stack, |request| request.header("x-basic-user", "alice"));
    scraped(stack)
}

fn await_count(stack: &Stack, series: &str, count: u64) {
    let has_come = || latest(stack).get(&ordered(series)) == Some(&count);
    eventually(&format!("{series} {count}"), || has_come().then_some(()));
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
        let series = selector(&counter.to_string());
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

/// The hashes of configurations, in the order in which Envoy took them into use.
fn hashes(stack: &Stack) -> Vec<String> {
    let log = stack.envoy.log();
    let lines = log.lines().filter(|line| line.contains("config_loaded"));
    let hash = |line: &str| {
        let (_, rest) = line.split_once("\"hash\":\"").expect("a hash");
        rest.split('"').next().unwrap().to_owned()
    };
    lines.map(hash).collect()
}

#[test]
fn version_configuration_and_clock_are_shown() {
    let stack = start(json!({"duo": {"check_interval": "1s"}}));
    await_first_tick(&stack);
    let version = env!("CARGO_PKG_VERSION");
    await_count(&stack, &format!("duo_mfa_build_info{{version=\"{version}\"}}"), 1);
    let hash = hashes(&stack).pop().unwrap();
    await_count(&stack, &format!("duo_mfa_configuration{{hash=\"{hash}\"}}"), 1);
    let clock = |direction: &str, seconds: u64| {
        let series = format!("duo_mfa_clock_offset_seconds{{direction=\"{direction}\"}}");
        let is_near = |shown: &u64| (seconds.saturating_sub(2)..=seconds).contains(shown);
        eventually(&series, || latest(&stack).get(&series).is_some_and(is_near).then_some(()));
    };
    clock("ahead", 0);
    clock("behind", 0);
    stack.sim.fault(&json!({"kind": "skew", "seconds": 90}));
    clock("ahead", 90);
    clock("behind", 0);
    stack.sim.clear_faults();
    stack.sim.fault(&json!({"kind": "skew", "seconds": -120}));
    clock("ahead", 0);
    clock("behind", 122);
    await_count(&stack, "duo_mfa_held_requests{}", 0);
}

#[test]
fn configuration_that_was_replaced_is_not_in_use() {
    let listener_file = Some("listener.json".into());
    let mut stack = start_as(Setup { listener_file, drain_seconds: 1, ..Setup::default() });
    await_first_tick(&stack);
    let in_use = |stack: &Stack, hash: &str, value: u64| {
        await_count(stack, &format!("duo_mfa_configuration{{hash=\"{hash}\"}}"), value);
    };
    let first = hashes(&stack).pop().unwrap();
    in_use(&stack, &first, 1);
    stack.reload(json!({"push": {"title": "Another"}}));
    let second = hashes(&stack).pop().unwrap();
    assert_ne!(first, second);
    in_use(&stack, &second, 1);
    in_use(&stack, &first, 0);
    // Back again, while the line of the first one is less than a minute old.
    stack.reload(json!({"push": null}));
    in_use(&stack, &first, 1);
    in_use(&stack, &second, 0);
    in_use(&stack, &first, 1);
}

#[test]
fn requests_that_wait_are_counted_over_all_workers_and_approvals_are_timed() {
    let stack = start_as(Setup { workers: 4, ..Setup::default() });
    await_first_tick(&stack);
    let held: Vec<_> = (0..8)
        .map(|number| {
            let user = stack.sim.guest(number);
            let request = Request::get("/held").user(&user);
            (stack.held_push(request, Protocol::Http1, &user), user)
        })
        .collect();
    await_count(&stack, "duo_mfa_held_requests{}", 8);
    let mut left = 8;
    for (held, user) in held {
        let reply = stack.judged(Verdict::Admitted(1), "an approval", || {
            stack.sim.answer(&user, "approve");
            held.reply()
        });
        assert_eq!(reply.status, 200, "{reply:?}");
        left -= 1;
        await_count(&stack, "duo_mfa_held_requests{}", left);
    }
    await_count(&stack, "duo_mfa_time_to_approval_count{factor=\"push\"}", 8);
    let last = "duo_mfa_time_to_approval_bucket{factor=\"push\",le=\"+Inf\"}";
    await_count(&stack, last, 8);
}
