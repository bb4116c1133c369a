//! A rule: its conditions, its policy and its terms.

use super::criterion::Criterion;
use super::decision::Policy;
use super::pattern::Pattern;
use super::reading::Reading;
use super::terms::Terms;
use super::view::{Person, View};

/// A rule. It matches if all of its conditions hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The name in audit lines.
    pub name: Option<String>,
    /// In the order of [`Criterion::ALL`], so that the user is compared last.
    pub conditions: Vec<Condition>,
    /// The treatment of requests that match.
    pub policy: Policy,
    /// The terms of the second factor, if the policy asks for it.
    pub terms: Terms,
}

/// A condition on one part of a request: it matches one of some patterns, and no exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The part of the request.
    pub criterion: Criterion,
    /// One of these has to match.
    pub wanted: Vec<Pattern>,
    /// The exceptions: none of these may match.
    pub unwanted: Vec<Pattern>,
}

/// The result of comparing a rule with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// All conditions hold.
    Match,
    /// This part of the request matches none of the rule's patterns.
    Mismatch(Criterion),
    /// This part of the request matches one of the rule's exceptions.
    Excepted(Criterion),
    /// The rule names this part, and the user is not known.
    NoUser(Criterion),
}

impl Rule {
    /// Compares the conditions in their order, up to the first one that does not hold.
    #[must_use]
    pub fn compare(&self, view: &View<'_>, person: Option<&Person<'_>>) -> Comparison {
        let reading = self.reading();
        for condition in &self.conditions {
            if condition.criterion.is_of_person() && person.is_none() {
                return Comparison::NoUser(condition.criterion);
            }
            if let Some(mismatch) = condition.mismatch(view, person, reading) {
                return mismatch;
            }
        }
        Comparison::Match
    }

    /// Whether the rule may match some request of this user at this host and address.
    pub(super) fn may_match(&self, place: &View<'_>, person: &Person<'_>) -> bool {
        let mut known = self.conditions.iter().filter(|it| !it.criterion.is_of_target());
        known.all(|condition| condition.mismatch(place, Some(person), self.reading()).is_none())
    }

    /// Whether the rule matches whatever the method and path are.
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

    /// Why the condition does not hold; `None` if it does.
    fn mismatch(
        &self,
        view: &View<'_>,
        person: Option<&Person<'_>>,
        reading: Reading,
    ) -> Option<Comparison> {
        let matches = |patterns: &[Pattern], reading| {
            patterns.iter().any(|pattern| pattern.matches(view, person, reading))
        };
        if !matches(&self.wanted, reading) {
            Some(Comparison::Mismatch(self.criterion))
        } else if matches(&self.unwanted, self.criterion.reading_of_exceptions(reading)) {
            Some(Comparison::Excepted(self.criterion))
        } else {
            None
        }
    }
}
