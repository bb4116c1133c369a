//! What the rules say of a request.

use super::terms::Terms;

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
