//! A request in the form that rules compare.

use super::criterion::Criterion;
use super::reading::Reading;
use crate::http::RequestHead;
use crate::http::authority::Host;
use crate::http::path::CanonicalPath;
use std::net::IpAddr;

/// The parts of a request that some rule names, in the form in which they are compared.
#[derive(Clone, Debug)]
pub struct View<'a> {
    pub(super) method: &'a [u8],
    pub(super) path: Option<Path<'a>>,
    pub(super) host: Option<Authority>,
    pub(super) address: Option<IpAddr>,
}

/// A path in its canonical form.
#[derive(Clone, Debug)]
pub(super) struct Path<'a> {
    pub(super) sent: &'a [u8],
    pub(super) canonical: CanonicalPath<'a>,
}

/// A host, as it was sent.
#[derive(Clone, Debug)]
pub(super) struct Authority {
    host: Host,
    /// Whether it came without a port and without a final dot. Envoy looks for a virtual host with
    /// both, unless it is configured to remove them.
    is_bare: bool,
}

impl Authority {
    fn of(sent: &[u8]) -> Result<Self, Unclear> {
        let host = Host::of(sent).map_err(|_| Unclear::Host)?;
        let is_bare = host.as_str().as_bytes().eq_ignore_ascii_case(sent);
        Ok(Self { host, is_bare })
    }

    /// The name to compare with patterns; `None` if Envoy may route it as another host.
    fn name(&self, reading: Reading) -> Option<&str> {
        match reading {
            Reading::AsWritten => self.is_bare.then(|| self.host.as_str()),
            Reading::AnySpelling => Some(self.host.as_str()),
        }
    }
}

/// The user of a request.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// The canonical user name.
    pub user: &'a str,
    /// The user's groups, as the first factor reports them.
    pub groups: &'a [String],
}

/// A part of the request that a rule names is ambiguous or not known, so nobody can say whether the
/// rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// See [`crate::http::path`].
    #[error("the path can be read in more than one way")]
    Path,
    /// A header names another path, which the application may use.
    #[error("a header (x-original-url, x-rewrite-url) names another path")]
    PathOverride,
    /// A header names another method, which the application may use.
    #[error(
        "a header (x-http-method-override, x-http-method, x-method-override) names another method"
    )]
    MethodOverride,
    /// See [`crate::http::authority`].
    #[error("the request does not name exactly one host")]
    Host,
    /// The peer has no IP address, for example on a pipe.
    #[error("the address of the client is not known")]
    Address,
}

impl<'a> View<'a> {
    pub(super) fn of(
        head: &RequestHead<'a>,
        address: Option<IpAddr>,
        is_named: impl Fn(Criterion) -> bool,
    ) -> Result<Self, Unclear> {
        let mut view = Self { method: head.method, path: None, host: None, address };
        if is_named(Criterion::Paths) {
            let sent = head.path();
            let canonical = CanonicalPath::of(sent).map_err(|_| Unclear::Path)?;
            view.path = Some(Path { sent, canonical });
        }
        if is_named(Criterion::Hosts) {
            view.host = Some(Authority::of(head.authority)?);
        }
        if is_named(Criterion::Networks) && address.is_none() {
            return Err(Unclear::Address);
        }
        Ok(view)
    }

    /// The host to compare with patterns.
    pub(super) fn host_name(&self, reading: Reading) -> Option<&str> {
        self.host.as_ref()?.name(reading)
    }
}
