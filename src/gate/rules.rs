//! What the rules of the configuration say of a request, and of whom they want to know.

use super::configured::{Gate, HostFacts};
use super::factors::is_accepted;
use crate::clock::UnixTime;
use crate::http::RequestHead;
use crate::http::peer::ip_address;
use crate::identity::{Identity, IdentityError};
use crate::policy::{
    Criterion, Decision, EverythingDenied, FailMode, Person, Policy, Ruled, Terms, Unclear,
};
use crate::session::{Approval, ApprovedBy, Bound, NewApproval, Refusal};
use crate::signal::{Code, Counter, Signal};
use std::net::IpAddr;
use std::time::Duration;

/// How long somebody passes without being asked about again whom Duo could not be asked about.
const FAIL_SAFE_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// A request that is refused before its approval is looked at.
pub(super) struct Denial {
    pub(super) code: Code,
    pub(super) detail: String,
    /// The rule that says so, where one does.
    pub(super) rule: Option<usize>,
}

impl Denial {
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), rule: None }
    }

    pub(super) fn by(self, rule: Option<usize>) -> Self {
        Self { rule, ..self }
    }
}

/// What the rules say of a request.
pub(super) struct Ruling<'g> {
    pub(super) ruled: Ruled<'g>,
    /// Who asks, where a rule had to know.
    pub(super) identity: Option<Identity>,
}

/// Why the approval of a request does not open what it is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Insufficient {
    /// It is no valid approval.
    Invalid(Refusal),
    /// It is older than the rule's `max_age`.
    TooOld,
    /// It was given by a factor that the rule does not accept.
    OtherFactor,
    /// It was given while Duo could not be reached, which the rule does not accept.
    FailSafe,
    /// It is good for many requests, and the rule wants one for this request alone.
    NotOfThisRequest,
}

impl Insufficient {
    /// Its name among the metrics.
    const fn name(self) -> &'static str {
        match self {
            Self::Invalid(refusal) => refusal.name(),
            Self::TooOld => "too_old",
            Self::OtherFactor => "other_factor",
            Self::FailSafe => "fail_safe",
            Self::NotOfThisRequest => "not_of_this_request",
        }
    }

    /// What is counted of a cookie that was not accepted.
    pub(super) const fn counted(self) -> Signal {
        Signal::Count(Counter::CookieRefused(self.name()))
    }

    /// Whether it opens what has no such terms.
    pub(super) const fn is_valid(self) -> bool {
        !matches!(self, Self::Invalid(_))
    }
}

/// An approval by a factor, passed in a sign-in that was begun `since`.
pub(super) const fn new_approval(factor: ApprovedBy, since: UnixTime) -> NewApproval {
    let lifetime = match factor {
        ApprovedBy::FailSafe => Some(FAIL_SAFE_LIFETIME),
        ApprovedBy::Factor(_) | ApprovedBy::Bypass | ApprovedBy::Remembered => None,
    };
    NewApproval { factor, authenticated: since, lifetime }
}

impl From<Refusal> for Insufficient {
    fn from(refusal: Refusal) -> Self {
        Self::Invalid(refusal)
    }
}

impl Gate {
    /// What an approval of this request is bound to, or the refusal of one that could not be.
    pub(super) fn bound(&self, facts: &HostFacts<'_>) -> Result<Bound, Denial> {
        if self.config().bindings.is_empty() {
            return Ok(Bound::default());
        }
        let address = || facts.address.and_then(ip_address);
        let address = self.config().bindings.want_address().then(address).flatten();
        let bound = self.config().bindings.resolve(facts.bound, address);
        bound.map_err(|unbound| {
            Denial::new(Code::AccessDenied, format!("No approval can be given: {unbound}."))
        })
    }

    /// The policy for a request, and who asks where a rule had to know. A configuration without
    /// rules costs nothing here.
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
        let address = facts.address.and_then(ip_address);
        let view = policies.view(head, address)?;
        if let Decision::Ruled(ruled) = policies.decide_request(head, facts.has_body, &view, None) {
            return of_anybody(ruled);
        }
        let identity = self.identify(head, facts)?;
        let groups = self.groups(head, facts)?;
        let person = Person { user: &identity.user, groups: &groups };
        match policies.decide_request(head, facts.has_body, &view, Some(&person)) {
            Decision::Ruled(ruled) => Ok(Ruling { ruled, identity: Some(identity) }),
            // A person was named; were that not enough, nobody is let pass.
            Decision::WhoAsks => Err(IdentityError::Missing.into()),
        }
    }

    /// Whether an approval meets the terms.
    pub(super) fn fit(
        &self,
        approval: &Approval,
        terms: &Terms,
        now: UnixTime,
    ) -> Result<(), Insufficient> {
        if terms.is_per_request {
            return Err(Insufficient::NotOfThisRequest);
        }
        let is_accepted = || is_accepted(approval.factor(), terms);
        match approval.factor() {
            ApprovedBy::Factor(_) if !is_accepted() => Err(Insufficient::OtherFactor),
            ApprovedBy::Remembered if terms.factors.is_some() || terms.max_age.is_some() => {
                Err(Insufficient::OtherFactor)
            }
            ApprovedBy::FailSafe if self.fail_mode(terms) == FailMode::Secure => {
                Err(Insufficient::FailSafe)
            }
            ApprovedBy::Factor(_)
            | ApprovedBy::Bypass
            | ApprovedBy::Remembered
            | ApprovedBy::FailSafe => match terms.max_age {
                Some(max_age) if now.since(approval.authenticated()) > max_age => {
                    Err(Insufficient::TooOld)
                }
                Some(_) | None => Ok(()),
            },
        }
    }

    /// The terms of the rule for the request that a sign-in leads to.
    pub(super) fn terms_of(
        &self,
        request: &RequestHead<'_>,
        person: &Person<'_>,
        address: Option<IpAddr>,
    ) -> Result<Terms, Denial> {
        let policies = &self.config().policies;
        match policies.decide(&policies.view(request, address)?, Some(person)) {
            Decision::Ruled(Ruled { policy: Policy::Deny, rule, .. }) => {
                let detail = "A rule denies the request that this sign-in is for.";
                Err(Denial::new(Code::AccessDenied, detail).by(rule))
            }
            decided @ (Decision::Ruled(_) | Decision::WhoAsks) => Ok(decided.terms().clone()),
        }
    }

    /// Refuses users whom the rules deny whatever an approval could open: nothing at Duo is asked
    /// or started for them. That holds in every [`crate::config::Mode`], since a phone would ring
    /// in every one.
    pub(super) fn check_something_is_left(
        &self,
        head: &RequestHead<'_>,
        identity: &Identity,
        groups: &[String],
        facts: &HostFacts<'_>,
    ) -> Result<(), Denial> {
        let policies = &self.config().policies;
        let place = policies.view_of_place(head, facts.address.and_then(ip_address))?;
        match policies.deny_everything(&place, &Person { user: &identity.user, groups }) {
            None => Ok(()),
            Some(EverythingDenied { rule }) => {
                let detail = "A rule denies all requests of this user.";
                Err(Denial::new(Code::AccessDenied, detail).by(rule))
            }
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

    /// Who asks, or the refusal to be asked by nobody in particular.
    pub(super) fn identify(
        &self,
        head: &RequestHead<'_>,
        facts: &HostFacts<'_>,
    ) -> Result<Identity, Denial> {
        Ok(self.config().identity.resolve(head, facts.attributes)?)
    }
}

impl From<IdentityError> for Denial {
    fn from(error: IdentityError) -> Self {
        let code = match error {
            IdentityError::Missing => Code::IdentityMissing,
            IdentityError::Invalid(_) => Code::IdentityInvalid,
        };
        Self::new(code, format!("{error}."))
    }
}

impl From<Unclear> for Denial {
    fn from(unclear: Unclear) -> Self {
        let code = match unclear {
            Unclear::Path | Unclear::PathOverride => Code::PathAmbiguous,
            Unclear::Host | Unclear::MethodOverride => Code::BadRequest,
            Unclear::Address => Code::AccessDenied,
        };
        Self::new(code, format!("Rules cannot be applied: {unclear}."))
    }
}
