//! What became of a request, as Envoy's access log and the filters behind this one may read it.

use crate::session::ApprovedBy;
use std::borrow::Cow;

/// What became of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// In one word.
    pub outcome: Outcome,
    /// How the second factor was passed, where it was.
    pub factor: Option<ApprovedBy>,
    /// The number of the rule that decided, from 0 on, where one did.
    pub rule: Option<usize>,
}

/// What became of a request, in the words of the audit lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It went on by its approval.
    Passed,
    /// It went on by the approval that another request of its client got.
    PassedPerClient,
    /// It went on without being asked for one.
    Bypassed,
    /// It got an approval.
    Admitted,
    /// It was refused.
    Refused,
    /// Duo allowed it, but its client had left.
    Abandoned,
    /// It went on, since nobody is refused.
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
            Self::Admitted => "admitted",
            Self::Refused => "refused",
            Self::Abandoned => "abandoned",
            Self::WouldRefuse => "would_refuse",
        }
    }
}

impl Judgement {
    /// The same of a request whose client left before the effect.
    #[must_use]
    pub const fn abandoned(self) -> Self {
        match self.outcome {
            Outcome::Admitted => Self { outcome: Outcome::Abandoned, ..self },
            Outcome::Passed
            | Outcome::PassedPerClient
            | Outcome::Bypassed
            | Outcome::Refused
            | Outcome::Abandoned
            | Outcome::WouldRefuse => self,
        }
    }

    /// The names and values for the host's properties, which Envoy calls filter state and puts a
    /// `wasm.` before. A value that is absent is not set.
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
