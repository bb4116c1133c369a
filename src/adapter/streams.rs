//! The requests that are not done with: those that wait for Duo, those that were answered here,
//! and those whose response is to carry a cookie.
//!
//! A request that passes by its cookie is never in here.

use super::plugin::Plugin;
use crate::clock::UnixTime;
use crate::gate::{Call, Flow, Form, NewCookie};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Where a request stands.
pub(super) enum Stage {
    /// Its next call is to be sent later.
    Due(Box<Call>, Box<Flow>),
    /// A call is out under this token.
    Sent(u32, Box<Flow>),
    /// Its body arrives, of which so many bytes are taken until that moment.
    Form(usize, UnixTime, Box<Form>),
    /// It has gone upstream; its response gets this cookie.
    Forwarded(NewCookie),
    /// It was answered; nothing of it may go upstream.
    Refused,
}

/// How much of a body has arrived.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arrived {
    /// So many bytes, and more are to come.
    Part(usize),
    /// All of it.
    Whole,
}

struct Stream {
    plugin: Rc<Plugin>,
    stage: Stage,
}

/// All such requests of one VM, by context id.
pub(super) struct Streams(Cell<BTreeMap<u32, Stream>>);

impl Streams {
    pub(super) const fn new() -> Self {
        Self(Cell::new(BTreeMap::new()))
    }

    pub(super) fn put(&self, context: u32, plugin: &Rc<Plugin>, stage: Stage) {
        let stream = Stream { plugin: Rc::clone(plugin), stage };
        self.with(|streams| streams.insert(context, stream));
    }

    /// All requests in the table.
    pub(super) fn contexts(&self) -> Vec<u32> {
        self.with(|streams| streams.keys().copied().collect())
    }

    /// Takes a request out whose client has left, and gives what still waited for a decision. One
    /// whose answer is wanted all the same stays until that is there.
    pub(super) fn end(&self, context: u32) -> Option<(Rc<Plugin>, Box<Flow>)> {
        let ended = self.take(context, |stream| match stream {
            Stream { stage: Stage::Sent(_, ref flow), .. } if flow.outlives_its_client() => {
                Err(stream)
            }
            other => Ok(other),
        });
        let Stream { plugin, stage } = ended?;
        match stage {
            Stage::Due(_, flow) | Stage::Sent(_, flow) => Some((plugin, flow)),
            Stage::Form(..) | Stage::Forwarded(_) | Stage::Refused => None,
        }
    }

    /// Whether the request must not go on yet, or not at all.
    pub(super) fn is_held(&self, context: u32) -> bool {
        self.with(|streams| {
            let stream = streams.get(&context);
            stream.is_some_and(|stream| !matches!(stream.stage, Stage::Forwarded(_)))
        })
    }

    /// Takes out the flow of a request that waits for this call.
    pub(super) fn take_sent(&self, context: u32, token: u32) -> Option<(Rc<Plugin>, Box<Flow>)> {
        self.take(context, |stream| match stream {
            Stream { plugin, stage: Stage::Sent(sent, flow) } if sent == token => {
                Ok((plugin, flow))
            }
            other => Err(other),
        })
    }

    /// Takes out a form whose body is there, or too long, and the most bytes that it takes.
    pub(super) fn take_form(
        &self,
        context: u32,
        arrived: Arrived,
    ) -> Option<(Rc<Plugin>, Box<Form>, usize)> {
        let is_enough = |max: usize| match arrived {
            Arrived::Part(size) => size > max,
            Arrived::Whole => true,
        };
        self.take(context, |stream| match stream {
            Stream { plugin, stage: Stage::Form(max, _, form) } if is_enough(max) => {
                Ok((plugin, form, max))
            }
            other => Err(other),
        })
    }

    /// Takes out the cookie that the request's response is to carry.
    pub(super) fn take_cookie(&self, context: u32) -> Option<(Rc<Plugin>, NewCookie)> {
        self.take(context, |stream| match stream {
            Stream { plugin, stage: Stage::Forwarded(cookie) } => Ok((plugin, cookie)),
            other => Err(other),
        })
    }

    /// Which request waits for this call.
    pub(super) fn context_of(&self, token: u32) -> Option<u32> {
        self.with(|streams| {
            let waits =
                |stream: &Stream| matches!(stream.stage, Stage::Sent(sent, _) if sent == token);
            streams.iter().find(|(_, stream)| waits(stream)).map(|(context, _)| *context)
        })
    }

    /// Takes out the calls of a configuration whose time has come.
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

    /// Takes out the forms of a configuration that did not arrive in time.
    pub(super) fn take_late(&self, plugin: &Rc<Plugin>, now: UnixTime) -> Vec<(u32, Box<Form>)> {
        self.take_all(plugin, |stream| match stream {
            Stream { stage: Stage::Form(_, until, form), .. } if until <= now => Ok(form),
            other => Err(other),
        })
    }

    /// Takes a request out if it is the one that is meant; another is handed back and stays.
    fn take<T>(&self, context: u32, meant: impl FnOnce(Stream) -> Result<T, Stream>) -> Option<T> {
        self.with(|streams| {
            let stream = streams.remove(&context)?;
            let kept = |other| drop(streams.insert(context, other));
            meant(stream).map_err(kept).ok()
        })
    }

    /// As [`Self::take`], of all requests of one configuration.
    fn take_all<T>(
        &self,
        plugin: &Rc<Plugin>,
        meant: impl Fn(Stream) -> Result<T, Stream>,
    ) -> Vec<(u32, T)> {
        let taken = |context| Some((context, self.take(context, &meant)?));
        self.of(plugin).into_iter().filter_map(taken).collect()
    }

    /// The Duo applications to which calls of a configuration are under way.
    pub(super) fn asked(&self, plugin: &Rc<Plugin>) -> BTreeSet<usize> {
        self.with(|streams| {
            let ours = streams.values().filter(|stream| Rc::ptr_eq(&stream.plugin, plugin));
            ours.filter_map(|stream| match &stream.stage {
                Stage::Sent(_, flow) => Some(flow.application()),
                Stage::Due(..) | Stage::Form(..) | Stage::Forwarded(_) | Stage::Refused => None,
            })
            .collect()
        })
    }

    fn of(&self, plugin: &Rc<Plugin>) -> Vec<u32> {
        self.with(|streams| {
            let ours = streams.iter().filter(|(_, stream)| Rc::ptr_eq(&stream.plugin, plugin));
            ours.map(|(context, _)| *context).collect()
        })
    }

    /// Works on the table. `work` calls neither the host nor this, so nobody sees it missing.
    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<u32, Stream>) -> T) -> T {
        let mut streams = self.0.take();
        let outcome = work(&mut streams);
        self.0.set(streams);
        outcome
    }
}
