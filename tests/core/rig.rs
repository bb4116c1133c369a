//! Drives the core as Envoy would: a request and scripted responses of Duo go in, the outcome comes out.

mod breaker;
mod busy;
mod configuration;
mod fleet;
mod later;
mod outcome;
mod overlay;
mod probe;
mod request;
mod rule;
mod script;
mod shown;
mod table;

pub(crate) use busy::TRIES;
pub(crate) use configuration::configured;
pub(crate) use fleet::{Fleet, FleetSays, framed};
pub(crate) use outcome::{
    Outcome, Response, approval, forwarded_header, is_deletion, pair, wrongly_admitted,
};
pub(crate) use overlay::overlay;
pub(crate) use probe::Checked;
pub(crate) use request::{Request, get};
pub(crate) use script::{
    Scripted, allows, devices, fail, ok, one_phone, phone, phone_of, preauth, says, started,
    status, their_phone,
};
pub(crate) use shown::is_reference;
pub(crate) use table::{LEDGER_BYTES, is_of_users};

use duo_mfa::clock::{ClockOffset, UnixTime};
use duo_mfa::duo::{self, SignedCall};
use duo_mfa::gate::limit::Permit;
use duo_mfa::gate::{
    AwaitingPermit, Body, Call, Crowded, Effect, End, Event, Flow, Gate, Health, HostFacts,
    Judgement, Logo, Opening, Room, Step,
};
use duo_mfa::http::RequestHead;
use duo_mfa::http::peer::ip_address;
use duo_mfa::identity::Attributes;
use duo_mfa::session::Verified;
use duo_mfa::signal::{Signal, TimeToApproval};
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) const SECRET_KEY: &str = "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep";
pub(crate) const OTHER_SECRET_KEY: &str = "bq9XkT2mVz7LcN4wRy1HsF8jPd5GtU3eAo6ZxKiQ";
pub(crate) const CLIENT_SECRET: &str = "UniversalTestSecretUniversalTestSecret40";
pub(crate) const OTHER_CLIENT_SECRET: &str = "OtherTestSecretOtherTestSecretOtherTest4";
pub(crate) const COOKIE_KEY: &str = "pMzo0uFM2P5cPIGe6jbvvQnC8gXH1V3rC5wfVTdXPcw=";
pub(crate) const OTHER_COOKIE_KEY: &str = "3q2+7/r5Qm0aZcTkX8uRj1hNwYb4E6pVsLdGfIi9oKo=";
pub(crate) const LIMITS_KEY: &str = "h8QmV2xT5cYbE9wLrJ4kNs7PzGaD1fUoXiB6tHqS0eM=";
pub(crate) const ASSERTION_KEY: &str = "Ek9k1/1VWwKW0o6NAxJAA1LxE16OS2OtvBCs33VVc1M=";
pub(crate) const NEXT_ASSERTION_KEY: &str = "6d7bbaYrT+UkJWej8p6alfPGToP1Mr9Rf9uQAKlHMr8=";
pub(crate) const NOON: UnixTime = UnixTime::from_seconds(1_800_000_000);
const PEER: &[u8] = b"192.0.2.7:51000";

static SENT: AtomicUsize = AtomicUsize::new(0);
static ANSWERED: AtomicUsize = AtomicUsize::new(0);
static WRONGLY_ADMITTED: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn counts() -> String {
    let [wrongly_admitted, sent, answered] =
        [&WRONGLY_ADMITTED, &SENT, &ANSWERED].map(|count| count.load(Ordering::Relaxed));
    format!("wrongly_admitted={wrongly_admitted} sent={sent} answered={answered}")
}

pub(crate) fn wrongly_admitted_so_far() -> usize {
    WRONGLY_ADMITTED.load(Ordering::Relaxed)
}

/// The progress of a request.
pub(crate) enum Progress {
    Done(Outcome),
    Waits(Box<SignedCall>, Box<Flow>),
    /// Only if [`Rig::pauses`].
    Pauses(UnixTime, Box<Permit>, Box<AwaitingPermit>),
}

/// One gate with its clock, and the calls that it made.
pub(crate) struct Rig {
    pub(crate) gate: Gate,
    verified: Verified,
    /// The buckets of the table of limits, as in the host's shared data.
    pub(crate) table: BTreeMap<String, Vec<u8>>,
    pub(crate) now: UnixTime,
    /// The peer's address in Envoy's form; `None` on a pipe.
    pub(crate) peer: Option<&'static [u8]>,
    /// The user in the host's property, for identity sources other than a header.
    pub(crate) attribute: Option<Vec<u8>>,
    pub(crate) mtls: Option<Vec<u8>>,
    pub(crate) groups: Option<Vec<u8>>,
    /// The values of the properties that approvals are bound to.
    pub(crate) bound: Vec<Option<Vec<u8>>>,
    /// The clock offset of each Duo application.
    pub(crate) offsets: Vec<ClockOffset>,
    /// The health of Duo, as the last check found it.
    pub(crate) health: Health,
    /// The health of Web SDK applications, where it is not the same.
    pub(crate) web_sdk_health: Option<Health>,
    /// `None` if the host has no random bytes.
    pub(crate) random: Option<()>,
    pub(crate) calls: Vec<(UnixTime, Call)>,
    pub(crate) signals: Vec<Signal>,
    /// The times to an approval.
    pub(crate) times: Vec<TimeToApproval>,
    /// The audit lines that would replace others if the client had left.
    pub(crate) undone: Vec<Signal>,
    /// The judgements of requests that were decided.
    pub(crate) judgements: Vec<Judgement>,
    /// The account's logo after the last fetch.
    pub(crate) logo: Logo,
    /// How many bodies were read.
    pub(crate) bodies: usize,
    /// Why the next call finds no room.
    pub(crate) crowded: Option<Crowded>,
    /// Whether the test does something else while a request waits for another one's push.
    pub(crate) pauses: bool,
    /// How many of the next writes to the table are lost to another worker.
    pub(crate) lost_writes: usize,
    /// Whether the circuit breaker, and the waits that Duo asks for, take part.
    pub(crate) breaks: bool,
    /// The users with which Duo asked to wait.
    pub(crate) room: Room,
    /// The rate limit service.
    pub(crate) fleet: Fleet,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(json!({}))
    }

    /// A rig with another first factor.
    pub(crate) fn with_identity(identity: &Value) -> Self {
        let mut members = json!({"header": null});
        overlay(&mut members, identity.clone());
        Self::with(json!({"identity": members}))
    }

    /// Another configuration in the same Envoy, at the same time and with the same table.
    pub(crate) fn beside(&self, changes: Value) -> Self {
        let mut other = Self::with(changes);
        other.table.clone_from(&self.table);
        (other.now, other.peer) = (self.now, self.peer);
        other
    }

    /// A rig whose minimal configuration is overlaid with `changes`; `null` takes a member out.
    pub(crate) fn with(changes: Value) -> Self {
        Self {
            gate: Gate::new(configured(changes).unwrap_or_else(|faults| panic!("{faults}"))),
            verified: Verified::default(),
            table: BTreeMap::new(),
            now: NOON,
            peer: Some(PEER),
            attribute: None,
            mtls: None,
            groups: None,
            bound: Vec::new(),
            offsets: vec![ClockOffset::default(); 3],
            health: Health::default(),
            web_sdk_health: None,
            random: Some(()),
            calls: Vec::new(),
            signals: Vec::new(),
            times: Vec::new(),
            undone: Vec::new(),
            judgements: Vec::new(),
            logo: Logo::default(),
            bodies: 0,
            crowded: None,
            pauses: false,
            lost_writes: 0,
            breaks: false,
            room: Room::default(),
            fleet: Fleet::default(),
        }
    }

    /// Sends a request. Duo responds by the script, all of which must be used.
    pub(crate) fn send(&mut self, request: &Request, script: &[Scripted]) -> Outcome {
        let mut script = script.iter();
        let outcome = self.drive(request, |_| script.next().cloned());
        assert_eq!(script.count(), 0, "scripted answers were not asked for");
        outcome
    }

    /// Sends a request; each call is answered by `duo`.
    pub(crate) fn drive(
        &mut self,
        request: &Request,
        mut duo: impl FnMut(&SignedCall) -> Option<Scripted>,
    ) -> Outcome {
        let mut progress = self.start(request);
        loop {
            match progress {
                Progress::Done(outcome) => return outcome,
                Progress::Pauses(due, permit, then) => progress = self.go_on(due, *permit, then),
                Progress::Waits(call, flow) => {
                    let scripted = duo(&call);
                    let scripted = scripted.unwrap_or_else(|| panic!("unscripted: {call:?}"));
                    progress = self.resume(*flow, &scripted);
                }
            }
        }
    }

    /// Sends a request, up to its first call.
    pub(crate) fn start(&mut self, request: &Request) -> Progress {
        SENT.fetch_add(1, Ordering::Relaxed);
        let step = self.begin(request);
        self.perform(step)
    }

    /// Answers the call of a request, up to its next call.
    pub(crate) fn resume(&mut self, flow: Flow, scripted: &Scripted) -> Progress {
        let step = self.answer(flow, scripted);
        self.perform(step)
    }

    fn perform(&mut self, mut step: Step) -> Progress {
        loop {
            let notes = step.notes;
            self.signals.extend(notes.count.map(Signal::Count));
            self.signals.extend(notes.signals);
            if let Some(audit) = notes.audit {
                self.signals.push(audit.done);
                self.times.extend(audit.time);
                self.undone.extend(audit.undone);
            }
            let judgement = notes.judgement;
            self.judgements.extend(judgement);
            if let Some(learned) = notes.learned {
                self.learn(&learned);
            }
            notes.settlements.iter().for_each(|settlement| self.settle(settlement));
            match step.effect {
                Effect::End(End::Forward(forward)) => {
                    outcome::assert_says_why(&forward, judgement);
                    return answered(Outcome::Forwarded(forward));
                }
                Effect::End(End::Reply(reply)) => return answered(Outcome::Replied(reply)),
                Effect::End(End::Logo { absent }) => {
                    return answered(Outcome::Replied(self.logo.reply(absent)));
                }
                Effect::End(End::Readiness) => {
                    let reply = self.gate.readiness(&self.healths());
                    return answered(Outcome::Replied(reply));
                }
                Effect::ReadBody { .. } => panic!("a body is read but once"),
                Effect::Wait { then, .. } if self.crowded.is_some() => {
                    let crowded = self.crowded.take().unwrap();
                    step = then.crowded(crowded, &self.env());
                }
                Effect::Wait { due, permit, then, .. } if self.pauses => {
                    return Progress::Pauses(due, permit, then);
                }
                Effect::Wait { due, permit, then, .. } => {
                    self.now = self.now.max(due);
                    step = Effect::Permit { permit: *permit, then }.into();
                }
                Effect::Permit { permit, then } => {
                    let verdict = self.grant(&permit);
                    step = then.handle(verdict, &self.env());
                }
                Effect::AskFleet { question, then } => match self.ask_fleet(*question, *then) {
                    Ok(next) => step = next,
                    Err(progress) => return progress,
                },
                Effect::Call { call, then } => {
                    self.now = self.now.max(call.due);
                    if let Some(why) = self.refused(&call) {
                        step = then.handle(Event::Failed(why), &self.env());
                        continue;
                    }
                    let crowded = self.crowded.take().or_else(|| self.without_room(&call));
                    if let Some(crowded) = crowded {
                        step = then.crowded(crowded, &self.env());
                        continue;
                    }
                    self.signals.push(Signal::Count(call.counter()));
                    let signed = Box::new(call.signed.clone());
                    self.calls.push((self.now, *call));
                    return Progress::Waits(signed, then);
                }
            }
        }
    }

    /// The address of the peer.
    fn address(&self) -> Option<IpAddr> {
        self.peer.and_then(ip_address)
    }

    fn begin(&mut self, request: &Request) -> Step {
        let buffer = request.serialized();
        let head = match RequestHead::read(&buffer) {
            Ok(head) => head,
            Err(fault) => return self.gate.malformed(fault, &buffer).into(),
        };
        let address = self.gate.wants_address().then(|| self.address()).flatten();
        let bound = if self.gate.bound_properties().is_empty() { &[][..] } else { &self.bound };
        let facts = HostFacts {
            now: self.now,
            attributes: Attributes {
                name: self.gate.attribute().and(self.attribute.as_deref()),
                mtls: self.mtls.as_deref(),
                groups: self.gate.groups_attribute().and(self.groups.as_deref()),
            },
            address,
            bound,
            has_body: request.has_body(),
        };
        match self.gate.open(&head, &facts, &mut self.verified) {
            Opening::Decided(decision) => decision.into(),
            Opening::Undecided(undecided) => {
                let mut step = self.gate.ask(&head, undecided, self.address(), &self.env());
                let Effect::ReadBody { max, until, then } = step.effect else { return step };
                self.signals.append(&mut step.notes.signals);
                self.bodies += 1;
                let body = request.body(max);
                if matches!(body, Body::Late) {
                    self.now = until;
                }
                then.handle(&head, body, &self.env())
            }
        }
    }

    fn answer(&mut self, flow: Flow, scripted: &Scripted) -> Step {
        match scripted {
            Scripted::Says { status, retry_after, body, after } => {
                self.now = self.now.plus(*after);
                let retry_after = retry_after.map(str::as_bytes);
                let answer = duo::Response { status: *status, retry_after, body: body.as_bytes() };
                flow.handle(Event::Answered(answer), &self.env())
            }
            Scripted::Fails(why) => flow.handle(Event::Failed(*why), &self.env()),
        }
    }

    /// The endpoints called, in order.
    pub(crate) fn called(&self) -> Vec<&'static str> {
        self.calls.iter().map(|(_, call)| call.signed.endpoint.name()).collect()
    }

    /// The JSON body of the n-th call.
    pub(crate) fn body(&self, call: usize) -> Value {
        serde_json::from_slice(&self.calls[call].1.signed.body).unwrap()
    }
}

thread_local! {
    /// How many numbers this thread has counted.
    static COUNTED: Cell<u32> = const { Cell::new(0) };
}

/// A number that differs from all others of this thread. So what a test meets depends on no other.
fn counted() -> u32 {
    COUNTED.set(COUNTED.get() + 1);
    COUNTED.get()
}

/// Has this thread count from the beginning again.
pub(crate) fn count_anew() {
    COUNTED.set(0);
}

/// Sixteen bytes that differ at each call.
fn drawn() -> [u8; 16] {
    let mut bytes = [7; 16];
    // Spread over all bits, as random ones are.
    let spread = u64::from(counted()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bytes[..8].copy_from_slice(&spread.to_be_bytes());
    bytes
}

fn answered(outcome: Outcome) -> Progress {
    ANSWERED.fetch_add(1, Ordering::Relaxed);
    Progress::Done(outcome)
}
