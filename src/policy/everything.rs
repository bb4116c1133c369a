//! Decisions that hold for every request of a user, or for any user.

use super::Policies;
use super::decision::Policy;
use super::rule::Comparison;
use super::view::{Person, Unclear, View};
use crate::http::RequestHead;
use std::net::IpAddr;

/// The policies deny this user every request that an approval could open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EverythingDenied {
    /// The number of the rule, from 0; `None` for the default policy.
    pub rule: Option<usize>,
}

impl Policies {
    /// Whether this request would be denied to some user. While the user is unknown, any rule that
    /// names users or groups may decide, or the first other rule that matches.
    pub(super) fn may_deny(&self, view: &View<'_>) -> bool {
        for rule in self.rules.iter() {
            match rule.compare(view, None) {
                Comparison::Match => return rule.policy == Policy::Deny,
                Comparison::NoUser(_) if rule.policy == Policy::Deny => return true,
                Comparison::Mismatch(_) | Comparison::Excepted(_) | Comparison::NoUser(_) => {}
            }
        }
        self.default == Policy::Deny
    }

    /// The parts of a request that do not depend on its target: its host and its client.
    ///
    /// # Errors
    ///
    /// [`Unclear`] if a part that some rule names is ambiguous or not known.
    pub fn view_of_place<'a>(
        &self,
        head: &RequestHead<'a>,
        address: Option<IpAddr>,
    ) -> Result<View<'a>, Unclear> {
        View::of(head, address, |criterion| !criterion.is_of_target() && self.mentions(criterion))
    }

    /// Whether a user at this host and address is denied every request that an approval could open,
    /// whatever its method and path. Rules that may match are evaluated in their order, up to the
    /// first that matches every method and path, or the default policy. Everything is denied if
    /// that last one denies and no rule before it asks for a second factor. A bypass before it
    /// changes nothing, since it needs no approval.
    #[must_use]
    pub fn deny_everything(
        &self,
        place: &View<'_>,
        person: &Person<'_>,
    ) -> Option<EverythingDenied> {
        for (number, rule) in self.rules.iter().enumerate() {
            if !rule.may_match(place, person) {
                continue;
            }
            match rule.policy {
                Policy::TwoFactor => return None,
                Policy::Bypass if rule.is_for_every_target() => return None,
                Policy::Deny if rule.is_for_every_target() => {
                    return Some(EverythingDenied { rule: Some(number) });
                }
                Policy::Bypass | Policy::Deny => {}
            }
        }
        (self.default == Policy::Deny).then_some(EverythingDenied { rule: None })
    }
}
