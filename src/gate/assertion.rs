//! The signed assertion of a forwarded request, for applications that do not trust plain headers.
//!
//! It is added to each request with an approval. After an approval without a second factor (Duo's
//! bypass, a remembered device, `fail_mode: safe`) it names no method of authentication, nor after
//! that of another person, who is named. A request without an approval has none.

use super::challenge::Challenge;
use super::configured::Gate;
use crate::assertion::{Assertions, Claims, RequestClaims, ascii};
use crate::clock::UnixTime;
use crate::factor::Factor;
use crate::http::{Edit, HeaderValue, Reply, RequestHead};
use crate::session::{Approval, ApprovedBy, BodyDigest, Source, Verified};
use std::sync::Arc;
use std::time::Duration;

/// How long verifiers may keep the public keys. A new key is published for at least that long
/// before it signs.
const KEYS_KEPT: Duration = Duration::from_secs(5 * 60);

/// The facts of an approval that an assertion is made for.
#[derive(Clone, Copy)]
pub(super) struct Proof<'a> {
    pub(super) user: &'a str,
    /// The other person who approved; `None` if the user did.
    pub(super) approver: Option<&'a str>,
    pub(super) by: ApprovedBy,
    pub(super) authenticated: UnixTime,
    /// The end of the approval, if it is known.
    pub(super) ends: Option<UnixTime>,
    pub(super) rule: Option<usize>,
    /// Tells the approval from all others.
    pub(super) approval: &'a [u8],
    /// The only request that the approval opens; `None` if it opens many.
    pub(super) request: Option<&'a RequestClaims>,
}

impl<'a> Proof<'a> {
    /// An approval without a known end that opens many requests of this user.
    pub(super) fn of(
        challenge: &'a Challenge,
        (by, authenticated): (ApprovedBy, UnixTime),
        approval: &'a [u8],
    ) -> Self {
        Self {
            user: &challenge.identity.user,
            approver: challenge.approver().map(|approver| approver.user.as_str()),
            by,
            authenticated,
            ends: None,
            rule: challenge.rule,
            approval,
            request: None,
        }
    }
}

/// The methods of the second factor, in the words of RFC 8176. They are empty if nobody was asked.
const fn methods(by: ApprovedBy) -> &'static [&'static str] {
    match by {
        // The app on the phone signs its answer with a key of that phone.
        ApprovedBy::Factor(Factor::Push) => &["mfa", "pop"],
        ApprovedBy::Factor(Factor::Passcode) => &["mfa", "otp"],
        ApprovedBy::Factor(Factor::Phone) => &["mfa", "tel"],
        ApprovedBy::Factor(Factor::Sms) => &["mfa", "otp", "sms"],
        // A passkey may be kept in hardware or not; the user is present in any case.
        ApprovedBy::Webauthn => &["mfa", "pop", "user"],
        // This release does not know the word of Duo, which may say that nobody was asked.
        ApprovedBy::Other | ApprovedBy::Bypass | ApprovedBy::Remembered | ApprovedBy::FailSafe => {
            &[]
        }
    }
}

impl Gate {
    /// The assertion for a request that passes with this approval. It is signed only if `verified`
    /// has none that can be used again.
    #[inline]
    pub(super) fn assertion_of(
        &self,
        approval: &Approval,
        (user, rule): (&str, Option<usize>),
        now: UnixTime,
        verified: &mut Verified,
    ) -> Option<Edit> {
        let assertions = self.config().assertion.as_ref()?;
        let settings_tag = assertions.settings_tag();
        let source = Source { settings_tag, approval, user, rule };
        if let Some(token) = verified.derived(&source, now) {
            return Some(edit(assertions, token.clone()));
        }
        let proof = Proof {
            user,
            approver: None,
            by: approval.factor(),
            authenticated: approval.authenticated(),
            ends: Some(approval.expires()),
            rule,
            approval: &approval.id(),
            request: None,
        };
        let signed = assertions.sign(&self.claims(&proof), now);
        verified.keep(&source, signed.token.clone(), signed.issued..signed.reusable_until);
        Some(edit(assertions, signed.token))
    }

    /// A new assertion, for a request whose approval is used only once or was just given.
    pub(super) fn new_assertion(&self, proof: &Proof<'_>, now: UnixTime) -> Option<Edit> {
        let assertions = self.config().assertion.as_ref()?;
        Some(edit(assertions, assertions.sign(&self.claims(proof), now).token))
    }

    /// The parts of a request that an assertion for it states; `None` if there are no assertions.
    /// `body` is `None` if the filter has not read the body.
    pub(super) fn request_claims(
        &self,
        head: &RequestHead<'_>,
        body: Option<&BodyDigest>,
    ) -> Option<RequestClaims> {
        self.config().assertion.as_ref()?;
        Some(RequestClaims {
            method: ascii(head.method),
            host: ascii(head.authority),
            path: ascii(head.target),
            body: body.map(BodyDigest::bytes),
        })
    }

    fn claims<'a>(&'a self, proof: &Proof<'a>) -> Claims<'a> {
        let name = |rule: usize| self.config().policies.rules.get(rule)?.name.as_deref();
        Claims {
            user: proof.user,
            approver: proof.approver,
            authenticated: proof.authenticated,
            ends: proof.ends,
            factor: proof.by.name(),
            // The user was not asked, so nothing may look like their second factor.
            methods: if proof.approver.is_some() { &[] } else { methods(proof.by) },
            rule: proof.rule.map(|rule| (rule, name(rule))),
            approval: proof.approval,
            request: proof.request,
        }
    }
}

/// The client's own header of this name was removed before.
fn edit(assertions: &Assertions, token: HeaderValue) -> Edit {
    Edit::AppendNamed(Arc::clone(&assertions.settings().header), token)
}

/// The reply with the public keys.
pub(super) fn key_set(assertions: &Assertions) -> Reply {
    let (details, body) = ("duo_mfa_jwks".to_owned(), assertions.key_set().into());
    Reply::new(200, details, "application/jwk-set+json", body).kept_by_all(KEYS_KEPT)
}
