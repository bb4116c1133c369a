use super::*;
use crate::config::error::ConfigFaults;
use prost_types::ListValue;

#[test]
fn struct_and_json_of_one_configuration_are_one_value() {
    let text = r#"{"a": 1, "b": [true, null, "x"], "c": {"d": 2.5, "e": -1}, "f": {}, "g": []}"#;
    let from_json = read_all(text.as_bytes()).unwrap();

    assert_eq!(read_all(&encoded(&from_json)).unwrap(), from_json);
    assert_eq!(from_json["a"], Value::from(1_u64));
}

#[test]
fn json_text_may_begin_with_the_byte_of_a_struct() {
    assert_eq!(read_all(b"\n{\n\"a\": 1}\n").unwrap()["a"], 1);
}

#[test]
fn whole_doubles_become_whole_numbers() {
    for (double, expected) in [
        (0.0, Value::from(0_u64)),
        (-0.0, Value::from(0_u64)),
        (1.0, Value::from(1_u64)),
        (MAX_EXACT, Value::from(9_007_199_254_740_991_u64)),
        (1e300, Value::from(1e300)),
        (0.5, Value::from(0.5)),
        (-3.0, Value::from(-3)),
        (f64::NAN, Value::Null),
        (f64::INFINITY, Value::Null),
    ] {
        assert_eq!(number(double), expected, "{double}");
    }
}

#[test]
fn keys_that_stand_in_an_object_twice_are_found_at_any_depth() {
    let text = r#"{"a": 1, "b": {"c": [{"d": 1, "d": 2}]}, "a": 2}"#;
    let mut faults = Faults::default();

    read(text.as_bytes(), &mut faults).unwrap();
    assert_eq!(found(faults), [(Code::DuplicateKey, "b.c[0].d"), (Code::DuplicateKey, "a")]);
}

#[test]
fn what_is_no_configuration_is_refused() {
    let nested = [b"{\"a\":".repeat(200), b"1".to_vec(), b"}".repeat(200)].concat();
    let deep = (0..200).fold(Value::from(1), |inner, _| Value::Array(vec![inner]));
    let deep_struct = encoded(&Value::Object(Map::from_iter([("a".to_owned(), deep)])));

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
    let bytes = encoded(&read_all(text.as_bytes()).unwrap());

    for end in 0..bytes.len() {
        let mut faults = Faults::default();
        let value = read(&bytes[..end], &mut faults);
        assert_eq!(value.is_none(), faults.none_or(Some(())).is_err(), "{end}");
    }
}

fn read_all(bytes: &[u8]) -> Result<Value, ConfigFaults> {
    let mut faults = Faults::default();
    let value = read(bytes, &mut faults);
    faults.none_or(value)
}

fn found(faults: Faults) -> Vec<(Code, &'static str)> {
    let faults = faults.none_or(None::<()>).unwrap_err();
    faults.iter().map(|fault| (fault.code, &*fault.path.clone().leak())).collect()
}

fn encoded(value: &Value) -> Vec<u8> {
    let Some(Kind::StructValue(members)) = proto(value).kind else { panic!("no object: {value}") };
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
