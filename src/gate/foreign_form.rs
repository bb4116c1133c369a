//! A form that a page of another site sends to the application: a SAML response, an OpenID
//! `form_post`, the return from a payment.
//!
//! Browsers send such a request without `SameSite=Lax` cookies, so the filter cannot know whether
//! its sender has an approval. Asking for one is useless, since the form would be sent without it
//! again. The form is refused, unless `cross_site_forms` names its address. In that case a page
//! sends the same fields again from this site, with all cookies. That removes the protection of
//! `SameSite` from these addresses, for the application's own cookies too. So an operator has to
//! name them.

use super::challenge::Challenge;
use super::configured::Gate;
use super::decision::Decision;
use super::endpoints::{Caller, resend_page};
use super::env::Env;
use super::form::is_resendable;
use super::refusals::FOREIGN_FORM;
use super::refuse::refuse_with;
use crate::http::{Parameters, RequestHead, origin};

impl Gate {
    /// Whether a request is such a form. If it has any cookie of the filter, its browser does not
    /// know `SameSite`.
    pub(super) fn is_foreign_form(&self, head: &RequestHead<'_>) -> bool {
        let applications = &self.config().applications;
        let cookie = applications.main.sessions.cookie_name();
        head.method == b"POST"
            && origin::is_of_other_site(head)
            && !head.cookies.has_own(cookie, applications.unprefixed_cookies())
    }
}

/// Checks whether the form's fields are to be read. If not, the form is refused.
///
/// # Errors
///
/// The reason of the refusal, for the log.
pub(super) fn check(head: &RequestHead<'_>, gate: &Gate) -> Result<(), &'static str> {
    let forms = &gate.config().cross_site_forms;
    let is_named = forms.iter().any(|path| path.as_bytes() == head.path());
    match is_named {
        true if is_resendable(head) => Ok(()),
        true => Err(UNREADABLE),
        false => Err(UNNAMED),
    }
}

/// Replies with a page that sends the form again from this site. `body` is `None` if it could not
/// be read.
pub(super) fn read(
    body: Option<&[u8]>,
    head: &RequestHead<'_>,
    challenge: Challenge,
    env: &Env<'_>,
) -> Decision {
    match body.and_then(Parameters::fields) {
        Some(fields) => resend_page(&Caller::in_place(head, challenge, env), fields, env),
        None => refuse(head, challenge, UNREADABLE, env),
    }
}

/// Refuses the form; `reason` is for the log.
pub(super) fn refuse(
    head: &RequestHead<'_>,
    challenge: Challenge,
    reason: &str,
    env: &Env<'_>,
) -> Decision {
    let caller = Caller::in_place(head, challenge, env);
    refuse_with(&caller, &FOREIGN_FORM, reason, env)
}

/// The reason in the log.
const UNNAMED: &str = "a form of another site; cross_site_forms does not name this path";

const UNREADABLE: &str = "a form of another site that is not urlencoded text of at most 64 KiB";
