//! The host's facts about a request that are not in its head.

/// Facts from the host about a request's connection and metadata, each only if the rules ask for
/// it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attributes<'a> {
    /// The value at [`super::IdentityRules::attribute`].
    pub name: Option<&'a [u8]>,
    /// Whether the client has presented a certificate, as one byte; only if
    /// [`super::IdentityRules::wants_certificate`].
    pub mtls: Option<&'a [u8]>,
    /// The value at [`super::IdentityRules::groups_attribute`].
    pub groups: Option<&'a [u8]>,
}
