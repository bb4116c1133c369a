//! The user's identity, as the first factor reports it.
//!
//! In go a request's head and the [`Attributes`] that the rules ask the host for. Out comes one
//! canonical user name and the user's groups, or the reason why there is none. There is one source,
//! and never a second one to fall back to. After the configured steps a name is either canonical or
//! refused. Nothing is guessed, cut or replaced, so two spellings can never be two users with
//! separate limits.
//!
//! Nothing here checks a password or a token: the filter in front of this one did. Nothing here
//! knows Duo, cookies, or how a request without an identity is refused.

mod attributes;
mod compatibility;
mod distinguished_name;
mod error;
mod grammar;
mod groups;
mod letters;
mod map;
mod normalize;
mod source;
mod username;

pub use attributes::Attributes;
pub use error::{IdentityError, InvalidIdentity};
pub use grammar::MAX_BYTES;
pub use groups::Groups;
pub use map::{MapFault, Mapping};
pub use normalize::{Domain, DomainFault, Step};
pub use source::{CertificateField, Source, SourceFault};
pub use username::{TemplateFault, UsernameTemplate};

use crate::http::RequestHead;

/// The source of the user's name, and the steps that make it canonical.
#[derive(Clone, Debug)]
pub struct IdentityRules {
    source: Source,
    steps: Vec<Step>,
    username: UsernameTemplate,
    map: Vec<Mapping>,
    groups: Option<Groups>,
}

/// One user, as the first factor names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The canonical name. It has only characters that its source and the steps allow, and at most
    /// one `@domain`.
    pub user: String,
    /// The user's name at Duo, if it differs.
    username: Option<String>,
    /// The kind of its source: `header`, `jwt`, `metadata` or `mtls`.
    pub source: &'static str,
}

impl Identity {
    /// The user's name at Duo.
    #[must_use]
    pub fn username(&self) -> &str {
        self.username.as_deref().unwrap_or(&self.user)
    }
}

impl IdentityRules {
    /// Rules of one source; `steps` apply in their order.
    #[must_use]
    pub const fn new(source: Source, steps: Vec<Step>, username: UsernameTemplate) -> Self {
        Self { source, steps, username, map: Vec::new(), groups: None }
    }

    /// Adds names at Duo for some users. The first mapping that matches applies, before the
    /// template.
    #[must_use]
    pub fn with_map(self, map: Vec<Mapping>) -> Self {
        Self { map, ..self }
    }

    /// Adds the place of the user's groups.
    #[must_use]
    pub fn with_groups(self, groups: Option<Groups>) -> Self {
        Self { groups, ..self }
    }

    /// The same names at Duo for users whose canonical names another source has: no step is applied.
    #[must_use]
    pub fn of_canonical(self, source: Source, groups: Option<Groups>) -> Self {
        Self { source, steps: Vec::new(), groups, ..self }
    }

    /// The path of the host's property that [`Self::resolve`] needs; `None` if the source is in the
    /// request itself.
    #[must_use]
    pub fn attribute(&self) -> Option<&[String]> {
        self.source.attribute()
    }

    /// Whether [`Self::resolve`] needs to know if the client has presented a certificate.
    #[must_use]
    pub const fn wants_certificate(&self) -> bool {
        self.source.is_certificate()
    }

    /// The path of the host's property that [`Self::groups`] needs; `None` if the groups are in the
    /// request itself, or are not used.
    #[must_use]
    pub fn groups_attribute(&self) -> Option<&[String]> {
        self.groups.as_ref()?.attribute()
    }

    /// The trusted headers: anyone who can set one can impersonate any user.
    pub fn trusted_headers(&self) -> impl Iterator<Item = &str> {
        let of_groups = self.groups.as_ref().and_then(Groups::header_name);
        self.source.header_name().into_iter().chain(of_groups)
    }

    /// The user of a request.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Missing`] if the source is absent or empty, and [`IdentityError::Invalid`]
    /// if it does not name exactly one canonical user.
    pub fn resolve(
        &self,
        head: &RequestHead<'_>,
        attributes: Attributes<'_>,
    ) -> Result<Identity, IdentityError> {
        self.identify(&self.source.name_in(head, attributes)?)
    }

    /// The user with this raw name at the source.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Invalid`] if it is not a canonical name after the steps.
    pub fn identify(&self, raw: &[u8]) -> Result<Identity, IdentityError> {
        self.after(&self.steps, raw)
    }

    /// The user with this canonical name: no step is applied.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Invalid`] if it is not a canonical name.
    pub fn named(&self, user: &str) -> Result<Identity, IdentityError> {
        let has_letters = self.steps.contains(&Step::Nfc);
        self.after(if has_letters { &[Step::Nfc] } else { &[] }, user.as_bytes())
    }

    fn after(&self, steps: &[Step], raw: &[u8]) -> Result<Identity, IdentityError> {
        if raw.len() > MAX_BYTES {
            return Err(InvalidIdentity::TooLong.into());
        }
        let raw = str::from_utf8(raw).map_err(|_| InvalidIdentity::NotText)?;
        let user = normalize::canonical(raw, steps, self.source.grammar())?;
        let mapped = self.map.iter().find_map(|mapping| mapping.username(&user));
        let template = mapped.unwrap_or(&self.username);
        let username = if template.is_user() { None } else { Some(template.fill(&user)?) };
        Ok(Identity { user, username, source: self.source.name() })
    }

    /// The groups of the user; empty if the source is absent.
    ///
    /// # Errors
    ///
    /// [`InvalidIdentity::Groups`] if they cannot be read.
    pub fn groups(
        &self,
        head: &RequestHead<'_>,
        attributes: Attributes<'_>,
    ) -> Result<Vec<String>, InvalidIdentity> {
        match &self.groups {
            Some(groups) => groups.resolve(head, attributes.groups),
            None => Ok(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests;
