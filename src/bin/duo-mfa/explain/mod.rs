//! `duo-mfa explain`: which rule decides about a request, by the filter's own code.

mod all;
mod headers;
mod rules;
mod terms;
mod walk;

use crate::Outcome;
use crate::check::{NOTHING_FOUND, title};
use crate::document::Document;
use crate::environment::Environment;
use crate::output::{complain, say};
use crate::plugin::Plugin;
use duo_mfa::config::{Config, Mode};
use duo_mfa::http::{HeaderMap, RequestHead};
use duo_mfa::policy::{Decision, Person, Ruled, Unclear, View};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::path::PathBuf;

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
    /// Also show each rule and why it does not match, what a browser and what curl gets, and the
    /// headers that the application gets
    #[arg(long)]
    all: bool,
    /// Print one JSON object
    #[arg(long, requires = "all")]
    json: bool,
}

/// The request, as the command line gives it.
struct Request<'a> {
    method: &'a str,
    host: &'a str,
    path: &'a str,
    headers: &'a [(String, String)],
    user: Option<&'a str>,
    groups: &'a [String],
    address: Option<IpAddr>,
}

/// A request that no rule can decide about.
enum Undecided {
    /// It is refused before any rule.
    Refused(String),
    /// The command line says too little.
    Untold(&'static str),
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let (environment, documents) = match read(arguments) {
        Ok(read) => read,
        Err(error) => {
            complain!("duo-mfa: {error}");
            return Outcome::Unreadable;
        }
    };
    let plugins: Vec<_> = documents.iter().flat_map(Plugin::all).collect();
    if plugins.is_empty() {
        complain!("duo-mfa: {NOTHING_FOUND} in this file");
        return Outcome::Unreadable;
    }
    let request = arguments.request();
    let mut outcome = Outcome::Fine;
    let mut objects = Vec::new();
    for plugin in &plugins {
        let title = title(&arguments.file, plugin);
        if plugins.len() > 1 && !arguments.json {
            say!("{title}");
        }
        outcome = outcome.max(match environment.config(&plugin.configuration) {
            Ok(config) if arguments.json => {
                let written = plugin.configuration.value().unwrap_or_default();
                let (own, explained) = all::json(config, &written, &request);
                objects.push(titled(&title, explained));
                own
            }
            Ok(config) if arguments.all => {
                all::print(config, &plugin.configuration.value().unwrap_or_default(), &request)
            }
            Ok(config) => explain(&config, &request),
            Err(faults) if arguments.json => {
                objects.push(titled(&title, json!({"error": faults.to_string()})));
                Outcome::Faulty
            }
            Err(faults) => {
                say!("{faults}");
                Outcome::Faulty
            }
        });
    }
    if arguments.json {
        say!("{}", json!({"version": 1, "configurations": objects}));
    }
    outcome
}

fn titled(title: &str, mut object: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.insert("title".to_owned(), json!(title));
    }
    object
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

impl Arguments {
    fn request(&self) -> Request<'_> {
        let Self { method, host, path, headers, user, groups, address, .. } = self;
        let user = user.as_deref();
        Request { method, host, path, headers, user, groups, address: *address }
    }
}

impl<'a> Request<'a> {
    fn pseudo(&self) -> [(&'a [u8], &'a [u8]); 4] {
        [
            (b":method", self.method.as_bytes()),
            (b":scheme", b"https"),
            (b":authority", self.host.as_bytes()),
            (b":path", self.path.as_bytes()),
        ]
    }

    /// The head without the headers of any client.
    fn fields(&self) -> Vec<u8> {
        let mut pairs = self.pseudo().to_vec();
        let headers = self.headers.iter();
        pairs.extend(headers.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        HeaderMap::serialize(&pairs)
    }

    fn person(&self) -> Option<Person<'a>> {
        self.user.map(|user| Person { user, groups: self.groups })
    }

    /// Whether the filter itself answers, and no rule.
    fn is_own(&self, config: &Config) -> bool {
        let rest = self.path.strip_prefix(&*config.path_prefix);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    }

    /// The parts of the request that the rules compare.
    fn view<'h>(&self, config: &Config, head: &RequestHead<'h>) -> Result<View<'h>, Undecided> {
        config.policies.view(head, self.address).map_err(|unclear| {
            if unclear == Unclear::Address && self.address.is_none() {
                Undecided::Untold("a rule names networks; add --address")
            } else {
                Undecided::Refused(unclear.to_string())
            }
        })
    }
}

/// The decision of the rules.
fn ruled<'c>(
    config: &'c Config,
    request: &Request<'_>,
    head: &RequestHead<'_>,
    view: &View<'_>,
) -> Result<Ruled<'c>, Undecided> {
    match config.policies.decide_request(head, false, view, request.person().as_ref()) {
        Decision::Ruled(ruled) => Ok(ruled),
        Decision::WhoAsks => Err(Undecided::Untold(
            "a rule names users or groups; add --user (without a user the request is refused)",
        )),
    }
}

/// Prints what a configuration decides about the request.
fn explain(config: &Config, request: &Request<'_>) -> Outcome {
    let fields = request.fields();
    let head = match RequestHead::read(&fields) {
        Ok(head) => head,
        Err(fault) => return Undecided::Refused(fault.to_string()).print(),
    };
    if request.is_own(config) {
        say!("{}", own(config));
        return Outcome::Fine;
    }
    let ruled = request.view(config, &head).and_then(|view| ruled(config, request, &head, &view));
    match ruled {
        Ok(ruled) => {
            mode(config).into_iter().for_each(|mode| say!("{mode}"));
            let terms = terms::terms(config, ruled);
            terms.iter().for_each(|(name, value)| say!("{name}: {value}"));
            Outcome::Fine
        }
        Err(undecided) => undecided.print(),
    }
}

fn own(config: &Config) -> String {
    format!("an address of the filter itself, under path_prefix {}", config.path_prefix)
}

const fn mode(config: &Config) -> Option<&'static str> {
    match config.mode {
        Mode::Enforce => None,
        Mode::ReportOnly => Some("mode: report_only: it passes whatever follows"),
        Mode::Off => Some("mode: off: it passes whatever follows"),
    }
}

impl Undecided {
    fn print(&self) -> Outcome {
        match self {
            Self::Refused(why) => say!("refused: {why}"),
            Self::Untold(what) => complain!("duo-mfa: {what}"),
        }
        self.outcome()
    }

    const fn outcome(&self) -> Outcome {
        match self {
            Self::Refused(_) => Outcome::Faulty,
            Self::Untold(_) => Outcome::Unreadable,
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Refused(why) => json!({"refused": why}),
            Self::Untold(what) => json!({"error": what}),
        }
    }
}
