//! The parameters of a request to the filter's own addresses: the query of its target.

use form_urlencoded::parse;
use std::borrow::Cow;

/// The longest query that is looked at, in bytes.
const MAX_BYTES: usize = 8 * 1024;

/// The query of a target, read as `application/x-www-form-urlencoded` (WHATWG URL, section 5.1).
#[derive(Clone, Copy, Debug)]
pub struct Query<'a>(&'a [u8]);

impl<'a> Query<'a> {
    /// The query of a request's target; one that is too long counts as none.
    #[must_use]
    pub fn of(target: &'a [u8]) -> Self {
        let start = target.iter().position(|byte| *byte == b'?');
        let query = start.and_then(|at| target.get(at.saturating_add(1)..)).unwrap_or_default();
        Self(if query.len() <= MAX_BYTES { query } else { &[] })
    }

    /// The one value of a parameter; absent where there is none or more than one.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut values = parse(self.0).filter(|(n, _)| n == name).map(|(_, value)| value);
        values.next().filter(|_| values.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_has_one_decoded_value_or_none() {
        let query = Query::of(b"/auth?factor=push&return_to=%2Fa%3Fx%3D1%26y&twice=1&twice=2&e=");
        assert_eq!(query.value("factor").as_deref(), Some("push"));
        assert_eq!(query.value("return_to").as_deref(), Some("/a?x=1&y"));
        assert_eq!(query.value("e").as_deref(), Some(""));
        assert_eq!(query.value("twice"), None);
        assert_eq!(query.value("absent"), None);
        assert_eq!(Query::of(b"/auth").value("factor"), None);
        let long = format!("/auth?factor=push&x={}", "x".repeat(MAX_BYTES));
        assert_eq!(Query::of(long.as_bytes()).value("factor"), None);
    }
}
