//! Parameters of a request, in the one encoding that signatures cover.

use std::borrow::Cow;

use crate::json::ObjectText;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All characters but the unreserved ones of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Names and values before encoding, in any order.
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

    /// Adds a parameter. A name may occur more than once.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        self.push(name.into(), value.into());
        self
    }

    /// A separate function, so that its code exists once in the module.
    #[inline(never)]
    fn push(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) {
        self.pairs.push((name, value));
    }

    /// Adds a parameter if there is a value.
    #[must_use]
    pub fn with_some(self, name: &'a str, value: Option<impl Into<Cow<'a, str>>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The canonical line: percent-encoded with upper-case hex, sorted by encoded name and then by
    /// encoded value, joined by `&`. It serves as query and as form body.
    #[must_use]
    pub fn canonical(&self) -> String {
        join(&self.sorted(encode))
    }

    /// A JSON object of strings in the order of their names; `{}` without parameters. Each name
    /// must occur once, which holds for every request of the Auth API.
    #[must_use]
    pub fn json(&self) -> String {
        let text = |object: ObjectText, (name, value): &(String, String)| object.text(name, value);
        self.sorted(str::to_owned).iter().fold(ObjectText::new(), text).finish()
    }

    /// The pairs, each text encoded by `spelled`, sorted by name and then by value.
    fn sorted(&self, spelled: fn(&str) -> String) -> Vec<(String, String)> {
        let mut sorted = Vec::with_capacity(self.pairs.len());
        for (name, value) in &self.pairs {
            let pair = (spelled(name), spelled(value));
            // Insertion sort: there are a dozen pairs at most, and a general sort is much code.
            let at = sorted.partition_point(|other| *other <= pair);
            sorted.insert(at, pair);
        }
        sorted
    }
}

/// One name or value, percent-encoded.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Encoded pairs as `name=value&name=value`.
pub(super) fn join(encoded: &[(String, String)]) -> String {
    let pairs: Vec<String> =
        encoded.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests;
