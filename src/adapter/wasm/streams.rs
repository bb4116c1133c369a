//! The requests that are not finished: those that wait for Duo, those that were refused here, and
//! those whose response gets a cookie.
//!
//! A request that passes by its cookie is never here.

use super::plugin::Plugin;
use crate::adapter::shared::Shared as _;
use crate::adapter::stage::{Arrived, Stage};
use crate::clock::UnixTime;
use crate::gate::limit::Permit;
use crate::gate::{AwaitedBody, AwaitingPermit, Call, Flow, NewCookie, Seat, is_due};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

struct Stream {
    plugin: Rc<Plugin>,
    stage: Stage,
}

/// All unfinished requests of one VM, by context id.
pub(super) struct Streams {
    table: Cell<BTreeMap<u32, Stream>>,
    /// How many of them wait for a decision.
    undecided: Cell<usize>,
}

impl Streams {
    pub(super) const fn new() -> Self {
        Self { table: Cell::new(BTreeMap::new()), undecided: Cell::new(0) }
    }

    pub(super) fn put(&self, context: u32, plugin: &Rc<Plugin>, stage: Stage) {
        self.insert(context, Stream { plugin: Rc::clone(plugin), stage });
    }

    fn insert(&self, context: u32, stream: Stream) {
        let counted = usize::from(stream.stage.is_undecided());
        self.undecided.set(self.undecided.get().saturating_add(counted));
        if let Some(before) = self.with(|streams| streams.insert(context, stream)) {
            self.count_out(&before);
        }
    }

    fn remove(&self, context: u32) -> Option<Stream> {
        let stream = self.with(|streams| streams.remove(&context))?;
        self.count_out(&stream);
        Some(stream)
    }

    fn count_out(&self, stream: &Stream) {
        let counted = usize::from(stream.stage.is_undecided());
        self.undecided.set(self.undecided.get().saturating_sub(counted));
    }

    /// How many requests wait for a decision.
    pub(super) const fn undecided(&self) -> usize {
        self.undecided.get()
    }

    /// All requests in the table.
    pub(super) fn contexts(&self) -> Vec<u32> {
        self.with(|streams| streams.keys().copied().collect())
    }

    /// Removes a request whose client has left, and returns its flow if that was waiting for Duo. A
    /// request whose response is still needed stays until the response arrives or can no longer
    /// arrive.
    pub(super) fn end(
        &self,
        context: u32,
        now: UnixTime,
    ) -> Option<(Rc<Plugin>, Option<Box<Flow>>)> {
        let Stream { plugin, stage } = self.remove(context)?;
        match stage {
            Stage::Due(_, flow) => Some((plugin, Some(flow))),
            Stage::Waiting(_, seat, ..) => {
                plugin.leave(Some(seat));
                Some((plugin, None))
            }
            Stage::Sent { token, seat, until, flow } => {
                // Its room is free, whether or not the host still reports the end of the call.
                plugin.leave(seat);
                if flow.outlives_its_client() && now <= until {
                    let stage = Stage::Sent { token, seat: None, until, flow };
                    self.insert(context, Stream { plugin, stage });
                    return None;
                }
                Some((plugin, Some(flow)))
            }
            Stage::AwaitedBody { .. } | Stage::Forwarded(_) | Stage::Refused => None,
        }
    }

    /// Whether the request must not be forwarded yet, or not at all.
    pub(super) fn is_held(&self, context: u32) -> bool {
        self.with(|streams| {
            let stream = streams.get(&context);
            stream.is_some_and(|stream| !matches!(stream.stage, Stage::Forwarded(_)))
        })
    }

    /// Removes and returns the flow of a request that waits for this call. Also returns the room of
    /// the call.
    pub(super) fn take_sent(&self, context: u32, token: u64) -> Option<(Rc<Plugin>, Box<Flow>)> {
        let (plugin, seat, flow) = self.take(context, |stream| match stream {
            Stream { plugin, stage: Stage::Sent { token: sent, seat, flow, .. } }
                if sent == token =>
            {
                Ok((plugin, seat, flow))
            }
            other => Err(other),
        })?;
        plugin.leave(seat);
        Some((plugin, flow))
    }

    /// Removes and returns a request whose body has arrived or is too long, the limit of its body in
    /// bytes, and how many have arrived at least. The host buffers the parts, and reports the sum.
    pub(super) fn take_body(
        &self,
        context: u32,
        part: Arrived,
    ) -> Option<(Rc<Plugin>, Box<AwaitedBody>, usize, usize)> {
        self.take(context, |stream| match stream {
            Stream { plugin, stage: Stage::AwaitedBody { max, until, arrived, then } } => {
                let arrived = arrived.max(part.size());
                if part.is_enough(max) {
                    return Ok((plugin, then, max, arrived));
                }
                Err(Stream { plugin, stage: Stage::AwaitedBody { max, until, arrived, then } })
            }
            other => Err(other),
        })
    }

    /// Removes and returns the cookie for the request's response.
    pub(super) fn take_cookie(&self, context: u32) -> Option<(Rc<Plugin>, NewCookie)> {
        self.take(context, |stream| match stream {
            Stream { plugin, stage: Stage::Forwarded(cookie) } => Ok((plugin, cookie)),
            other => Err(other),
        })
    }

    /// The request that waits for this call.
    pub(super) fn context_of(&self, token: u64) -> Option<u32> {
        self.with(|streams| {
            let waits =
                |stream: &Stream| matches!(stream.stage, Stage::Sent { token: sent, .. } if sent == token);
            streams.iter().find(|(_, stream)| waits(stream)).map(|(context, _)| *context)
        })
    }

    /// Removes and returns the calls of a configuration that are due.
    pub(super) fn take_due(
        &self,
        plugin: &Rc<Plugin>,
        now: UnixTime,
    ) -> Vec<(u32, Box<Call>, Box<Flow>)> {
        let due = self.take_all(plugin, |stream| match stream {
            Stream { stage: Stage::Due(call, flow), .. } if call.is_due(now) => Ok((call, flow)),
            other => Err(other),
        });
        due.into_iter().map(|(context, (call, flow))| (context, call, flow)).collect()
    }

    /// Removes and returns the requests of a configuration whose permit is due.
    pub(super) fn take_waiting(
        &self,
        plugin: &Rc<Plugin>,
        now: UnixTime,
    ) -> Vec<(u32, Seat, Box<Permit>, Box<AwaitingPermit>)> {
        let due = self.take_all(plugin, |stream| match stream {
            Stream { stage: Stage::Waiting(due, seat, permit, then), .. } if is_due(due, now) => {
                Ok((seat, permit, then))
            }
            other => Err(other),
        });
        due.into_iter()
            .map(|(context, (seat, permit, then))| (context, seat, permit, then))
            .collect()
    }

    /// Removes and returns the requests of a configuration whose bodies did not arrive in time.
    pub(super) fn take_late(
        &self,
        plugin: &Rc<Plugin>,
        now: UnixTime,
    ) -> Vec<(u32, Box<AwaitedBody>)> {
        self.take_all(plugin, |stream| match stream {
            Stream { stage: Stage::AwaitedBody { until, then, .. }, .. }
                if AwaitedBody::is_late(until, now) =>
            {
                Ok(then)
            }
            other => Err(other),
        })
    }

    /// Removes a request if `meant` accepts it; otherwise `meant` gives it back and it stays.
    fn take<T>(&self, context: u32, meant: impl FnOnce(Stream) -> Result<T, Stream>) -> Option<T> {
        let kept = |other| self.insert(context, other);
        meant(self.remove(context)?).map_err(kept).ok()
    }

    /// Like [`Self::take`], for all requests of one configuration.
    fn take_all<T>(
        &self,
        plugin: &Rc<Plugin>,
        meant: impl Fn(Stream) -> Result<T, Stream>,
    ) -> Vec<(u32, T)> {
        let taken = |context| Some((context, self.take(context, &meant)?));
        self.of(plugin).into_iter().filter_map(taken).collect()
    }

    /// Whether a call of a configuration is under way to one of these Duo applications.
    pub(super) fn asks(&self, plugin: &Rc<Plugin>, is_meant: &dyn Fn(usize) -> bool) -> bool {
        self.with(|streams| {
            let mut ours = streams.values().filter(|stream| Rc::ptr_eq(&stream.plugin, plugin));
            ours.any(|stream| match &stream.stage {
                Stage::Sent { flow, .. } => flow.application().is_some_and(is_meant),
                Stage::Due(..)
                | Stage::Waiting(..)
                | Stage::AwaitedBody { .. }
                | Stage::Forwarded(_)
                | Stage::Refused => false,
            })
        })
    }

    fn of(&self, plugin: &Rc<Plugin>) -> Vec<u32> {
        self.with(|streams| {
            let ours = streams.iter().filter(|(_, stream)| Rc::ptr_eq(&stream.plugin, plugin));
            ours.map(|(context, _)| *context).collect()
        })
    }

    /// Gives access to the table. `work` must call neither the host nor this again, since the table
    /// is taken out meanwhile.
    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<u32, Stream>) -> T) -> T {
        let mut streams = self.table.take();
        let outcome = work(&mut streams);
        self.table.set(streams);
        outcome
    }
}
