//! Reading JSON text, by serde_json: one visitor for all texts.

use super::value::{Json, Members};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// How many members an object may have, since they are kept in a sorted list.
const MAX_MEMBERS: usize = 1_000;

/// Why a text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The text ends within a value.
    #[error("the text ends too early")]
    Ended,
    /// The text stops being JSON at this place; lines and bytes are counted from 1.
    #[error("the text is not JSON (line {line}, column {column})")]
    At {
        /// The line.
        line: usize,
        /// The byte in the line.
        column: usize,
    },
}

impl Json {
    /// Reads a JSON text.
    ///
    /// # Errors
    ///
    /// [`Fault`] if the text is not JSON, is nested more than 127 levels deep, or has an object of
    /// more than 1,000 members.
    pub fn read(text: &[u8]) -> Result<Self, Fault> {
        json(text)
    }

    /// Whether a text that [`Self::read`] refuses has a number beyond the range of a double, such
    /// as `1e400`. That is JSON by its grammar, but nothing can be compared with it.
    #[must_use]
    pub fn has_number_out_of_range(text: &[u8]) -> bool {
        has_number_out_of_range(text)
    }
}

fn json(bytes: &[u8]) -> Result<Json, Fault> {
    serde_json::from_slice(bytes).map_err(|error| {
        if error.is_eof() {
            Fault::Ended
        } else {
            Fault::At { line: error.line(), column: error.column() }
        }
    })
}

/// serde_json distinguishes this fault from others only in its message.
fn has_number_out_of_range(bytes: &[u8]) -> bool {
    let read: serde_json::Result<Json> = serde_json::from_slice(bytes);
    read.is_err_and(|error| error.to_string().starts_with("number out of range"))
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

/// The double nearest to a whole number.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "rounding to the nearest is intended"
)]
const fn below_zero(number: i64) -> f64 {
    number as f64
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
        Ok(Json::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Whole(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(u64::try_from(number).map_or_else(|_| Json::of_double(below_zero(number)), Json::Whole))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Json::of_double(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = values.next_element()? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Json, A::Error> {
        let mut members = Members::default();
        while let Some((name, value)) = pairs.next_entry()? {
            members.add(name, value);
            if members.iter().len() > MAX_MEMBERS {
                return Err(A::Error::custom("too many members"));
            }
        }
        Ok(Json::Object(members))
    }
}
