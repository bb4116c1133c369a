//! The host's header map, read without copying.

use super::edit::Edit;
use super::name::is_reserved;

/// A serialized header map, read without copying.
#[derive(Clone, Copy, Debug)]
pub struct HeaderMap<'a> {
    lengths: &'a [u8],
    bytes: &'a [u8],
}

/// The buffer is not a serialized header map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host's header map is malformed")]
pub struct MalformedMap;

impl<'a> HeaderMap<'a> {
    /// Checks the whole buffer once, so that iterating over it cannot fail. An empty buffer is no map:
    /// the host has none, or an empty one, or did not let it be read.
    ///
    /// # Errors
    ///
    /// [`MalformedMap`] if the lengths do not match the bytes.
    pub fn parse(buffer: &'a [u8]) -> Result<Self, MalformedMap> {
        let map = Self::split(buffer)?;
        let mut pairs = map.iter();
        while pairs.next().is_some() {}
        if pairs.is_whole() { Ok(map) } else { Err(MalformedMap) }
    }

    /// Splits the lengths from the bytes, without checking that they match.
    pub(super) fn split(buffer: &'a [u8]) -> Result<Self, MalformedMap> {
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

    /// The edits that remove all headers under [`super::name::RESERVED_PREFIX`], in any spelling.
    #[must_use]
    pub fn without_reserved(&self) -> Vec<Edit> {
        let reserved = self.iter().filter(|(name, _)| is_reserved(name));
        reserved.map(|(name, _)| Edit::Remove(name.to_vec())).collect()
    }

    /// The pairs whose name has this length and is accepted. Reads only the lengths and names of
    /// this length. In a checked map the sums of lengths cannot overflow.
    pub(super) fn named(
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
                // A NUL follows the name, and another one the value.
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
        let mut buffer = Vec::new();
        Self::write(pairs.iter().copied(), &mut buffer);
        buffer
    }

    /// Adds pairs in the host's encoding to a buffer.
    pub fn write<'p>(
        pairs: impl ExactSizeIterator<Item = (&'p [u8], &'p [u8])> + Clone,
        buffer: &mut Vec<u8>,
    ) {
        let sizes = pairs.clone().map(|(name, value)| name.len().saturating_add(value.len()));
        // Before a pair its two lengths, and after each part a NUL.
        let size = sizes.fold(4, |sum: usize, size| sum.saturating_add(size).saturating_add(10));
        let start = buffer.len();
        buffer.resize(start.saturating_add(size), 0);
        let filled = fill(pairs, buffer.get_mut(start..).unwrap_or_default());
        debug_assert!(filled.is_some(), "the room is as large as the pairs");
    }
}

/// Writes pairs into zeros that take exactly their encoding. The native host does this on each pass,
/// and a buffer that grows with each part would cost it more.
fn fill<'p>(
    pairs: impl ExactSizeIterator<Item = (&'p [u8], &'p [u8])>,
    mut room: &mut [u8],
) -> Option<()> {
    let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    room.split_off_mut(..4)?.copy_from_slice(&length(pairs.len()).to_le_bytes());
    let lengths = room.split_off_mut(..pairs.len().saturating_mul(8))?;
    for ((name, value), lengths) in pairs.zip(lengths.as_chunks_mut::<8>().0) {
        let (low, high) = (length(name.len()), length(value.len()));
        *lengths = (u64::from(high) << 32 | u64::from(low)).to_le_bytes();
        for part in [name, value] {
            room.split_off_mut(..part.len())?.copy_from_slice(part);
            room.split_off_first_mut()?;
        }
    }
    Some(())
}

/// An iterator over the pairs of a [`HeaderMap`].
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    lengths: &'a [u8],
    bytes: &'a [u8],
}

impl Pairs<'_> {
    /// Whether the iteration reached the end of the map, and no wrong length stopped it.
    pub(super) const fn is_whole(&self) -> bool {
        self.lengths.is_empty()
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    // Every header of every request passes through here: a function call for each would be a
    // measurable part of a pass.
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
