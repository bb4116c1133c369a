//! From the host's bytes to one JSON value.
//!
//! Envoy hands over a `StringValue` as its text and a `Struct` as serialized protobuf
//! (<https://protobuf.dev/reference/protobuf/google.protobuf/#struct>). The two cannot be taken
//! for one another: a `Struct` with any member has the byte 0x12, which no JSON text has.

use super::error::{Code, Fault, Faults, member};
use prost::Message;
use prost_types::value::Kind;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// The first byte of a `Struct` with a member: field 1, length-delimited.
const STRUCT_TAG: u8 = 0x0a;

/// The largest whole number that a double holds together with all smaller ones.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;

/// Reads JSON text or a `Struct`.
pub(super) fn read(bytes: &[u8], faults: &mut Faults) -> Option<Value> {
    if bytes.trim_ascii().is_empty() {
        faults.push(Fault::new(
            Code::Empty,
            "",
            "there is no configuration",
            "put JSON text into the plugin's `configuration`, as a google.protobuf.StringValue",
        ));
        return None;
    }
    let mut repeated = Vec::new();
    match json(bytes, &mut repeated) {
        Ok(value) => {
            for path in repeated {
                let problem = "stands in its object more than once";
                faults.push(Fault::new(Code::DuplicateKey, path, problem, "keep one of them"));
            }
            Some(value)
        }
        Err(error) => {
            let decoded = (bytes.first() == Some(&STRUCT_TAG))
                .then(|| prost_types::Struct::decode(bytes).ok())
                .flatten();
            if decoded.is_none() {
                faults.push(not_json(&error));
            }
            decoded.map(object)
        }
    }
}

fn not_json(error: &serde_json::Error) -> Fault {
    let cause = if error.is_eof() { "the text ends too early" } else { "the text is not JSON" };
    Fault::new(
        Code::Malformed,
        "",
        format!("{cause} (line {}, column {})", error.line(), error.column()),
        "write one JSON object, as a google.protobuf.StringValue or a google.protobuf.Struct",
    )
}

fn json(bytes: &[u8], repeated: &mut Vec<String>) -> Result<Value, serde_json::Error> {
    let mut text = serde_json::Deserializer::from_slice(bytes);
    let value = Tree { path: String::new(), repeated }.deserialize(&mut text)?;
    text.end()?;
    Ok(value)
}

/// Builds a JSON value and notes the paths of keys that stand in one object twice, of which
/// `serde_json` itself keeps the last without a word.
struct Tree<'r> {
    path: String,
    repeated: &'r mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, text: D) -> Result<Value, D::Error> {
        text.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(number(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        loop {
            let path = format!("{}[{}]", self.path, entries.len());
            match list.next_element_seed(Tree { path, repeated: &mut *self.repeated })? {
                Some(entry) => entries.push(entry),
                None => return Ok(Value::Array(entries)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            let path = member(&self.path, &key);
            if members.contains_key(&key) {
                self.repeated.push(path.clone());
            }
            let value = object.next_value_seed(Tree { path, repeated: &mut *self.repeated })?;
            members.insert(key, value);
        }
        Ok(Value::Object(members))
    }
}

/// A decoded `Struct`; the decoder has bounded its depth.
fn object(object: prost_types::Struct) -> Value {
    Value::Object(object.fields.into_iter().map(|(key, member)| (key, value(member))).collect())
}

fn value(value: prost_types::Value) -> Value {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(on)) => Value::Bool(on),
        Some(Kind::NumberValue(double)) => number(double),
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::ListValue(list)) => {
            Value::Array(list.values.into_iter().map(self::value).collect())
        }
        Some(Kind::StructValue(members)) => object(members),
    }
}

/// A number, whole where the double is: in a `Struct` every number is a double.
fn number(double: f64) -> Value {
    let is_whole = double.fract() == 0.0 && double.abs() <= MAX_EXACT;
    // The text of a whole double is that of the whole number.
    let whole = is_whole.then(|| format!("{double:.0}").parse::<i64>().ok()).flatten();
    match whole {
        Some(whole) => Value::from(whole),
        None => Number::from_f64(double).map_or(Value::Null, Value::Number),
    }
}

#[cfg(test)]
mod tests;
