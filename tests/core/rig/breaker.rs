//! The outage breaker, and the waits that Duo asks for, as the hosts keep them.

use super::Rig;
use duo_mfa::duo::AskedWait;
use duo_mfa::gate::{Breaker, Call, Crowded, Learned, Pass, Unanswered};
use duo_mfa::signal::Signal;

impl Rig {
    /// Records what a call has shown about Duo.
    pub(super) fn learn(&mut self, learned: &Learned) {
        let before = self.health.breaker;
        let application = learned.keys.application;
        let offset = learned.offset.unwrap_or(self.offsets[application]);
        self.offsets[application] = offset;
        if !self.breaks {
            let changed = self.health.after_contact(learned.contact, self.now);
            self.health = changed.unwrap_or(self.health);
            return;
        }
        self.health = self.health.after_call(learned, self.now).unwrap_or(self.health);
        self.signals.extend(self.gate.breaker_line(learned.keys, before, self.health.breaker));
        if let Some((AskedWait { time, is_limit: true }, seat)) = learned.wait {
            self.room.pause(&seat, self.now.plus(time), self.now);
        }
    }

    /// Why a call is not sent.
    pub(super) fn refused(&mut self, call: &Call) -> Option<Unanswered> {
        let begins = call.seat.is_some_and(|seat| seat.begins());
        match self.health.breaker.pass(begins, self.now) {
            _ if !self.breaks => None,
            Pass::Free => None,
            Pass::Try => {
                let tries = self.health.breaker.try_at(self.now);
                self.health.breaker = tries.unwrap_or_else(|| panic!("no other call tries"));
                None
            }
            Pass::Refused(why) => Some(why),
        }
    }

    /// Why a call has no room: only if Duo asked to wait with the user.
    pub(super) fn without_room(&mut self, call: &Call) -> Option<Crowded> {
        let seat = call.seat.filter(|_| self.breaks)?;
        let entered = self.room.enter(&seat, &self.gate.config().capacity, 0, self.now);
        self.room.leave(&seat);
        entered.err()
    }

    pub(crate) fn breaker(&self) -> Breaker {
        self.health.breaker
    }

    /// The lines that say that the breaker has opened or closed.
    pub(crate) fn breaker_lines(&self) -> Vec<&str> {
        let lines = self.signals.iter().filter_map(|signal| match signal {
            Signal::Log(_, line) => Some(line.as_str()),
            Signal::Count(_) => None,
        });
        let is_its = |line: &&str| line.contains("in a row") || line.contains("answers again");
        lines.filter(is_its).collect()
    }
}
