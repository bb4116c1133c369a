//! Compares the reader with `prost`, which is not part of the module.

use super::read;
use crate::json::Json;
use crate::protobuf::Malformed;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use prost::Message;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};

fn of(kind: Kind) -> Value {
    Value { kind: Some(kind) }
}

fn expected(value: &Value) -> Json {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::NumberValue(number)) => Json::of_double(*number),
        Some(Kind::StringValue(text)) => Json::Text(text.clone()),
        Some(Kind::BoolValue(flag)) => Json::Flag(*flag),
        Some(Kind::StructValue(members)) => expected_object(members),
        Some(Kind::ListValue(list)) => Json::List(list.values.iter().map(expected).collect()),
    }
}

fn expected_object(object: &Struct) -> Json {
    let mut members = crate::json::Members::default();
    object.fields.iter().for_each(|(name, value)| members.add(name.clone(), expected(value)));
    Json::Object(members)
}

fn any_value() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        Just(Value { kind: None }),
        Just(of(Kind::NullValue(0))),
        any::<f64>().prop_map(|number| of(Kind::NumberValue(number))),
        any::<u16>().prop_map(|number| of(Kind::NumberValue(number.into()))),
        any::<String>().prop_map(|text| of(Kind::StringValue(text))),
        any::<bool>().prop_map(|flag| of(Kind::BoolValue(flag))),
    ];
    plain.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(|values| of(Kind::ListValue(ListValue { values }))),
            btree_map(any::<String>(), inner, 0..6)
                .prop_map(|fields| of(Kind::StructValue(Struct { fields }))),
        ]
    })
}

fn any_struct() -> impl Strategy<Value = Struct> {
    btree_map(any::<String>(), any_value(), 0..6).prop_map(|fields| Struct { fields })
}

proptest! {
    #[test]
    fn values_written_by_prost_are_read_back_unchanged(object in any_struct()) {
        prop_assert_eq!(read(&object.encode_to_vec()), Ok(expected_object(&object)));
    }

    #[test]
    fn a_changed_byte_is_read_as_prost_reads_it_or_refused(
        object in any_struct(),
        at in any::<prop::sample::Index>(),
        byte: u8,
    ) {
        let mut bytes = object.encode_to_vec();
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        // If a member is present twice, `prost` keeps the last one, but merges parts of one.
        if let (Ok(found), Ok(decoded)) = (read(&bytes), Struct::decode(&*bytes))
            && decoded.encoded_len() == bytes.len()
        {
            prop_assert_eq!(found, expected_object(&decoded));
        }
    }

    #[test]
    fn no_bytes_end_the_program(bytes in vec(any::<u8>(), 0..64)) {
        if read(&bytes).is_ok() {
            prop_assert!(Struct::decode(&*bytes).is_ok());
        }
    }
}

#[test]
fn unknown_fields_are_ignored() {
    // Field 9 in each wire type, before a member `a` that is true.
    let unknown = b"\x48\x01\x49\0\0\0\0\0\0\0\0\x4a\x01x\x4d\0\0\0\0";
    let bytes = [&unknown[..], b"\x0a\x07\x0a\x01a\x12\x02\x20\x01"].concat();
    let members = Struct { fields: [("a".to_owned(), of(Kind::BoolValue(true)))].into() };
    assert_eq!(read(&bytes), Ok(expected_object(&members)));
}

#[test]
fn bytes_that_are_not_a_struct_are_refused() {
    for bytes in [
        &b"\x0a"[..],
        b"\x0a\x05",
        b"\x0a\xff\xff\xff\xff\x0f",
        b"\x08\x01",
        b"\x0b",
        b"\x02\x00",
        b"\x0a\x07\x0a\x01\xff\x12\x02\x20\x01",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x48\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    ] {
        assert_eq!(read(bytes), Err(Malformed), "{bytes:?}");
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth| {
        let inner = (0..depth).fold(of(Kind::NullValue(0)), |inner, _| {
            of(Kind::ListValue(ListValue { values: vec![inner] }))
        });
        Struct { fields: [("a".to_owned(), inner)].into() }.encode_to_vec()
    };
    assert!(read(&nested(63)).is_ok());
    assert_eq!(read(&nested(64)), Err(Malformed));
    assert_eq!(read(&nested(2_000)), Err(Malformed));
}
