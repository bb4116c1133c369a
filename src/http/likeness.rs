//! Detects paths that some application may take for the same.
//!
//! Applications fold paths in different ways: letters of any case, Unicode's compatibility forms,
//! letters without their marks, names without spaces or dots at their ends, the short names of
//! Windows. A [`Likeness`] is coarser than any of that. If one of these applications takes one path
//! for another, or for one below it, their likenesses say so too. They also say so for paths that
//! no application confuses. So a likeness may only cause a refusal, and must never let a request
//! pass.

mod letters;

use super::path::Ambiguous;
use letters::{Left, left, scripts};

/// The sign in a folded text for a character that an application may drop.
const NOTHING: char = '\u{fffc}';

/// The first of the signs that represent some letter of a script: one sign for each set of bits of
/// [`scripts`].
const OTHER: u32 = 0xe000;

/// A path, folded in every way in which some application folds paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Likeness {
    segments: Vec<Segment>,
    /// The segments for an application to which a decoded `?` or `#` ends the path.
    cut: Option<Vec<Segment>>,
}

/// A folded segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Segment {
    /// Its ASCII part, in lower case, without characters that applications trim.
    ascii: String,
    /// Its letters beyond ASCII, if all of their forms are known.
    letters: String,
    /// The scripts of its characters beyond ASCII that no application drops.
    scripts: u8,
    /// Some of its characters beyond ASCII are not among those letters.
    is_vague: bool,
    /// It has characters beyond ASCII about which nothing is known.
    has_unknown: bool,
}

impl Likeness {
    /// The likeness of a decoded path. A slash at its end makes no difference.
    ///
    /// # Errors
    ///
    /// [`Ambiguous`] if some application finds an escape in the path, or a segment that is empty,
    /// consists of dots, or is removed by ASP.NET, such as `(S(...))`.
    pub fn of(decoded: &[u8]) -> Result<Self, Ambiguous> {
        let folded = fold(str::from_utf8(decoded).map_err(|_| Ambiguous)?);
        if has_escape(&folded) {
            return Err(Ambiguous);
        }
        let end = folded.find(['?', '#']);
        let cut = end.and_then(|end| folded.get(..end)).map(segments).transpose()?;
        Ok(Self { segments: segments(&folded)?, cut })
    }

    /// Whether some application may take this path for `place`, or for one below it.
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
    /// Folds a segment up to a `;`, or up to the `:` of a stream's name on Windows.
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

    /// Whether some application may take this segment for `other`, which a pattern names.
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

    /// Whether it may have letters of all scripts that `other` has.
    const fn has_scripts_of(&self, other: &Self) -> bool {
        other.scripts & !self.scripts == 0 || self.has_unknown
    }

    const fn is_ascii(&self) -> bool {
        self.scripts == 0 && !self.has_unknown
    }

    /// Whether it may be the short name, such as `progra~1`, that Windows makes for a longer one.
    /// Windows takes at least the first two characters of the long name.
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

    /// Whether Windows makes a short name for it, since it is not one itself.
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

/// The text in plain characters: ASCII in lower case, letters beyond ASCII whose forms are all
/// known, and one of two signs for each other character.
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

/// Whether the folded text has a percent-escape.
fn has_escape(folded: &str) -> bool {
    let ascii: Vec<u8> = folded.bytes().filter(u8::is_ascii).collect();
    ascii.windows(3).any(|three| {
        matches!(three, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
    })
}

/// Whether ASP.NET takes the segment for a session id and removes it from the path.
fn is_taken_out(ascii: &str) -> bool {
    matches!(ascii.as_bytes(), [b'(', b'a' | b'f' | b's', b'(', ..])
}

#[cfg(test)]
mod tests;
