//! The outcome of a request, for Envoy's access log and for later filters.

use crate::session::ApprovedBy;
use std::borrow::Cow;

/// The outcome of one request, with details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The outcome in one word.
    pub outcome: Outcome,
    /// The factor of the approval, if there was one.
    pub factor: Option<ApprovedBy>,
    /// The number of the rule that decided, from 0; `None` for the default policy or before any
    /// rule.
    pub rule: Option<usize>,
}

/// The outcome of a request, in the words of the audit lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It passed with its approval.
    Passed,
    /// It passed with the approval of another request of the same client.
    PassedPerClient,
    /// It passed without being asked for an approval.
    Bypassed,
    /// A page asked for a second factor.
    Prompted,
    /// It got a new approval.
    Admitted,
    /// It was refused.
    Refused,
    /// It was allowed, but its client had left.
    Abandoned,
    /// It passed only because the mode is not `enforce`.
    WouldRefuse,
}

impl Outcome {
    /// The word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::PassedPerClient => "passed_per_client",
            Self::Bypassed => "bypassed",
            Self::Prompted => "prompted",
            Self::Admitted => "admitted",
            Self::Refused => "refused",
            Self::Abandoned => "abandoned",
            Self::WouldRefuse => "would_refuse",
        }
    }
}

impl Outcome {
    /// The kind of audit line that reports it.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Passed
            | Self::PassedPerClient
            | Self::Bypassed
            | Self::Admitted
            | Self::Refused
            | Self::WouldRefuse => "decision",
            Self::Prompted | Self::Abandoned => self.name(),
        }
    }
}

impl Judgement {
    /// The judgement of the same request after its client has left.
    #[must_use]
    pub const fn abandoned(self) -> Self {
        match self.outcome {
            Outcome::Admitted => Self { outcome: Outcome::Abandoned, ..self },
            Outcome::Passed
            | Outcome::PassedPerClient
            | Outcome::Bypassed
            | Outcome::Prompted
            | Outcome::Refused
            | Outcome::Abandoned
            | Outcome::WouldRefuse => self,
        }
    }

    /// The names and values for the host's properties. Envoy calls them filter state, and adds the
    /// prefix `wasm.`. A value of `None` is not set.
    #[must_use]
    pub fn properties(&self) -> [(&'static str, Option<Cow<'static, str>>); 3] {
        let Self { outcome, factor, rule } = self;
        [
            ("duo_mfa_result", Some(Cow::Borrowed(outcome.name()))),
            ("duo_mfa_factor", factor.map(|factor| Cow::Borrowed(factor.name()))),
            ("duo_mfa_rule", rule.map(|rule| Cow::Owned(rule.to_string()))),
        ]
    }
}
