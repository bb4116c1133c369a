//! Requests that each need their own approval (`approval: per_request`).
//!
//! A held request asks for its own approval and is forwarded after Duo's allow. Any other request
//! carries, in a cookie or a header, an approval that a sign-in gave for exactly this request. The
//! table of limits knows whether it was used before. The approval is used before the request is
//! forwarded, even if the request then fails.

use super::approver::eligible;
use super::assertion::Proof;
use super::audit;
use super::challenge::Challenge;
use super::configured::Gate;
use super::decision::{Decision, Forward, NewCookie};
use super::env::Env;
use super::factors::is_accepted;
use super::headers::{ForwardedAs, add_approver, add_identity_headers};
use super::in_place::InPlace;
use super::limit::{Permit, SingleUse};
use super::pending;
use super::prompt::user_tag;
use super::refusals::{FORM_NEEDS_ITS_OWN_APPROVAL, NEEDS_ITS_OWN_APPROVAL};
use super::refuse::refuse_with;
use crate::http::{Client, Parameters, RequestHead};
use crate::policy::Terms;
use crate::session::{
    ApprovedBy, BodyDigest, PerRequestApproval, PerRequestApprovals, RequestDigest,
};
use crate::signal::Counter;

/// Headers that change the meaning of method, path and body. Each is listed with the parameter of
/// `POST auth` that states its value for a request that is approved in advance.
const MEANINGS: [(&str, &str); 5] = [
    ("content-encoding", "content_encoding"),
    ("content-range", "content_range"),
    ("content-type", "content_type"),
    ("destination", "destination"),
    ("range", "range"),
];

/// The digest of a request.
fn of(head: &RequestHead<'_>, body: &BodyDigest) -> RequestDigest {
    let headers = MEANINGS.iter().flat_map(|(name, _)| head.values(name).map(|it| (*name, it)));
    RequestDigest::with_headers(head.method, head.authority, head.target, body, headers)
}

/// The digest of a request that is approved in advance. It has the method and target of `wanted`,
/// and the stated values of the headers that matter.
pub(super) fn stated(
    wanted: &RequestHead<'_>,
    parameters: Parameters<'_>,
    body: &BodyDigest,
) -> RequestDigest {
    let value =
        |(name, parameter): &(&'static str, &str)| Some((*name, parameters.value(parameter)?));
    let stated: Vec<_> = MEANINGS.iter().filter_map(value).collect();
    let headers = stated.iter().map(|(name, value)| (*name, value.as_bytes()));
    RequestDigest::with_headers(wanted.method, wanted.authority, wanted.target, body, headers)
}

/// A request with a valid approval, before it is known whether the approval was used already.
#[derive(Debug)]
pub(super) struct Approved {
    /// The permit for the single use.
    pub(super) permit: Permit,
    /// The decision if the permit is granted: the request is forwarded.
    pub(super) passed: Decision,
    /// The client that gets the refusal if the user has used as many approvals as one user may.
    pub(super) client: InPlace,
}

/// The token of a request that may be its own approval.
pub(super) fn token<'a>(gate: &Gate, head: &RequestHead<'a>) -> Option<&'a [u8]> {
    pending::token(head, gate.config().applications.main.per_request.cookie_name())
}

/// Reads the approval of a request. `body` is `None` if it could not be read. The result is `None`
/// if the approval is not valid for this request.
#[inline(never)]
pub(super) fn read(
    body: Option<&BodyDigest>,
    head: &RequestHead<'_>,
    challenge: &Challenge,
    env: &Env<'_>,
) -> Option<Approved> {
    let gate = env.gate;
    let (body, token) = body.zip(token(gate, head))?;
    let digest = of(head, body);
    let (approval, approver) = if challenge.terms.approvers.is_none() {
        (open(token, &digest, challenge, env)?, None)
    } else {
        // An approval names its approver only in the digest.
        eligible(challenge).into_iter().find_map(|approver| {
            let digest = digest.approved_by(&approver.user, &approver.username);
            Some((open(token, &digest, challenge, env)?, Some(approver)))
        })?
    };
    if !opens(approval.factor, &challenge.terms) {
        return None;
    }
    let mut challenge = challenge.clone();
    if let Some(approver) = approver {
        challenge.ask(approver.clone());
    }
    Some(approved(&approval, (head, body), challenge, env))
}

#[inline(never)]
fn open(
    token: &[u8],
    digest: &RequestDigest,
    challenge: &Challenge,
    env: &Env<'_>,
) -> Option<PerRequestApproval> {
    let approvals = &env.gate.application(&challenge.terms).per_request;
    approvals.open(token, digest, &challenge.subject(), env.now).ok()
}

/// Whether an approval by this factor satisfies these terms.
fn opens(factor: ApprovedBy, terms: &Terms) -> bool {
    match factor {
        ApprovedBy::Factor(_) => is_accepted(factor, terms),
        ApprovedBy::Bypass => terms.approvers.is_none(),
        // Duo's page does not show which request it is asked to approve.
        ApprovedBy::Webauthn | ApprovedBy::Other => false,
        ApprovedBy::Remembered | ApprovedBy::FailSafe => false,
    }
}

fn approved(
    approval: &PerRequestApproval,
    (head, body): (&RequestHead<'_>, &BodyDigest),
    challenge: Challenge,
    env: &Env<'_>,
) -> Approved {
    let gate = env.gate;
    let PerRequestApproval { factor, authenticated, id } = *approval;
    let approvals = &gate.application(&challenge.terms).per_request;
    let cookie = Some(NewCookie::UsedUp(approvals.deletion()));
    let mut request = gate.stripped(head);
    let user = challenge.identity.user.clone();
    let forwarded_as = ForwardedAs::Admitted;
    add_identity_headers(&mut request, forwarded_as, user, factor.name(), authenticated);
    let request_claims = gate.request_claims(head, Some(body));
    let request_claims = request_claims.as_ref();
    let of_challenge = Proof::of(&challenge, (factor, authenticated), &id);
    let proof = Proof { request: request_claims, ..of_challenge };
    request.extend(gate.new_assertion(&proof, env.now));
    add_approver(&mut request, challenge.approver());
    let audited = audit::used(&challenge, factor, env);
    let forward = Forward { request, cookie };
    let permit = Permit::single_use(SingleUse::PerRequest, id, PerRequestApprovals::REMEMBERED)
        .counted_in_share_of(user_tag("uses", &challenge, gate.config()));
    Approved {
        permit,
        passed: Decision::forward(forward, Counter::Passed).audited(audited),
        client: InPlace::new(head, challenge),
    }
}

/// Refuses a request that cannot be held, and for which no page can lead to an approval.
pub(super) fn refuse(
    client: Client,
    head: &RequestHead<'_>,
    challenge: Challenge,
    env: &Env<'_>,
) -> Decision {
    let refusal = match client {
        Client::Page => FORM_NEEDS_ITS_OWN_APPROVAL,
        Client::Hold | Client::Refuse | Client::RefuseGrpc => NEEDS_ITS_OWN_APPROVAL,
    };
    refuse_with(&InPlace::new(head, challenge), &refusal, "", env)
}
