//! A request's head, read once and without copying.
//!
//! The host passes its header map as one buffer: a count, the lengths of all names and values, then
//! the bytes, each followed by a NUL (the "pairs" encoding of the proxy-wasm ABI). Everything here
//! is a slice of that buffer; duplicates stay visible.

use super::cookie::CookieLines;
use super::header_map::{HeaderMap, MalformedMap};
use super::hints::Hints;
use super::name::{is_reserved, is_spelled, same_name};
use super::overrides::Overrides;
use memchr::arch::all::is_equal;

/// Why a trusted header does not have exactly one value under its own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSole {
    /// The header is present more than once, in any spelling.
    Repeated,
    /// The header is present once, but with `_` for `-` or the other way round.
    Misspelled,
}

/// The parts of a request that the filter reads, as slices of its header map.
#[derive(Clone, Debug)]
pub struct RequestHead<'a> {
    map: HeaderMap<'a>,
    /// `:method`, as sent.
    pub method: &'a [u8],
    /// `:path`, as sent: path and query.
    pub target: &'a [u8],
    /// `:authority`, as sent: a host, and possibly a port.
    pub authority: &'a [u8],
    /// The `Cookie` lines.
    pub cookies: CookieLines<'a>,
    /// Names under [`super::name::RESERVED_PREFIX`] in any spelling, as sent.
    pub reserved: Vec<&'a [u8]>,
    /// Which headers name another path or method.
    pub overrides: Overrides,
}

/// Why no decision is possible on a head.
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
    /// A pseudo header is in the map twice.
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
    /// [`HeadFault`] if the map is malformed, or has no method or path.
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
                Some(b'c') if is_equal(name, b"cookie") => cookies.push(value),
                // The third letter excludes most names that begin with an x.
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

    /// All values of a header. `_` and `-` in names are equal here, so that a second spelling
    /// counts as a second value.
    pub fn values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let name = name.as_bytes();
        self.map.named(name.len(), move |sent| same_name(sent, name)).map(|(_, value)| value)
    }

    /// The only value of a header; `None` if there is none or more than one.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&'a [u8]> {
        let mut values = self.values(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// The only value of a trusted header, under exactly this name. A filter that removes a
    /// client's own header by its name leaves a spelling with `_` for `-` in the request.
    ///
    /// # Errors
    ///
    /// [`NotSole`] if there is another value, or another spelling.
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

    /// The headers that distinguish kinds of clients. They are looked up only when needed: a
    /// request that passes by its cookie never needs them.
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

#[derive(Default)]
struct Pseudo<'a> {
    method: Option<&'a [u8]>,
    path: Option<&'a [u8]>,
    authority: Option<&'a [u8]>,
}

impl<'a> Pseudo<'a> {
    fn take(&mut self, name: &[u8], value: &'a [u8]) -> Result<(), HeadFault> {
        // Comparisons, since a `match` on byte strings compares byte by byte.
        let slot = if is_equal(name, b":method") {
            &mut self.method
        } else if is_equal(name, b":path") {
            &mut self.path
        } else if is_equal(name, b":authority") {
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

#[cfg(test)]
mod tests;
