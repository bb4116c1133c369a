//! A waiting request: it continues later, or its client leaves.

use super::{Progress, Rig};
use duo_mfa::clock::UnixTime;
use duo_mfa::gate::limit::Permit;
use duo_mfa::gate::{AwaitingPermit, Effect, Flow};

impl Rig {
    /// Continues a request that waits for another one's push, at the time for which it asked.
    pub(crate) fn go_on(
        &mut self,
        due: UnixTime,
        permit: Permit,
        then: Box<AwaitingPermit>,
    ) -> Progress {
        self.now = self.now.max(due);
        self.perform(Effect::Permit { permit, then }.into())
    }

    /// The client of a request leaves.
    pub(crate) fn leave(&mut self, flow: &Flow) {
        flow.left().iter().for_each(|settlement| self.settle(settlement));
    }
}
