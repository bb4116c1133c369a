//! How Duo is called.

use super::universal::Universal;
use crate::duo::{ApiHost, Credentials};
use crate::factor::{AcceptedFactors, Factor};
use crate::policy::FailMode;
use crate::secret::Secret;
use crate::session::SharedKey;
use std::sync::Arc;
use std::time::Duration;

/// How Duo is called.
#[derive(Debug)]
pub struct DuoSettings {
    /// The applications at Duo, by whose keys it is called.
    pub keys: Keys,
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
}

/// The keys of one application here, which may be two applications at Duo.
#[derive(Debug)]
pub enum Keys {
    /// Of type "Auth API": the filter asks the user itself.
    AuthApi(Arc<Credentials>),
    /// Of type "Web SDK": browsers are sent to Duo's Universal Prompt, and programs are refused. No
    /// call of the Auth API can be signed.
    WebSdk(Universal),
    /// Both: browsers are sent to Duo's Universal Prompt, and programs are asked by the Auth API.
    Both(Arc<Credentials>, Universal),
}

impl DuoSettings {
    /// The keys for calls of the Auth API; `None` if there are none.
    #[must_use]
    pub const fn credentials(&self) -> Option<&Arc<Credentials>> {
        match &self.keys {
            Keys::AuthApi(credentials) | Keys::Both(credentials, _) => Some(credentials),
            Keys::WebSdk(_) => None,
        }
    }

    /// How browsers are sent to Duo's Universal Prompt; `None` if they get the filter's own page.
    #[must_use]
    pub const fn universal(&self) -> Option<&Universal> {
        match &self.keys {
            Keys::WebSdk(universal) | Keys::Both(_, universal) => Some(universal),
            Keys::AuthApi(_) => None,
        }
    }

    /// The host that receives all calls.
    #[must_use]
    pub fn api_host(&self) -> &ApiHost {
        match &self.keys {
            Keys::AuthApi(credentials) | Keys::Both(credentials, _) => &credentials.api_host,
            Keys::WebSdk(universal) => universal.web_sdk.api_host(),
        }
    }

    /// The factors that the filter itself offers, in this order.
    #[must_use]
    pub fn factors(&self) -> &[Factor] {
        self.accepted.as_ref().map_or(&Factor::ALL, |accepted| &accepted.factors)
    }

    /// The secrets that Duo has too.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret<String>> {
        let own = self.credentials().map(|it| &it.secret_key);
        own.into_iter().chain(self.universal().map(|it| it.web_sdk.client_secret()))
    }

    /// The key for data that all configurations with these credentials share in one Envoy. It is
    /// derived from the secret key; without one, from the client secret. So other plugins do not
    /// know it, and a new cookie key does not change it.
    #[must_use]
    pub fn shared_key(&self) -> SharedKey {
        let (key, secret) = match &self.keys {
            Keys::AuthApi(credentials) | Keys::Both(credentials, _) => {
                (credentials.integration_key.as_str(), &credentials.secret_key)
            }
            Keys::WebSdk(Universal { web_sdk, .. }) => {
                (web_sdk.client_id(), web_sdk.client_secret())
            }
        };
        let parts = [self.api_host().as_str().as_bytes(), key.as_bytes()];
        SharedKey::new(secret.expose().as_bytes(), &parts)
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
