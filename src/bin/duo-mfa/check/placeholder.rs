//! Values of the shipped examples that nobody has replaced.

use super::Subject;
use super::warning::{Code, Warning};
use serde_json::Value;

/// Parts of texts that mean "write your own".
const WORDS: [&str; 6] =
    ["replace_me", "replace-me", "changeme", "change_me", "change-me", "your_"];
/// How often one letter must be repeated.
const REPEATED: usize = 8;

/// The values to replace. They are not warnings, since every shipped file has some.
pub(super) fn notes(subject: &Subject<'_>) -> Vec<Warning> {
    let mut notes = Vec::new();
    look("", subject.written, &mut notes);
    notes
}

fn look(path: &str, value: &Value, notes: &mut Vec<Warning>) {
    match value {
        Value::String(text) if is_placeholder(text) => {
            let problem = format!("{text} is a placeholder of the examples");
            let note = Warning::new(Code::PlaceholderLeft, problem, "write your value");
            notes.push(note.at(path));
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                look(&format!("{path}[{index}]"), value, notes);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                let separator = if path.is_empty() { "" } else { "." };
                look(&format!("{path}{separator}{name}"), value, notes);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `api-xxxxxxxx.duosecurity.com`, `DIXXXXXXXXXXXXXXXXXX` and the like.
fn is_placeholder(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let of_key = text.strip_prefix("di").or_else(|| text.strip_prefix("api-"));
    let is_repeated = of_key.is_some_and(|rest| {
        let first = rest.chars().next().filter(char::is_ascii_alphabetic);
        first.is_some_and(|first| rest.chars().take_while(|it| *it == first).count() >= REPEATED)
    });
    is_repeated || is_of_example_com(&text) || WORDS.iter().any(|word| text.contains(word))
}

/// Whether the text is `example.com` (RFC 2606), or a name or an address in it.
fn is_of_example_com(text: &str) -> bool {
    text.split(['/', ':', '@']).any(|part| part == "example.com" || part.ends_with(".example.com"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_have_placeholders_and_deployments_have_none() {
        for (text, expected) in [
            ("api-xxxxxxxx.duosecurity.com", true),
            ("DIXXXXXXXXXXXXXXXXXX", true),
            ("DIYYYYYYYYYYYYYYYYYY", true),
            ("https://REPLACE_ME.example.com", true),
            ("your_cluster", true),
            ("example.com", true),
            ("https://help.example.com/mfa", true),
            ("example.com.corp.test", false),
            ("counterexample.com", false),
            ("api-1a2b3c4d.duosecurity.com", false),
            ("DIWJ8X6AEYOR5OMC6TQ1", false),
            ("api-00000000.duosecurity.com", false),
            ("duo_api", false),
            ("Display", false),
        ] {
            assert_eq!(is_placeholder(text), expected, "{text}");
        }
    }
}
