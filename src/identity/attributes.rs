//! What the host says of a request besides its head.

/// What the host says of a request's connection and metadata, each where the rules ask for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attributes<'a> {
    /// The value at [`super::IdentityRules::attribute`].
    pub name: Option<&'a [u8]>,
    /// Whether the client has shown a certificate, where [`super::IdentityRules::wants_certificate`]: one
    /// byte.
    pub mtls: Option<&'a [u8]>,
    /// The value at [`super::IdentityRules::groups_attribute`].
    pub groups: Option<&'a [u8]>,
}
