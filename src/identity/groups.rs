//! The user's groups, as the first factor reports them.

use super::error::{IdentityError, InvalidIdentity};
use super::source::Source;
use crate::http::{HeaderMap, RequestHead};

/// The limit for a list of groups, in bytes.
const MAX_GROUPS_BYTES: usize = 16 * 1024;

/// The place of the groups, and the separator if they are one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    source: Source,
    separator: char,
}

impl Groups {
    /// Groups of a source; `separator` separates groups in one text.
    #[must_use]
    pub const fn new(source: Source, separator: char) -> Self {
        Self { source, separator }
    }

    pub(super) fn header_name(&self) -> Option<&str> {
        self.source.header_name()
    }

    pub(super) fn attribute(&self) -> Option<&[String]> {
        self.source.attribute()
    }

    /// The groups of a request; empty if the source is absent.
    pub(super) fn resolve(
        &self,
        head: &RequestHead<'_>,
        attribute: Option<&[u8]>,
    ) -> Result<Vec<String>, InvalidIdentity> {
        let value = match self.source.only_value(head, attribute) {
            Ok(value) => value,
            Err(IdentityError::Missing) => return Ok(Vec::new()),
            Err(IdentityError::Invalid(_)) => return Err(InvalidIdentity::Groups),
        };
        if value.len() > MAX_GROUPS_BYTES {
            return Err(InvalidIdentity::Groups);
        }
        if let Some(list) = self.source.attribute().and_then(|_| list(value)) {
            return list.into_iter().map(group).collect();
        }
        let text = str::from_utf8(value).map_err(|_| InvalidIdentity::Groups)?;
        text.split(self.separator)
            .map(|name| name.trim_matches([' ', '\t']))
            .filter(|name| !name.is_empty())
            .map(|name| group(name.as_bytes()))
            .collect()
    }
}

fn group(name: &[u8]) -> Result<String, InvalidIdentity> {
    match str::from_utf8(name) {
        Ok(name) if !name.chars().any(char::is_control) => Ok(name.to_owned()),
        Ok(_) | Err(_) => Err(InvalidIdentity::Groups),
    }
}

/// The entries of a list in metadata. The host writes it as a map whose values are empty. The
/// lengths at its beginning are not text, so no text is taken for a list.
fn list(value: &[u8]) -> Option<Vec<&[u8]>> {
    let map = HeaderMap::parse(value).ok()?;
    let is_list = map.iter().all(|(_, nothing)| nothing.is_empty());
    is_list.then(|| map.iter().map(|(entry, _)| entry).collect())
}
