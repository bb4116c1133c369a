//! The catalogue of refusals: the code of each, its words, and when another try may succeed.
//!
//! The HTTP status and the title of a code are in [`Code`]. Pages show other texts, chosen by
//! the code, in `src/page/text`. The sections below say who has to act.

mod approver;
pub(super) use approver::{
    APPROVER_NOT_ALLOWED, APPROVER_NOT_ASKED, APPROVER_REQUIRED, APPROVER_UNAVAILABLE,
    NOT_SHOWN_WHOLE,
};

use super::refusal::{Denial, Refusal};
use crate::duo::universal::CallbackFault;
use crate::http::HeadFault;
use crate::identity::IdentityError;
use crate::policy::Unclear;
use crate::session::Unbound;
use crate::signal::Code;
use std::time::Duration;

/// The wait before another try after an outage.
pub(super) const AFTER_OUTAGE: Duration = Duration::from_secs(5);

/// The wait before another try if this Envoy had no room.
const AFTER_OVERLOAD: Duration = Duration::from_secs(2);

/// The wait before another try if Duo limits the rate without naming a time.
pub(super) const AFTER_LIMIT: Duration = Duration::from_secs(30);

// The user: approve, use another factor, wait, or enroll.

pub(super) const DENIED_ON_DEVICE: Refusal =
    Refusal::new(Code::MfaDenied, "The request was denied on the device.");

pub(super) const REPORTED_AS_FRAUD: Refusal = Refusal::new(
    Code::MfaFraud,
    "The request was reported as fraud. Your administrator has been notified.",
);

pub(super) const LOCKED_OUT: Refusal = Refusal::new(
    Code::MfaLockedOut,
    "The account is locked after failed attempts. Ask your help desk.",
);

/// Nobody answered the prompt while the request could be held.
pub(super) const TIMEOUT: Refusal = Refusal::new(
    Code::MfaTimeout,
    "Nobody answered on the device in time. Send the request again for another prompt.",
);

pub(super) const WRONG_PASSCODE: Refusal = Refusal::new(
    Code::PasscodeIncorrect,
    "The passcode was incorrect. Send the request again with another one.",
);

pub(super) const TOO_MANY_PASSCODES: Refusal =
    Refusal::new(Code::TooManyRequests, "There were too many incorrect passcodes.");

pub(super) const PENDING_ELSEWHERE: Refusal = Refusal::new(
    Code::PendingElsewhere,
    "Another sign-in of this user is waiting for an answer on the device.",
);

pub(super) const TOO_MANY_PROMPTS: Refusal = Refusal::new(
    Code::TooManyRequests,
    "This user gets no further prompt for a while. Retry-After says how long.",
);

pub(super) const TOO_MANY_SINGLE_USES: Refusal = Refusal::new(
    Code::TooManyRequests,
    "This user has used too many approvals of single requests.",
);

/// Duo does not know the name.
pub(super) const UNKNOWN_USER: Refusal = Refusal::new(
    Code::EnrollmentRequired,
    "Duo does not know this user, or the user has no device. Ask your help desk to enroll.",
);

/// Preauth returned `enroll`.
pub(super) const NOT_ENROLLED: Refusal = Refusal::new(
    Code::EnrollmentRequired,
    "This user has no device at Duo. Ask your help desk to enroll one.",
);

pub(super) const NO_DEVICE: Refusal = Refusal::new(
    Code::NoDevice,
    "No device of this user can approve the request. Ask your help desk.",
);

/// Duo does not accept one factor. If Duo gives a reason, the client gets that as the detail.
pub(super) const FACTOR_REFUSED: Refusal =
    Refusal::new(Code::FactorRefused, "Duo does not accept this factor. Use another one.");

/// Preauth returned `deny`. If Duo gives a reason, the client gets that as the detail.
pub(super) const DENIED_BY_DUO: Refusal =
    Refusal::new(Code::DuoDenied, "Duo does not allow this access. Ask your help desk.");

/// Duo's page confirmed the user, but the rule does not accept the factor or the time.
pub(super) const FACTOR_INSUFFICIENT: Refusal = Refusal::new(
    Code::MfaInsufficient,
    "Duo confirmed the user by a factor that is not sufficient here. Sign in by another one.",
);

/// Duo's page confirmed another name than that of the first factor.
pub(super) const OTHER_USER: Refusal = Refusal::new(
    Code::OtherUser,
    "Duo confirmed another user than the one who is signed in here. Sign in as the same user.",
);

/// There is no sign-in for the callback.
pub(super) const SIGN_IN_LOST: Refusal = Refusal::new(
    Code::SignInLost,
    "This sign-in at Duo's page cannot be finished here. Open start_url in a browser to start again.",
);

// The client: send an approval, or another request.

pub(super) const NEEDS_COOKIE: Refusal = Refusal::new(
    Code::MfaRequired,
    "This request needs an approval cookie. Open start_url in a browser to get one.",
);

pub(super) const NEEDS_BROWSER: Refusal = Refusal::new(
    Code::MfaRequired,
    "Nobody can confirm a request in the background. Open start_url in a browser and send the \
     approval cookie that it sets.",
);

/// The filter itself asks nobody for this `return_to`: browsers are sent to Duo's page.
pub(super) const ONLY_DUOS_PAGE: Refusal = Refusal::new(
    Code::MfaRequired,
    "The second factor for this return_to is asked for only at Duo's page. Open start_url in a \
     browser.",
);

pub(super) const NEEDS_PASSCODE_OR_BROWSER: Refusal = Refusal::new(
    Code::MfaRequired,
    "Nobody can confirm a request in the background. Send a passcode in x-duo-mfa-passcode. Or \
     open start_url in a browser and send the approval cookie that it sets.",
);

pub(super) const ONLY_PASSCODES: Refusal = Refusal::new(
    Code::MfaRequired,
    "No device of this user can approve a waiting request. Send a passcode in x-duo-mfa-passcode, \
     or sign in at start_url.",
);

pub(super) const VERIFIED_PUSH: Refusal = Refusal::new(
    Code::MfaRequired,
    "Duo requires a code that the user types on the phone, and a program cannot show it. Send a \
     passcode in x-duo-mfa-passcode, or sign in at start_url.",
);

/// Under `approval: per_request`, for a client that cannot be held.
pub(super) const NEEDS_ITS_OWN_APPROVAL: Refusal = Refusal::new(
    Code::MfaRequired,
    "Each request to this address needs its own approval. Either send it as a program whose \
     requests are held. Or approve it first at POST auth with its method and return_to (also \
     body_sha256 if bodies are read, and content_type and similar headers), and then send it with \
     the approval.",
);

/// Under `approval: per_request`, for a form of a browser.
pub(super) const FORM_NEEDS_ITS_OWN_APPROVAL: Refusal = Refusal::new(
    Code::AccessDenied,
    "This address requires approval for each request; form submissions cannot be approved.",
);

/// Two held requests were the same, and the approval of their prompt was used for the other one.
pub(super) const APPROVAL_USED: Refusal =
    Refusal::new(Code::MfaRequired, "A repetition of this request has already used this approval.");

pub(super) const NO_APPROVAL: Refusal =
    Refusal::new(Code::MfaRequired, "This browser has no approval.");

/// There is no sign-in for the request, or it has ended.
pub(super) const GONE: Refusal = Refusal::new(
    Code::BadRequest,
    "There is no such sign-in: it has ended, or never began. Start again.",
);

pub(super) const NO_PASSCODES_HERE: Refusal =
    Refusal::new(Code::BadRequest, "Passcodes are not accepted here.");

pub(super) const PASSCODES_IN_HEADER: Refusal =
    Refusal::new(Code::BadRequest, "The request has more than one passcode in x-duo-mfa-passcode.");

pub(super) const SEVERAL_PASSCODES: Refusal =
    Refusal::new(Code::BadRequest, "The request has more than one passcode.");

pub(super) const PASSCODE_MISSING: Refusal =
    Refusal::new(Code::BadRequest, "Send the passcode in the header x-duo-mfa-passcode.");

pub(super) const FACTOR_MISSING: Refusal =
    Refusal::new(Code::BadRequest, "The request names no factor that is accepted here.");

pub(super) const DEVICE_MALFORMED: Refusal =
    Refusal::new(Code::BadRequest, "The request does not name a device by its id.");

pub(super) const DEVICE_UNKNOWN: Refusal =
    Refusal::new(Code::BadRequest, "The user has no such device that supports this factor.");

pub(super) const METHOD_MALFORMED: Refusal =
    Refusal::new(Code::BadRequest, "method is not an HTTP method.");

pub(super) const DIGEST_MALFORMED: Refusal =
    Refusal::new(Code::BadRequest, "body_sha256 is not a SHA-256 in hex.");

pub(super) const DIGEST_UNCHECKED: Refusal =
    Refusal::new(Code::BadRequest, "body_sha256 needs request_bodies, which is off.");

pub(super) const FORM_TOO_LONG: Refusal =
    Refusal::new(Code::BadRequest, "The form is longer than 4 KiB.");

pub(super) const FORM_TOO_LATE: Refusal =
    Refusal::new(Code::BadRequest, "The form did not arrive in time.");

pub(super) const COOKIES_TOO_LONG: Refusal =
    Refusal::new(Code::BadRequest, "The cookies of this request are longer than 16 KiB.");

pub(super) const OTHER_SITE: Refusal =
    Refusal::new(Code::CrossSite, "A page of another site sent this request.");

/// Only a browser's navigation may come back from Duo's page.
pub(super) const NOT_A_NAVIGATION: Refusal = Refusal::new(
    Code::CrossSite,
    "Only a browser that Duo's page sent back may open this address.",
);

pub(super) const NOT_FOR_DUOS_PAGE: Refusal =
    Refusal::new(Code::BadRequest, "Duo's page is not used for this return_to.");

pub(super) const FOREIGN_FORM: Refusal = Refusal::new(
    Code::CrossSite,
    "The browser sends a form of another site without the approval cookie.",
);

pub(super) const PLAIN_HTTP: Refusal = Refusal::new(
    Code::HttpsRequired,
    "A browser does not store the sign-in's Secure cookies over plain HTTP. Use HTTPS, or localhost.",
);

pub(super) const NOT_FOUND: Refusal =
    Refusal::new(Code::NotFound, "Nothing is served at this address.");

pub(super) const NO_LOGO: Refusal =
    Refusal::new(Code::NotFound, "Duo has no picture of this account.");

/// `allow` is the value of the header.
pub(super) fn wrong_method(allow: &str) -> Denial {
    Denial::new(Code::MethodNotAllowed, format!("This address accepts only {allow}."))
}

/// The parameters are not those of a callback.
pub(super) fn no_callback(fault: CallbackFault) -> Denial {
    Denial::new(Code::BadRequest, format!("{fault}."))
}

/// The head of the request cannot be read.
pub(super) fn unreadable(fault: HeadFault) -> Denial {
    Denial::new(Code::BadRequest, format!("{fault}."))
}

/// Some rule names a part of the request that is ambiguous or not known.
impl From<Unclear> for Denial {
    fn from(unclear: Unclear) -> Self {
        let code = match unclear {
            Unclear::Path | Unclear::PathOverride => Code::PathAmbiguous,
            Unclear::Host | Unclear::MethodOverride => Code::BadRequest,
            Unclear::Address => Code::AccessDenied,
        };
        Self::new(code, format!("Rules cannot be applied: {unclear}."))
    }
}

// The operator: change the configuration, the first factor in front, or the proxy.

pub(super) const RULE_DENIES: Refusal =
    Refusal::new(Code::AccessDenied, "A rule denies this request.");

pub(super) const RULE_DENIES_TARGET: Refusal =
    Refusal::new(Code::AccessDenied, "A rule denies the request that this sign-in is for.");

pub(super) const RULE_DENIES_USER: Refusal =
    Refusal::new(Code::AccessDenied, "A rule denies all requests of this user.");

pub(super) const MISCONFIGURED: Refusal = Refusal::new(
    Code::DuoMisconfigured,
    "The second factor is misconfigured. Tell your help desk.",
)
.after(AFTER_LIMIT);

/// Browsers must not come back to this host, since anyone may have pointed its name here.
pub(super) const HOST_NOT_LISTED: Refusal = Refusal::new(
    Code::AccessDenied,
    "This host is not listed for sign-ins at Duo's page. Ask your administrator to add it to \
     duo.universal.hosts.",
);

/// Duo accepts at most 1,024 bytes.
pub(super) const NAME_TOO_LONG: Refusal =
    Refusal::new(Code::IdentityInvalid, "The user's name is too long for Duo.");

/// Envoy followed a redirect of the application.
pub(super) const REDIRECTED: Refusal = Refusal::new(
    Code::InternalRedirect,
    "The proxy followed a redirect of the application, and the approval was lost. Tell your help \
     desk.",
);

/// The first factor named no user, or not exactly one.
impl From<IdentityError> for Denial {
    fn from(error: IdentityError) -> Self {
        let code = match error {
            IdentityError::Missing => Code::IdentityMissing,
            IdentityError::Invalid(_) => Code::IdentityInvalid,
        };
        Self::new(code, format!("{error}."))
    }
}

/// A value that `session.bind` names is missing.
impl From<Unbound> for Denial {
    fn from(unbound: Unbound) -> Self {
        Self::new(Code::AccessDenied, format!("No approval can be given: {unbound}."))
    }
}

// Duo, the network, or this Envoy: try again later.

pub(super) const UNAVAILABLE: Refusal = Refusal::new(
    Code::DuoUnavailable,
    "The second factor cannot be checked at the moment. Try again shortly.",
)
.after(AFTER_OUTAGE);

/// Under `fail_mode: safe`: the background check has not failed, or not yet.
pub(super) const UNCHECKED: Refusal = Refusal::new(
    Code::DuoUnavailable,
    "Duo did not answer. The proxy is checking whether Duo can be reached. Try again shortly.",
)
.after(AFTER_OUTAGE);

pub(super) const RATE_LIMITED_BY_DUO: Refusal = Refusal::new(
    Code::TooManyRequests,
    "Duo limits the rate of requests. Wait before you try again.",
);

/// The circuit breaker of Duo's cluster is full, or all clients together make too many calls.
pub(super) const NO_ROOM: Refusal = Refusal::new(
    Code::Overloaded,
    "This proxy has no room for another call to Duo at the moment. Try again shortly.",
)
.after(AFTER_OVERLOAD);

/// As many requests wait in this worker as it may hold.
pub(super) const NO_ROOM_TO_HOLD: Refusal = Refusal::new(
    Code::TooManyRequests,
    "Too many requests are waiting for their users' answers here. Retry-After says when to try again.",
);

/// The clients of one user make too many calls.
pub(super) const NO_ROOM_FOR_USER: Refusal = Refusal::new(
    Code::TooManyRequests,
    "Too many requests of this user are waiting for Duo. Send fewer at once, and keep the approval \
     cookie. Retry-After says when to try again.",
);

/// The host has no random bytes for the id of an approval.
pub(super) const NO_RANDOMNESS: Refusal =
    Refusal::new(Code::DuoUnavailable, "No approval can be made at the moment. Try again shortly.")
        .after(AFTER_OUTAGE);

/// The rate limit service did not answer.
pub(super) const UNKNOWN_LIMIT: Refusal = Refusal::new(
    Code::DuoUnavailable,
    "The proxy cannot find out at the moment whether this user may get another prompt. Try again \
     shortly.",
);

/// The table of limits cannot say whether a single-use approval was used before.
pub(super) const UNKNOWN_USE: Refusal = Refusal::new(
    Code::DuoUnavailable,
    "The proxy cannot find out at the moment whether this approval was used before. Try again \
     shortly.",
)
.after(AFTER_OUTAGE);

/// The code of a verified push is longer than a page shows.
pub(super) const CODE_NOT_SHOWN: Refusal = Refusal::new(
    Code::DuoUnavailable,
    "Duo sent a verification code that cannot be shown. Try again shortly.",
);

/// The activation code of a new device is longer than a page shows.
pub(super) const ACTIVATION_NOT_SHOWN: Refusal = Refusal::new(
    Code::DuoUnavailable,
    "The code for Duo Mobile cannot be shown. Ask your help desk.",
);
