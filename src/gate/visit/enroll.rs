//! `POST enroll`, `GET enroll`, `GET enroll/status`: a first device, activated by a QR code.

use super::sign_in::GONE;
use super::{Visit, Wanted};
use crate::duo::{self, EnrollStatus, EnrollmentState};
use crate::gate::expect::Expect;
use crate::gate::flow::send;
use crate::gate::refuse::{self, refuse, refuse_with, refuse_without_randomness};
use crate::gate::view::{Who, see_other, to_page};
use crate::gate::{Env, Step, audit};
use crate::http::{HeaderValue, Reply};
use crate::page::{self, Activation, EnrollmentAnswer, Link, Plain, Screen};
use crate::secret::Secret;
use crate::session::{Bounded, Enrollment, LengthFault, Pending, PendingKind};
use crate::signal::Code;
use std::time::Duration;

/// When to ask again whether a code was scanned.
const POLL_AFTER: Duration = Duration::from_secs(2);

impl Visit {
    /// Makes a user, unless this browser waits for a device already: a second one could not have
    /// the name.
    pub(super) fn enroll(mut self, env: &Env<'_>) -> Step {
        if self.enrollment().is_some() {
            return self.shown(env);
        }
        self.wanted = Wanted::Enrollment;
        send(self, Expect::Preauth, env)
    }

    /// `GET enroll`: the QR code.
    pub(super) fn activation(mut self, env: &Env<'_>) -> Step {
        self.view.is_page = true;
        self.enroll_status(env)
    }

    /// `GET enroll/status`.
    pub(super) fn enroll_status(self, env: &Env<'_>) -> Step {
        match self.enrollment().and_then(question) {
            Some(code) => send(self, Expect::Activation(code), env),
            None => refuse_with(&self, &GONE, "", env),
        }
    }

    /// Duo has made the user.
    pub(in crate::gate) fn enrolled(mut self, made: &duo::Enrollment, env: &Env<'_>) -> Step {
        let Some(browser) = env.random else {
            return refuse_without_randomness(&self, env);
        };
        match kept(made) {
            Ok(enrollment) => {
                let kind = PendingKind::Enrollment(enrollment);
                let return_to = self.view.return_to.clone();
                self.hand_out(Pending::new(kind, env.now, browser, return_to), env);
                self.shown(env)
            }
            Err(fault) => {
                let reason = format!("the activation code {fault}");
                let detail = "The code for Duo Mobile cannot be shown. Ask your help desk.";
                refuse(&self, Code::DuoUnavailable, detail, &reason, env)
            }
        }
    }

    /// Duo has said whether the code was scanned.
    pub(in crate::gate) fn activated(mut self, state: EnrollmentState, env: &Env<'_>) -> Step {
        match state {
            EnrollmentState::Waiting => {
                let reply = if self.view.is_page { self.code(env) } else { waiting() };
                Step::reply(self.with_cookies(reply), Vec::new())
            }
            EnrollmentState::Success => {
                self.forget(env);
                let reply = if self.view.is_page {
                    to_page(env.gate.config(), &self.view.return_to)
                } else {
                    EnrollmentAnswer::Done.reply()
                };
                Step::reply(self.with_cookies(reply), Vec::new())
            }
            EnrollmentState::Invalid => {
                self.forget(env);
                let code = Code::EnrollmentRequired;
                let reply = if self.view.is_page {
                    let screen = Screen::Enroll(page::Enrollment::Inline);
                    self.view.page(&screen, Who::from(&self.asker), env.gate.config())
                } else {
                    EnrollmentAnswer::Expired.reply()
                };
                let line = audit::refused(&self.asker, code, "activation code expired", env);
                refuse::answer(self.with_cookies(reply), code, Some(line))
            }
        }
    }

    /// A form goes on to the code, which may be loaded again.
    fn shown(self, env: &Env<'_>) -> Step {
        let reply = if self.view.is_page {
            let site = &env.gate.config().site;
            see_other(HeaderValue::lossy(site.enrollment_url(&self.view.return_to)))
        } else {
            waiting()
        };
        Step::reply(self.with_cookies(reply), Vec::new())
    }

    fn code(&self, env: &Env<'_>) -> Reply {
        let screen = self.enrollment().map_or(Screen::Start, |enrollment| {
            let open = enrollment.activation_url.as_ref();
            Screen::Activate(Activation {
                code: Plain::new(enrollment.qr_content.expose().as_str()),
                open: open.and_then(|url| Link::new(url.expose().as_str()).ok()),
                expires: enrollment.expires,
            })
        });
        self.view.page(&screen, Who::from(&self.asker), env.gate.config())
    }

    fn enrollment(&self) -> Option<&Enrollment> {
        match &self.pending.as_ref()?.kind {
            PendingKind::Enrollment(enrollment) => Some(enrollment),
            PendingKind::Push | PendingKind::Phone | PendingKind::Sms | PendingKind::Passcode => {
                None
            }
        }
    }
}

fn waiting() -> Reply {
    EnrollmentAnswer::Waiting { poll_after: POLL_AFTER }.reply()
}

/// What Duo is asked about an enrollment.
fn question(enrollment: &Enrollment) -> Option<EnrollStatus> {
    let activation_code = enrollment.activation_code.expose().as_str().to_owned();
    let user_id = enrollment.user_id.as_str().parse().ok()?;
    Some(EnrollStatus { user_id, activation_code: Secret::new(activation_code) })
}

/// An enrollment as the browser keeps it, encrypted.
fn kept(made: &duo::Enrollment) -> Result<Enrollment, LengthFault> {
    let url = made.activation_url.as_ref();
    Ok(Enrollment {
        user_id: Bounded::new(made.user_id.as_str())?,
        activation_code: Secret::new(Bounded::new(made.activation_code.expose())?),
        activation_url: url.and_then(|url| Bounded::new(url.expose()).ok()).map(Secret::new),
        qr_content: Secret::new(Bounded::new(made.qr_content.expose())?),
        expires: made.expires,
    })
}
