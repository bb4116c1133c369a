//! The challenge: the user whose second factor a request needs, and the terms. Made once for each
//! request.

use super::request_line::{self, RequestLine};
use crate::duo::{Auth, AuthFactor, Enroll, Preauth, Request};
use crate::http::RequestHead;
use crate::http::peer::ip_address;
use crate::identity::Identity;
use crate::page::Reference;
use crate::policy::{Ruled, Terms};
use crate::secret::Secret;
use crate::session::{Bound, PENDING_LIFETIME, Subject};
use std::net::IpAddr;

/// A known user's request that needs a decision by Duo.
#[derive(Clone, Debug)]
pub(super) struct Challenge {
    pub(super) identity: Identity,
    /// The values to which the approval is bound, besides the user.
    bound: Bound,
    /// The number of the rule that asks for the second factor; `None` for the default policy.
    pub(super) rule: Option<usize>,
    pub(super) terms: Terms,
    /// Whether the request has a valid approval that does not satisfy the terms.
    pub(super) has_approval: bool,
    pub(super) request: RequestLine,
    /// The client's address; `None` if the host does not know it.
    pub(super) address: Option<IpAddr>,
    pub(super) reference: Reference,
}

impl Challenge {
    pub(super) fn new(
        head: &RequestHead<'_>,
        identity: Identity,
        bound: Bound,
        ruled: Ruled<'_>,
    ) -> Self {
        let Ruled { rule, terms, .. } = ruled;
        let request = if terms.is_per_request {
            RequestLine::with_query(head)
        } else {
            RequestLine::of(head)
        };
        Self {
            identity,
            bound,
            rule,
            terms: terms.clone(),
            has_approval: false,
            request,
            address: None,
            reference: request_line::reference(head),
        }
    }

    /// Sets the address of the peer, as Envoy reports it.
    pub(super) fn with_peer(self, peer: Option<&[u8]>) -> Self {
        Self { address: peer.and_then(ip_address), ..self }
    }

    /// The user for cookies that are read and made.
    pub(super) fn subject(&self) -> Subject<'_> {
        subject(&self.identity, &self.bound)
    }

    pub(super) fn preauth(&self, trusted_device_token: Option<Secret<String>>) -> Request {
        Request::Preauth(Preauth {
            username: self.identity.username().to_owned(),
            ipaddr: self.address,
            trusted_device_token,
        })
    }

    pub(super) fn auth(&self, factor: AuthFactor) -> Request {
        let username = self.identity.username().to_owned();
        Request::Auth(Auth { username, factor, ipaddr: self.address })
    }

    /// The call that enrolls the user from the first factor, never another.
    pub(super) fn enroll(&self) -> Request {
        let username = Some(self.identity.username().to_owned());
        // The code expires when the browser forgets it.
        Request::Enroll(Enroll { username, valid_for: Some(PENDING_LIFETIME) })
    }

    /// Whether a page could lead to an approval for this request. If the request needs its own
    /// approval, only a GET can be approved on a page.
    pub(super) fn can_start_elsewhere(&self) -> bool {
        !self.terms.is_per_request || self.request.method == "GET"
    }
}

/// The user for cookies that are read and made.
pub(super) fn subject<'a>(identity: &'a Identity, bound: &'a Bound) -> Subject<'a> {
    Subject { source: identity.source, user: &identity.user, bound: bound.as_bytes() }
}
