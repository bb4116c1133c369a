//! Cookies that were verified before, so that the MAC of each cookie is computed once.
//!
//! A bounded table. An entry counts only for the exact bytes of its cookie, for its subject, and
//! for the keys and settings that verified it; its times are checked again at each use. Losing an
//! entry costs one verification.

use std::fmt;
use std::ops::Range;

use memchr::arch::all::is_equal;
use subtle::ConstantTimeEq;

use super::approval::{Approval, COOKIE_BYTES};
use super::derived::{Derived, Source};
use super::token::{Subject, Tag};
use crate::clock::UnixTime;
use crate::http::HeaderValue;

const WAYS: usize = 2;
const SETS: usize = 512;
/// The part of a cookie that selects its set: 8 characters of the MAC. So nobody without the key
/// can choose the set of an approval.
const MAC_CHARACTERS: usize = COOKIE_BYTES - 16;

type Cookie = [u8; COOKIE_BYTES];

/// Up to 1,024 verified cookies, about 350 bytes each, and as many header values that were made from
/// their approvals.
#[derive(Default)]
pub struct Verified {
    sets: Vec<[Option<Box<Entry>>; WAYS]>,
    derived: Derived,
}

struct Entry {
    /// The keys and settings under which it was verified.
    settings_tag: Tag,
    cookie: Cookie,
    source: Box<str>,
    user: Box<str>,
    bound: Box<[u8]>,
    approval: Approval,
}

impl Verified {
    /// The header value that was made of these facts, if it may be used now.
    #[must_use]
    pub fn derived(&self, source: &Source<'_>, now: UnixTime) -> Option<&HeaderValue> {
        self.derived.find(source, now)
    }

    /// Stores a header value that was made of these facts.
    pub fn keep(&mut self, source: &Source<'_>, value: HeaderValue, usable: Range<UnixTime>) {
        self.derived.keep(source, value, usable);
    }

    pub(super) fn find(
        &self,
        settings_tag: &Tag,
        value: &[u8],
        subject: &Subject<'_>,
    ) -> Option<&Approval> {
        let cookie = value.try_into().ok()?;
        let set = self.sets.get(set_of(cookie))?;
        set.iter()
            .flatten()
            .find(|entry| {
                is_equal(&entry.settings_tag, settings_tag) && entry.is_for(cookie, subject)
            })
            .map(|entry| &entry.approval)
    }

    /// Stores a cookie that was just verified. In a full set it replaces the oldest.
    pub(super) fn remember(
        &mut self,
        settings_tag: &Tag,
        value: &[u8],
        subject: &Subject<'_>,
        approval: Approval,
    ) {
        if self.sets.is_empty() {
            self.sets.resize_with(SETS, Default::default);
        }
        let Ok(cookie) = value.try_into() else {
            return;
        };
        if let Some([first, second]) = self.sets.get_mut(set_of(&cookie)) {
            *second = first.take();
            let (source, user) = (subject.source.into(), subject.user.into());
            let (settings_tag, bound) = (*settings_tag, subject.bound.into());
            *first = Some(Box::new(Entry { settings_tag, cookie, source, user, bound, approval }));
        }
    }
}

/// Shows no entries, since anyone who reads a cookie can use it.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").finish_non_exhaustive()
    }
}

impl Entry {
    fn is_for(&self, cookie: &Cookie, subject: &Subject<'_>) -> bool {
        is_same(&self.cookie, cookie)
            && is_equal(self.user.as_bytes(), subject.user.as_bytes())
            && is_equal(self.source.as_bytes(), subject.source.as_bytes())
            && is_equal(&self.bound, subject.bound)
    }
}

/// Compares by words; the last word overlaps the one before it. `subtle` on single bytes would cost
/// more than the rest of a hit.
fn is_same(a: &Cookie, b: &Cookie) -> bool {
    let differ = |a: &[u8; 8], b: &[u8; 8]| u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b);
    let (a_words, b_words) = (a.as_chunks().0, b.as_chunks().0);
    let words = a_words.iter().zip(b_words).fold(0, |sum, (a, b)| sum | differ(a, b));
    let last = a.last_chunk().zip(b.last_chunk()).map_or(u64::MAX, |(a, b)| differ(a, b));
    (words | last).ct_eq(&0).into()
}

fn set_of(cookie: &Cookie) -> usize {
    let characters = cookie.get(MAC_CHARACTERS..).and_then(<[u8]>::first_chunk::<8>);
    let word = u64::from_le_bytes(*characters.unwrap_or(&[0; 8]));
    // Fibonacci hashing: the product's top 16 bits depend on all characters.
    let [top, next, ..] = word.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    usize::from(u16::from_be_bytes([top, next])).wrapping_rem(SETS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::Factor;
    use crate::session::ApprovedBy;

    const ALICE: Subject<'_> = Subject { source: "header", user: "alice", bound: &[] };
    const REGIME: Tag = [7; 16];

    fn approval(number: u64) -> Approval {
        let time = UnixTime::from_seconds(number);
        Approval {
            factor: ApprovedBy::Factor(Factor::Push),
            issued: time,
            authenticated: time,
            seen: time,
            expires: time,
            id: [0; 16],
            key_is_first: true,
        }
    }

    /// A cookie whose 8 characters at [`MAC_CHARACTERS`] are `mac`.
    fn cookie(mac: u64) -> Cookie {
        let mut cookie = [b'A'; COOKIE_BYTES];
        cookie[MAC_CHARACTERS..MAC_CHARACTERS + 8].copy_from_slice(&mac.to_le_bytes());
        cookie
    }

    fn found(table: &Verified, cookie: &[u8]) -> Option<Approval> {
        table.find(&REGIME, cookie, &ALICE).copied()
    }

    #[test]
    fn only_the_exact_bytes_are_found() {
        let mut table = Verified::default();
        let genuine = cookie(0x1234_5678);
        assert_eq!(found(&table, &genuine), None);
        table.remember(&REGIME, &genuine, &ALICE, approval(1));
        assert_eq!(found(&table, &genuine), Some(approval(1)));
        for position in 0..COOKIE_BYTES {
            for bit in 0..8 {
                let mut other = genuine;
                other[position] ^= 1 << bit;
                assert_eq!(found(&table, &other), None, "bit {bit} at {position}");
                assert!(!is_same(&genuine, &other));
            }
        }
        assert_eq!(found(&table, &genuine[1..]), None);
        assert_eq!(found(&table, b""), None);
    }

    #[test]
    fn equal_differences_at_two_places_do_not_cancel() {
        let genuine = cookie(0x1234_5678);
        for first in 0..COOKIE_BYTES {
            for second in 0..first {
                let mut other = genuine;
                other[first] ^= 1;
                other[second] ^= 1;
                assert!(!is_same(&genuine, &other), "{first} and {second}");
            }
        }
    }

    #[test]
    fn only_the_same_subject_and_regime_find_it() {
        let mut table = Verified::default();
        let genuine = cookie(1);
        table.remember(&REGIME, &genuine, &ALICE, approval(1));
        let bob = Subject { user: "bob", ..ALICE };
        let same_name = Subject { source: "jwt", ..ALICE };
        let moved = Subject { source: "headera", user: "lice", ..ALICE };
        let bound = Subject { bound: b"there", ..ALICE };
        for subject in [bob, same_name, moved, bound] {
            assert_eq!(table.find(&REGIME, &genuine, &subject), None, "{subject:?}");
        }
        assert_eq!(table.find(&[8; 16], &genuine, &ALICE), None);

        table.remember(&[8; 16], &cookie(2), &ALICE, approval(2));
        assert_eq!(table.find(&[8; 16], &genuine, &ALICE), None);
        assert_eq!(found(&table, &cookie(2)), None);
        assert_eq!(found(&table, &genuine), Some(approval(1)), "one regime beside the other");
    }

    #[test]
    fn no_cookie_is_in_the_debug_text() {
        let mut table = Verified::default();
        table.remember(&REGIME, &cookie(1), &ALICE, approval(1));
        assert_eq!(format!("{table:?}"), "Verified { .. }");
    }

    #[test]
    fn a_full_set_loses_its_oldest_cookie() {
        let set = set_of(&cookie(0));
        let alike: Vec<Cookie> = (0..).map(cookie).filter(|c| set_of(c) == set).take(3).collect();
        let mut table = Verified::default();
        for (number, cookie) in (1..).zip(&alike) {
            table.remember(&REGIME, cookie, &ALICE, approval(number));
        }
        let left: Vec<_> = alike.iter().map(|cookie| found(&table, cookie)).collect();
        assert_eq!(left, [None, Some(approval(2)), Some(approval(3))]);
    }

    #[test]
    fn the_table_is_bounded_and_well_filled() {
        let mut table = Verified::default();
        for number in 0..20_000 {
            table.remember(&REGIME, &cookie(number), &ALICE, approval(number));
        }
        assert_eq!(table.sets.len(), SETS);
        let entries = table.sets.iter().flatten().flatten().count();
        assert!((1000..=SETS * WAYS).contains(&entries), "{entries}");
        assert_eq!(found(&table, &cookie(19_999)), Some(approval(19_999)));
    }
}
