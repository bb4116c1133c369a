//! The endpoints of the Auth API and of the Universal Prompt: their paths and methods.

use serde::{Deserialize, Serialize};

use crate::fail::Fail;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Endpoint {
    Ping,
    Check,
    Logo,
    Preauth,
    Auth,
    AuthStatus,
    Enroll,
    EnrollStatus,
    HealthCheck,
    Authorize,
    Token,
    /// The page that Duo shows to a browser.
    Prompt,
}

impl Endpoint {
    pub(crate) const ALL: [Self; 12] = [
        Self::Ping,
        Self::Check,
        Self::Logo,
        Self::Preauth,
        Self::Auth,
        Self::AuthStatus,
        Self::Enroll,
        Self::EnrollStatus,
        Self::HealthCheck,
        Self::Authorize,
        Self::Token,
        Self::Prompt,
    ];

    /// The last segment of the path, and the name in faults, counters and journal.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Check => "check",
            Self::Logo => "logo",
            Self::Preauth => "preauth",
            Self::Auth => "auth",
            Self::AuthStatus => "auth_status",
            Self::Enroll => "enroll",
            Self::EnrollStatus => "enroll_status",
            Self::HealthCheck => "health_check",
            Self::Authorize => "authorize",
            Self::Token => "token",
            Self::Prompt => "prompt",
        }
    }

    pub(crate) fn of_path(path: &str) -> Result<Self, Fail> {
        Self::ALL
            .into_iter()
            .find(|endpoint| path.strip_prefix(endpoint.folder()) == Some(endpoint.name()))
            .ok_or(Fail::NotFound)
    }

    /// Whether the endpoint belongs to the Universal Prompt, whose calls carry a JWT and not a
    /// signature.
    pub(crate) fn is_universal(self) -> bool {
        matches!(self, Self::HealthCheck | Self::Authorize | Self::Token | Self::Prompt)
    }

    fn folder(self) -> &'static str {
        match self {
            Self::HealthCheck | Self::Authorize | Self::Token => "/oauth/v1/",
            Self::Prompt => "/frame/",
            Self::Ping
            | Self::Check
            | Self::Logo
            | Self::Preauth
            | Self::Auth
            | Self::AuthStatus
            | Self::Enroll
            | Self::EnrollStatus => "/auth/v2/",
        }
    }

    /// The method. The prompt's forms are sent with `POST`, too.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Ping
            | Self::Check
            | Self::Logo
            | Self::AuthStatus
            | Self::Authorize
            | Self::Prompt => "GET",
            Self::Preauth
            | Self::Auth
            | Self::Enroll
            | Self::EnrollStatus
            | Self::HealthCheck
            | Self::Token => "POST",
        }
    }
}
