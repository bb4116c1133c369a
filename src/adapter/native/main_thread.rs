//! The work of the main thread for one configuration: the checks of Duo, and the calls of requests
//! whose end is needed even if the client leaves.
//!
//! Envoy cancels a call with the stream that made it. A call that rings a phone must not be lost,
//! so the main thread makes it in the configuration's name.

use super::abi::{Callout, Configuration, Header};
use super::answer::Answer;
use super::plugin::{MAIL, Plugin, TICK, View};
use super::{faults, guard, lock, try_lock};
use crate::adapter::background::Main;
use crate::adapter::calls::{self, Unsent, explain};
use crate::adapter::shared::Shared as _;
use crate::adapter::traits::Caller;
use crate::clock::ClockOffset;
use crate::gate::Call;
use std::sync::Arc;
use std::time::Duration;

/// The host's status for an unknown cluster.
const NO_CLUSTER: u32 = 2;

/// A configuration on the main thread.
pub(super) struct Running<'hook> {
    view: View,
    host: Configuration<'hook>,
}

impl<'hook> Running<'hook> {
    pub(super) fn of(plugin: &Arc<Plugin>, host: Configuration<'hook>) -> Self {
        Self { view: View { plugin: Arc::clone(plugin), worker: 0 }, host }
    }

    /// Handles an event that a thread has posted.
    pub(super) fn woken(&self, event: u64) {
        match event {
            TICK => self.tick(),
            MAIL => self.send_mail(),
            _ => {}
        }
    }

    /// Has the requests refused that an event was about, after a fault.
    pub(super) fn failed_at(&self, event: u64) {
        if event == MAIL {
            for (token, _) in self.view.plugin.mail.unsent() {
                self.deliver(token, Answer::Fault);
            }
        }
    }

    fn tick(&self) {
        let (plugin, now) = (&self.view.plugin, self.view.now());
        lock(&plugin.background).tick(self, now);
        plugin.note_calls(now);
        plugin.metrics.flush(self.host);
    }

    /// Handles the end of a call of this configuration.
    pub(super) fn answered(&self, id: u64, answer: Answer) {
        let plugin = &self.view.plugin;
        // The main thread alone locks it. If it is locked, the host reports inside of a call's dispatch
        // that it could not send the call. The dispatch returns that too.
        let awaiting = try_lock(&plugin.background).and_then(|it| it.awaiting(id));
        if let Some(awaiting) = awaiting {
            // A check that a fault has lost is made again when it is due.
            if let Some(event) = answer.event() {
                lock(&plugin.background).answered(self, awaiting, event);
            }
        } else if let Some(token) = plugin.mail.token_of(id) {
            self.deliver(token, answer);
        }
    }

    fn send_mail(&self) {
        let plugin = &self.view.plugin;
        for (token, call) in plugin.mail.unsent() {
            if guard(|| self.send(token, &call)).is_none() {
                plugin.metrics.count_internal();
                self.deliver(token, Answer::Fault);
            }
        }
    }

    fn send(&self, token: u64, call: &Call) {
        faults::at("send");
        let (plugin, cluster) = (&self.view.plugin, self.view.cluster(call));
        match self.dispatch(cluster, call) {
            Ok(id) => plugin.mail.sent(token, id),
            Err(unsent) => {
                let healths = self.view.healths();
                let is_neighbor = |asked| healths.share_a_cluster(asked, call.application);
                // The request's own call is counted already.
                let others = || plugin.asks(&is_neighbor, 1);
                self.deliver(token, Answer::Failed(explain(unsent, cluster, others)));
            }
        }
    }

    fn deliver(&self, token: u64, answer: Answer) {
        if let Some((flow, answer)) = self.view.plugin.mail.answer(token, answer) {
            self.view.ended_for_nobody(*flow, &answer);
        }
    }
}

impl Caller for Running<'_> {
    fn dispatch(&self, cluster: &str, call: &Call) -> Result<u64, Unsent> {
        with_callout(cluster, call, |callout| self.host.call(callout))
    }
}

impl Main for Running<'_> {
    type Shared = View;

    fn shared(&self) -> &View {
        &self.view
    }

    fn show(&self, application: usize, is_ready: bool, is_refused: bool) {
        self.view.plugin.metrics.show(application, is_ready, is_refused);
    }

    fn show_clock(&self, offset: ClockOffset) {
        self.view.plugin.metrics.show_clock(offset);
    }
}

/// Makes the host's form of a call, for `send`.
pub(super) fn with_callout(
    cluster: &str,
    call: &Call,
    send: impl FnOnce(&Callout<'_>) -> Result<u64, u32>,
) -> Result<u64, Unsent> {
    let headers = calls::headers(&call.signed);
    with_post(cluster, &headers, (&call.signed.body, call.timeout), send)
}

/// Like [`with_callout`], for a call to any service: its headers, body and timeout.
pub(super) fn with_post(
    cluster: &str,
    headers: &[(&[u8], &[u8])],
    (body, timeout): (&[u8], Duration),
    send: impl FnOnce(&Callout<'_>) -> Result<u64, u32>,
) -> Result<u64, Unsent> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| Header::of(name, value)).collect();
    let milliseconds = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
    let callout = Callout { cluster, headers: &headers, body, milliseconds };
    send(&callout).map_err(|status| match status {
        NO_CLUSTER => Unsent::UnknownCluster,
        _ => Unsent::TakenBack,
    })
}
