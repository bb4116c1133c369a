//! The work of a tick for requests: it goes on with those whose time has come. The host acts for one
//! stream after the other.

use super::host;
use super::plugin::{Plugin, resume_if_open};
use super::streams::{Stage, Streams};
use crate::clock::UnixTime;
use crate::gate::{Body, Effect};
use std::rc::Rc;

impl Plugin {
    /// Goes on with the requests whose time has come.
    pub(super) fn send_due(self: &Rc<Self>, now: UnixTime, streams: &Streams) {
        for (context, seat, claim, then) in streams.take_waiting(self, now) {
            if host::act_for(context).is_err() {
                self.leave(Some(seat));
                continue;
            }
            let step = self.claim(&claim, *then);
            if let Effect::Wait { due, claim, then, .. } = step.effect {
                streams.put(context, self, Stage::Waiting(due, seat, claim, then));
                continue;
            }
            self.leave(Some(seat));
            resume_if_open(self.perform(context, step, streams));
        }
        for (context, call, then) in streams.take_due(self, now) {
            if host::act_for(context).is_ok() {
                let effect = Effect::Call { call, then };
                resume_if_open(self.perform(context, effect.into(), streams));
            }
        }
    }

    /// Goes on without the bodies that did not arrive in time.
    pub(super) fn end_late(self: &Rc<Self>, now: UnixTime, streams: &Streams) {
        for (context, form) in streams.take_late(self, now) {
            if host::act_for(context).is_ok() {
                resume_if_open(self.go_on(context, *form, Body::Late, streams));
            }
        }
    }
}
