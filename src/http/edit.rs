//! What is changed on a request before it goes upstream.

use super::HeaderValue;

/// One change of a header map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Takes every value of this name out.
    Remove(Vec<u8>),
    /// Puts this value in place of what is there, or in.
    Set(&'static str, HeaderValue),
    /// Puts this value in beside what is there.
    Append(&'static str, HeaderValue),
}
