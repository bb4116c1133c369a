//! Who asks for access, and what has been tried for them so far.

use super::Env;
use super::audit::{self, Asked};
use super::failure::Tries;
use super::limit::{Claim, End, Prompted, Settlement};
use super::prompt::Transaction;
use super::rules::ip_address;
use crate::clock::UnixTime;
use crate::duo::{Auth, AuthFactor, Enroll, Preauth, Request};
use crate::http::RequestHead;
use crate::identity::Identity;
use crate::page::Reference;
use crate::policy::Terms;
use crate::secret::Secret;
use crate::session::{Bound, PENDING_LIFETIME, Subject};
use std::net::IpAddr;

/// A second factor that is sought.
#[derive(Clone, Debug)]
pub(super) struct Sought {
    /// Of whom.
    pub(super) identity: Identity,
    /// What the approval is to be bound to besides.
    pub(super) bound: Bound,
    /// The rule that asks for it, where one does.
    pub(super) rule: Option<usize>,
    /// By the terms of the rule that asks for it.
    pub(super) terms: Terms,
    /// Whether there is a valid approval, which does not meet the terms.
    pub(super) has_approval: bool,
}

/// A known user's request that needs a word of Duo's.
#[derive(Debug)]
pub(super) struct Asker {
    pub(super) identity: Identity,
    bound: Bound,
    pub(super) rule: Option<usize>,
    pub(super) terms: Terms,
    pub(super) asked: Asked,
    pub(super) address: Option<IpAddr>,
    pub(super) reference: Reference,
    /// Nobody waits longer than that for an answer on the device.
    pub(super) deadline: UnixTime,
    pub(super) tries: Tries,
    /// Whether Duo was asked how the user's last prompt ended.
    pub(super) has_looked: bool,
    /// Stands for the request, where the same one may wait for its prompt once its client has left.
    pub(super) request: Option<[u8; 16]>,
    /// The leave to ring the user's phone.
    pub(super) claim: Option<Claim>,
    /// The leave to try a passcode.
    pub(super) passcode_claim: Option<Claim>,
    /// Since when Duo has been unreachable, if they are let in for that.
    pub(super) unreached_since: Option<UnixTime>,
}

impl Asker {
    /// `address` is the peer's, as Envoy has it.
    pub(super) fn new(
        head: &RequestHead<'_>,
        sought: Sought,
        address: Option<&[u8]>,
        deadline: UnixTime,
    ) -> Self {
        let Sought { identity, bound, rule, terms, has_approval: _ } = sought;
        let asked =
            if terms.is_for_one_request { Asked::of_operation(head) } else { Asked::of(head) };
        Self {
            identity,
            bound,
            rule,
            terms,
            asked,
            address: address.and_then(ip_address),
            reference: audit::reference(head),
            deadline,
            tries: Tries::default(),
            has_looked: false,
            request: None,
            claim: None,
            passcode_claim: None,
            unreached_since: None,
        }
    }

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

    /// Makes the user whom the first factor named, never another.
    pub(super) fn enroll(&self) -> Request {
        let username = Some(self.identity.username().to_owned());
        // The code is good for as long as the browser keeps it.
        Request::Enroll(Enroll { username, valid_for: Some(PENDING_LIFETIME) })
    }

    /// What is to be written down of all that was granted, where it ended so.
    pub(super) fn settlements(&self, end: End) -> Vec<Settlement> {
        let claims = self.claim.into_iter().chain(self.passcode_claim);
        claims.map(|claim| Settlement { claim, end }).collect()
    }

    /// What is to be written down where nobody waits for the prompt any more, which goes on.
    pub(super) fn left(&self) -> Option<Settlement> {
        self.claim.map(|claim| Settlement { claim, end: End::Left })
    }

    /// What is to be written down of the passcode that was tried.
    pub(super) fn passcode_settled(&self, end: End) -> impl Iterator<Item = Settlement> {
        self.passcode_claim.into_iter().map(move |claim| Settlement { claim, end })
    }

    /// What is to be written down once Duo has named the transaction of the prompt.
    pub(super) fn started(&self, transaction: &Transaction, env: &Env<'_>) -> Option<Settlement> {
        let application = env.gate.application(&self.terms).duo.credentials.tag();
        let Transaction { factor, txid } = transaction;
        let prompted = Prompted::new(*factor, application, txid, &self.identity.user)?;
        self.claim.map(|claim| Settlement { claim, end: End::Started(prompted) })
    }

    /// Whether a page could end in an approval for what is asked: an approval for one request that
    /// a page leads to is for a GET.
    pub(super) fn can_start_elsewhere(&self) -> bool {
        !self.terms.is_for_one_request || self.asked.method == "GET"
    }

    pub(super) fn is_over(&self, now: UnixTime) -> bool {
        now >= self.deadline
    }
}

/// Whose cookies they are.
pub(super) fn subject<'a>(identity: &'a Identity, bound: &'a Bound) -> Subject<'a> {
    Subject { source: identity.source, user: &identity.user, bound: bound.as_bytes() }
}
