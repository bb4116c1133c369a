//! The parameters of a request to the filter's own addresses: the query of its target, and the body
//! of a form if it is read.

use form_urlencoded::parse;
use std::borrow::Cow;

/// The longest query that is read, in bytes.
const MAX_QUERY: usize = 8 * 1024;

/// The most fields of a form that a page sends again.
const MAX_FIELDS: usize = 256;

/// Names and values, read as `application/x-www-form-urlencoded` (WHATWG URL, section 5.1).
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    query: &'a [u8],
    form: &'a [u8],
}

impl<'a> Parameters<'a> {
    /// The parameters of a request's target. A query that is too long counts as empty.
    #[must_use]
    pub fn of(target: &'a [u8]) -> Self {
        let start = target.iter().position(|byte| *byte == b'?');
        let query = start.and_then(|at| target.get(at.saturating_add(1)..)).unwrap_or_default();
        Self { query: if query.len() <= MAX_QUERY { query } else { &[] }, form: &[] }
    }

    /// Adds the parameters of the form in the request's body.
    #[must_use]
    pub const fn with_form(self, body: &'a [u8]) -> Self {
        Self { form: body, ..self }
    }

    /// All names and values of a form, in order, as a page can send them again. `None` if a browser
    /// would send them differently: text that is not UTF-8, a control character, a field without a
    /// name, or too many fields.
    #[must_use]
    pub fn fields(form: &[u8]) -> Option<Vec<(String, String)>> {
        let is_plain = |text: &str| {
            let is_odd = |c: char| {
                c == char::REPLACEMENT_CHARACTER
                    || (c.is_control() && !matches!(c, '\t' | '\r' | '\n'))
            };
            !text.contains(is_odd)
        };
        let pairs: Vec<_> = parse(form)
            .take(MAX_FIELDS.saturating_add(1))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let is_sendable = |(name, value): &(String, String)| {
            !name.is_empty() && is_plain(name) && is_plain(value)
        };
        (pairs.len() <= MAX_FIELDS && pairs.iter().all(is_sendable)).then_some(pairs)
    }

    /// The one value of a parameter; `None` if there is none or more than one.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut values = parse(self.query).filter(|(n, _)| n == name).map(|(_, value)| value);
        let mut posted = self.posted(name);
        let value = values.next().or_else(|| posted.next());
        value.filter(|_| values.next().is_none() && posted.next().is_none())
    }

    /// Whether the query or the form has a parameter of this name, once or more.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        parse(self.query).chain(parse(self.form)).any(|(n, _)| n == name)
    }

    /// The values of a parameter in the body alone, for parameters that must not be in a URL.
    pub fn posted(&self, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
        parse(self.form).filter(move |(n, _)| n == name).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_has_one_decoded_value_or_none() {
        let target = b"/auth?factor=push&return_to=%2Fa%3Fx%3D1%26y&twice=1&twice=2&e=";
        let parameters = Parameters::of(target);
        assert_eq!(parameters.value("factor").as_deref(), Some("push"));
        assert_eq!(parameters.value("return_to").as_deref(), Some("/a?x=1&y"));
        assert_eq!(parameters.value("e").as_deref(), Some(""));
        assert_eq!(parameters.value("twice"), None);
        assert_eq!(parameters.value("absent"), None);
        assert!(parameters.has("twice") && parameters.has("e") && !parameters.has("absent"));
        assert_eq!(Parameters::of(b"/auth").value("factor"), None);
        let long = format!("/auth?factor=push&x={}", "x".repeat(MAX_QUERY));
        assert_eq!(Parameters::of(long.as_bytes()).value("factor"), None);
    }

    #[test]
    fn fields_are_all_there_or_none() {
        let fields = |form: &str| Parameters::fields(form.as_bytes());
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let read = fields("a=1+2&b=%3Cb%3E%22&a=&c&d=%0D%0A%C3%A9").unwrap();
        let expected = [
            pair("a", "1 2"),
            pair("b", "<b>\""),
            pair("a", ""),
            pair("c", ""),
            pair("d", "\r\n\u{e9}"),
        ];
        assert_eq!(read, expected);
        assert_eq!(fields("").unwrap(), []);
        for odd in ["a=%FF", "%00=1", "a=%1B", "=1", "a=1&=2", &"a&".repeat(257)] {
            assert_eq!(fields(odd), None, "{odd}");
        }
        assert_eq!(fields(&"a&".repeat(256)).unwrap().len(), 256);
    }

    #[test]
    fn a_form_adds_parameters_and_a_second_value_does_not_count() {
        let body = b"passcode=12+34%35&factor=sms&device=DP1&device=DP2&device=DP3";
        let parameters = Parameters::of(b"/auth?factor=push&passcode=1&e=").with_form(body);
        assert_eq!(parameters.posted("passcode").collect::<Vec<_>>(), ["12 345"]);
        for twice in ["factor", "passcode", "device"] {
            assert_eq!(parameters.value(twice), None, "{twice}");
        }
        assert_eq!(parameters.value("e").as_deref(), Some(""));
        let alone = Parameters::of(b"/auth").with_form(b"factor=sms");
        assert_eq!(alone.value("factor").as_deref(), Some("sms"));
        assert_eq!(Parameters::of(b"/auth?passcode=1").posted("passcode").count(), 0);
    }
}
