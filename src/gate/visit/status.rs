//! `GET status` and the prompt page: where a sign-in stands. One look at Duo each, at most.

use super::Visit;
use super::sign_in::{GONE, is_on_device};
use crate::duo::{AuthResult, AuthStatus, Status, Txid};
use crate::gate::audit::{self, Audited};
use crate::gate::expect::Expect;
use crate::gate::flow::send;
use crate::gate::prompt::{Ending, Transaction};
use crate::gate::refuse::{self, refuse_with};
use crate::gate::view::Who;
use crate::gate::{Env, Step};
use crate::http::{Reply, RequestHead};
use crate::page::{Awaited, Plain, Screen, SignInAnswer, Standing, Waiting};
use crate::session::{Factor, PendingKind};
use crate::signal::{Code, Counter, Signal};
use std::time::Duration;

/// When a client is to ask again. Duo itself waits for news, from the second look on.
const POLL_AFTER: Duration = Duration::from_secs(1);

impl Visit {
    /// `GET /`: the page, in the state of the sign-in that this browser has begun.
    pub(super) fn page(mut self, is_approved: bool, head: &RequestHead<'_>, env: &Env<'_>) -> Step {
        self.view.is_page = true;
        let is_seen = head.method == b"GET" && head.hints().purpose.is_none();
        match self.transaction_at_duo() {
            Some(transaction) if is_seen => send(self, Expect::Status(transaction), env),
            Some(_) | None => {
                let approved = || is_approved.then_some(Standing::Approved);
                let standing = self.known(env).or_else(approved);
                let screen = standing.map_or(Screen::Start, Screen::SignIn);
                let reply = self.view.page(&screen, Who::from(&self.asker), env.gate.config());
                Step::reply(self.with_cookies(reply), Vec::new())
            }
        }
    }

    /// The page at the application's own address. Duo is not asked.
    pub(in crate::gate) fn page_in_place(&self, audited: Audited, env: &Env<'_>) -> Step {
        let who = Who::from(&self.asker);
        let screen = self.known(env).map_or(Screen::Start, Screen::SignIn);
        let reply = self.view.page(&screen, who, env.gate.config());
        refuse::answer(reply, Code::MfaRequired, Some(audited))
    }

    /// The page that sends another site's form again from this one.
    pub(in crate::gate) fn resend(
        &self,
        fields: Vec<(String, String)>,
        audited: Audited,
        env: &Env<'_>,
    ) -> Step {
        let who = Who::from(&self.asker);
        let reply = self.view.page(&Screen::Resend(fields), who, env.gate.config());
        refuse::answer(reply.on_its_way(), Code::MfaRequired, Some(audited))
    }

    /// Where the sign-in stands as far as that is known without Duo.
    fn known(&self, env: &Env<'_>) -> Option<Standing> {
        match self.pending.as_ref().map(|pending| &pending.kind) {
            Some(PendingKind::Sms) => Some(self.codes()),
            Some(kind @ (PendingKind::Push | PendingKind::Phone))
                if !self.asker.is_over(env.now) =>
            {
                let factor = kind.factor().unwrap_or(Factor::Push);
                Some(self.waiting(factor, None, env))
            }
            Some(_) | None => None,
        }
    }

    /// `GET status`.
    pub(super) fn status(self, is_approved: bool, env: &Env<'_>) -> Step {
        if let Some(transaction) = self.transaction_at_duo() {
            return send(self, Expect::Status(transaction), env);
        }
        match self.known(env) {
            Some(standing) => self.tell(&standing, "sent", env),
            // Another tab of this browser has seen the end.
            None if is_approved => self.tell(&Standing::Approved, "allow", env),
            None => refuse_with(&self, &GONE, "", env),
        }
    }

    /// Duo's id of what is on the device.
    fn transaction_at_duo(&self) -> Option<Transaction> {
        let pending = self.pending.as_ref().filter(|pending| is_on_device(&pending.kind))?;
        let txid: Txid = pending.txid.as_ref()?.as_str().parse().ok()?;
        Some(Transaction { factor: pending.kind.factor()?, txid })
    }

    /// Duo has said where a transaction stands.
    pub(in crate::gate) fn polled(
        self,
        transaction: &Transaction,
        status: &AuthStatus,
        env: &Env<'_>,
    ) -> Step {
        let word = &status.status;
        match status.result {
            AuthResult::Allow => self.redeem(transaction.factor, status, env),
            AuthResult::Deny => {
                let ending = Ending::of(word);
                let settlements = self.asker.settlements(ending.settled());
                Step { settlements, ..self.ended(&refused(ending), word.as_str(), env) }
            }
            AuthResult::Waiting if self.asker.is_over(env.now) => {
                self.ended(&Standing::TimedOut, word.as_str(), env)
            }
            AuthResult::Waiting => {
                let standing = self.waiting(transaction.factor, Some(status), env);
                self.tell(&standing, word.as_str(), env)
            }
        }
    }

    /// There was no news of a transaction.
    pub(in crate::gate) fn saw_nothing(self, factor: Factor, env: &Env<'_>) -> Step {
        if self.asker.is_over(env.now) {
            return self.ended(&Standing::TimedOut, "", env);
        }
        let standing = self.waiting(factor, None, env);
        self.tell(&standing, "", env)
    }

    /// What a sign-in by this factor waits for; `status` is Duo's word on it, where there is one.
    pub(super) fn waiting(
        &self,
        factor: Factor,
        status: Option<&AuthStatus>,
        env: &Env<'_>,
    ) -> Standing {
        let pending = self.pending.as_ref();
        let code = pending.and_then(|pending| pending.verification_code.as_ref());
        let usual = match (factor, code) {
            (Factor::Phone, _) => Awaited::Call,
            (_, Some(code)) => Awaited::VerifiedPush { code: Plain::new(code.as_str()) },
            (_, None) => Awaited::Push,
        };
        let awaited = match status.map(|status| (&status.status, &status.message)) {
            Some((Status::Answered, _)) => Awaited::Key,
            Some((Status::PushFailed, _)) => Awaited::UndeliveredPush,
            Some((Status::Other(_), message)) if !message.is_empty() && code.is_none() => {
                Awaited::Other { message: Plain::new(message.as_str()) }
            }
            Some(_) | None => usual,
        };
        Standing::Waiting(Waiting {
            awaited,
            device: self.device_label(),
            left: self.asker.deadline.since(env.now),
            total: env.gate.application(&self.asker.terms).duo.push_timeout,
        })
    }

    /// Passcodes went out by text message.
    pub(super) fn codes(&self) -> Standing {
        let device = self.pending.as_ref().and_then(|pending| pending.device.as_ref());
        let device =
            device.map(|id| (id.as_str().to_owned(), self.device_label().unwrap_or_default()));
        Standing::CodesSent { device }
    }

    fn device_label(&self) -> Option<Plain> {
        let label = self.pending.as_ref().and_then(|pending| pending.device_label.as_ref());
        label.map(|label| Plain::new(label.as_str()))
    }

    /// A sign-in that is over, without an approval.
    fn ended(mut self, standing: &Standing, word: &str, env: &Env<'_>) -> Step {
        self.forget(env);
        let code = standing.refusal().unwrap_or(Code::MfaDenied);
        let audited = audit::refused(&self.asker, code, word, env);
        let step = self.tell(standing, word, env);
        Step { signals: vec![Signal::Count(Counter::Refused(code))], ..step }.audited(audited)
    }

    fn tell(self, standing: &Standing, word: &str, env: &Env<'_>) -> Step {
        let reply = if self.view.is_page {
            let screen = Screen::SignIn(standing.clone());
            self.view.page(&screen, Who::from(&self.asker), env.gate.config())
        } else {
            self.state(standing, word, 200)
        };
        Step::reply(self.with_cookies(reply), Vec::new())
    }

    pub(super) fn state(&self, standing: &Standing, word: &str, status: u16) -> Reply {
        let answer = SignInAnswer {
            standing,
            status: word,
            poll_after: POLL_AFTER,
            transaction: self.transaction(),
            return_to: Some(&self.view.return_to),
        };
        answer.reply(status, self.view.language)
    }
}

const fn refused(ending: Ending) -> Standing {
    match ending {
        Ending::TimedOut => Standing::TimedOut,
        Ending::Fraud => Standing::Fraud,
        Ending::LockedOut => Standing::LockedOut,
        Ending::CodesSent | Ending::Denied => Standing::Denied,
    }
}
