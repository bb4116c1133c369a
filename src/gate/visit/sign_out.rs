//! `POST cancel`, `POST logout` and `GET userinfo`: what needs no word of Duo's.

use super::sign_in::{begun, once};
use super::{Visit, sent};
use crate::clock::UnixTime;
use crate::gate::limit::{End, Settlement};
use crate::gate::refuse::refuse;
use crate::gate::view::{Who, to_page};
use crate::gate::{Env, Step};
use crate::http::{Reply, RequestHead};
use crate::page::{Screen, UserInfo};
use crate::session::{Approval, PENDING_LIFETIME};
use crate::signal::Code;

impl Visit {
    /// Nobody waits for the prompt any more. It stays on the phone, and it counts.
    pub(super) fn cancel(mut self, env: &Env<'_>) -> Step {
        let mut settlements = self.asker.settlements(End::Lost);
        settlements.extend(self.over(env));
        self.forget(env);
        let reply = if self.view.is_page {
            to_page(env.gate.config(), &self.view.return_to)
        } else {
            done()
        };
        Step { settlements, ..Step::reply(self.with_cookies(reply), Vec::new()) }
    }

    /// All approvals are taken back from this browser, and what it has begun; the sign-ins that led
    /// to them give no other.
    pub(super) fn logout(mut self, head: &RequestHead<'_>, env: &Env<'_>) -> Step {
        let config = env.gate.config();
        self.followed = None;
        let mut settlements = Vec::new();
        for application in config.applications.iter() {
            let approval = sent(head, application.sessions.cookie_name()).and_then(|value| {
                application.sessions.open(value, &self.asker.subject(), env.now).ok()
            });
            let approval = approval.map(|approval| (approval.id(), approval.authenticated()));
            let pending = begun(head, &application.pendings, &self.asker, env);
            let pending = pending.map(|pending| (pending.browser(), pending.created()));
            let is_recent = |(_, began): &(_, UnixTime)| env.now <= began.plus(PENDING_LIFETIME);
            settlements.extend(
                approval.into_iter().chain(pending).filter(is_recent).map(|(id, began)| {
                    Settlement { claim: once(id, began, env.now), end: End::Lost }
                }),
            );
            for line in [application.sessions.deletion(), application.pendings.deletion()] {
                // Applications may share their approvals.
                if !self.cookies.contains(&line) {
                    self.cookies.push(line);
                }
            }
        }
        // All applications' approvals of operations have one name.
        self.cookies.push(config.applications.main.operations.deletion());
        let reply = if self.view.is_page {
            self.view.page(&Screen::SignedOut, Who::from(&self.asker), config)
        } else {
            done()
        };
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

fn done() -> Reply {
    Reply::new(200, "duo_mfa_done".to_owned(), "application/json", b"{}".to_vec())
}
