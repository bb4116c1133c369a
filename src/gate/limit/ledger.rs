//! One bucket of single-use tokens: sixteen of them, in bytes.
//!
//! ```text
//! bucket = head | 16 entries
//! entry  = tag [8] | used u16 | kept u16
//! ```
//!
//! All numbers are big-endian, times are in seconds. `used` is counted back from the head's
//! `written` (0xffff: the token can never be used again), `kept` forward from it.

use super::head::{HEAD_BYTES, Head, LEDGER_BYTES, read, span};
use super::verdict::{Granted, Limit, Limited, Verdict};

const ENTRIES: usize = 16;
const ENTRY_BYTES: usize = 12;
const _: () = assert!(HEAD_BYTES + ENTRIES * ENTRY_BYTES == LEDGER_BYTES);
const OVER: u16 = u16::MAX;

/// Represents one single-use token.
pub(super) type Tag = [u8; 8];

/// A decoded bucket.
#[derive(Default)]
pub(super) struct Ledger {
    /// Before this time the bucket grants nothing.
    closed: u64,
    entries: [Entry; ENTRIES],
}

/// A token that was used.
#[derive(Clone, Copy, Default)]
struct Entry {
    tag: Tag,
    /// When it was first used; `None` if it can never be used again.
    used: Option<u64>,
    /// When it is forgotten.
    kept: u64,
}

impl Ledger {
    /// A bucket without entries that grants nothing before a time.
    pub(super) fn closed(until: u64) -> Self {
        Self { closed: until, ..Self::default() }
    }

    /// Reads the bytes of [`Self::encode`]; `None` for any others.
    pub(super) fn decode(bytes: &[u8], now: u64) -> Option<Self> {
        let (closed, entries) = read(bytes, now, Entry::decode)?;
        Some(Self { closed, entries })
    }

    pub(super) fn encode(&self, now: u64) -> Vec<u8> {
        let mut bytes = Head { written: now, closed: self.closed }.first_bytes(LEDGER_BYTES);
        for Entry { tag, used, kept } in self.entries {
            bytes.extend_from_slice(&tag);
            // An age as large as the mark is longer than any grace period.
            bytes.extend_from_slice(&used.map_or(OVER, |used| span(used, now)).to_be_bytes());
            bytes.extend_from_slice(&span(now, kept).to_be_bytes());
        }
        bytes
    }

    /// Records a use until `kept`. Grants it if it is the first one, or the first one was less than
    /// `grace` seconds ago.
    pub(super) fn grant(&mut self, tag: Tag, grace: u64, kept: u64, now: u64) -> Verdict {
        if now < self.closed {
            return Err(Limited::new(Limit::Unreadable, now, self.closed));
        }
        if let Some(entry) = self.entry_of(tag, now) {
            let is_graced = entry.used.is_some_and(|used| now < used.saturating_add(grace));
            return if is_graced { Ok(Granted::New) } else { Err(Limited::new(Limit::Used, 0, 0)) };
        }
        self.write(Entry { tag, used: Some(now), kept }, now)
    }

    /// Records that the token can never be used again.
    pub(super) fn end(&mut self, tag: Tag, kept: u64, now: u64) {
        match self.entry_of(tag, now) {
            Some(entry) => entry.used = None,
            // If there is no room, no use is granted either.
            None => drop(self.write(Entry { tag, used: None, kept }, now)),
        }
    }

    fn entry_of(&mut self, tag: Tag, now: u64) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.tag == tag && now < entry.kept)
    }

    /// Stores an entry in place of one that is forgotten.
    fn write(&mut self, new: Entry, now: u64) -> Verdict {
        let oldest = self.entries.iter_mut().min_by_key(|entry| entry.kept);
        let oldest = oldest.ok_or(Limited::new(Limit::NoRoom, 0, 1))?;
        if now < oldest.kept {
            return Err(Limited::new(Limit::NoRoom, now, oldest.kept));
        }
        *oldest = new;
        Ok(Granted::New)
    }
}

impl Entry {
    fn decode(bytes: &[u8; ENTRY_BYTES], written: u64) -> Option<Self> {
        let (tag, times) = bytes.split_first_chunk()?;
        let &[a, b, c, d] = times.first_chunk()?;
        let age = u16::from_be_bytes([a, b]);
        let used = (age != OVER).then(|| written.saturating_sub(age.into()));
        let kept = written.saturating_add(u16::from_be_bytes([c, d]).into());
        Some(Self { tag: *tag, used, kept })
    }
}

#[cfg(test)]
mod tests;
