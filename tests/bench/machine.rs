//! The circumstances of a run, without which its figures say little.

use serde_json::{Value, json};
use std::fmt;
use std::fs::read_to_string;
use std::path::Path;
use std::process::Command;

/// The machine before and after a run.
#[derive(Debug)]
pub(crate) struct Machine {
    cpu: String,
    cpus: usize,
    envoy: String,
    /// Whether Envoy had a CPU for itself.
    pinned: bool,
    before: State,
    after: State,
}

/// The load of the machine at one time.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    load: f64,
    /// CPU time that other virtual machines took, and all CPU time, in ticks since the machine's start.
    stolen: f64,
    all: f64,
}

impl Machine {
    pub(crate) fn look(envoy: &Path, pinned: bool) -> Self {
        let version = Command::new(envoy).arg("--version").output();
        let version = version.map(|it| String::from_utf8_lossy(&it.stdout).into_owned());
        // `PATH  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL`
        let version = version.unwrap_or_default();
        let version = version.split("version: ").nth(1).and_then(|it| it.split('/').nth(1));
        let info = read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model =
            info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
        Self {
            cpu: model.unwrap_or("an unknown CPU").to_owned(),
            cpus: info.lines().filter(|line| line.starts_with("processor")).count(),
            envoy: version.unwrap_or("of an unknown version").to_owned(),
            pinned,
            before: State::now(),
            after: State::default(),
        }
    }

    pub(crate) fn look_again(&mut self) {
        self.after = State::now();
    }

    /// The part of all CPU time that other virtual machines took during the run.
    fn steal(&self) -> f64 {
        (self.after.stolen - self.before.stolen) / (self.after.all - self.before.all).max(1.0)
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "cpu": self.cpu,
            "cpus": self.cpus,
            "envoy": self.envoy,
            "pinned": self.pinned,
            "load_average": [self.before.load, self.after.load],
            "steal": self.steal(),
        })
    }
}

impl State {
    fn now() -> Self {
        let load = read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().and_then(|one| one.parse().ok()).unwrap_or_default();
        let stat = read_to_string("/proc/stat").unwrap_or_default();
        let line = stat.lines().next().unwrap_or_default();
        // Fields of the first line (proc(5)): user, nice, system, idle, iowait, irq, softirq, steal.
        let ticks: Vec<f64> =
            line.split_whitespace().skip(1).take(8).filter_map(|it| it.parse().ok()).collect();
        Self { load, stolen: ticks.get(7).copied().unwrap_or_default(), all: ticks.iter().sum() }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, cpus, envoy, before, after, .. } = self;
        let shared = if self.pinned { "" } else { "; Envoy shared its CPU with the clients" };
        write!(
            f,
            "Envoy {envoy}, {cpus} CPUs ({cpu}), load average {} before and {} after, {:.1} % of CPU time \
             stolen by other virtual machines{shared}.",
            before.load,
            after.load,
            100.0 * self.steal()
        )
    }
}
