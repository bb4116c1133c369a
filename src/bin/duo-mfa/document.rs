//! The documents of a file: YAML or JSON, one or several, those of a Kubernetes `List`, and those
//! inside the texts of a ConfigMap.

use crate::lines::{Lines, Step, Written, begin, steps_to};
use crate::plugin::Configuration;
use crate::value::text_at;
use crate::yaml::{NotYaml, values};
use serde_json::Value;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::{fs, io, ptr};

/// One document of a file.
#[derive(Debug)]
pub(crate) struct Document {
    /// Its place in the file, if the file holds several documents.
    pub(crate) place: Option<String>,
    pub(crate) content: Content,
    source: Source,
}

/// Where a document is written.
#[derive(Clone, Debug, Default)]
struct Source {
    file: Arc<str>,
    /// The file, or the text of a ConfigMap in it.
    text: Arc<Text>,
    /// The number of the document in the text, without empty ones.
    index: usize,
    /// The number of the document in the list around it, and so on from the outermost list.
    items: Vec<usize>,
}

/// A text with documents.
#[derive(Debug, Default)]
struct Text {
    text: Arc<str>,
    /// The line of the file on which it begins; `None` if it is written there with escapes.
    first: Option<usize>,
    /// The lines of its documents, read when the first is wanted.
    written: OnceLock<Option<Vec<Written>>>,
}

/// The content of a document.
#[derive(Debug)]
pub(crate) enum Content {
    /// YAML or JSON.
    Value(Value),
    /// A text that is not YAML and may be meant as JSON. It is passed on as it is, since the reader
    /// of the plugin configuration reports faults in JSON best.
    Text(String),
}

/// A file without documents.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentError {
    #[error("{0}")]
    Unreadable(#[from] io::Error),
    #[error("{0}")]
    NotYaml(#[from] NotYaml),
    #[error("{place} {fault}")]
    TextNotYaml { place: String, fault: NotYaml },
}

impl Document {
    /// The documents of a file; `-` is standard input.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] if the file cannot be read, or is neither YAML nor JSON.
    pub(crate) fn read(path: &Path) -> Result<Vec<Self>, DocumentError> {
        let is_input = path == Path::new("-");
        let text =
            if is_input { io::read_to_string(io::stdin())? } else { fs::read_to_string(path)? };
        let file: Arc<str> = text.into();
        let text = Text { text: Arc::clone(&file), first: Some(1), ..Text::default() };
        let mut documents = Vec::new();
        for document in Self::all(&file, text)? {
            documents.extend(document.held()?);
            documents.push(document);
        }
        Ok(documents)
    }

    /// The documents of a text in a file.
    fn all(file: &Arc<str>, text: Text) -> Result<Vec<Self>, NotYaml> {
        let contents = contents(&text.text)?.into_iter().enumerate();
        let text = Arc::new(text);
        let documents = contents.flat_map(|(index, content)| {
            let (file, text) = (Arc::clone(file), Arc::clone(&text));
            Self::spread(content, Source { file, text, index, items: vec![] })
        });
        Ok(documents.collect())
    }

    /// A document that is in no file.
    pub(crate) fn without_file(value: Value) -> Self {
        Self { place: None, content: Content::Value(value), source: Source::default() }
    }

    /// The objects of a `List`, as kubectl prints several objects; anything else is one document.
    fn spread(content: Content, source: Source) -> Vec<Self> {
        let mut value = match content {
            Content::Value(value) => value,
            Content::Text(_) => return vec![Self { place: None, content, source }],
        };
        let kind = text_at(&value, &["kind"]).unwrap_or_default();
        let of_items = kind.strip_suffix("List").map(str::to_owned);
        let items = value.get_mut("items").and_then(Value::as_array_mut);
        let (Some(of_items), Some(items)) = (of_items, items) else {
            let (place, content) = (name(&value), Content::Value(value));
            return vec![Self { place, content, source }];
        };
        let items = std::mem::take(items).into_iter().enumerate();
        let documents = items.flat_map(|(index, mut item)| {
            // The API server leaves the kind out in a list of one kind.
            if let Some(members) = item.as_object_mut().filter(|_| !of_items.is_empty()) {
                members.entry("kind").or_insert_with(|| of_items.clone().into());
            }
            let mut source = source.clone();
            source.items.push(index);
            Self::spread(Content::Value(item), source)
        });
        documents.collect()
    }

    /// The documents in the texts of a ConfigMap. A text that is no YAML and does not name the
    /// filter, such as a template of something else, is left out.
    fn held(&self) -> Result<Vec<Self>, DocumentError> {
        let map = self.value().filter(|value| text_at(value, &["kind"]) == Some("ConfigMap"));
        let data = map.and_then(|map| map.get("data")?.as_object()).into_iter().flatten();
        let is_readable =
            |key: &str| [".yaml", ".yml", ".json"].iter().any(|extension| key.ends_with(extension));
        let mut documents = Vec::new();
        for (key, text) in data.filter(|(key, _)| is_readable(key)) {
            let text = text.as_str().unwrap_or_default();
            let place =
                self.place.as_ref().map_or_else(|| key.clone(), |map| format!("{map}, {key}"));
            let first = self.first_line(text);
            match Self::all(&self.source.file, Text { text: text.into(), first, ..Text::default() })
            {
                Ok(inside) => documents
                    .extend(inside.into_iter().map(|it| Self { place: Some(place.clone()), ..it })),
                Err(_) if !text.contains("duo") => {}
                Err(fault) => {
                    return Err(DocumentError::TextNotYaml { place, fault: fault.in_file(first) });
                }
            }
        }
        Ok(documents)
    }

    /// The lines of a plugin configuration. `None` if the file has one line, or the configuration is
    /// a text with escapes.
    pub(crate) fn lines(&self, configuration: &Configuration<'_>) -> Option<Lines> {
        // The second line, if there is one.
        self.source.file.trim_end().lines().nth(1)?;
        match configuration {
            Configuration::Text(text) => {
                let written = Written::all(text)?.into_iter().next()?;
                Some(Lines::new(self.first_line(text)?, written))
            }
            Configuration::Object(value) => {
                let steps = steps_to(self.value()?, |inside| ptr::eq(inside, *value))?;
                let written = self.written()?.at(&steps)?.clone();
                Some(Lines::new(self.source.text.first?, written))
            }
            Configuration::Absent => None,
        }
    }

    /// The line of the file on which a text of this document begins; `None` if the text is written
    /// with escapes.
    pub(crate) fn first_line(&self, text: &str) -> Option<usize> {
        let first = self.source.text.first?;
        let Content::Value(value) = &self.content else { return Some(first) };
        let is_meant = |inside: &Value| inside.as_str().is_some_and(|it| ptr::eq(it, text));
        let key = self.written()?.at(&steps_to(value, is_meant)?)?.line();
        first.checked_add(begin(text, &self.source.text.text, key)?)?.checked_sub(1)
    }

    /// The lines of this document in its text.
    fn written(&self) -> Option<&Written> {
        let Source { text, index, items, .. } = &self.source;
        let all = text.written.get_or_init(|| Written::all(&text.text)).as_ref()?;
        let steps = items.iter().flat_map(|item| [Step::Member("items"), Step::Entry(*item)]);
        all.get(*index)?.at(&steps.collect::<Vec<_>>())
    }

    /// The line of the file on which a value of this document begins.
    pub(crate) fn line_of(&self, value: &Value) -> Option<usize> {
        self.lines(&Configuration::Object(value))?.of("")
    }

    /// Whether another document is in the same file.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source.file, &other.source.file)
    }

    /// The content, if it is a value and not a text.
    pub(crate) fn value(&self) -> Option<&Value> {
        match &self.content {
            Content::Value(value) => Some(value),
            Content::Text(_) => None,
        }
    }
}

/// The contents of a text: of each document its value, or the whole text as it is.
fn contents(text: &str) -> Result<Vec<Content>, NotYaml> {
    let values = values(text);
    let is_for_the_modules_reader = match &values {
        Ok(values) => {
            let is_plugins = matches!(&**values, [value] if is_plugin(value, text));
            is_plugins && is_meant_as_json(text) && !is_json(text)
        }
        Err(_) => is_plugin_at_fault(text),
    };
    if is_for_the_modules_reader {
        return Ok(vec![Content::Text(text.to_owned())]);
    }
    Ok(values?.into_iter().map(Content::Value).collect())
}

/// Whether the text begins as JSON does. YAML accepts more than JSON, for example a comma before a
/// closing bracket, and the module that reads the text in the end may not.
fn is_meant_as_json(text: &str) -> bool {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    start.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with('"'))
}

/// Whether a text that is no YAML is a plugin configuration alone: neither a template, nor a file of
/// Envoy or Kubernetes with one inside.
fn is_plugin_at_fault(text: &str) -> bool {
    let is_around = ["{{", "\"@type\"", "\"apiVersion\""].iter().any(|mark| text.contains(mark));
    text.trim_start().starts_with('{') && text.contains("\"duo\"") && !is_around
}

/// Whether a file is a plugin configuration alone. A comment in JSON makes YAML take it and the key
/// behind it for one key.
fn is_plugin(value: &Value, text: &str) -> bool {
    let has_comment = || value.get("version").is_some() && text.contains("\"duo\"");
    value.get("duo").is_some() || has_comment()
}

fn is_json(text: &str) -> bool {
    let read: Result<serde::de::IgnoredAny, _> = serde_json::from_str(text);
    read.is_ok()
}

/// Kind and name of a Kubernetes object.
fn name(value: &Value) -> Option<String> {
    let kind = value.get("kind")?.as_str()?;
    let name = value.get("metadata").and_then(|metadata| metadata.get("name"));
    Some(match name.and_then(Value::as_str) {
        Some(name) => format!("{kind} {name}"),
        None => kind.to_owned(),
    })
}
