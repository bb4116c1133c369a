//! The `Cookie` header (RFC 6265, section 4.2). One cookie is read by its exact name and the
//! filter's cookies are removed; every other byte stays as it was sent.

use super::{Edit, HeaderValue};
use memchr::arch::all::is_prefix;

/// The prefix of every cookie name of the filter. None of these cookies is forwarded.
pub const OWN_PREFIX: &[u8] = b"__Host-duo_";

/// The limit for all `Cookie` lines of a request together, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;

/// The edits of a request that passes: one `Cookie` line, and the filter's four headers. The list
/// is allocated once.
const USUAL_EDITS: usize = 5;

/// The `Cookie` lines of one request; HTTP/1.1 clients may send several.
#[derive(Clone, Debug, Default)]
pub struct CookieLines<'a> {
    first: Option<&'a [u8]>,
    others: Vec<&'a [u8]>,
}

/// How often a cookie was sent, and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent<'a> {
    /// Not at all.
    Never,
    /// Exactly once, with this value.
    Once(&'a [u8]),
    /// More than once. Nobody can know which one is meant, so none counts.
    Repeatedly,
}

/// The result of separating the filter's cookies from the application's.
#[derive(Clone, Debug)]
pub struct SplitCookies<'a> {
    /// The cookie with the requested name.
    pub found: Sent<'a>,
    /// The edits that leave only the application's cookies; empty if the request has no others.
    pub edits: Vec<Edit>,
}

impl<'a> Sent<'a> {
    /// The value of a cookie that was sent exactly once.
    #[must_use]
    pub const fn once(self) -> Option<&'a [u8]> {
        match self {
            Self::Once(value) => Some(value),
            Self::Never | Self::Repeatedly => None,
        }
    }

    const fn again(self, value: &'a [u8]) -> Self {
        match self {
            Self::Never => Self::Once(value),
            Self::Once(_) | Self::Repeatedly => Self::Repeatedly,
        }
    }
}

impl<'a> CookieLines<'a> {
    /// Adds a line as it was sent.
    pub fn push(&mut self, line: &'a [u8]) {
        if self.first.is_none() {
            self.first = Some(line);
        } else {
            self.others.push(line);
        }
    }

    /// Whether the lines together are longer than [`MAX_BYTES`], the most that the filter reads.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.lines().fold(0, |sum: usize, line| sum.saturating_add(line.len())) > MAX_BYTES
    }

    /// Finds a cookie by its exact name.
    #[must_use]
    pub fn find(&self, name: &str) -> Sent<'a> {
        let trimmed = self.lines().flat_map(pairs).map(<[u8]>::trim_ascii_start);
        let values = trimmed.filter_map(|pair| value_of(pair, name));
        values.fold(Sent::Never, Sent::again)
    }

    /// Whether the request has any cookie of the filter, as in [`Self::split`].
    #[must_use]
    pub fn has_own(&self, name: &str, odd: &[String]) -> bool {
        self.lines().flat_map(pairs).map(<[u8]>::trim_ascii_start).any(|pair| {
            is_prefix(pair, OWN_PREFIX)
                || value_of(pair, name).is_some()
                || odd.iter().any(|name| value_of(pair, name).is_some())
        })
    }

    /// Separates the filter's cookies from the application's. The filter's are those under
    /// [`OWN_PREFIX`], the one called `name`, and the `odd` ones.
    #[must_use]
    pub fn split(&self, name: &str, odd: &[String]) -> SplitCookies<'a> {
        let is_odd = |pair| odd.iter().any(|name| value_of(pair, name).is_some());
        let mut found = Sent::Never;
        let mut is_own = |pair: &'a [u8]| {
            let pair = pair.trim_ascii_start();
            if let Some(value) = value_of(pair, name) {
                found = found.again(value);
                return true;
            }
            is_prefix(pair, OWN_PREFIX) || is_odd(pair)
        };
        let mut edits = Vec::with_capacity(USUAL_EDITS);
        match (self.first, self.others.as_slice()) {
            (None, _) => {}
            (Some(line), []) => match without(line, &mut is_own) {
                None => {}
                Some(kept) if kept.is_empty() => edits.push(Edit::Remove(b"cookie".to_vec())),
                Some(kept) => edits.push(Edit::Set("cookie", HeaderValue::lossy(kept))),
            },
            (Some(_), [_, ..]) => {
                let kept: Vec<_> =
                    self.lines().map(|line| (line, without(line, &mut is_own))).collect();
                if kept.iter().any(|(_, kept)| kept.is_some()) {
                    edits.push(Edit::Remove(b"cookie".to_vec()));
                    let kept =
                        kept.into_iter().map(|(line, kept)| kept.unwrap_or_else(|| line.to_vec()));
                    let kept = kept.filter(|line| !line.is_empty());
                    edits.extend(kept.map(|line| Edit::Append("cookie", HeaderValue::lossy(line))));
                }
            }
        }
        SplitCookies { found, edits }
    }

    fn lines(&self) -> impl Iterator<Item = &'a [u8]> {
        self.first.into_iter().chain(self.others.iter().copied())
    }
}

const fn pairs(line: &[u8]) -> Pairs<'_> {
    Pairs { rest: Some(line) }
}

/// The pairs of a line, with the white space around them.
struct Pairs<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = &'a [u8];

    // Every cookie of every request passes through here, as every header does through the iterator
    // of the header map.
    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let line = self.rest?;
        let (pair, rest) = match memchr::memchr(b';', line) {
            Some(end) => (line.get(..end)?, line.get(end.saturating_add(1)..)),
            None => (line, None),
        };
        self.rest = rest;
        Some(pair)
    }
}

/// The value of a pair if it has this name. White space after the pair is dropped; the caller has
/// already dropped it before the pair.
fn value_of<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    if !is_prefix(pair, name.as_bytes()) {
        return None;
    }
    let [b'=', value @ ..] = pair.get(name.len()..)? else {
        return None;
    };
    Some(value.trim_ascii_end())
}

/// A line without the filter's pairs; `None` if it has none.
fn without<'a>(line: &'a [u8], is_own: &mut impl FnMut(&'a [u8]) -> bool) -> Option<Vec<u8>> {
    let mut kept: Option<Vec<u8>> = None;
    let mut before: usize = 0;
    for pair in pairs(line) {
        match (&mut kept, is_own(pair)) {
            (None, true) => {
                // The text before the pair, without the semicolon.
                let start = line.get(..before.saturating_sub(1)).unwrap_or_default();
                let mut bytes = Vec::with_capacity(line.len().saturating_sub(pair.len()));
                bytes.extend_from_slice(start);
                kept = Some(bytes);
            }
            (Some(bytes), false) if bytes.is_empty() => {
                bytes.extend_from_slice(pair.trim_ascii_start());
            }
            (Some(bytes), false) => {
                bytes.push(b';');
                bytes.extend_from_slice(pair);
            }
            (None, false) | (Some(_), true) => {}
        }
        before = before.saturating_add(pair.len()).saturating_add(1);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "__Host-duo_mfa";

    fn lines<'a>(lines: &[&'a str]) -> CookieLines<'a> {
        let mut cookies = CookieLines::default();
        for line in lines {
            cookies.push(line.as_bytes());
        }
        cookies
    }

    fn stripped(sent: &[&str]) -> Vec<Edit> {
        lines(sent).split(NAME, &[]).edits
    }

    fn set(line: &str) -> Edit {
        Edit::Set("cookie", HeaderValue::lossy(line.as_bytes()))
    }

    fn append(line: &str) -> Edit {
        Edit::Append("cookie", HeaderValue::lossy(line.as_bytes()))
    }

    #[test]
    fn a_cookie_is_found_by_its_exact_name_only() {
        for (line, found) in [
            ("__Host-duo_mfa=v", Sent::Once(b"v".as_slice())),
            ("a=1; __Host-duo_mfa=v; b=2", Sent::Once(b"v")),
            ("a=1;__Host-duo_mfa=v", Sent::Once(b"v")),
            ("__Host-duo_mfa=", Sent::Once(b"")),
            ("__Host-duo_mfa=a=b", Sent::Once(b"a=b")),
            ("__HoSt-duo_mfa=v", Sent::Never),
            ("__Host-duo_mfa2=v", Sent::Never),
            ("x__Host-duo_mfa=v", Sent::Never),
            ("__Host-duo_mfa", Sent::Never),
            ("\"__Host-duo_mfa\"=v", Sent::Never),
            ("__Host-duo_mfa =v", Sent::Never),
            ("a=\"; __Host-duo_mfa=v; \"", Sent::Once(b"v")),
            ("", Sent::Never),
        ] {
            assert_eq!(lines(&[line]).find(NAME), found, "{line}");
            assert_eq!(lines(&[line]).split(NAME, &[]).found, found, "{line}");
        }
    }

    #[test]
    fn a_cookie_sent_twice_does_not_count() {
        for sent in
            [&["__Host-duo_mfa=a; __Host-duo_mfa=a"][..], &["__Host-duo_mfa=a", "__Host-duo_mfa=b"]]
        {
            assert_eq!(lines(sent).find(NAME), Sent::Repeatedly);
            assert_eq!(lines(sent).split(NAME, &[]).found, Sent::Repeatedly);
        }
    }

    #[test]
    fn own_cookies_are_those_that_are_separated() {
        let odd = ["odd".to_owned()];
        for (line, is_own) in [
            ("a=1; name=v", true),
            ("a=1; odd=v", true),
            ("__Host-duo_txn=t", true),
            ("a=name; names=v; od=d", false),
            ("", false),
        ] {
            assert_eq!(lines(&[line]).has_own("name", &odd), is_own, "{line}");
            assert_eq!(!lines(&[line]).split("name", &odd).edits.is_empty(), is_own, "{line}");
        }
    }

    #[test]
    fn foreign_cookies_keep_their_bytes_and_order() {
        assert_eq!(stripped(&["a=1; __Host-duo_mfa=v; b=2"]), [set("a=1; b=2")]);
        assert_eq!(stripped(&["__Host-duo_mfa=v; b=2"]), [set("b=2")]);
        assert_eq!(
            stripped(&["a=1;  b=\"x y\";__Host-duo_txn=t;a=1"]),
            [set("a=1;  b=\"x y\";a=1")]
        );
        assert_eq!(stripped(&["__Host-duo_mfa=v"]), [Edit::Remove(b"cookie".to_vec())]);
        assert_eq!(stripped(&["a=1; b=2"]), []);
        assert_eq!(stripped(&[]), []);
    }

    #[test]
    fn several_lines_stay_several() {
        let removed = Edit::Remove(b"cookie".to_vec());
        assert_eq!(
            stripped(&["a=1", "__Host-duo_mfa=v; b=2", "c=3"]),
            [removed.clone(), append("a=1"), append("b=2"), append("c=3")]
        );
        assert_eq!(stripped(&["__Host-duo_mfa=v", "__Host-duo_mfa=w"]), [removed]);
    }

    #[test]
    fn a_cookie_of_another_configured_name_is_stripped_too() {
        let split = lines(&["__Host-other=v; a=1"]).split("__Host-other", &[]);
        assert_eq!(split.edits, [set("a=1")]);
        assert_eq!(split.found, Sent::Once(b"v"));
        let odd = ["__Host-other".to_owned(), "__Host-other-b".to_owned()];
        let split = lines(&["__Host-other=v; a=1; __Host-other-b=w"]).split(NAME, &odd);
        assert_eq!(split.edits, [set("a=1")]);
        assert_eq!(split.found, Sent::Never);
    }

    #[test]
    fn lines_that_are_too_long_together_are_noticed() {
        let half = "a".repeat(MAX_BYTES / 2);
        assert!(!lines(&[&half, &half]).is_too_long());
        assert!(lines(&[&half, &half, "a"]).is_too_long());
    }
}
