//! An answer of Duo's as bytes.

/// An answer as the host received it.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "the body may hold a device token")]
pub struct Answer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The value of `retry-after`.
    pub retry_after: Option<&'a [u8]>,
    /// The body.
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// The longest body that is read.
    pub const MAX_BODY_BYTES: usize = 65_536;
}
