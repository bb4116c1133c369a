//! Which requests need a second factor.
//!
//! In go the parts of a request that rules name, and the peer's address. Out comes one of three
//! policies: pass without a second factor, ask for one, or refuse. The first rule that matches
//! decides, otherwise the default policy. A rule on users or groups may be reached before the user
//! is known. Then the result is [`Decision::WhoAsks`], and the caller asks again with a [`Person`].
//!
//! A client can choose the spelling of a path, but must not choose the rule by it. So a bypass rule
//! matches only the exact spelling, any other rule matches every spelling of the same path, and a
//! request with an ambiguous part is not judged at all.
//!
//! Nothing here knows where a user's name comes from, how Duo decides, or how an approval is
//! proved.

mod agreement;
mod criterion;
mod decision;
mod everything;
mod network;
mod pattern;
mod pattern_fault;
mod reading;
mod rule;
mod ruleset;
mod terms;
mod view;

pub use criterion::Criterion;
pub use decision::{Decision, Policy, Ruled};
pub use everything::EverythingDenied;
pub use network::Network;
pub use pattern::Pattern;
pub use pattern_fault::PatternFault;
pub use rule::{Comparison, Condition, Rule};
pub use ruleset::RuleSet;
pub use terms::{ApiMode, Approver, FailMode, PerClient, Terms};
pub use view::{Person, Unclear, View};

use crate::http::RequestHead;
use std::net::IpAddr;

/// The policies of one plugin configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// Decides if no rule matches.
    pub default: Policy,
    /// The rules, in the order in which they are evaluated.
    pub rules: RuleSet,
    /// Whether a CORS preflight, which has no credentials, passes unless a rule denies it.
    pub exempts_preflights: bool,
    /// Whether requests pass that name another method or path in a header, which the rules do not
    /// see.
    pub allows_overrides: bool,
}

impl Policies {
    /// Whether any rule names this part of a request.
    #[must_use]
    pub const fn mentions(&self, criterion: Criterion) -> bool {
        self.rules.mentions(criterion)
    }

    /// The hosts that rules name, exceptions left out.
    pub fn hosts(&self) -> impl Iterator<Item = &Pattern> {
        let conditions = self.rules.iter().flat_map(|rule| &rule.conditions);
        let of_hosts = conditions.filter(|condition| condition.criterion == Criterion::Hosts);
        of_hosts.flat_map(|condition| &condition.wanted)
    }

    /// The parts of a request that rules name, in the form in which they are compared. Parts that
    /// no rule names are not computed.
    ///
    /// # Errors
    ///
    /// [`Unclear`] if a part that some rule names is ambiguous or not known.
    pub fn view<'a>(
        &self,
        head: &RequestHead<'a>,
        address: Option<IpAddr>,
    ) -> Result<View<'a>, Unclear> {
        let view = View::of(head, address, |criterion| self.mentions(criterion))?;
        if !self.allows_overrides {
            self.check_overrides(head)?;
        }
        match &view.path {
            Some(path) if self.may_be_disputed(path) => self.check_agreement(path)?,
            Some(_) | None => {}
        }
        Ok(view)
    }

    /// The default policy, for use before any rule is evaluated.
    #[must_use]
    pub const fn ruled_by_default(&self) -> Ruled<'_> {
        Ruled { policy: self.default, rule: None, terms: Terms::NONE }
    }

    /// Whether this is a CORS preflight (<https://fetch.spec.whatwg.org/#cors-preflight-request>)
    /// that the configuration exempts. Browsers send a preflight without a body and without a
    /// header that names another method.
    fn exempts(&self, head: &RequestHead<'_>, has_body: bool) -> bool {
        self.exempts_preflights
            && !has_body
            && !head.overrides.method
            && head.method == b"OPTIONS"
            && head.value("origin").is_some()
            && head.value("access-control-request-method").is_some()
    }

    /// Like [`Self::decide`], for a request that may be a preflight. A preflight names no user, so
    /// it passes only if no rule denies it to any user.
    #[must_use]
    pub fn decide_request(
        &self,
        head: &RequestHead<'_>,
        has_body: bool,
        view: &View<'_>,
        person: Option<&Person<'_>>,
    ) -> Decision<'_> {
        match self.decide(view, person) {
            Decision::Ruled(ruled) => Decision::Ruled(self.for_preflight(head, has_body, ruled)),
            Decision::WhoAsks if self.exempts(head, has_body) && !self.may_deny(view) => {
                Decision::Ruled(Ruled { policy: Policy::Bypass, ..self.ruled_by_default() })
            }
            Decision::WhoAsks => Decision::WhoAsks,
        }
    }

    /// Lets a preflight pass if it would be asked for a second factor.
    #[must_use]
    pub fn for_preflight<'p>(
        &self,
        head: &RequestHead<'_>,
        has_body: bool,
        ruled: Ruled<'p>,
    ) -> Ruled<'p> {
        match ruled.policy {
            Policy::TwoFactor if self.exempts(head, has_body) => {
                Ruled { policy: Policy::Bypass, ..ruled }
            }
            Policy::TwoFactor | Policy::Bypass | Policy::Deny => ruled,
        }
    }

    /// The policy for a request. `person` is the user, if known.
    #[must_use]
    pub fn decide(&self, view: &View<'_>, person: Option<&Person<'_>>) -> Decision<'_> {
        for (number, rule) in self.rules.iter().enumerate() {
            match rule.compare(view, person) {
                Comparison::Match => {
                    let Rule { policy, terms, .. } = rule;
                    let rule = Some(number);
                    return Decision::Ruled(Ruled { policy: *policy, rule, terms });
                }
                Comparison::Mismatch(_) | Comparison::Excepted(_) => {}
                Comparison::NoUser(_) => return Decision::WhoAsks,
            }
        }
        Decision::Ruled(self.ruled_by_default())
    }
}

#[cfg(test)]
mod tests;
