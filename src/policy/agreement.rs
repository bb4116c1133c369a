//! Whether all readers of a request agree about what rules say of it.

use super::criterion::Criterion;
use super::view::Unclear;
use super::{Policies, view};
use crate::http::RequestHead;
use crate::http::likeness::Likeness;

impl Policies {
    /// Whether a path, or a pattern of paths, is one that readers may take for another.
    pub(super) fn may_be_disputed(&self, path: &view::Path<'_>) -> bool {
        path.canonical.is_odd() || self.rules.have_odd_pattern()
    }

    /// Some reader may take a path for another one than its bytes say. Where that would change
    /// which rule matches, no rule can be trusted to.
    pub(super) fn check_agreement(&self, path: &view::Path<'_>) -> Result<(), Unclear> {
        let likeness = Likeness::of(path.canonical.decoded()).map_err(|_| Unclear::Path)?;
        let mut patterns = self.rules.patterns_that_see();
        if patterns.any(|pattern| pattern.is_disputed(path, &likeness)) {
            Err(Unclear::Path)
        } else {
            Ok(())
        }
    }

    /// A header may name another path or method than rules look at, or than is approved.
    pub(super) fn check_overrides(&self, head: &RequestHead<'_>) -> Result<(), Unclear> {
        let approve_single = self.rules.approve_single();
        if head.overrides.path && (self.mentions(Criterion::Paths) || approve_single) {
            return Err(Unclear::PathOverride);
        }
        if head.overrides.method && (self.mentions(Criterion::Methods) || approve_single) {
            return Err(Unclear::MethodOverride);
        }
        Ok(())
    }
}
