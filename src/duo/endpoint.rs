//! The endpoints of Duo's APIs that the filter calls: path, method, and whether a call can be
//! repeated.

/// The endpoints that the filter calls: those of the Auth API, and two of the OIDC Auth API. The
/// browser opens the third of the OIDC Auth API, `authorize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Checks that Duo responds, and returns its clock. The only call without a signature.
    Ping,
    /// Checks the credentials and the clock.
    Check,
    /// Returns the account's logo.
    Logo,
    /// Returns whether the user may authenticate, and how.
    Preauth,
    /// Starts an authentication, or decides it at once.
    Auth,
    /// Returns the state of a transaction; waits for a change.
    AuthStatus,
    /// Creates a user and an activation code.
    Enroll,
    /// Returns whether an activation code was used.
    EnrollStatus,
    /// Checks that Duo responds and accepts the credentials of a Web SDK application, and returns
    /// its clock.
    HealthCheck,
    /// Exchanges a code for an id_token.
    Token,
}

impl Endpoint {
    /// All endpoints.
    pub const ALL: [Self; 10] = [
        Self::Ping,
        Self::Check,
        Self::Logo,
        Self::Preauth,
        Self::Auth,
        Self::AuthStatus,
        Self::Enroll,
        Self::EnrollStatus,
        Self::HealthCheck,
        Self::Token,
    ];

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
            Self::HealthCheck => "/oauth/v1/health_check",
            Self::Token => "/oauth/v1/token",
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
            Self::HealthCheck => "health_check",
            Self::Token => "token",
        }
    }

    /// The HTTP method.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::Ping | Self::Check | Self::Logo | Self::AuthStatus => "GET",
            Self::Preauth
            | Self::Auth
            | Self::Enroll
            | Self::EnrollStatus
            | Self::HealthCheck
            | Self::Token => "POST",
        }
    }

    /// Whether the call can be repeated without a second effect. A second auth would send a second
    /// push; a second enroll would find the name taken. A code works once: if the response to
    /// `token` was lost, the code may already be used.
    #[must_use]
    pub const fn is_repeatable(self) -> bool {
        !matches!(self, Self::Auth | Self::Enroll | Self::Token)
    }
}
