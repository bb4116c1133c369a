//! `duo-mfa check`: reads every plugin configuration in some files with the filter's own reader,
//! and checks the configuration around it.
//!
//! A fault is a configuration that the module refuses; its text comes from the module's own code. A
//! warning is a fault outside, which the module cannot see: a user name that a client can forge, a
//! cluster that accepts any certificate, a host that forwards requests while the filter is down.
//! All files of one run are checked together, since the filter and its cluster may be in two of
//! them.

mod by_path;
mod cluster;
mod first_factor;
mod header;
mod host;
mod limits;
mod malformed;
mod mesh;
mod one_host;
mod placeholder;
mod redirects;
mod replies;
mod route;
mod rules;
mod setting;
mod shared_cluster;
mod waits;
mod warning;

use crate::Outcome;
use crate::document::Document;
use crate::environment::{Environment, printable};
use crate::plugin::{Configuration, Host, Plugin};
use duo_mfa::config::{Config, ConfigFaults};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use warning::Warning;

/// Check plugin configurations, and the Envoy, Istio or Envoy Gateway files that contain them
///
/// Exit status: 0 if no configuration is at fault, 1 if one is, 2 if a file cannot be read or has
/// no configuration.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Envoy configuration, WasmPlugin, TrafficExtension, EnvoyFilter, EnvoyExtensionPolicy,
    /// ConfigMap, or the plugin configuration itself; YAML or JSON; - is standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// File of NAME=VALUE lines with Envoy's environment
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Count warnings as faults
    #[arg(long)]
    strict: bool,
}

/// The message if no configuration was found, with the marks by which one is recognized.
pub(crate) const NOTHING_FOUND: &str = "no plugin configuration of the filter, neither an object \
                                        with duo.api_host nor a plugin named duo_mfa,";

/// A plugin configuration and everything known around it.
#[derive(Clone, Copy)]
struct Subject<'a> {
    host: Host<'a>,
    /// The configuration as it is written.
    written: &'a Value,
    /// The configuration as the filter reads it; `None` if it is at fault.
    config: Option<&'a Config>,
    /// The document that contains it.
    document: &'a Document,
    /// The documents of all files.
    documents: &'a [&'a Document],
    /// The variables that are not set here.
    absent: &'a BTreeSet<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let environment = match Environment::new(arguments.env_file.as_deref()) {
        Ok(environment) => environment,
        Err(error) => {
            eprintln!("duo-mfa: {error}");
            return Outcome::Unreadable;
        }
    };
    let mut outcome = Outcome::Fine;
    let mut files: Vec<(&Path, Vec<Document>)> = Vec::new();
    for path in &arguments.files {
        match Document::read(path) {
            Ok(documents) => files.push((path, documents)),
            Err(error) => {
                println!("{}: {error}", path.display());
                outcome = Outcome::Unreadable;
            }
        }
    }
    let documents: Vec<_> = files.iter().flat_map(|(_, documents)| documents).collect();
    let mut is_any_found = false;
    for (path, document, plugin) in Plugin::all_in(&files) {
        is_any_found = true;
        let report = Report::of(&plugin, document, &documents, &environment);
        println!("{}", report.text(&title(path, &plugin)));
        outcome = outcome.max(report.outcome(arguments.strict));
    }
    if !is_any_found && outcome == Outcome::Fine {
        eprintln!("duo-mfa: {NOTHING_FOUND} in these files");
        return Outcome::Unreadable;
    }
    outcome
}

pub(crate) fn title(path: &Path, plugin: &Plugin<'_>) -> String {
    let separator = if plugin.place.is_empty() { "" } else { ": " };
    format!("{}{separator}{}", path.display(), plugin.place)
}

/// The findings about one plugin configuration.
struct Report {
    faults: Option<ConfigFaults>,
    warnings: Vec<Warning>,
    /// Values to replace before the deployment.
    notes: Vec<Warning>,
    /// The place where the configuration stops being JSON.
    malformed: Option<String>,
    absent: BTreeSet<String>,
}

impl Report {
    fn of(
        plugin: &Plugin<'_>,
        document: &Document,
        documents: &[&Document],
        environment: &Environment,
    ) -> Self {
        let read = environment.config(&plugin.configuration);
        let absent = environment.take_absent();
        let written = plugin.configuration.value().unwrap_or_default();
        let config = read.as_ref().ok();
        let host = plugin.host;
        let subject =
            Subject { host, written: &written, config, document, documents, absent: &absent };
        let malformed = match plugin.configuration {
            Configuration::Text(text) => malformed::explain(text, &document.file),
            Configuration::Object(_) | Configuration::Absent => None,
        };
        let (warnings, notes) = (subject.warnings(), placeholder::notes(&subject));
        // A serialized `Struct` is not JSON either, but no fault.
        let malformed = malformed.filter(|_| read.is_err());
        Self { warnings, notes, malformed, faults: read.err(), absent }
    }

    fn outcome(&self, is_strict: bool) -> Outcome {
        if self.faults.is_some() || (is_strict && !self.warnings.is_empty()) {
            Outcome::Faulty
        } else {
            Outcome::Fine
        }
    }

    fn text(&self, title: &str) -> String {
        let faults: Vec<_> = self.faults.iter().flat_map(ConfigFaults::iter).collect();
        let mut text = format!("{title}: {}", summary(faults.len(), self.warnings.len()));
        for fault in faults {
            let at = if fault.path.is_empty() { "" } else { " at " };
            let (code, path) = (fault.code, &fault.path);
            text += &format!("\n  fault {code}{at}{path}: {}; {}", fault.problem, fault.fix);
        }
        if let Some(malformed) = &self.malformed {
            text += &format!("\n    {malformed}");
        }
        for warning in &self.warnings {
            text += &format!("\n  warning {warning}");
        }
        for note in &self.notes {
            text += &format!("\n  note {note}");
        }
        if !self.absent.is_empty() {
            let names: Vec<_> = self.absent.iter().map(|name| printable(name)).collect();
            let names = names.join(", ");
            text += &format!("\n  not set here, so the value was not checked: {names}");
        }
        text
    }
}

fn summary(faults: usize, warnings: usize) -> String {
    let count = |number: usize, what: &str| {
        (number > 0).then(|| format!("{number} {what}{}", if number == 1 { "" } else { "s" }))
    };
    let parts: Vec<_> =
        [count(faults, "fault"), count(warnings, "warning")].into_iter().flatten().collect();
    if parts.is_empty() { "ok".to_owned() } else { parts.join(", ") }
}

impl Subject<'_> {
    /// Whether the written configuration could be read. Otherwise nothing in it can be reported as
    /// missing.
    fn is_readable(&self) -> bool {
        self.written.is_object()
    }

    fn warnings(&self) -> Vec<Warning> {
        let mut warnings = setting::warnings(self);
        warnings.extend(rules::warnings(self));
        warnings.extend(first_factor::warnings(self));
        warnings.extend(host::warnings(self));
        warnings.extend(redirects::warnings(self));
        warnings.extend(waits::warnings(self));
        warnings.extend(replies::warnings(self));
        warnings.extend(by_path::warnings(self));
        warnings.extend(one_host::warnings(self));
        warnings.extend(shared_cluster::warnings(self));
        warnings.extend(limits::warnings(self));
        warnings.extend(cluster::warnings(self));
        warnings
    }
}
