//! A host for the module: one configuration, and its streams. The thread of a test is both Envoy's
//! main thread and a worker.

pub(crate) mod abi;
mod callbacks;
pub(crate) mod live;
mod stream;

pub(crate) use live::{POINTERS, WORKER, in_host, in_module};
pub(crate) use stream::{Ends, Outcome, Reply, Stream};

use abi::{Buffer, Header, Pointer};
use std::collections::{BTreeMap, VecDeque};
use std::ffi::CStr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, Once};

/// A call that the module has made.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) id: u64,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Call {
    pub(crate) fn path(&self) -> &str {
        let path = self.headers.iter().find(|(name, _)| name == ":path").expect("a path");
        str::from_utf8(&path.1).unwrap().split('?').next().unwrap()
    }
}

/// The end of a call.
pub(crate) enum Response {
    Answered(u16, String),
    Reset,
}

/// The events that wait for a thread; `None` once it is gone.
pub(crate) type Queue = Arc<Mutex<Option<VecDeque<u64>>>>;

pub(crate) fn next_event(queue: &Queue) -> Option<u64> {
    queue.lock().unwrap().as_mut()?.pop_front()
}

struct Metric {
    name: String,
    values: BTreeMap<Vec<String>, u64>,
}

/// A configuration at the host.
pub(crate) struct Config {
    ours: AtomicPtr<std::ffi::c_void>,
    queue: Queue,
    calls: Mutex<Vec<Call>>,
    metrics: Mutex<Vec<Metric>>,
    last_call: AtomicU64,
}

impl Config {
    /// Ends a call of this configuration, which is at `pointer`.
    fn end(&self, pointer: Pointer, id: u64, response: &Response) {
        let ours = self.ours.load(Relaxed);
        deliver(response, |result, headers, chunks| {
            let (headers, header_count) = (headers.as_ptr(), headers.len());
            let (chunks, chunk_count) = (chunks.as_ptr(), chunks.len());
            // SAFETY: as Envoy calls it.
            unsafe {
                abi::http_filter_config_http_callout_done(
                    pointer,
                    ours,
                    id,
                    result,
                    headers,
                    header_count,
                    chunks,
                    chunk_count,
                );
            }
        });
    }
}

/// A running configuration. Ends when it is dropped.
pub(crate) struct Host {
    config: *mut Config,
}

// SAFETY: a configuration has no data of one thread.
unsafe impl Sync for Host {}

pub(crate) const SECRETS: [(&str, &str); 2] = [
    ("SECRET_KEY", "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep"),
    ("COOKIE_KEY", "pMzo0uFM2P5cPIGe6jbvvQnC8gXH1V3rC5wfVTdXPcw="),
];

fn init() {
    static INIT: Once = Once::new();
    INIT.call_once(|| {
        for (name, value) in SECRETS {
            // SAFETY: only Rust code reads the environment here, and takes the lock of `std`.
            unsafe { std::env::set_var(name, value) };
        }
        // SAFETY: as Envoy calls it, once.
        let version = unsafe { abi::program_init() };
        assert!(!version.is_null());
        // SAFETY: a C text of the module's.
        assert_eq!(unsafe { CStr::from_ptr(version) }.to_str(), Ok("v0.1.0"));
        // The module logs the place of a panic and nothing more. A failed test says all.
        let module = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            eprintln!("{panic}");
            in_host(|| module(panic));
        }));
    });
}

impl Host {
    /// Starts a configuration; `None` if the module refuses it.
    pub(crate) fn try_start(text: &str) -> Option<Self> {
        init();
        let config = Box::into_raw(Box::new(Config {
            ours: AtomicPtr::default(),
            queue: Arc::new(Mutex::new(Some(VecDeque::new()))),
            calls: Mutex::default(),
            metrics: Mutex::default(),
            last_call: AtomicU64::new(0),
        }));
        POINTERS.add(config.cast());
        let host = Self { config };
        let text = Box::<[u8]>::from(text.as_bytes());
        // SAFETY: as Envoy calls it.
        let ours = unsafe {
            abi::http_filter_config_new(config.cast(), Buffer::of(b"duo_mfa"), Buffer::of(&text))
        };
        host.config().ours.store(ours, Relaxed);
        (!ours.is_null()).then_some(host)
    }

    pub(crate) fn start(text: &str) -> Self {
        Self::try_start(text).expect("a configuration that is accepted")
    }

    fn config(&self) -> &Config {
        // SAFETY: it lives as long as `self`.
        unsafe { &*self.config }
    }

    /// A stream that has begun; `None` if the module makes no filter for it.
    pub(crate) fn try_stream(&self, headers: &[(&str, &str)]) -> Option<*mut Stream> {
        let stream = Stream::new(self.config, headers);
        // SAFETY: the stream was just made.
        let filter = in_module(|| unsafe { abi::http_filter_new(self.ours(), stream.cast()) });
        // SAFETY: as above.
        unsafe { Stream::began(stream, filter) }.then_some(stream)
    }

    fn ours(&self) -> Pointer {
        self.config().ours.load(Relaxed)
    }

    /// Does one thing on the main thread: delivers an event, or the end of a call. `false` if there
    /// was nothing to do.
    pub(crate) fn step(&self, answer: &dyn Fn(&Call) -> Response) -> bool {
        if let Some(event) = next_event(&self.config().queue) {
            // SAFETY: as Envoy calls it.
            unsafe { abi::http_filter_config_scheduled(self.config.cast(), self.ours(), event) };
            return true;
        }
        let call = self.config().calls.lock().unwrap().pop();
        let Some(call) = call else { return false };
        self.config().end(self.config.cast(), call.id, &answer(&call));
        true
    }

    /// The value of a counter or gauge, over all labels.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let metrics = self.config().metrics.lock().unwrap();
        metrics.iter().filter(|it| it.name == name).flat_map(|it| it.values.values()).sum()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let ours = self.ours();
        // Envoy takes no more events for a configuration that ends.
        *self.config().queue.lock().unwrap() = None;
        if !ours.is_null() {
            // SAFETY: as Envoy calls it, once.
            unsafe { abi::http_filter_config_destroy(ours) };
        }
        POINTERS.remove(self.config.cast());
        // SAFETY: it was made by `Box::into_raw`.
        drop(unsafe { Box::from_raw(self.config) });
    }
}

/// Lends a response for one hook.
pub(crate) fn deliver(response: &Response, hook: impl FnOnce(u32, &[Header], &[Buffer])) {
    let Response::Answered(status, body) = response else { return hook(1, &[], &[]) };
    let status = Box::<str>::from(status.to_string());
    let headers: Box<[_]> = Box::new([Header::of(b":status", status.as_bytes())]);
    let half = body.len() / 2;
    let chunks = [&body.as_bytes()[..half], &body.as_bytes()[half..]].map(Box::<[u8]>::from);
    let chunks: Box<[_]> = chunks.iter().map(|chunk| Buffer::of(chunk)).collect::<Vec<_>>().into();
    hook(0, &headers, &chunks);
}
