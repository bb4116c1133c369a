//! Reads a serialized `google.protobuf.Struct`
//! (<https://protobuf.dev/reference/protobuf/google.protobuf/#struct>), as far as a configuration
//! needs it. It adds about a tenth of the code that a library for all messages would add to the
//! module.

use crate::json::{Json, Members};

/// How deep structs and lists may be nested.
const MAX_DEPTH: usize = 64;

/// The bytes are not a `Struct`, or one that is nested too deep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoStruct;

/// Reads a serialized `Struct`.
pub(super) fn read(bytes: &[u8]) -> Result<Json, NoStruct> {
    object(bytes, MAX_DEPTH)
}

/// `Struct`: field 1 is a map, the members.
fn object(bytes: &[u8], depth: usize) -> Result<Json, NoStruct> {
    let depth = depth.checked_sub(1).ok_or(NoStruct)?;
    let mut members = Members::default();
    let mut fields = Fields(bytes);
    while let Some(field) = fields.next()? {
        if field.number == 1 {
            let (name, value) = entry(field.bytes()?, depth)?;
            members.add(name, value);
        }
    }
    Ok(Json::Object(members))
}

/// An entry of a map: field 1 is the key, field 2 the value.
fn entry(bytes: &[u8], depth: usize) -> Result<(String, Json), NoStruct> {
    let (mut name, mut value) = (String::new(), Json::Null);
    let mut fields = Fields(bytes);
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
fn value(bytes: &[u8], depth: usize) -> Result<Json, NoStruct> {
    let mut value = Json::Null;
    let mut fields = Fields(bytes);
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
fn list(bytes: &[u8], depth: usize) -> Result<Json, NoStruct> {
    let depth = depth.checked_sub(1).ok_or(NoStruct)?;
    let mut list = Vec::new();
    let mut fields = Fields(bytes);
    while let Some(field) = fields.next()? {
        if field.number == 1 {
            list.push(value(field.bytes()?, depth)?);
        }
    }
    Ok(Json::List(list))
}

/// The fields of a message (<https://protobuf.dev/programming-guides/encoding/>).
struct Fields<'b>(&'b [u8]);

struct Field<'b> {
    number: u32,
    payload: Payload<'b>,
}

enum Payload<'b> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'b [u8]),
    Fixed32,
}

impl<'b> Fields<'b> {
    fn next(&mut self) -> Result<Option<Field<'b>>, NoStruct> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = u32::try_from(self.varint()?).map_err(|_| NoStruct)?;
        let payload = match tag & 7 {
            0 => Payload::Varint(self.varint()?),
            1 => Payload::Fixed64(self.take(8)?.try_into().map_err(|_| NoStruct)?),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| NoStruct)?;
                Payload::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Payload::Fixed32)?,
            _ => return Err(NoStruct),
        };
        match tag >> 3 {
            0 => Err(NoStruct),
            number => Ok(Some(Field { number, payload })),
        }
    }

    fn take(&mut self, length: usize) -> Result<&'b [u8], NoStruct> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(NoStruct)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Each byte has seven bits, the lowest first; every byte except the last has its eighth bit
    /// set.
    fn varint(&mut self) -> Result<u64, NoStruct> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(NoStruct)?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            let placed = bits.wrapping_shl(shift);
            if placed.wrapping_shr(shift) != bits {
                return Err(NoStruct);
            }
            number |= placed;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(NoStruct)
    }
}

impl<'b> Field<'b> {
    const fn bytes(&self) -> Result<&'b [u8], NoStruct> {
        if let Payload::Bytes(bytes) = self.payload { Ok(bytes) } else { Err(NoStruct) }
    }

    const fn varint(&self) -> Result<u64, NoStruct> {
        if let Payload::Varint(number) = self.payload { Ok(number) } else { Err(NoStruct) }
    }

    const fn double(&self) -> Result<f64, NoStruct> {
        if let Payload::Fixed64(bytes) = self.payload {
            Ok(f64::from_le_bytes(bytes))
        } else {
            Err(NoStruct)
        }
    }

    fn text(&self) -> Result<String, NoStruct> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| NoStruct)
    }
}

#[cfg(test)]
mod tests;
