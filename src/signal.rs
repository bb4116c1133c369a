//! All names that operators see: problem codes, metrics, audit lines. Each kind has one table, so a
//! name is the same word in a log, a metric and a reply.

mod gauge;

use std::fmt;

pub use gauge::{Gauge, TimeToApproval};

/// The reason of a refusal. It is the `code` of a problem document, and the end of Envoy's response
/// code details and of the metric of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the table below has the title of each")]
pub enum Code {
    MfaRequired,
    MfaDenied,
    MfaTimeout,
    MfaFraud,
    MfaLockedOut,
    MfaInsufficient,
    OtherUser,
    SignInLost,
    DuoDenied,
    EnrollmentRequired,
    NoDevice,
    FactorRefused,
    ApproverRequired,
    ApproverNotAllowed,
    ApproverNotAsked,
    ApproverUnavailable,
    IdentityMissing,
    IdentityInvalid,
    AccessDenied,
    PasscodeIncorrect,
    TooManyRequests,
    PendingElsewhere,
    DuoUnavailable,
    Overloaded,
    DuoMisconfigured,
    BadRequest,
    CrossSite,
    HttpsRequired,
    PathAmbiguous,
    InternalRedirect,
    NotFound,
    MethodNotAllowed,
}

impl Code {
    /// All codes, in the order of the table below.
    pub const ALL: [Self; 32] = [
        Self::MfaRequired,
        Self::MfaDenied,
        Self::MfaTimeout,
        Self::MfaFraud,
        Self::MfaLockedOut,
        Self::MfaInsufficient,
        Self::OtherUser,
        Self::SignInLost,
        Self::DuoDenied,
        Self::EnrollmentRequired,
        Self::NoDevice,
        Self::FactorRefused,
        Self::ApproverRequired,
        Self::ApproverNotAllowed,
        Self::ApproverNotAsked,
        Self::ApproverUnavailable,
        Self::IdentityMissing,
        Self::IdentityInvalid,
        Self::AccessDenied,
        Self::PasscodeIncorrect,
        Self::TooManyRequests,
        Self::PendingElsewhere,
        Self::DuoUnavailable,
        Self::Overloaded,
        Self::DuoMisconfigured,
        Self::BadRequest,
        Self::CrossSite,
        Self::HttpsRequired,
        Self::PathAmbiguous,
        Self::InternalRedirect,
        Self::NotFound,
        Self::MethodNotAllowed,
    ];

    /// The name, the HTTP status and the title.
    const fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::MfaRequired => ("mfa_required", 403, "A second factor is required"),
            Self::MfaDenied => ("mfa_denied", 403, "The request was denied on the device"),
            Self::MfaTimeout => ("mfa_timeout", 403, "Nobody answered in time"),
            Self::MfaFraud => ("mfa_fraud", 403, "The request was reported as fraud"),
            Self::MfaLockedOut => ("mfa_locked_out", 403, "The account is locked"),
            Self::MfaInsufficient => ("mfa_insufficient", 403, "Another factor is needed here"),
            Self::OtherUser => ("other_user", 403, "Duo has confirmed another user"),
            Self::SignInLost => ("sign_in_lost", 403, "The sign-in at Duo cannot be finished"),
            Self::DuoDenied => ("duo_denied", 403, "Duo does not allow this access"),
            Self::EnrollmentRequired => ("enrollment_required", 403, "Duo has to be set up first"),
            Self::NoDevice => ("no_device", 403, "No device can approve this request"),
            Self::FactorRefused => ("factor_refused", 403, "Duo does not accept this factor"),
            Self::ApproverRequired => ("approver_required", 403, "Another person has to approve"),
            Self::ApproverNotAllowed => ("approver_not_allowed", 403, "They may not approve this"),
            Self::ApproverNotAsked => ("approver_not_asked", 403, "Duo did not ask the approver"),
            Self::ApproverUnavailable => ("approver_unavailable", 403, "The approver gets no push"),
            Self::IdentityMissing => ("identity_missing", 403, "The request names no user"),
            Self::IdentityInvalid => ("identity_invalid", 400, "The user's name is not usable"),
            Self::AccessDenied => ("access_denied", 403, "Access is denied by policy"),
            Self::PasscodeIncorrect => ("passcode_incorrect", 422, "The passcode was incorrect"),
            Self::TooManyRequests => ("too_many_requests", 429, "Too many requests"),
            Self::PendingElsewhere => ("pending_elsewhere", 429, "Another sign-in is waiting"),
            Self::DuoUnavailable => ("duo_unavailable", 503, "Duo cannot be reached"),
            Self::Overloaded => ("overloaded", 503, "Too many requests are waiting"),
            Self::DuoMisconfigured => ("duo_misconfigured", 503, "Duo refuses this application"),
            Self::BadRequest => ("bad_request", 400, "The request is malformed"),
            Self::CrossSite => ("cross_site", 403, "The request comes from another site"),
            Self::HttpsRequired => ("https_required", 403, "The browser has to use HTTPS"),
            Self::PathAmbiguous => ("path_ambiguous", 400, "The path can be read in two ways"),
            Self::InternalRedirect => ("internal_redirect", 503, "Envoy followed a redirect"),
            Self::NotFound => ("not_found", 404, "Nothing is served at this address"),
            Self::MethodNotAllowed => ("method_not_allowed", 405, "The method is not allowed here"),
        }
    }

    /// The stable name: `mfa_denied`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status of the refusal.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.row().1
    }

    /// One line for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    /// The response code details in Envoy's access log: `duo_mfa_mfa_denied`.
    #[must_use]
    pub fn details(self) -> String {
        format!("duo_mfa_{}", self.name())
    }
}

/// A metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counter {
    /// Requests that passed with their approval cookie.
    Passed,
    /// Requests that passed with the approval of another request of the same client.
    PassedPerClient,
    /// Requests that passed without a second factor, as a policy says.
    Bypassed,
    /// Pages that asked for a second factor.
    Prompted,
    /// Requests admitted after a call to Duo, by the factor's name.
    Admitted(&'static str),
    /// Requests refused, by the code.
    Refused(Code),
    /// Requests that passed only because the mode is not `enforce`.
    Reported {
        /// The rule that decided; `None` for the default policy.
        rule: Option<usize>,
        /// The code with which they would have been refused.
        code: Code,
    },
    /// Requests whose client left while they were held.
    Abandoned,
    /// Approval cookies that were refused, by the reason's name.
    CookieRefused(&'static str),
    /// Calls sent to Duo, by the endpoint's name.
    DuoCalls(&'static str),
    /// Calls to Duo without a usable response, by the endpoint's name.
    DuoFailures(&'static str),
    /// Buckets of the table of limits that could not be read. Each grants nothing for a while.
    LimitsUnreadable,
    /// Prompts that the rate limit service was asked about, by the answer's name.
    RateLimitService(&'static str),
    /// Calls that the circuit breaker did not admit, by the endpoint's name.
    Overflows(&'static str),
    /// Calls that the filter's own limits did not admit, by the limit's name.
    Crowded(&'static str),
}

impl Counter {
    /// A prompt that the rate limit service allows.
    pub const RATE_LIMIT_OK: Self = Self::RateLimitService("ok");
    /// A prompt that would exceed the limit of the rate limit service.
    pub const RATE_LIMIT_OVER: Self = Self::RateLimitService("over_limit");
    /// A prompt about which the rate limit service gave no answer.
    pub const RATE_LIMIT_ERROR: Self = Self::RateLimitService("error");
}

impl fmt::Display for Counter {
    /// The metric's name. `stats_config.stats_tags` can turn the part after the last dot into a
    /// label.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("duo_mfa_passed"),
            Self::PassedPerClient => f.write_str("duo_mfa_passed_per_client"),
            Self::Bypassed => f.write_str("duo_mfa_bypassed"),
            Self::Prompted => f.write_str("duo_mfa_prompted"),
            Self::Admitted(factor) => write!(f, "duo_mfa_admitted.factor.{factor}"),
            Self::Refused(code) => write!(f, "duo_mfa_refused.code.{}", code.name()),
            Self::Reported { rule: Some(rule), code } => {
                write!(f, "duo_mfa_would_refuse.rule.{rule}.code.{}", code.name())
            }
            Self::Reported { rule: None, code } => {
                write!(f, "duo_mfa_would_refuse.rule.default.code.{}", code.name())
            }
            Self::Abandoned => f.write_str("duo_mfa_abandoned"),
            Self::CookieRefused(reason) => write!(f, "duo_mfa_cookie_refused.reason.{reason}"),
            Self::DuoCalls(endpoint) => write!(f, "duo_mfa_duo_calls.endpoint.{endpoint}"),
            Self::Crowded(limit) => write!(f, "duo_mfa_crowded.limit.{limit}"),
            Self::Overflows(endpoint) => write!(f, "duo_mfa_overflows.endpoint.{endpoint}"),
            Self::DuoFailures(endpoint) => write!(f, "duo_mfa_duo_failures.endpoint.{endpoint}"),
            Self::LimitsUnreadable => f.write_str("duo_mfa_limits_unreadable"),
            Self::RateLimitService(answer) => {
                write!(f, "duo_mfa_rate_limit_service.code.{answer}")
            }
        }
    }
}

/// The level of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A decision that someone may want to look up.
    Info,
    /// Something is wrong, but the filter continues.
    Warn,
    /// An operator has to act.
    Error,
}

/// A metric or a log line. The text of a line has no secret and no control byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Adds one to a counter.
    Count(Counter),
    /// Writes a line.
    Log(Level, String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metric_names_are_fit_for_prometheus() {
        let names = [
            Counter::Passed.to_string(),
            Counter::Admitted("push").to_string(),
            Counter::Refused(Code::MfaDenied).to_string(),
            Counter::DuoCalls("auth_status").to_string(),
        ];
        for name in names {
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b"._".contains(&b)), "{name}");
        }
    }

    #[test]
    fn the_details_of_a_code_carry_its_name() {
        assert_eq!(Code::IdentityMissing.details(), "duo_mfa_identity_missing");
        assert_eq!(Code::IdentityMissing.status(), 403);
    }
}
