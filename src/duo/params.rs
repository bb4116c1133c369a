//! Parameters of a request, encoded the one way that a signature takes them.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Names and values, not encoded, in any order.
///
/// No `Debug`: a passcode or a device token may be among the values.
#[derive(Clone, Default)]
#[expect(missing_debug_implementations, reason = "a value may be a passcode")]
pub struct Params<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Params<'a> {
    /// No parameters.
    #[must_use]
    pub const fn new() -> Self {
        Self { pairs: Vec::new() }
    }

    /// The same parameters and one more. A name may stand more than once.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        self.pairs.push((name.into(), value.into()));
        self
    }

    /// The same parameters and one more where there is a value.
    #[must_use]
    pub fn with_some(self, name: &'a str, value: Option<impl Into<Cow<'a, str>>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The parameter line: percent-encoded with upper-case hex, sorted by encoded name and then
    /// by encoded value, joined by `&`. It is a query and a form body as well.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut encoded: Vec<(String, String)> =
            self.pairs.iter().map(|(name, value)| (encode(name), encode(value))).collect();
        encoded.sort_unstable();
        join(&encoded)
    }

    /// A JSON object of strings, `{}` where there is no parameter. Of a name that stands more
    /// than once, which no request of the Auth API has, the last value is taken.
    #[must_use]
    pub fn json(&self) -> String {
        let string = |text: &Cow<'a, str>| text.clone().into_owned();
        serde_json::Value::Object(
            self.pairs.iter().map(|(name, value)| (string(name), string(value).into())).collect(),
        )
        .to_string()
    }
}

/// One name or value, percent-encoded.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Encoded pairs as `name=value&name=value`.
fn join(encoded: &[(String, String)]) -> String {
    let pairs: Vec<String> =
        encoded.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests;
