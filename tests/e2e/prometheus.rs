//! A real Prometheus scrapes real Envoys. It has each series of `docs/monitoring.md`, every query of the alerts and of the dashboard is
//! about series that it has, and an alert fires.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::filter::Host;
use crate::hosts::bring_counts;
use crate::http1::Connection;
use crate::message::Request;
use crate::metrics::{selector, start_as};
use crate::resources::root;
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::{Directory, Stack};
use duo_mfa::gate::{asked_factors, counters};
use duo_mfa::signal::{Gauge, TimeToApproval};

const DOCS: &str = "docs/monitoring.md";

/// The metrics that only one host has, each with the other host.
const OF_ONE_HOST: [(&str, Host); 2] =
    [("envoy_wasm_duo_mfa_vm_reload", Host::Native), ("duo_mfa_internal_errors", Host::Wasm)];

/// A Prometheus that scrapes each second. Ends when it is dropped.
pub(crate) struct Prometheus {
    process: Child,
    pub(crate) address: SocketAddr,
    _directory: Directory,
}

impl Prometheus {
    pub(crate) fn start(targets: &[SocketAddr]) -> Self {
        let directory = Directory::new();
        let configuration = json!({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [root().join("envoy/observability/alerts.yaml")],
            "scrape_configs": [{
                "job_name": "envoy",
                "metrics_path": "/stats/prometheus",
                "static_configs": [{"targets": targets}],
            }],
        });
        let file = directory.0.join("prometheus.yaml");
        fs::write(&file, configuration.to_string()).unwrap();
        let log = fs::File::create(directory.0.join("prometheus.log")).unwrap();
        let address = unused();
        let process = Command::new(program())
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", directory.0.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("Prometheus runs");
        let prometheus = Self { process, address, _directory: directory };
        eventually("Prometheus", || std::net::TcpStream::connect(address).ok());
        eventually("its storage", || {
            let reply = Connection::open(address).exchange(&Request::get("/-/ready")).ok()?;
            (reply.status == 200).then_some(())
        });
        prometheus
    }

    fn ask(&self, path: &str) -> Option<Value> {
        let reply = Connection::open(self.address).exchange(&Request::get(path)).ok()?;
        (reply.status == 200).then(|| reply.json()["data"].clone())
    }

    /// The result of a query; the reason if Prometheus refuses it.
    fn query(&self, query: &str) -> Result<Vec<Value>, String> {
        let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let path = format!("/api/v1/query?query={query}");
        let reply = Connection::open(self.address).exchange(&Request::get(path)).unwrap();
        match reply.json()["data"]["result"].as_array() {
            Some(result) => Ok(result.clone()),
            None => Err(reply.text()),
        }
    }

    fn has(&self, selector: &str) -> bool {
        !self.query(selector).unwrap_or_else(|fault| panic!("{selector}: {fault}")).is_empty()
    }

    /// Every rule.
    fn rules(&self) -> Vec<Value> {
        let groups = self.ask("/api/v1/rules").unwrap_or_default();
        let groups = groups["groups"].as_array().cloned().unwrap_or_default();
        groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
    }

    fn is_firing(&self, alert: &str) -> bool {
        self.rules().iter().any(|rule| rule["name"] == alert && rule["state"] == "firing")
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn program() -> PathBuf {
    let path = root().join(".tools/prometheus/prometheus");
    assert!(path.is_file(), "{} is missing: run `tools/prometheus.sh`", path.display());
    path
}

/// An address at which nobody listens.
fn unused() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Whether only the other host has this metric.
fn is_of_another_host(metric: &str) -> bool {
    OF_ONE_HOST.iter().any(|(name, other)| metric.contains(name) && *other == Host::of_this_run())
}

/// The series that an Envoy shows from the start on.
fn known() -> Vec<String> {
    let gauges = [Gauge::DuoUp(None), Gauge::DuoUp(Some("payments")), Gauge::HeldRequests];
    let gauges = gauges.into_iter().chain([Gauge::ClockAhead, Gauge::ClockBehind]);
    let names = counters().map(|it| it.to_string()).chain(gauges.map(|it| it.to_string()));
    names.map(|name| selector(&name)).collect()
}

/// Each metric that the page has, as a selector of its labels.
fn documented() -> Vec<String> {
    let page = read(DOCS);
    let (_, table) = page.split_once("### All metrics").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let names = rows.map(|row| row.split('`').next().unwrap());
    let described = names.map(|name| {
        let mut parts = name.split('.');
        let metric = parts.next().unwrap();
        let metric = if metric == TimeToApproval::HISTOGRAM {
            format!("{metric}_bucket")
        } else {
            metric.to_owned()
        };
        // Each label is followed by a word for its values.
        let labels: Vec<_> = parts.step_by(2).map(|label| format!("{label}!=\"\"")).collect();
        format!("{metric}{{{}}}", labels.join(","))
    });
    let described: Vec<_> = described.collect();
    assert!(described.len() > 18, "{described:?}");
    described
}

/// The queries of the dashboard, as Grafana sends them, and those of the alerts.
fn queries() -> Vec<String> {
    let dashboard: Value =
        serde_json::from_str(&read("envoy/observability/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap().clone());
    let shown = targets.map(|target| target["expr"].as_str().unwrap().to_owned());
    let alerts: Value = serde_saphyr::from_str(&read("envoy/observability/alerts.yaml")).unwrap();
    let rules = alerts["groups"][0]["rules"].as_array().unwrap().clone();
    let alerts = rules.into_iter().map(|rule| rule["expr"].as_str().unwrap().to_owned());
    let filled = |query: String| {
        let query = query.replace("$__rate_interval", "1m").replace("$__range", "1m");
        query.replace("$instance", ".*")
    };
    shown.chain(alerts).map(filled).collect()
}

/// The parts of a query that select series.
fn selectors(query: &str) -> BTreeSet<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts = query
        .match_indices("duo_mfa_")
        .map(|(at, _)| query[..at].rfind(|c| !is_word(c)).map_or(0, |before| before + 1));
    let whole = |start: usize| {
        let rest = &query[start..];
        let name = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let labels = rest[name..].starts_with('{').then(|| rest.find('}').unwrap() + 1);
        rest[..labels.unwrap_or(name)].to_owned()
    };
    starts.map(whole).collect()
}

/// Two Envoys: one enforces, with two applications; the other one only reports.
fn stacks() -> [Stack; 2] {
    let payments = json!({"duo": {
        "api_host": crate::setup::API_HOST,
        "integration_key": "DIPAYMENTSXXXXXXXXXX",
        "secret_key": {"env": "DUO_SECRET_KEY"},
    }});
    let rules = json!({"rules": [
        {"paths": ["/pay/*"], "policy": "two_factor", "application": "payments"},
    ]});
    let enforcing = json!({"applications": {"payments": payments}, "access_control": rules});
    let reporting = json!({
        "mode": "report_only",
        "access_control": {"rules": [{"paths": ["/internal/*"], "policy": "deny"}]},
    });
    [enforcing, reporting].map(|plugin| start_as(Setup::default().plugin(plugin)))
}

#[test]
fn prometheus_has_each_series_and_every_query_is_about_one() {
    let [enforcing, reporting] = stacks();
    let prometheus =
        Prometheus::start(&[enforcing.envoy.admin_address(), reporting.envoy.admin_address()]);
    eventually("both Envoys", || {
        let ups = prometheus.query("up == 1").unwrap();
        (ups.len() == 2).then_some(())
    });
    // The counters that begin with their first count, and the histogram with its first value.
    reporting.admitted(&Request::get("/internal/1").user("alice"));
    enforcing.signed_in("alice");
    let bring = |stack: &Stack| bring_counts(stack, |request| request.user("alice"));
    let factors = asked_factors().map(|factor| {
        let series =
            format!("{}_count.{}.{factor}", TimeToApproval::HISTOGRAM, TimeToApproval::LABEL);
        selector(&series)
    });
    // The native module shows a factor when a user has approved by it.
    let factors = factors.filter(|it| it.contains("push") || Host::of_this_run() == Host::Wasm);
    let wanted = known().into_iter().chain(documented()).chain(factors);
    for selector in wanted.filter(|it| !is_of_another_host(it)) {
        eventually(&selector, || {
            bring(&enforcing);
            bring(&reporting);
            prometheus.has(&selector).then_some(())
        });
    }

    let queries = queries();
    assert!(queries.len() > 35, "{}", queries.len());
    for query in &queries {
        prometheus.query(query).unwrap_or_else(|fault| panic!("{query}: {fault}"));
        let selectors = selectors(query);
        assert!(!selectors.is_empty(), "{query}");
        for selector in selectors.iter().filter(|it| !is_of_another_host(it)) {
            assert!(prometheus.has(selector), "{query}: there is no {selector}");
        }
    }
}

#[test]
fn alert_fires_on_its_event_alone() {
    let stack = start_as(Setup::default());
    let prometheus = Prometheus::start(&[stack.envoy.admin_address()]);
    let bring = || bring_counts(&stack, |request| request.user("alice"));
    let is_evaluated = |rule: &Value| rule["health"] == "ok";
    eventually("the rules", || {
        bring();
        let rules = prometheus.rules();
        (rules.len() > 10 && rules.iter().all(is_evaluated)).then_some(())
    });
    eventually("the healthy Duo", || prometheus.has("duo_mfa_duo_up == 1").then_some(()));
    // Two scrapes at least show 0.
    sleep(Duration::from_secs(3));
    bring();
    stack.answered_push(Request::get("/").user("alice"), "alice", "fraud");
    eventually("the alert", || {
        bring();
        prometheus.is_firing("DuoMfaFraudReported").then_some(())
    });
    let rules = prometheus.rules();
    let others = rules.iter().filter(|rule| rule["name"] != "DuoMfaFraudReported");
    let firing: Vec<_> = others.filter(|rule| rule["state"] == "firing").collect();
    assert!(firing.is_empty(), "{firing:?}");
}

#[test]
fn labels_and_metrics_of_a_query_are_found() {
    let query =
        r#"sum(rate(duo_mfa_refused{code="mfa_fraud"}[5m])) / sum(rate(duo_mfa_passed[5m]))"#;
    let expected = ["duo_mfa_passed", r#"duo_mfa_refused{code="mfa_fraud"}"#];
    assert!(selectors(query).iter().eq(expected), "{:?}", selectors(query));
    let reloads = "increase(envoy_wasm_duo_mfa_vm_reload[10m]) > 0";
    assert!(selectors(reloads).iter().eq(["envoy_wasm_duo_mfa_vm_reload"]));
}
