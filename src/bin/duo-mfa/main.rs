//! `duo-mfa`: checks of a deployment before Envoy runs it.
//!
//! `check` finds the filter's plugin configuration in the files that are going to be deployed, and
//! reads it with the filter's own reader. It also checks the configuration around it: whether the
//! user name can be forged, and whether the filter can reach Duo. `explain` shows which rule
//! decides about a request, by the filter's own code. `keygen` makes a cookie key.
//!
//! Nothing here calls Duo or Envoy. No secret is ever printed, except a new key.

#![allow(clippy::print_stdout, reason = "the program answers on standard output")]
#![allow(clippy::print_stderr, reason = "the program reports to standard error")]
#![allow(clippy::disallowed_methods, reason = "a program has an environment, unlike the core")]

mod check;
mod document;
mod environment;
mod explain;
mod keygen;
mod plugin;
mod value;

use clap::Parser as _;
use std::process::ExitCode;

/// Operator's tool of the Duo MFA filter.
#[derive(clap::Parser)]
#[command(version)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Check(check::Arguments),
    Explain(explain::Arguments),
    Keygen(keygen::Arguments),
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
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Fine => Self::SUCCESS,
            Outcome::Faulty => Self::from(1),
            Outcome::Unreadable => Self::from(2),
        }
    }
}

fn main() -> ExitCode {
    match Options::parse().command {
        Command::Check(arguments) => check::run(&arguments).into(),
        Command::Explain(arguments) => explain::run(&arguments).into(),
        Command::Keygen(keygen::Arguments {}) => keygen::run().into(),
    }
}
