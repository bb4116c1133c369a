//! Text from users and Duo that is safe to show.

use maud::{Escaper, Render};
use std::fmt::{self, Write};

/// A name or a message that a user or Duo chose. It has no control characters, no characters that
/// change the direction of the text around them (Unicode TR 9), and at most [`DisplayText::LENGTH`]
/// characters. Markup in it is only text, since it is escaped when it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DisplayText(String);

impl DisplayText {
    /// How many characters are kept.
    pub const LENGTH: usize = 256;

    /// Keeps the characters that can be shown and drops the others.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.chars().filter(|c| Self::shows(*c)).take(Self::LENGTH).collect())
    }

    /// Whether a character can be shown among others.
    #[must_use]
    pub fn shows(character: char) -> bool {
        let turns_direction = matches!(
            character,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        );
        let ends_line = matches!(character, '\u{2028}' | '\u{2029}');
        !(character.is_control() || turns_direction || ends_line)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the text is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl fmt::Display for DisplayText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Render for DisplayText {
    fn render_to(&self, buffer: &mut String) {
        // Writing to a string never fails.
        let _ = Escaper::new(buffer).write_str(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_cannot_be_shown_are_dropped() {
        assert_eq!(DisplayText::new("a\0\r\n\u{9b}b\u{202e}c\u{2066}d\u{2028}e").as_str(), "abcde");
        assert_eq!(DisplayText::new("Søren’s 📱 电话").as_str(), "Søren’s 📱 电话");
        assert!(DisplayText::new("\u{200f} \u{202e}").is_empty());
    }

    #[test]
    fn markup_is_escaped_where_it_is_written() {
        let name = DisplayText::new("<img src=x onerror=\"a&b\">");
        assert_eq!(name.render().0, "&lt;img src=x onerror=&quot;a&amp;b&quot;&gt;");
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(
            DisplayText::new(&"é".repeat(9_999)).as_str().chars().count(),
            DisplayText::LENGTH
        );
    }
}
