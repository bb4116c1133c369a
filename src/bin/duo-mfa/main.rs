//! `duo-mfa`: checks of a deployment before Envoy runs it.
//!
//! `check` finds the filter's plugin configuration in the files that are going to be deployed, and
//! reads it with the filter's own reader. It also checks the configuration around it: whether the
//! user name can be forged, and whether the filter can reach Duo. `explain` shows which rule
//! decides about a request, by the filter's own code. `keygen` makes a cookie key.
//! `doctor` makes the filter's calls to Duo, and reports the step at which they fail. `cookie`
//! reads an approval cookie, `init` writes the files for a deployment, `audit` reads the audit lines in Envoy's log. `schema` prints a JSON
//! Schema of the configuration.
//!
//! No other command calls Duo, and none calls Envoy. No secret is ever printed, except a new key.

#![allow(clippy::disallowed_methods, reason = "a program has an environment, unlike the core")]

mod audit;
mod check;
mod completions;
mod cookie;
mod doctor;
mod document;
mod environment;
mod explain;
mod init;
mod keygen;
mod lines;
mod output;
mod plugin;
mod schema;
mod upstream;
mod value;
mod yaml;

use crate::output::say;
use clap::Parser as _;
use duo_mfa::clock::UnixTime;
use std::process::ExitCode;
use std::time::SystemTime;

/// Operator's tool of the Duo MFA filter.
#[derive(clap::Parser)]
#[command(version)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Audit(audit::Arguments),
    Check(check::Arguments),
    Completions(completions::Arguments),
    Cookie(cookie::Arguments),
    Doctor(doctor::Arguments),
    Explain(explain::Arguments),
    Init(init::Arguments),
    Keygen(keygen::Arguments),
    Schema(schema::Arguments),
    /// Print the version
    Version,
}

/// How a command ended. If several plugin configurations end differently, the last in this order
/// counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Nothing is wrong.
    Fine,
    /// A configuration is at fault.
    Faulty,
    /// Something could not be read, so the result is unknown.
    Unreadable,
    /// Duo refuses the calls, or the user.
    Refused,
    /// Duo cannot be reached.
    Unreached,
}

impl Outcome {
    /// The exit status.
    const fn status(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Faulty => 1,
            Self::Unreadable => 2,
            Self::Refused => 3,
            Self::Unreached => 4,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome.status())
    }
}

fn main() -> ExitCode {
    let outcome = match Options::parse().command {
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Cookie(arguments) => cookie::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Keygen(keygen::Arguments {}) => keygen::run(),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Version => {
            say!("duo-mfa {}", env!("CARGO_PKG_VERSION"));
            Outcome::Fine
        }
    };
    output::end(outcome).into()
}

/// The time of this host.
fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
