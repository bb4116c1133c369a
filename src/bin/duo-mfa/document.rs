//! The documents of a file: YAML or JSON, one or several, and those inside the texts of a
//! ConfigMap.

use crate::lines::{Lines, Written, first_line, steps_to};
use crate::plugin::Configuration;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

/// One document of a file.
#[derive(Debug)]
pub(crate) struct Document {
    /// Its place in the file, if the file holds several documents.
    pub(crate) place: Option<String>,
    pub(crate) content: Content,
    pub(crate) source: Source,
}

/// The text that a document was read from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    /// The whole file.
    pub(crate) file: Arc<str>,
    /// The file, or the text of a ConfigMap in it.
    text: Arc<str>,
    /// The number of the document in the text, without empty ones.
    index: usize,
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
    #[error("is not YAML: {0}")]
    NotYaml(#[from] Box<serde_saphyr::Error>),
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
        let values = values(&text);
        let is_for_the_modules_reader = match &values {
            Ok(values) => {
                let is_plugins = matches!(&**values, [value] if is_plugin(value, &text));
                is_plugins && is_meant_as_json(&text) && !is_json(&text)
            }
            Err(_) => text.trim_start().starts_with('{') && !text.contains("{{"),
        };
        let source = Source::whole(&text);
        if is_for_the_modules_reader {
            return Ok(vec![Self { place: None, content: Content::Text(text), source }]);
        }
        let mut documents = Vec::new();
        for (index, value) in values?.into_iter().enumerate() {
            documents.extend(held(&value, &source.file)?);
            let (place, source) = (name(&value), Source { index, ..source.clone() });
            documents.push(Self { place, content: Content::Value(value), source });
        }
        Ok(documents)
    }

    /// A document that is in no file.
    pub(crate) fn without_file(value: Value) -> Self {
        Self { place: None, content: Content::Value(value), source: Source::default() }
    }

    /// The lines of a plugin configuration. `None` if the file has one line, or the configuration is
    /// a text with escapes.
    pub(crate) fn lines(&self, configuration: &Configuration<'_>) -> Option<Lines> {
        let Source { file, text, index } = &self.source;
        // The second line, if there is one.
        file.trim_end().lines().nth(1)?;
        let (text, written) = match configuration {
            Configuration::Text(text) => (*text, Written::all(text)?.into_iter().next()?),
            Configuration::Object(value) => {
                let steps = steps_to(self.value()?, value)?;
                (&**text, Written::all(text)?.get(*index)?.at(&steps)?.clone())
            }
            Configuration::Absent => return None,
        };
        Some(Lines::new(first_line(text, file)?, written))
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

impl Source {
    fn whole(text: &str) -> Self {
        let file: Arc<str> = text.into();
        Self { text: Arc::clone(&file), file, index: 0 }
    }
}

/// Whether the text begins as JSON does. YAML accepts more than JSON, for example a comma before a
/// closing bracket, and the module that reads the text in the end may not.
fn is_meant_as_json(text: &str) -> bool {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    start.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with('"'))
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

fn values(text: &str) -> Result<Vec<Value>, DocumentError> {
    let values: Vec<Value> = serde_saphyr::from_multiple(text).map_err(Box::new)?;
    Ok(values.into_iter().filter(|value| !value.is_null()).collect())
}

/// The documents in the texts of a ConfigMap.
fn held(map: &Value, file: &Arc<str>) -> Result<Vec<Document>, DocumentError> {
    let mut documents = Vec::new();
    if map.get("kind").and_then(Value::as_str) != Some("ConfigMap") {
        return Ok(documents);
    }
    let data = map.get("data").and_then(Value::as_object).into_iter().flatten();
    let is_readable =
        |key: &str| [".yaml", ".yml", ".json"].iter().any(|extension| key.ends_with(extension));
    for (key, text) in data.filter(|(key, _)| is_readable(key)) {
        let text: Arc<str> = text.as_str().unwrap_or_default().into();
        for (index, value) in values(&text)?.into_iter().enumerate() {
            let place = name(map).map_or_else(|| key.clone(), |name| format!("{name}, {key}"));
            let source = Source { file: Arc::clone(file), text: Arc::clone(&text), index };
            let content = Content::Value(value);
            documents.push(Document { place: Some(place), content, source });
        }
    }
    Ok(documents)
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
