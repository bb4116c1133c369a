//! `duo-mfa`: what an operator asks before Envoy is told.
//!
//! `check` finds the filter's plugin configuration in the files that are going to be deployed,
//! reads it with the filter's own reader, and looks at what stands around it: whether the name that
//! it trusts can be trusted, and whether Duo can be reached in the way that it expects. `explain`
//! says by the filter's own rules what happens to a request. `keygen` makes a cookie key.
//!
//! Nothing here calls Duo or Envoy, and no secret is ever printed, a fresh key excepted.

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

/// How a command ended. Of several ends the last in this order counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Nothing is wrong.
    Fine,
    /// A configuration is at fault.
    Faulty,
    /// Something could not be read, so that nobody knows.
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
