//! An approval at the end of a visit: the cookies, and the way on.

use super::Visit;
use super::sign_in::GONE;
use crate::clock::UnixTime;
use crate::duo::{AuthStatus, Status};
use crate::gate::failure::UNKNOWN_USE;
use crate::gate::limit::{End, Limit, Limited, Verdict};
use crate::gate::refuse::{refuse_with, refuse_without_randomness};
use crate::gate::rules::new_approval;
use crate::gate::view::see_other;
use crate::gate::{Env, Step, audit, per_client};
use crate::http::Reply;
use crate::page::{Plain, PreauthAnswer, SignInAnswer, Standing};
use crate::secret::Secret;
use crate::session::{Factor, OperationApproval, Preference};
use crate::signal::{Counter, Level, Signal};
use std::time::Duration;

/// A sign-in that Duo has allowed, while it is found out whether it was given before.
#[derive(Debug)]
pub(in crate::gate) struct Allowed {
    visit: Visit,
    factor: Factor,
    start: Start,
    status: AuthStatus,
}

/// What the approvals of one sign-in have in common, however often it is given: since when they
/// are good, and their id.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    since: UnixTime,
    id: Option<[u8; 16]>,
}

impl Start {
    /// Of a sign-in that is begun and ended by this visit.
    pub(super) const fn here(env: &Env<'_>) -> Self {
        Self { since: env.now, id: env.random }
    }
}

impl Allowed {
    /// The table has said whether the sign-in may be given.
    pub(in crate::gate) fn claimed(self, verdict: &Verdict, env: &Env<'_>) -> Step {
        let Self { mut visit, factor, start, status } = self;
        match verdict {
            Ok(_) => visit.approve(factor, start, &status, env),
            Err(Limited { limit: Limit::Used, .. }) => {
                visit.forget(env);
                refuse_with(&visit, &GONE, Limit::Used.name(), env)
            }
            Err(Limited { limit, .. }) => refuse_with(&visit, &UNKNOWN_USE, limit.name(), env),
        }
    }
}

impl Visit {
    /// Duo has allowed what waits on the device. The token of the sign-in may have been sent
    /// before, or copied, so it gives an approval once.
    pub(super) fn redeem(self, factor: Factor, status: &AuthStatus, env: &Env<'_>) -> Step {
        let settlements = self.asker.settlements(End::Allowed);
        let (Some(pending), Some(claim)) = (&self.pending, self.once(env)) else {
            return Step { settlements, ..refuse_with(&self, &GONE, "", env) };
        };
        let start = Start { since: pending.created(), id: Some(pending.browser()) };
        // What it was begun for, whatever is asked for by now.
        let visit = Self { operation: pending.operation, ..self };
        let allowed = Allowed { visit, factor, start, status: status.clone() };
        Step { settlements, ..Step::claim(claim, allowed) }
    }

    /// Duo has allowed a sign-in.
    pub(super) fn approve(
        mut self,
        factor: Factor,
        start: Start,
        status: &AuthStatus,
        env: &Env<'_>,
    ) -> Step {
        self.remember_choice(factor, env);
        let token = status.trusted_device_token.as_ref();
        let unkept = token.and_then(|token| self.remember_device(token, env));
        let mut step = self.admit(factor, start, env, &|visit| visit.approved(&status.status));
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
        self.admit(factor, Start::here(env), env, &|visit| {
            if visit.starts() || visit.view.is_page {
                return visit.approved(&Status::Allow);
            }
            let answer = PreauthAnswer::Allow { message: Plain::new(message) };
            answer.reply(&env.gate.config().site, visit.view.language)
        })
    }

    /// Gives the approval; `answer` is what is said of it.
    fn admit(
        mut self,
        factor: Factor,
        start: Start,
        env: &Env<'_>,
        answer: &dyn Fn(&Self) -> Reply,
    ) -> Step {
        let Some(id) = start.id else {
            return refuse_without_randomness(&self, env);
        };
        let application = env.gate.application(&self.asker.terms);
        let subject = self.asker.subject();
        match self.operation {
            None => {
                let approval = new_approval(factor, start.since);
                self.cookies.push(application.sessions.issue(&approval, &subject, env.now, id));
            }
            Some(operation) => {
                let approval = OperationApproval { factor, authenticated: start.since, id };
                let token = application.operations.seal(&approval, &operation, &subject, env.now);
                self.cookies.push(application.operations.set_cookie(&token));
                self.token = Some(token);
            }
        }
        let kept = per_client::kept(&self.asker, factor, start.since, env);
        self.forget(env);
        let audited = audit::admitted(&self.asker, factor, env);
        let signals = vec![Signal::Count(Counter::Admitted(factor.name()))];
        let step = Step::reply(self.with_cookies(answer(&self)), signals).audited(audited);
        Step { settlements: kept.into_iter().collect(), ..step }
    }

    fn approved(&self, word: &Status) -> Reply {
        if self.view.is_page {
            return see_other(self.view.return_to.location());
        }
        let answer = SignInAnswer {
            standing: &Standing::Approved,
            status: word.as_str(),
            poll_after: Duration::ZERO,
            transaction: self.transaction(),
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
