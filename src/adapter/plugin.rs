//! One plugin configuration in one VM: what its root and its streams share.

use super::callback::{Callback, with_event};
use super::health::Healths;
use super::host::{self, Unsent};
use super::places::Places;
use super::slots;
use super::stats::Stats;
use super::streams::{Stage, Streams};
use crate::clock::UnixTime;
use crate::config::Mode;
use crate::gate::limit::{Claim, Settlement, Table};
use crate::gate::{
    Body, Call, Claimant, Effect, End, Env, Event, Flow, Form, Forward, Gate, HostFacts, Judgement,
    Logo, Opening, Seat, Step, Unanswered,
};
use crate::http::{HeadFault, Reply, RequestHead};
use crate::identity::Attributes;
use crate::session::Verified;
use crate::signal::Counter;
use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;

/// The property that holds the peer's address: of the connection, or what a trusted proxy has
/// written into `x-forwarded-for`, as `use_remote_address` and `xff_num_trusted_hops` say. The
/// header itself is never read.
const PEER: [&str; 2] = ["source", "address"];

/// The property that says whether the client has shown a certificate.
const MTLS: [&str; 2] = ["connection", "mtls"];

/// A configuration at work in this VM.
pub(super) struct Plugin {
    pub(super) gate: Gate,
    pub(super) healths: Healths,
    pub(super) stats: Stats,
    pub(super) table: Table,
    /// The time of the last tick: asking the host on every request would cost more than all that
    /// is computed there, and an approval that lives a quarter of a second longer harms nobody.
    clock: Cell<UnixTime>,
    verified: Cell<Option<Box<Verified>>>,
    logo: Cell<Logo>,
    room: Places,
}

/// Whether a request goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passage {
    /// It goes upstream.
    Open,
    /// It waits, or was answered.
    Closed,
}

impl Plugin {
    pub(super) fn new(gate: Gate) -> Self {
        match gate.config().mode {
            Mode::Enforce => {}
            Mode::ReportOnly => log::warn!("mode is report_only: every request passes"),
            Mode::Off => log::warn!("mode is off: every request passes, and nobody is told of any"),
        }
        for header in gate.config().identity.trusted_headers() {
            log::info!(
                "the header {header} is trusted: a filter before this one must remove a client's \
                 own from every request, on every route"
            );
        }
        Self {
            healths: Healths::of(&gate.config().applications),
            table: Table::new(&gate.config().shared),
            gate,
            stats: Stats::default(),
            clock: Cell::new(host::now().unwrap_or_default()),
            verified: Cell::default(),
            logo: Cell::default(),
            room: Places::default(),
        }
    }

    /// Takes the host's time. A host without a clock makes every cookie one of the future.
    pub(super) fn refresh_clock(&self) -> UnixTime {
        self.clock.set(host::now().unwrap_or_default());
        self.clock.get()
    }

    /// Works on the account's picture. `work` calls nothing that needs it.
    pub(super) fn with_logo<T>(&self, work: impl FnOnce(&mut Logo) -> T) -> T {
        let mut logo = self.logo.take();
        let outcome = work(&mut logo);
        self.logo.set(logo);
        outcome
    }

    /// Gives back the room of a call that is over.
    pub(super) fn leave(&self, seat: Option<Seat>) {
        self.room.leave(seat);
    }

    /// A request has arrived, or the head of one that goes on.
    pub(super) fn open(
        self: &Rc<Self>,
        context: u32,
        has_body: bool,
        streams: &Streams,
    ) -> Passage {
        let buffer = host::request_headers().unwrap_or_default();
        let head = match RequestHead::read(&buffer) {
            Ok(head) => head,
            Err(fault) => {
                return self.perform(context, self.gate.malformed(fault, &buffer).into(), streams);
            }
        };
        let attribute = self.gate.attribute().and_then(host::property);
        let groups = self.gate.groups_attribute().and_then(host::property);
        let wants_certificate = self.gate.config().identity.wants_certificate();
        let mtls = wants_certificate.then(|| host::property(&MTLS)).flatten();
        let peer = self.gate.wants_address().then(|| host::property(&PEER)).flatten();
        let bound: Vec<_> =
            self.gate.bound_properties().iter().map(|path| host::property(path)).collect();
        let facts = HostFacts {
            now: self.clock.get(),
            attributes: Attributes {
                name: attribute.as_deref(),
                mtls: mtls.as_deref(),
                groups: groups.as_deref(),
            },
            address: peer.as_deref(),
            bound: &bound,
            has_body,
            duo_is_well: self.healths.are_well(),
        };
        let mut verified = self.verified.take().unwrap_or_default();
        let opening = self.gate.open(&head, &facts, &mut verified);
        self.verified.set(Some(verified));
        let step = match opening {
            Opening::Decided(decision) => decision.into(),
            Opening::Undecided(undecided) => {
                let peer = peer.or_else(|| host::property(&PEER));
                self.gate.ask(&head, undecided, peer.as_deref(), &self.env())
            }
        };
        self.perform(context, step, streams)
    }

    /// A call of this request's is over. The host acts for the request's stream.
    pub(super) fn answered(
        self: &Rc<Self>,
        context: u32,
        flow: Flow,
        callback: Callback,
        streams: &Streams,
    ) {
        let step = with_event(callback, |event| flow.handle(event, &self.env()));
        resume_if_open(self.perform(context, step, streams));
    }

    /// A call is over whose client has left. What it says of the user's phone is kept.
    pub(super) fn answered_for_nobody(&self, flow: Flow, callback: Callback) {
        if !flow.outlives_its_client() {
            return self.abandoned(Some(&flow));
        }
        let step = with_event(callback, |event| flow.handle(event, &self.env()));
        self.settle(step.notes.settlements);
        match step.effect {
            Effect::Call { then, .. } => self.abandoned(Some(&then)),
            Effect::End(_)
            | Effect::Claim { .. }
            | Effect::Wait { .. }
            | Effect::ReadBody { .. } => self.stats.take(step.notes.signals),
        }
    }

    /// The client left before its request was decided; `flow` waited for Duo, if any did.
    pub(super) fn abandoned(&self, flow: Option<&Flow>) {
        self.stats.count(Counter::Abandoned);
        self.settle(flow.map(Flow::left).unwrap_or_default());
    }

    /// Writes down what became of permits.
    fn settle(&self, settlements: impl IntoIterator<Item = Settlement>) {
        let limits = &self.gate.config().limits;
        for settlement in settlements {
            let now = host::now().unwrap_or_default();
            self.stats.take(self.table.settle(&settlement, limits, now, &mut slots::change));
        }
    }

    /// A body is there, or longer than `max` bytes. The host acts for its stream.
    pub(super) fn read_form(
        self: &Rc<Self>,
        context: u32,
        form: Form,
        max: usize,
        streams: &Streams,
    ) -> Passage {
        let body = host::request_body(max).unwrap_or_default();
        let body = if body.len() > max { Body::TooLong } else { Body::Whole(&body) };
        self.go_on(context, form, body, streams)
    }

    pub(super) fn go_on(
        self: &Rc<Self>,
        context: u32,
        form: Form,
        body: Body<'_>,
        streams: &Streams,
    ) -> Passage {
        let buffer = host::request_headers().unwrap_or_default();
        let step = match RequestHead::read(&buffer) {
            Ok(head) => form.handle(&head, body, &self.env()),
            Err(fault) => self.gate.malformed(fault, &buffer).into(),
        };
        self.perform(context, step, streams)
    }

    /// Sends a call to the cluster of its Duo application. Why it cannot be sent is for the log;
    /// `is_occupied` says whether other calls are under way there, which may fill the circuit
    /// breaker.
    pub(super) fn dispatch(
        &self,
        call: &Call,
        is_occupied: &dyn Fn() -> bool,
    ) -> Result<u32, Unanswered> {
        let cluster = &self.gate.config().applications.get(call.application).duo.cluster;
        host::dispatch(cluster, &call.signed, call.timeout).map_err(|unsent| match unsent {
            Unsent::UnknownCluster => {
                log::error!(
                    "cluster \"{cluster}\" is not known to Envoy: add it; in Istio its name is \
                     outbound|443||API-HOST"
                );
                Unanswered::NotSent
            }
            // It is counted, and stands in the line of the request that met it.
            Unsent::TakenBack if is_occupied() => Unanswered::Overflow,
            Unsent::TakenBack => {
                log::error!("cluster \"{cluster}\" has no usable host: look at its DNS and TLS");
                Unanswered::NotSent
            }
        })
    }

    /// Has all workers know to which Duo applications this one has calls under way.
    pub(super) fn note_calls(self: &Rc<Self>, now: UnixTime, streams: &Streams) {
        for application in streams.asked(self) {
            self.healths.occupy(application, now);
        }
    }

    fn env(&self) -> Env<'_> {
        Env {
            gate: &self.gate,
            now: host::now().unwrap_or_default(),
            healths: self.healths.all(),
            random: host::random(),
        }
    }

    /// Does what a step says. A call that cannot be sent is an event at once; the core's tries are
    /// counted, so this ends.
    pub(super) fn perform(
        self: &Rc<Self>,
        context: u32,
        mut step: Step,
        streams: &Streams,
    ) -> Passage {
        loop {
            let notes = step.notes;
            if let Some(counter) = notes.count {
                self.stats.count(counter);
            }
            self.stats.take(notes.signals);
            if let Some(judgement) = notes.judgement
                && self.gate.config().filter_state
            {
                tell(judgement);
            }
            if let Some(learned) = notes.learned {
                self.healths.learn(learned, host::now().unwrap_or_default());
            }
            let config = self.gate.config();
            self.settle(notes.settlements);
            let (call, then) = match step.effect {
                Effect::End(End::Forward(forward)) => {
                    return self.forward(context, forward, streams);
                }
                Effect::End(End::Reply(reply)) => {
                    streams.put(context, self, Stage::Refused);
                    return answer(&reply);
                }
                Effect::End(End::Logo { absent }) => {
                    streams.put(context, self, Stage::Refused);
                    return answer(&self.with_logo(|logo| logo.reply(absent)));
                }
                Effect::ReadBody { max, until, then } => {
                    streams.put(context, self, Stage::Form(max, until, then));
                    return Passage::Closed;
                }
                Effect::Wait { due, seat, claim, then } => {
                    let (now, capacity) = (host::now().unwrap_or_default(), &config.capacity);
                    match self.room.enter(Some(seat), capacity, streams.undecided(), now) {
                        Ok(()) => {
                            let stage = Stage::Waiting(due, seat, claim, then);
                            streams.put(context, self, stage);
                            return Passage::Closed;
                        }
                        Err(crowded) => step = then.crowded(crowded, &self.env()),
                    }
                    continue;
                }
                Effect::Claim { claim, then } => {
                    step = self.claim(&claim, *then);
                    continue;
                }
                Effect::Call { call, then } => (call, then),
            };
            if !call.is_due(host::now().unwrap_or_default()) {
                streams.put(context, self, Stage::Due(call, then));
                return Passage::Closed;
            }
            match self.send(context, &call, then, streams) {
                None => return Passage::Closed,
                Some(unsent) => step = unsent,
            }
        }
    }

    /// Claims something of the table, and tells the claimant.
    pub(super) fn claim(&self, claim: &Claim, then: Claimant) -> Step {
        let (env, limits) = (self.env(), &self.gate.config().limits);
        let changed = self.table.claim(claim, limits, env.now, &mut slots::change);
        self.stats.take(changed.signals);
        then.handle(changed.verdict, &env)
    }

    /// Sends a call whose time has come; the step to go on with if it was not sent.
    fn send(
        self: &Rc<Self>,
        context: u32,
        call: &Call,
        then: Box<Flow>,
        streams: &Streams,
    ) -> Option<Step> {
        let now = host::now().unwrap_or_default();
        let capacity = &self.gate.config().capacity;
        if let Err(crowded) = self.room.enter(call.seat, capacity, streams.undecided(), now) {
            return Some(then.crowded(crowded, &self.env()));
        }
        self.stats.count(call.counter());
        let is_neighbor = |asked: &usize| self.healths.share_a_cluster(*asked, call.application);
        match self.dispatch(call, &|| streams.asked(self).iter().any(is_neighbor)) {
            Ok(token) => {
                self.healths.occupy(call.application, now);
                streams.put(context, self, Stage::Sent(token, call.seat, then));
                None
            }
            Err(not_sent) => {
                self.leave(call.seat);
                Some(then.handle(Event::Failed(not_sent), &self.env()))
            }
        }
    }

    fn forward(self: &Rc<Self>, context: u32, forward: Forward, streams: &Streams) -> Passage {
        if host::edit_request(&forward.request).is_err() {
            // Half edited, it could carry a client's header as ours: it does not go on.
            return self.perform(
                context,
                self.gate.malformed(HeadFault::Malformed, &[]).into(),
                streams,
            );
        }
        if let Some(cookie) = forward.cookie {
            streams.put(context, self, Stage::Forwarded(cookie));
        }
        Passage::Open
    }
}

/// Tells the host what became of the request that it acts for.
#[inline(never)]
fn tell(judgement: Judgement) {
    for (name, value) in judgement.properties() {
        if value.is_some_and(|value: Cow<'_, str>| host::set_property(name, &value).is_err()) {
            log::debug!("a request was gone before Envoy could be told of it");
        }
    }
}

pub(super) fn answer(reply: &Reply) -> Passage {
    if host::reply(reply).is_err() {
        log::debug!("a request was gone before it could be answered");
    }
    Passage::Closed
}

pub(super) fn resume_if_open(passage: Passage) {
    if passage == Passage::Open && host::resume().is_err() {
        log::debug!("a request was gone before it could go on");
    }
}
