//! A request that waits: it goes on later, or its client leaves.

use super::{Progress, Rig, swap};
use duo_mfa::clock::UnixTime;
use duo_mfa::gate::limit::{Claim, Table, Work};
use duo_mfa::gate::{Claimant, Effect, Flow};

impl Rig {
    /// The time has come for a request that waits for another one's push.
    pub(crate) fn go_on(&mut self, due: UnixTime, claim: Claim, then: Box<Claimant>) -> Progress {
        self.now = self.now.max(due);
        self.perform(Effect::Claim { claim, then }.into())
    }

    /// The client of a request leaves.
    pub(crate) fn leave(&mut self, flow: &Flow) {
        let config = self.gate.config();
        let table = Table::new(&config.shared);
        for settlement in flow.left() {
            let change = &mut |name: &str, work: &mut Work<'_>| swap(&mut self.table, name, work);
            let said = table.settle(&settlement, &config.limits, self.now, change);
            self.signals.extend(said);
        }
    }
}
