//! The endpoints of the Auth API: their paths and methods.

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
}

impl Endpoint {
    pub(crate) const ALL: [Self; 8] = [
        Self::Ping,
        Self::Check,
        Self::Logo,
        Self::Preauth,
        Self::Auth,
        Self::AuthStatus,
        Self::Enroll,
        Self::EnrollStatus,
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
        }
    }

    pub(crate) fn of_path(path: &str) -> Result<Self, Fail> {
        let name = path.strip_prefix("/auth/v2/").ok_or(Fail::NotFound)?;
        Self::ALL.into_iter().find(|endpoint| endpoint.name() == name).ok_or(Fail::NotFound)
    }

    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Ping | Self::Check | Self::Logo | Self::AuthStatus => "GET",
            Self::Preauth | Self::Auth | Self::Enroll | Self::EnrollStatus => "POST",
        }
    }
}
