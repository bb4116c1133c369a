//! Prints for people and programs. A reader that has gone, as `head` after its lines, is no fault; a
//! disk that is full is one.

use crate::Outcome;
use std::fmt;
use std::io::{self, ErrorKind, Write as _};
use std::sync::Mutex;

/// The first fault of standard output.
static FAULT: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints a line on standard output, as `println!` does, which would panic if it could not.
macro_rules! say {
    ($($text:tt)*) => { $crate::output::write(format_args!("{}\n", format_args!($($text)*))) };
}

/// Prints a line on standard error. If that fails, nobody hears of it.
macro_rules! complain {
    ($($text:tt)*) => { $crate::output::report(format_args!($($text)*)) };
}

pub(crate) use {complain, say};

/// Prints a text on standard output.
pub(crate) fn write(text: fmt::Arguments<'_>) {
    keep(io::stdout().lock().write_fmt(text));
}

pub(crate) fn report(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// How the program ends, after a command has ended like this.
pub(crate) fn end(outcome: Outcome) -> Outcome {
    keep(io::stdout().lock().flush());
    let fault = FAULT.lock().ok().and_then(|mut fault| fault.take());
    match fault {
        Some(error) => {
            complain!("duo-mfa: standard output: {error}");
            outcome.max(Outcome::Unreadable)
        }
        None => outcome,
    }
}

fn keep(written: io::Result<()>) {
    let fault = written.err().filter(|error| error.kind() != ErrorKind::BrokenPipe);
    if let (Some(error), Ok(mut first)) = (fault, FAULT.lock()) {
        first.get_or_insert(error);
    }
}
