//! Bytes and headers that the host or the module lends to the other.
#![allow(unsafe_code, reason = "the ABI passes pointers; see above")]

use std::ptr::null;

/// Bytes that the host or the module lends for one call.
#[derive(Clone, Copy)]
#[repr(C)]
pub(in crate::adapter::native) struct Buffer {
    start: *const u8,
    length: usize,
}

/// A header that the host or the module lends for one call.
#[derive(Clone, Copy)]
#[repr(C)]
pub(in crate::adapter::native) struct Header {
    name: *const u8,
    name_length: usize,
    value: *const u8,
    value_length: usize,
}

impl Buffer {
    pub(super) const EMPTY: Self = Self { start: null(), length: 0 };

    pub(super) const fn lend(bytes: &[u8]) -> Self {
        Self { start: bytes.as_ptr(), length: bytes.len() }
    }

    /// The bytes.
    ///
    /// # Safety
    ///
    /// The host has lent the buffer for the present hook, and no edit was made since.
    pub(in crate::adapter::native) const unsafe fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: by contract.
        unsafe { slice(self.start, self.length) }
    }
}

impl Header {
    pub(super) const EMPTY: Self =
        Self { name: null(), name_length: 0, value: null(), value_length: 0 };

    pub(super) const fn lend(name: &[u8], value: &[u8]) -> Self {
        Self {
            name: name.as_ptr(),
            name_length: name.len(),
            value: value.as_ptr(),
            value_length: value.len(),
        }
    }

    /// Name and value.
    ///
    /// # Safety
    ///
    /// As for [`Buffer::bytes`].
    pub(in crate::adapter::native) const unsafe fn pair<'a>(self) -> (&'a [u8], &'a [u8]) {
        // SAFETY: by contract.
        unsafe { (slice(self.name, self.name_length), slice(self.value, self.value_length)) }
    }
}

/// A slice of what the host lends; it writes null for no bytes or items.
///
/// # Safety
///
/// `start` is null, or `length` initialized items are there and stay unchanged for `'a`.
pub(in crate::adapter::native) const unsafe fn slice<'a, T>(
    start: *const T,
    length: usize,
) -> &'a [T] {
    if start.is_null() || length == 0 {
        return &[];
    }
    // SAFETY: by contract.
    unsafe { std::slice::from_raw_parts(start, length) }
}

pub(super) fn lend_headers(headers: &[(&[u8], &[u8])]) -> Vec<Header> {
    headers.iter().map(|(name, value)| Header::lend(name, value)).collect()
}

pub(super) fn lend_texts(texts: &[&str]) -> Vec<Buffer> {
    texts.iter().map(|text| Buffer::lend(text.as_bytes())).collect()
}
