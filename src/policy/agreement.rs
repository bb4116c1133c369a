//! Detects requests that applications may read differently than the rules do.

use super::criterion::Criterion;
use super::view::Unclear;
use super::{Policies, view};
use crate::http::RequestHead;
use crate::http::likeness::Likeness;

impl Policies {
    /// Whether applications may take the path, or a path that a pattern names, for another one.
    pub(super) fn may_be_disputed(&self, path: &view::Path<'_>) -> bool {
        path.canonical.is_odd() || self.rules.have_odd_pattern()
    }

    /// Refuses a path if some application may take it for another path than its bytes say, and
    /// another rule would match that path.
    pub(super) fn check_agreement(&self, path: &view::Path<'_>) -> Result<(), Unclear> {
        let likeness = Likeness::of(path.canonical.decoded()).map_err(|_| Unclear::Path)?;
        let mut patterns = self.rules.patterns_that_see();
        if patterns.any(|pattern| pattern.is_disputed(path, &likeness)) {
            Err(Unclear::Path)
        } else {
            Ok(())
        }
    }

    /// Refuses a request if a header names another path or method than the one that the rules see
    /// or that is approved.
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
