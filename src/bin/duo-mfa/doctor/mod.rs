//! `duo-mfa doctor`: makes the filter's connection to Duo step by step, and reports the step that
//! fails.
//!
//! A step is a name, a connection, a TLS handshake or a call. Each fault has its verdict
//! (`verdict.rs`): a stable code, who has to act, and a fix. Calls are signed and read by the
//! filter's code; sockets, TLS and HTTP/1.1 are here.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a fault without a verdict falls under a more general one"
)]

mod account;
mod certificate;
mod exchange;
mod link;
mod report;
mod route;
mod tls;
mod user;
mod verdict;
mod way;

use crate::Outcome;
use crate::check::{NOTHING_FOUND, title};
use crate::document::Document;
use crate::environment::Environment;
use crate::output::{complain, say};
use crate::plugin::{Host, Plugin};
use account::Account;
use duo_mfa::clock::ClockOffset;
use duo_mfa::config::{Application, Config};
use report::Report;
use route::{Authorities, Proxy, Route};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Test the connection to Duo, step by step
///
/// Tests name resolution, TCP, TLS, Duo's clock, the keys and, with --user, a user, for each
/// application in the files. Exit status: 0 fine, 1 a configuration is at fault, 2 a file or the
/// secret key is missing, 3 Duo refuses, 4 Duo is not reached.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// As for `check`; the cluster of Duo may be in another of them
    #[arg(required_unless_present = "api_host", conflicts_with_all = ["api_host", "integration_key"])]
    files: Vec<PathBuf>,
    /// Test these values instead of a file's; the secret key is taken from `DUO_SECRET_KEY`
    #[arg(long, value_name = "HOST", requires = "integration_key")]
    api_host: Option<String>,
    /// The integration key that belongs to --api-host
    #[arg(long, value_name = "KEY", requires = "api_host")]
    integration_key: Option<String>,
    /// File of NAME=VALUE lines: the environment of Envoy
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Test only the application with this name
    #[arg(long, value_name = "NAME")]
    application: Option<String>,
    /// Also ask Duo about this user, with the name that the first factor sends
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Also send the user a push
    #[arg(long, requires = "user")]
    push: bool,
    /// Go through this egress proxy, HOST:PORT, instead of the cluster's
    #[arg(long, value_name = "PROXY")]
    proxy: Option<Proxy>,
    /// Trust the certificate authorities in this file instead of the cluster's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let (environment, files) = match read(arguments) {
        Ok(read) => read,
        Err(error) => {
            complain!("duo-mfa: {error}");
            return Outcome::Unreadable;
        }
    };
    let mut doctor =
        Doctor { arguments, environment: &environment, reports: Vec::new(), refused: Vec::new() };
    let mut outcome = Outcome::Fine;
    let documents: Vec<_> = files.iter().flat_map(|(_, documents)| documents).collect();
    let mut is_any_found = false;
    for (path, document, plugin) in Plugin::all_in(&files) {
        is_any_found = true;
        let title = title(path, &plugin);
        let place = Place { title, host: plugin.host, document, documents: &documents };
        outcome = outcome.max(doctor.visit(&plugin, &place));
    }
    if !is_any_found {
        complain!("duo-mfa: {NOTHING_FOUND} in these files");
        return Outcome::Unreadable;
    }
    if doctor.reports.is_empty() && outcome == Outcome::Fine {
        complain!("duo-mfa: no application has the name that --application gives");
        return Outcome::Unreadable;
    }
    if arguments.json {
        let tests: Vec<_> = doctor.reports.iter().map(Report::json).collect();
        let refused = doctor.refused;
        say!("{}", json!({"status": outcome.status(), "tests": tests, "refused": refused}));
    }
    outcome
}

type Files = Vec<(PathBuf, Vec<Document>)>;

fn read(arguments: &Arguments) -> Result<(Environment, Files), Box<dyn std::error::Error>> {
    let environment = Environment::new(arguments.env_file.as_deref())?;
    let mut files = Vec::new();
    for path in &arguments.files {
        let documents =
            Document::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        files.push((path.clone(), documents));
    }
    if let Some(api_host) = &arguments.api_host {
        // Only Duo's part of it is used.
        let plugin = json!({
            "version": 1,
            "duo": {
                "api_host": api_host,
                "integration_key": arguments.integration_key,
                "secret_key": {"env": "DUO_SECRET_KEY"}
            },
            "identity": {"source": "header", "header": "x-user"},
            "session": {"keys": [{"env": "DUO_MFA_COOKIE_KEY"}]}
        });
        let document = Document::without_file(plugin);
        files.push((PathBuf::from("command line"), vec![document]));
    }
    Ok((environment, files))
}

/// Where a plugin configuration is.
struct Place<'a> {
    title: String,
    host: Host<'a>,
    document: &'a Document,
    documents: &'a [&'a Document],
}

struct Doctor<'a> {
    arguments: &'a Arguments,
    environment: &'a Environment,
    reports: Vec<Report>,
    /// The plugin configurations that the filter refuses, for programs.
    refused: Vec<Value>,
}

impl Doctor<'_> {
    /// Tests the applications of a plugin configuration.
    fn visit(&mut self, plugin: &Plugin<'_>, place: &Place<'_>) -> Outcome {
        let config = self.environment.config(&plugin.configuration);
        let absent = self.environment.take_absent();
        let config = match config {
            Ok(config) => config,
            Err(faults) => {
                complain!("{}: {faults}", place.title);
                self.refused.push(json!({"title": place.title, "error": faults.to_string()}));
                return Outcome::Faulty;
            }
        };
        let mut outcome = Outcome::Fine;
        for application in config.applications.iter() {
            let is_meant = |name| application.name.as_deref() == Some(name);
            if !self.arguments.application.as_deref().is_none_or(is_meant) {
                continue;
            }
            let report = self.examine(&config, application, &absent, place);
            outcome = outcome.max(report.outcome());
            if !self.arguments.json {
                say!("{}", report.text());
            }
            self.reports.push(report);
        }
        outcome
    }

    fn examine(
        &self,
        config: &Config,
        application: &Application,
        absent: &BTreeSet<String>,
        place: &Place<'_>,
    ) -> Report {
        let duo = &application.duo;
        let name = application.name.as_ref().map(|name| format!(", application {name}"));
        let title = format!("{}{}", place.title, name.unwrap_or_default());
        let mut report = Report::new(title, duo.api_host().to_string());
        let route = report.step("cluster", || {
            let mut route = Route::of(duo, place.host, place.document, place.documents)?;
            if let Some(proxy) = &self.arguments.proxy {
                route.proxy = Some(proxy.clone());
            }
            if let Some(path) = &self.arguments.ca {
                route.authorities = Authorities::File(path.clone());
            }
            let text = format!("{} port {} ({})", route.host, route.port, route.source);
            Ok((route, text))
        });
        let Some(link) = route.and_then(|route| way::open(&route, &mut report)) else {
            return report;
        };
        let account = Account { link: &link, duo, absent };
        let wanted = self.arguments.user.as_deref();
        let Some(credentials) = duo.credentials() else {
            account.health_check(ClockOffset::default(), &mut report);
            if wanted.is_some() {
                let why = "the application has no integration_key: only Duo's page asks its users";
                report.skip("preauth", why);
            }
            return report;
        };
        let offset = account.examine(credentials, &mut report);
        match (wanted, offset) {
            (Some(user), Some(offset)) => {
                let visit = user::Visit { account: &account, credentials, config, offset };
                visit.examine(user, self.arguments.push, &mut report);
            }
            (Some(_), None) => report.skip("preauth", "the steps before it failed"),
            (None, _) => {}
        }
        report
    }
}
