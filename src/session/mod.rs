//! Approvals: whether a cookie proves that this user has passed the second factor.
//!
//! In go the value of a cookie, the user that the first factor named, and the time; out come an
//! [`Approval`] or a [`Refusal`], and the `Set-Cookie` values that issue, renew and delete one.
//! Nothing is kept on the server: a cookie is a fixed binary layout under an HMAC, good on every
//! worker and replica that has the key, and [`Verified`] only saves the MAC of a cookie that was
//! checked before.
//!
//! A user is in the cookie as a keyed tag, never by name, and is compared with the identity of
//! each request: a cookie never says who somebody is. All refusals look the same outside; their
//! reasons are for metrics alone.
//!
//! Nothing in this folder knows Duo, configuration, the request's other headers, or the host.

mod approval;
mod factor;
mod keyring;
mod refusal;
mod sessions;
mod token;
mod verified;

pub use approval::Approval;
pub use factor::Factor;
pub use keyring::{KeyFault, KeyRing, MasterKey};
pub use refusal::Refusal;
pub use sessions::{NewApproval, SessionSettings, Sessions};
pub use token::Subject;
pub use verified::Verified;

#[cfg(test)]
mod tests;
