//! One request: callbacks in, and whether it goes on out.

use super::plugin::{Callback, Passage, Plugin};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use std::rc::Rc;

/// A request of one plugin configuration.
pub(super) struct Stream {
    context: u32,
    plugin: Rc<Plugin>,
}

impl Stream {
    pub(super) const fn new(context: u32, plugin: Rc<Plugin>) -> Self {
        Self { context, plugin }
    }

    /// Body and trailers wait like the headers. Under `allow_on_headers_stop_iteration: true` a
    /// Continue here would send an undecided request upstream.
    fn action(&self) -> Action {
        if self.plugin.waiting.is_held(self.context) { Action::Pause } else { Action::Continue }
    }
}

impl Context for Stream {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize, _: usize) {
        self.plugin.answered(self.context, Callback { token, headers, body });
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        match self.plugin.open(self.context) {
            Passage::Open => Action::Continue,
            Passage::Closed => Action::Pause,
        }
    }

    fn on_http_request_body(&mut self, _: usize, _: bool) -> Action {
        self.action()
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        self.action()
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.plugin.respond(self.context);
        Action::Continue
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.plugin.close(self.context);
    }
}
