//! Writing JSON objects.

/// The text of a JSON object (RFC 8259), written member by member.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a member may be a passcode")]
pub struct ObjectText(String);

impl Default for ObjectText {
    fn default() -> Self {
        Self::new()
    }
}

impl ObjectText {
    /// An object without members.
    #[must_use]
    pub fn new() -> Self {
        Self(String::from("{"))
    }

    /// Adds a member. Each name must be added once.
    #[must_use]
    pub fn text(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        quote(value, &mut self.0);
        self
    }

    /// Adds a member, if there is a value.
    #[must_use]
    pub fn some_text(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// Adds a member.
    #[must_use]
    pub fn number(mut self, name: &str, value: u64) -> Self {
        self.name(name);
        self.0.push_str(&value.to_string());
        self
    }

    /// Adds a member, if there is a value.
    #[must_use]
    pub fn some_number(self, name: &str, value: Option<u64>) -> Self {
        match value {
            Some(value) => self.number(name, value),
            None => self,
        }
    }

    /// Adds a member, if there is a value.
    #[must_use]
    pub fn some_flag(self, name: &str, value: Option<bool>) -> Self {
        match value {
            Some(value) => self.flag(name, value),
            None => self,
        }
    }

    /// Adds a member.
    #[must_use]
    pub fn flag(mut self, name: &str, value: bool) -> Self {
        self.name(name);
        self.0.push_str(if value { "true" } else { "false" });
        self
    }

    /// Adds a member that is a list of texts.
    #[must_use]
    pub fn texts<'a>(mut self, name: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        self.name(name);
        let mut separator = '[';
        for value in values {
            self.0.push(separator);
            quote(value, &mut self.0);
            separator = ',';
        }
        self.end_list(separator)
    }

    /// Adds a member that is a list of objects.
    #[must_use]
    pub fn objects(mut self, name: &str, values: impl IntoIterator<Item = Self>) -> Self {
        self.name(name);
        let mut separator = '[';
        for value in values {
            self.0.push(separator);
            self.0.push_str(&value.finish());
            separator = ',';
        }
        self.end_list(separator)
    }

    fn end_list(mut self, separator: char) -> Self {
        self.0.push_str(if separator == '[' { "[]" } else { "]" });
        self
    }

    /// The complete text.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        quote(name, &mut self.0);
        self.0.push(':');
    }
}

pub(super) fn quote(text: &str, out: &mut String) {
    // A text always serializes.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::ObjectText;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn members_keep_the_order_of_writing() {
        assert_eq!(ObjectText::new().finish(), "{}");
        let text = ObjectText::new()
            .text("z", "a\"b\\c\n\u{1}/é")
            .number("n", u64::MAX)
            .some_text("none", None)
            .some_text("some", Some(""));
        let expected = r#"{"z":"a\"b\\c\n\u0001/é","n":18446744073709551615,"some":""}"#;
        assert_eq!(text.finish(), expected);
    }

    #[test]
    fn lists_and_flags_are_members_too() {
        let one = |flag| ObjectText::new().flag("f", flag).some_number("n", flag.then_some(1));
        let text = ObjectText::new()
            .texts("none", [])
            .texts("texts", ["a\"", "b"])
            .objects("objects", [one(true), one(false)])
            .objects("nothing", []);
        let expected = r#"{"none":[],"texts":["a\"","b"],"objects":[{"f":true,"n":1},{"f":false}],"nothing":[]}"#;
        assert_eq!(text.finish(), expected);
    }

    proptest! {
        #[test]
        fn a_written_object_is_read_back_unchanged(name in any::<String>(), value in any::<String>()) {
            let text = ObjectText::new().text(&name, &value).finish();
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!({ name: value }));
        }
    }
}
