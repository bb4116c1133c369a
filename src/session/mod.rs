//! Approvals and pending sign-ins: cookies that prove something about a user.
//!
//! In go the value of a cookie, the user that the first factor named, and the time. Out come an
//! [`Approval`], a [`Pending`] sign-in, a remembered device, a [`Preference`], or a [`Refusal`],
//! and the `Set-Cookie` values that write and delete each. Nothing is stored on the server: a
//! cookie is valid on every worker and replica that has the key. [`Verified`] only saves the MAC of
//! a cookie that was checked before.
//!
//! A user is in a cookie as a keyed tag, never by name, and is compared with the identity of each
//! request. So a cookie never determines who the user is. Each kind has separate keys, so no kind
//! can pass for another. All refusals look the same to clients; their reasons are only for metrics.
//!
//! Nothing in this folder knows Duo, configuration, the request's other headers, or the host.

mod approval;
mod approved_by;
mod attempt;
mod attempts;
mod binding;
mod bounded;
mod cookie_owner;
mod derived;
mod device;
mod enrollment;
mod keyring;
mod pending;
mod pendings;
mod per_request;
mod preference;
mod refusal;
mod request_digest;
mod sessions;
mod set_cookie;
mod shared;
mod token;
mod token_fields;
mod vault;
mod verified;

pub use approval::Approval;
pub use approved_by::ApprovedBy;
pub use attempt::{Attempt, Browser, LIFETIME as ATTEMPT_LIFETIME};
pub use attempts::{Attempts, Begun, NewAttempt};
pub use binding::{Binding, Bindings, Bound, Unbound};
pub use bounded::{Bounded, LengthFault};
pub use cookie_owner::CookieOwner;
pub use derived::Source;
pub use device::RememberedDevices;
pub use enrollment::{Enrollment, LIFETIME as ENROLLMENT_LIFETIME};
pub use keyring::{KeyFault, KeyRing, MasterKey};
pub use pending::{LIFETIME as PENDING_LIFETIME, Pending, PendingKind, PendingOrigin};
pub use pendings::{Pendings, Token};
pub use per_request::{PerRequestApproval, PerRequestApprovals};
pub use preference::{Preference, Preferences};
pub use refusal::Refusal;
pub use request_digest::{BodyDigest, RequestDigest};
pub use sessions::{Inspection, NewApproval, SessionSettings, Sessions};
pub use shared::{SharedKey, SharedValues};
pub use token::Subject;
pub use vault::Nonce;
pub use verified::Verified;

/// The plain names of all cookies except the approval's, whose name is configured.
pub const COOKIES: [&str; 5] =
    [pendings::COOKIE, per_request::COOKIE, device::COOKIE, preference::COOKIE, attempts::COOKIE];

#[cfg(test)]
mod tests;
