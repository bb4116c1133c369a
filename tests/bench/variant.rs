//! The ways to let a request pass that are compared.

use std::fmt;

/// One listener of Envoy's, with at most one filter before the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// The router alone: what all others are measured against.
    NoFilter,
    /// A filter of the SDK's that does nothing.
    Noop,
    /// A native dynamic module that does nothing.
    DynamicNoop,
    /// The product as a wasm module.
    DuoMfa,
    /// The product as a native dynamic module.
    Native,
    /// Another build of the module or the library, by its number on the command line.
    OtherBuild(usize),
    /// Envoy's own check of the cookies of an OAuth 2.0 sign-in.
    Oauth2,
    /// Envoy's own check of an HS256 token.
    JwtAuthn,
    /// Envoy asks a server over HTTP, which checks the same cookie.
    ExtAuthz,
}

impl Variant {
    /// All variants in the order of the table, with so many other builds.
    pub(crate) fn all(other_builds: usize) -> Vec<Self> {
        let ours = [Self::NoFilter, Self::Noop, Self::DynamicNoop, Self::DuoMfa, Self::Native];
        let others = (0..other_builds).map(Self::OtherBuild);
        let foreign = [Self::Oauth2, Self::JwtAuthn, Self::ExtAuthz];
        ours.into_iter().chain(others).chain(foreign).collect()
    }

    /// The variants that load a module, and none: those whose start and memory are compared.
    pub(crate) fn loaded(other_builds: usize) -> Vec<Self> {
        let is_foreign = |it: &Self| matches!(it, Self::Oauth2 | Self::JwtAuthn | Self::ExtAuthz);
        Self::all(other_builds).into_iter().filter(|it| !is_foreign(it)).collect()
    }

    /// Whether a request without a valid credential is refused.
    pub(crate) const fn guards(self) -> bool {
        !matches!(self, Self::NoFilter | Self::Noop | Self::DynamicNoop)
    }

    /// Whether it is the product.
    pub(crate) const fn is_product(self) -> bool {
        matches!(self, Self::DuoMfa | Self::Native | Self::OtherBuild(_))
    }

    /// Whether the credential is the approval cookie, so that the user is bound to it.
    pub(crate) const fn reads_cookie(self) -> bool {
        self.is_product() || matches!(self, Self::ExtAuthz)
    }

    /// Whether the application learns the user's name from it.
    pub(crate) const fn names_user(self) -> bool {
        self.reads_cookie() || matches!(self, Self::JwtAuthn)
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFilter => f.pad("no filter"),
            Self::Noop => f.pad("no-op wasm filter"),
            Self::DynamicNoop => f.pad("no-op dynamic module"),
            Self::DuoMfa => f.pad("duo-mfa, wasm"),
            Self::Native => f.pad("duo-mfa, native"),
            Self::OtherBuild(number) => f.pad(&format!("duo-mfa, other {}", number + 1)),
            Self::Oauth2 => f.pad("oauth2"),
            Self::JwtAuthn => f.pad("jwt_authn HS256"),
            Self::ExtAuthz => f.pad("ext_authz HTTP"),
        }
    }
}
