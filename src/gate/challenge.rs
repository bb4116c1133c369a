//! The challenge: the user whose second factor a request needs, and the terms. Made once for each
//! request.

use super::env::Env;
use super::refusal::Denial;
use super::request_line::RequestLine;
use super::trail::Trail;
use crate::duo::{Auth, AuthFactor, Enroll, Preauth, Request};
use crate::http::RequestHead;
use crate::identity::Identity;
use crate::policy::{Approver, Ruled, Terms};
use crate::secret::Secret;
use crate::session::{Bound, ENROLLMENT_LIFETIME, Subject};
use crate::signal::Code;
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
    /// Whether the request may have a body.
    pub(super) has_body: bool,
    pub(super) trail: Trail,
    /// The other person who is asked; `None` if the user is, or if nobody was chosen yet. Only
    /// [`Self::ask`] sets it.
    approver: Option<Box<Approver>>,
}

impl Challenge {
    pub(super) fn new(
        head: &RequestHead<'_>,
        has_body: bool,
        (identity, bound): (Identity, Bound),
        ruled: Ruled<'_>,
    ) -> Self {
        let Ruled { rule, terms, .. } = ruled;
        let mut trail = Trail::of(head);
        if terms.is_per_request {
            trail.request = RequestLine::with_query(head);
        }
        let (terms, has_approval, approver) = (terms.clone(), false, None);
        Self { identity, bound, rule, terms, has_approval, has_body, trail, approver }
    }

    /// Has another person asked in the user's place.
    pub(super) fn ask(&mut self, approver: Approver) {
        self.trail.approver = Some(approver.user.clone());
        self.approver = Some(Box::new(approver));
    }

    /// The other person who is asked.
    pub(super) fn approver(&self) -> Option<&Approver> {
        self.approver.as_deref()
    }

    /// The canonical name and the name at Duo of the person who is asked.
    pub(super) fn asked(&self) -> (&str, &str) {
        match &self.approver {
            Some(approver) => (&approver.user, &approver.username),
            None => (&self.identity.user, self.identity.username()),
        }
    }

    /// Adds the facts that only the host knows.
    pub(super) fn arrived(self, address: Option<IpAddr>, env: &Env<'_>) -> Self {
        Self { trail: self.trail.arrived(address, env), ..self }
    }

    /// The user for cookies that are read and made.
    pub(super) fn subject(&self) -> Subject<'_> {
        subject(&self.identity, &self.bound)
    }

    pub(super) fn preauth(&self, trusted_device_token: Option<Secret<String>>) -> Request {
        Request::Preauth(Preauth {
            username: self.asked().1.to_owned(),
            ipaddr: self.trail.address,
            trusted_device_token,
        })
    }

    pub(super) fn auth(&self, factor: AuthFactor) -> Request {
        let username = self.asked().1.to_owned();
        Request::Auth(Auth { username, factor, ipaddr: self.trail.address })
    }

    /// The call that enrolls the user from the first factor, never another.
    pub(super) fn enroll(&self) -> Request {
        let username = Some(self.identity.username().to_owned());
        // The code expires when the browser forgets it.
        Request::Enroll(Enroll { username, valid_for: Some(ENROLLMENT_LIFETIME) })
    }

    /// Whether a page could lead to an approval for this request. If the request needs its own
    /// approval, only a GET can be approved on a page.
    pub(super) fn can_start_elsewhere(&self) -> bool {
        !self.terms.is_per_request || self.trail.request.method == "GET"
    }
}

impl Denial {
    /// The refusal of a request that needs a second factor.
    pub(super) fn required(challenge: &Challenge) -> Self {
        let denial = Self::new(Code::MfaRequired, String::new());
        denial.by(challenge.rule).of(&challenge.identity)
    }
}

/// The user for cookies that are read and made.
pub(super) fn subject<'a>(identity: &'a Identity, bound: &'a Bound) -> Subject<'a> {
    Subject { source: identity.source, user: &identity.user, bound: bound.as_bytes() }
}
