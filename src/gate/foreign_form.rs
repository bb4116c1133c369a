//! A form that a page of another site sends to the application: a SAML response, an OpenID
//! `form_post`, the return from a payment.
//!
//! Browsers leave a `SameSite=Lax` cookie out of such a request, so nobody can say whether its
//! sender has an approval. To ask for one is useless: the form sent again comes without it too. It
//! is refused, unless its address is one of `cross_site_forms`. Then a page sends the same fields
//! again from this site, with all cookies. That lifts the protection of `SameSite` from these
//! addresses, the application's own cookies included, so an operator has to name them.

use super::asker::Sought;
use super::visit::{Form, Visit};
use super::{Env, Gate, Step, audit, refuse};
use crate::http::{Parameters, RequestHead, origin};
use crate::signal::Code;

impl Gate {
    /// Whether a request is such a form. One that brings any cookie of the filter's comes from a
    /// browser that does not know `SameSite`.
    pub(super) fn is_foreign_form(&self, head: &RequestHead<'_>) -> bool {
        let applications = &self.config.applications;
        let cookie = applications.main.sessions.cookie_name();
        head.method == b"POST"
            && origin::is_of_other_site(head)
            && !head.cookies.has_own(cookie, applications.odd_cookies())
    }
}

/// Begins to answer: the fields have to be read first, or nothing can be done.
pub(super) fn begin(
    head: &RequestHead<'_>,
    sought: Sought,
    address: Option<&[u8]>,
    env: &Env<'_>,
) -> Step {
    let forms = &env.gate.config().cross_site_forms;
    let is_named = forms.iter().any(|path| path.as_bytes() == head.path());
    if is_named && Form::is_resendable(head) {
        return Form::read_foreign(sought, address, env.now);
    }
    let reason = if is_named { UNREADABLE } else { UNNAMED };
    refuse(head, sought, address, reason, env)
}

/// Sends the form again from this site. `body` is `None` if it could not be read.
pub(super) fn read(
    body: Option<&[u8]>,
    head: &RequestHead<'_>,
    sought: Sought,
    address: Option<&[u8]>,
    env: &Env<'_>,
) -> Step {
    match body.and_then(Parameters::fields) {
        Some(fields) => {
            let reference = audit::reference(head);
            let line = audit::refused_at_once(head, Code::MfaRequired, sought.rule, &reference);
            Visit::in_place(head, sought, address, env).resend(fields, line, env)
        }
        None => refuse(head, sought, address, UNREADABLE, env),
    }
}

fn refuse(
    head: &RequestHead<'_>,
    sought: Sought,
    address: Option<&[u8]>,
    reason: &str,
    env: &Env<'_>,
) -> Step {
    let visit = Visit::in_place(head, sought, address, env);
    refuse::refuse(&visit, Code::CrossSite, DETAIL, reason, env)
}

const DETAIL: &str = "A form of another site comes without the approval cookie.";

/// For the operator, in the log.
const UNNAMED: &str = "a form of another site; cross_site_forms does not name this path";

const UNREADABLE: &str = "a form of another site that is no urlencoded text of at most 64 KiB";
