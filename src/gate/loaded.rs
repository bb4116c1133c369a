//! The audit line of a configuration that is taken into use.
//!
//! Each worker of Envoy has a VM, and each VM reads the configuration. A stamp in the data that they
//! share makes the first of them write the line, and no other.

use super::configured::Gate;
use crate::clock::UnixTime;
use crate::json::ObjectText;
use crate::session::SharedValues;
use crate::signal::{Level, Signal};
use std::time::Duration;

/// The time in which all workers of an Envoy take a configuration into use.
const ALL_WORKERS: Duration = Duration::from_secs(60);

/// A configuration that is taken into use.
#[expect(missing_debug_implementations, reason = "it has a key")]
pub struct Loaded {
    hash: String,
    values: SharedValues,
}

impl Loaded {
    /// The configuration of a gate.
    #[must_use]
    pub fn new(gate: &Gate) -> Self {
        let hash = gate.config().hash.clone();
        Self { values: gate.config().shared.values(&format!("loaded/{hash}")), hash }
    }

    /// The configuration's [hash](crate::config::Config::hash).
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The name of the stamp in shared data.
    #[must_use]
    pub fn name(&self) -> String {
        self.values.name(0)
    }

    /// The new stamp; `None` if another worker has just written one, which is `stored`.
    #[must_use]
    pub fn stamp(&self, stored: Option<&[u8]>, now: UnixTime) -> Option<Vec<u8>> {
        let last = stored.and_then(|stored| self.values.open(0, stored)?.try_into().ok());
        let last = last.map(|last| UnixTime::from_millis(u64::from_be_bytes(last)));
        let is_first = last.is_none_or(|last| now.apart(last) > ALL_WORKERS);
        is_first.then(|| self.values.seal(0, now.millis().to_be_bytes().to_vec()))
    }

    /// The line.
    #[must_use]
    pub fn line(&self, now: UnixTime) -> Signal {
        let text = ObjectText::new()
            .text("event", "duo_mfa")
            .number("version", super::audit::VERSION)
            .text("time", &now.rfc3339())
            .text("kind", "config_loaded")
            .text("result", "config_loaded")
            .text("hash", &self.hash)
            .text("filter_version", env!("CARGO_PKG_VERSION"));
        Signal::Log(Level::Info, text.finish())
    }
}
