//! The first bytes of every bucket of the table.
//!
//! ```text
//! bucket = head | entries
//! head   = version u8 | written u32 | closed u16 | 0
//! ```
//!
//! All numbers are big-endian. `written` is in seconds since 1970, `closed` in seconds after
//! `written`.

/// The version of the layout. Each version has different names in shared data.
pub(super) const VERSION: u8 = 3;
pub(super) const HEAD_BYTES: usize = 8;
/// Bytes of a bucket of single uses.
pub(super) const LEDGER_BYTES: usize = 200;
/// Bytes of a bucket of approvals per client.
pub(super) const CLIENTS_BYTES: usize = 504;

/// A bucket of users that was never used.
pub const EMPTY: [u8; HEAD_BYTES] = unused();
/// A bucket of single uses that was never used.
pub const EMPTY_LEDGER: [u8; LEDGER_BYTES] = unused();

const fn unused<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    if let Some(first) = bytes.first_mut() {
        *first = VERSION;
    }
    bytes
}

/// A bucket from further in the future than this, in seconds, was not written by this filter.
const CLOCK_TOLERANCE: u64 = 60;

/// When a bucket was written, and before which time it grants nothing: seconds since 1970.
pub(super) struct Head {
    pub(super) written: u64,
    pub(super) closed: u64,
}

impl Head {
    /// Reads the head of a bucket. Also returns the bytes of the entries after it. `None` for any other
    /// bytes.
    fn read(bytes: &[u8], now: u64) -> Option<(Self, &[u8])> {
        let (&[VERSION, a, b, c, d, e, f, 0], entries) = bytes.split_first_chunk()? else {
            return None;
        };
        let written = u64::from(u32::from_be_bytes([a, b, c, d]));
        if written > now.saturating_add(CLOCK_TOLERANCE) {
            return None;
        }
        let closed = written.saturating_add(u16::from_be_bytes([e, f]).into());
        Some((Self { written, closed }, entries))
    }

    /// The first bytes of a bucket of `size` bytes.
    pub(super) fn first_bytes(&self, size: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(size);
        bytes.push(VERSION);
        bytes.extend_from_slice(&u32::try_from(self.written).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(&span(self.written, self.closed).to_be_bytes());
        bytes.push(0);
        bytes
    }
}

/// Reads a bucket: the time before which it grants nothing, and its entries. `decode` gets the
/// bytes of one entry and the time when the bucket was written. `None` for bytes that cannot be a
/// bucket of these entries.
pub(super) fn read<E: Default, const BYTES: usize, const ENTRIES: usize>(
    bytes: &[u8],
    now: u64,
    decode: impl Fn(&[u8; BYTES], u64) -> Option<E>,
) -> Option<(u64, [E; ENTRIES])> {
    let (Head { written, closed }, rest) = Head::read(bytes, now)?;
    if rest.len() != BYTES.saturating_mul(ENTRIES) {
        return None;
    }
    let mut entries = std::array::from_fn(|_| E::default());
    for (entry, bytes) in entries.iter_mut().zip(rest.as_chunks().0) {
        *entry = decode(bytes, written)?;
    }
    Some((closed, entries))
}

/// Like [`read`], for a bucket with up to `most` entries.
pub(super) fn read_all<E, const BYTES: usize>(
    bytes: &[u8],
    (now, most): (u64, usize),
    decode: impl Fn(&[u8; BYTES], u64) -> Option<E>,
) -> Option<(u64, Vec<E>)> {
    let (Head { written, closed }, rest) = Head::read(bytes, now)?;
    let (entries, []) = rest.as_chunks() else { return None };
    if entries.len() > most {
        return None;
    }
    let entries = entries.iter().map(|entry| decode(entry, written)).collect::<Option<_>>()?;
    Some((closed, entries))
}

/// The seconds between two moments; 0 if they are in the wrong order.
pub(super) fn span(from: u64, until: u64) -> u16 {
    u16::try_from(until.saturating_sub(from)).unwrap_or(u16::MAX)
}
