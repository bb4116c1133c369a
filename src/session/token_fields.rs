//! Reads the fields of a token one after the other. A text comes after its length, as
//! [`super::token`] writes it.

use super::token::write_part;
use super::{Bounded, Refusal};
use crate::clock::UnixTime;

/// The fields that were not read yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenFields<'b>(&'b [u8]);

impl<'b> TokenFields<'b> {
    pub(super) const fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let (field, rest) = self.0.split_first_chunk::<N>().ok_or(Refusal::Layout)?;
        self.0 = rest;
        Ok(*field)
    }

    pub(super) fn time(&mut self) -> Result<UnixTime, Refusal> {
        self.array().map(u64::from_be_bytes).map(UnixTime::from_seconds)
    }

    /// Bytes after their length; fewer than 65,535.
    pub(super) fn part(&mut self) -> Result<&'b [u8], Refusal> {
        let length = usize::from(u16::from_be_bytes(self.array()?));
        let (part, rest) = self.0.split_at_checked(length).ok_or(Refusal::Layout)?;
        self.0 = rest;
        Ok(part)
    }

    /// A text of at most `MAX` bytes; `None` if the part is empty.
    pub(super) fn text<const MAX: usize>(&mut self) -> Result<Option<Bounded<MAX>>, Refusal> {
        match self.part()? {
            [] => Ok(None),
            part => str::from_utf8(part)
                .ok()
                .and_then(|text| Bounded::new(text).ok())
                .map_or(Err(Refusal::Layout), |text| Ok(Some(text))),
        }
    }

    /// The remaining bytes.
    pub(super) const fn rest(self) -> &'b [u8] {
        self.0
    }

    /// # Errors
    ///
    /// [`Refusal::Layout`] if bytes remain.
    pub(super) const fn end(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::Layout) }
    }
}

/// Writes a text for [`TokenFields::text`].
pub(super) fn write_text<const MAX: usize>(fields: &mut Vec<u8>, text: Option<&Bounded<MAX>>) {
    let bytes = text.map_or("", Bounded::as_str).as_bytes();
    write_part(bytes, |piece| fields.extend_from_slice(piece));
}
