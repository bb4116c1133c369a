//! Modes that refuse nobody: what would have been is counted and written down, or not even that.

use super::rules::{Denial, Unfit};
use super::{Aim, Forward, Gate, Opening, Step, Undecided, audit};
use crate::http::RequestHead;
use crate::signal::{Code, Counter};

impl Gate {
    /// Lets a request pass whatever the rules say of it. What the filter owns is still removed.
    pub(super) fn unjudged(&self, head: &RequestHead<'_>) -> Step {
        let forward = Forward { request: self.stripped(head), cookie: None };
        Step::forward(forward, Counter::Bypassed)
    }

    /// Lets a request pass, and says what would have become of it. Duo is not asked.
    pub(super) fn reported(
        &self,
        head: &RequestHead<'_>,
        judged: Result<Opening, Denial>,
    ) -> Opening {
        let (code, rule, unfit) = match judged {
            // Whether its client has an approval is not known yet.
            Ok(Opening::Undecided(Undecided { aim: Aim::Application(sought), unfit }))
                if sought.terms.per_client.is_some() && !self.is_sign_out(head) =>
            {
                return Opening::Undecided(Undecided { aim: Aim::Application(sought), unfit });
            }
            Ok(Opening::Undecided(Undecided {
                aim: Aim::Application(sought) | Aim::Operation { sought, .. },
                unfit,
            })) => (Code::MfaRequired, sought.rule, unfit),
            Err(denial) => (denial.code, denial.rule, None),
            Ok(decided) => return decided,
        };
        let mut step = self.would_refuse(head, code, rule);
        step.signals.extend(unfit.map(Unfit::counted));
        Opening::Decided(step)
    }

    /// Lets a request pass that is refused under the rules.
    pub(super) fn would_refuse(
        &self,
        head: &RequestHead<'_>,
        code: Code,
        rule: Option<usize>,
    ) -> Step {
        let reference = audit::reference(head);
        let audited = audit::unrefused(head, code, rule, &reference);
        let forward = Forward { request: self.stripped(head), cookie: None };
        let step = Step::forward(forward, Counter::Reported { rule, code });
        step.audited(audited)
    }
}
