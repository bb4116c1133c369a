//! The interpreter of steps: drives one request, passes events to the core, and performs the steps
//! that it returns.
//!
//! A step has exactly one effect. Its counts and log lines are recorded after the effect, so that a
//! request whose client has left is not logged as admitted. A resumed request and a reply end the
//! work on a request: on some hosts the request is gone when the call returns.

use super::calls::explain;
use super::shared::{AfterEffect, Shared};
use super::stage::Stage;
use super::traits::{Map, Maps, Stream};
use crate::clock::UnixTime;
use crate::gate::limit::Permit;
use crate::gate::{
    AwaitedBody, AwaitingPermit, Body, Call, Effect, End, Event, FleetQuestion, Flow, Forward,
    HostFacts, Judgement, NewCookie, Notes, Opening, Pass, Seat, Step, Unanswered, response,
};
use crate::http::peer::ip_address;
use crate::http::{HeadFault, HeaderMap, Reply, RequestHead};
use crate::identity::Attributes;
use std::borrow::Cow;
use std::net::IpAddr;
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

/// One request, and the way in which it is forwarded.
pub(super) struct Driver<'a, S> {
    stream: &'a S,
    resumption: Resumption,
}

impl<'a, S: Stream> Driver<'a, S> {
    /// A driver for a request in a callback of the host; the [`Passage`] is the return value.
    pub(super) const fn of(stream: &'a S) -> Self {
        Self { stream, resumption: Resumption::ByPassage }
    }

    /// A driver for a request that was paused, outside of its callbacks.
    pub(super) const fn of_paused(stream: &'a S) -> Self {
        Self { stream, resumption: Resumption::ByCall }
    }

    fn shared(&self) -> &'a S::Shared {
        self.stream.shared()
    }

    /// The address of the peer.
    fn address(&self) -> Option<IpAddr> {
        ip_address(&self.stream.property(&PEER)?)
    }

    /// Handles a new request's head, or that of a forwarded one.
    pub(super) fn open(&self, has_body: bool) -> Passage {
        let (stream, shared) = (self.stream, self.shared());
        let gate = shared.gate();
        let buffer = stream.headers(Map::RequestHeaders);
        let head = match RequestHead::read(&buffer) {
            Ok(head) => head,
            Err(fault) => return self.perform(gate.malformed(fault, &buffer).into()),
        };
        let attribute = gate.attribute().and_then(|path| stream.property(path));
        let groups = gate.groups_attribute().and_then(|path| stream.property(path));
        let wants_certificate = gate.config().identity.wants_certificate();
        let mtls = wants_certificate.then(|| stream.property(&MTLS)).flatten();
        let address = gate.wants_address().then(|| self.address()).flatten();
        let bound: Vec<_> =
            gate.bound_properties().iter().map(|path| stream.property(path)).collect();
        let facts = HostFacts {
            now: shared.clock(),
            attributes: Attributes {
                name: attribute.as_deref(),
                mtls: mtls.as_deref(),
                groups: groups.as_deref(),
            },
            address,
            bound: &bound,
            has_body,
        };
        let opening = shared.with_verified(|verified| gate.open(&head, &facts, verified));
        match opening {
            Opening::Decided(decision) => {
                stream.take_back(buffer);
                self.end(decision.end, decision.notes)
            }
            Opening::Undecided(undecided) => {
                let address = address.or_else(|| self.address());
                self.perform(gate.ask(&head, undecided, address, &shared.env()))
            }
        }
    }

    /// Handles the end of one of this request's calls. If the client has left, an approval is kept for
    /// the same request, sent again.
    pub(super) fn answered(&self, flow: Flow, event: Event<'_>) {
        if self.is_too_late() {
            return self.shared().answered_for_nobody(flow, event);
        }
        let step = flow.handle(event, &self.shared().env());
        self.perform(step);
    }

    /// Handles a body that has arrived, with so many bytes at least, or is longer than `max` bytes.
    pub(super) fn read_body(&self, awaited: AwaitedBody, max: usize, size: usize) -> Passage {
        let body = self.stream.body(max).filter(|body| body.len() >= size.min(max));
        self.go_on(awaited, Body::of(body.as_deref(), max))
    }

    pub(super) fn go_on(&self, awaited: AwaitedBody, body: Body<'_>) -> Passage {
        let buffer = self.stream.headers(Map::RequestHeaders);
        let step = match RequestHead::read(&buffer) {
            Ok(head) => awaited.handle(&head, body, &self.shared().env()),
            Err(fault) => self.shared().gate().malformed(fault, &buffer).into(),
        };
        self.perform(step)
    }

    /// Requests the permit of a request that has waited for this moment, and has this room.
    pub(super) fn permit_is_due(&self, seat: Seat, permit: &Permit, then: AwaitingPermit) {
        let step = self.shared().grant(permit, then);
        if let Effect::Wait { due, permit, then, .. } = step.effect {
            return self.stream.put(Stage::Waiting(due, seat, permit, then));
        }
        self.shared().leave(Some(seat));
        self.perform(step);
    }

    /// Sends a call that has waited for this moment.
    pub(super) fn call_is_due(&self, call: Box<Call>, then: Box<Flow>) {
        self.perform(Effect::Call { call, then }.into());
    }

    /// Performs a step. A call that cannot be sent becomes an event at once. The core counts its
    /// tries, so this ends.
    fn perform(&self, mut step: Step) -> Passage {
        let (stream, shared) = (self.stream, self.shared());
        loop {
            let Step { effect, notes } = step;
            let (call, then) = match effect {
                Effect::End(end) => return self.end(end, notes),
                Effect::ReadBody { max, until, then } => {
                    self.note(notes);
                    stream.put(Stage::AwaitedBody { max, until, arrived: 0, then });
                    return Passage::Closed;
                }
                Effect::Wait { due, seat, permit, then } => {
                    self.note(notes);
                    match shared.enter(Some(seat), stream.undecided(), shared.now()) {
                        Ok(()) => {
                            stream.put(Stage::Waiting(due, seat, permit, then));
                            return Passage::Closed;
                        }
                        Err(crowded) => step = then.crowded(crowded, &shared.env()),
                    }
                    continue;
                }
                Effect::Permit { permit, then } => {
                    self.note(notes);
                    step = shared.grant(&permit, *then);
                    continue;
                }
                Effect::AskFleet { question, then } => {
                    self.note(notes);
                    match self.ask_fleet(&question, then) {
                        None => return Passage::Closed,
                        Some(unsent) => step = unsent,
                    }
                    continue;
                }
                Effect::Call { call, then } => (call, then),
            };
            self.note(notes);
            if !call.is_due(shared.now()) {
                stream.put(Stage::Due(call, then));
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
                self.shared().record_undone(records);
                return Passage::Closed;
            }
        }
        match end {
            End::Forward(forward) => self.forward(forward, records),
            End::Reply(reply) => self.reply(&reply, records),
            End::Logo { absent } => {
                let reply = self.shared().with_logo(|logo| logo.reply(absent));
                self.reply(&reply, records)
            }
            End::Readiness => {
                let reply = self.shared().gate().readiness(&self.shared().healths().all());
                self.reply(&reply, records)
            }
        }
    }

    /// Records all notes of a step that does not end the request.
    fn note(&self, notes: Notes) {
        let records = self.learn(notes);
        self.shared().record(records);
    }

    /// Records the notes that belong before the effect, and returns those that belong after it.
    fn learn(&self, notes: Notes) -> AfterEffect {
        let Notes { count, signals, audit, learned, settlements, judgement: _ } = notes;
        let shared = self.shared();
        if let Some(learned) = learned {
            shared.learn(&learned, shared.now());
        }
        shared.settle(settlements);
        AfterEffect { count, signals, audit }
    }

    /// Sends a call whose time has come. Returns the next step if it was not sent.
    fn send(&self, call: &Call, then: Box<Flow>) -> Option<Step> {
        let (stream, shared) = (self.stream, self.shared());
        let now = shared.now();
        let pass = shared.healths().pass(call, now);
        if let Pass::Refused(why) = pass {
            return Some(then.handle(Event::Failed(why), &shared.env()));
        }
        if let Err(crowded) = shared.enter(call.seat, stream.undecided(), now) {
            return Some(then.crowded(crowded, &shared.env()));
        }
        if pass == Pass::Try
            && let Err(why) = shared.healths().take_try(call, now)
        {
            shared.leave(call.seat);
            return Some(then.handle(Event::Failed(why), &shared.env()));
        }
        shared.count(call.counter());
        let cluster = shared.cluster(call);
        match stream.call(cluster, call, then.outlives_its_client()) {
            Ok(token) => {
                shared.healths().occupy(call.application, now);
                let until = until(call.timeout, now);
                stream.put(Stage::Sent { token, seat: call.seat, until, flow: then });
                None
            }
            Err(unsent) => {
                let is_neighbor = |asked| shared.healths().share_a_cluster(asked, call.application);
                let not_sent = explain(unsent, cluster, || stream.asks(&is_neighbor));
                shared.leave(call.seat);
                Some(then.handle(Event::Failed(not_sent), &shared.env()))
            }
        }
    }

    /// Sends a question to the rate limit service. Returns the next step if it was not sent. Duo's
    /// health, its breaker and the counters of its calls have no part in it.
    fn ask_fleet(&self, question: &FleetQuestion, then: Box<Flow>) -> Option<Step> {
        let FleetQuestion { cluster, timeout, seat, .. } = question;
        let (stream, shared) = (self.stream, self.shared());
        let (seat, now) = (Some(*seat), shared.now());
        if let Err(crowded) = shared.enter(seat, stream.undecided(), now) {
            return Some(then.crowded(crowded, &shared.env()));
        }
        match stream.post(cluster, &question.headers(), &question.body, *timeout) {
            Ok(token) => {
                stream.put(Stage::Sent { token, seat, until: until(*timeout, now), flow: then });
                None
            }
            Err(_) => {
                shared.leave(seat);
                Some(then.handle(Event::Failed(Unanswered::NotSent), &shared.env()))
            }
        }
    }

    fn forward(&self, forward: Forward, records: AfterEffect) -> Passage {
        let (stream, shared) = (self.stream, self.shared());
        if stream.edit(Map::RequestHeaders, &forward.request).is_err() {
            // With half of its edits, it could have a client's header in place of the filter's, so
            // it is not forwarded.
            shared.record_undone(records);
            let refused = shared.gate().malformed(HeadFault::Malformed, &[]);
            return self.end(refused.end, refused.notes);
        }
        if let Some(cookie) = forward.cookie {
            stream.put(Stage::Forwarded(cookie));
        }
        match self.resumption {
            Resumption::ByPassage => {
                shared.record(records);
                Passage::Open
            }
            Resumption::ByCall => {
                match stream.resume() {
                    Ok(()) => shared.record(records),
                    Err(_) => shared.record_undone(records),
                }
                Passage::Closed
            }
        }
    }

    fn reply(&self, reply: &Reply, records: AfterEffect) -> Passage {
        self.stream.put(Stage::Refused);
        match self.stream.reply(reply) {
            Ok(()) => self.shared().record(records),
            Err(_) => self.shared().record_undone(records),
        }
        Passage::Closed
    }

    /// Whether the client has left while its request waited. For a moment after that, the host may
    /// still know the stream, and accept every call for it.
    fn is_too_late(&self) -> bool {
        self.resumption == Resumption::ByCall && self.stream.has_ended()
    }

    /// Sets the filter state of the request, if it is configured.
    fn publish(&self, judgement: Judgement) {
        if self.shared().gate().config().filter_state {
            set_filter_state(self.stream, judgement);
        }
    }
}

/// Deadline by which the host reports the end of a call that is sent now.
fn until(timeout: Duration, now: UnixTime) -> UnixTime {
    now.plus(timeout).plus(REPORTED_WITHIN)
}

#[inline(never)]
fn set_filter_state(stream: &impl Stream, judgement: Judgement) {
    for (name, value) in judgement.properties() {
        if value.is_some_and(|value: Cow<'_, str>| stream.set_filter_state(name, &value).is_err()) {
            log::debug!("a request ended before its filter state could be set");
        }
    }
}

/// Removes the filter's own headers from trailers, since some applications read trailers as
/// headers. `false` if the request must not be forwarded.
pub(super) fn clean_trailers(maps: &impl Maps) -> bool {
    let buffer = maps.headers(Map::RequestTrailers);
    let edits = HeaderMap::parse(&buffer).map(|trailers| trailers.without_reserved());
    let is_clean = edits.is_ok_and(|edits| maps.edit(Map::RequestTrailers, &edits).is_ok());
    if !is_clean {
        log::error!("the trailers of a request could not be read; the request is not forwarded");
    }
    is_clean
}

/// Adds an approval cookie to the response of a request that was forwarded.
pub(super) fn set_cookie(stream: &impl Stream, cookie: &NewCookie) {
    let buffer = stream.headers(Map::ResponseHeaders);
    let gate = stream.shared().gate();
    let edits = HeaderMap::parse(&buffer).map(|headers| response::edits(cookie, &headers, gate));
    if !edits.is_ok_and(|edits| stream.edit(Map::ResponseHeaders, &edits).is_ok()) {
        log::warn!(
            "an approval cookie could not be added to its response; the user will be asked again"
        );
    }
}
