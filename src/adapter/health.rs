//! What this Envoy knows of Duo, shared by all its VMs, so that one of them checks for all.

use super::host;
use crate::clock::{ClockOffset, UnixTime};
use crate::config::Config;
use crate::gate::{Health, Standing};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::time::Duration;

/// The shared record of one Duo application.
#[derive(Debug)]
pub(super) struct Record {
    key: String,
}

impl Record {
    /// The record of the application that a configuration names. Configurations that differ in it
    /// may share a VM, so the key is told by it.
    pub(super) fn of(config: &Config) -> Self {
        let duo = &config.duo.credentials;
        let digest = Sha256::new()
            .chain_update(duo.api_host.as_str())
            .chain_update([0])
            .chain_update(&duo.integration_key)
            .finalize();
        let mut key = String::from("duo_mfa/health/");
        for byte in digest.iter().take(8) {
            let _ = write!(key, "{byte:02x}");
        }
        Self { key }
    }

    pub(super) fn read(&self) -> Health {
        self.read_with_cas().0
    }

    /// Claims the next check for this VM; no where somebody else has, or none is due.
    pub(super) fn claim(&self, now: UnixTime, interval: Duration) -> bool {
        let (health, cas) = self.read_with_cas();
        let claimed = Health { begun: now, ..health };
        health.is_due(now, interval) && host::swap_shared(&self.key, &claimed.encode(), cas).is_ok()
    }

    /// Writes down how a check went, and says whether that is another outcome than before.
    pub(super) fn write(&self, standing: Standing, offset: Option<ClockOffset>) -> bool {
        let (health, cas) = self.read_with_cas();
        let offset = offset.unwrap_or(health.offset);
        // Whoever was faster has written a fresher outcome.
        let _ = host::swap_shared(&self.key, &Health { standing, offset, ..health }.encode(), cas);
        standing != health.standing
    }

    /// Writes down Duo's clock alone: how Duo stands may have been found out by another VM since.
    pub(super) fn learn(&self, offset: ClockOffset) {
        let (health, cas) = self.read_with_cas();
        let _ = host::swap_shared(&self.key, &Health { offset, ..health }.encode(), cas);
    }

    fn read_with_cas(&self) -> (Health, Option<u32>) {
        match host::shared(&self.key) {
            Some((bytes, cas)) => (Health::decode(&bytes).unwrap_or_default(), Some(cas)),
            None => (Health::default(), None),
        }
    }
}
