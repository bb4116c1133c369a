//! Everything impure, as values.

use super::configured::Gate;
use super::health::Health;
use crate::clock::{ClockOffset, UnixTime};
use crate::duo::universal::Jti;

/// Everything impure, as values.
#[derive(Clone, Debug)]
pub struct Env<'a> {
    /// The configuration in use.
    pub gate: &'a Gate,
    /// The time.
    pub now: UnixTime,
    /// The health of each Duo application, by its number. A missing one counts as unknown.
    pub healths: Vec<Health>,
    /// New random bytes; `None` if the host has none.
    pub random: Option<[u8; 16]>,
}

impl Env<'_> {
    /// The id of one call to a Web SDK application. Without random bytes it is always the same, and
    /// Duo may refuse it.
    pub(super) fn jti(&self) -> Jti {
        Jti::from(self.random.unwrap_or_default())
    }

    /// The clock offset of a Duo application.
    pub(super) fn offset(&self, application: usize) -> ClockOffset {
        self.healths.get(application).map(|health| health.offset).unwrap_or_default()
    }

    /// Since when this Duo application has been unreachable. `None` unless the background check has
    /// found that.
    pub(super) fn unreached_since(&self, application: usize) -> Option<UnixTime> {
        self.healths.get(application).and_then(Health::unreached_since)
    }
}
