//! `POST cancel`, `POST logout` and `GET userinfo`: what needs no word of Duo's.

use super::Visit;
use crate::gate::limit::End;
use crate::gate::refuse::refuse;
use crate::gate::view::{Who, to_page};
use crate::gate::{Env, Step};
use crate::http::Reply;
use crate::page::{Screen, UserInfo};
use crate::session::Approval;
use crate::signal::Code;

impl Visit {
    /// Nobody waits for the prompt any more. It stays on the phone, and it counts.
    pub(super) fn cancel(mut self, env: &Env<'_>) -> Step {
        let settlements = self.asker.settlements(End::Lost);
        self.forget(env);
        let reply = if self.view.is_page {
            to_page(env.gate.config(), &self.view.return_to)
        } else {
            done()
        };
        Step { settlements, ..Step::reply(self.with_cookies(reply), Vec::new()) }
    }

    /// All approvals are taken back from this browser, and what it has begun.
    pub(super) fn logout(mut self, env: &Env<'_>) -> Step {
        let config = env.gate.config();
        self.followed = None;
        for application in config.applications.iter() {
            for line in [application.sessions.deletion(), application.pendings.deletion()] {
                // Applications may share their approvals.
                if !self.cookies.contains(&line) {
                    self.cookies.push(line);
                }
            }
        }
        let reply = if self.view.is_page {
            self.view.page(&Screen::SignedOut, Who::from(&self.asker), config)
        } else {
            done()
        };
        Step::reply(self.with_cookies(reply), Vec::new())
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
