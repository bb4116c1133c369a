//! The ways to let a request pass that are compared.

use std::fmt;

/// One listener of Envoy's, with at most one filter before the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// The router alone: what all others are measured against.
    NoFilter,
    /// A filter of the SDK's that does nothing.
    Noop,
    /// The product.
    DuoMfa,
    /// Another build of the product, by its number on the command line.
    OtherBuild(usize),
    /// Envoy's own check of an HS256 token.
    JwtAuthn,
    /// Envoy asks a server over HTTP, which checks the same cookie.
    ExtAuthz,
}

impl Variant {
    /// All variants in the order of the table, with so many other builds.
    pub(crate) fn all(other_builds: usize) -> Vec<Self> {
        let products = [Self::NoFilter, Self::Noop, Self::DuoMfa];
        let others = (0..other_builds).map(Self::OtherBuild);
        products.into_iter().chain(others).chain([Self::JwtAuthn, Self::ExtAuthz]).collect()
    }

    /// Whether a request without a valid credential is refused.
    pub(crate) const fn guards(self) -> bool {
        match self {
            Self::NoFilter | Self::Noop => false,
            Self::DuoMfa | Self::OtherBuild(_) | Self::JwtAuthn | Self::ExtAuthz => true,
        }
    }

    /// Whether the credential is the approval cookie, so that the user is bound to it.
    pub(crate) const fn reads_cookie(self) -> bool {
        match self {
            Self::NoFilter | Self::Noop | Self::JwtAuthn => false,
            Self::DuoMfa | Self::OtherBuild(_) | Self::ExtAuthz => true,
        }
    }

    /// Whether the credential is kept from the application.
    pub(crate) const fn strips_cookie(self) -> bool {
        match self {
            Self::NoFilter | Self::Noop | Self::JwtAuthn | Self::ExtAuthz => false,
            Self::DuoMfa | Self::OtherBuild(_) => true,
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFilter => f.pad("no filter"),
            Self::Noop => f.pad("no-op wasm filter"),
            Self::DuoMfa => f.pad("duo-mfa"),
            Self::OtherBuild(number) => f.pad(&format!("duo-mfa, other {}", number + 1)),
            Self::JwtAuthn => f.pad("jwt_authn HS256"),
            Self::ExtAuthz => f.pad("ext_authz HTTP"),
        }
    }
}
