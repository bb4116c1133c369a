//! Texts that Duo writes and people read.

use std::fmt;

/// A text from Duo: at most [`Text::MAX_BYTES`], without control characters and without marks that
/// change the direction of writing.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(String);

impl Text {
    /// The greatest length, in bytes of UTF-8. A longer text is cut between two characters.
    pub const MAX_BYTES: usize = 4_096;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the text is empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Text {
    fn from(raw: &str) -> Self {
        let mut text = String::new();
        for character in raw.chars().filter_map(printable) {
            if text.len().saturating_add(character.len_utf8()) > Self::MAX_BYTES {
                break;
            }
            text.push(character);
        }
        Self(text)
    }
}

impl From<String> for Text {
    fn from(raw: String) -> Self {
        Self::from(raw.as_str())
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The character as it may be shown. Line breaks and tabs become spaces. Other control characters
/// and direction marks (Unicode, annex 9, section 2) are dropped.
pub(super) fn printable(character: char) -> Option<char> {
    match character {
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => Some(' '),
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' => None,
        '\u{2066}'..='\u{2069}' | '\u{feff}' => None,
        _ if character.is_control() => None,
        _ => Some(character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_direction_marks_are_left_out() {
        let text = Text::from("a\u{0}b\u{1b}[31m\r\nc\u{202e}d\u{85}\u{7f}\u{feff}é👍\u{2028}");
        assert_eq!(text.as_str(), "ab[31m  cdé👍 ");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(Text::from("x".repeat(4_096)).as_str().len(), 4_096);
        let cut = Text::from(format!("{}é", "x".repeat(4_095)));
        assert_eq!(cut.as_str(), "x".repeat(4_095));
        assert_eq!(Text::from("👍".repeat(2_000)).as_str(), "👍".repeat(1_024));
    }
}
