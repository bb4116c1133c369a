//! The ways to let a request pass that are compared.

/// One listener of Envoy's, with at most one filter before the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// The router alone: what all others are measured against.
    NoFilter,
    /// A filter of the SDK's that does nothing.
    Noop,
    /// The product.
    DuoMfa,
    /// Another build of the product.
    OtherBuild,
    /// Envoy's own check of an HS256 token.
    JwtAuthn,
    /// Envoy asks a server over HTTP, which checks the same cookie.
    ExtAuthz,
}

impl Variant {
    pub(crate) const ALL: [Self; 6] = [
        Self::NoFilter,
        Self::Noop,
        Self::DuoMfa,
        Self::OtherBuild,
        Self::JwtAuthn,
        Self::ExtAuthz,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NoFilter => "no filter",
            Self::Noop => "no-op wasm filter",
            Self::DuoMfa => "duo-mfa",
            Self::OtherBuild => "duo-mfa, other build",
            Self::JwtAuthn => "jwt_authn HS256",
            Self::ExtAuthz => "ext_authz HTTP",
        }
    }

    /// Whether a request without a valid credential is refused.
    pub(crate) const fn guards(self) -> bool {
        match self {
            Self::NoFilter | Self::Noop => false,
            Self::DuoMfa | Self::OtherBuild | Self::JwtAuthn | Self::ExtAuthz => true,
        }
    }

    /// Whether the credential is the approval cookie, so that the user is bound to it.
    pub(crate) const fn reads_cookie(self) -> bool {
        match self {
            Self::NoFilter | Self::Noop | Self::JwtAuthn => false,
            Self::DuoMfa | Self::OtherBuild | Self::ExtAuthz => true,
        }
    }

    /// Whether the credential is kept from the application.
    pub(crate) const fn strips_cookie(self) -> bool {
        match self {
            Self::NoFilter | Self::Noop | Self::JwtAuthn | Self::ExtAuthz => false,
            Self::DuoMfa | Self::OtherBuild => true,
        }
    }
}
