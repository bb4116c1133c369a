//! Requests that Envoy made from a redirect of the application (`internal_redirect_policy`).
//!
//! Envoy 1.40 then runs all filters again, on a second stream for the same client request. The
//! second stream has the headers of the first one as the filters left them, the same
//! `x-request-id`, and the first address in `x-envoy-original-url`, which Envoy removes from
//! requests of clients at an edge. So the filter's cookies are gone, and the headers of an admitted
//! request are present. The user was asked or approved on the first stream. The second one asks
//! nobody, or one request would ring twice.
//!
//! If Envoy is not an edge, clients may send these headers. Such requests are refused, never
//! admitted.

use super::challenge::Challenge;
use super::decision::Decision;
use super::env::Env;
use super::in_place::InPlace;
use super::refusals::REDIRECTED;
use super::refuse::refuse_with;
use crate::http::RequestHead;
use crate::signal::{Level, Signal};

/// Whether the request was admitted before, and Envoy has then sent it to another address.
pub(super) fn is_redirected(head: &RequestHead<'_>) -> bool {
    head.reserved.contains(&b"x-duo-mfa-user".as_slice())
        && head.values("x-envoy-original-url").next().is_some()
}

/// Refuses the second stream of a request.
pub(super) fn refuse(head: &RequestHead<'_>, challenge: Challenge, env: &Env<'_>) -> Decision {
    let refused = refuse_with(&InPlace::new(head, challenge), &REDIRECTED, "", env);
    refused.with([Signal::Log(Level::Error, LINE.to_owned())])
}

const LINE: &str = "Envoy followed a redirect of the application (internal_redirect_policy). The \
                    request is refused, since its user would be asked again. Remove the policy \
                    from the routes with this filter";
