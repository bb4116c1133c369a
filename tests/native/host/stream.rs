//! A stream at the host. Its memory is freed when it ends.

use super::abi::{self, Buffer, Header, Pointer};
use super::{Call, Config, POINTERS, Queue, Response, deliver, in_host, in_module, next_event};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

/// Names and values, each in separate memory.
pub(crate) type Map = Vec<(Box<[u8]>, Box<[u8]>)>;

/// When the host ends the stream inside of a callback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ends {
    #[default]
    Never,
    InResume,
    InReply,
}

/// A reply that the module has given.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u32,
    pub(crate) details: String,
}

/// The fate of a stream. It outlives the stream.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) replies: RefCell<Vec<Reply>>,
    /// The request headers that have gone to the application.
    pub(crate) upstream: RefCell<Option<Vec<(String, String)>>>,
    /// The response headers that have gone to the client.
    pub(crate) response: RefCell<Option<Vec<(String, String)>>>,
    pub(crate) has_ended: Cell<bool>,
    pub(crate) ends: Cell<Ends>,
    pub(crate) state: RefCell<BTreeMap<String, String>>,
    /// How many hooks run.
    depth: Cell<usize>,
}

pub(crate) struct Stream {
    filter: Cell<Pointer>,
    pub(super) config: *const Config,
    pub(super) maps: [RefCell<Map>; 3],
    /// The part that has just arrived, and the buffered ones.
    pub(super) bodies: [RefCell<Vec<Box<[u8]>>>; 2],
    /// Values that are lent until the next edit.
    pub(super) lent: RefCell<Vec<Box<[u8]>>>,
    pub(super) queue: Queue,
    pub(super) calls: RefCell<Vec<Call>>,
    pub(super) last_call: Cell<u64>,
    pub(crate) texts: RefCell<BTreeMap<u32, String>>,
    /// Dynamic metadata: lists of texts, by namespace and key. One entry is a plain text.
    pub(crate) metadata: RefCell<BTreeMap<(String, String), Vec<String>>>,
    pub(crate) outcome: Rc<Outcome>,
    is_resumed: Cell<bool>,
}

pub(super) fn boxed(bytes: &[u8]) -> Box<[u8]> {
    bytes.into()
}

fn map(pairs: &[(&str, &str)]) -> Map {
    pairs.iter().map(|(name, value)| (boxed(name.as_bytes()), boxed(value.as_bytes()))).collect()
}

fn texts(map: &Map) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    map.iter().map(|(name, value)| (text(name), text(value))).collect()
}

impl Stream {
    pub(super) fn new(config: *const Config, headers: &[(&str, &str)]) -> *mut Self {
        let stream = Box::into_raw(Box::new(Self {
            filter: Cell::new(std::ptr::null_mut()),
            config,
            maps: [RefCell::new(map(headers)), RefCell::default(), RefCell::default()],
            bodies: Default::default(),
            lent: RefCell::default(),
            queue: Arc::new(Mutex::new(Some(VecDeque::new()))),
            calls: RefCell::default(),
            last_call: Cell::new(0),
            texts: RefCell::default(),
            metadata: RefCell::default(),
            outcome: Rc::default(),
            is_resumed: Cell::new(false),
        }));
        POINTERS.add(stream.cast());
        // The module asks for the worker's number while it makes its filter.
        // SAFETY: it was just made.
        unsafe { &*stream }.outcome.depth.set(1);
        stream
    }

    /// The module has made its filter. Without one the stream ends.
    pub(super) unsafe fn began(this: *mut Self, filter: Pointer) -> bool {
        if filter.is_null() {
            POINTERS.remove(this.cast());
            // SAFETY: it was made by `new`.
            drop(unsafe { Box::from_raw(this) });
            return false;
        }
        // SAFETY: as above.
        let stream = unsafe { &*this };
        stream.filter.set(filter);
        stream.outcome.depth.set(0);
        true
    }

    /// The stream of a callback. Ends the process if there is none, or none of its hooks runs.
    pub(super) unsafe fn of<'a>(pointer: Pointer) -> &'a Self {
        in_host(|| POINTERS.check(pointer));
        // SAFETY: it exists, and only its own thread ends it.
        let stream = unsafe { &*pointer.cast::<Self>() };
        assert!(stream.outcome.depth.get() > 0, "a callback outside of the stream's hooks");
        stream
    }

    /// Runs a hook. The stream may have ended when it returns.
    unsafe fn hook<T>(this: *mut Self, hook: impl FnOnce(Pointer, Pointer) -> T) -> T {
        // SAFETY: by contract it exists.
        let (outcome, filter) = unsafe { (Rc::clone(&(*this).outcome), (*this).filter.get()) };
        outcome.depth.set(outcome.depth.get() + 1);
        let result = in_module(|| hook(this.cast(), filter));
        outcome.depth.set(outcome.depth.get() - 1);
        result
    }

    pub(crate) unsafe fn request_headers(this: *mut Self, is_whole: bool) -> u32 {
        // SAFETY: as Envoy calls it.
        unsafe {
            Self::hook(this, |host, ours| abi::http_filter_request_headers(host, ours, is_whole))
        }
    }

    pub(crate) unsafe fn request_body(this: *mut Self, part: &[u8], is_whole: bool) -> u32 {
        // SAFETY: as Envoy calls it.
        unsafe {
            *(*this).bodies[0].borrow_mut() = vec![boxed(part)];
            let outcome = Rc::clone(&(*this).outcome);
            let status =
                Self::hook(this, |host, ours| abi::http_filter_request_body(host, ours, is_whole));
            if !outcome.has_ended.get() {
                let received = std::mem::take(&mut *(*this).bodies[0].borrow_mut());
                if status == 1 || status == 2 {
                    (*this).bodies[1].borrow_mut().extend(received);
                }
            }
            status
        }
    }

    pub(crate) unsafe fn request_trailers(this: *mut Self, trailers: &[(&str, &str)]) -> u32 {
        // SAFETY: as Envoy calls it.
        unsafe {
            *(*this).maps[1].borrow_mut() = map(trailers);
            Self::hook(this, |host, ours| abi::http_filter_request_trailers(host, ours))
        }
    }

    /// The request goes to the application.
    pub(crate) fn goes_upstream(&self) {
        let mut upstream = self.outcome.upstream.borrow_mut();
        assert!(upstream.is_none(), "forwarded twice");
        assert!(self.outcome.replies.borrow().is_empty(), "forwarded after a reply");
        *upstream = Some(texts(&self.maps[0].borrow()));
    }

    /// A response comes, from the application or from the module itself.
    pub(crate) unsafe fn respond(this: *mut Self, headers: &[(&str, &str)]) -> u32 {
        // SAFETY: as Envoy calls it.
        unsafe {
            *(*this).maps[2].borrow_mut() = map(headers);
            let outcome = Rc::clone(&(*this).outcome);
            let status =
                Self::hook(this, |host, ours| abi::http_filter_response_headers(host, ours, false));
            if status == 0 && !outcome.has_ended.get() {
                *outcome.response.borrow_mut() = Some(texts(&(*this).maps[2].borrow()));
                Self::hook(this, |host, ours| abi::http_filter_response_body(host, ours, true));
            }
            status
        }
    }

    /// Does one thing on the worker: delivers an event, or the end of a call. `false` if there was
    /// nothing to do.
    pub(crate) unsafe fn step(this: *mut Self, answer: &dyn Fn(&Call) -> Response) -> bool {
        // SAFETY: as Envoy calls it.
        unsafe {
            if let Some(event) = next_event(&(*this).queue) {
                Self::hook(this, |host, ours| abi::http_filter_scheduled(host, ours, event));
                return true;
            }
            let call = (*this).calls.borrow_mut().pop();
            let Some(call) = call else { return false };
            deliver(&answer(&call), |result, headers, chunks| {
                let (headers, count) = (headers.as_ptr(), headers.len());
                let (chunks, chunk_count) = (chunks.as_ptr(), chunks.len());
                Self::hook(this, |host, ours| {
                    abi::http_filter_http_callout_done(
                        host,
                        ours,
                        call.id,
                        result,
                        headers,
                        count,
                        chunks,
                        chunk_count,
                    );
                });
            });
            true
        }
    }

    /// The client leaves, or the exchange is complete.
    pub(crate) unsafe fn end(this: *mut Self) {
        // SAFETY: as Envoy calls it, once.
        unsafe {
            Self::hook(this, |host, ours| abi::http_filter_stream_complete(host, ours));
            let filter = (*this).filter.replace(std::ptr::null_mut());
            (&*this).outcome.has_ended.set(true);
            in_module(|| abi::http_filter_destroy(filter));
            *(*this).queue.lock().unwrap() = None;
            POINTERS.remove(this.cast());
            drop(Box::from_raw(this));
        }
    }

    /// The module has the request go on, which was held.
    pub(super) unsafe fn resumed(this: *mut Self) {
        // SAFETY: it exists.
        unsafe {
            assert!(!(*this).is_resumed.replace(true), "resumed twice");
            (*this).goes_upstream();
            if (&*this).outcome.ends.get() == Ends::InResume {
                Self::respond(this, &[(":status", "200"), ("content-type", "text/plain")]);
                Self::end(this);
            }
        }
    }

    /// The module replies. Envoy passes the reply to the filters of responses.
    pub(super) unsafe fn replied(this: *mut Self, reply: &Reply, headers: &[(String, Vec<u8>)]) {
        // SAFETY: it exists.
        unsafe {
            (&*this).outcome.replies.borrow_mut().push(reply.clone());
            let status = reply.status.to_string();
            let headers: Vec<_> = headers
                .iter()
                .map(|(name, value)| (name, String::from_utf8_lossy(value)))
                .collect();
            let mut pairs = vec![(":status", status.as_str())];
            pairs.extend(headers.iter().map(|(name, value)| (name.as_str(), value.as_ref())));
            Self::respond(this, &pairs);
            if (&*this).outcome.ends.get() == Ends::InReply {
                Self::end(this);
            }
        }
    }

    /// Frees all that is lent, and moves the headers to other memory.
    pub(super) fn renew(&self, change: impl FnOnce(&mut Map), map: usize) {
        self.lent.borrow_mut().clear();
        let mut map = self.maps[map].borrow_mut();
        let mut moved: Map = map.iter().map(|(a, b)| (boxed(a), boxed(b))).collect();
        change(&mut moved);
        *map = moved;
    }

    pub(super) fn lend(&self, bytes: &[u8], out: *mut Buffer) -> bool {
        let mut lent = self.lent.borrow_mut();
        lent.push(boxed(bytes));
        let lent = lent.last().map_or(Buffer::of(&[]), |bytes| Buffer::of(bytes));
        // SAFETY: the module wants the value there.
        unsafe { out.write(lent) };
        true
    }

    pub(super) fn write_headers(&self, map: usize, out: *mut Header) {
        for (at, (name, value)) in self.maps[map].borrow().iter().enumerate() {
            // SAFETY: the module has made room for as many as there are.
            unsafe { out.add(at).write(Header::of(name, value)) };
        }
    }
}
