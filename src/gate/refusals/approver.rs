//! Refusals under a rule that has another person approve the request.

use crate::gate::refusal::Refusal;
use crate::signal::Code;

/// The client has to name one of several people.
pub(in crate::gate) const APPROVER_REQUIRED: Refusal = Refusal::new(
    Code::ApproverRequired,
    "Another person has to approve this request. Name one of approvers in x-duo-mfa-approver.",
);

/// The person is not listed, or is the user. Nobody may approve if the rule lists only the user.
pub(in crate::gate) const APPROVER_NOT_ALLOWED: Refusal = Refusal::new(
    Code::ApproverNotAllowed,
    "This person may not approve the request, and nobody approves their own. Name one of approvers \
     in x-duo-mfa-approver.",
);

/// The approver's phone could show only a part of the request.
pub(in crate::gate) const NOT_SHOWN_WHOLE: Refusal = Refusal::new(
    Code::BadRequest,
    "Another person has to approve this request, and its path or query is too long for a phone.",
);

/// Duo lets the approver pass without asking them.
pub(in crate::gate) const APPROVER_NOT_ASKED: Refusal = Refusal::new(
    Code::ApproverNotAsked,
    "Duo lets the approver pass without a push, so nobody can approve the request. Tell your help \
     desk.",
);

/// Duo does not know the approver, or denies them, or no device of theirs takes a push.
pub(in crate::gate) const APPROVER_UNAVAILABLE: Refusal = Refusal::new(
    Code::ApproverUnavailable,
    "Duo cannot send this approver a push. Name another one, or ask your help desk.",
);
