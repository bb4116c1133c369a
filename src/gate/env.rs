//! Everything impure, as values.

use super::configured::Gate;
use super::health::Health;
use super::key_pair::KeyPair;
use crate::clock::{ClockOffset, UnixTime};
use crate::duo::universal::Jti;

/// Everything impure, as values.
#[derive(Clone, Debug)]
pub struct Env<'a> {
    /// The configuration in use.
    pub gate: &'a Gate,
    /// The time.
    pub now: UnixTime,
    /// The health of each pair of keys. A missing one counts as unknown.
    pub healths: Vec<(KeyPair, Health)>,
    /// New random bytes; `None` if the host has none.
    pub random: Option<[u8; 16]>,
}

impl Env<'_> {
    /// The id of one call to a Web SDK application. Without random bytes it is always the same, and
    /// Duo may refuse it.
    pub(super) fn jti(&self) -> Jti {
        Jti::from(self.random.unwrap_or_default())
    }

    /// The health of these keys.
    pub(super) fn health(&self, keys: KeyPair) -> Health {
        let mut healths = self.healths.iter();
        healths.find(|(known, _)| *known == keys).map(|(_, health)| *health).unwrap_or_default()
    }

    /// The clock offset of a Duo application. Its keys have the same API host.
    pub(super) fn offset(&self, application: usize) -> ClockOffset {
        let mut healths = self.healths.iter();
        let known = healths.find(|(keys, _)| keys.application == application);
        known.map(|(_, health)| health.offset).unwrap_or_default()
    }
}
