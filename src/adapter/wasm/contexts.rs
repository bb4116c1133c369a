//! Finds the root context or stream of a callback, by the host's ids.
//!
//! A VM may hold several configurations at once: those of two filters, or an old one that drains
//! while its successor runs. A stream is in a table only while something about it must be
//! remembered. Streams that have ended are found on the tick.

use super::callback::{Callback, with_event};
use super::gauges::Held;
use super::host;
use super::request::{Acting, Request};
use super::root::Root;
use super::streams::Streams;
use crate::adapter::drive::{Driver, Passage, clean_trailers, set_cookie};
use crate::adapter::shared::Shared as _;
use crate::adapter::stage::Arrived;
use crate::http::Reply;
use proxy_wasm::types::Action;
use std::cell::Cell;
use std::rc::Rc;

/// All contexts of this VM.
pub(super) struct Contexts {
    roots: Cell<Vec<Rc<Root>>>,
    /// The stream that was created last, and its root. The host creates a stream's context right
    /// before it passes the request's headers.
    arrival: Cell<Option<(u32, u32)>>,
    streams: Streams,
    held: Held,
}

impl Contexts {
    pub(super) const fn new() -> Self {
        Self {
            roots: Cell::new(Vec::new()),
            arrival: Cell::new(None),
            streams: Streams::new(),
            held: Held::new(),
        }
    }

    /// `root` is 0 if the context is itself a root.
    pub(super) fn create(&self, context: u32, root: u32) {
        if root == 0 {
            let mut roots = self.roots.take();
            roots.push(Rc::new(Root::new(context)));
            self.roots.set(roots);
        } else {
            self.arrival.set(Some((context, root)));
        }
    }

    pub(super) fn configure(&self, root: u32, size: usize) -> bool {
        self.held.define();
        self.root(root).is_some_and(|root| root.configure(size))
    }

    pub(super) fn tick(&self, root: u32) {
        self.forget_what_is_gone();
        if let Some(root) = self.root(root) {
            root.tick(&self.streams);
        }
        self.held.show(self.streams.undecided());
    }

    pub(super) fn request_headers(&self, context: u32, has_body: bool) -> Action {
        let root = self.arrival.take().filter(|(arrived, _)| *arrived == context);
        let plugin = root.and_then(|(_, root)| self.root(root)?.plugin());
        let passage = match plugin {
            Some(plugin) => {
                let request = Request::of(&plugin, &self.streams, context);
                Driver::of(&request).open(has_body)
            }
            None => unconfigured(),
        };
        match passage {
            Passage::Open => Action::Continue,
            Passage::Closed => Action::Pause,
        }
    }

    /// Body and trailers wait like the headers. With `allow_on_headers_stop_iteration: true`, a
    /// Continue here would forward an undecided request.
    pub(super) fn request_rest(&self, context: u32, arrived: Arrived) -> Action {
        if !self.streams.is_held(context) {
            return Action::Continue;
        }
        let Some((plugin, then, max, size)) = self.streams.take_body(context, arrived) else {
            return Action::Pause;
        };
        let request = Request::of(&plugin, &self.streams, context);
        match Driver::of(&request).read_body(*then, max, size) {
            Passage::Open => Action::Continue,
            Passage::Closed => Action::Pause,
        }
    }

    /// Trailers end the body. There may be none of them: for an empty map the host (Envoy 1.40) writes
    /// no bytes, as for one that it does not have.
    pub(super) fn request_trailers(&self, context: u32, count: usize) -> Action {
        if count == 0 || clean_trailers(&Acting) {
            self.request_rest(context, Arrived::Whole(0))
        } else {
            // A reply, since a request that waits would be forwarded later, and one that was forwarded
            // would never end.
            drop(self.streams.take_cookie(context));
            host::reply_barely();
            Action::Pause
        }
    }

    pub(super) fn response_headers(&self, context: u32) {
        if let Some((plugin, cookie)) = self.streams.take_cookie(context) {
            set_cookie(&Request::of(&plugin, &self.streams, context), &cookie);
        }
    }

    /// The host (Envoy 1.40) makes every call in the root's name, even a call for a request. So it
    /// also reports the end of a call after the request has ended. Another host may report it to
    /// the request's context.
    pub(super) fn answered(&self, context: u32, callback: Callback) {
        let stream = match self.root(context) {
            Some(root) if root.answered(callback) => return,
            Some(_) => self.streams.context_of(callback.token),
            None => Some(context),
        };
        if let Some(stream) = stream
            && let Some((plugin, flow)) = self.streams.take_sent(stream, callback.token)
        {
            if host::act_for(stream).is_ok() {
                let request = Request::of(&plugin, &self.streams, stream);
                with_event(callback, |event| Driver::of_paused(&request).answered(*flow, event));
            } else {
                with_event(callback, |event| plugin.answered_for_nobody(*flow, event));
            }
        }
    }

    /// Drops contexts that the host no longer knows. The host could report the end of each context,
    /// but that would enter the VM once more for every request, for the few that are in the table.
    fn forget_what_is_gone(&self) {
        let now = host::now().unwrap_or_default();
        for context in self.streams.contexts() {
            if host::act_for(context).is_err()
                && let Some((plugin, flow)) = self.streams.end(context, now)
            {
                plugin.abandoned(flow.as_deref());
            }
        }
        let mut roots = self.roots.take();
        roots.retain(|root| {
            let is_there = host::act_for(root.context()).is_ok();
            if !is_there {
                root.ended();
            }
            is_there
        });
        self.roots.set(roots);
    }

    fn root(&self, context: u32) -> Option<Rc<Root>> {
        let roots = self.roots.take();
        let root = roots.iter().find(|root| root.context() == context).cloned();
        self.roots.set(roots);
        root
    }
}

/// Refuses a request. The host does not send requests to a configuration that the filter has
/// refused; if it does, none may pass.
fn unconfigured() -> Passage {
    log::error!(
        "Envoy sent a request to a plugin whose configuration was refused; the request is refused"
    );
    let reply = Reply::new(503, "duo_mfa_unconfigured".to_owned(), "text/plain", Vec::new());
    if host::reply(&reply).is_err() {
        log::debug!("a request ended before the filter could reply to it");
    }
    Passage::Closed
}
