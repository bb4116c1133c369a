//! JSON text that people read: the description of a schema comes first, and short objects are on one
//! line.

use serde_json::{Map, Value};

const WIDTH: usize = 120;

/// Members that come before the others, in this order.
const FIRST: [&str; 16] = [
    "$schema",
    "$id",
    "$ref",
    "title",
    "description",
    "type",
    "required",
    "const",
    "enum",
    "pattern",
    "not",
    "if",
    "then",
    "else",
    "default",
    "examples",
];

/// Members that come after the others, in this order.
const LAST: [&str; 4] = ["properties", "allOf", "$defs", "definitions"];

/// The text of a value; lines after the first begin with at least `indent` spaces. `used` is the
/// number of columns before the value.
pub(super) fn text(value: &Value, indent: usize, used: usize) -> String {
    let short = line(value);
    if used.saturating_add(short.chars().count()) < WIDTH {
        return short;
    }
    let below = indent.saturating_add(2);
    let (open, close, entries) = match value {
        Value::Object(members) => {
            let entries = sorted(members).into_iter().map(|(name, value)| {
                let name = Value::String(name.clone()).to_string();
                let used = below.saturating_add(name.chars().count()).saturating_add(2);
                format!("{name}: {}", text(value, below, used))
            });
            ('{', '}', entries.collect::<Vec<_>>())
        }
        Value::Array(list) => {
            ('[', ']', list.iter().map(|value| text(value, below, below)).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return short,
    };
    let gap = format!(",\n{:below$}", "");
    format!("{open}\n{:below$}{}\n{:indent$}{close}", "", entries.join(&gap), "")
}

fn line(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = sorted(members).into_iter();
            let members = members
                .map(|(name, value)| format!("{}: {}", Value::String(name.clone()), line(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(list) => {
            format!("[{}]", list.iter().map(line).collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

fn sorted(members: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let rank = |name: &str| {
        let first = FIRST.iter().position(|known| *known == name);
        let last = LAST.iter().position(|known| *known == name).map(|at| at.saturating_add(100));
        first.or(last).unwrap_or(50)
    };
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by_key(|(name, _)| rank(name));
    members
}
