//! The documents of a text in YAML, or in JSON, which YAML contains but for a few spellings.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Error, MessageFormatter as _, Options, UserMessageFormatter, budget, options};
use std::fmt;

/// A text that is not YAML. It quotes no value, since that may be a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) struct NotYaml {
    /// Line and column, from 1.
    place: Option<(usize, usize)>,
    what: String,
}

impl fmt::Display for NotYaml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not YAML: ")?;
        if let Some((line, column)) = self.place {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.what)
    }
}

impl NotYaml {
    fn new(error: &Error) -> Self {
        let place = error.location().map(|at| (count(at.line()), count(at.column())));
        Self { place, what: UserMessageFormatter.format_message(error.without_snippet()).into() }
    }

    /// The same, with the place in a file of which the text is a part. `first` is the line of the
    /// file on which the text begins; `None` if the text is written there with escapes.
    pub(crate) fn in_file(mut self, first: Option<usize>) -> Self {
        self.place = self.place.zip(first).and_then(|((line, column), first)| {
            Some((first.checked_add(line)?.checked_sub(1)?, column))
        });
        self
    }
}

/// The values of all documents, without empty ones.
pub(crate) fn values(text: &str) -> Result<Vec<Value>, NotYaml> {
    match all::<Value>(text, DuplicateKeyPolicy::Error) {
        Ok(values) => Ok(values.into_iter().filter(|value| !value.is_null()).collect()),
        Err(error) => match serde_json::from_str(text) {
            // `serde_json` takes the last of two equal keys.
            Ok(value) if !is_about_a_key(&error) => Ok(vec![value]),
            Ok(_) | Err(_) => Err(NotYaml::new(&error)),
        },
    }
}

/// All documents of a text, of any type.
pub(crate) fn all<T: DeserializeOwned>(
    text: &str,
    duplicate_keys: DuplicateKeyPolicy,
) -> Result<Vec<T>, Box<Error>> {
    serde_saphyr::from_multiple_with_options(text, settings(duplicate_keys)).map_err(Box::new)
}

/// The files of a whole cluster of Kubernetes in one fit in; the limits of depth, and of what aliases
/// multiply, stay as they are.
fn settings(duplicate_keys: DuplicateKeyPolicy) -> Options {
    const MANY: usize = 100_000_000;
    options! {
        duplicate_keys: duplicate_keys,
        with_snippet: false,
        budget: budget! {
            max_documents: MANY,
            max_events: MANY,
            max_nodes: MANY,
            max_aliases: MANY,
            max_anchors: MANY,
            enforce_alias_anchor_ratio: false,
        },
    }
}

fn is_about_a_key(error: &Error) -> bool {
    matches!(error.without_snippet(), Error::DuplicateMappingKey { .. })
}

pub(crate) fn count(of_reader: impl TryInto<usize>) -> usize {
    of_reader.try_into().unwrap_or(usize::MAX)
}
