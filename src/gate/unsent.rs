//! Settles a permit whose prompt or passcode was not sent, or may not have been.

use super::asker::Asker;
use super::expect::Expect;
use super::limit::{End, Settlement};
use crate::duo::{DuoError, Fault, Outage};

/// The end of a permit after a fault of the call that would have sent its prompt, or tried its
/// passcode.
pub(super) fn unstarted(asker: &Asker, expect: &Expect, fault: &DuoError) -> Option<Settlement> {
    let is_sure = matches!(fault, DuoError::Unreachable(Outage::NotSent) | DuoError::Overflow);
    match expect {
        Expect::Codes(_) | Expect::Transaction(_) => {
            let may_have_started = fault.fault() == Fault::Duo && !is_sure;
            let end = if may_have_started { End::Lost } else { End::Unsent };
            asker.claim.map(|claim| Settlement { claim, end })
        }
        Expect::Passcode(_) => {
            let is_untried = is_sure || fault.fault() == Fault::Operator;
            let end = if is_untried { End::Unsent } else { End::Lost };
            asker.passcode_claim.map(|claim| Settlement { claim, end })
        }
        Expect::Clock(waiting) => match **waiting {
            Expect::Preauth
            | Expect::Status(_)
            | Expect::Last(_)
            | Expect::Enroll
            | Expect::Activation(_)
            | Expect::Clock(_) => None,
            Expect::Codes(_) | Expect::Transaction(_) => asker.claim,
            Expect::Passcode(_) => asker.passcode_claim,
        }
        .map(|claim| Settlement { claim, end: End::Unsent }),
        Expect::Preauth
        | Expect::Status(_)
        | Expect::Last(_)
        | Expect::Enroll
        | Expect::Activation(_) => None,
    }
}

/// The end of a permit whose call was not sent: nothing counts.
pub(super) fn unsent(asker: &Asker, expect: &Expect) -> Option<Settlement> {
    unstarted(asker, expect, &DuoError::Overflow)
}
