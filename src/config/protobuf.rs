//! Reads a serialized `google.protobuf.Struct`
//! (<https://protobuf.dev/reference/protobuf/google.protobuf/#struct>), as far as a configuration
//! needs it.

use crate::json::{Json, Members};
use crate::protobuf::{Fields, Malformed};

/// How deep structs and lists may be nested.
const MAX_DEPTH: usize = 64;

/// Reads a serialized `Struct`. It must not be nested too deep.
pub(super) fn read(bytes: &[u8]) -> Result<Json, Malformed> {
    object(bytes, MAX_DEPTH)
}

/// `Struct`: field 1 is a map, the members.
fn object(bytes: &[u8], depth: usize) -> Result<Json, Malformed> {
    let depth = depth.checked_sub(1).ok_or(Malformed)?;
    let mut members = Members::default();
    let mut fields = Fields::of(bytes);
    while let Some(field) = fields.next()? {
        if field.number == 1 {
            let (name, value) = entry(field.bytes()?, depth)?;
            members.add(name, value);
        }
    }
    Ok(Json::Object(members))
}

/// An entry of a map: field 1 is the key, field 2 the value.
fn entry(bytes: &[u8], depth: usize) -> Result<(String, Json), Malformed> {
    let (mut name, mut value) = (String::new(), Json::Null);
    let mut fields = Fields::of(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => name = field.text()?,
            2 => value = self::value(field.bytes()?, depth)?,
            _ => {}
        }
    }
    Ok((name, value))
}

/// `Value`: fields 1 null, 2 number, 3 string, 4 bool, 5 struct, 6 list; if there are several, the
/// last counts.
fn value(bytes: &[u8], depth: usize) -> Result<Json, Malformed> {
    let mut value = Json::Null;
    let mut fields = Fields::of(bytes);
    while let Some(field) = fields.next()? {
        value = match field.number {
            1 => field.varint().map(|_| Json::Null)?,
            2 => Json::of_double(field.double()?),
            3 => Json::Text(field.text()?),
            4 => Json::Flag(field.varint()? != 0),
            5 => object(field.bytes()?, depth)?,
            6 => list(field.bytes()?, depth)?,
            _ => value,
        };
    }
    Ok(value)
}

/// `ListValue`: field 1 has the values.
fn list(bytes: &[u8], depth: usize) -> Result<Json, Malformed> {
    let depth = depth.checked_sub(1).ok_or(Malformed)?;
    let mut list = Vec::new();
    let mut fields = Fields::of(bytes);
    while let Some(field) = fields.next()? {
        if field.number == 1 {
            list.push(value(field.bytes()?, depth)?);
        }
    }
    Ok(Json::List(list))
}

#[cfg(test)]
mod tests;
