//! An approval at the end of a visit: the cookies, and the way on.

use super::Visit;
use crate::clock::UnixTime;
use crate::duo::AuthStatus;
use crate::gate::failure::NO_RANDOMNESS;
use crate::gate::refuse::refuse_with;
use crate::gate::rules::new_approval;
use crate::gate::view::see_other;
use crate::gate::{Env, Step, audit};
use crate::http::Reply;
use crate::page::{Plain, PreauthAnswer, SignInAnswer, Standing};
use crate::secret::Secret;
use crate::session::{Factor, Preference};
use crate::signal::{Counter, Level, Signal};
use std::time::Duration;

impl Visit {
    /// Duo has allowed a sign-in that was begun `since`.
    pub(super) fn approve(
        mut self,
        factor: Factor,
        since: UnixTime,
        status: &AuthStatus,
        env: &Env<'_>,
    ) -> Step {
        self.remember_choice(factor, env);
        let token = status.trusted_device_token.as_ref();
        let unkept = token.and_then(|token| self.remember_device(token, env));
        let reply = self.approved(status.status.as_str());
        let mut step = self.admit(factor, since, reply, env);
        step.signals.extend(unkept);
        step
    }

    /// Duo wants no second factor.
    pub(super) fn allow(self, message: &str, env: &Env<'_>) -> Step {
        let is_remembered = self.device_token.is_some();
        let factor = if is_remembered { Factor::Remembered } else { Factor::Bypass };
        self.admit_without_prompt(factor, message, env)
    }

    /// Duo cannot be reached, and the user is let in.
    pub(in crate::gate) fn unverified(self, env: &Env<'_>) -> Step {
        self.admit_without_prompt(Factor::FailSafe, "", env)
    }

    fn admit_without_prompt(self, factor: Factor, message: &str, env: &Env<'_>) -> Step {
        let reply = if self.choice.is_some() || self.view.is_page {
            self.approved("allow")
        } else {
            let answer = PreauthAnswer::Allow { message: Plain::new(message) };
            answer.reply(&env.gate.config().site, self.view.language)
        };
        self.admit(factor, env.now, reply, env)
    }

    fn admit(mut self, factor: Factor, since: UnixTime, reply: Reply, env: &Env<'_>) -> Step {
        let Some(id) = env.random else {
            return refuse_with(&self, &NO_RANDOMNESS, "the host has no random bytes", env);
        };
        let approval = new_approval(factor, since);
        let subject = self.asker.subject();
        let sessions = &env.gate.application(&self.asker.terms).sessions;
        let cookie = sessions.issue(&approval, &subject, env.now, id);
        self.cookies.push(cookie);
        self.forget(env);
        let audited = audit::admitted(&self.asker, factor, env);
        let signals = vec![Signal::Count(Counter::Admitted(factor.name()))];
        Step::reply(self.with_cookies(reply), signals).audited(audited)
    }

    fn approved(&self, word: &str) -> Reply {
        if self.view.is_page {
            return see_other(self.view.return_to.location());
        }
        let answer = SignInAnswer {
            standing: &Standing::Approved,
            status: word,
            poll_after: Duration::ZERO,
            transaction: None,
            return_to: Some(&self.view.return_to),
        };
        answer.reply(200, self.view.language)
    }

    /// What was chosen is offered first the next time.
    fn remember_choice(&mut self, factor: Factor, env: &Env<'_>) {
        let pending = self.pending.as_ref().filter(|pending| pending.kind.factor() == Some(factor));
        let device = pending.and_then(|pending| pending.device.clone());
        let preference = Preference { factor, device };
        if self.preference.as_ref() != Some(&preference) {
            let preferences = &env.gate.application(&self.asker.terms).preferences;
            self.cookies.push(preferences.remember(&preference, &self.asker.subject()));
        }
    }

    /// Keeps what Duo gave for this device; a line for the log where it cannot be kept.
    fn remember_device(&mut self, token: &Secret<String>, env: &Env<'_>) -> Option<Signal> {
        let devices = env.gate.application(&self.asker.terms).remembered_devices.as_ref()?;
        let [a, b, c, d, e, f, g, h, i, j, k, l, ..] = env.random?;
        let nonce = [a, b, c, d, e, f, g, h, i, j, k, l];
        match devices.remember(token, &self.asker.subject(), env.now, nonce) {
            Ok(line) => {
                self.cookies.push(line);
                None
            }
            Err(fault) => {
                let text = format!("a remembered device cannot be kept: Duo's token {fault}");
                Some(Signal::Log(Level::Warn, text))
            }
        }
    }
}
