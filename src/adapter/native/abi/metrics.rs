//! Envoy's callbacks for metrics, as safe functions.
#![allow(unsafe_code, reason = "the ABI passes pointers; see abi.rs")]

use super::{Bytes, Configuration, StreamPointer};
use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;
use std::ptr::null_mut;

type Define =
    unsafe extern "C" fn(Configuration<'_>, Bytes<'_>, *const Bytes<'_>, usize, &mut usize) -> u32;
type Change<Whose> = unsafe extern "C" fn(Whose, usize, *const Bytes<'_>, usize, u64) -> u32;

unsafe extern "C" {
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

callbacks! {
    "http_filter_config_define_counter" unsafe fn define_counter(
        config: Configuration<'_>, name: Bytes<'_>, labels: *const Bytes<'_>, count: usize, id: &mut usize) -> u32;
    "http_filter_config_define_gauge" unsafe fn define_gauge(
        config: Configuration<'_>, name: Bytes<'_>, labels: *const Bytes<'_>, count: usize, id: &mut usize) -> u32;
    "http_filter_config_define_histogram" unsafe fn define_histogram(
        config: Configuration<'_>, name: Bytes<'_>, labels: *const Bytes<'_>, count: usize, id: &mut usize) -> u32;
    "http_filter_increment_counter" unsafe fn increment(
        stream: StreamPointer, id: usize, labels: *const Bytes<'_>, count: usize, value: u64) -> u32;
    "http_filter_set_gauge" unsafe fn set_gauge(
        stream: StreamPointer, id: usize, labels: *const Bytes<'_>, count: usize, value: u64) -> u32;
    "http_filter_record_histogram_value" unsafe fn record(
        stream: StreamPointer, id: usize, labels: *const Bytes<'_>, count: usize, value: u64) -> u32;
}

/// A kind of metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::adapter::native) enum Kind {
    /// A value adds to it.
    Counter,
    /// A value replaces it.
    Gauge,
    /// It counts each value.
    Histogram,
}

/// The functions that only newer hosts have (1.39): metrics outside of any request.
#[derive(Clone, Copy)]
pub(in crate::adapter::native) struct Newer {
    increment: Change<Configuration<'static>>,
    set: Change<Configuration<'static>>,
    record: Change<Configuration<'static>>,
}

impl Newer {
    /// Looks them up; `None` on an older host.
    pub(in crate::adapter::native) fn find() -> Option<Self> {
        const INCREMENT: &CStr =
            c"envoy_dynamic_module_callback_http_filter_config_increment_counter";
        const SET: &CStr = c"envoy_dynamic_module_callback_http_filter_config_set_gauge";
        const RECORD: &CStr =
            c"envoy_dynamic_module_callback_http_filter_config_record_histogram_value";
        let find = |name: &CStr| {
            // SAFETY: the name is a C text; null means every library of the process.
            let found = unsafe { dlsym(null_mut(), name.as_ptr()) };
            if found.is_null() {
                return None;
            }
            // SAFETY: these functions have this type in every host that has them.
            Some(unsafe {
                std::mem::transmute::<*mut c_void, Change<Configuration<'static>>>(found)
            })
        };
        Some(Self { increment: find(INCREMENT)?, set: find(SET)?, record: find(RECORD)? })
    }
}

fn texts(texts: &[impl AsRef<str>]) -> Vec<Bytes<'_>> {
    texts.iter().map(|text| Bytes::of(text.as_ref().as_bytes())).collect()
}

fn change<W>(change: Change<W>, whose: W, id: usize, labels: &[impl AsRef<str>], value: u64) {
    let labels = texts(labels);
    // SAFETY: there are as many labels.
    unsafe { change(whose, id, labels.as_ptr(), labels.len(), value) };
}

/// Passes a value to a metric, with a request.
pub(in crate::adapter::native) fn pass(
    stream: StreamPointer,
    kind: Kind,
    id: usize,
    labels: &[impl AsRef<str>],
    value: u64,
) {
    let function: Change<StreamPointer> = match kind {
        Kind::Counter => increment,
        Kind::Gauge => set_gauge,
        Kind::Histogram => record,
    };
    change(function, stream, id, labels, value);
}

impl Configuration<'_> {
    /// Defines a metric; only while the configuration is made.
    pub(in crate::adapter::native) fn define(
        self,
        kind: Kind,
        name: &str,
        labels: &[&str],
    ) -> Option<usize> {
        let define: Define = match kind {
            Kind::Counter => define_counter,
            Kind::Gauge => define_gauge,
            Kind::Histogram => define_histogram,
        };
        let (name, labels, mut id) = (Bytes::of(name.as_bytes()), texts(labels), 0);
        // SAFETY: there are as many labels.
        let status = unsafe { define(self, name, labels.as_ptr(), labels.len(), &mut id) };
        (status == 0).then_some(id)
    }

    /// Passes a value to a metric, outside of any request.
    pub(in crate::adapter::native) fn pass(
        self,
        newer: Newer,
        (kind, id): (Kind, usize),
        labels: &[impl AsRef<str>],
        value: u64,
    ) {
        let function = match kind {
            Kind::Counter => newer.increment,
            Kind::Gauge => newer.set,
            Kind::Histogram => newer.record,
        };
        change(function, self.during_hook(), id, labels, value);
    }

    /// The handle, for a callback that keeps it no longer than the hook lasts.
    const fn during_hook(self) -> Configuration<'static> {
        Configuration(self.0, PhantomData)
    }
}
