//! How Duo is asked, and what for.

use crate::duo::Credentials;
use crate::factor::Factor;
use crate::policy::FailMode;
use crate::session::SharedKey;
use std::time::Duration;

/// How Duo is asked, and what for.
#[derive(Debug)]
pub struct DuoSettings {
    /// API host and keys.
    pub credentials: Credentials,
    /// Envoy's cluster that leads to the API host.
    pub cluster: String,
    /// How long a call may take, `auth_status` excepted.
    pub timeout: Duration,
    /// How long an `auth_status` may take; Duo answers it late on purpose.
    pub status_timeout: Duration,
    /// How long a user has to approve.
    pub push_timeout: Duration,
    /// The time between two checks of Duo's reachability and the keys.
    pub check_interval: Duration,
    /// What users are offered, in this order; at least one, none twice.
    pub factors: Vec<Factor>,
    /// How somebody whom Duo wants to enroll first gets a device.
    pub enrollment: Enrollment,
    /// What happens while Duo cannot be reached, where no rule says otherwise.
    pub fail_mode: FailMode,
}

impl DuoSettings {
    /// The key of what all configurations of an Envoy share that ask by these credentials. It is
    /// derived from the secret key, so that no other plugin knows it and a new cookie key does not
    /// change it.
    #[must_use]
    pub fn shared_key(&self) -> SharedKey {
        let Credentials { api_host, integration_key, secret_key, .. } = &self.credentials;
        let parts = [api_host.as_str().as_bytes(), integration_key.as_bytes()];
        SharedKey::new(secret_key.expose().as_bytes(), &parts)
    }
}

/// How somebody without a device gets one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enrollment {
    /// Not here: the page names the help desk.
    Off,
    /// The page leads to Duo's portal.
    Portal,
    /// The page shows a QR code for Duo Mobile.
    Inline,
}
