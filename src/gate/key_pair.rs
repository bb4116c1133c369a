//! The pairs of keys that a configuration has at Duo. Each pair has its own background check.

use super::configured::Gate;
use crate::config::{Application, Config};
use crate::duo::Endpoint;
use crate::session::SharedKey;

/// The keys of a Duo application for one of Duo's APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPair {
    /// The number of the application.
    pub application: usize,
    /// The API that the keys are for.
    pub api: Api,
}

/// One of Duo's APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// The Auth API: integration key and secret key of an application of type "Auth API".
    AuthApi,
    /// The OIDC Auth API of Duo's Universal Prompt: client ID and client secret of an application of
    /// type "Web SDK".
    WebSdk,
}

impl Api {
    /// The name in the reply to `readyz`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthApi => "auth_api",
            Self::WebSdk => "web_sdk",
        }
    }

    /// The API that has this endpoint.
    #[must_use]
    pub const fn of(endpoint: Endpoint) -> Self {
        match endpoint {
            Endpoint::HealthCheck | Endpoint::Token => Self::WebSdk,
            Endpoint::Ping
            | Endpoint::Check
            | Endpoint::Logo
            | Endpoint::Preauth
            | Endpoint::Auth
            | Endpoint::AuthStatus
            | Endpoint::Enroll
            | Endpoint::EnrollStatus => Self::AuthApi,
        }
    }

    /// The name of Duo in a log line, with the application's name, if it has one.
    pub(super) fn name_of_duo(self, application: Option<&str>) -> String {
        let duo = match self {
            Self::AuthApi => "Duo",
            Self::WebSdk => "Duo's Universal Prompt",
        };
        application.map_or_else(|| duo.to_owned(), |name| format!("{duo} (application {name})"))
    }
}

impl KeyPair {
    /// The key for data about this pair that all configurations with the same keys share in one
    /// Envoy. `None` if the application has no such keys.
    #[must_use]
    pub fn shared_key(self, config: &Config) -> Option<SharedKey> {
        let duo = &config.applications.get(self.application).duo;
        match self.api {
            Api::AuthApi => duo.credentials().map(|_| duo.shared_key()),
            Api::WebSdk => duo.universal().map(|it| it.shared_key(&duo.cluster)),
        }
    }
}

impl Gate {
    /// All pairs of keys, in the order of the applications' numbers.
    pub fn key_pairs(&self) -> impl Iterator<Item = KeyPair> {
        self.config().applications.iter().enumerate().flat_map(|(application, it)| {
            pairs_of(it).into_iter().flatten().map(move |api| KeyPair { application, api })
        })
    }
}

fn pairs_of(application: &Application) -> [Option<Api>; 2] {
    let duo = &application.duo;
    [duo.credentials().map(|_| Api::AuthApi), duo.universal().map(|_| Api::WebSdk)]
}
