//! A request of this VM, for the interpreter of steps. The host acts for its stream.

use super::host;
use super::plugin::Plugin;
use super::streams::Streams;
use crate::adapter::calls::Unsent;
use crate::adapter::stage::Stage;
use crate::adapter::traits::{Map, Maps, Stream, Undone};
use crate::gate::Call;
use crate::http::{Edit, Reply};
use proxy_wasm::types::MapType;
use std::rc::Rc;
use std::time::Duration;

/// The stream that the host acts for.
pub(super) struct Acting;

/// One request, and the tables that know it.
pub(super) struct Request<'a> {
    plugin: &'a Rc<Plugin>,
    streams: &'a Streams,
    context: u32,
}

impl<'a> Request<'a> {
    pub(super) const fn of(plugin: &'a Rc<Plugin>, streams: &'a Streams, context: u32) -> Self {
        Self { plugin, streams, context }
    }
}

impl Maps for Acting {
    fn headers(&self, map: Map) -> Vec<u8> {
        host::headers(kind(map)).unwrap_or_default()
    }

    fn edit(&self, map: Map, edits: &[Edit]) -> Result<(), Undone> {
        host::edit(kind(map), edits).map_err(|_| Undone)
    }
}

impl Maps for Request<'_> {
    fn headers(&self, map: Map) -> Vec<u8> {
        Acting.headers(map)
    }

    fn edit(&self, map: Map, edits: &[Edit]) -> Result<(), Undone> {
        Acting.edit(map, edits)
    }
}

impl Stream for Request<'_> {
    type Shared = Plugin;

    fn shared(&self) -> &Plugin {
        self.plugin
    }

    fn body(&self, max: usize) -> Option<Vec<u8>> {
        host::request_body(max).ok()
    }

    fn property<P: AsRef<str>>(&self, path: &[P]) -> Option<Vec<u8>> {
        host::property(path)
    }

    fn set_filter_state(&self, name: &str, value: &str) -> Result<(), Undone> {
        host::set_property(name, value).map_err(|_| Undone)
    }

    fn has_ended(&self) -> bool {
        host::has_ended()
    }

    /// The host (Envoy 1.40) makes every call in the root's name, so each one outlives its client.
    fn call(&self, cluster: &str, call: &Call, _: bool) -> Result<u64, Unsent> {
        host::dispatch(cluster, &call.signed, call.timeout)
    }

    fn post(
        &self,
        cluster: &str,
        headers: &[(&[u8], &[u8])],
        body: &[u8],
        timeout: Duration,
    ) -> Result<u64, Unsent> {
        host::post(cluster, headers, body, timeout)
    }

    fn resume(&self) -> Result<(), Undone> {
        host::resume().map_err(|_| {
            // Its response must not get the approval of a forwarded request.
            self.put(Stage::Refused);
            host::reply_barely();
            Undone
        })
    }

    fn reply(&self, reply: &Reply) -> Result<(), Undone> {
        host::reply(reply).map_err(|_| Undone)
    }

    fn put(&self, stage: Stage) {
        self.streams.put(self.context, self.plugin, stage);
    }

    fn undecided(&self) -> usize {
        self.streams.undecided()
    }

    fn asks(&self, is_meant: &dyn Fn(usize) -> bool) -> bool {
        self.streams.asks(self.plugin, is_meant)
    }
}

const fn kind(map: Map) -> MapType {
    match map {
        Map::RequestHeaders => MapType::HttpRequestHeaders,
        Map::RequestTrailers => MapType::HttpRequestTrailers,
        Map::ResponseHeaders => MapType::HttpResponseHeaders,
    }
}
