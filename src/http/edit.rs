//! Changes to a request before it is forwarded.

use super::HeaderValue;
use std::sync::Arc;

/// One change of a header map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Removes every value of this name.
    Remove(Vec<u8>),
    /// Sets this value, in place of all others.
    Set(&'static str, HeaderValue),
    /// Adds this value to the others.
    Append(&'static str, HeaderValue),
    /// The same under a name from the configuration.
    AppendNamed(Arc<str>, HeaderValue),
}
