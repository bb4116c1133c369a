//! A busy worker: responses for clients that have left, calls without room, and writes to the table that
//! another worker preceded.

use super::{Progress, Rig, Scripted};
use duo_mfa::gate::limit::{Permit, Settlement, Table, Verdict, Work};
use duo_mfa::gate::{Crowded, Effect, Flow};
use std::collections::BTreeMap;

/// How often a worker tries to change a value of the table.
pub(crate) const TRIES: usize = 8;

impl Rig {
    /// Answers the call of a request whose client has left.
    pub(crate) fn answer_for_nobody(&mut self, flow: Flow, scripted: &Scripted) {
        if !flow.outlives_its_client() {
            return self.leave(&flow);
        }
        let step = self.answer(flow, scripted);
        step.notes.settlements.iter().for_each(|settlement| self.settle(settlement));
        if let Effect::Call { then, .. } = step.effect {
            self.leave(&then);
        }
    }

    /// The call of a request finds no room.
    pub(crate) fn crowd(&mut self, flow: Flow, crowded: Crowded) -> Progress {
        let step = flow.crowded(crowded, &self.env());
        self.perform(step)
    }

    pub(super) fn settle(&mut self, settlement: &Settlement) {
        let config = self.gate.config();
        let change = &mut |name: &str, work: &mut Work<'_>| {
            swap(&mut self.table, &mut self.lost_writes, name, work)
        };
        let said = Table::new(&config.shared).settle(settlement, &config.limits, self.now, change);
        self.signals.extend(said);
    }

    pub(super) fn grant(&mut self, permit: &Permit) -> Verdict {
        let config = self.gate.config();
        let change = &mut |name: &str, work: &mut Work<'_>| {
            swap(&mut self.table, &mut self.lost_writes, name, work)
        };
        let changed = Table::new(&config.shared).grant(permit, &config.limits, self.now, change);
        self.signals.extend(changed.signals);
        changed.verdict
    }
}

/// Changes a value as a host does. The first `lost` writes fail as if another worker was faster.
fn swap(
    table: &mut BTreeMap<String, Vec<u8>>,
    lost: &mut usize,
    name: &str,
    work: &mut Work<'_>,
) -> bool {
    for _ in 0..TRIES {
        let Some(bytes) = work(table.get(name).map(Vec::as_slice)) else { return true };
        if *lost == 0 {
            table.insert(name.to_owned(), bytes);
            return true;
        }
        *lost -= 1;
    }
    false
}
