//! The headers of a forwarded request, in words.

use duo_mfa::http::Edit;
use serde_json::{Value, json};

/// The text in place of an assertion.
const ASSERTION: &str = "(a signed assertion)";

/// The changes for people: one a line.
pub(super) fn texts(edits: &[Edit]) -> Vec<String> {
    let text = |edit: &Edit| match edit {
        Edit::Remove(name) if name == b"cookie" => "without the filter's cookies".to_owned(),
        Edit::Remove(name) => format!("without {}", String::from_utf8_lossy(name)),
        // An assertion for a user who has passed nothing, which must open nothing.
        Edit::AppendNamed(name, _) => format!("{name}: {ASSERTION}"),
        Edit::Set(name, value) | Edit::Append(name, value) => {
            format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()))
        }
    };
    edits.iter().map(text).collect()
}

/// The changes for programs.
pub(super) fn json(edits: &[Edit]) -> Value {
    let one = |edit: &Edit| match edit {
        Edit::Remove(name) => json!({"change": "remove", "name": String::from_utf8_lossy(name)}),
        Edit::Set(name, value) => written("set", name, value.as_bytes()),
        Edit::Append(name, value) => written("add", name, value.as_bytes()),
        Edit::AppendNamed(name, _) => written("add", name, ASSERTION.as_bytes()),
    };
    edits.iter().map(one).collect()
}

fn written(change: &str, name: &str, value: &[u8]) -> Value {
    json!({"change": change, "name": name, "value": String::from_utf8_lossy(value)})
}
