//! `duo-mfa completions`: completions of the command line for a shell.

use crate::output;
use crate::{Options, Outcome};
use clap::CommandFactory as _;
use clap_complete::Shell;

/// Print the completions of this program for a shell
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let mut command = Options::command();
    let mut completions = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "duo-mfa", &mut completions);
    output::write(format_args!("{}", String::from_utf8_lossy(&completions)));
    Outcome::Fine
}
