//! The headers that tell the application which user was admitted, by which factor and when.

use crate::clock::UnixTime;
use crate::http::{Edit, HeaderValue};

/// Adds them to the edits of a forwarded request. The client's own were removed before.
pub(super) fn add_identity_headers(
    edits: &mut Vec<Edit>,
    user: String,
    factor: &'static str,
    authenticated: UnixTime,
) {
    // Adding costs the host less than replacing.
    edits.push(Edit::Append("x-duo-mfa-user", HeaderValue::lossy(user)));
    edits.push(Edit::Append("x-duo-mfa-factor", HeaderValue::from_static(factor)));
    edits.push(Edit::Append("x-duo-mfa-time", HeaderValue::number(authenticated.seconds())));
}
