//! The decision of the rules about a request.

use super::terms::Terms;

/// The treatment of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// It passes without a second factor.
    Bypass,
    /// It passes with an approval by the second factor.
    #[default]
    TwoFactor,
    /// It is refused.
    Deny,
}

impl Policy {
    /// All policies, in the documented order.
    pub const ALL: [Self; 3] = [Self::TwoFactor, Self::Bypass, Self::Deny];

    /// The name in configuration and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::TwoFactor => "two_factor",
            Self::Deny => "deny",
        }
    }
}

/// The result of evaluating the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<'p> {
    /// A rule decides, or the default policy does.
    Ruled(Ruled<'p>),
    /// The rule that would decide next names users or groups, and the user is not known yet.
    WhoAsks,
}

impl<'p> Decision<'p> {
    /// The terms of the deciding rule; empty terms if no rule decides.
    #[must_use]
    pub const fn terms(self) -> &'p Terms {
        match self {
            Self::Ruled(ruled) => ruled.terms,
            Self::WhoAsks => Terms::NONE,
        }
    }
}

/// A policy, and the rule that it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruled<'p> {
    /// The treatment of the request.
    pub policy: Policy,
    /// The number of the rule, from 0; `None` for the default policy.
    pub rule: Option<usize>,
    /// The rule's terms for the second factor.
    pub terms: &'p Terms,
}
