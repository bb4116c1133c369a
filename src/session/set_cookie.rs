//! The `Set-Cookie` values of all cookies of the filter.

use std::time::Duration;

use crate::http::HeaderValue;

/// Whether a cookie comes along when another site leads here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SameSite {
    /// With a link that is followed, but with no request that a page makes.
    Lax,
    /// Never.
    Strict,
}

/// RFC 6265bis, section 4.1: without `Domain` and with `Secure` and `Path=/`, as the prefix
/// `__Host-` demands. A deletion is an empty value for no time, with all the same attributes, since
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
