use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

type Pairs = Vec<(String, String)>;

fn canonical(pairs: &[(String, String)]) -> String {
    pairs.iter().fold(Params::new(), |all, (name, value)| all.with(name, value)).canonical()
}

#[test]
fn reserved_characters_are_escaped_and_unreserved_ones_are_not() {
    for (text, encoded) in [
        ("AZaz09-._~", "AZaz09-._~"),
        (" +*", "%20%2B%2A"),
        ("!'()/:@\\", "%21%27%28%29%2F%3A%40%5C"),
        ("a&device=b", "a%26device%3Db"),
        ("a%26", "a%2526"),
        ("zoë", "zo%C3%AB"),
        ("\0\r\n", "%00%0D%0A"),
    ] {
        assert_eq!(encode(text), encoded);
    }
}

#[test]
fn names_are_sorted_then_values_and_empty_values_stay() {
    let params = Params::new().with("b", "2").with("a", "z").with("a", "").with("a~", "1");
    assert_eq!(params.canonical(), "a=&a=z&a~=1&b=2");
    assert_eq!(Params::new().canonical(), "");
}

#[test]
fn json_is_an_object_of_strings() {
    assert_eq!(Params::new().json(), "{}");
    let params = Params::new().with("username", "zoë \"1\"").with("async", "1");
    assert_eq!(params.json(), r#"{"async":"1","username":"zoë \"1\""}"#);
    assert_eq!(Params::new().with_some("txid", None::<&str>).json(), "{}");
}

/// Characters that matter to the encoding, so that similar texts are frequent.
fn tricky() -> impl Strategy<Value = String> {
    "[a2&=%+ ~*é\u{0}]{0,3}"
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![tricky(), any::<String>()]
}

proptest! {
    #[test]
    fn the_line_can_be_read_back(pairs in vec((any_text(), any_text()), 0..6)) {
        let mut expected = pairs.clone();
        let mut decoded = read_back(&canonical(&pairs));
        expected.sort();
        decoded.sort();
        prop_assert_eq!(decoded, expected);
    }

    #[test]
    fn different_parameters_have_different_lines(
        one in vec((tricky(), tricky()), 0..3),
        other in vec((tricky(), tricky()), 0..3),
    ) {
        let (mut a, mut b) = (one.clone(), other.clone());
        a.sort();
        b.sort();
        prop_assert_eq!(canonical(&one) == canonical(&other), a == b);
    }

    #[test]
    fn the_line_follows_the_documented_rules(
        pairs in vec((any_text(), any_text()), 0..6),
    ) {
        prop_assert_eq!(canonical(&pairs), by_the_rules(&pairs));
    }

    #[test]
    fn json_holds_every_value(value in any::<String>()) {
        let json = Params::new().with("v", value.as_str()).json();
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(read.get("v").and_then(serde_json::Value::as_str), Some(value.as_str()));
    }
}

/// The rules of section "Authentication" in Duo's document, without the library that the encoder
/// uses.
fn by_the_rules(pairs: &[(String, String)]) -> String {
    fn escaped(text: &str) -> String {
        let mut out = String::new();
        for byte in text.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    out.push(char::from(byte));
                }
                _ => out.push_str(&format!("%{byte:02X}")),
            }
        }
        out
    }
    let mut sorted = std::collections::BTreeMap::<String, Vec<String>>::new();
    for (name, value) in pairs {
        sorted.entry(escaped(name)).or_default().push(escaped(value));
    }
    let mut line = String::new();
    for (name, mut values) in sorted {
        values.sort();
        for value in values {
            if !line.is_empty() {
                line.push('&');
            }
            line.push_str(&format!("{name}={value}"));
        }
    }
    line
}

fn read_back(line: &str) -> Pairs {
    if line.is_empty() {
        return Vec::new();
    }
    line.split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            (unescaped(name), unescaped(value))
        })
        .collect()
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            let digits = std::str::from_utf8(&digits).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}
