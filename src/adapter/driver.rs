//! Drives one request: passes events to the core, and performs the steps that it returns.
//!
//! A step has exactly one effect. Its counts and log lines are recorded after the effect, so that a
//! request whose client has left is not logged as admitted.

use super::callback::{Callback, with_event};
use super::host;
use super::plugin::{AfterEffect, Plugin};
use super::streams::{Stage, Streams};
use crate::clock::UnixTime;
use crate::gate::{
    AwaitedBody, Body, Call, Effect, End, Event, Flow, Forward, HostFacts, Judgement, Notes,
    Opening, Step,
};
use crate::http::{HeadFault, Reply, RequestHead};
use crate::identity::Attributes;
use std::borrow::Cow;
use std::rc::Rc;
use std::time::Duration;

/// The property with the peer's address: that of the connection, or the one that a trusted proxy
/// wrote into `x-forwarded-for`, depending on `use_remote_address` and `xff_num_trusted_hops`. The
/// filter never reads that header itself.
const PEER: [&str; 2] = ["source", "address"];

/// The property that says whether the client has presented a certificate.
const MTLS: [&str; 2] = ["connection", "mtls"];

/// How long after its timeout the host may report the end of a call.
const REPORTED_WITHIN: Duration = Duration::from_secs(5);

/// Whether the host forwards a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passage {
    /// It is forwarded.
    Open,
    /// It waits, was refused, or has been resumed already.
    Closed,
}

/// How the host learns that a request is forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resumption {
    /// The host is waiting for the [`Passage`], which is the return value of its callback.
    ByPassage,
    /// The request was paused, so the host has to be called.
    ByCall,
}

/// One request, and everything that its steps need. The host acts for its stream.
pub(super) struct Driver<'a> {
    plugin: &'a Rc<Plugin>,
    streams: &'a Streams,
    context: u32,
    resumption: Resumption,
}

impl<'a> Driver<'a> {
    /// A driver for a request in a callback of the host; the [`Passage`] is the return value.
    pub(super) const fn of(plugin: &'a Rc<Plugin>, streams: &'a Streams, context: u32) -> Self {
        Self { plugin, streams, context, resumption: Resumption::ByPassage }
    }

    /// A driver for a request that was paused, outside of its callbacks.
    pub(super) const fn of_paused(
        plugin: &'a Rc<Plugin>,
        streams: &'a Streams,
        context: u32,
    ) -> Self {
        Self { plugin, streams, context, resumption: Resumption::ByCall }
    }

    /// Handles a new request's head, or that of a forwarded one.
    pub(super) fn open(&self, has_body: bool) -> Passage {
        let gate = &self.plugin.gate;
        let buffer = host::request_headers().unwrap_or_default();
        let head = match RequestHead::read(&buffer) {
            Ok(head) => head,
            Err(fault) => return self.perform(gate.malformed(fault, &buffer).into()),
        };
        let attribute = gate.attribute().and_then(host::property);
        let groups = gate.groups_attribute().and_then(host::property);
        let wants_certificate = gate.config().identity.wants_certificate();
        let mtls = wants_certificate.then(|| host::property(&MTLS)).flatten();
        let peer = gate.wants_address().then(|| host::property(&PEER)).flatten();
        let bound: Vec<_> =
            gate.bound_properties().iter().map(|path| host::property(path)).collect();
        let facts = HostFacts {
            now: self.plugin.clock(),
            attributes: Attributes {
                name: attribute.as_deref(),
                mtls: mtls.as_deref(),
                groups: groups.as_deref(),
            },
            address: peer.as_deref(),
            bound: &bound,
            has_body,
        };
        let opening = self.plugin.with_verified(|verified| gate.open(&head, &facts, verified));
        match opening {
            Opening::Decided(decision) => self.end(decision.end, decision.notes),
            Opening::Undecided(undecided) => {
                let peer = peer.or_else(|| host::property(&PEER));
                self.perform(gate.ask(&head, undecided, peer.as_deref(), &self.plugin.env()))
            }
        }
    }

    /// Handles the end of one of this request's calls.
    pub(super) fn answered(&self, flow: Flow, callback: Callback) {
        let step = with_event(callback, |event| flow.handle(event, &self.plugin.env()));
        self.perform(step);
    }

    /// Handles a body that has arrived, or is longer than `max` bytes.
    pub(super) fn read_body(&self, awaited: AwaitedBody, max: usize) -> Passage {
        let body = host::request_body(max).unwrap_or_default();
        let body = if body.len() > max { Body::TooLong } else { Body::Whole(&body) };
        self.go_on(awaited, body)
    }

    pub(super) fn go_on(&self, awaited: AwaitedBody, body: Body<'_>) -> Passage {
        let buffer = host::request_headers().unwrap_or_default();
        let step = match RequestHead::read(&buffer) {
            Ok(head) => awaited.handle(&head, body, &self.plugin.env()),
            Err(fault) => self.plugin.gate.malformed(fault, &buffer).into(),
        };
        self.perform(step)
    }

    /// Performs a step. A call that cannot be sent becomes an event at once. The core counts its
    /// tries, so this ends.
    pub(super) fn perform(&self, mut step: Step) -> Passage {
        loop {
            let Step { effect, notes } = step;
            let (call, then) = match effect {
                Effect::End(end) => return self.end(end, notes),
                Effect::ReadBody { max, until, then } => {
                    self.note(notes);
                    self.put(Stage::AwaitedBody(max, until, then));
                    return Passage::Closed;
                }
                Effect::Wait { due, seat, permit, then } => {
                    self.note(notes);
                    let now = host::now().unwrap_or_default();
                    match self.plugin.enter(Some(seat), self.streams.undecided(), now) {
                        Ok(()) => {
                            self.put(Stage::Waiting(due, seat, permit, then));
                            return Passage::Closed;
                        }
                        Err(crowded) => step = then.crowded(crowded, &self.plugin.env()),
                    }
                    continue;
                }
                Effect::Permit { permit, then } => {
                    self.note(notes);
                    step = self.plugin.grant(&permit, *then);
                    continue;
                }
                Effect::Call { call, then } => (call, then),
            };
            self.note(notes);
            if !call.is_due(host::now().unwrap_or_default()) {
                self.put(Stage::Due(call, then));
                return Passage::Closed;
            }
            match self.send(&call, then) {
                None => return Passage::Closed,
                Some(unsent) => step = unsent,
            }
        }
    }

    /// Forwards or refuses the request.
    fn end(&self, end: End, notes: Notes) -> Passage {
        let judgement = notes.judgement;
        let records = self.learn(notes);
        if let Some(judgement) = judgement {
            let is_late = self.is_too_late();
            // Before the effect, since the access log and later filters read it.
            self.publish(if is_late { judgement.abandoned() } else { judgement });
            if is_late {
                self.plugin.record_undone(records);
                return Passage::Closed;
            }
        }
        match end {
            End::Forward(forward) => self.forward(forward, records),
            End::Reply(reply) => self.reply(&reply, records),
            End::Logo { absent } => {
                let reply = self.plugin.with_logo(|logo| logo.reply(absent));
                self.reply(&reply, records)
            }
            End::Readiness => {
                let reply = self.plugin.gate.readiness(&self.plugin.healths.all());
                self.reply(&reply, records)
            }
        }
    }

    /// Records all notes of a step that does not end the request.
    fn note(&self, notes: Notes) {
        let records = self.learn(notes);
        self.plugin.record(records);
    }

    /// Records the notes that belong before the effect, and returns those that belong after it.
    fn learn(&self, notes: Notes) -> AfterEffect {
        let Notes { count, signals, audit, learned, settlements, judgement: _ } = notes;
        if let Some(learned) = learned {
            self.plugin.healths.learn(learned, host::now().unwrap_or_default());
        }
        self.plugin.settle(settlements);
        AfterEffect { count, signals, audit }
    }

    /// Sends a call whose time has come. Returns the next step if it was not sent.
    fn send(&self, call: &Call, then: Box<Flow>) -> Option<Step> {
        let plugin = self.plugin;
        let now = host::now().unwrap_or_default();
        if let Err(crowded) = plugin.enter(call.seat, self.streams.undecided(), now) {
            return Some(then.crowded(crowded, &plugin.env()));
        }
        plugin.stats.count(call.counter());
        let is_neighbor = |asked| plugin.healths.share_a_cluster(asked, call.application);
        match plugin.dispatch(call, &|| self.streams.asks(plugin, &is_neighbor)) {
            Ok(token) => {
                plugin.healths.occupy(call.application, now);
                self.put(Stage::Sent {
                    token,
                    seat: call.seat,
                    until: until(call, now),
                    flow: then,
                });
                None
            }
            Err(not_sent) => {
                plugin.leave(call.seat);
                Some(then.handle(Event::Failed(not_sent), &plugin.env()))
            }
        }
    }

    fn forward(&self, forward: Forward, records: AfterEffect) -> Passage {
        if host::edit_request(&forward.request).is_err() {
            // With half of its edits, it could have a client's header in place of the filter's, so
            // it is not forwarded.
            self.plugin.record_undone(records);
            let refused = self.plugin.gate.malformed(HeadFault::Malformed, &[]);
            return self.end(refused.end, refused.notes);
        }
        if let Some(cookie) = forward.cookie {
            self.put(Stage::Forwarded(cookie));
        }
        match self.resumption {
            Resumption::ByPassage => {
                self.plugin.record(records);
                Passage::Open
            }
            Resumption::ByCall => {
                match host::resume() {
                    Ok(()) => self.plugin.record(records),
                    Err(_) => self.plugin.record_undone(records),
                }
                Passage::Closed
            }
        }
    }

    fn reply(&self, reply: &Reply, records: AfterEffect) -> Passage {
        self.put(Stage::Refused);
        match host::reply(reply) {
            Ok(()) => self.plugin.record(records),
            Err(_) => self.plugin.record_undone(records),
        }
        Passage::Closed
    }

    /// Whether the client has left while its request waited. For a moment after that, the host
    /// still knows the stream, and accepts every call for it.
    fn is_too_late(&self) -> bool {
        self.resumption == Resumption::ByCall && host::has_ended()
    }

    /// Sets the filter state of the request, if it is configured.
    fn publish(&self, judgement: Judgement) {
        if self.plugin.gate.config().filter_state {
            set_filter_state(judgement);
        }
    }

    pub(super) fn put(&self, stage: Stage) {
        self.streams.put(self.context, self.plugin, stage);
    }
}

/// Deadline by which the host reports the end of a call that is sent now.
fn until(call: &Call, now: UnixTime) -> UnixTime {
    now.plus(call.timeout).plus(REPORTED_WITHIN)
}

#[inline(never)]
fn set_filter_state(judgement: Judgement) {
    for (name, value) in judgement.properties() {
        if value.is_some_and(|value: Cow<'_, str>| host::set_property(name, &value).is_err()) {
            log::debug!("a request ended before its filter state could be set");
        }
    }
}
