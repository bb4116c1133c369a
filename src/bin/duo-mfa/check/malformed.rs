//! Shows where a plugin configuration stops being JSON, and the usual mistake at such a place.

use crate::document::Document;
use serde::de::IgnoredAny;

/// The longest part of a line that is shown, in characters.
const MAX_SHOWN: usize = 100;
/// Quotes that a word processor writes.
const TYPOGRAPHIC: [char; 7] =
    ['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{ab}', '\u{bb}'];

/// A text that is not JSON.
pub(super) struct Malformed {
    /// The number of the line in the file, if the file has the text as it is.
    pub(super) line: Option<usize>,
    /// The line at fault, with its number, and the likely mistake.
    pub(super) text: String,
}

/// Finds the fault in a text of a document. `None` if the text is JSON.
pub(super) fn explain(text: &str, document: &Document) -> Option<Malformed> {
    let error = serde_json::from_str::<IgnoredAny>(text).err()?;
    let lines: Vec<_> = text.lines().collect();
    let index = error.line().saturating_sub(1).min(lines.len().saturating_sub(1));
    let line = lines.get(index).copied().unwrap_or_default();
    let before: usize = text.split_inclusive('\n').take(index).map(str::len).sum();
    let of_line = before.saturating_add(error.column().saturating_sub(1));
    let offset = if error.is_eof() { text.len() } else { of_line };
    let shown: String = masked(line.trim()).chars().take(MAX_SHOWN).collect();
    let in_file = document.first_line(text).map(|first| first.saturating_add(index));
    let place = match in_file {
        Some(line) => format!("line {line} of the file"),
        None => format!("line {} of the text", index.saturating_add(1)),
    };
    let mistake = mistake(text, line, offset);
    let mistake = mistake.map(|it| format!("\n    {it}")).unwrap_or_default();
    Some(Malformed { line: in_file, text: format!("{place}: {shown}{mistake}") })
}

/// A line with its keys and signs, and `…` for each value: one may be a secret, in or out of its
/// quotes.
fn masked(line: &str) -> String {
    let mut shown = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|letter| is_of_word(letter) != is_of_word(first));
        let (run, after) = rest.split_at(end.unwrap_or(rest.len()));
        if is_of_word(first) && !is_open(run, after) {
            shown.push('…');
        } else {
            shown.extend(run.chars().filter(|letter| !letter.is_control()));
        }
        rest = after;
    }
    shown
}

/// Whether a character is none of JSON's signs, no quote and no space.
fn is_of_word(letter: char) -> bool {
    !matches!(letter, '{' | '}' | '[' | ']' | ',' | ':' | '"' | '\'')
        && !TYPOGRAPHIC.contains(&letter)
        && !letter.is_whitespace()
}

/// Whether a word cannot be a secret: a key of a configuration, a constant, the mark of a comment.
/// `after` is the rest of the line.
fn is_open(word: &str, after: &str) -> bool {
    let after = after.strip_prefix(['"', '\'']).unwrap_or(after).trim_start();
    let has_value = after.strip_prefix(':').is_some_and(|value| !value.starts_with(is_of_word));
    let is_key = has_value && word.bytes().all(|it| it.is_ascii_lowercase() || it == b'_');
    let is_constant =
        ["true", "false", "null", "none"].iter().any(|it| word.eq_ignore_ascii_case(it));
    is_key || is_constant || word.bytes().all(|letter| letter.is_ascii_punctuation())
}

fn mistake(text: &str, line: &str, offset: usize) -> Option<&'static str> {
    if text.starts_with('\u{feff}') {
        return Some("the text begins with a byte order mark: save the file without one");
    }
    if !text.trim_start().starts_with(['{', '"', '[']) {
        return Some(
            "this looks like YAML: the text must be JSON. In Istio and Envoy Gateway write the \
             object itself instead of a text",
        );
    }
    if line.contains(TYPOGRAPHIC) {
        return Some("the line has typographic quotes: write \" instead");
    }
    let (before, after) = text.split_at_checked(offset)?;
    let (previous, next) =
        (before.trim_end().chars().next_back(), after.trim_start().chars().next());
    match (previous, next) {
        (Some(','), Some('}' | ']')) => Some("remove the comma before the bracket"),
        (_, Some('/' | '#')) => Some("remove the comment: JSON has none"),
        (_, Some('\'')) => Some("write \" instead of '"),
        (Some(':'), Some('T' | 'F' | 'N')) => Some("write true, false or null in lower case"),
        (Some('{' | ','), Some(next)) if next.is_alphabetic() => {
            Some("write the key in double quotes: this is YAML or JavaScript, not JSON")
        }
        (Some(previous), Some('"')) if is_end(previous) => {
            Some("write a comma after the value before this one")
        }
        (_, None) => Some("the text ends here: close all brackets and quotes"),
        _ => None,
    }
}

/// Whether a value may end with this character.
const fn is_end(character: char) -> bool {
    matches!(character, '"' | '}' | ']' | 'e' | 'l') || character.is_ascii_digit()
}
