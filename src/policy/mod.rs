//! Which requests want a second factor.
//!
//! In go the parts of a request that rules speak of, and the peer's address; out comes one of
//! three policies: pass without a second factor, ask for one, or refuse. The first rule that
//! matches decides, else the default policy. A rule that names users or groups is reached before
//! anybody knows who asks: then that is what comes out, and the caller asks again with a [`Person`].
//!
//! Whoever can choose the spelling of a path must not choose the rule by it. So a rule that lets
//! pass matches only what is written exactly so, a rule that asks or refuses matches every
//! spelling of the same, and a request of which a part cannot be told is not judged at all.
//!
//! Nothing here knows where a user's name comes from, what Duo says, or how an approval is proved.

mod agreement;
mod criterion;
mod decision;
mod everything;
mod network;
mod pattern;
mod pattern_fault;
mod rule;
mod ruleset;
mod terms;
mod view;

pub use criterion::Criterion;
pub use decision::{Decision, Policy, Ruled};
pub use everything::EverythingDenied;
pub use network::Network;
pub use pattern::{Pattern, Reading};
pub use pattern_fault::PatternFault;
pub use rule::{Condition, Rule};
pub use ruleset::RuleSet;
pub use terms::{ApiMode, Factor, FailMode, PerClient, Terms};
pub use view::{Person, Unclear, View};

use crate::http::RequestHead;
use std::net::IpAddr;

/// The policies of one plugin configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// Decides where no rule does.
    pub default: Policy,
    /// Looked at in this order.
    pub rules: RuleSet,
    /// Whether a CORS preflight, which carries no credentials, passes unless it is denied.
    pub exempts_preflights: bool,
    /// Whether requests pass that name another method or path in a header, by rules that do not
    /// see it.
    pub allows_overrides: bool,
}

impl Policies {
    /// Whether any rule speaks of this part of a request.
    #[must_use]
    pub const fn mentions(&self, criterion: Criterion) -> bool {
        self.rules.mentions(criterion)
    }

    /// The hosts that rules are for; not those that a rule makes an exception of.
    pub fn hosts(&self) -> impl Iterator<Item = &Pattern> {
        let conditions = self.rules.iter().flat_map(|rule| &rule.conditions);
        let of_hosts = conditions.filter(|condition| condition.criterion == Criterion::Hosts);
        of_hosts.flat_map(|condition| &condition.wanted)
    }

    /// The parts of a request that rules speak of, brought into the form that they are judged in.
    /// Nothing is computed that no rule names.
    ///
    /// # Errors
    ///
    /// [`Unclear`] where a part that some rule names can be read in two ways, or is not known.
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

    /// The default policy, where no rule is looked at.
    #[must_use]
    pub const fn ruled_by_default(&self) -> Ruled<'_> {
        Ruled { policy: self.default, rule: None, terms: Terms::NONE }
    }

    /// Whether this is a CORS preflight (<https://fetch.spec.whatwg.org/#cors-preflight-request>)
    /// and the configuration exempts preflights. Browsers send neither a body nor another method's
    /// name with one.
    fn exempts(&self, head: &RequestHead<'_>, has_body: bool) -> bool {
        self.exempts_preflights
            && !has_body
            && !head.overrides.method
            && head.method == b"OPTIONS"
            && head.value("origin").is_some()
            && head.value("access-control-request-method").is_some()
    }

    /// As [`Self::decide`], for a request that may be a preflight. A preflight names nobody, so it
    /// passes only if no rule denies it, whoever sends it.
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

    /// Lets a preflight pass that would be asked for a second factor.
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

    /// The policy for a request. `person` is who asks, where that is known already.
    #[must_use]
    pub fn decide(&self, view: &View<'_>, person: Option<&Person<'_>>) -> Decision<'_> {
        for (number, rule) in self.rules.iter().enumerate() {
            match rule.is_met(view, person) {
                Some(true) => {
                    let Rule { policy, terms, .. } = rule;
                    let rule = Some(number);
                    return Decision::Ruled(Ruled { policy: *policy, rule, terms });
                }
                Some(false) => {}
                None => return Decision::WhoAsks,
            }
        }
        Decision::Ruled(self.ruled_by_default())
    }
}

#[cfg(test)]
mod tests;
