//! One bucket of what is good once: sixteen of them, in bytes.
//!
//! ```text
//! bucket = head | 16 entries
//! entry  = tag [8] | used u16 | kept u16
//! ```
//!
//! All numbers are big-endian, times are seconds: of `used` before the head's `written` (0xffff: it
//! is over for good), of `kept` after it.

use super::head::{HEAD_BYTES, Head, LEDGER_BYTES, read, span};
use super::verdict::{Granted, Limit, Limited, Verdict};

const ENTRIES: usize = 16;
const ENTRY_BYTES: usize = 12;
const _: () = assert!(HEAD_BYTES + ENTRIES * ENTRY_BYTES == LEDGER_BYTES);
const OVER: u16 = u16::MAX;

/// What stands for one thing that is good once.
pub(super) type Tag = [u8; 8];

/// The bytes of a bucket, read.
#[derive(Default)]
pub(super) struct Ledger {
    /// Nothing is granted before.
    closed: u64,
    entries: [Entry; ENTRIES],
}

/// A use that is remembered.
#[derive(Clone, Copy, Default)]
struct Entry {
    tag: Tag,
    /// When it was; absent where it is over, whenever that was.
    used: Option<u64>,
    /// It is forgotten from then on.
    kept: u64,
}

impl Ledger {
    /// One without entries, from which nothing is granted before a moment.
    pub(super) fn closed(until: u64) -> Self {
        Self { closed: until, ..Self::default() }
    }

    /// Reads what [`Self::encode`] has written; absent for anything else.
    pub(super) fn decode(bytes: &[u8], now: u64) -> Option<Self> {
        let (closed, entries) = read(bytes, now, Entry::decode)?;
        Some(Self { closed, entries })
    }

    pub(super) fn encode(&self, now: u64) -> Vec<u8> {
        let mut bytes = Head { written: now, closed: self.closed }.first_bytes(LEDGER_BYTES);
        for Entry { tag, used, kept } in self.entries {
            bytes.extend_from_slice(&tag);
            // An age as large as the mark is too long ago for any grace.
            bytes.extend_from_slice(&used.map_or(OVER, |used| span(used, now)).to_be_bytes());
            bytes.extend_from_slice(&span(now, kept).to_be_bytes());
        }
        bytes
    }

    /// Writes down a use that is to be remembered until `kept`, where it is the first, or the first
    /// was less than `grace` seconds ago.
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

    /// Writes down that there will be no use any more.
    pub(super) fn end(&mut self, tag: Tag, kept: u64, now: u64) {
        match self.entry_of(tag, now) {
            Some(entry) => entry.used = None,
            // Where there is no room, none is granted either.
            None => drop(self.write(Entry { tag, used: None, kept }, now)),
        }
    }

    fn entry_of(&mut self, tag: Tag, now: u64) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.tag == tag && now < entry.kept)
    }

    /// Puts an entry in the place of one that is forgotten.
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
