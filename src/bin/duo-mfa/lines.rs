//! The lines of a file on which the members of its documents are written.

use crate::yaml;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Location, Spanned};
use std::fmt;

/// A value of a document: the line that it begins on, and the values in it.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// The line, from 1. For a member of an object it is the line of the key.
    line: usize,
    inside: Inside,
}

#[derive(Clone, Debug)]
enum Inside {
    Members(Vec<(String, Written)>),
    Entries(Vec<Written>),
    Nothing,
}

/// A step from a value to one in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step<'v> {
    Member(&'v str),
    Entry(usize),
}

/// A plugin configuration in its file.
pub(crate) struct Lines {
    /// The line of the file on which the text begins that has the configuration.
    first: usize,
    written: Written,
}

impl Lines {
    pub(crate) const fn new(first: usize, written: Written) -> Self {
        Self { first, written }
    }

    /// The line of a part, by a path such as `session.keys[1]`; of a missing part, the line of the
    /// object that lacks it.
    pub(crate) fn of(&self, path: &str) -> Option<usize> {
        self.first.checked_add(self.written.near(path).line)?.checked_sub(1)
    }
}

impl Written {
    /// The documents of a text, YAML or JSON. Empty ones are left out.
    pub(crate) fn all(text: &str) -> Option<Vec<Self>> {
        // The module's reader reports a key that is there twice. Here both are wanted.
        let read: Vec<Option<Self>> = yaml::all(text, DuplicateKeyPolicy::PassThrough).ok()?;
        Some(read.into_iter().flatten().collect())
    }

    /// The line that it begins on, from 1; of a member of an object, the line of the key.
    pub(crate) const fn line(&self) -> usize {
        self.line
    }

    /// The value that some steps lead to.
    pub(crate) fn at(&self, steps: &[Step<'_>]) -> Option<&Self> {
        steps.iter().try_fold(self, |value, step| match (step, &value.inside) {
            (Step::Member(name), Inside::Members(members)) => {
                members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
            }
            (Step::Entry(index), Inside::Entries(entries)) => entries.get(*index),
            _ => None,
        })
    }

    /// The value that a fault's path leads to, such as `session.keys[1]`, or the last one on the
    /// way that is there: a missing key is on no line.
    fn near(&self, path: &str) -> &Self {
        let path = path.strip_prefix('.').unwrap_or(path);
        let next = match &self.inside {
            Inside::Members(members) if path.starts_with("[\"") => {
                let (name, rest) = quoted(path).unwrap_or_default();
                let found = members.iter().rev().find(|(key, _)| *key == name);
                found.map(|(_, value)| (rest, value))
            }
            Inside::Members(members) => {
                // A key may contain dots: the longest one that fits is meant, and of two equal ones
                // the second, which is the one at fault.
                let fitting = members.iter().rev().filter_map(|(key, value)| {
                    let rest = path.strip_prefix(key.as_str())?;
                    let is_whole = rest.is_empty() || rest.starts_with(['.', '[']);
                    is_whole.then_some((rest, value))
                });
                fitting.min_by_key(|(rest, _)| rest.len())
            }
            Inside::Entries(entries) => path.strip_prefix('[').and_then(|path| {
                let (index, rest) = path.split_once(']')?;
                Some((rest, entries.get(index.parse::<usize>().ok()?)?))
            }),
            Inside::Nothing => None,
        };
        next.map_or(self, |(rest, value)| value.near(rest))
    }
}

/// Reads the key at the start of `["KEY"]...`, in which a key with unusual characters is written as
/// in JSON; and the rest of the path.
fn quoted(path: &str) -> Option<(String, &str)> {
    let path = path.strip_prefix('[')?;
    let mut keys = serde_json::Deserializer::from_str(path).into_iter::<String>();
    let key = keys.next()?.ok()?;
    Some((key, path.get(keys.byte_offset()..)?.strip_prefix(']')?))
}

/// The steps from a document to the first value in it that is meant.
pub(crate) fn steps_to(
    document: &Value,
    is_meant: impl Fn(&Value) -> bool,
) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    lead(document, &is_meant, &mut steps).then_some(steps)
}

fn lead<'v>(from: &'v Value, is_meant: &dyn Fn(&Value) -> bool, steps: &mut Vec<Step<'v>>) -> bool {
    if is_meant(from) {
        return true;
    }
    let mut through = |step, value| {
        steps.push(step);
        let is_found = lead(value, is_meant, steps);
        if !is_found {
            steps.pop();
        }
        is_found
    };
    match from {
        Value::Array(list) => {
            list.iter().enumerate().any(|(index, value)| through(Step::Entry(index), value))
        }
        Value::Object(members) => {
            members.iter().any(|(name, value)| through(Step::Member(name), value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The line of a file on which a text begins that belongs to the key on the line `key`; the text may be
/// indented there. `None` if its lines do not follow the key, as of a text with escapes.
pub(crate) fn begin(text: &str, file: &str, key: usize) -> Option<usize> {
    // YAML's mark of a text of lines may be on a separate line.
    const FARTHEST: usize = 3;
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let after = file.lines().skip(key.checked_sub(1)?).take(lines.len().checked_add(FARTHEST)?);
    let of_file: Vec<_> = after.map(str::trim).collect();
    let place = of_file.windows(lines.len().max(1)).position(|window| window == lines)?;
    key.checked_add(place)
}

fn line_of(location: Location) -> usize {
    yaml::count(location.line())
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Inside>::deserialize(deserializer)?;
        Ok(Self { line: line_of(spanned.referenced), inside: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Inside {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Inside;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Inside, A::Error> {
        let mut members = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let mut value: Written = map.next_value()?;
            value.line = line_of(key.referenced);
            members.push((key.value, value));
        }
        Ok(Inside::Members(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Inside, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element()? {
            entries.push(entry);
        }
        Ok(Inside::Entries(entries))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Inside, E> {
        Ok(Inside::Nothing)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Inside, E> {
        Ok(Inside::Nothing)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Inside, E> {
        Ok(Inside::Nothing)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Inside, E> {
        Ok(Inside::Nothing)
    }

    fn visit_str<E>(self, _: &str) -> Result<Inside, E> {
        Ok(Inside::Nothing)
    }

    fn visit_unit<E>(self) -> Result<Inside, E> {
        Ok(Inside::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TEXT: &str =
        "# comment\na:\n  b: [1,\n    {c: 2}]\n  d.e:\n    f: |\n      x\n---\n\"g\": 1\n";

    #[test]
    fn values_are_on_the_lines_of_their_keys() {
        let all = Written::all(TEXT).unwrap();
        assert_eq!(all.len(), 2);
        for (path, line) in [
            ("", 2),
            ("a", 2),
            ("a.b", 3),
            ("a.b[0]", 3),
            ("a.b[1].c", 4),
            ("a.d.e", 5),
            ("a.d.e.f", 6),
            ("a.missing.too", 2),
            ("a.b[7]", 3),
        ] {
            assert_eq!(all[0].near(path).line, line, "{path}");
        }
        assert_eq!(all[1].near("g").line, 9);
        let unusual = Written::all("a:\n  \"b c\\n\":\n    d: 1\n").unwrap();
        assert_eq!(unusual[0].near(r#"a["b c\n"].d"#).line, 3);
        let twice = Written::all("{\"a\": 1,\n\"a\": 2}").unwrap();
        assert_eq!(twice[0].near("a").line, 2);
    }

    #[test]
    fn the_way_to_a_value_is_found_by_its_place_in_memory() {
        let document = json!({"a": [{"b": 1}, {"b": 1}]});
        let second = &document["a"][1]["b"];
        let steps = steps_to(&document, |value| std::ptr::eq(value, second)).unwrap();
        assert_eq!(steps, [Step::Member("a"), Step::Entry(1), Step::Member("b")]);
        assert_eq!(steps_to(&document, |value| value == "x"), None);
        let text = "a:\n- b: 1\n- b: 1\n";
        assert_eq!(Written::all(text).unwrap()[0].at(&steps).unwrap().line, 3);
    }

    #[test]
    fn a_text_begins_after_its_key_whatever_its_indent() {
        let file = "a: |\n  {\n    1\n  }\nb: |\n  {\n    1\n  }\nc: \"{\\n}\"\nd:\n  >\n  x\n";
        for (text, key, expected) in [
            ("{\n  1\n}", 1, Some(2)),
            ("{\n  1\n}", 5, Some(6)),
            ("{\n}", 9, None),
            ("x\n", 10, Some(12)),
            ("", 1, None),
        ] {
            assert_eq!(begin(text, file, key), expected, "{text} {key}");
        }
    }
}
