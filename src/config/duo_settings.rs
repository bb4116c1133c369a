//! How Duo is called.

use super::universal::Universal;
use crate::duo::Credentials;
use crate::factor::{AcceptedFactors, Factor};
use crate::policy::FailMode;
use crate::secret::Secret;
use crate::session::SharedKey;
use std::time::Duration;

/// How Duo is called.
#[derive(Debug)]
pub struct DuoSettings {
    /// API host and keys.
    pub credentials: Credentials,
    /// Envoy's cluster for the API host.
    pub cluster: String,
    /// The timeout of a call, `auth_status` excepted.
    pub timeout: Duration,
    /// The timeout of `auth_status`, which Duo delays on purpose.
    pub status_timeout: Duration,
    /// How long a user has to answer.
    pub push_timeout: Duration,
    /// The time between two checks of Duo's reachability and the keys.
    pub check_interval: Duration,
    /// The factors that `duo.factors` names, without repetition; `None` if the key is not set. No
    /// parameter tells Duo's page which factors to offer, so an approval by another one there is
    /// not accepted.
    pub accepted: Option<AcceptedFactors>,
    /// How a user without a device gets one.
    pub enrollment: Enrollment,
    /// The treatment of users while Duo cannot be reached, unless a rule has its own.
    pub fail_mode: FailMode,
    /// How browsers are sent to Duo's Universal Prompt; `None` if they get the filter's own page.
    pub universal: Option<Universal>,
}

impl DuoSettings {
    /// The factors that the filter itself offers, in this order.
    #[must_use]
    pub fn factors(&self) -> &[Factor] {
        self.accepted.as_ref().map_or(&Factor::ALL, |accepted| &accepted.factors)
    }

    /// The secrets that Duo has too.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret<String>> {
        let universal = self.universal.as_ref().map(|it| it.web_sdk.client_secret());
        std::iter::once(&self.credentials.secret_key).chain(universal)
    }

    /// The key for data that all configurations with these credentials share in one Envoy. It is
    /// derived from the secret key. So other plugins do not know it, and a new cookie key does not
    /// change it.
    #[must_use]
    pub fn shared_key(&self) -> SharedKey {
        let Credentials { api_host, integration_key, secret_key, .. } = &self.credentials;
        let parts = [api_host.as_str().as_bytes(), integration_key.as_bytes()];
        SharedKey::new(secret_key.expose().as_bytes(), &parts)
    }
}

/// How a user without a device gets one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enrollment {
    /// Not here: the page names the help desk.
    Off,
    /// The page leads to Duo's portal.
    Portal,
    /// The page shows a QR code for Duo Mobile.
    Inline,
}
