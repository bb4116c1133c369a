//! Applies the rules to a request, and identifies its user where a rule needs that.

use super::configured::{Gate, HostFacts};
use super::factors::is_among;
use super::refusal::Denial;
use super::refusals::{RULE_DENIES_TARGET, RULE_DENIES_USER};
use crate::clock::UnixTime;
use crate::factor::AcceptedFactors;
use crate::http::RequestHead;
use crate::identity::{Identity, IdentityError};
use crate::policy::{
    Criterion, Decision, EverythingDenied, FailMode, Person, Policy, Ruled, Terms,
};
use crate::session::{Approval, ApprovedBy, Bound, NewApproval, Refusal};
use crate::signal::{Counter, Signal};
use std::net::IpAddr;
use std::time::Duration;

/// Lifetime of an approval granted while Duo was unreachable (`fail_mode: safe`).
const FAIL_SAFE_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// The rules' decision about a request.
pub(super) struct Ruling<'g> {
    pub(super) ruled: Ruled<'g>,
    /// The user, if a rule needed it.
    pub(super) identity: Option<Identity>,
}

/// Why the approval of a request does not open the request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Insufficient {
    /// The approval is not valid.
    Invalid(Refusal),
    /// The approval is older than the rule's `max_age`.
    TooOld,
    /// The rule does not accept the factor of the approval.
    OtherFactor,
    /// The approval was given while Duo could not be reached, and the rule does not accept that.
    FailSafe,
    /// The approval is for many requests, but the rule requires one for this request.
    NotOfThisRequest,
}

impl Insufficient {
    /// The reasons that are not faults of the cookie.
    const OF_TERMS: [Self; 4] =
        [Self::TooOld, Self::OtherFactor, Self::FailSafe, Self::NotOfThisRequest];

    /// The counters of all reasons.
    pub(super) fn counters() -> impl Iterator<Item = Counter> {
        let of_cookie = Refusal::ALL.into_iter().map(Self::Invalid);
        of_cookie.chain(Self::OF_TERMS).map(|reason| Counter::CookieRefused(reason.name()))
    }

    /// The name in metrics.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Invalid(refusal) => refusal.name(),
            Self::TooOld => "too_old",
            Self::OtherFactor => "other_factor",
            Self::FailSafe => "fail_safe",
            Self::NotOfThisRequest => "not_of_this_request",
        }
    }

    /// The counter for a cookie that was not accepted.
    pub(super) const fn counted(self) -> Signal {
        Signal::Count(Counter::CookieRefused(self.name()))
    }

    /// Whether the cookie was forged.
    pub(super) const fn is_forged(self) -> bool {
        matches!(self, Self::Invalid(Refusal::Forged))
    }

    /// Whether the approval opens requests without such terms.
    pub(super) const fn is_valid(self) -> bool {
        !matches!(self, Self::Invalid(_))
    }
}

/// An approval by a factor, from a sign-in that began at `since`.
pub(super) const fn new_approval(factor: ApprovedBy, since: UnixTime) -> NewApproval {
    let lifetime = match factor {
        ApprovedBy::FailSafe => Some(FAIL_SAFE_LIFETIME),
        ApprovedBy::Factor(_)
        | ApprovedBy::Webauthn
        | ApprovedBy::Other
        | ApprovedBy::Bypass
        | ApprovedBy::Remembered => None,
    };
    NewApproval { factor, authenticated: since, lifetime }
}

impl From<Refusal> for Insufficient {
    fn from(refusal: Refusal) -> Self {
        Self::Invalid(refusal)
    }
}

impl Gate {
    /// The values to which an approval of this request is bound. Refuses a request that lacks one.
    pub(super) fn bound(&self, facts: &HostFacts<'_>) -> Result<Bound, Denial> {
        if self.config().bindings.is_empty() {
            return Ok(Bound::default());
        }
        let bound = self.config().bindings.resolve(facts.bound, facts.address);
        bound.map_err(Denial::from)
    }

    /// The policy for a request, and the user if a rule needed it. Without rules this costs
    /// nothing.
    pub(super) fn ruled(
        &self,
        head: &RequestHead<'_>,
        facts: &HostFacts<'_>,
    ) -> Result<Ruling<'_>, Denial> {
        let policies = &self.config().policies;
        let of_anybody = |ruled| Ok(Ruling { ruled, identity: None });
        if policies.rules.is_empty() {
            let ruled = policies.ruled_by_default();
            return of_anybody(policies.for_preflight(head, facts.has_body, ruled));
        }
        let view = policies.view(head, facts.address)?;
        if let Decision::Ruled(ruled) = policies.decide_request(head, facts.has_body, &view, None) {
            return of_anybody(ruled);
        }
        let identity = self.identify(head, facts)?;
        let groups = self.groups(head, facts)?;
        let person = Person { user: &identity.user, groups: &groups };
        match policies.decide_request(head, facts.has_body, &view, Some(&person)) {
            Decision::Ruled(ruled) => Ok(Ruling { ruled, identity: Some(identity) }),
            // Not possible, since the user was given. If it were, the request would be refused.
            Decision::WhoAsks => Err(IdentityError::Missing.into()),
        }
    }

    /// The factors whose approvals these terms accept; `None` for all. If the terms name none, those
    /// of `duo.factors` count at Duo's page, since no parameter tells it which factors to offer.
    fn accepted<'g>(&'g self, terms: &'g Terms) -> Option<&'g AcceptedFactors> {
        terms.factors.as_ref().or_else(|| {
            let duo = &self.application(terms).duo;
            duo.universal().and(duo.accepted.as_ref())
        })
    }

    /// Checks whether an approval satisfies the terms.
    pub(super) fn satisfies(
        &self,
        approval: &Approval,
        terms: &Terms,
        now: UnixTime,
    ) -> Result<(), Insufficient> {
        if terms.is_per_request {
            return Err(Insufficient::NotOfThisRequest);
        }
        self.satisfies_by(approval.factor(), approval.authenticated(), terms, now)
    }

    /// Checks whether an approval by this factor satisfies the terms, which are not those of a
    /// single request.
    pub(super) fn satisfies_by(
        &self,
        by: ApprovedBy,
        authenticated: UnixTime,
        terms: &Terms,
        now: UnixTime,
    ) -> Result<(), Insufficient> {
        let is_other = |accepted| !is_among(by, accepted);
        match by {
            ApprovedBy::Factor(_) | ApprovedBy::Webauthn | ApprovedBy::Other
                if self.accepted(terms).is_some_and(is_other) =>
            {
                Err(Insufficient::OtherFactor)
            }
            // Duo may have remembered the device after any factor.
            ApprovedBy::Remembered if terms.max_age.is_some() || self.accepted(terms).is_some() => {
                Err(Insufficient::OtherFactor)
            }
            ApprovedBy::FailSafe if self.fail_mode(terms) == FailMode::Secure => {
                Err(Insufficient::FailSafe)
            }
            ApprovedBy::Factor(_)
            | ApprovedBy::Webauthn
            | ApprovedBy::Other
            | ApprovedBy::Bypass
            | ApprovedBy::Remembered
            | ApprovedBy::FailSafe => match terms.max_age {
                Some(max_age) if now.since(authenticated) > max_age => Err(Insufficient::TooOld),
                Some(_) | None => Ok(()),
            },
        }
    }

    /// The terms of the rule for the request that a sign-in leads to, and the number of the rule.
    pub(super) fn terms_of(
        &self,
        request: &RequestHead<'_>,
        person: &Person<'_>,
        address: Option<IpAddr>,
    ) -> Result<(Terms, Option<usize>), Denial> {
        let policies = &self.config().policies;
        match policies.decide(&policies.view(request, address)?, Some(person)) {
            Decision::Ruled(Ruled { policy: Policy::Deny, rule, .. }) => {
                Err(Denial::from(RULE_DENIES_TARGET).by(rule))
            }
            Decision::Ruled(Ruled { rule, terms, .. }) => Ok((terms.clone(), rule)),
            Decision::WhoAsks => Ok((Decision::WhoAsks.terms().clone(), None)),
        }
    }

    /// Refuses a user if the rules deny them every request that an approval could open. No call to
    /// Duo is made for them. This applies in every [`crate::config::Mode`], since the phone would
    /// ring in every mode.
    pub(super) fn check_something_is_left(
        &self,
        head: &RequestHead<'_>,
        identity: &Identity,
        groups: &[String],
        facts: &HostFacts<'_>,
    ) -> Result<(), Denial> {
        let policies = &self.config().policies;
        let place = policies.view_of_place(head, facts.address)?;
        match policies.deny_everything(&place, &Person { user: &identity.user, groups }) {
            None => Ok(()),
            Some(EverythingDenied { rule }) => Err(Denial::from(RULE_DENIES_USER).by(rule)),
        }
    }

    pub(super) fn groups(
        &self,
        head: &RequestHead<'_>,
        facts: &HostFacts<'_>,
    ) -> Result<Vec<String>, Denial> {
        if !self.config().policies.mentions(Criterion::Groups) {
            return Ok(Vec::new());
        }
        let groups = self.config().identity.groups(head, facts.attributes);
        Ok(groups.map_err(IdentityError::from)?)
    }

    /// The user of a request; refuses a request without one.
    pub(super) fn identify(
        &self,
        head: &RequestHead<'_>,
        facts: &HostFacts<'_>,
    ) -> Result<Identity, Denial> {
        Ok(self.config().identity.resolve(head, facts.attributes)?)
    }
}
