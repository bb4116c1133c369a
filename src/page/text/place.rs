//! Texts with named places for values.

use maud::{Escaper, Render};
use std::fmt::Write;

enum Piece<'a> {
    Literal(&'a str),
    Place(&'a str),
}

/// Splits a text such as `Signed in as {user}.` at its places.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    text.split('{').enumerate().flat_map(|(index, part)| {
        let cut = if index == 0 { None } else { part.split_once('}') };
        let (place, literal) = cut.map_or((None, part), |(name, rest)| (Some(name), rest));
        place.map(Piece::Place).into_iter().chain([Piece::Literal(literal)])
    })
}

/// Fills in values, for JSON: nothing is escaped for HTML.
pub(in crate::page) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    pieces(text)
        .filter_map(|piece| match piece {
            Piece::Literal(literal) => Some(literal),
            Piece::Place(name) => {
                values.iter().find(|(of, _)| *of == name).map(|(_, value)| *value)
            }
        })
        .collect()
}

/// A text in HTML. The text is escaped; in each place comes a value that escapes itself.
pub(in crate::page) struct Filled<'a>(
    pub(in crate::page) &'a str,
    pub(in crate::page) &'a [(&'a str, &'a dyn Render)],
);

impl Render for Filled<'_> {
    fn render_to(&self, buffer: &mut String) {
        for piece in pieces(self.0) {
            match piece {
                Piece::Literal(literal) => {
                    // Writing to a string never fails.
                    let _ = Escaper::new(buffer).write_str(literal);
                }
                Piece::Place(name) => {
                    if let Some((_, value)) = self.1.iter().find(|(of, _)| *of == name) {
                        value.render_to(buffer);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_filled_into_their_places() {
        assert_eq!(fill("{a} and {b}, {a}.", &[("a", "1"), ("b", "2")]), "1 and 2, 1.");
        assert_eq!(fill("no place", &[("a", "1")]), "no place");
        assert_eq!(fill("{unknown}!", &[("a", "1")]), "!");
    }

    #[test]
    fn a_value_that_looks_like_a_place_is_not_filled_again() {
        assert_eq!(fill("{a}{b}", &[("a", "{b}"), ("b", "2")]), "{b}2");
    }

    #[test]
    fn text_and_values_are_escaped_in_html() {
        let filled = Filled("<i> {name}", &[("name", &"<b>")]);
        assert_eq!(filled.render().0, "&lt;i&gt; &lt;b&gt;");
    }
}
