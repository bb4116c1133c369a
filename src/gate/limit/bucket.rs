//! One bucket of the table: up to 32 users, in bytes.
//!
//! ```text
//! bucket = head | 0 to 32 entries
//! entry  = tag [16] | owner [8] | pending u16 | cool-down u16 | denials u16 | looked u16
//!   | 9 starts u16 | left u8 | request [16] | prompted
//! ```
//!
//! All numbers are big-endian, times are in seconds. Starts and `looked` are counted back from the
//! head's `written` (0xffff: none). `pending` and `cool-down` are counted forward from it; since
//! they may also lie before it, 0x8000 is added to both.

use super::head::{HEAD_BYTES, Head, read_all, span};
use super::permit::{Permit, PromptPermit, What};
use super::prompted::{PROMPTED_BYTES, Prompted};
use super::settlement::End;
use super::verdict::{Granted, Limit, Limited, Unheard, Verdict};
use crate::config::Limits;
use crate::session::PENDING_LIFETIME;
use std::time::Duration;

/// The most entries of a bucket. [`super::places`] has the calculation.
pub(super) const ENTRIES: usize = 32;
pub(super) const ENTRY_BYTES: usize = 180;
const STARTS: usize = Limits::MAX_PUSHES;
const NO_TIME: u16 = u16::MAX;
const BIAS: u64 = 0x8000;
const _: () = assert!(16 + 8 + 2 * (4 + STARTS) + 1 + 16 + PROMPTED_BYTES == ENTRY_BYTES);

/// The cool-down after a prompt that nobody answered, in seconds.
const TIMEOUT_COOLDOWN: u64 = 15;
/// The shortest cool-down after a report of fraud, in seconds.
const FRAUD_COOLDOWN: u64 = 30 * 60;
/// As long as a sign-in may take, in seconds, so that repeating the sign-in gives no further tries.
const PASSCODE_WINDOW: u64 = PENDING_LIFETIME.as_secs();
const _: () = assert!(Limits::MAX_PASSCODE_TRIES <= STARTS && Limits::MAX_STARTS <= STARTS);
/// The seconds between two questions to Duo about one prompt.
const LOOK_PACE: u64 = 3;
/// How many seconds after its time a prompt can still be looked up. Only then another user may get
/// its entry.
const UNHEARD_KEPT: u64 = PENDING_LIFETIME.as_secs();
/// The owner in an entry whose prompt has ended.
const NOBODY: [u8; 8] = [0; 8];
/// The tag of an entry that was cleared. It is not written.
const NO_TAG: [u8; 16] = [0; 16];

/// A decoded bucket.
#[derive(Default)]
pub(super) struct Bucket {
    /// Before this time the bucket grants nothing.
    closed: u64,
    entries: Vec<Entry>,
}

impl Bucket {
    /// A bucket without users that grants nothing before a time.
    pub(super) fn closed(until: u64) -> Self {
        Self { closed: until, ..Self::default() }
    }

    /// Reads the bytes of [`Self::encode`]; `None` for any others.
    pub(super) fn decode(bytes: &[u8], now: u64) -> Option<Self> {
        let (closed, entries) = read_all(bytes, (now, ENTRIES), Entry::decode)?;
        Some(Self { closed, entries })
    }

    pub(super) fn encode(&self, now: u64) -> Vec<u8> {
        let size = self.entries.len().saturating_mul(ENTRY_BYTES).saturating_add(HEAD_BYTES);
        let mut bytes = Head { written: now, closed: self.closed }.first_bytes(size);
        for entry in self.entries.iter().filter(|entry| entry.tag != NO_TAG) {
            entry.encode(now, &mut bytes);
        }
        bytes
    }

    /// Records a prompt or a passcode if no limit forbids it.
    pub(super) fn grant(&mut self, permit: &Permit, limits: &Limits, now: u64) -> Verdict {
        if now < self.closed {
            return Err(Limited::new(Limit::Unreadable, now, self.closed));
        }
        let place = match self.entries.iter().position(|entry| entry.tag == permit.tag) {
            Some(place) => place,
            None => self.make_room(&Memory::of(limits), now)?,
        };
        match self.entries.get_mut(place) {
            Some(entry) if entry.tag == permit.tag => entry.grant(permit, limits, now),
            Some(entry) => {
                *entry = Entry { tag: permit.tag, ..Entry::default() };
                entry.grant(permit, limits, now)
            }
            None => {
                let mut entry = Entry { tag: permit.tag, ..Entry::default() };
                let verdict = entry.grant(permit, limits, now);
                self.entries.push(entry);
                verdict
            }
        }
    }

    /// The place for a new user: after the last entry, or that of the entry that has been useless for
    /// longest.
    ///
    /// Entries that limit nobody under any configuration are removed, so that the bucket stays small.
    fn make_room(&mut self, memory: &Memory, now: u64) -> Result<usize, Limited> {
        self.entries.retain(|entry| now < entry.expires(&Memory::LONGEST));
        if self.entries.len() < ENTRIES {
            return Ok(self.entries.len());
        }
        let expiries = self.entries.iter().map(|entry| entry.expires(memory)).enumerate();
        match expiries.min_by_key(|(_, expires)| *expires) {
            Some((place, expires)) if expires <= now => Ok(place),
            Some((_, expires)) => Err(Limited::new(Limit::NoRoom, now, expires)),
            None => Err(Limited::new(Limit::NoRoom, 0, 1)),
        }
    }

    /// The entry of a prompt whose end is not known yet.
    pub(super) fn entry_of(&mut self, permit: &Permit) -> Option<&mut Entry> {
        let is_its = |entry: &&mut Entry| {
            entry.tag == permit.tag
                && match permit.what {
                    What::Prompt(PromptPermit { owner, .. }) => entry.owner == owner,
                    What::Passcode | What::Start => true,
                    What::SingleUse { .. } | What::Share | What::Client(_) => false,
                }
        };
        self.entries.iter_mut().find(is_its)
    }
}

/// How long a configuration has to remember a user, in seconds.
struct Memory {
    /// For how long a prompt or a passcode counts.
    window: u64,
    /// The longest cool-down.
    cool_down: u64,
}

impl Memory {
    /// That of the configuration that has to remember for longest.
    const LONGEST: Self =
        Self { window: Limits::MAX_TIME.as_secs(), cool_down: Limits::MAX_TIME.as_secs() };

    fn of(limits: &Limits) -> Self {
        let cool_down = limits.deny_cooldown.iter().max().map_or(0, Duration::as_secs);
        Self { window: limits.window.as_secs().max(PASSCODE_WINDOW), cool_down }
    }
}

/// The record of one user.
#[derive(Default)]
pub(super) struct Entry {
    tag: [u8; 16],
    /// The prompt whose end is not known; [`NOBODY`] if there is none.
    owner: [u8; 8],
    /// When that prompt ends, whatever Duo reports.
    pending: u64,
    cool_down: u64,
    /// Consecutive denials.
    denials: u16,
    /// When Duo was last asked how that prompt ended; 0 for never.
    looked: u64,
    /// The times of prompts without an approval, or of incorrect passcodes; 0 for none.
    starts: [u64; STARTS],
    /// Whether the client that waited for that prompt has left.
    has_left: bool,
    /// The request that waited for that prompt; zeros if no other may take it over.
    request: [u8; 16],
    /// That prompt, after Duo has named its transaction.
    prompted: Option<Prompted>,
}

impl Entry {
    fn decode(bytes: &[u8; ENTRY_BYTES], written: u64) -> Option<Self> {
        let (tag, rest) = bytes.split_first_chunk()?;
        let (owner, rest) = rest.split_first_chunk()?;
        let (spans, rest) = rest.split_first_chunk::<{ 2 * (4 + STARTS) }>()?;
        let (&[left], rest) = rest.split_first_chunk()?;
        let (request, rest) = rest.split_first_chunk()?;
        let mut spans = spans.as_chunks().0.iter().map(|span| u16::from_be_bytes(*span));
        let mut end = || Some(written.saturating_add(spans.next()?.into()).saturating_sub(BIAS));
        let (pending, cool_down) = (end()?, end()?);
        let denials = spans.next()?;
        let past = |age: u16| if age == NO_TIME { 0 } else { written.saturating_sub(age.into()) };
        let looked = past(spans.next()?);
        let mut starts = [0; STARTS];
        for (start, age) in starts.iter_mut().zip(spans) {
            *start = past(age);
        }
        Some(Self {
            tag: *tag,
            owner: *owner,
            pending,
            cool_down,
            denials,
            looked,
            starts,
            has_left: match left {
                0 => false,
                1 => true,
                _ => return None,
            },
            request: *request,
            prompted: Prompted::decode(rest.first_chunk()?).ok()?,
        })
    }

    fn encode(&self, now: u64, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.tag);
        bytes.extend_from_slice(&self.owner);
        let mut write = |span: u16| bytes.extend_from_slice(&span.to_be_bytes());
        write(span(now, self.pending.saturating_add(BIAS)));
        write(span(now, self.cool_down.saturating_add(BIAS)));
        write(self.denials);
        // A larger age is written as "no start", since no window is that long.
        write(span(self.looked, now));
        for start in self.starts {
            write(span(start, now));
        }
        bytes.push(self.has_left.into());
        bytes.extend_from_slice(&self.request);
        Prompted::encode(self.prompted.as_ref(), bytes);
    }

    fn grant(&mut self, permit: &Permit, limits: &Limits, now: u64) -> Verdict {
        match permit.what {
            What::Prompt(prompt) => self.prompt(&prompt, limits, now),
            What::Passcode => {
                self.start(limits.passcode_tries, PASSCODE_WINDOW, now, Limit::Passcodes)
            }
            What::Start => self.start(limits.starts, limits.window.as_secs(), now, Limit::Budget),
            // It has separate buckets.
            What::SingleUse { .. } | What::Share | What::Client(_) => {
                Err(Limited::new(Limit::NoRoom, 0, 1))
            }
        }
    }

    fn prompt(&mut self, permit: &PromptPermit, limits: &Limits, now: u64) -> Verdict {
        if self.owner != NOBODY {
            if let Some(verdict) = self.unheard(permit, now) {
                return verdict;
            }
            self.forget_prompt();
        }
        if now < self.cool_down {
            return Err(Limited::new(Limit::CoolDown, now, self.cool_down));
        }
        self.start(limits.pushes, limits.window.as_secs(), now, Limit::Budget)?;
        if self.denials_expire(&Memory::of(limits)) <= now {
            self.denials = 0;
        }
        self.owner = permit.owner;
        self.pending = now.saturating_add(permit.lasts.as_secs());
        self.request = permit.request;
        Ok(Granted::New)
    }

    /// The verdict while the end of the last prompt is not known. `None` after it can no longer be
    /// found out: the prompt then counts as one that nobody answered, and its cool-down has passed
    /// too.
    fn unheard(&mut self, permit: &PromptPermit, now: u64) -> Option<Verdict> {
        let Some(prompted) = self.prompted else {
            let cool_down = self.pending.saturating_add(TIMEOUT_COOLDOWN);
            return if now < self.pending {
                Some(Err(Limited::new(Limit::Pending, now, self.pending)))
            } else if now < cool_down {
                Some(Err(Limited::new(Limit::CoolDown, now, cool_down)))
            } else {
                None
            };
        };
        let is_same = permit.request != [0; 16] && permit.request == self.request;
        let unheard = Unheard {
            prompted,
            owner: self.owner,
            is_same,
            pending: self.pending,
            cool_down: self.pending.saturating_add(TIMEOUT_COOLDOWN),
            kept: self.pending.saturating_add(UNHEARD_KEPT),
        };
        if is_same && self.has_left && now < self.pending {
            self.has_left = false;
            return Some(Ok(Granted::TakeUp(Box::new(unheard))));
        }
        let next_look = self.looked.saturating_add(LOOK_PACE);
        let until = self.pending.max(next_look).max(now.saturating_add(1));
        let mut limited = Limited::new(Limit::Pending, now, until);
        if next_look <= now {
            self.looked = now;
            limited.unheard = Some(Box::new(unheard));
        }
        Some(Err(limited))
    }

    fn forget_prompt(&mut self) {
        (self.owner, self.pending, self.looked) = (NOBODY, 0, 0);
        (self.has_left, self.request, self.prompted) = (false, [0; 16], None);
    }

    /// Counts one more, if the window has room for it.
    fn start(&mut self, most: usize, window: u64, now: u64, limit: Limit) -> Verdict {
        let mut counted = 0_usize;
        let mut oldest = u64::MAX;
        for start in self.starts {
            let leaves = leaves(start, window);
            if now < leaves {
                counted = counted.saturating_add(1);
                oldest = oldest.min(leaves);
            }
        }
        if counted >= most {
            return Err(Limited::new(limit, now, oldest));
        }
        if let Some(oldest) = self.starts.iter_mut().min() {
            *oldest = now;
        }
        Ok(Granted::New)
    }

    /// Records how the prompt or the passcode ended.
    pub(super) fn end(&mut self, end: End, limits: &Limits, now: u64) {
        let unfound = self.pending.saturating_add(TIMEOUT_COOLDOWN).max(self.cool_down);
        let cool_down = match end {
            End::Started(prompted) => {
                self.prompted = Some(prompted);
                return;
            }
            End::Left => {
                self.has_left = true;
                return;
            }
            // The prompt may be on the phone.
            End::Lost => return,
            End::Denied => now.saturating_add(self.denied(limits)),
            End::Fraud => now.saturating_add(self.denied(limits).max(FRAUD_COOLDOWN)),
            End::TimedOut => now.saturating_add(TIMEOUT_COOLDOWN),
            End::Unfound => unfound,
            End::Allowed => {
                *self = Self::default();
                return;
            }
            End::Unsent => {
                if let Some(last) = self.starts.iter_mut().max() {
                    *last = 0;
                }
                self.cool_down
            }
            End::Sent => self.cool_down,
        };
        self.forget_prompt();
        self.cool_down = cool_down;
    }

    /// Counts a denial and returns its cool-down in seconds.
    fn denied(&mut self, limits: &Limits) -> u64 {
        self.denials = self.denials.saturating_add(1);
        let mut waits = limits.deny_cooldown.iter().take(self.denials.into());
        waits.next_back().map_or(0, Duration::as_secs)
    }

    /// From when on the entry no longer limits its user.
    fn expires(&self, memory: &Memory) -> u64 {
        let last = self.starts.iter().max().map_or(0, |last| leaves(*last, memory.window));
        let unheard =
            if self.owner == NOBODY { 0 } else { self.pending.saturating_add(UNHEARD_KEPT) };
        unheard.max(self.cool_down).max(self.denials_expire(memory)).max(last)
    }

    /// When denials are forgotten. A denial makes the next one worse until its cool-down, and the
    /// longest cool-down after that, have passed.
    fn denials_expire(&self, memory: &Memory) -> u64 {
        if self.denials == 0 { 0 } else { self.cool_down.saturating_add(memory.cool_down) }
    }
}

/// When a start leaves the window. One second is added, since the start may be up to a second later
/// than recorded.
const fn leaves(start: u64, window: u64) -> u64 {
    start.saturating_add(window).saturating_add(1)
}
