//! `POST cancel`, `logout` and `GET userinfo`: what needs no word of Duo's.

use super::Visit;
use crate::gate::per_client;
use crate::gate::refuse::refuse;
use crate::gate::sign_out::SignOut;
use crate::gate::view::{Who, to_page};
use crate::gate::{Env, Step};
use crate::http::{Parameters, Reply, RequestHead, ReturnPath};
use crate::page::{Screen, UserInfo};
use crate::session::Approval;
use crate::signal::Code;

impl Visit {
    /// The sign-in is over and gives no approval. Its prompt stays on the phone, so it counts, and it
    /// remains the user's one pending prompt until Duo says that it is over.
    pub(super) fn cancel(mut self, env: &Env<'_>) -> Step {
        let settlements = self.over(env).into_iter().collect();
        self.forget(env);
        let reply = if self.view.is_page {
            to_page(env.gate.config(), &self.view.return_to)
        } else {
            done()
        };
        Step { settlements, ..Step::reply(self.with_cookies(reply), Vec::new()) }
    }

    /// The page that asks whether to sign out: a GET alone never does.
    pub(super) fn sign_out_page(self, head: &RequestHead<'_>, env: &Env<'_>) -> Step {
        let screen = Screen::SignOut { next: next(head) };
        let page = self.view.page(&screen, Who::from(&self.asker), env.gate.config());
        Step::reply(page, Vec::new())
    }

    /// All approvals are taken back from this browser, and what it has begun; the sign-ins that led
    /// to them give no other. A person then goes on to the address in `next`.
    pub(super) fn logout(mut self, head: &RequestHead<'_>, env: &Env<'_>) -> Step {
        self.followed = None;
        let config = env.gate.config();
        let out = SignOut::of(config, head, Some(&self.asker.subject()), env.now);
        self.cookies.extend(out.deletions);
        let reply = if self.view.is_page {
            self.view.page(&Screen::SignedOut { next: next(head) }, Who::from(&self.asker), config)
        } else {
            done()
        };
        let mut settlements = out.settlements;
        settlements.push(per_client::ended(&self.asker.identity, config));
        Step { settlements, ..Step::reply(self.with_cookies(reply), Vec::new()) }
    }

    pub(super) fn user_info(self, approval: Option<&Approval>, env: &Env<'_>) -> Step {
        let Some(approval) = approval else {
            return refuse(&self, Code::MfaRequired, "There is no approval to tell of.", "", env);
        };
        let info = UserInfo {
            user: &self.asker.identity.user,
            factor: approval.factor().name(),
            authenticated_at: approval.authenticated(),
            expires_at: approval.expires(),
        };
        Step::reply(info.reply(), Vec::new())
    }
}

/// Where a person goes on after the sign-out: a path on this host, mostly where the first factor
/// signs out.
fn next(head: &RequestHead<'_>) -> Option<ReturnPath> {
    let next = Parameters::of(head.target).value("next")?;
    Some(ReturnPath::parse(next.as_bytes()))
}

fn done() -> Reply {
    Reply::new(200, "duo_mfa_done".to_owned(), "application/json", b"{}".to_vec())
}
