//! The types and hooks of the dynamic-module ABI, as Envoy's header has them.

use std::ffi::{c_char, c_void};

/// Bytes that one side lends.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Buffer {
    pub(crate) start: *const u8,
    pub(crate) length: usize,
}

/// A header that one side lends.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Header {
    pub(crate) name: *const u8,
    pub(crate) name_length: usize,
    pub(crate) value: *const u8,
    pub(crate) value_length: usize,
}

impl Buffer {
    pub(crate) const fn of(bytes: &[u8]) -> Self {
        Self { start: bytes.as_ptr(), length: bytes.len() }
    }

    pub(crate) unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.length == 0 {
            return &[];
        }
        // SAFETY: the module lends it for the present callback.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }

    pub(crate) unsafe fn text(self) -> String {
        // SAFETY: as above.
        String::from_utf8(unsafe { self.bytes() }.to_vec()).unwrap()
    }
}

impl Header {
    pub(crate) const fn of(name: &[u8], value: &[u8]) -> Self {
        Self {
            name: name.as_ptr(),
            name_length: name.len(),
            value: value.as_ptr(),
            value_length: value.len(),
        }
    }

    pub(crate) unsafe fn pair(self) -> (String, Vec<u8>) {
        let name = Buffer { start: self.name, length: self.name_length };
        let value = Buffer { start: self.value, length: self.value_length };
        // SAFETY: the module lends both for the present callback.
        unsafe { (name.text(), value.bytes().to_vec()) }
    }
}

/// A pointer of the module's, or of the host's.
pub(crate) type Pointer = *mut c_void;

macro_rules! hooks {
    ($(fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        unsafe extern "C" {
            $(
                #[link_name = concat!("envoy_dynamic_module_on_", stringify!($name))]
                pub(crate) fn $name($($argument: $type),*) $(-> $result)?;
            )*
        }
    };
}

hooks! {
    fn program_init() -> *const c_char;
    fn http_filter_config_new(host: Pointer, name: Buffer, text: Buffer) -> Pointer;
    fn http_filter_config_destroy(ours: Pointer);
    fn http_filter_config_scheduled(host: Pointer, ours: Pointer, event: u64);
    fn http_filter_config_http_callout_done(
        host: Pointer, ours: Pointer, id: u64, result: u32,
        headers: *const Header, header_count: usize, chunks: *const Buffer, chunk_count: usize);
    fn http_filter_new(ours: Pointer, host: Pointer) -> Pointer;
    fn http_filter_destroy(ours: Pointer);
    fn http_filter_request_headers(host: Pointer, ours: Pointer, is_whole: bool) -> u32;
    fn http_filter_request_body(host: Pointer, ours: Pointer, is_whole: bool) -> u32;
    fn http_filter_request_trailers(host: Pointer, ours: Pointer) -> u32;
    fn http_filter_response_headers(host: Pointer, ours: Pointer, is_whole: bool) -> u32;
    fn http_filter_response_body(host: Pointer, ours: Pointer, is_whole: bool) -> u32;
    fn http_filter_stream_complete(host: Pointer, ours: Pointer);
    fn http_filter_http_callout_done(
        host: Pointer, ours: Pointer, id: u64, result: u32,
        headers: *const Header, header_count: usize, chunks: *const Buffer, chunk_count: usize);
    fn http_filter_scheduled(host: Pointer, ours: Pointer, event: u64);
}
