//! Header values that were made from approvals before, so that each is made once.
//!
//! A bounded table. An entry counts only for the same approval, user and rule, for the settings that
//! made it, and for a span of time. Losing an entry costs making the value again.

use std::fmt;
use std::ops::Range;

use memchr::arch::all::is_equal;

use super::Approval;
use crate::clock::UnixTime;
use crate::http::HeaderValue;

const WAYS: usize = 2;
const SETS: usize = 512;

/// Up to 1,024 header values.
#[derive(Default)]
pub(super) struct Derived {
    sets: Vec<[Option<Box<Entry>>; WAYS]>,
}

/// The facts that a header value is made of.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Represents the settings that make the value.
    pub settings_tag: &'a [u8; 16],
    /// The approval.
    pub approval: &'a Approval,
    /// The approval's user.
    pub user: &'a str,
    /// The number of the rule for the request.
    pub rule: Option<usize>,
}

struct Entry {
    settings_tag: [u8; 16],
    approval: Approval,
    user: Box<str>,
    rule: Option<usize>,
    usable: Range<UnixTime>,
    value: HeaderValue,
}

impl Derived {
    /// The value that was made of these facts, if it may be used now.
    pub(super) fn find(&self, source: &Source<'_>, now: UnixTime) -> Option<&HeaderValue> {
        let set = self.sets.get(source.set())?;
        let mut entries = set.iter().flatten();
        let entry = entries.find(|entry| entry.is_of(source) && entry.usable.contains(&now))?;
        Some(&entry.value)
    }

    /// Stores a value. It replaces an earlier one of the same facts, or the oldest of a full set.
    pub(super) fn keep(
        &mut self,
        source: &Source<'_>,
        value: HeaderValue,
        usable: Range<UnixTime>,
    ) {
        if self.sets.is_empty() {
            self.sets.resize_with(SETS, Default::default);
        }
        let Source { settings_tag, approval, user, rule } = *source;
        let Some([first, second]) = self.sets.get_mut(source.set()) else {
            return;
        };
        if !first.as_ref().is_some_and(|entry| entry.is_of(source)) {
            *second = first.take();
        }
        let (settings_tag, approval, user) = (*settings_tag, *approval, user.into());
        *first = Some(Box::new(Entry { settings_tag, approval, user, rule, usable, value }));
    }
}

impl Source<'_> {
    /// The id of an approval is random, and no client can choose it.
    fn set(&self) -> usize {
        let [first, second, ..] = self.approval.id;
        let rule = self.rule.map_or(0, |rule| rule.wrapping_add(1));
        usize::from(u16::from_be_bytes([first, second])).wrapping_add(rule).wrapping_rem(SETS)
    }
}

impl Entry {
    fn is_of(&self, source: &Source<'_>) -> bool {
        let (own, other) = (&self.approval, source.approval);
        is_equal(&own.id, &other.id)
            && self.rule == source.rule
            && own.factor == other.factor
            && own.authenticated == other.authenticated
            && own.expires == other.expires
            && is_equal(&self.settings_tag, source.settings_tag)
            && is_equal(self.user.as_bytes(), source.user.as_bytes())
    }
}

/// Shows no values, since anyone who reads one can use it.
impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Derived").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::Factor;
    use crate::session::ApprovedBy;

    const TAG: [u8; 16] = [7; 16];

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(seconds)
    }

    fn approval(number: u16) -> Approval {
        let [first, second] = number.to_be_bytes();
        let mut id = [9; 16];
        (id[0], id[1]) = (first, second);
        Approval {
            factor: ApprovedBy::Factor(Factor::Push),
            issued: at(100),
            authenticated: at(90),
            seen: at(100),
            expires: at(900),
            id,
            key_is_first: true,
        }
    }

    fn value(text: &'static str) -> HeaderValue {
        HeaderValue::from_static(text)
    }

    #[test]
    fn a_value_is_found_for_the_same_facts_in_its_time() {
        let (mut table, approval) = (Derived::default(), approval(1));
        let source =
            Source { settings_tag: &TAG, approval: &approval, user: "alice", rule: Some(2) };
        assert_eq!(table.find(&source, at(100)), None);
        table.keep(&source, value("a"), at(100)..at(130));
        let found = |source: &Source<'_>, now| table.find(source, at(now)).is_some();
        assert_eq!(table.find(&source, at(129)), Some(&value("a")));
        assert!(found(&source, 100) && !found(&source, 99) && !found(&source, 130));
        let renewed = Approval { seen: at(120), key_is_first: false, ..approval };
        assert!(found(&Source { approval: &renewed, ..source }, 110), "a renewed cookie");

        let mut other_id = approval;
        other_id.id[15] ^= 1;
        let others = [
            other_id,
            Approval { factor: ApprovedBy::Factor(Factor::Phone), ..approval },
            Approval { authenticated: at(91), ..approval },
            Approval { expires: at(899), ..approval },
        ];
        for other in &others {
            assert!(!found(&Source { approval: other, ..source }, 110), "{other:?}");
        }
        assert!(!found(&Source { user: "bob", ..source }, 110));
        assert!(!found(&Source { rule: Some(1), ..source }, 110));
        assert!(!found(&Source { rule: None, ..source }, 110));
        assert!(!found(&Source { settings_tag: &[8; 16], ..source }, 110));
    }

    #[test]
    fn a_newer_value_replaces_the_older_one_and_no_other() {
        let (mut table, one, two) = (Derived::default(), approval(1), approval(513));
        let one = Source { settings_tag: &TAG, approval: &one, user: "alice", rule: None };
        let two = Source { approval: &two, ..one };
        assert_eq!(one.set(), two.set());
        for (source, text) in [(&one, "1"), (&two, "2"), (&two, "3")] {
            table.keep(source, value(text), at(0)..at(9));
        }
        assert_eq!(table.find(&one, at(1)), Some(&value("1")));
        assert_eq!(table.find(&two, at(1)), Some(&value("3")));
    }

    #[test]
    fn the_table_is_bounded() {
        let mut table = Derived::default();
        for number in 0..20_000 {
            let approval = approval(number);
            let source =
                Source { settings_tag: &TAG, approval: &approval, user: "alice", rule: None };
            table.keep(&source, value("x"), at(0)..at(9));
        }
        assert_eq!(table.sets.len(), SETS);
        assert_eq!(table.sets.iter().flatten().flatten().count(), SETS * WAYS);
        assert_eq!(format!("{table:?}"), "Derived { .. }");
    }
}
