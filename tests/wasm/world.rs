//! An Envoy with its workers, their clients, and Duo.

use crate::duo::{Allowed, Duo, Origin};
use crate::host::{Answer, Call, Event, Map, Process, Recorded, Snapshot, Stream, Vm};
use crate::judge::{Judge, Kind, Sent};
use crate::people::Ask;
use crate::tally;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A worker and one of its streams.
pub(crate) type Id = (usize, u32);

/// A configuration in one virtual machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root {
    pub(crate) vm: usize,
    pub(crate) context: u32,
    pub(crate) listener: usize,
    pub(crate) is_running: bool,
    /// Whether another one has taken its place.
    pub(crate) is_old: bool,
}

pub(crate) struct World {
    pub(crate) process: Rc<RefCell<Process>>,
    pub(crate) vms: Vec<Vm>,
    pub(crate) roots: Vec<Root>,
    pub(crate) duo: Duo,
    judge: Judge,
    sent: BTreeMap<Id, Sent>,
    /// The cookies of users, by user and listener.
    pub(crate) jars: BTreeMap<(String, usize), BTreeMap<String, String>>,
    /// The requests that were forwarded, in order.
    pub(crate) forwarded: Vec<Id>,
    /// Requests that nothing would have ended.
    stuck: Vec<String>,
    /// Other broken promises, except traps.
    wrong: Vec<String>,
}

/// The period of the module's ticks, in nanoseconds.
pub(crate) const TICK: u64 = 250_000_000;
/// Rounds within which each request has to be decided.
const LONGEST_WAIT: usize = 100;

impl World {
    pub(crate) fn new(seed: u64, workers: usize, counts_instructions: bool) -> Self {
        let process = Rc::new(RefCell::new(Process::new(seed)));
        let vms = (0..workers).map(|_| Vm::new(&process, counts_instructions)).collect();
        Self { vms, ..Self::around(process) }
    }

    fn around(process: Rc<RefCell<Process>>) -> Self {
        Self {
            process,
            vms: Vec::new(),
            roots: Vec::new(),
            duo: Duo::new(),
            judge: Judge::default(),
            sent: BTreeMap::new(),
            jars: BTreeMap::new(),
            forwarded: Vec::new(),
            stuck: Vec::new(),
            wrong: Vec::new(),
        }
    }

    /// A world in an earlier state of this one, before its first request.
    pub(crate) fn of(process: Process, vms: Vec<Vm>, roots: Vec<Root>) -> Self {
        let process = Rc::new(RefCell::new(process));
        Self { roots, vms, ..Self::around(process) }
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.process.borrow().seconds()
    }

    /// Records the host calls from here on; `odd` is the one to answer oddly.
    pub(crate) fn record(&self, recorded: Recorded) {
        self.process.borrow_mut().recorded = Some(recorded);
    }

    pub(crate) fn recorded(&self) -> Recorded {
        self.process.borrow_mut().recorded.take().unwrap_or_default()
    }

    /// Starts a configuration in a worker.
    pub(crate) fn configure(&mut self, vm: usize, listener: usize, text: &str) -> Root {
        let configured = self.vms[vm].configure(text);
        let (context, is_running) = match configured {
            Ok(context) => (context, true),
            Err(context) => (context, false),
        };
        let root = Root { vm, context, listener, is_running, is_old: false };
        self.roots.push(root);
        self.judge(vm, None);
        root
    }

    /// A worker's virtual machine ends, with all that it held. Another one takes its place, in this state.
    pub(crate) fn restart(&mut self, vm: usize, state: &Snapshot) {
        if !self.vms[vm].restore(state, &self.process) {
            self.vms[vm] = Vm::new(&self.process, false);
            self.vms[vm].restore(state, &self.process);
        }
        self.roots.retain(|root| root.vm != vm);
        self.sent.retain(|(worker, _), _| *worker != vm);
    }

    pub(crate) fn ask(&mut self, root: Root, ask: &Ask) -> Id {
        self.ask_as(root, ask, ask.stream(root.context))
    }

    /// Sends a request whose stream the test has changed.
    pub(crate) fn ask_as(&mut self, root: Root, ask: &Ask, stream: Stream) -> Id {
        let sent = ask.sent(root.listener, root.is_running);
        // The number is known only afterwards.
        let id = (root.vm, self.vms[root.vm].request(stream));
        self.sent.insert(id, sent);
        self.judge(root.vm, None);
        id
    }

    pub(crate) fn body(&mut self, id: Id, part: &[u8], is_last: bool) {
        self.vms[id.0].body(id.1, part, is_last);
        self.judge(id.0, None);
    }

    pub(crate) fn trailers(&mut self, id: Id, trailers: Map) {
        let is_shown = |stream: &Stream| stream.upstream.is_some() || stream.shows_body;
        let is_shown = self.stream(id).is_some_and(is_shown);
        self.vms[id.0].trailers(id.1, trailers);
        if let Some(stream) = self.stream(id).filter(|stream| is_shown && stream.reply.is_none())
            && let mut names = stream.trailers.iter().flatten().map(|(name, _)| name)
            && names.any(|name| name.starts_with(b"x-duo-mfa-"))
        {
            self.wrong.push("a client's own trailer reaches the application".to_owned());
        }
        self.judge(id.0, None);
    }

    /// The application responds to a request that was forwarded, and the exchange is over.
    pub(crate) fn respond(&mut self, id: Id) -> Option<Stream> {
        let headers = [(":status", "200"), ("content-type", "text/plain")];
        let pair =
            |(name, value): (&str, &str)| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
        self.vms[id.0].respond(id.1, headers.map(pair).to_vec());
        self.judge(id.0, None);
        self.end(id)
    }

    /// Envoy ends a stream that waits too long.
    pub(crate) fn time_out(&mut self, id: Id) {
        if let Some(stream) = self.vms[id.0].stream(id.1) {
            stream.details = b"stream_idle_timeout".to_vec();
        }
    }

    pub(crate) fn end(&mut self, id: Id) -> Option<Stream> {
        self.sent.remove(&id);
        self.vms[id.0].end(id.1)
    }

    pub(crate) fn stream(&self, id: Id) -> Option<&Stream> {
        self.vms[id.0].streams().get(&id.1)
    }

    pub(crate) fn is_forwarded(&self, id: Id) -> bool {
        self.forwarded.contains(&id)
    }

    /// The origin of a prompt that a call begins; `None` for a check of the filter.
    fn origin(&self, vm: usize, call: &Call) -> Option<Origin> {
        let stream = (vm, call.stream);
        let sent = self.sent.get(&stream)?;
        Some(Origin {
            stream,
            user: sent.user.clone(),
            listener: sent.listener,
            network: sent.network.clone(),
            wanted: sent.wanted.clone(),
            is_held: Kind::of(&sent.path) != Kind::Own,
        })
    }

    /// Reports the end of a call: what Duo says, unless it is `instead`. Returns what was reported.
    pub(crate) fn deliver(
        &mut self,
        vm: usize,
        place: usize,
        instead: Option<Answer>,
    ) -> (Call, Answer) {
        let call = self.vms[vm].take_call(place);
        let origin = self.origin(vm, &call);
        if let Some(origin) = &origin
            && let Ok(body) = serde_json::from_slice::<serde_json::Value>(&call.body)
            && let Some(named) = body["username"].as_str()
            && named != origin.user
        {
            self.wrong.push(format!("Duo is asked about {named} for {origin:?}"));
        }
        let (said, allowed) = self.duo.answer(&call, origin.as_ref(), self.seconds());
        let (answer, heard) = match instead {
            Some(other) => (other, None),
            None => (said, allowed),
        };
        if let Some(heard) = &heard {
            self.judge.heard(heard, self.seconds());
        }
        self.vms[vm].answered(call.root, call.token, &answer);
        self.judge(vm, heard.as_ref());
        (call, answer)
    }

    /// Reports the end of a call that is not under way, or in another context.
    pub(crate) fn misreport(&mut self, vm: usize, context: u32, token: u32, answer: &Answer) {
        self.vms[vm].answered(context, token, answer);
        self.judge(vm, None);
    }

    pub(crate) fn tick(&mut self, root: Root) {
        self.vms[root.vm].tick(root.context);
        self.judge(root.vm, None);
    }

    /// Time passes, and the timers of all configurations fire once.
    pub(crate) fn pass(&mut self, nanoseconds: u64) {
        self.process.borrow_mut().now += nanoseconds;
        for root in self.roots.clone() {
            self.tick(root);
        }
    }

    /// Reports all calls, and lets time pass until every request is decided. Requests that nothing ends are counted.
    pub(crate) fn settle(&mut self) {
        for round in 0..LONGEST_WAIT {
            for vm in 0..self.vms.len() {
                while !self.vms[vm].calls().is_empty() {
                    self.deliver(vm, 0, None);
                }
            }
            if self.undecided().next().is_none() {
                return;
            }
            // A request that waits for long waits for a person, and polls.
            self.pass(if round < 20 { TICK } else { 20 * TICK });
        }
        let stuck = self.undecided().map(|id| format!("{:?}", self.sent.get(&id)));
        let stuck: Vec<_> = stuck.collect();
        self.stuck.extend(stuck);
    }

    /// The requests that wait.
    pub(crate) fn undecided(&self) -> impl Iterator<Item = Id> {
        self.sent.keys().copied().filter(|id| {
            let stream = self.stream(*id);
            stream.is_some_and(|stream| stream.is_undecided() && stream.details.is_empty())
        })
    }

    pub(crate) fn ids(&self) -> Vec<Id> {
        self.sent.keys().copied().collect()
    }

    /// Judges all that has happened in the last entries.
    fn judge(&mut self, vm: usize, heard: Option<&Allowed>) {
        let now = self.seconds();
        for event in self.vms[vm].take_events() {
            let (Event::Forwarded(number)
            | Event::Replied(number)
            | Event::DecidedTwice(number)
            | Event::Responded(number)) = event;
            let id = (vm, number);
            let Some(sent) = self.sent.get_mut(&id) else { continue };
            let Some(stream) = self.vms[vm].streams().get(&number) else { continue };
            let judged = match event {
                Event::Forwarded(_) => {
                    self.forwarded.push(id);
                    tally::FORWARDED.add(1);
                    let upstream = stream.upstream.as_ref().unwrap();
                    self.judge.forwarded((sent, id), upstream, heard, (&mut self.duo, now))
                }
                Event::Replied(_) => {
                    tally::REPLIED.add(1);
                    Ok(())
                }
                Event::Responded(_) => {
                    let client = stream.client.as_ref().unwrap();
                    let jar = self.jars.entry((sent.user.clone(), sent.listener)).or_default();
                    keep(jar, client);
                    self.judge.responded(sent, client, heard, (&mut self.duo, now))
                }
                Event::DecidedTwice(_) => {
                    self.wrong.push(format!("decided twice: {sent:?}"));
                    Ok(())
                }
            };
            if let Err(why) = judged {
                tally::WRONGLY_ADMITTED.add(1);
                self.wrong.push(format!("wrongly admitted: {why}"));
            }
        }
    }

    /// Counts and removes the broken promises. A request may be stuck if Envoy has said that it had ended.
    pub(crate) fn broken(&mut self, is_stuck_wrong: bool) -> Vec<String> {
        let traps = std::mem::take(&mut self.process.borrow_mut().traps);
        tally::TRAPS.add(traps.len());
        let stuck = std::mem::take(&mut self.stuck);
        let mut broken = std::mem::take(&mut self.wrong);
        broken.extend(traps.iter().map(|trap| format!("trap: {trap}")));
        if is_stuck_wrong {
            tally::STUCK.add(stuck.len());
            broken.extend(stuck.iter().map(|request| format!("stuck: {request}")));
        }
        broken
    }
}

/// A client stores the cookies of a response.
fn keep(jar: &mut BTreeMap<String, String>, client: &Map) {
    for (_, line) in client.iter().filter(|(name, _)| name == b"set-cookie") {
        let line = str::from_utf8(line).unwrap();
        let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
        if line.contains("Max-Age=0") {
            jar.remove(name);
        } else {
            jar.insert(name.to_owned(), value.to_owned());
        }
    }
}
