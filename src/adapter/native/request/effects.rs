//! The effects of steps on a stream.

use super::Request;
use crate::adapter::calls::Unsent;
use crate::adapter::native::abi::Header;
use crate::adapter::native::faults;
use crate::adapter::native::main_thread::{with_callout, with_post};
use crate::adapter::native::plugin::{MAIL, View};
use crate::adapter::native::reach::Place;
use crate::adapter::native::stream::{BUFFERED, RECEIVED};
use crate::adapter::native::timer::wait;
use crate::adapter::shared::Shared as _;
use crate::adapter::stage::Stage;
use crate::adapter::traits::{Map, Maps, Stream, Undone};
use crate::gate::Call;
use crate::http::{Edit, Reply};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// The attribute with the response code details.
const CODE_DETAILS: u32 = 16;

/// The largest buffer for headers that a worker keeps, in bytes.
const KEPT: usize = 64 * 1024;

impl Maps for Request {
    fn headers(&self, map: Map) -> Vec<u8> {
        let mut buffer =
            self.view.buffer().map(|mut kept| std::mem::take(&mut *kept)).unwrap_or_default();
        buffer.clear();
        self.host.headers(map, &mut buffer);
        buffer
    }

    fn take_back(&self, buffer: Vec<u8>) {
        if buffer.capacity() <= KEPT
            && let Some(mut kept) = self.view.buffer()
        {
            *kept = buffer;
        }
    }

    fn edit(&self, map: Map, edits: &[Edit]) -> Result<(), Undone> {
        edits.iter().try_for_each(|edit| {
            let is_done = match edit {
                Edit::Remove(name) => self.host.remove(map, name),
                Edit::Set(name, value) => self.host.set(map, name.as_bytes(), value.as_bytes()),
                Edit::Append(name, value) => self.host.add(map, name.as_bytes(), value.as_bytes()),
                Edit::AppendNamed(name, value) => {
                    self.host.add(map, name.as_bytes(), value.as_bytes())
                }
            };
            is_done.then_some(()).ok_or(Undone)
        })
    }
}

impl Stream for Request {
    type Shared = View;

    fn shared(&self) -> &View {
        &self.view
    }

    fn body(&self, max: usize) -> Option<Vec<u8>> {
        let (mut body, max) = (Vec::new(), max.saturating_add(1));
        self.host.read_body(BUFFERED, max, &mut body);
        if self.body.has_more() {
            self.host.read_body(RECEIVED, max, &mut body);
        }
        Some(body)
    }

    fn property<P: AsRef<str>>(&self, path: &[P]) -> Option<Vec<u8>> {
        let groups = self.view.gate().groups_attribute();
        let is_of_groups = groups.is_some_and(|groups| {
            groups.iter().map(String::as_str).eq(path.iter().map(AsRef::as_ref))
        });
        Place::of(path)?.read(&self.host, is_of_groups)
    }

    fn set_filter_state(&self, name: &str, value: &str) -> Result<(), Undone> {
        // The name that it has with a wasm module, so that access logs and rules are the same.
        self.host.set_state(&format!("wasm.{name}"), value).then_some(()).ok_or(Undone)
    }

    fn has_ended(&self) -> bool {
        self.host.has_ended() || self.host.text(CODE_DETAILS).is_some_and(|it| !it.is_empty())
    }

    fn call(&self, cluster: &str, call: &Call, outlives: bool) -> Result<u64, Unsent> {
        match &self.view.plugin.main {
            Some(main) if outlives => {
                let token = self.view.plugin.mail.put(call, self.bell());
                main.wake(MAIL);
                Ok(token)
            }
            _ => with_callout(cluster, call, |callout| self.host.call(callout)),
        }
    }

    fn post(
        &self,
        cluster: &str,
        headers: &[(&[u8], &[u8])],
        body: &[u8],
        timeout: Duration,
    ) -> Result<u64, Unsent> {
        with_post(cluster, headers, (body, timeout), |callout| self.host.call(callout))
    }

    fn resume(&self) -> Result<(), Undone> {
        if self.host.has_ended() {
            return Err(Undone);
        }
        faults::at("resume");
        self.is_resumed.set(true);
        self.is_open.set(true);
        self.host.resume();
        faults::at("resumed");
        Ok(())
    }

    fn reply(&self, reply: &Reply) -> Result<(), Undone> {
        if self.host.has_ended() {
            return Err(Undone);
        }
        faults::at("reply");
        let headers = reply.headers.iter();
        let mut headers: Vec<_> =
            headers.map(|(name, value)| Header::of(name.as_bytes(), value.as_bytes())).collect();
        match &reply.grpc {
            Some((status, message)) => {
                // Envoy makes a gRPC reply of it, and the body its message.
                let status = status.number().to_string();
                headers.push(Header::of(b"grpc-status", status.as_bytes()));
                self.is_replied.set(true);
                self.host.reply(reply.status, &headers, message.as_bytes(), &reply.details);
            }
            None => {
                self.is_replied.set(true);
                self.host.reply(reply.status, &headers, &reply.body, &reply.details);
            }
        }
        faults::at("replied");
        Ok(())
    }

    fn put(&self, stage: Stage) {
        let wait = wait(&stage, self.view.now());
        self.replace(Some(stage));
        if let Some(wait) = wait {
            self.view.plugin.timer.after(wait, self.bell(), self.turn.get());
        }
    }

    fn undecided(&self) -> usize {
        self.view.undecided().map_or(0, |undecided| undecided.load(Relaxed))
    }

    fn asks(&self, is_meant: &dyn Fn(usize) -> bool) -> bool {
        self.view.plugin.asks(is_meant, 0)
    }
}
