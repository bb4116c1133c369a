use super::*;
use crate::config::error::ConfigFaults;
use prost::Message;
use prost_types::ListValue;
use prost_types::value::Kind;
use serde_json::Value;

#[test]
fn struct_and_json_of_one_configuration_are_one_value() {
    let text = r#"{"a": 1, "b": [true, null, "x"], "c": {"d": 2.5, "e": -1}, "f": {}, "g": []}"#;
    let from_json = read_all(text.as_bytes()).unwrap();

    assert_eq!(read_all(&encoded(text)), Ok(from_json));
}

#[test]
fn json_text_may_begin_with_the_byte_of_a_struct() {
    let read = read_all(b"\n{\n\"a\": 1}\n").unwrap();
    assert_eq!(read.object().unwrap().find("a"), Some(&Json::Whole(1)));
}

#[test]
fn keys_that_stand_in_an_object_twice_are_found_at_any_depth() {
    let text = r#"{"a": 1, "b": {"c": [{"d": 1, "d": 2}]}, "a": 2}"#;
    let mut faults = Faults::default();

    read(text.as_bytes(), &mut faults).unwrap();
    assert_eq!(found(faults), [(Code::DuplicateKey, "a"), (Code::DuplicateKey, "b.c[0].d")]);
}

#[test]
fn bytes_that_are_not_a_configuration_are_refused() {
    let nested = [b"{\"a\":".repeat(200), b"1".to_vec(), b"}".repeat(200)].concat();
    let deep = |levels| format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
    let deep_struct = encoded(&deep(100));

    for (bytes, code) in [
        (&b""[..], Code::Empty),
        (b" \r\n\t", Code::Empty),
        (b"{", Code::Malformed),
        (b"{}{}", Code::Malformed),
        (b"{'a': 1}", Code::Malformed),
        (b"version: 1\n", Code::Malformed),
        (b"{\"a\": \"\xff\"}", Code::Malformed),
        (b"\x0a", Code::Empty),
        (b"\x0a\xff\xff\xff\xff\x0f", Code::Malformed),
        (b"\x0a\x05\x0a\x01a\x12\x07", Code::Malformed),
        (b"\x12\x00", Code::Malformed),
        (&[0; 64], Code::Malformed),
        (&nested, Code::Malformed),
        (&deep_struct, Code::Malformed),
    ] {
        let mut faults = Faults::default();
        assert_eq!(read(bytes, &mut faults), None, "{bytes:?}");
        assert_eq!(found(faults), [(code, "")], "{bytes:?}");
    }
}

#[test]
fn every_cut_of_a_struct_is_read_or_refused() {
    let text = r#"{"duo": {"api_host": "api-1.duosecurity.com", "factors": ["push"]}, "n": 1}"#;
    let bytes = encoded(text);

    for end in 0..bytes.len() {
        let mut faults = Faults::default();
        let value = read(&bytes[..end], &mut faults);
        assert_eq!(value.is_none(), faults.none_or(Some(())).is_err(), "{end}");
    }
}

fn read_all(bytes: &[u8]) -> Result<Json, ConfigFaults> {
    let mut faults = Faults::default();
    let value = read(bytes, &mut faults);
    faults.none_or(value)
}

fn found(faults: Faults) -> Vec<(Code, &'static str)> {
    let faults = faults.none_or(None::<()>).unwrap_err();
    faults.iter().map(|fault| (fault.code, &*fault.path.clone().leak())).collect()
}

/// A configuration as Envoy passes a `Struct`.
fn encoded(text: &str) -> Vec<u8> {
    let value: Value = serde_json::from_str(text).unwrap();
    let Some(Kind::StructValue(members)) = proto(&value).kind else { panic!("no object: {text}") };
    members.encode_to_vec()
}

fn proto(value: &Value) -> prost_types::Value {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(on) => Kind::BoolValue(*on),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap()),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(list) => {
            Kind::ListValue(ListValue { values: list.iter().map(proto).collect() })
        }
        Value::Object(members) => Kind::StructValue(prost_types::Struct {
            fields: members.iter().map(|(key, value)| (key.clone(), proto(value))).collect(),
        }),
    };
    prost_types::Value { kind: Some(kind) }
}
