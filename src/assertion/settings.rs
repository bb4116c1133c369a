//! The operator's settings for assertions.

use std::sync::Arc;
use std::time::Duration;

/// The operator's settings for assertions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssertionSettings {
    /// The claim `iss`.
    pub issuer: String,
    /// The claim `aud`.
    pub audience: String,
    /// The name of the request's header.
    pub header: Arc<str>,
    /// The time between `iat` and `exp`.
    pub lifetime: Duration,
}
