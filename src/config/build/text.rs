//! Texts for people.

use crate::config::error::{Code, Fault, echo};
use crate::config::reader::Entry;

/// A text for people: 1 to `most` characters, without control characters.
pub(super) fn printable<'v>(entry: &Entry<'v>, most: usize) -> Result<&'v str, Fault> {
    let text = entry.text()?;
    check_printable(entry, text, most)?;
    Ok(text)
}

pub(super) fn check_printable(entry: &Entry<'_>, text: &str, most: usize) -> Result<(), Fault> {
    let problem = if text.trim().is_empty() {
        "is empty"
    } else if text.chars().any(char::is_control) {
        "has a control character"
    } else if text.chars().count() > most {
        "is too long"
    } else {
        return Ok(());
    };
    let fix = format!("write 1 to {most} printable characters");
    Err(entry.fault(Code::InvalidText, format!("{} {problem}", echo(text)), fix))
}
