//! One text for each value.

use super::object_text::quote;
use super::{Json, Members};

impl Json {
    /// The text of the value without blanks, with the members of each object in the order of their
    /// names: the same for all texts of one value. `jq -cS` writes the same, but for the character
    /// DEL. A number that is not whole is written as the bits of its double.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        write(self, &mut out);
        out
    }
}

fn write(value: &Json, out: &mut String) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Flag(true) => out.push_str("true"),
        Json::Flag(false) => out.push_str("false"),
        Json::Whole(number) => out.push_str(&number.to_string()),
        // Writing it in decimal would add 8 kB to the module, and no configuration may have one.
        Json::OtherNumber(number) => out.push_str(&number.to_bits().to_string()),
        Json::Text(text) => quote(text, out),
        Json::List(list) => write_list(list, out),
        Json::Object(members) => write_object(members, out),
    }
}

fn write_list(list: &[Json], out: &mut String) {
    out.push('[');
    for (index, value) in list.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(value, out);
    }
    out.push(']');
}

fn write_object(members: &Members, out: &mut String) {
    out.push('{');
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        quote(name, out);
        out.push(':');
        write(value, out);
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use crate::json::Json;

    fn canonical(text: &str) -> String {
        Json::read(text.as_bytes()).unwrap().canonical()
    }

    #[test]
    fn spaces_and_the_order_of_members_do_not_matter() {
        let text = r#" {"b": [1.0, null, {}], "a": {"z": true, "y": "\u00e9\n\""}} "#;
        let expected = r#"{"a":{"y":"é\n\"","z":true},"b":[1,null,{}]}"#;
        assert_eq!(canonical(text), expected);
        assert_eq!(canonical(expected), expected);
        assert_eq!(canonical("[]"), "[]");
    }

    #[test]
    fn the_order_of_a_list_does() {
        assert_ne!(canonical("[1,2]"), canonical("[2,1]"));
    }
}
