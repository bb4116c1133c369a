//! `POST preauth`: what may this user use?

use super::choices::{choices, is_stale};
use super::{Visit, Wanted};
use crate::config;
use crate::duo::{Device, PreauthReply, Text};
use crate::gate::expect::Expect;
use crate::gate::failure::NO_DEVICE;
use crate::gate::flow::send;
use crate::gate::party::Recipient;
use crate::gate::refuse::{self, refuse, refuse_with};
use crate::gate::view::Who;
use crate::gate::{Env, Step, audit};
use crate::page::{Enrollment, Link, Plain, PreauthAnswer, Screen};
use crate::secret::Secret;
use crate::signal::Code;
use std::mem;

impl Visit {
    pub(super) fn preauth(self, env: &Env<'_>) -> Step {
        send(self, Expect::Preauth, env)
    }

    /// Duo has said what the user may do.
    pub(in crate::gate) fn preauthorized(mut self, reply: PreauthReply, env: &Env<'_>) -> Step {
        match reply {
            PreauthReply::Allow { message } => self.allow(message.as_str(), env),
            PreauthReply::Deny { message } => self.deny(&message, env),
            PreauthReply::Enroll { .. } if self.is_enrolled_here(env) => {
                send(self, Expect::Enroll, env)
            }
            PreauthReply::Enroll { portal_url } => self.unenrolled(portal_url.as_ref(), env),
            PreauthReply::Auth { devices, verification } => {
                match mem::replace(&mut self.wanted, Wanted::Choices) {
                    Wanted::Start(choice) => self.start(choice, &devices, verification, env),
                    Wanted::Choices | Wanted::Enrollment => self.offer(&devices, env),
                }
            }
        }
    }

    /// Whether a first device is wanted, and the Duo application that is asked has users enrolled
    /// on the page.
    fn is_enrolled_here(&self, env: &Env<'_>) -> bool {
        let enrollment = env.gate.application(&self.asker.terms).duo.enrollment;
        matches!(self.wanted, Wanted::Enrollment) && enrollment == config::Enrollment::Inline
    }

    fn offer(mut self, devices: &[Device], env: &Env<'_>) -> Step {
        let config = env.gate.config();
        let choices =
            choices(devices, env.gate.offered(&self.asker.terms), self.preference.as_ref());
        if self.preference.as_ref().is_some_and(|last| is_stale(last, &choices)) {
            let preferences = &env.gate.application(&self.asker.terms).preferences;
            self.cookies.push(preferences.deletion());
        }
        if choices.factors.is_empty() {
            return refuse_with(&self, &NO_DEVICE, "", env);
        }
        let reply = if self.view.is_page {
            self.view.page(&Screen::Choose(choices), Who::from(&self.asker), config)
        } else {
            PreauthAnswer::Auth(choices).reply(&config.site, self.view.language)
        };
        Step::reply(self.with_cookies(reply), Vec::new())
    }

    /// The script is told what Duo said; whoever wanted more than to know is refused.
    fn deny(self, message: &Text, env: &Env<'_>) -> Step {
        if self.view.is_page || self.starts() {
            return refuse(&self, Code::DuoDenied, message.as_str(), "", env);
        }
        let answer = PreauthAnswer::Deny { message: Plain::new(message.as_str()) };
        self.told(&answer, Code::DuoDenied, env)
    }

    fn unenrolled(self, portal_url: Option<&Secret<String>>, env: &Env<'_>) -> Step {
        let config = env.gate.config();
        let portal = portal_url.and_then(|url| Link::new(url.expose()).ok());
        let enrollment = match (env.gate.application(&self.asker.terms).duo.enrollment, portal) {
            (config::Enrollment::Portal, Some(link)) => Enrollment::Portal(link),
            (config::Enrollment::Inline, _) => Enrollment::Inline,
            (config::Enrollment::Portal, None) | (config::Enrollment::Off, _) => Enrollment::Off,
        };
        let code = Code::EnrollmentRequired;
        if self.view.is_page {
            let who = Who::from(&self.asker);
            let reply = self.view.page(&Screen::Enroll(enrollment), who, config);
            let line = audit::refused(&self.asker, code, "", env);
            return refuse::answer(self.with_cookies(reply), code, Some(line));
        }
        if self.starts() {
            let detail = "This user has no device at Duo. Ask your help desk to enroll one.";
            return refuse(&self, code, detail, "", env);
        }
        self.told(&PreauthAnswer::Enroll(enrollment), code, env)
    }

    /// A refusal that is the answer to the question: HTTP 200.
    fn told(self, answer: &PreauthAnswer, code: Code, env: &Env<'_>) -> Step {
        let reply = answer.reply(&env.gate.config().site, self.view.language);
        let line = audit::refused(self.asker(), code, "", env);
        refuse::answer(self.with_cookies(reply), code, Some(line))
    }
}
