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
mod everything;
mod network;
mod pattern;
mod rule;
mod ruleset;
mod terms;
mod view;

pub use everything::EverythingDenied;
pub use network::Network;
pub use pattern::{Criterion, Pattern, PatternFault, Reading};
pub use rule::{Condition, Rule};
pub use ruleset::RuleSet;
pub use terms::{ApiMode, Factor, FailMode, PerClient, Terms};
pub use view::{Person, Unclear, View};

use crate::http::RequestHead;
use std::net::IpAddr;

/// What is done with a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// It goes on without a second factor.
    Bypass,
    /// It goes on with an approval by the second factor.
    #[default]
    TwoFactor,
    /// It is refused.
    Deny,
}

impl Policy {
    /// All policies, in the order in which they are documented.
    pub const ALL: [Self; 3] = [Self::TwoFactor, Self::Bypass, Self::Deny];

    /// The name that configuration and logs call it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::TwoFactor => "two_factor",
            Self::Deny => "deny",
        }
    }
}

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

/// What comes of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<'p> {
    /// A rule decides, or none does.
    Ruled(Ruled<'p>),
    /// The rule that would decide next names users or groups, and nobody has said who asks.
    WhoAsks,
}

impl<'p> Decision<'p> {
    /// The terms of the rule that decides; none of its own where none does.
    #[must_use]
    pub const fn terms(self) -> &'p Terms {
        match self {
            Self::Ruled(ruled) => ruled.terms,
            Self::WhoAsks => Terms::NONE,
        }
    }
}

/// A policy, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruled<'p> {
    /// What is done with the request.
    pub policy: Policy,
    /// The number of the rule, from 0 on; absent for the default policy.
    pub rule: Option<usize>,
    /// What the rule wants of a second factor.
    pub terms: &'p Terms,
}

impl Policies {
    /// Whether any rule speaks of this part of a request.
    #[must_use]
    pub const fn name(&self, criterion: Criterion) -> bool {
        self.rules.name(criterion)
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
        let view = View::of(head, address, |criterion| self.name(criterion))?;
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
