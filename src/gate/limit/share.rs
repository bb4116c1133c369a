//! One bucket of shares: how many single uses each of sixteen users has, in bytes.
//!
//! ```text
//! bucket = head | 16 entries
//! entry  = tag [8] | uses u16 | until u16
//! ```
//!
//! All numbers are big-endian; `until` is in seconds after the head's `written`.

use super::head::{HEAD_BYTES, Head, LEDGER_BYTES, read, span};
use super::places::{SHARE, SHARE_WINDOW};
use super::verdict::{Granted, Limit, Limited, Verdict};

const ENTRIES: usize = 16;
const ENTRY_BYTES: usize = 12;
const _: () = assert!(HEAD_BYTES + ENTRIES * ENTRY_BYTES == LEDGER_BYTES);

/// Represents one user.
pub(super) type Tag = [u8; 8];

/// A decoded bucket.
#[derive(Default)]
pub(super) struct Shares {
    /// Before this time the bucket grants nothing.
    closed: u64,
    entries: [Entry; ENTRIES],
}

/// The uses of one user.
#[derive(Clone, Copy, Default)]
struct Entry {
    tag: Tag,
    uses: u16,
    /// When the count starts again.
    until: u64,
}

impl Shares {
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
        for Entry { tag, uses, until } in self.entries {
            bytes.extend_from_slice(&tag);
            bytes.extend_from_slice(&uses.to_be_bytes());
            bytes.extend_from_slice(&span(now, until).to_be_bytes());
        }
        bytes
    }

    /// Counts one more use, if the user's limit permits it.
    pub(super) fn grant(&mut self, tag: Tag, now: u64) -> Verdict {
        if now < self.closed {
            return Err(Limited::new(Limit::Unreadable, now, self.closed));
        }
        if let Some(entry) = self.entry_of(tag, now) {
            if entry.uses >= SHARE {
                return Err(Limited::new(Limit::Share, now, entry.until));
            }
            entry.uses = entry.uses.saturating_add(1);
            return Ok(Granted::New);
        }
        let oldest = self.entries.iter_mut().min_by_key(|entry| entry.until);
        let oldest = oldest.ok_or(Limited::new(Limit::NoRoom, 0, 1))?;
        if now < oldest.until {
            return Err(Limited::new(Limit::NoRoom, now, oldest.until));
        }
        *oldest = Entry { tag, uses: 1, until: now.saturating_add(SHARE_WINDOW.as_secs()) };
        Ok(Granted::New)
    }

    /// Removes a use that was counted and not granted in the end.
    pub(super) fn forget(&mut self, tag: Tag, now: u64) {
        if let Some(entry) = self.entry_of(tag, now) {
            entry.uses = entry.uses.saturating_sub(1);
        }
    }

    fn entry_of(&mut self, tag: Tag, now: u64) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.tag == tag && now < entry.until)
    }
}

impl Entry {
    fn decode(bytes: &[u8; ENTRY_BYTES], written: u64) -> Option<Self> {
        let (tag, numbers) = bytes.split_first_chunk()?;
        let &[a, b, c, d] = numbers.first_chunk()?;
        let until = written.saturating_add(u16::from_be_bytes([c, d]).into());
        Some(Self { tag: *tag, uses: u16::from_be_bytes([a, b]), until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_800_000_000;

    fn user(number: u8) -> Tag {
        [number; 8]
    }

    /// The bucket as another worker reads it.
    fn reread(shares: &Shares, now: u64) -> Shares {
        let bytes = shares.encode(now);
        assert_eq!(bytes.len(), LEDGER_BYTES);
        Shares::decode(&bytes, now).unwrap()
    }

    #[test]
    fn a_share_is_used_up_and_starts_again() {
        let mut shares = Shares::default();
        let window = SHARE_WINDOW.as_secs();
        for _ in 0..SHARE {
            shares = reread(&shares, NOON);
            shares.grant(user(1), NOON).unwrap();
        }
        let mut shares = reread(&shares, NOON + 2);
        let used_up = Err(Limited::new(Limit::Share, NOON + 2, NOON + window));
        assert_eq!(shares.grant(user(1), NOON + 2), used_up);
        shares.grant(user(2), NOON + 2).unwrap();
        shares.forget(user(1), NOON + 3);
        shares.grant(user(1), NOON + 3).unwrap();
        shares.grant(user(1), NOON + 3).unwrap_err();
        shares.grant(user(1), NOON + window).unwrap();
    }

    #[test]
    fn a_full_bucket_forgets_nobody() {
        let mut shares = Shares::default();
        for number in 0..16 {
            shares.grant(user(number + 1), NOON).unwrap();
        }
        assert_eq!(shares.grant(user(99), NOON).unwrap_err().limit, Limit::NoRoom);
        shares.grant(user(99), NOON + SHARE_WINDOW.as_secs()).unwrap();
    }

    #[test]
    fn a_closed_bucket_grants_nothing_until_then() {
        let mut shares = reread(&Shares::closed(NOON + 60), NOON);
        assert_eq!(shares.grant(user(1), NOON + 59).unwrap_err().limit, Limit::Unreadable);
        shares.grant(user(1), NOON + 60).unwrap();
    }
}
