//! A request's head, read once and in place.
//!
//! The host hands over its header map as one buffer: a count, the lengths of all names and values,
//! then the bytes, each followed by a NUL (the "pairs" encoding of the proxy-wasm ABI). Everything
//! here is a slice of that buffer; duplicates stay visible.

use super::Edit;
use super::cookie::CookieLines;
use super::hints::Hints;
use super::overrides::Overrides;
use memchr::arch::all::is_equal;

/// The prefix of header names that belong to the filter; a client's own are removed.
pub const RESERVED_PREFIX: &[u8] = b"x-duo-mfa-";

/// A serialized header map, walked in place.
#[derive(Clone, Copy, Debug)]
pub struct HeaderMap<'a> {
    lengths: &'a [u8],
    bytes: &'a [u8],
}

/// The buffer is not a serialized header map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host's header map is malformed")]
pub struct MalformedMap;

/// A header that is not the one word of one sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSole {
    /// It stands in the request more than once, in whatever spelling.
    Repeated,
    /// It stands there once, with `_` for `-` or the other way round.
    Misspelled,
}

impl<'a> HeaderMap<'a> {
    /// Checks the whole buffer once, so that walking it cannot fail.
    ///
    /// # Errors
    ///
    /// [`MalformedMap`] where the lengths do not fit the bytes.
    pub fn parse(buffer: &'a [u8]) -> Result<Self, MalformedMap> {
        let map = Self::split(buffer)?;
        let mut pairs = map.iter();
        while pairs.next().is_some() {}
        if pairs.is_whole() { Ok(map) } else { Err(MalformedMap) }
    }

    /// Tells the lengths from the bytes, without a look at whether they fit.
    fn split(buffer: &'a [u8]) -> Result<Self, MalformedMap> {
        if buffer.is_empty() {
            return Ok(Self { lengths: &[], bytes: &[] });
        }
        let (count, rest) = split_u32(buffer).ok_or(MalformedMap)?;
        let lengths = usize::try_from(count).ok().and_then(|n| n.checked_mul(8));
        let (lengths, bytes) =
            lengths.and_then(|n| rest.split_at_checked(n)).ok_or(MalformedMap)?;
        Ok(Self { lengths, bytes })
    }

    /// The pairs of name and value, in the host's order.
    #[must_use]
    pub const fn iter(&self) -> Pairs<'a> {
        Pairs { lengths: self.lengths, bytes: self.bytes }
    }

    /// The edits that take out what is named under [`RESERVED_PREFIX`], in any spelling.
    #[must_use]
    pub fn without_reserved(&self) -> Vec<Edit> {
        let reserved = self.iter().filter(|(name, _)| is_reserved(name));
        reserved.map(|(name, _)| Edit::Remove(name.to_vec())).collect()
    }

    /// The pairs whose names have this length and are accepted. Walks the lengths, and looks at no
    /// other name. A whole map's lengths fit its bytes, so their sums wrap in none.
    fn named(
        self,
        length: usize,
        is_meant: impl Fn(&[u8]) -> bool,
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let mut lengths = self.lengths.as_chunks::<8>().0.iter();
        let mut start: usize = 0;
        std::iter::from_fn(move || {
            for lengths in lengths.by_ref() {
                let (name, value) = name_and_value(*lengths)?;
                let name_start = start;
                // A NUL follows the name, and one the value.
                start = start.wrapping_add(name).wrapping_add(value).wrapping_add(2);
                if name != length {
                    continue;
                }
                let (name, rest) = self.bytes.get(name_start..)?.split_at_checked(length)?;
                if is_meant(name) {
                    return Some((name, rest.get(1..)?.get(..value)?));
                }
            }
            None
        })
    }

    /// Writes pairs in the host's encoding.
    #[must_use]
    pub fn serialize(pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        let mut buffer = u32::try_from(pairs.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
        for (name, value) in pairs {
            buffer.extend_from_slice(&length(name));
            buffer.extend_from_slice(&length(value));
        }
        for part in pairs.iter().flat_map(|(name, value)| [name, value]) {
            buffer.extend_from_slice(part);
            buffer.push(0);
        }
        buffer
    }
}

/// An iterator over the pairs of a [`HeaderMap`].
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    lengths: &'a [u8],
    bytes: &'a [u8],
}

impl Pairs<'_> {
    /// Whether the walk came to the end of the map, and not to lengths that do not fit.
    const fn is_whole(&self) -> bool {
        self.lengths.is_empty()
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    // All headers of every request come by here: a call for each shows in the cost of a pass.
    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let (first, lengths) = self.lengths.split_first_chunk::<8>()?;
        let (name, value) = name_and_value(*first)?;
        let (name, bytes) = self.bytes.split_at_checked(name)?;
        let [0, bytes @ ..] = bytes else { return None };
        let (value, bytes) = bytes.split_at_checked(value)?;
        let [0, bytes @ ..] = bytes else { return None };
        self.lengths = lengths;
        self.bytes = bytes;
        Some((name, value))
    }
}

/// The lengths of one pair.
#[inline(always)]
fn name_and_value([a, b, c, d, e, f, g, h]: [u8; 8]) -> Option<(usize, usize)> {
    let length = |bytes| usize::try_from(u32::from_le_bytes(bytes)).ok();
    Some((length([a, b, c, d])?, length([e, f, g, h])?))
}

fn split_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*number), rest))
}

/// What the filter looks at in a request, as slices of its header map.
#[derive(Clone, Debug)]
pub struct RequestHead<'a> {
    map: HeaderMap<'a>,
    /// `:method`, as sent.
    pub method: &'a [u8],
    /// `:path`, as sent: path and query.
    pub target: &'a [u8],
    /// `:authority`, as sent: host and maybe a port.
    pub authority: &'a [u8],
    /// The `Cookie` lines.
    pub cookies: CookieLines<'a>,
    /// Names under [`RESERVED_PREFIX`] in any spelling, as sent.
    pub reserved: Vec<&'a [u8]>,
    /// Which headers name another path or method.
    pub overrides: Overrides,
}

/// A head that no decision can be made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadFault {
    /// The host's buffer is malformed.
    #[error("the header map is malformed")]
    Malformed,
    /// `:method` is absent.
    #[error("the request has no method")]
    NoMethod,
    /// `:path` is absent, as in a CONNECT request, or empty.
    #[error("the request has no path")]
    NoPath,
    /// A pseudo header stands in the map twice.
    #[error("the request has a pseudo header twice")]
    DuplicatePseudoHeader,
}

impl From<MalformedMap> for HeadFault {
    fn from(_: MalformedMap) -> Self {
        Self::Malformed
    }
}

impl<'a> RequestHead<'a> {
    /// Reads a serialized header map in one pass.
    ///
    /// # Errors
    ///
    /// [`HeadFault`] where the map is malformed, or has no method or path.
    pub fn read(buffer: &'a [u8]) -> Result<Self, HeadFault> {
        let map = HeaderMap::split(buffer)?;
        let mut pseudo = Pseudo::default();
        let mut cookies = CookieLines::default();
        let mut reserved = Vec::new();
        let mut overrides = Overrides::default();
        let mut pairs = map.iter();
        for (name, value) in pairs.by_ref() {
            match name.first() {
                Some(b':') => pseudo.take(name, value)?,
                Some(b'c') if name == b"cookie" => cookies.push(value),
                // Most names that begin with an x are told by their third letter.
                Some(b'x' | b'X') => match name.get(2) {
                    Some(b'd' | b'D') if is_reserved(name) => reserved.push(name),
                    Some(b'h' | b'H' | b'm' | b'M' | b'o' | b'O' | b'r' | b'R') => {
                        overrides.take(name);
                    }
                    Some(_) | None => {}
                },
                Some(_) | None => {}
            }
        }
        if !pairs.is_whole() {
            return Err(HeadFault::Malformed);
        }
        Ok(Self {
            map,
            method: pseudo.method.ok_or(HeadFault::NoMethod)?,
            target: pseudo.path.filter(|path| !path.is_empty()).ok_or(HeadFault::NoPath)?,
            authority: pseudo.authority.unwrap_or_default(),
            cookies,
            reserved,
            overrides,
        })
    }

    /// All names and values, in the order in which they were sent.
    pub fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.map.iter()
    }

    /// Every value of a header, `_` and `-` in names being the same, so that a second spelling
    /// counts as a second value.
    pub fn values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let name = name.as_bytes();
        self.map.named(name.len(), move |sent| same_name(sent, name)).map(|(_, value)| value)
    }

    /// The only value of a header; absent where there is none or more than one.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&'a [u8]> {
        let mut values = self.values(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// The only value of a header that is trusted, under exactly this name: who strips a client's
    /// own by its name leaves a spelling with `_` for `-` in the request.
    ///
    /// # Errors
    ///
    /// [`NotSole`] where there is another value, or another spelling.
    pub fn sole_value(&self, name: &str) -> Result<Option<&'a [u8]>, NotSole> {
        let name = name.as_bytes();
        let mut sole = None;
        for pair in self.map.named(name.len(), |sent| same_name(sent, name)) {
            if sole.replace(pair).is_some() {
                return Err(NotSole::Repeated);
            }
        }
        match sole {
            Some((sent, _)) if !is_spelled(sent, name) => Err(NotSole::Misspelled),
            sole => Ok(sole.map(|(_, value)| value)),
        }
    }

    /// The headers that tell one kind of client from another. Looked for when they are asked for:
    /// a request that passes by its cookie is never asked what sends it.
    #[must_use]
    pub fn hints(&self) -> Hints<'a> {
        Hints::of(self.map, self.path())
    }

    /// The target without its query.
    #[must_use]
    pub fn path(&self) -> &'a [u8] {
        memchr::memchr(b'?', self.target)
            .and_then(|at| self.target.get(..at))
            .unwrap_or(self.target)
    }
}

/// Whether a byte may stand in a token, as methods and names of headers are (RFC 9110, section
/// 5.6.2).
#[must_use]
pub const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

#[derive(Default)]
struct Pseudo<'a> {
    method: Option<&'a [u8]>,
    path: Option<&'a [u8]>,
    authority: Option<&'a [u8]>,
}

impl<'a> Pseudo<'a> {
    fn take(&mut self, name: &[u8], value: &'a [u8]) -> Result<(), HeadFault> {
        // Comparisons, since a `match` on byte strings looks at one byte after the other.
        let slot = if name == b":method" {
            &mut self.method
        } else if name == b":path" {
            &mut self.path
        } else if name == b":authority" {
            &mut self.authority
        } else {
            return Ok(());
        };
        match slot.replace(value) {
            None => Ok(()),
            Some(_) => Err(HeadFault::DuplicatePseudoHeader),
        }
    }
}

fn is_reserved(name: &[u8]) -> bool {
    name.get(..RESERVED_PREFIX.len()).is_some_and(|start| same_name(start, RESERVED_PREFIX))
}

/// Whether two header names are the same, letters in any case.
///
/// In wasm `==` on slices calls a `memcmp` that goes byte by byte, hence memchr's comparison here
/// and wherever a pass looks for a name or a cookie.
fn is_spelled(sent: &[u8], name: &[u8]) -> bool {
    is_equal(sent, name) || sent.eq_ignore_ascii_case(name)
}

/// Whether two header names are the same, with `_` read as `-` and letters in any case.
pub(super) fn same_name(sent: &[u8], name: &[u8]) -> bool {
    let fold = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    sent.len() == name.len()
        && (is_equal(sent, name)
            || sent.iter().zip(name).all(|(a, b)| a == b || fold(*a) == fold(*b)))
}

#[cfg(test)]
mod tests;
