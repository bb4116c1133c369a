//! `duo-mfa schema`: a JSON Schema of the plugin configuration, and its reference in Markdown. Both
//! come from `duo_mfa::config::reference`.

mod conditions;
mod definitions;
mod markdown;
mod print;
mod range;
mod target;

use crate::Outcome;
use crate::output;
use target::Target;

/// Print a JSON Schema of the plugin configuration, for editors and CI
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The document that the schema is for
    #[arg(long = "for", value_enum, default_value_t = Target::Plugin)]
    target: Target,
    /// Print the keys as Markdown tables instead
    #[arg(long, conflicts_with = "target")]
    markdown: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    if arguments.markdown {
        output::write(format_args!("{}", markdown::tables()));
    } else {
        output::write(format_args!("{}", arguments.target.text()));
    }
    Outcome::Fine
}
