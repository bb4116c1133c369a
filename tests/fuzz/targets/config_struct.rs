//! A configuration as a serialized `google.protobuf.Struct`, which Istio and the native host pass.

use super::config_json::environment;
use duo_mfa::config::{Code, Config};
use duo_mfa::json::Json;
use prost::Message;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct};
use serde_json::Value;

/// Deeper values are refused in a `Struct`, but not in JSON.
const DEPTH: usize = 60;
/// The largest whole number that a double holds together with all smaller ones.
const MAX_EXACT: u64 = 9_007_199_254_740_991;

pub(crate) fn target(bytes: &[u8]) {
    any_bytes(bytes);
    if let Ok(value) = serde_json::from_slice(bytes)
        && let Value::Object(object) = &value
        && !object.is_empty()
        && Json::read(bytes).is_ok_and(|json| json.is_unambiguous())
        && is_the_same_in_both(&value, DEPTH)
    {
        let both = [bytes.to_vec(), encoded(object).encode_to_vec()];
        let [text, message] = both.map(|bytes| read(&bytes));
        assert_eq!(text, message);
    }
}

/// The reader takes nothing that `prost` refuses.
fn any_bytes(bytes: &[u8]) {
    let is_refused = Config::parse(bytes, &environment).err().is_some_and(|faults| {
        let mut faults = faults.iter();
        faults.any(|fault| matches!(fault.code, Code::Malformed | Code::Empty))
    });
    let is_json = Json::read(bytes).is_ok();
    assert!(is_refused || is_json || Struct::decode(bytes).is_ok());
}

/// The configuration or its faults, as text.
fn read(bytes: &[u8]) -> String {
    match Config::parse(bytes, &environment) {
        Ok(config) => format!("{config:?}"),
        Err(faults) => faults.to_string(),
    }
}

fn is_the_same_in_both(value: &Value, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number.as_u64().is_none_or(|whole| whole <= MAX_EXACT),
        Value::Array(list) => list.iter().all(|it| is_the_same_in_both(it, depth)),
        Value::Object(object) => object.values().all(|it| is_the_same_in_both(it, depth)),
    }
}

fn encoded(object: &serde_json::Map<String, Value>) -> Struct {
    Struct { fields: object.iter().map(|(name, value)| (name.clone(), proto(value))).collect() }
}

fn proto(value: &Value) -> prost_types::Value {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(flag) => Kind::BoolValue(*flag),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap()),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(list) => {
            Kind::ListValue(ListValue { values: list.iter().map(proto).collect() })
        }
        Value::Object(object) => Kind::StructValue(encoded(object)),
    };
    prost_types::Value { kind: Some(kind) }
}
