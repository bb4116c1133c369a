//! Labels of metrics in every shipped Envoy file, and the alerts and the dashboard that need them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::docs::read;
use duo_mfa::gate::{asked_factors, counters};
use duo_mfa::signal::{Gauge, TimeToApproval};
use serde_json::Value;

const ALERTS: &str = "envoy/observability/alerts.yaml";

/// The label that Prometheus adds.
const INSTANCE: &str = "instance";
/// A metric of the native module alone: requests that a fault of the filter has ended.
const INTERNAL: &str = "duo_mfa_internal_errors";
/// A metric of Envoy.
const RELOADS: &str = "envoy_wasm_duo_mfa_vm_reload";

/// Labels and their known values, of each metric.
type Series = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

/// The `stats_config` of the production file, by which all others are measured.
fn labels() -> Value {
    documents(&read("envoy/production.yaml"))[0]["stats_config"].clone()
}

/// The labels of a native module need no setting, but its names have a prefix that Envoy takes off by
/// a runtime flag.
fn names_are_those_of_wasm(text: &str, envoy: &Value) -> bool {
    let flag = "envoy.reloadable_features.dynamic_modules_strip_custom_stat_prefix";
    let layer = &envoy["layered_runtime"]["layers"][0]["static_layer"];
    text.contains("metrics_namespace: wasmcustom") && layer[flag] == true
}

#[test]
fn every_envoy_file_makes_labels_of_parts_of_names() {
    let expected = labels();
    assert_eq!(expected["stats_tags"].as_array().unwrap().len(), 10);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = 0;
    for file in ["envoy", "examples"].iter().flat_map(|folder| yaml_files(&root.join(folder))) {
        let text = fs::read_to_string(&file).unwrap();
        // An Envoy behind the filter has none of its metrics.
        let has_filter = text.contains("filters.http.wasm") || text.contains("DynamicModuleFilter");
        if text.contains("{{") || !text.contains("static_resources") || !has_filter {
            continue;
        }
        let envoy = &documents(&text)[0];
        if text.contains("DynamicModuleFilter") {
            assert!(names_are_those_of_wasm(&text, envoy), "{}", file.display());
        } else {
            assert_eq!(envoy["stats_config"], expected, "{}", file.display());
        }
        files += 1;
    }
    assert!(files > 8, "{files}");

    let istio = documents(&read("envoy/istio/metrics.yaml"));
    let patch = &istio[0]["spec"]["configPatches"][0]["patch"]["value"];
    assert_eq!(patch["stats_config"], expected, "Istio");
    let gateway = documents(&read("envoy/envoy-gateway/gateway.yaml"));
    let proxy = gateway.iter().find(|it| it["kind"] == "EnvoyProxy").unwrap();
    let bootstrap = documents(proxy["spec"]["bootstrap"]["value"].as_str().unwrap());
    assert_eq!(bootstrap[0]["stats_config"], expected, "Envoy Gateway");
    let chart = read("envoy/helm/duo-mfa/templates/_envoy.tpl");
    let (_, block) = chart.split_once("{{- define \"duo-mfa.stats-config\" -}}\n").unwrap();
    let (block, _) = block.split_once("{{- end }}").unwrap();
    assert_eq!(documents(block)[0]["stats_config"], expected, "the chart");
}

#[test]
fn chart_has_the_same_alerts() {
    let ours = documents(&read(ALERTS));
    assert_eq!(documents(&read("envoy/helm/duo-mfa/files/alerts.yaml")), ours);
}

#[test]
fn every_alert_has_a_case_that_fires_and_one_that_is_silent() {
    let tests = documents(&read("envoy/observability/alerts.test.yaml"));
    let cases = tests[0]["tests"].as_array().unwrap().iter().flat_map(|test| {
        test["alert_rule_test"].as_array().unwrap().iter().map(|case| {
            let fires = !case["exp_alerts"].as_array().unwrap().is_empty();
            (case["alertname"].as_str().unwrap().to_owned(), fires)
        })
    });
    let cases: BTreeSet<_> = cases.collect();
    let names = alerts().into_iter().map(|(name, _)| name);
    let expected: BTreeSet<_> =
        names.flat_map(|name| [(name.clone(), true), (name, false)]).collect();
    assert_eq!(cases, expected);
}

/// The tables of docs/monitoring.md say how urgent each alert is, and name rows of the runbook.
#[test]
fn every_alert_has_its_urgency_and_rows_of_the_runbook() {
    let page = read("docs/monitoring.md");
    let (_, runbook) = page.split_once("\n## Runbook\n").unwrap();
    let numbers = runbook.lines().filter_map(|line| line.strip_prefix("| **")?.split_once(".**"));
    let numbers: Vec<_> = numbers.map(|(number, _)| number).collect();
    let counted: Vec<_> = (1..=numbers.len()).map(|number| number.to_string()).collect();
    assert!(numbers.len() > 15 && numbers == counted, "{numbers:?}");
    for file in [ALERTS, "envoy/observability/loki.yaml"] {
        for rule in documents(&read(file))[0]["groups"][0]["rules"].as_array().unwrap() {
            let name = rule["alert"].as_str().unwrap();
            let code = format!("`{name}`");
            let row = page.lines().find(|line| line.starts_with('|') && line.contains(&code));
            let cells: Vec<_> = row.unwrap().trim_matches('|').split('|').map(str::trim).collect();
            let known: &[&str] = match rule["labels"]["severity"].as_str().unwrap() {
                "critical" => &["wake someone"],
                "warning" => &["today", "this week"],
                _ => &["for information"],
            };
            assert!(known.contains(&cells[2]), "{name}: {}", cells[2]);
            let rows = cells.last().unwrap();
            let row = rows.rsplit_once("row ").map_or(*rows, |(_, number)| number);
            let is_number = row.parse::<usize>().is_ok();
            assert!(!is_number || numbers.contains(&row), "{name}: {row}");
            if file == ALERTS {
                let annotation =
                    is_number.then(|| format!("docs/monitoring.md#runbook, row {row}"));
                assert_eq!(
                    rule["annotations"]["runbook"].as_str(),
                    annotation.as_deref(),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn every_query_names_series_that_exist() {
    let series = series();
    let dashboard: Value =
        serde_json::from_str(&read("envoy/observability/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    let shown = targets.map(|target| target["expr"].as_str().unwrap().to_owned());
    let queries: Vec<_> = shown.chain(alerts().into_iter().map(|(_, query)| query)).collect();
    assert!(queries.len() > 25, "{}", queries.len());
    let mut asked = BTreeSet::new();
    for query in &queries {
        asked.extend(faultless(query, &series).unwrap_or_else(|fault| panic!("{query}: {fault}")));
    }
    let known: BTreeSet<_> = series.keys().map(String::as_str).collect();
    let unasked: Vec<_> =
        known.difference(&asked.iter().map(String::as_str).collect()).copied().collect();
    assert_eq!(unasked, <[&str; 0]>::default(), "no query asks for these");
}

#[test]
fn query_of_a_series_that_does_not_exist_is_found() {
    let series = series();
    for (query, word) in [
        ("rate(duo_mfa_refusals[5m])", "duo_mfa_refusals"),
        (r#"duo_mfa_refused{code="denied"}"#, "denied"),
        (r#"duo_mfa_refused{factor="push"}"#, "factor"),
        ("sum by (codes) (duo_mfa_refused)", "codes"),
        ("rate(duo_mfa_time_to_approval[5m])", "duo_mfa_time_to_approval"),
        (r#"duo_mfa_time_to_approval_bucket{factor="bypass"}"#, "bypass"),
    ] {
        let fault = faultless(query, &series).unwrap_err();
        assert!(fault.contains(word), "{query}: {fault}");
    }
}

/// The name and the query of each alert.
fn alerts() -> Vec<(String, String)> {
    let rules = documents(&read(ALERTS))[0]["groups"][0]["rules"].as_array().unwrap().clone();
    let text = |rule: &Value, key: &str| rule[key].as_str().unwrap().to_owned();
    rules.iter().map(|rule| (text(rule, "alert"), text(rule, "expr"))).collect()
}

/// All series of the filter, with the labels that `stats_tags` makes of their names.
fn series() -> Series {
    let mut series = Series::new();
    for counter in counters() {
        let name = counter.to_string();
        let mut parts = name.split('.');
        let labels = series.entry(parts.next().unwrap().to_owned()).or_default();
        while let (Some(label), Some(value)) = (parts.next(), parts.next()) {
            labels.entry(label.to_owned()).or_default().insert(value.to_owned());
        }
    }
    let named = |labels: &[&str]| {
        labels.iter().map(|label| ((*label).to_owned(), BTreeSet::new())).collect()
    };
    series.insert("duo_mfa_would_refuse".to_owned(), named(&["rule", "code"]));
    series.insert("duo_mfa_duo_up".to_owned(), named(&["application"]));
    let factors = asked_factors().map(str::to_owned).collect();
    let times = BTreeMap::from([
        (TimeToApproval::LABEL.to_owned(), factors),
        ("le".to_owned(), BTreeSet::new()),
    ]);
    series.insert(format!("{}_bucket", TimeToApproval::HISTOGRAM), times);
    let gauges = [
        Gauge::BreakerOpen(Some("")),
        Gauge::HeldRequests,
        Gauge::ClockAhead,
        Gauge::ClockBehind,
        Gauge::BuildInfo,
        Gauge::Configuration(""),
    ];
    for (name, label) in gauges.map(Gauge::parts) {
        series.insert(name.to_owned(), named(label.map(|(label, _)| label).as_slice()));
    }
    series.insert(INTERNAL.to_owned(), named(&[]));
    series.insert(RELOADS.to_owned(), named(&[]));
    series
}

/// The metrics that a query names, if it is about series that exist.
fn faultless(query: &str, series: &Series) -> Result<BTreeSet<String>, String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut named = BTreeSet::new();
    let mut possible = BTreeSet::from([INSTANCE]);
    for (at, _) in query.match_indices("duo_mfa_") {
        let start = query[..at].rfind(|c| !is_word(c)).map_or(0, |before| before + 1);
        let (name, rest) = query[start..]
            .split_at(query[start..].find(|c| !is_word(c)).unwrap_or(query.len() - start));
        let labels = series.get(name).ok_or_else(|| format!("no metric {name}"))?;
        possible.extend(labels.keys().map(String::as_str));
        if let Some((matchers, _)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            for matcher in matchers.split(',') {
                let (label, value) = matcher.split_once('=').unwrap();
                let value = value.trim_start_matches('~').trim_matches('"');
                let values = labels.get(label);
                if label != INSTANCE && !values.is_some_and(|values| values.contains(value)) {
                    return Err(format!("{name} has no label {label} with the value {value}"));
                }
            }
        }
        named.insert(name.to_owned());
    }
    for group in query.split("by (").skip(1) {
        let (labels, _) = group.split_once(')').unwrap();
        if let Some(other) = labels.split(", ").find(|label| !possible.contains(label)) {
            return Err(format!("no label {other}"));
        }
    }
    if named.is_empty() { Err("no metric".to_owned()) } else { Ok(named) }
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(yaml_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    files
}
