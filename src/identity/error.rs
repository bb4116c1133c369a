//! Why a request has no usable identity.

/// A request without a usable identity. Duo is never asked about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The source is absent or empty: no first factor ran, or it let the request pass without one.
    #[error("the request carries no identity")]
    Missing,
    /// The source has something that is not one canonical user.
    #[error(transparent)]
    Invalid(#[from] InvalidIdentity),
}

/// Why what the source has is not one canonical user. The value itself is never part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentity {
    /// The header stands in the request, or the name in the certificate, more than once, in
    /// whatever spelling.
    #[error("the identity is present more than once")]
    Repeated,
    /// The header has `_` for `-`, or the other way round: a spelling that nobody strips.
    #[error("the identity is in a header with another spelling of the name")]
    Misspelled,
    /// It is longer than [`super::MAX_BYTES`].
    #[error("the identity is longer than 256 bytes")]
    TooLong,
    /// It is not UTF-8 text: bytes of another encoding, or a claim that is no string.
    #[error("the identity is not text")]
    NotText,
    /// It names more than one domain.
    #[error("the identity names more than one domain")]
    SeveralDomains,
    /// `strip_domain` is configured, and this domain is not in its list.
    #[error("the domain of the identity is not configured")]
    ForeignDomain,
    /// A character, or an empty name or domain, that no canonical user has.
    #[error("the identity is outside the grammar of user names")]
    OutsideGrammar,
    /// The template for Duo's user name wants a domain, and the user has none.
    #[error("the identity has no domain, which the username template needs")]
    NoDomain,
    /// The groups are there more than once, too long, or no text.
    #[error("the user's groups cannot be read")]
    Groups,
}
