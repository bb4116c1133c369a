//! `duo-mfa check`: reads every plugin configuration in some files with the filter's own reader,
//! and checks the configuration around it.
//!
//! A fault is a configuration that the module refuses; its text comes from the module's own code. A
//! warning is a fault outside, which the module cannot see: a user name that a client can forge, a
//! cluster that accepts any certificate, a host that forwards requests while the filter is down.
//! All files of one run are checked together, since the filter and its cluster may be in two of
//! them.

mod by_path;
mod capabilities;
mod cluster;
mod finding;
mod first_factor;
mod format;
mod header;
mod host;
mod limits;
mod listener;
mod malformed;
mod mesh;
mod native;
mod one_host;
mod order;
mod own_headers;
mod place;
mod placeholder;
mod rate_limit_service;
mod redirects;
mod replies;
mod report;
mod route;
mod rules;
mod second_lock;
mod setting;
mod shared_cluster;
mod universal;
mod waits;
mod warning;

use crate::Outcome;
use crate::document::Document;
use crate::environment::Environment;
use crate::output::{complain, say};
use crate::plugin::{Host, Plugin};
use duo_mfa::config::Config;
use format::Format;
use report::Report;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use warning::Warning;

/// Check plugin configurations, and the Envoy, Istio or Envoy Gateway files that contain them
///
/// Exit status: 0 if nothing is at fault, 1 if a configuration is, or something around it with which
/// nothing works, 2 if a file cannot be read or has
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
    /// How the findings are printed
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
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
            complain!("duo-mfa: {error}");
            return Outcome::Unreadable;
        }
    };
    let mut files: Vec<(&Path, Vec<Document>)> = Vec::new();
    let mut reports = Vec::new();
    for path in &arguments.files {
        match Document::read(path) {
            Ok(documents) => files.push((path, documents)),
            Err(error) => reports.push(Report::of_unreadable(path, &error)),
        }
    }
    let documents: Vec<_> = files.iter().flat_map(|(_, documents)| documents).collect();
    let plugins = Plugin::all_in(&files);
    reports.extend(plugins.map(|(path, document, plugin)| {
        Report::of_plugin(path, &plugin, document, &documents, &environment)
    }));
    if reports.is_empty() {
        complain!("duo-mfa: {NOTHING_FOUND} in these files");
        return Outcome::Unreadable;
    }
    say!("{}", arguments.format.text(&reports));
    let outcomes = reports.iter().map(|report| report.outcome(arguments.strict));
    outcomes.max().unwrap_or(Outcome::Fine)
}

pub(crate) fn title(path: &Path, plugin: &Plugin<'_>) -> String {
    let separator = if plugin.place.is_empty() { "" } else { ": " };
    format!("{}{separator}{}", path.display(), plugin.place)
}

impl Subject<'_> {
    /// Whether the written configuration could be read. Otherwise nothing in it can be reported as
    /// missing.
    fn is_readable(&self) -> bool {
        self.written.is_object()
    }

    /// The line of a value around the configuration, if it is in the same file.
    fn line_of(&self, value: &Value) -> Option<usize> {
        let of_file = |document: &&&Document| document.is_beside(self.document);
        self.documents.iter().filter(of_file).find_map(|document| document.line_of(value))
    }

    fn warnings(&self) -> Vec<Warning> {
        let mut warnings = setting::warnings(self);
        warnings.extend(rules::warnings(self));
        warnings.extend(first_factor::warnings(self));
        warnings.extend(order::warnings(self));
        warnings.extend(host::warnings(self));
        warnings.extend(capabilities::warnings(self));
        warnings.extend(native::warnings(self));
        warnings.extend(redirects::warnings(self));
        warnings.extend(waits::warnings(self));
        warnings.extend(replies::warnings(self));
        warnings.extend(by_path::warnings(self));
        warnings.extend(own_headers::warnings(self));
        warnings.extend(place::warnings(self));
        warnings.extend(second_lock::warnings(self));
        warnings.extend(one_host::warnings(self));
        warnings.extend(shared_cluster::warnings(self));
        warnings.extend(limits::warnings(self));
        warnings.extend(cluster::warnings(self));
        warnings.extend(rate_limit_service::warnings(self));
        warnings.extend(universal::warnings(self));
        warnings
    }
}
