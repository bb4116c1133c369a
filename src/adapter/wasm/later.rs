//! The work of a tick for requests: continues those whose time has come. The host acts for one
//! stream after the other.

use super::host;
use super::plugin::Plugin;
use super::request::Request;
use super::streams::Streams;
use crate::adapter::drive::Driver;
use crate::adapter::shared::Shared as _;
use crate::clock::UnixTime;
use crate::gate::Body;
use std::rc::Rc;

/// Continues the requests of this configuration whose call or permit is due.
pub(super) fn send_due(plugin: &Rc<Plugin>, now: UnixTime, streams: &Streams) {
    for (context, seat, permit, then) in streams.take_waiting(plugin, now) {
        if host::act_for(context).is_err() {
            plugin.leave(Some(seat));
            continue;
        }
        let request = Request::of(plugin, streams, context);
        Driver::of_paused(&request).permit_is_due(seat, &permit, *then);
    }
    for (context, call, then) in streams.take_due(plugin, now) {
        if host::act_for(context).is_ok() {
            let request = Request::of(plugin, streams, context);
            Driver::of_paused(&request).call_is_due(call, then);
        }
    }
}

/// Continues the requests of this configuration whose bodies did not arrive in time, without the
/// bodies.
pub(super) fn end_late(plugin: &Rc<Plugin>, now: UnixTime, streams: &Streams) {
    for (context, awaited) in streams.take_late(plugin, now) {
        if host::act_for(context).is_ok() {
            let request = Request::of(plugin, streams, context);
            Driver::of_paused(&request).go_on(*awaited, Body::Late);
        }
    }
}

/// Records for all workers which Duo applications this worker is calling.
pub(super) fn note_calls(plugin: &Rc<Plugin>, now: UnixTime, streams: &Streams) {
    for application in plugin.healths.numbers() {
        if streams.asks(plugin, &|asked| asked == application) {
            plugin.healths.occupy(application, now);
        }
    }
}
