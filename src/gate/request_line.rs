//! A short description of a request, as text that is safe to log and to show on a phone: no control
//! characters, bounded length.

use crate::http::RequestHead;
use crate::page::DisplayText;

/// The longest text from a client that is logged, in characters.
const MAX_TEXT: usize = 256;

/// The longest id of a request that is logged, in characters.
const MAX_ID: usize = 64;

/// The longest query that a phone shows uncut, in characters.
const MAX_QUERY: usize = 512;

/// Method, host and path of a request.
#[derive(Clone, Debug)]
pub(super) struct RequestLine {
    pub(super) method: String,
    pub(super) host: String,
    pub(super) path: String,
    /// The query, only for a request that needs its own approval: the phone shows it. It may hold
    /// secrets, so it is never logged.
    pub(super) query: Option<String>,
    /// Whether path or query is too long to be shown whole.
    pub(super) is_cut: bool,
}

impl RequestLine {
    pub(super) fn of(head: &RequestHead<'_>) -> Self {
        let path = shortened(head.path(), MAX_TEXT);
        Self {
            method: readable(head.method),
            host: readable(head.authority),
            is_cut: path.is_err(),
            path: path.unwrap_or_else(|cut| cut),
            query: None,
        }
    }

    /// The line of a request that needs its own approval, with its query.
    pub(super) fn with_query(head: &RequestHead<'_>) -> Self {
        let query = head.target.get(head.path().len()..).and_then(|rest| rest.split_first());
        let query = query.map(|(_, query)| shortened(query, MAX_QUERY));
        let (line, is_cut) = (Self::of(head), query.as_ref().is_some_and(Result::is_err));
        let query = query.map(|query| query.unwrap_or_else(|cut| cut));
        let query = query.filter(|query| !query.is_empty());
        Self { query, is_cut: line.is_cut || is_cut, ..line }
    }
}

/// The letters, digits and dashes of `x-request-id`; `None` if there are none.
pub(super) fn request_id(head: &RequestHead<'_>) -> Option<String> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let id = head.value("x-request-id")?.iter().copied().filter(is_plain).take(MAX_ID);
    Some(id.map(char::from).collect::<String>()).filter(|id| !id.is_empty())
}

/// The first [`MAX_TEXT`] characters of a text.
pub(super) fn beginning(text: &str) -> &str {
    let end = text.char_indices().nth(MAX_TEXT).map(|(at, _)| at);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// The text whole, or else without its middle and with the number of characters that are missing. The
/// end is kept, so that nobody can hide it behind a long beginning.
fn shortened(bytes: &[u8], most: usize) -> Result<String, String> {
    let text: String = String::from_utf8_lossy(bytes).chars().map(shown).collect();
    let length = text.chars().count();
    if length <= most {
        return Ok(text);
    }
    let end = most / 4;
    let start = most.saturating_sub(end);
    let (kept, tail): (String, String) = (
        text.chars().take(start).collect(),
        text.chars().skip(length.saturating_sub(end)).collect(),
    );
    Err(format!("{kept}[{} more]{tail}", length.saturating_sub(most)))
}

/// Bytes from a client as text. Bytes that are not UTF-8, control characters, and characters that
/// change the direction of writing become `\u{fffd}`.
fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(MAX_TEXT).map(shown).collect()
}

fn shown(c: char) -> char {
    if DisplayText::shows(c) { c } else { char::REPLACEMENT_CHARACTER }
}

#[cfg(test)]
mod tests {
    use super::{readable, shortened};

    #[test]
    fn long_text_keeps_its_end_and_the_number_of_missing_characters() {
        assert_eq!(shortened(b"/a?b", 4), Ok("/a?b".to_owned()));
        assert_eq!(shortened(b"abcdefghij", 8), Err("abcdef[2 more]ij".to_owned()));
        assert_eq!(shortened("\u{202e}é".as_bytes(), 8), Ok("\u{fffd}é".to_owned()));
    }

    #[test]
    fn text_of_a_client_stays_on_one_line() {
        assert_eq!(readable(b"/a\r\nb\x1b[2J\xff"), "/a\u{fffd}\u{fffd}b\u{fffd}[2J\u{fffd}");
        assert_eq!(readable(&[b'a'; 1000]).len(), super::MAX_TEXT);
    }

    #[test]
    fn text_of_a_client_is_read_in_the_order_that_it_was_sent_in() {
        assert_eq!(readable("/\u{202e}nimda/\u{2028}".as_bytes()), "/\u{fffd}nimda/\u{fffd}");
    }
}
