//! A definition for each section of the reference.

use super::{conditions, markdown, range};
use duo_mfa::config::reference::{Key, Kind, List, ROOT, Section, Text, Usual};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Sections whose required keys may be elsewhere: a chart's values are laid over others, and some
/// keys are required only together with others. `conditions::whole` requires them.
const PARTIAL: [&str; 5] = ["plugin", "duo", "universal", "identity", "session"];

/// The document that definitions are for.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The path of definitions in it.
    pub(super) path: &'static str,
    /// Whether it may have secrets in it, if `allow_inline_secrets` allows them.
    pub(super) has_secrets: bool,
}

impl Place {
    /// A schema with its own definitions.
    pub(super) const WHOLE: Self = Self { path: "#/$defs/", has_secrets: true };

    fn reference(self, section: &Section) -> Value {
        json!({"$ref": format!("{}{}", self.path, section.name)})
    }
}

/// The definitions of all sections but the root, by their names.
pub(super) fn all(place: Place) -> Map<String, Value> {
    let mut sections = BTreeMap::new();
    collect(&ROOT, &mut sections);
    let sections = sections.into_values().filter(|section| section.name != ROOT.name);
    sections.map(|it| (it.name.to_owned(), Value::Object(definition(it, place)))).collect()
}

fn collect(section: &'static Section, sections: &mut BTreeMap<&str, &'static Section>) {
    sections.insert(section.name, section);
    for key in section.keys {
        inside(&key.kind, sections);
    }
}

fn inside(kind: &Kind, sections: &mut BTreeMap<&str, &'static Section>) {
    match kind {
        Kind::Section(section) | Kind::Named(_, section) | Kind::Secret(section) => {
            collect(section, sections);
        }
        Kind::List(list) => inside(list.of, sections),
        Kind::Either(kinds) => kinds.iter().for_each(|kind| inside(kind, sections)),
        Kind::Pairs(..)
        | Kind::Flag
        | Kind::Number(..)
        | Kind::Time(..)
        | Kind::Milliseconds(..)
        | Kind::Choice(_)
        | Kind::ChoiceOrOff(_)
        | Kind::Text(_)
        | Kind::Later => {}
    }
}

/// The definition of a section.
pub(super) fn definition(section: &Section, place: Place) -> Map<String, Value> {
    let mut properties = Map::new();
    for key in section.keys {
        for name in key.names() {
            properties.insert(name.to_owned(), Value::Object(property(key, name, place)));
        }
    }
    let mut definition = Map::new();
    definition.insert("type".to_owned(), json!("object"));
    definition.insert("additionalProperties".to_owned(), json!(false));
    definition.insert("properties".to_owned(), Value::Object(properties));
    let is_required = |key: &&Key| key.usual == Usual::Required && !PARTIAL.contains(&section.name);
    let (aliased, required): (Vec<_>, Vec<_>) =
        section.keys.iter().filter(is_required).partition(|key| !key.aliases.is_empty());
    let required: Vec<_> = required.iter().map(|key| key.name).collect();
    if !required.is_empty() {
        definition.insert("required".to_owned(), json!(required));
    }
    let mut conditions: Vec<_> = section.keys.iter().flat_map(one_name).collect();
    conditions.extend(aliased.into_iter().map(any_name));
    conditions.extend(conditions::local(section.name));
    if !conditions.is_empty() {
        definition.insert("allOf".to_owned(), json!(conditions));
    }
    definition
}

/// The key has to be there under one of its names.
fn any_name(key: &Key) -> Value {
    json!({"anyOf": key.names().map(|name| json!({"required": [name]})).collect::<Vec<_>>()})
}

/// Each two names of a key exclude each other.
fn one_name(key: &Key) -> Vec<Value> {
    let names: Vec<_> = key.names().collect();
    let pairs = names.iter().enumerate().flat_map(|(index, one)| {
        names.iter().take(index).map(move |other| json!({"not": {"required": [other, one]}}))
    });
    pairs.collect()
}

fn property(key: &Key, name: &str, place: Place) -> Map<String, Value> {
    let mut property = Map::new();
    if let Value::Object(members) = of(&key.kind, place) {
        property = members;
    }
    let text = if name == key.name {
        markdown::description(key)
    } else {
        format!("Another name of {}.", key.name)
    };
    property.insert("description".to_owned(), json!(text));
    if let Usual::Value(value) = key.usual {
        property.extend(json_text(value).map(|value| ("default".to_owned(), value)));
    }
    if matches!(key.kind, Kind::Later) {
        property.insert("deprecated".to_owned(), json!(true));
    } else {
        property.extend(json_text(key.example).map(|it| ("examples".to_owned(), json!([it]))));
    }
    property
}

fn json_text(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// The schema of the values of a kind.
fn of(kind: &Kind, place: Place) -> Value {
    match kind {
        Kind::Section(section) => place.reference(section),
        Kind::Named(name, section) => json!({
            "type": "object",
            "propertyNames": of_text(name),
            "additionalProperties": place.reference(section),
        }),
        Kind::Pairs(most, text) => json!({
            "type": "object",
            "maxProperties": most,
            "propertyNames": of_text(text),
            "additionalProperties": of_text(text),
        }),
        Kind::List(list) => of_list(list, place),
        Kind::Either(kinds) => {
            json!({"anyOf": kinds.iter().map(|kind| of(kind, place)).collect::<Vec<_>>()})
        }
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Number(least, most) if least == most => json!({"const": least}),
        Kind::Number(least, most) => {
            json!({"type": "integer", "minimum": least, "maximum": most})
        }
        Kind::Time(least, most) => {
            json!({"type": "string", "pattern": range::times(*least, *most)})
        }
        Kind::Milliseconds(least, most) => {
            json!({"type": "string", "pattern": range::milliseconds(*least, *most)})
        }
        Kind::Choice(words) => json!({"enum": words}),
        Kind::ChoiceOrOff(words) => {
            let words = words.iter().map(|word| json!(word));
            json!({"enum": words.chain([json!(false)]).collect::<Vec<_>>()})
        }
        Kind::Text(text) => of_text(text),
        Kind::Secret(section) if place.has_secrets => {
            json!({"anyOf": [place.reference(section), {"type": "string"}]})
        }
        Kind::Secret(section) => place.reference(section),
        Kind::Later => json!({"enum": [false, "", "off", [], {}]}),
    }
}

fn of_text(text: &Text) -> Value {
    let mut schema = json!({"type": "string", "pattern": text.pattern});
    if let Some(members) = schema.as_object_mut() {
        if !text.never.is_empty() {
            members.insert("not".to_owned(), json!({"pattern": text.never}));
        }
        members.extend(text.most.map(|most| ("maxLength".to_owned(), json!(most))));
    }
    schema
}

fn of_list(list: &List, place: Place) -> Value {
    let mut schema = json!({"type": "array", "items": of(list.of, place)});
    if let Some(members) = schema.as_object_mut() {
        if list.least > 0 {
            members.insert("minItems".to_owned(), json!(list.least));
        }
        members.extend(list.most.map(|most| ("maxItems".to_owned(), json!(most))));
        if list.unique {
            members.insert("uniqueItems".to_owned(), json!(true));
        }
    }
    schema
}
