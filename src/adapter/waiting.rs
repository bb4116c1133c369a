//! The requests that are not done with: those that wait for Duo, and those whose response is to
//! carry a cookie.
//!
//! Keyed by context id and shared by the root and its streams, since a call that a tick has sent
//! is answered to the root. A request that passes by its cookie is never in here.

use crate::clock::UnixTime;
use crate::gate::{Call, Flow, NewCookie};
use std::cell::Cell;
use std::collections::BTreeMap;

/// Where a request stands.
pub(super) enum Stage {
    /// Its next call is to be sent later.
    Due(Box<Call>, Box<Flow>),
    /// A call is out under this token.
    Sent(u32, Box<Flow>),
    /// It has gone upstream; its response gets this cookie.
    Forwarded(NewCookie),
    /// It was answered; nothing of it may go upstream.
    Refused,
}

impl Stage {
    /// Whether the request still waits for a decision.
    pub(super) const fn is_undecided(&self) -> bool {
        match self {
            Self::Due(..) | Self::Sent(..) => true,
            Self::Forwarded(_) | Self::Refused => false,
        }
    }
}

/// All such requests of one configuration in one VM.
#[derive(Default)]
pub(super) struct Waiting(Cell<BTreeMap<u32, Stage>>);

impl Waiting {
    pub(super) fn put(&self, context: u32, stage: Stage) {
        self.with(|stages| stages.insert(context, stage));
    }

    pub(super) fn remove(&self, context: u32) -> Option<Stage> {
        self.with(|stages| stages.remove(&context))
    }

    /// Whether the request must not go on yet, or not at all.
    pub(super) fn is_held(&self, context: u32) -> bool {
        self.with(|stages| {
            let stage = stages.get(&context);
            stage.is_some_and(|stage| !matches!(stage, Stage::Forwarded(_)))
        })
    }

    /// Takes out the flow that waits for this call.
    pub(super) fn take_sent(&self, context: u32, token: u32) -> Option<Box<Flow>> {
        self.with(|stages| match stages.remove(&context) {
            Some(Stage::Sent(sent, flow)) if sent == token => Some(flow),
            Some(other) => {
                stages.insert(context, other);
                None
            }
            None => None,
        })
    }

    /// Takes out the cookie that the request's response is to carry.
    pub(super) fn take_cookie(&self, context: u32) -> Option<NewCookie> {
        self.with(|stages| match stages.remove(&context) {
            Some(Stage::Forwarded(cookie)) => Some(cookie),
            Some(other) => {
                stages.insert(context, other);
                None
            }
            None => None,
        })
    }

    /// Which request waits for this call.
    pub(super) fn context_of(&self, token: u32) -> Option<u32> {
        self.with(|stages| {
            let waits = |stage: &Stage| matches!(stage, Stage::Sent(sent, _) if *sent == token);
            stages.iter().find(|(_, stage)| waits(stage)).map(|(context, _)| *context)
        })
    }

    /// Takes out the calls whose time has come.
    pub(super) fn take_due(&self, now: UnixTime) -> Vec<(u32, Box<Call>, Box<Flow>)> {
        self.with(|stages| {
            let is_due = |stage: &Stage| matches!(stage, Stage::Due(call, _) if call.due <= now);
            let due: Vec<u32> =
                stages.iter().filter(|(_, stage)| is_due(stage)).map(|(id, _)| *id).collect();
            let take = |id: u32| match stages.remove(&id) {
                Some(Stage::Due(call, flow)) => Some((id, call, flow)),
                Some(Stage::Sent(..) | Stage::Forwarded(_) | Stage::Refused) | None => None,
            };
            due.into_iter().filter_map(take).collect()
        })
    }

    /// Works on the map. `work` calls neither the host nor this table, so nobody sees it missing.
    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<u32, Stage>) -> T) -> T {
        let mut stages = self.0.take();
        let outcome = work(&mut stages);
        self.0.set(stages);
        outcome
    }
}
