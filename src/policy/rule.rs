//! A rule: what it takes to match, and what then is done.

use super::criterion::Criterion;
use super::decision::Policy;
use super::pattern::{Pattern, Reading};
use super::terms::Terms;
use super::view::{Person, View};

/// One rule. It matches where all of its conditions hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// In the order of [`Criterion::ALL`], so that who asks is looked at last.
    pub conditions: Vec<Condition>,
    /// What is done with a request that matches.
    pub policy: Policy,
    /// What is wanted of the second factor, where it is asked for.
    pub terms: Terms,
}

/// What one part of a request has to be: one of some patterns, and none of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The part of the request.
    pub criterion: Criterion,
    /// One of these matches.
    pub wanted: Vec<Pattern>,
    /// None of these does.
    pub unwanted: Vec<Pattern>,
}

impl Rule {
    /// Whether all conditions hold; absent where that depends on who asks, which nobody has said.
    pub(super) fn is_met(&self, view: &View<'_>, person: Option<&Person<'_>>) -> Option<bool> {
        let reading = self.reading();
        for condition in &self.conditions {
            if condition.criterion.is_of_person() && person.is_none() {
                return None;
            }
            if !condition.holds(view, person, reading) {
                return Some(false);
            }
        }
        Some(true)
    }

    /// Whether it may match a request of this person at this place, whatever is asked for.
    pub(super) fn may_match(&self, place: &View<'_>, person: &Person<'_>) -> bool {
        let mut known = self.conditions.iter().filter(|it| !it.criterion.is_of_target());
        known.all(|condition| condition.holds(place, Some(person), self.reading()))
    }

    /// Whether what is asked for makes no difference to it.
    pub(super) fn is_for_every_target(&self) -> bool {
        let mut of_target = self.conditions.iter().filter(|it| it.criterion.is_of_target());
        of_target.all(Condition::is_of_all_paths)
    }

    const fn reading(&self) -> Reading {
        match self.policy {
            Policy::Bypass => Reading::AsWritten,
            Policy::TwoFactor | Policy::Deny => Reading::AnySpelling,
        }
    }
}

impl Condition {
    fn is_of_all_paths(&self) -> bool {
        self.unwanted.is_empty() && self.wanted.iter().any(Pattern::is_of_all_paths)
    }

    /// An exception is read the other way round than the rule: what it takes from a bypass is
    /// taken in every spelling.
    fn holds(&self, view: &View<'_>, person: Option<&Person<'_>>, reading: Reading) -> bool {
        let matches = |patterns: &[Pattern], reading| {
            patterns.iter().any(|pattern| pattern.matches(view, person, reading))
        };
        matches(&self.wanted, reading) && !matches(&self.unwanted, reading.opposite())
    }
}
