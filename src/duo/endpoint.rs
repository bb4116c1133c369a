//! The endpoints of the Auth API: path, method, and whether a call may be repeated.

/// The endpoints of the Auth API that are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Whether Duo is there, and its clock. The one call without a signature.
    Ping,
    /// Whether credentials and clock are right.
    Check,
    /// The logo of the account.
    Logo,
    /// What a user may do.
    Preauth,
    /// Starts or decides a factor.
    Auth,
    /// Where a transaction stands; waits for a change.
    AuthStatus,
    /// Makes a user with an activation code.
    Enroll,
    /// Whether an activation code was used.
    EnrollStatus,
}

impl Endpoint {
    /// The path.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Ping => "/auth/v2/ping",
            Self::Check => "/auth/v2/check",
            Self::Logo => "/auth/v2/logo",
            Self::Preauth => "/auth/v2/preauth",
            Self::Auth => "/auth/v2/auth",
            Self::AuthStatus => "/auth/v2/auth_status",
            Self::Enroll => "/auth/v2/enroll",
            Self::EnrollStatus => "/auth/v2/enroll_status",
        }
    }

    /// The last part of the path, as metrics and logs name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
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

    /// The HTTP method.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::Ping | Self::Check | Self::Logo | Self::AuthStatus => "GET",
            Self::Preauth | Self::Auth | Self::Enroll | Self::EnrollStatus => "POST",
        }
    }

    /// Whether a second call does no more than the first one: a second auth would send a second
    /// push, a second enroll would find the name taken.
    #[must_use]
    pub const fn is_repeatable(self) -> bool {
        !matches!(self, Self::Auth | Self::Enroll)
    }
}
