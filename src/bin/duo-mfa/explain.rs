//! `duo-mfa explain`: which rule decides about a request, by the filter's own code.

use crate::Outcome;
use crate::check::{NOTHING_FOUND, title};
use crate::document::Document;
use crate::environment::Environment;
use crate::plugin::Plugin;
use duo_mfa::config::{ApiMode, Application, Config, Mode};
use duo_mfa::factor::Factor;
use duo_mfa::http::{HeaderMap, RequestHead};
use duo_mfa::policy::{Decision, FailMode, Person, Policy, Ruled, Unclear};
use duo_mfa::session::ApprovedBy;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Show which rule decides about a request, and what it requires
///
/// The rules are those of every plugin configuration in the file. Exit status: 0 if a rule or the
/// default policy decides; 1 if the request is refused before that, or a configuration is at fault;
/// 2 if the file cannot be read or has no configuration, or if a rule needs to know more about the
/// request.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// As for `check`
    file: PathBuf,
    /// The request's method
    #[arg(long, default_value = "GET")]
    method: String,
    /// The request's host
    #[arg(long, default_value = "localhost")]
    host: String,
    /// Its path and query
    #[arg(long)]
    path: String,
    /// Further header, as in "origin: https://example.com"
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// The user: the canonical name, after identity.normalize
    #[arg(long)]
    user: Option<String>,
    /// A group that the user is in; may be repeated
    #[arg(long = "group", value_name = "GROUP", requires = "user")]
    groups: Vec<String>,
    /// The client's address
    #[arg(long)]
    address: Option<IpAddr>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let (environment, documents) = match read(arguments) {
        Ok(read) => read,
        Err(error) => {
            eprintln!("duo-mfa: {error}");
            return Outcome::Unreadable;
        }
    };
    let plugins: Vec<_> = documents.iter().flat_map(Plugin::all).collect();
    if plugins.is_empty() {
        eprintln!("duo-mfa: {NOTHING_FOUND} in this file");
        return Outcome::Unreadable;
    }
    let mut outcome = Outcome::Fine;
    for plugin in &plugins {
        if plugins.len() > 1 {
            println!("{}", title(&arguments.file, plugin));
        }
        match environment.config(&plugin.configuration) {
            Ok(config) => outcome = outcome.max(explain(&config, arguments)),
            Err(faults) => {
                println!("{faults}");
                outcome = outcome.max(Outcome::Faulty);
            }
        }
    }
    outcome
}

fn read(arguments: &Arguments) -> Result<(Environment, Vec<Document>), Box<dyn std::error::Error>> {
    let documents = Document::read(&arguments.file)
        .map_err(|error| format!("{}: {error}", arguments.file.display()))?;
    Ok((Environment::new(None)?, documents))
}

/// A header in the form of a command line, `name: value`.
fn header(line: &str) -> Result<(String, String), &'static str> {
    let (name, value) = line.split_once(':').ok_or("has no colon")?;
    Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
}

/// Prints what a configuration decides about the request.
fn explain(config: &Config, arguments: &Arguments) -> Outcome {
    let mut pairs: Vec<(&[u8], &[u8])> = vec![
        (b":method", arguments.method.as_bytes()),
        (b":path", arguments.path.as_bytes()),
        (b":authority", arguments.host.as_bytes()),
    ];
    let headers = arguments.headers.iter();
    pairs.extend(headers.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    let buffer = HeaderMap::serialize(&pairs);
    let head = match RequestHead::read(&buffer) {
        Ok(head) => head,
        Err(fault) => return refused(&fault.to_string()),
    };
    let rest = arguments.path.strip_prefix(&*config.path_prefix);
    if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?'])) {
        println!("an address of the filter itself, under path_prefix {}", config.path_prefix);
        return Outcome::Fine;
    }
    let view = match config.policies.view(&head, arguments.address) {
        Ok(view) => view,
        Err(Unclear::Address) if arguments.address.is_none() => {
            return untold("a rule names networks; add --address");
        }
        Err(unclear) => return refused(&unclear.to_string()),
    };
    let person = arguments.user.as_deref().map(|user| Person { user, groups: &arguments.groups });
    let ruled = match config.policies.decide_request(&head, false, &view, person.as_ref()) {
        Decision::Ruled(ruled) => ruled,
        Decision::WhoAsks => {
            return untold(
                "a rule names users or groups; add --user (without a user the request is refused)",
            );
        }
    };
    match config.mode {
        Mode::Enforce => {}
        Mode::ReportOnly => println!("mode: report_only: it passes whatever follows"),
        Mode::Off => println!("mode: off: it passes whatever follows"),
    }
    print(config, ruled);
    Outcome::Fine
}

fn refused(why: &str) -> Outcome {
    println!("refused: {why}");
    Outcome::Faulty
}

fn untold(what: &str) -> Outcome {
    eprintln!("duo-mfa: {what}");
    Outcome::Unreadable
}

fn print(config: &Config, ruled: Ruled<'_>) {
    let Ruled { policy, rule, terms } = ruled;
    match rule {
        Some(number) => println!("rule: {number}, access_control.rules[{number}]"),
        None => println!("rule: none, access_control.default_policy"),
    }
    println!("policy: {}", policy.name());
    match policy {
        Policy::Bypass | Policy::Deny => {}
        Policy::TwoFactor => {
            let Application { name, duo, .. } = config.applications.under(terms);
            let accepted = terms.factors.as_ref().or(duo.accepted.as_ref());
            let factors = accepted.map_or(Factor::ALL.as_slice(), |accepted| &accepted.factors);
            let mut names: Vec<_> = factors.iter().map(|factor| factor.name()).collect();
            let webauthn =
                duo.universal().is_some() && accepted.is_none_or(|accepted| accepted.webauthn);
            names.extend(webauthn.then_some(ApprovedBy::Webauthn.name()));
            let fail_mode = match terms.fail_mode.unwrap_or(duo.fail_mode) {
                FailMode::Secure => "secure",
                FailMode::Safe => "safe",
            };
            if let Some(name) = name {
                println!("application: {name}");
            }
            println!("factors: {}", names.join(", "));
            if duo.universal().is_some() && !terms.is_per_request {
                println!("prompt: universal");
            }
            if terms.is_per_request {
                println!("approval: per_request");
            }
            if let Some(per_client) = terms.per_client {
                println!("approval: per client, for {}", seconds(per_client.lasts));
            }
            let is_for_browsers = duo.credentials().is_none();
            match terms.api_mode {
                Some(ApiMode::Hold) => println!("api_mode: hold"),
                Some(ApiMode::Refuse) => println!("api_mode: refuse"),
                None if is_for_browsers => println!("api_mode: refuse"),
                None => {}
            }
            if is_for_browsers {
                println!("auth_api: none, so only browsers can sign in, at Duo's page");
            }
            println!("max_age: {}", terms.max_age.map_or_else(|| "none".to_owned(), seconds));
            println!("fail_mode: {fail_mode}");
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{}s", time.as_secs())
}
