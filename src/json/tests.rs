mod by_serde;

use super::{Fault, Json, Members};
use by_serde::by_serde;
use proptest::prelude::*;
use serde_json::Value;

fn read(text: &str) -> Json {
    Json::read(text.as_bytes()).unwrap()
}

fn names(json: &Json) -> Vec<&str> {
    json.object().unwrap().iter().map(|(name, _)| name).collect()
}

#[test]
fn values_of_every_kind_are_read() {
    let json = read(" {\"b\" : [null, true,false ,\"x\", {}, []],\r\n\t\"a\":7} ");
    assert_eq!(names(&json), ["a", "b"]);
    let list = json.object().unwrap().find("b").unwrap().list().unwrap();
    assert_eq!(list[..4], [Json::Null, Json::Flag(true), Json::Flag(false), read("\"x\"")]);
    assert_eq!((names(&list[4]).len(), list[5].list().unwrap().len()), (0, 0));
}

#[test]
fn whole_numbers_are_distinguished_from_others() {
    for (text, expected) in [
        ("0", Json::Whole(0)),
        ("1.0", Json::Whole(1)),
        ("18446744073709551615", Json::Whole(u64::MAX)),
        ("18446744073709551616", Json::OtherNumber(18_446_744_073_709_551_616.0)),
        ("-1", Json::OtherNumber(-1.0)),
        ("0.5", Json::OtherNumber(0.5)),
        ("1e3", Json::Whole(1000)),
        ("1E-3", Json::OtherNumber(0.001)),
        ("0.0e+99999", Json::Whole(0)),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
    for (double, expected) in [
        (0.0, Json::Whole(0)),
        (-0.0, Json::Whole(0)),
        (9_007_199_254_740_991.0, Json::Whole(9_007_199_254_740_991)),
        (9_007_199_254_740_992.0, Json::OtherNumber(9_007_199_254_740_992.0)),
        (0.5, Json::OtherNumber(0.5)),
        (-3.0, Json::OtherNumber(-3.0)),
        (f64::INFINITY, Json::OtherNumber(f64::INFINITY)),
    ] {
        assert_eq!(Json::of_double(double), expected, "{double}");
    }
    assert!(matches!(Json::of_double(f64::NAN), Json::OtherNumber(nan) if nan.is_nan()));
}

#[test]
fn a_number_out_of_range_is_distinguished_from_a_text_that_is_not_json() {
    for text in ["1e400", "[-1e400]", r#"{"a":{"b":1e99999}}"#] {
        assert!(Json::read(text.as_bytes()).is_err(), "{text}");
        assert!(Json::has_number_out_of_range(text.as_bytes()), "{text}");
    }
    for text in [
        "1e300",
        "1e",
        "1e4000x",
        "Infinity",
        "[1",
        "\"number out of range\"",
        "'number out of range",
    ] {
        let is_out = Json::has_number_out_of_range(text.as_bytes());
        assert_eq!(is_out, text == "1e4000x", "{text}");
    }
}

#[test]
fn escapes_are_decoded() {
    let text = r#""\"\\\/\b\f\n\r\t\u00e9\uD83D\udC4D""#;
    assert_eq!(read(text).text(), Some("\"\\/\u{8}\u{c}\n\r\té👍"));
    for broken in [r"\x", r"\u12", r"\u+123", r"\ud83d", r"\ud83d\u0041", r"\udc4d", r"\ud83dx"] {
        assert!(Json::read(format!("\"{broken}\"").as_bytes()).is_err(), "{broken}");
    }
}

#[test]
fn a_repeated_name_is_noted_and_its_last_value_kept() {
    let json = read(r#"{"a":1,"b":{"c":2},"\u0061":3,"a":4}"#);
    let members = json.object().unwrap();
    assert_eq!(members.repeated(), ["a", "a"]);
    assert_eq!(members.find("a"), Some(&Json::Whole(4)));
    assert!(!json.is_unambiguous() && members.find("b").unwrap().is_unambiguous());
    assert!(!read(r#"[{"x":{"c":2,"c":2}}]"#).is_unambiguous());
}

#[test]
fn a_fault_has_the_place_where_the_text_stops_being_json() {
    for text in ["", " ", "{", "[1,", "\"a", "{\"a\":", "-", "1.", "1e+"] {
        assert_eq!(Json::read(text.as_bytes()), Err(Fault::Ended), "{text}");
    }
    for (text, line, column) in [
        ("x", 1, 1),
        ("{}{}", 1, 3),
        ("{\n 'a'", 2, 2),
        ("[1\n,]", 2, 2),
        ("[1 2]", 1, 4),
        ("\"a\nb\"", 2, 0),
        ("\u{feff}1", 1, 1),
    ] {
        assert_eq!(Json::read(text.as_bytes()), Err(Fault::At { line, column }), "{text}");
    }
    assert_eq!(Json::read(b"\n\"\xff\""), Err(Fault::At { line: 2, column: 2 }));
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth| ["[".repeat(depth), "]".repeat(depth)].concat();
    assert!(Json::read(nested(127).as_bytes()).is_ok());
    assert!(Json::read(nested(128).as_bytes()).is_err());
    assert!(Json::read("{\"a\":".repeat(100_000).as_bytes()).is_err());
}

#[test]
fn the_number_of_members_is_bounded() {
    let object = |members| {
        let members: Vec<String> = (0..members).map(|n| format!("\"{n}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert_eq!(names(&read(&object(1_000))).len(), 1_000);
    assert!(Json::read(object(1_001).as_bytes()).is_err());
}

#[test]
fn a_value_is_not_shown() {
    assert_eq!(format!("{:?}", read(r#"{"secret":"x"}"#)), "an object");
    assert_eq!(format!("{:?}", read("\"x\"")), "a text");
}

fn any_json() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    plain.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn values_written_by_serde_json_are_read_back_unchanged(value in any_json()) {
        let expected = by_serde(&value);
        prop_assert_eq!(Json::read(value.to_string().as_bytes()), Ok(expected.clone()));
        let spaced = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(Json::read(spaced.as_bytes()), Ok(expected));
    }

    #[test]
    fn text_that_serde_json_refuses_is_refused(
        text in r#"([\[\]{}:,"\\ ]|"[a-b]?"|[0-9.+-]{1,3}|true|nul|\\u00e|\\ud83d|é|\x01){0,12}"#,
    ) {
        let expected = serde_json::from_str::<Value>(&text).ok().map(|value| by_serde(&value));
        let found = Json::read(text.as_bytes());
        prop_assert_eq!(found.is_ok(), expected.is_some(), "{:?}", text);
        if let (Ok(found), Some(expected)) = (found, expected) && found.is_unambiguous() {
            prop_assert!(found == expected, "{:?}", text);
        }
    }

    #[test]
    fn no_bytes_end_the_program(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let expected = serde_json::from_slice::<Value>(&bytes).is_ok();
        prop_assert_eq!(Json::read(&bytes).is_ok(), expected);
    }
}
