//! A request to the application that nothing proves a second factor for, and how its client is
//! asked for one.

use super::asker::Sought;
use super::hold::{self, Held};
use super::prompt::SentPasscode;
use super::redirect;
use super::rules::Denial;
use super::visit::Visit;
use super::{Env, Gate, Step, audit, foreign_form, operation, per_client};
use crate::config::{ApiMode, Factor, Mode};
use crate::http::{Client, RequestHead, origin};
use crate::policy::Terms;
use crate::signal::Code;

impl Gate {
    /// Asks for the second factor that an application's request wants.
    pub(super) fn unapproved(
        &self,
        head: &RequestHead<'_>,
        sought: Sought,
        address: Option<&[u8]>,
        env: &Env<'_>,
    ) -> Step {
        if self.config.mode == Mode::ReportOnly {
            let report = |sought: Sought| self.would_refuse(head, Code::MfaRequired, sought.rule);
            return per_client::recall(head, sought, address, env, report);
        }
        if redirect::is_redirected(head) {
            return redirect::refuse(self, head, sought.rule);
        }
        let asked = |sought| self.ask_for_factor(head, sought, address, env);
        per_client::recall(head, sought, address, env, asked)
    }

    fn ask_for_factor(
        &self,
        head: &RequestHead<'_>,
        sought: Sought,
        address: Option<&[u8]>,
        env: &Env<'_>,
    ) -> Step {
        let is_for_one_request = sought.terms.is_for_one_request;
        let client = Client::of(&head.hints());
        match (client, self.api_mode(&sought.terms)) {
            (_, ApiMode::Hold) if client == Client::Hold || brings_passcode(head) => {
                let held = Held::new(head, sought, client, address, env);
                hold::begin(held, head, env)
            }
            (Client::Page, _) if !is_for_one_request && self.is_foreign_form(head) => {
                foreign_form::begin(head, sought, address, env)
            }
            (Client::Page, _) if !is_for_one_request || head.method == b"GET" => {
                let reference = audit::reference(head);
                let line = audit::refused_at_once(head, Code::MfaRequired, sought.rule, &reference);
                Visit::in_place(head, sought, address, env).page_in_place(line, env)
            }
            (client, _) if is_for_one_request => {
                operation::refuse(client, head, sought, address, env)
            }
            (client, _) => {
                let detail = self.remedy(client, &sought.terms);
                self.refuse(head, &Denial::new(Code::MfaRequired, detail).by(sought.rule))
            }
        }
    }

    /// What a client can do that is neither held nor shown the page.
    fn remedy(&self, client: Client, terms: &Terms) -> &'static str {
        let takes_passcode = self.api_mode(terms) == ApiMode::Hold
            && self.offered(terms).contains(&Factor::Passcode);
        match client {
            Client::Hold | Client::Page => {
                "This request needs an approval cookie: start_url, in a browser, gives one."
            }
            Client::Refuse | Client::RefuseGrpc if takes_passcode => {
                "A request in the background cannot be confirmed by a person. Send a passcode in \
                 x-duo-mfa-passcode, or the approval cookie that start_url gives in a browser."
            }
            Client::Refuse | Client::RefuseGrpc => {
                "A request in the background cannot be confirmed by a person. Send the approval \
                 cookie that start_url gives in a browser."
            }
        }
    }
}

/// Whether a request of whatever client brings a passcode that is to be tried. No phone rings for
/// one, and a page of another site cannot send the header unseen: its request says where it is from.
fn brings_passcode(head: &RequestHead<'_>) -> bool {
    !matches!(SentPasscode::with(head), SentPasscode::None) && !origin::is_foreign(head)
}
