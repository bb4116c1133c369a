//! The headers that tell the application why a request was forwarded, which user was admitted, by
//! which factor and when.

use crate::clock::UnixTime;
use crate::http::{Edit, HeaderValue};
use crate::policy::Approver;

/// Why a request is forwarded: the value of `x-duo-mfa-result`. Every forwarded request has one, so
/// that a later filter can refuse requests that this filter has not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardedAs {
    /// An approval was there: the cookie's, or that of the client.
    Passed,
    /// Duo allowed this request: it was held, or has its own approval. Or Duo could not be reached
    /// and `fail_mode: safe` applied; then `x-duo-mfa-factor` is `fail_safe`.
    Admitted,
    /// A rule or the default policy wants no second factor.
    Bypassed,
    /// `mode: report_only`: `enforce` would have refused the request.
    WouldRefuse,
    /// `mode: off`.
    Off,
}

impl ForwardedAs {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 5] =
        [Self::Passed, Self::Admitted, Self::Bypassed, Self::WouldRefuse, Self::Off];

    /// The word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Admitted => "admitted",
            Self::Bypassed => "bypassed",
            Self::WouldRefuse => "would_refuse",
            Self::Off => "off",
        }
    }

    /// Adds it to the edits of a forwarded request. The client's own was removed before.
    #[inline(always)]
    pub(super) fn add_to(self, edits: &mut Vec<Edit>) {
        // Adding costs the host less than replacing.
        edits.push(Edit::Append("x-duo-mfa-result", HeaderValue::from_static(self.name())));
    }
}

/// Adds all of them to the edits of a request with an approval. The client's own were removed
/// before.
pub(super) fn add_identity_headers(
    edits: &mut Vec<Edit>,
    forwarded_as: ForwardedAs,
    user: String,
    factor: &'static str,
    authenticated: UnixTime,
) {
    forwarded_as.add_to(edits);
    edits.push(Edit::Append("x-duo-mfa-user", HeaderValue::lossy(user)));
    edits.push(Edit::Append("x-duo-mfa-factor", HeaderValue::from_static(factor)));
    edits.push(Edit::Append("x-duo-mfa-time", HeaderValue::number(authenticated.seconds())));
}

/// Names the other person who approved the request, if one did.
pub(super) fn add_approver(edits: &mut Vec<Edit>, approver: Option<&Approver>) {
    let value = approver.map(|approver| HeaderValue::lossy(approver.user.clone()));
    edits.extend(value.map(|value| Edit::Append("x-duo-mfa-approved-by", value)));
}
