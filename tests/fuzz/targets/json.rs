//! The reader and the writer of JSON, held to serde_json's own values.

#[path = "../../../src/json/tests/by_serde.rs"]
mod by_serde;

use by_serde::by_serde;
use duo_mfa::json::{Json, Members, ObjectText};
use serde_json::Value;

pub(crate) fn target(bytes: &[u8]) {
    match (Json::read(bytes), serde_json::from_slice::<Value>(bytes)) {
        (Ok(read), Ok(value)) if read.is_unambiguous() => assert!(read == by_serde(&value)),
        // A name that is there twice. Of such members serde_json keeps the last one.
        (Ok(_), Ok(_)) => {}
        (Err(_), Ok(value)) => assert!(is_large(&value)),
        (Err(_), Err(_)) => {}
        (Ok(_), Err(fault)) => panic!("serde_json refuses: {fault}"),
    }
    let _ = Json::has_number_out_of_range(bytes);
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (name, value) = text.split_once('\n').unwrap_or((text, ""));
    let other = format!("{name}+");
    let written = ObjectText::new().text(name, value).texts(&other, [value, name]).finish();
    let read: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(read, serde_json::json!({name: value, other: [value, name]}));
}

/// Whether some object has more members than are read.
fn is_large(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().any(is_large),
        Value::Object(object) => object.len() > 1_000 || object.values().any(is_large),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
