//! Values of serde_json as those of the reader. The fuzzer has this file too.

use super::{Json, Members};
use serde_json::Value;

/// serde_json's value of a text, without the parts that a [`Json`] leaves out.
pub(super) fn by_serde(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Flag(*flag),
        Value::Number(number) => {
            let whole = number.as_u64().map(Json::Whole);
            whole.unwrap_or_else(|| Json::of_double(number.as_f64().unwrap()))
        }
        Value::String(text) => Json::Text(text.clone()),
        Value::Array(list) => Json::List(list.iter().map(by_serde).collect()),
        Value::Object(object) => {
            let mut members = Members::default();
            object.iter().for_each(|(name, value)| members.add(name.clone(), by_serde(value)));
            Json::Object(members)
        }
    }
}
