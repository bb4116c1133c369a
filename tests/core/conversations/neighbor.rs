//! Another plugin that writes the filter's table, and the promises that break because of it.
//!
//! It can never cause an admission. Some other promises break, as DESIGN.md says:
//!
//! - Bytes that the filter did not write under this name (junk, or a value of another name) close the
//!   bucket. No phone rings twice at a time, and no approval is used twice. When the bucket reopens, its
//!   counts and the end of the last prompt are lost.
//! - An older value of the same name, or a deleted one, counts as the newest. Each prompt is counted by its
//!   user and by its device. If only one of the two counts is replaced, the prompts of a user on one device
//!   are still limited. If both are, the limits start over. A single-use approval may be used again.

use crate::chance::Chance;
use std::collections::BTreeMap;

type Table = BTreeMap<String, Vec<u8>>;

/// How a neighbor behaves in one conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    /// No neighbor.
    Absent,
    /// It writes junk, and values of other names.
    Forges,
    /// It restores older values or deletes values: of one bucket of users, and of any bucket of uses.
    Restores,
    /// It does both in every bucket.
    Vandalizes,
}

/// The users whose prompts and passcodes are counted as without a neighbor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// Every user and every device.
    All,
    /// Every pair of a Duo user and a device.
    Pairs,
    /// No user.
    None,
}

#[derive(Debug)]
pub(super) struct Neighbor {
    habit: Habit,
    /// Values that were in the table once.
    old: Vec<(String, Vec<u8>)>,
    /// The one bucket of users that it restores.
    target: Option<String>,
    has_forged: bool,
    has_restored_users: bool,
    has_restored_uses: bool,
}

impl Neighbor {
    pub(super) fn new(chance: &mut Chance) -> Self {
        let habits = [Habit::Absent, Habit::Forges, Habit::Restores, Habit::Vandalizes];
        Self {
            habit: habits[chance.weighed(&[5, 2, 2, 1])],
            old: Vec::new(),
            target: None,
            has_forged: false,
            has_restored_users: false,
            has_restored_uses: false,
        }
    }

    /// The users whose phone never rings twice at a time.
    pub(super) const fn counts_prompts(&self) -> Counted {
        match (self.has_restored_users, self.habit) {
            (false, _) => Counted::All,
            (true, Habit::Vandalizes) => Counted::None,
            (true, _) => Counted::Pairs,
        }
    }

    /// The users whose answers, prompts and passcodes are remembered.
    pub(super) const fn remembers(&self) -> Counted {
        if self.has_forged { Counted::None } else { self.counts_prompts() }
    }

    /// Whether each use of an approval is still in the table.
    pub(super) const fn knows_uses(&self) -> bool {
        !self.has_restored_uses
    }

    /// Remembers a value, to restore it later.
    pub(super) fn look(&mut self, table: &Table, chance: &mut Chance) {
        if self.habit == Habit::Absent || table.is_empty() {
            return;
        }
        let name = name_of(table, chance);
        let value = table[&name].clone();
        if self.old.len() < 32 {
            self.old.push((name, value));
        } else {
            let place = chance.below(self.old.len());
            self.old[place] = (name, value);
        }
    }

    /// Writes the table. `false` if there is nothing to write.
    pub(super) fn write(&mut self, table: &mut Table, chance: &mut Chance) -> bool {
        if self.habit == Habit::Absent || table.is_empty() {
            return false;
        }
        let name = name_of(table, chance);
        let forges = match self.habit {
            Habit::Forges => true,
            Habit::Vandalizes => chance.one_in(2),
            Habit::Absent | Habit::Restores => false,
        };
        if forges {
            self.forge(table, &name, chance)
        } else {
            self.restore(table, name, chance)
        }
        true
    }

    fn forge(&mut self, table: &mut Table, name: &str, chance: &mut Chance) {
        self.has_forged = true;
        let value = match chance.below(4) {
            0 => Vec::new(),
            1 => b"junk".to_vec(),
            2 => {
                let mut value = table[name].clone();
                let place = chance.below(value.len().max(1));
                if let Some(byte) = value.get_mut(place) {
                    *byte ^= 1;
                }
                value
            }
            _ => {
                let other = name_of(table, chance);
                if other == name { Vec::new() } else { table[&other].clone() }
            }
        };
        table.insert(name.to_owned(), value);
    }

    fn restore(&mut self, table: &mut Table, name: String, chance: &mut Chance) {
        let mut name = name;
        if is_of_users(&name) {
            if self.habit == Habit::Restores {
                name = self.target.get_or_insert(name).clone();
            }
            self.has_restored_users = true;
        } else {
            self.has_restored_uses = true;
        }
        let old: Vec<_> = self.old.iter().filter(|(of, _)| *of == name).collect();
        if old.is_empty() || chance.one_in(3) {
            table.remove(&name);
        } else {
            table.insert(name, chance.of(&old).1.clone());
        }
    }
}

/// The name of a random value. The table must not be empty.
fn name_of(table: &Table, chance: &mut Chance) -> String {
    table.keys().nth(chance.below(table.len())).unwrap().clone()
}

/// Whether a bucket is one of users. The others hold single uses. A name ends in the four digits of the
/// bucket's number.
fn is_of_users(name: &str) -> bool {
    name.as_bytes()[name.len() - 4] == b'0'
}
