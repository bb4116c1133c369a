//! Requests that wait for Duo, several at once. A call may find no room, may be answered out of order, late
//! or never, and its client may leave.

use super::duo::{Asked, News, Reason, Said, fault, timeout};
use super::people::Sender;
use super::phone::Whose;
use super::world::World;
use crate::rig::{Progress, Request, Rig, TRIES};
use duo_mfa::clock::UnixTime;
use duo_mfa::duo::Endpoint;
use duo_mfa::gate::{By, Call, Crowded, Flow};
use std::mem;
use std::time::Duration;

/// A request that waits.
pub(super) struct Open {
    worker: usize,
    asked: Asked,
    call: Call,
    flow: Box<Flow>,
    stage: Stage,
    /// Duo's answer, if it has acted on the call already.
    said: Option<Said>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The call is sent later.
    Due,
    /// The host waits for the answer until then.
    Sent(UnixTime),
    /// The same, after the client has left.
    Orphan(UnixTime),
}

impl Open {
    /// When the next thing happens if no response comes.
    const fn next(&self) -> UnixTime {
        match self.stage {
            Stage::Due => self.call.due,
            Stage::Sent(until) | Stage::Orphan(until) => until,
        }
    }
}

impl World<'_> {
    /// Sends a request to a worker, up to its first call or its end.
    pub(super) fn send(
        &mut self,
        worker: usize,
        asked: Asked,
        peer: &'static [u8],
        request: &Request,
    ) {
        let progress = self.at(worker, |rig| {
            rig.peer = Some(peer);
            rig.start(request)
        });
        self.go_on(worker, asked, progress, None);
    }

    /// Runs `work` on a worker, to which it lends the time, the table and Duo's health.
    fn at<T>(&mut self, worker: usize, work: impl FnOnce(&mut Rig) -> T) -> T {
        let lost = if self.chance.one_in(12) { self.chance.below(2 * TRIES) } else { 0 };
        self.is_contended = lost >= TRIES;
        let rig = &mut self.rigs[worker];
        (rig.now, rig.health, rig.lost_writes) = (self.now, self.health, lost);
        mem::swap(&mut rig.table, &mut self.table);
        let outcome = work(rig);
        mem::swap(&mut rig.table, &mut self.table);
        self.health = rig.health;
        rig.signals.clear();
        rig.judgements.clear();
        outcome
    }

    fn go_on(&mut self, worker: usize, asked: Asked, progress: Progress, heard: Option<&Heard>) {
        match progress {
            Progress::Pauses(..) => panic!("no rule has an approval per client"),
            Progress::Done(outcome) => {
                self.tally.requests += 1;
                self.finish(&asked, outcome, heard);
            }
            Progress::Waits(_, flow) => {
                let call = self.rigs[worker].calls.pop().unwrap().1;
                let (stage, said) = (Stage::Due, None);
                let is_due = call.due <= self.now;
                self.open.push(Open { worker, asked, call, flow, stage, said });
                if is_due {
                    self.dispatch(self.open.len() - 1);
                }
            }
        }
    }

    /// Sends the call of a request, if there is room for it.
    fn dispatch(&mut self, number: usize) {
        let Open { worker, ref call, .. } = self.open[number];
        let held = self.open.iter().filter(|it| it.worker == worker && it.is_undecided()).count();
        let capacity = self.rigs[worker].gate.config().capacity;
        let seat = call.seat.unwrap();
        let entered = if self.chance.one_in(30) {
            let by = [By::SignIn, By::UserCalls, By::UserRate, By::Calls, By::Held];
            Err(Crowded { by: self.chance.of(&by), wait: Duration::from_secs(2) })
        } else {
            self.rooms[worker].enter(&seat, &capacity, held.saturating_sub(1), self.now)
        };
        match entered {
            Ok(()) => {
                let until = self.now.plus(self.open[number].call.timeout);
                self.open[number].stage = Stage::Sent(until);
            }
            Err(crowded) => {
                let Open { worker, asked, flow, .. } = self.open.swap_remove(number);
                let progress = self.at(worker, |rig| rig.crowd(*flow, crowded));
                self.go_on(worker, asked, progress, Some(&Heard::NO_ROOM));
            }
        }
    }

    /// The index of a random request whose call is under way.
    fn sent(&mut self) -> Option<usize> {
        let sent: Vec<_> =
            (0..self.open.len()).filter(|it| self.open[*it].stage != Stage::Due).collect();
        (!sent.is_empty()).then(|| self.chance.of(&sent))
    }

    /// Duo acts on a call whose answer is still on its way.
    pub(super) fn acts(&mut self) -> bool {
        let is_auth = |it: &Open| it.call.signed.endpoint == Endpoint::Auth && it.said.is_none();
        let waits = |it: &Open| it.stage != Stage::Due && is_auth(it);
        let Some(number) = self.open.iter().position(waits) else { return false };
        if !self.duo.is_down {
            self.act(number);
        }
        true
    }

    fn act(&mut self, number: usize) -> Said {
        let Open { call, asked, said, .. } = &mut self.open[number];
        let with = (&self.neighbor, &mut self.chance);
        said.get_or_insert_with(|| self.duo.act(&call.signed, asked, self.now, with)).clone()
    }

    /// A call is answered.
    pub(super) fn is_answered(&mut self) -> bool {
        let Some(number) = self.sent() else { return false };
        let said = if self.duo.is_down || self.chance.one_in(12) {
            self.fails(number)
        } else {
            self.act(number)
        };
        self.deliver(number, &said);
        true
    }

    fn fails(&mut self, number: usize) -> Said {
        // Duo may have acted on a call whose answer gets lost.
        if !self.duo.is_down && self.chance.one_in(3) {
            self.act(number);
        }
        let Open { call, said, .. } = &self.open[number];
        fault(&call.signed, said.is_some(), self.duo.is_down, &mut self.chance)
    }

    fn deliver(&mut self, number: usize, said: &Said) {
        let Open { worker, asked, call, flow, stage, said: acted } = self.open.swap_remove(number);
        if stage != Stage::Due && !matches!(stage, Stage::Orphan(_)) {
            self.rooms[worker].leave(&call.seat.unwrap());
        }
        let was_heard = flow.outlives_its_client() || !matches!(stage, Stage::Orphan(_));
        let is_new = said.news != News::Nothing && was_heard;
        let progress = match stage {
            Stage::Orphan(_) => {
                self.at(worker, |rig| rig.answer_for_nobody(*flow, &said.answer));
                None
            }
            Stage::Due | Stage::Sent(_) => {
                Some(self.at(worker, |rig| rig.resume(*flow, &said.answer)))
            }
        };
        if is_new {
            self.hear(said.news);
        }
        // Duo sent a prompt, and its answer was lost.
        if let Some(Said { news: News::Started(lost), .. }) = acted
            && said.news != News::Started(lost)
        {
            self.lose(lost);
        }
        if let Some(progress) = progress {
            let heard = Heard { news: said.news, call: Some(call) };
            self.go_on(worker, asked, progress, Some(&heard));
        }
    }

    fn hear(&mut self, news: News) {
        let prompt = |reason: usize| self.duo.reasons[reason].prompt;
        match news {
            News::Started(reason) => {
                let reason_of = &mut self.duo.reasons[reason];
                reason_of.since = Some((reason_of.asked.at, self.now));
                if self.is_contended {
                    // The table does not know the transaction.
                    self.lose(reason);
                }
            }
            News::Refused(reason) | News::Allowed(reason) => match prompt(reason) {
                Some(prompt) => self.duo.phones.hear(prompt, self.now),
                None if matches!(news, News::Allowed(_)) && !self.is_contended => {
                    let Reason { asked, device, .. } = &self.duo.reasons[reason];
                    let whose = Whose { user: asked.person.user, device };
                    self.duo.phones.passcode_was_right(whose);
                }
                None => {}
            },
            News::Unheard { reason, is_timeout } => {
                if let Some(prompt) = prompt(reason) {
                    self.duo.phones.hear_nothing(prompt, is_timeout, self.now);
                }
            }
            News::Nothing | News::Unreached => {}
        }
    }

    fn lose(&mut self, reason: usize) {
        if let Some(prompt) = self.duo.reasons[reason].prompt {
            self.duo.phones.prompts[prompt].is_lost = true;
        }
    }

    /// The client of a request leaves.
    pub(super) fn leaves(&mut self) -> bool {
        let there: Vec<_> =
            (0..self.open.len()).filter(|it| self.open[*it].is_undecided()).collect();
        if there.is_empty() {
            return false;
        }
        let mut open = self.open.swap_remove(self.chance.of(&there));
        if let Sender::Program(program) = &open.asked.sender {
            self.left = Some(program.clone());
        }
        if let Stage::Sent(until) = open.stage {
            self.rooms[open.worker].leave(&open.call.seat.unwrap());
            if open.flow.outlives_its_client() {
                open.stage = Stage::Orphan(until);
                self.open.push(open);
                return true;
            }
        }
        self.at(open.worker, |rig| rig.leave(&open.flow));
        if let Some(Said { news: News::Started(lost), .. }) = open.said {
            self.lose(lost);
        }
        true
    }

    /// Time passes. Calls that are due meanwhile are sent, and calls time out.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now.plus(time);
        while let Some(number) = (0..self.open.len()).min_by_key(|it| self.open[*it].next())
            && self.open[number].next() <= end
        {
            self.now = self.now.max(self.open[number].next());
            if self.open[number].stage == Stage::Due {
                self.dispatch(number);
            } else {
                if !self.duo.is_down && self.chance.one_in(2) {
                    self.act(number);
                }
                let said = timeout(&self.open[number].call.signed);
                self.deliver(number, &said);
            }
        }
        self.now = end;
    }
}

impl Open {
    const fn is_undecided(&self) -> bool {
        !matches!(self.stage, Stage::Orphan(_))
    }
}

/// The answer that a request has just got, and the call before it.
pub(super) struct Heard {
    pub(super) news: News,
    /// `None` if there was no room for it.
    pub(super) call: Option<Call>,
}

impl Heard {
    const NO_ROOM: Self = Self { news: News::Nothing, call: None };
}
