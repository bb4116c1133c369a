//! One stream, for the interpreter of steps.
//!
//! Envoy may end a stream inside of a call that resumes it or replies to it, and then enters the
//! hooks of this stream again. So nothing here is borrowed across a call to the host: the state is
//! taken out before a call, and stored before an effect. [`Request`] lives until the last hook of
//! it returns.

use super::abi::Header;
use super::gathering::Gathering;
use super::mail::FIRST;
use super::main_thread::with_callout;
use super::plugin::{MAIL, Plugin, View};
use super::reach::Place;
use super::stream::{self, BUFFERED, RECEIVED};
use super::timer::{Bell, wait};
use crate::adapter::calls::Unsent;
use crate::adapter::drive::{Driver, Passage, clean_trailers, set_cookie};
use crate::adapter::shared::Shared as _;
use crate::adapter::stage::{Arrived, Stage};
use crate::adapter::traits::{Map, Maps, Stream, Undone};
use crate::clock::UnixTime;
use crate::gate::{AwaitedBody, Body, Call, Event, Flow};
use crate::http::{Edit, Reply};
use std::cell::{Cell, OnceCell};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// The attribute with the response code details.
const CODE_DETAILS: u32 = 16;

/// How the host continues after a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// With the next filter.
    Continue,
    /// It waits, and buffers the body for the filter. A body beyond the buffer's limit gets 413.
    Gather,
    /// It waits, and reads no more from the client than its buffers hold.
    Wait,
}

/// One stream.
pub(super) struct Request {
    view: View,
    host: stream::Stream,
    stage: Cell<Option<Stage>>,
    body: Gathering,
    bell: OnceCell<Arc<Bell>>,
    /// Counts changes of the stage, so that a timer of an earlier one does nothing.
    turn: Cell<u64>,
    /// Whether it is forwarded. Nothing else lets a body or trailers through.
    is_open: Cell<bool>,
    /// Whether it was resumed or got a reply.
    is_done: Cell<bool>,
}

impl Request {
    pub(super) fn new(plugin: Arc<Plugin>, host: stream::Stream) -> Self {
        let worker = host.worker().and_then(|worker| usize::try_from(worker).ok());
        let worker = worker.unwrap_or(usize::MAX);
        Self {
            view: View { plugin, worker },
            host,
            stage: Cell::new(None),
            body: Gathering::default(),
            bell: OnceCell::new(),
            turn: Cell::new(0),
            is_open: Cell::new(false),
            is_done: Cell::new(false),
        }
    }

    pub(super) fn request_headers(&self, is_whole: bool) -> Verdict {
        self.view.plugin.metrics.flush_with(&self.host);
        match Driver::of(self).open(!is_whole) {
            Passage::Open => self.opened(),
            Passage::Closed => self.verdict(),
        }
    }

    pub(super) fn request_body(&self, is_whole: bool) -> Verdict {
        if self.is_open.get() {
            return Verdict::Continue;
        }
        if !self.is_awaiting_body() {
            return self.verdict();
        }
        let (buffered, received) = (self.host.body_size(BUFFERED), self.host.body_size(RECEIVED));
        let Some(arrived) = self.body.received(buffered, received, is_whole) else {
            return self.lost_body();
        };
        self.rest(arrived)
    }

    pub(super) fn request_trailers(&self) -> Verdict {
        if !clean_trailers(self) {
            return Verdict::Wait;
        }
        if self.is_open.get() {
            return Verdict::Continue;
        }
        if !self.is_awaiting_body() {
            return self.verdict();
        }
        match self.body.ended(self.host.body_size(BUFFERED)) {
            Some(arrived) => self.rest(arrived),
            None => self.lost_body(),
        }
    }

    pub(super) fn response_headers(&self) {
        if let Some(Stage::Forwarded(cookie)) =
            self.take(|stage| matches!(stage, Stage::Forwarded(_)))
        {
            set_cookie(self, &cookie);
        }
    }

    /// Handles the end of a call of this stream.
    pub(super) fn answered(&self, token: u64, event: Event<'_>) {
        let is_meant =
            |stage: &Stage| matches!(stage, Stage::Sent { token: sent, .. } if *sent == token);
        if let Some(Stage::Sent { seat, flow, .. }) = self.take(is_meant) {
            self.view.leave(seat);
            Driver::of_paused(self).answered(*flow, event);
        }
    }

    /// Continues when its time has come, or a call has ended that the main thread made.
    pub(super) fn woken(&self, event: u64) {
        if event >= FIRST {
            if let Some(answer) = self.view.plugin.mail.fetch(event) {
                self.answered(event, answer.event());
            }
            return;
        }
        if event != self.turn.get() {
            return;
        }
        let is_timed = |stage: &Stage| wait(stage, UnixTime::default()).is_some();
        let driver = Driver::of_paused(self);
        match self.take(is_timed) {
            Some(Stage::Waiting(_, seat, permit, then)) => {
                driver.permit_is_due(seat, &permit, *then);
            }
            Some(Stage::Due(call, then)) => driver.call_is_due(call, then),
            Some(Stage::AwaitedBody(_, _, awaited)) => {
                driver.go_on(*awaited, Body::Late);
            }
            Some(Stage::Sent { .. } | Stage::Forwarded(_) | Stage::Refused) | None => {}
        }
    }

    /// Ends it. The client may have left before its request was decided.
    pub(super) fn left(&self) {
        self.host.end();
        if let Some(bell) = self.bell.get() {
            bell.disconnect();
        }
        match self.replace(None) {
            Some(Stage::Due(_, flow)) => self.view.abandoned(Some(&flow)),
            Some(Stage::Waiting(_, seat, ..)) => {
                self.view.leave(Some(seat));
                self.view.abandoned(None);
            }
            Some(Stage::Sent { token, seat, flow, .. }) => {
                self.view.leave(seat);
                self.abandon(token, flow);
            }
            Some(Stage::AwaitedBody(..) | Stage::Forwarded(_) | Stage::Refused) | None => {}
        }
    }

    fn abandon(&self, token: u64, flow: Box<Flow>) {
        if token < FIRST {
            return self.view.abandoned(Some(&flow));
        }
        match self.view.plugin.mail.leave(token, flow) {
            Ok(()) => {}
            Err((flow, Some(answer))) => self.view.answered_for_nobody(*flow, answer.event()),
            Err((flow, None)) => self.view.abandoned(Some(&flow)),
        }
    }

    /// Ends the request after a fault of the filter itself.
    pub(super) fn fail(&self) {
        self.view.plugin.metrics.count_internal();
        if self.is_done.replace(true) || self.host.has_ended() {
            return;
        }
        self.replace(Some(Stage::Refused));
        let body = b"The second factor could not be checked: a fault of the filter.\n";
        let headers =
            [Header::of(b"content-type", b"text/plain"), Header::of(b"cache-control", b"no-store")];
        self.host.reply(500, &headers, body, "duo_mfa_internal");
    }

    fn opened(&self) -> Verdict {
        self.is_open.set(true);
        Verdict::Continue
    }

    /// Whether its body is to be read.
    fn is_awaiting_body(&self) -> bool {
        let stage = self.stage.take();
        let is_awaiting = matches!(stage, Some(Stage::AwaitedBody(..)));
        self.stage.set(stage);
        is_awaiting
    }

    /// How the host treats a request that is held.
    fn verdict(&self) -> Verdict {
        if self.is_awaiting_body() { Verdict::Gather } else { Verdict::Wait }
    }

    /// Ends a request whose body the host does not have as it arrived.
    fn lost_body(&self) -> Verdict {
        log::error!("the body of a request is not as long as what has arrived of it");
        self.fail();
        Verdict::Wait
    }

    fn rest(&self, arrived: Arrived) -> Verdict {
        let Some((awaited, max)) = self.take_body(arrived) else {
            return self.verdict();
        };
        match Driver::of(self).read_body(*awaited, max) {
            Passage::Open => self.opened(),
            // The host keeps the bytes for the application.
            Passage::Closed => Verdict::Gather,
        }
    }

    fn take_body(&self, arrived: Arrived) -> Option<(Box<AwaitedBody>, usize)> {
        let is_enough =
            |stage: &Stage| matches!(stage, Stage::AwaitedBody(max, ..) if arrived.is_enough(*max));
        match self.take(is_enough) {
            Some(Stage::AwaitedBody(max, _, awaited)) => Some((awaited, max)),
            _ => None,
        }
    }

    /// Removes and returns its state if that is meant.
    fn take(&self, is_meant: impl FnOnce(&Stage) -> bool) -> Option<Stage> {
        let stage = self.stage.take();
        let is_taken = stage.as_ref().is_some_and(is_meant);
        self.stage.set(stage);
        if is_taken { self.replace(None) } else { None }
    }

    /// Replaces its state, and counts it.
    fn replace(&self, next: Option<Stage>) -> Option<Stage> {
        self.turn.set(self.turn.get().wrapping_add(1));
        if let Some(stage) = &next {
            self.count(stage, true);
        }
        let before = self.stage.replace(next);
        if let Some(stage) = &before {
            self.count(stage, false);
        }
        before
    }

    fn count(&self, stage: &Stage, is_added: bool) {
        let undecided = self.view.undecided().filter(|_| stage.is_undecided());
        let calls = match stage {
            Stage::Sent { flow, .. } => self.view.plugin.calls(flow.application()),
            Stage::Due(..)
            | Stage::Waiting(..)
            | Stage::AwaitedBody(..)
            | Stage::Forwarded(_)
            | Stage::Refused => None,
        };
        for count in [undecided, calls].into_iter().flatten() {
            if is_added {
                count.fetch_add(1, Relaxed)
            } else {
                count.fetch_sub(1, Relaxed)
            };
        }
    }

    fn bell(&self) -> &Arc<Bell> {
        let bell = self.bell.get_or_init(Arc::default);
        if !self.host.has_ended() && !bell.connect(|| self.host.waker()) {
            log::error!("a waiting request cannot be woken");
        }
        bell
    }
}

impl Maps for Request {
    fn headers(&self, map: Map) -> Vec<u8> {
        let mut buffer = Vec::new();
        self.host.headers(map, &mut buffer);
        buffer
    }

    fn edit(&self, map: Map, edits: &[Edit]) -> Result<(), Undone> {
        edits.iter().try_for_each(|edit| {
            let is_done = match edit {
                Edit::Remove(name) => self.host.remove(map, name),
                Edit::Set(name, value) => self.host.set(map, name.as_bytes(), value.as_bytes()),
                Edit::Append(name, value) => self.host.add(map, name.as_bytes(), value.as_bytes()),
            };
            is_done.then_some(()).ok_or(Undone)
        })
    }
}

impl Stream for Request {
    type Shared = View;

    fn shared(&self) -> &View {
        &self.view
    }

    fn body(&self, max: usize) -> Vec<u8> {
        let (mut body, max) = (Vec::new(), max.saturating_add(1));
        self.host.read_body(BUFFERED, max, &mut body);
        if self.body.has_more() {
            self.host.read_body(RECEIVED, max, &mut body);
        }
        body
    }

    fn property<P: AsRef<str>>(&self, path: &[P]) -> Option<Vec<u8>> {
        Place::of(path)?.read(&self.host)
    }

    fn set_filter_state(&self, name: &str, value: &str) -> Result<(), Undone> {
        // The name that it has with a wasm module, so that access logs and rules are the same.
        self.host.set_state(&format!("wasm.{name}"), value).then_some(()).ok_or(Undone)
    }

    fn has_ended(&self) -> bool {
        self.host.has_ended() || self.host.text(CODE_DETAILS).is_some_and(|it| !it.is_empty())
    }

    fn call(&self, cluster: &str, call: &Call, outlives: bool) -> Result<u64, Unsent> {
        match &self.view.plugin.main {
            Some(main) if outlives => {
                let token = self.view.plugin.mail.put(call, self.bell());
                main.wake(MAIL);
                Ok(token)
            }
            _ => with_callout(cluster, call, |callout| self.host.call(callout)),
        }
    }

    fn resume(&self) -> Result<(), Undone> {
        if self.host.has_ended() {
            return Err(Undone);
        }
        self.is_done.set(true);
        self.is_open.set(true);
        self.host.resume();
        Ok(())
    }

    fn reply(&self, reply: &Reply) -> Result<(), Undone> {
        if self.host.has_ended() {
            return Err(Undone);
        }
        self.is_done.set(true);
        let headers = reply.headers.iter();
        let mut headers: Vec<_> =
            headers.map(|(name, value)| Header::of(name.as_bytes(), value.as_bytes())).collect();
        match &reply.grpc {
            Some((status, message)) => {
                // Envoy makes a gRPC reply of it, and the body its message.
                let status = status.number().to_string();
                headers.push(Header::of(b"grpc-status", status.as_bytes()));
                self.host.reply(reply.status, &headers, message.as_bytes(), &reply.details);
            }
            None => self.host.reply(reply.status, &headers, &reply.body, &reply.details),
        }
        Ok(())
    }

    fn put(&self, stage: Stage) {
        let wait = wait(&stage, self.view.now());
        self.replace(Some(stage));
        if let Some(wait) = wait {
            self.view.plugin.timer.after(wait, self.bell(), self.turn.get());
        }
    }

    fn undecided(&self) -> usize {
        self.view.undecided().map_or(0, |undecided| undecided.load(Relaxed))
    }

    fn asks(&self, is_meant: &dyn Fn(usize) -> bool) -> bool {
        self.view.plugin.asks(is_meant, 0)
    }
}
