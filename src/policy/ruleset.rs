//! The rules in their order, and facts about all of them.

use super::criterion::Criterion;
use super::decision::Policy;
use super::pattern::Pattern;
use super::rule::Rule;
use std::ops::Deref;

/// The rules of one configuration. Facts about all rules that every request needs are computed
/// once, when the configuration is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSet {
    rules: Vec<Rule>,
    /// The parts of a request that some rule names, as [`bit`]s.
    named: u8,
    approves_single: bool,
    has_odd_pattern: bool,
}

impl From<Vec<Rule>> for RuleSet {
    fn from(rules: Vec<Rule>) -> Self {
        let conditions = rules.iter().flat_map(|rule| &rule.conditions);
        let named = conditions.fold(0, |named, it| named | bit(it.criterion));
        let approves_single = rules.iter().any(|rule| rule.terms.is_per_request);
        let has_odd_pattern = patterns_that_see(&rules).any(Pattern::is_odd);
        Self { rules, named, approves_single, has_odd_pattern }
    }
}

impl Deref for RuleSet {
    type Target = [Rule];

    fn deref(&self) -> &[Rule] {
        &self.rules
    }
}

impl RuleSet {
    /// Whether any rule names this part of a request.
    #[must_use]
    pub const fn mentions(&self, criterion: Criterion) -> bool {
        self.named & bit(criterion) != 0
    }

    /// Whether some rule requires an approval for each request.
    pub(super) const fn approve_single(&self) -> bool {
        self.approves_single
    }

    /// Whether some pattern of [`Self::patterns_that_see`] names a path that applications may take
    /// for another one.
    pub(super) const fn have_odd_pattern(&self) -> bool {
        self.has_odd_pattern
    }

    /// The patterns that match every spelling of the paths that they name. The other patterns are
    /// those of bypass rules, and match only the exact spelling.
    pub(super) fn patterns_that_see(&self) -> impl Iterator<Item = &Pattern> {
        patterns_that_see(&self.rules)
    }
}

fn patterns_that_see(rules: &[Rule]) -> impl Iterator<Item = &Pattern> {
    rules.iter().flat_map(|rule| {
        let lets_pass = rule.policy == Policy::Bypass;
        let of_paths = rule.conditions.iter().filter(|it| it.criterion == Criterion::Paths);
        of_paths.flat_map(move |it| if lets_pass { &it.unwanted } else { &it.wanted })
    })
}

const fn bit(criterion: Criterion) -> u8 {
    match criterion {
        Criterion::Methods => 1,
        Criterion::Paths => 2,
        Criterion::Hosts => 4,
        Criterion::Networks => 8,
        Criterion::Users => 16,
        Criterion::Groups => 32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_request_has_its_own_bit() {
        let bits = Criterion::ALL.map(bit);
        assert_eq!(bits.iter().sum::<u8>(), bits.iter().fold(0, |all, bit| all | bit));
        assert!(bits.iter().all(|bit| bit.count_ones() == 1), "{bits:?}");
    }
}
