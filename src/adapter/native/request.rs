//! One stream, for the interpreter of steps.
//!
//! Envoy may end a stream inside of a call that resumes it or replies to it, and then enters the
//! hooks of this stream again. So nothing here is borrowed across a call to the host: the state is
//! taken out before a call, and stored before an effect. [`Request`] lives until the last hook of
//! it returns.

mod effects;

use super::abi::Header;
use super::answer::Answer;
use super::faults;
use super::gathering::Gathering;
use super::mail::FIRST;
use super::metrics::count_held;
use super::plugin::{Plugin, View};
use super::stream::{self, BUFFERED, RECEIVED};
use super::timer::{Bell, wait};
use crate::adapter::drive::{Driver, Passage, clean_trailers, set_cookie};
use crate::adapter::shared::Shared as _;
use crate::adapter::stage::{Arrived, Stage};
use crate::clock::UnixTime;
use crate::gate::{AwaitedBody, Body, Flow};
use std::cell::{Cell, OnceCell};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// The body of the reply to a request that a fault of the filter has ended.
const INTERNAL: &[u8] = br#"{"type":"about:blank","title":"Internal Server Error","status":500,"code":"internal","detail":"The second factor could not be checked because of a fault of the filter. Please try again."}"#;

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
    is_resumed: Cell<bool>,
    is_replied: Cell<bool>,
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
            is_resumed: Cell::new(false),
            is_replied: Cell::new(false),
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
            self.fail(self.is_resumed());
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
    pub(super) fn answered(&self, token: u64, answer: &Answer) {
        let is_meant =
            |stage: &Stage| matches!(stage, Stage::Sent { token: sent, .. } if *sent == token);
        if let Some(Stage::Sent { seat, flow, .. }) = self.take(is_meant) {
            self.view.leave(seat);
            match answer.event() {
                Some(event) => Driver::of_paused(self).answered(*flow, event),
                // It is counted already.
                None => {
                    self.end_with_fault(self.is_resumed());
                }
            }
        }
    }

    /// Continues when its time has come, or a call has ended that the main thread made.
    pub(super) fn woken(&self, event: u64) {
        if event >= FIRST {
            if let Some(answer) = self.view.plugin.mail.fetch(event) {
                self.answered(event, &answer);
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
            Some(Stage::AwaitedBody { then, .. }) => {
                driver.go_on(*then, Body::Late);
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
        let stage = self.replace(None);
        self.forget(stage);
    }

    /// Ends the state of a request that goes no further.
    fn forget(&self, stage: Option<Stage>) {
        match stage {
            Some(Stage::Due(_, flow)) => self.view.abandoned(Some(&flow)),
            Some(Stage::Waiting(_, seat, ..)) => {
                self.view.leave(Some(seat));
                self.view.abandoned(None);
            }
            Some(Stage::Sent { token, seat, flow, .. }) => {
                self.view.leave(seat);
                self.abandon(token, flow);
            }
            Some(Stage::AwaitedBody { .. } | Stage::Forwarded(_) | Stage::Refused) | None => {}
        }
    }

    fn abandon(&self, token: u64, flow: Box<Flow>) {
        if token < FIRST {
            return self.view.abandoned(Some(&flow));
        }
        match self.view.plugin.mail.leave(token, flow) {
            Ok(()) => {}
            Err((flow, Some(answer))) => self.view.ended_for_nobody(*flow, &answer),
            Err((flow, None)) => self.view.abandoned(Some(&flow)),
        }
    }

    pub(super) const fn is_resumed(&self) -> bool {
        self.is_resumed.get()
    }

    /// Counts a fault of the filter itself.
    pub(super) fn count_fault(&self) {
        self.view.plugin.metrics.count_internal();
    }

    /// Ends the request after a fault of the filter itself; `true` if it has got a reply for that. A
    /// request that was resumed since `was_resumed` was read gets none: it was approved, and its
    /// response is on the way.
    pub(super) fn fail(&self, was_resumed: bool) -> bool {
        self.count_fault();
        self.end_with_fault(was_resumed)
    }

    fn end_with_fault(&self, was_resumed: bool) -> bool {
        let is_resumed_now = self.is_resumed.get() && !was_resumed;
        if self.is_replied.get() || self.host.has_ended() || is_resumed_now {
            return false;
        }
        self.is_open.set(false);
        let stage = self.replace(Some(Stage::Refused));
        let headers = [
            Header::of(b"content-type", b"application/problem+json"),
            Header::of(b"cache-control", b"no-store"),
        ];
        self.is_replied.set(true);
        self.host.reply(500, &headers, INTERNAL, "duo_mfa_internal");
        self.forget(stage);
        true
    }

    fn opened(&self) -> Verdict {
        self.is_open.set(true);
        Verdict::Continue
    }

    /// Whether its body is to be read.
    fn is_awaiting_body(&self) -> bool {
        let stage = self.stage.take();
        let is_awaiting = matches!(stage, Some(Stage::AwaitedBody { .. }));
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
        self.fail(self.is_resumed());
        Verdict::Wait
    }

    fn rest(&self, arrived: Arrived) -> Verdict {
        let Some((awaited, max)) = self.take_body(arrived) else {
            return self.verdict();
        };
        match Driver::of(self).read_body(*awaited, max, arrived.size()) {
            Passage::Open => self.opened(),
            // The host keeps the bytes for the application.
            Passage::Closed => Verdict::Gather,
        }
    }

    fn take_body(&self, arrived: Arrived) -> Option<(Box<AwaitedBody>, usize)> {
        let is_enough = |stage: &Stage| matches!(stage, Stage::AwaitedBody { max, .. } if arrived.is_enough(*max));
        match self.take(is_enough) {
            Some(Stage::AwaitedBody { max, then, .. }) => Some((then, max)),
            _ => None,
        }
    }

    /// Removes and returns its state if that is meant.
    fn take(&self, is_meant: impl FnOnce(&Stage) -> bool) -> Option<Stage> {
        let stage = self.stage.take();
        let is_taken = stage.as_ref().is_some_and(is_meant);
        self.stage.set(stage);
        if !is_taken {
            return None;
        }
        let taken = self.replace(None);
        faults::at("taken");
        taken
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
        if stage.is_undecided() {
            count_held(is_added);
        }
        let undecided = self.view.undecided().filter(|_| stage.is_undecided());
        let calls = match stage {
            Stage::Sent { flow, .. } => {
                flow.application().and_then(|number| self.view.plugin.calls(number))
            }
            Stage::Due(..)
            | Stage::Waiting(..)
            | Stage::AwaitedBody { .. }
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
