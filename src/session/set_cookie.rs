//! The `Set-Cookie` values of all cookies of the filter.

use std::time::Duration;

use crate::http::HeaderValue;

/// Whether browsers send a cookie with a request from another site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SameSite {
    /// When the user follows a link, but not with requests that a page makes.
    Lax,
    /// Never.
    Strict,
}

/// See RFC 6265bis, section 4.1. Without `Domain` and with `Secure` and `Path=/`, as the prefix
/// `__Host-` requires. A deletion is an empty value with `Max-Age=0` and the same attributes, since
/// browsers ignore a `__Host-` cookie without them.
pub(super) fn set_cookie(
    name: &str,
    value: &str,
    same_site: SameSite,
    max_age: Option<Duration>,
) -> HeaderValue {
    let same_site = match same_site {
        SameSite::Lax => "Lax",
        SameSite::Strict => "Strict",
    };
    let mut line = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite={same_site}");
    if let Some(max_age) = max_age {
        line.push_str("; Max-Age=");
        line.push_str(&max_age.as_secs().to_string());
    }
    HeaderValue::lossy(line.as_bytes())
}
