//! The place where the filter in front of this one, or the TLS handshake, put the user's name.

use super::attributes::Attributes;
use super::distinguished_name::common_name;
use super::error::{IdentityError, InvalidIdentity};
use super::grammar::Grammar;
use crate::http::name::{RESERVED_PREFIX, is_token_byte};
use crate::http::{NotSole, RequestHead};
use std::borrow::Cow;

/// Headers that a client or the protocol itself sets, so no first factor does.
const NEVER_AN_IDENTITY: [&str; 16] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// The path of dynamic metadata among the host's properties.
const METADATA: [&str; 2] = ["metadata", "filter_metadata"];

/// The one place that a user's name is taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Header(String),
    Metadata { name: &'static str, property: Vec<String> },
    Certificate { field: CertificateField, property: Vec<String> },
}

/// The part of a client's certificate that names the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateField {
    /// The common name of the subject.
    Subject,
    /// The first URI among the subject's alternative names, as in SPIFFE.
    SanUri,
    /// The first DNS name among the subject's alternative names.
    SanDns,
}

impl CertificateField {
    const fn property(self) -> &'static str {
        match self {
            Self::Subject => "subject_peer_certificate",
            Self::SanUri => "uri_san_peer_certificate",
            Self::SanDns => "dns_san_peer_certificate",
        }
    }
}

/// Why a source cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceFault {
    /// The header's name is empty or has a character that no header name has (RFC 9110, 5.6.2).
    #[error("is not a header name")]
    NotAHeaderName,
    /// The header's name has upper-case letters, which HTTP/2 forbids.
    #[error("must be in lower case")]
    UpperCase,
    /// The header is the client's, the protocol's, or this filter's own.
    #[error("is not a header that a first factor sets")]
    NeverAnIdentity,
    /// A path into metadata needs the filter's name and at least one key.
    #[error("must name the filter that sets the metadata, and the keys down to the claim")]
    PathTooShort,
    /// A part of the path is empty or holds a control byte.
    #[error("has a part that is empty or holds a control character")]
    PathPart,
}

impl Source {
    /// A request header. The filter in front sets it, and removes the client's own.
    ///
    /// # Errors
    ///
    /// [`SourceFault`] if the name is not a lower-case header name, or not one that a first factor
    /// sets.
    pub fn header(name: &str) -> Result<Self, SourceFault> {
        if name.is_empty() || !name.bytes().all(is_token_byte) {
            return Err(SourceFault::NotAHeaderName);
        }
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(SourceFault::UpperCase);
        }
        let folded = name.replace('_', "-");
        if folded.as_bytes().starts_with(RESERVED_PREFIX)
            || NEVER_AN_IDENTITY.contains(&folded.as_str())
        {
            return Err(SourceFault::NeverAnIdentity);
        }
        Ok(Self(Kind::Header(name.to_owned())))
    }

    /// A claim of a token that `jwt_authn` has verified and put into dynamic metadata: the name of
    /// the filter, then the keys down to the claim.
    ///
    /// # Errors
    ///
    /// [`SourceFault`] if the path has fewer than two parts, or a part that is not a key.
    pub fn jwt(path: &[String]) -> Result<Self, SourceFault> {
        Self::of_metadata("jwt", path)
    }

    /// A text in the dynamic metadata of any filter: its name, then the keys down to the text.
    ///
    /// # Errors
    ///
    /// As for [`Self::jwt`].
    pub fn metadata(path: &[String]) -> Result<Self, SourceFault> {
        Self::of_metadata("metadata", path)
    }

    /// The client's certificate, which the listener has verified.
    #[must_use]
    pub fn certificate(field: CertificateField) -> Self {
        let property = ["connection", field.property()].map(str::to_owned).to_vec();
        Self(Kind::Certificate { field, property })
    }

    fn of_metadata(name: &'static str, path: &[String]) -> Result<Self, SourceFault> {
        if path.len() < 2 {
            return Err(SourceFault::PathTooShort);
        }
        if path.iter().any(|part| part.is_empty() || part.bytes().any(|b| b.is_ascii_control())) {
            return Err(SourceFault::PathPart);
        }
        let property = METADATA.iter().map(ToString::to_string).chain(path.iter().cloned());
        Ok(Self(Kind::Metadata { name, property: property.collect() }))
    }

    /// The name of this kind of source in configuration, cookies and logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.0 {
            Kind::Header(_) => "header",
            Kind::Metadata { name, .. } => name,
            Kind::Certificate { .. } => "mtls",
        }
    }

    /// The path of the host's property that holds it; `None` for a header.
    #[must_use]
    pub fn attribute(&self) -> Option<&[String]> {
        match &self.0 {
            Kind::Header(_) => None,
            Kind::Metadata { property, .. } | Kind::Certificate { property, .. } => Some(property),
        }
    }

    /// The trusted header; `None` if the source is not a header.
    pub(super) fn header_name(&self) -> Option<&str> {
        match &self.0 {
            Kind::Header(name) => Some(name),
            Kind::Metadata { .. } | Kind::Certificate { .. } => None,
        }
    }

    pub(super) const fn is_certificate(&self) -> bool {
        matches!(self.0, Kind::Certificate { .. })
    }

    pub(super) const fn grammar(&self) -> Grammar {
        match self.0 {
            Kind::Certificate { field: CertificateField::SanUri, .. } => Grammar::Uri,
            Kind::Certificate { field: CertificateField::SanDns, .. } => Grammar::Dns,
            Kind::Certificate { field: CertificateField::Subject, .. }
            | Kind::Header(_)
            | Kind::Metadata { .. } => Grammar::Any,
        }
    }

    /// The only name at the source, as bytes.
    pub(super) fn name_in<'a>(
        &self,
        head: &RequestHead<'a>,
        attributes: Attributes<'a>,
    ) -> Result<Cow<'a, [u8]>, IdentityError> {
        if self.is_certificate() && attributes.mtls != Some(&[1]) {
            return Err(IdentityError::Missing);
        }
        let value = self.only_value(head, attributes.name)?;
        match self.0 {
            Kind::Certificate { field: CertificateField::Subject, .. } => common_name(value),
            Kind::Header(_) | Kind::Metadata { .. } | Kind::Certificate { .. } => {
                Ok(Cow::Borrowed(value))
            }
        }
    }

    /// The only value at the source; `attribute` is the value of the property [`Self::attribute`].
    pub(super) fn only_value<'a>(
        &self,
        head: &RequestHead<'a>,
        attribute: Option<&'a [u8]>,
    ) -> Result<&'a [u8], IdentityError> {
        match &self.0 {
            Kind::Header(name) => {
                let value = head.sole_value(name).map_err(|fault| match fault {
                    NotSole::Repeated => InvalidIdentity::Repeated,
                    NotSole::Misspelled => InvalidIdentity::Misspelled,
                })?;
                value.ok_or(IdentityError::Missing)
            }
            Kind::Metadata { .. } | Kind::Certificate { .. } => {
                attribute.ok_or(IdentityError::Missing)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_that_no_first_factor_sets_is_refused() {
        for (name, fault) in [
            ("", SourceFault::NotAHeaderName),
            (":path", SourceFault::NotAHeaderName),
            ("x user", SourceFault::NotAHeaderName),
            ("x-user\r\n", SourceFault::NotAHeaderName),
            ("x-usér", SourceFault::NotAHeaderName),
            ("X-User", SourceFault::UpperCase),
            ("cookie", SourceFault::NeverAnIdentity),
            ("authorization", SourceFault::NeverAnIdentity),
            ("transfer_encoding", SourceFault::NeverAnIdentity),
            ("x-duo-mfa-user", SourceFault::NeverAnIdentity),
            ("x_duo-mfa_user", SourceFault::NeverAnIdentity),
        ] {
            assert_eq!(Source::header(name), Err(fault), "{name:?}");
        }
        assert_eq!(Source::header("x-basic-user").unwrap().name(), "header");
        assert_eq!(Source::header("x_auth_request_user").unwrap().attribute(), None);
    }

    #[test]
    fn claim_is_read_under_the_metadata_of_its_filter() {
        let path = |parts: &[&str]| parts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let source = Source::jwt(&path(&["envoy.filters.http.jwt_authn", "payload", "sub"]));

        assert_eq!(
            source.unwrap().attribute().unwrap(),
            ["metadata", "filter_metadata", "envoy.filters.http.jwt_authn", "payload", "sub"]
        );
        assert_eq!(Source::jwt(&path(&["jwt"])), Err(SourceFault::PathTooShort));
        assert_eq!(Source::jwt(&path(&["jwt", ""])), Err(SourceFault::PathPart));
        assert_eq!(Source::jwt(&path(&["jwt", "a\0b"])), Err(SourceFault::PathPart));
    }
}
