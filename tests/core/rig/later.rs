//! A request that waits: it goes on later, or its client leaves.

use super::{Progress, Rig};
use duo_mfa::clock::UnixTime;
use duo_mfa::gate::limit::Claim;
use duo_mfa::gate::{Claimant, Effect, Flow};

impl Rig {
    /// The time has come for a request that waits for another one's push.
    pub(crate) fn go_on(&mut self, due: UnixTime, claim: Claim, then: Box<Claimant>) -> Progress {
        self.now = self.now.max(due);
        self.perform(Effect::Claim { claim, then }.into())
    }

    /// The client of a request leaves.
    pub(crate) fn leave(&mut self, flow: &Flow) {
        flow.left().iter().for_each(|settlement| self.settle(settlement));
    }
}
