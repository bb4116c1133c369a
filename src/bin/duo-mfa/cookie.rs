//! `duo-mfa cookie`: reads an approval cookie as the filter does.

use crate::Outcome;
use crate::check::{NOTHING_FOUND, title};
use crate::document::Document;
use crate::environment::{Environment, printable};
use crate::now;
use crate::output::{complain, say};
use crate::plugin::Plugin;
use crate::value::{list_at, text_at};
use duo_mfa::clock::UnixTime;
use duo_mfa::config::Application;
use duo_mfa::identity::Identity;
use duo_mfa::session::{Inspection, Refusal, Subject};
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

/// Read an approval cookie: its key, factor and times, and why it is refused
///
/// Exit status: 0 if the cookie is valid, 1 if it is refused or a configuration is at fault, 2 if
/// a file or a cookie key is missing. A cookie does not name its user; give --user to compare one.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The cookie's value, also as NAME=VALUE; - reads it from standard input
    value: String,
    /// File with the plugin configuration, as for `check`
    file: PathBuf,
    /// File of NAME=VALUE lines: the environment of Envoy
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Compare this user, named as the first factor does
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    match read(arguments) {
        Ok((value, environment, documents)) => {
            Reader { arguments, value, environment }.read(&documents)
        }
        Err(error) => {
            complain!("duo-mfa: {error}");
            Outcome::Unreadable
        }
    }
}

type Read = (String, Environment, Vec<Document>);

fn read(arguments: &Arguments) -> Result<Read, Box<dyn std::error::Error>> {
    let environment = Environment::new(arguments.env_file.as_deref())?;
    let documents = Document::read(&arguments.file)
        .map_err(|error| format!("{}: {error}", arguments.file.display()))?;
    let text = match arguments.value.as_str() {
        "-" => io::read_to_string(io::stdin())?,
        text => text.to_owned(),
    };
    // The value of an approval cookie has no `=`.
    let value = text.trim().trim_end_matches(';').rsplit('=').next().unwrap_or_default();
    Ok((value.to_owned(), environment, documents))
}

struct Reader<'a> {
    arguments: &'a Arguments,
    value: String,
    environment: Environment,
}

impl Reader<'_> {
    fn read(&self, documents: &[Document]) -> Outcome {
        let plugins: Vec<_> = documents.iter().flat_map(Plugin::all).collect();
        if plugins.is_empty() {
            complain!("duo-mfa: {NOTHING_FOUND} in this file");
            return Outcome::Unreadable;
        }
        let outcomes = plugins.iter().map(|plugin| self.by(plugin));
        // One configuration that accepts the cookie is enough.
        outcomes.min().unwrap_or(Outcome::Fine)
    }

    /// Reads the cookie with the keys of one plugin configuration.
    fn by(&self, plugin: &Plugin<'_>) -> Outcome {
        let title = title(&self.arguments.file, plugin);
        let config = self.environment.config(&plugin.configuration);
        let mut absent = self.environment.take_absent();
        let written = plugin.configuration.value().unwrap_or_default();
        let keys = list_at(&written, &["session", "keys"]);
        absent.retain(|name| keys.iter().any(|key| text_at(key, &["env"]) == Some(name)));
        let config = match config {
            Ok(config) => config,
            Err(faults) => {
                say!("{title}: {faults}");
                return Outcome::Faulty;
            }
        };
        let user = self.arguments.user.as_deref();
        let identity = match user.map(|user| config.identity.identify(user.as_bytes())).transpose()
        {
            Ok(identity) => identity,
            Err(error) => {
                say!("{title}: the user that --user names: {error}");
                return Outcome::Faulty;
            }
        };
        let mut refusal = None;
        for application in config.applications.iter() {
            match self.inspect(identity.as_ref(), application) {
                Ok(inspection) => {
                    say!("{title}: {}", text(application, &inspection));
                    return self.verdict(&inspection);
                }
                Err(found) if refusal.is_some_and(|known| rank(known) >= rank(found)) => {}
                Err(found) => refusal = Some(found),
            }
        }
        let refusal = refusal.unwrap_or(Refusal::Layout);
        say!("{title}:\n  refused: {}: {}", refusal.name(), reason(refusal));
        unread(refusal, &absent)
    }

    fn inspect(
        &self,
        identity: Option<&Identity>,
        of: &Application,
    ) -> Result<Inspection, Refusal> {
        let subject = identity.map(|identity| Subject {
            source: identity.source,
            user: &identity.user,
            bound: &[],
        });
        of.sessions.inspect(self.value.as_bytes(), subject.as_ref(), now())
    }

    fn verdict(&self, inspection: &Inspection) -> Outcome {
        match (&self.arguments.user, inspection.refusal) {
            (Some(user), Some(Refusal::OtherUser)) => say!("  user: not {user}"),
            (Some(user), _) => say!("  user: {user}"),
            (None, _) => say!("  user: not compared; give --user"),
        }
        match inspection.refusal {
            Some(refusal) => {
                say!("  refused: {}: {}", refusal.name(), reason(refusal));
                Outcome::Faulty
            }
            None => {
                say!("  valid");
                Outcome::Fine
            }
        }
    }
}

fn text(application: &Application, inspection: &Inspection) -> String {
    let Inspection { approval, key, is_bound, .. } = inspection;
    let now = now();
    let role = if *key == 0 { "which signs new cookies" } else { "which is being replaced" };
    let bound = if *is_bound {
        "\n  bound to more than the user (session.bind), which is not compared"
    } else {
        ""
    };
    format!(
        "cookie {}\n  key: session.keys[{key}], {role}\n  factor: {}\n  passed: {}\n  issued: {}\n  \
         renewed: {}\n  expires: {}{bound}",
        application.sessions.cookie_name(),
        approval.factor().name(),
        moment(approval.authenticated(), now),
        moment(approval.issued(), now),
        moment(approval.seen(), now),
        moment(approval.expires(), now),
    )
}

fn moment(time: UnixTime, now: UnixTime) -> String {
    let minutes = |span: std::time::Duration| span.as_secs().checked_div(60).unwrap_or_default();
    if time > now {
        format!("{}, in {} min", time.rfc2822(), minutes(time.since(now)))
    } else {
        format!("{}, {} min ago", time.rfc2822(), minutes(now.since(time)))
    }
}

/// The outcome for a cookie that no key has signed. A key that is not known here may have signed
/// it.
fn unread(refusal: Refusal, absent: &BTreeSet<String>) -> Outcome {
    if absent.is_empty() || !matches!(refusal, Refusal::UnknownKey | Refusal::Forged) {
        return Outcome::Faulty;
    }
    let names: Vec<_> = absent.iter().map(|name| printable(name)).collect();
    say!("  not set here, so that the right key may be missing: {}", names.join(", "));
    Outcome::Unreadable
}

/// If several applications refuse the cookie, the refusal with the highest rank is shown.
const fn rank(refusal: Refusal) -> u8 {
    if matches!(refusal, Refusal::Length | Refusal::Encoding) {
        0
    } else if matches!(refusal, Refusal::UnknownKey) {
        1
    } else {
        2
    }
}

/// The reason of a refusal, and the remedy.
const fn reason(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Length => "it is not an approval cookie; copy the whole value",
        Refusal::Encoding => "it has a character that cookies of the filter do not have",
        Refusal::Layout => "it was made by another release of the filter",
        Refusal::UnknownKey => "none of session.keys signed it: is a key missing in this replica?",
        Refusal::Forged => {
            "its signature is wrong: it was changed, or session.cookie had another name"
        }
        Refusal::Future => "it was issued in the future: compare the clocks of the replicas",
        Refusal::Expired => "it is older than session.expiration; the user signs in again",
        Refusal::Idle => {
            "it was not used for longer than session.inactivity; the user signs in again"
        }
        Refusal::OtherApplication => "it is for another session.application",
        Refusal::OtherUser => "it belongs to another user, or identity.source has changed",
        Refusal::OtherRequest => "it is for another request",
        Refusal::OtherBinding => "it is bound to another client (session.bind)",
        Refusal::Void => "it was issued before session.not_before",
    }
}
