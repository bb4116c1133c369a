//! Why a request has no usable identity.

/// A request without a usable identity. Duo is never asked about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The source is absent or empty: no first factor ran, or it let the request pass without one.
    #[error("the request carries no identity")]
    Missing,
    /// The source holds something other than one canonical user.
    #[error(transparent)]
    Invalid(#[from] InvalidIdentity),
}

/// Why the text at the source is not one canonical user. The text itself is never part of the
/// error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentity {
    /// The header, or the name in the certificate, is present more than once, in any spelling.
    #[error("the identity is present more than once")]
    Repeated,
    /// The header has `_` for `-`, or the other way round: a spelling that no filter removes.
    #[error("the identity is in a header with another spelling of the name")]
    Misspelled,
    /// It is longer than [`super::MAX_BYTES`].
    #[error("the identity is longer than 256 bytes")]
    TooLong,
    /// It is not UTF-8 text: bytes of another encoding, or a claim that is not a string.
    #[error("the identity is not text")]
    NotText,
    /// It names more than one domain.
    #[error("the identity names more than one domain")]
    SeveralDomains,
    /// `strip_domain` is configured, and this domain is not in its list.
    #[error("the domain of the identity is not configured")]
    ForeignDomain,
    /// It has a character that canonical users do not have, or an empty name or domain.
    #[error("the identity is outside the grammar of user names")]
    OutsideGrammar,
    /// The template for the user name at Duo needs a domain, and the user has none.
    #[error("the identity has no domain, which the username template needs")]
    NoDomain,
    /// The groups are present more than once, are too long, or are not text.
    #[error("the user's groups cannot be read")]
    Groups,
}
