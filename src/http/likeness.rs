//! What two paths have in common that some reader takes for the same.
//!
//! Applications fold paths in their own ways: letters in any case, Unicode's compatibility forms,
//! letters without their marks, names without blanks or dots at their ends, the names of Windows.
//! A [`Likeness`] is coarser than any of that: where one of these readers takes one path for
//! another, or for one below it, their likenesses say so too. It says so of more paths than any
//! reader does, so it is for doubt alone: never for what lets a request pass.

mod letters;

use super::path::Ambiguous;
use letters::{Left, left, scripts};

/// Stands for something that a reader may drop, in a folded text.
const NOTHING: char = '\u{fffc}';

/// The first of those that stand for some letter of a script: by the bits of [`scripts`].
const OTHER: u32 = 0xe000;

/// A path with all that readers fold away folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Likeness {
    segments: Vec<Segment>,
    /// For a reader to whom a decoded `?` or `#` ends the path.
    cut: Option<Vec<Segment>>,
}

/// A segment in short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Segment {
    /// What it has in ASCII, in lower case, without what readers trim.
    ascii: String,
    /// The letters beyond ASCII, where all of their forms are known.
    letters: String,
    /// The scripts of what lasts beyond ASCII, of which no reader makes nothing.
    scripts: u8,
    /// Some of it is none of those letters.
    is_vague: bool,
    /// It has characters beyond ASCII of which nothing is known.
    has_unknown: bool,
}

impl Likeness {
    /// The likeness of a decoded path. A slash at its end makes no difference.
    ///
    /// # Errors
    ///
    /// [`Ambiguous`] where some reader finds an escape in it, or a segment that is empty, is made of
    /// dots, or is taken out by ASP.NET, as `(S(...))`.
    pub fn of(decoded: &[u8]) -> Result<Self, Ambiguous> {
        let folded = fold(str::from_utf8(decoded).map_err(|_| Ambiguous)?);
        if has_escape(&folded) {
            return Err(Ambiguous);
        }
        let end = folded.find(['?', '#']);
        let cut = end.and_then(|end| folded.get(..end)).map(segments).transpose()?;
        Ok(Self { segments: segments(&folded)?, cut })
    }

    /// Whether some reader may take this path for that one, or for one below it.
    #[must_use]
    pub fn may_be(&self, place: &Self, or_below: bool) -> bool {
        let fits = |own: &[Segment]| {
            let wanted = place.segments.as_slice();
            (own.len() == wanted.len() || (or_below && own.len() > wanted.len()))
                && own.iter().zip(wanted).all(|(own, wanted)| own.may_be(wanted))
        };
        fits(&self.segments) || self.cut.as_ref().is_some_and(|cut| fits(cut))
    }
}

impl Segment {
    /// What is left of a segment up to `;`, or to the `:` of a stream's name on Windows.
    fn of(text: &str) -> Result<Self, Ambiguous> {
        let text = text.split(';').next().unwrap_or_default();
        let text = match text.split_once(':') {
            Some((name, stream)) if stream.contains('$') => name,
            Some(_) | None => text,
        };
        let ascii: String = text.chars().filter(char::is_ascii).collect();
        let mut own = Self { ascii, ..Self::default() };
        for c in text.chars().filter(|c| !c.is_ascii()) {
            match u32::from(c).checked_sub(OTHER).map(u8::try_from) {
                Some(Ok(of)) => {
                    own.scripts |= of;
                    own.is_vague = true;
                }
                _ if c == NOTHING => {
                    own.has_unknown = true;
                    own.is_vague = true;
                }
                _ => {
                    own.scripts |= scripts(u32::from(c));
                    own.letters.push(c);
                }
            }
        }

        let name = own.ascii.split(['?', '#']).next().unwrap_or_default().trim_matches(' ');
        let is_dots = !name.is_empty() && name.bytes().all(|byte| byte == b'.');
        own.ascii = own.ascii.trim_start_matches(' ').trim_end_matches([' ', '.']).to_owned();
        if is_dots || is_taken_out(&own.ascii) || (own.ascii.is_empty() && own.scripts == 0) {
            return Err(Ambiguous);
        }
        Ok(own)
    }

    /// Whether some reader may take it for the other one, which a pattern names.
    fn may_be(&self, other: &Self) -> bool {
        if self.ascii != other.ascii {
            return self.may_be_short_for(other);
        }
        match (self.is_ascii(), other.is_ascii()) {
            (_, true) => true,
            (true, false) => other.scripts == 0,
            (false, false) if self.is_vague || other.is_vague => {
                self.has_scripts_of(other) && other.has_scripts_of(self)
            }
            (false, false) => self.letters == other.letters,
        }
    }

    /// Whether it may have letters of all scripts that the other one has.
    const fn has_scripts_of(&self, other: &Self) -> bool {
        other.scripts & !self.scripts == 0 || self.has_unknown
    }

    const fn is_ascii(&self) -> bool {
        self.scripts == 0 && !self.has_unknown
    }

    /// Whether it may be the short name, as `progra~1`, that Windows makes for a longer one: out of
    /// its first two characters at least.
    fn may_be_short_for(&self, other: &Self) -> bool {
        let (name, extension) = self.ascii.rsplit_once('.').unwrap_or((&self.ascii, ""));
        let Some((start, number)) = name.split_once('~') else { return false };
        let is_short = name.len() <= 8
            && extension.len() <= 3
            && !start.is_empty()
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit());
        let mut long = other.ascii.bytes().filter(|byte| !matches!(byte, b' ' | b'.'));
        let is_made_of = |byte| long.next().is_none_or(|of| byte == of || byte == b'_');
        is_short && other.has_short_name() && start.bytes().take(2).all(is_made_of)
    }

    /// Whether Windows makes a short name for it, since it is none.
    fn has_short_name(&self) -> bool {
        let (name, extension) = self.ascii.split_once('.').unwrap_or((&self.ascii, ""));
        let is_odd = |byte| matches!(byte, b' ' | b'.' | b'+' | b',' | b'=' | b'[' | b']');
        !self.is_ascii()
            || name.len() > 8
            || extension.len() > 3
            || name.bytes().chain(extension.bytes()).any(is_odd)
    }
}

/// The segments of a folded path, without an empty one at its end.
fn segments(path: &str) -> Result<Vec<Segment>, Ambiguous> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix(['/', '\\']).unwrap_or(path);
    if path.is_empty() {
        return Ok(Vec::new());
    }
    path.split(['/', '\\']).map(Segment::of).collect()
}

/// The text in plain characters: ASCII in lower case, letters beyond it whose forms are all known,
/// and one of two signs for each other character.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            folded.push(c.to_ascii_lowercase());
            continue;
        }
        match left(c) {
            Left::Ascii(word) => folded.push_str(word),
            Left::One(ascii) => folded.push(char::from(ascii)),
            Left::Letter(letter) => folded.push(letter),
            Left::Other(of) => {
                let sign = OTHER.checked_add(u32::from(of)).and_then(char::from_u32);
                folded.push(sign.unwrap_or(NOTHING));
            }
            Left::Nothing => folded.push(NOTHING),
        }
    }
    folded
}

/// Whether what is left in ASCII has an escape.
fn has_escape(folded: &str) -> bool {
    let ascii: Vec<u8> = folded.bytes().filter(u8::is_ascii).collect();
    ascii.windows(3).any(|three| {
        matches!(three, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
    })
}

/// Whether ASP.NET takes it for a session's id and out of the path.
fn is_taken_out(ascii: &str) -> bool {
    matches!(ascii.as_bytes(), [b'(', b'a' | b'f' | b's', b'(', ..])
}

#[cfg(test)]
mod tests;
