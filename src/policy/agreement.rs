//! Whether all readers of a request agree about what rules say of it.

use super::pattern::Pattern;
use super::{Criterion, Policies, Policy, Unclear, view};
use crate::http::RequestHead;
use crate::http::likeness::Likeness;

impl Policies {
    /// Whether a path, or a pattern of paths, is one that readers may take for another.
    pub(super) fn may_be_disputed(&self, path: &view::Path<'_>) -> bool {
        path.canonical.is_odd() || self.patterns_that_see().any(Pattern::is_odd)
    }

    /// Some reader may take a path for another one than its bytes say. Where that would change
    /// which rule matches, no rule can be trusted to.
    pub(super) fn check_agreement(&self, path: &view::Path<'_>) -> Result<(), Unclear> {
        let likeness = Likeness::of(path.canonical.decoded()).map_err(|_| Unclear::Path)?;
        let mut patterns = self.patterns_that_see();
        if patterns.any(|pattern| pattern.is_disputed(path, &likeness)) {
            Err(Unclear::Path)
        } else {
            Ok(())
        }
    }

    /// The patterns that are to match every spelling of what they name. The others let pass, and
    /// match only what is written exactly so.
    fn patterns_that_see(&self) -> impl Iterator<Item = &Pattern> {
        self.rules.iter().flat_map(|rule| {
            let lets_pass = rule.policy == Policy::Bypass;
            let of_paths = rule.conditions.iter().filter(|it| it.criterion == Criterion::Paths);
            of_paths.flat_map(move |it| if lets_pass { &it.unwanted } else { &it.wanted })
        })
    }

    /// A header may name another path or method than rules look at, or than is approved.
    pub(super) fn check_overrides(&self, head: &RequestHead<'_>) -> Result<(), Unclear> {
        let approves_single = || self.rules.iter().any(|rule| rule.terms.is_for_one_request);
        if head.overrides.path && (self.name(Criterion::Paths) || approves_single()) {
            return Err(Unclear::PathOverride);
        }
        if head.overrides.method && (self.name(Criterion::Methods) || approves_single()) {
            return Err(Unclear::MethodOverride);
        }
        Ok(())
    }
}
