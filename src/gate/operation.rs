//! Requests that want an approval of their own (`approval: per_request`).
//!
//! A held request is its own operation: it is asked about, and goes on with Duo's allow. Any other
//! brings an approval that a sign-in gave for this very operation, as a cookie or as text, and the
//! table of limits says whether it was used before. It is claimed before the request goes on, so a
//! request that then fails has used it too.

use super::asker::{Asker, Sought, subject};
use super::limit::{Claim, Limit, Once, Verdict};
use super::party::Recipient;
use super::prompt::user_tag;
use super::refuse::{answer, for_limit};
use super::rules::is_accepted;
use super::view::{View, Who};
use super::visit::transaction;
use super::{Aim, Env, Forward, Gate, NewCookie, Opening, Step, Undecided};
use super::{audit, tell_application};
use crate::http::{Client, Parameters, Reply, RequestHead};
use crate::identity::Identity;
use crate::page::{Onward, Problem};
use crate::policy::{Ruled, Terms};
use crate::session::{BodyDigest, Bound, Factor, Operation, OperationApproval, Operations};
use crate::signal::{Code, Counter};

/// Headers that change what method, path and body mean, each with the parameter of `POST auth` that
/// states its value for a request that is approved ahead.
const MEANINGS: [(&str, &str); 5] = [
    ("content-encoding", "content_encoding"),
    ("content-range", "content_range"),
    ("content-type", "content_type"),
    ("destination", "destination"),
    ("range", "range"),
];

/// What a request does.
fn of(head: &RequestHead<'_>, body: &BodyDigest) -> Operation {
    let headers = MEANINGS.iter().flat_map(|(name, _)| head.values(name).map(|it| (*name, it)));
    Operation::with_headers(head.method, head.authority, head.target, body, headers)
}

/// What a request will do that is approved ahead: it has the method and target of `wanted`, and no
/// header of those that matter but what is stated.
pub(super) fn stated(
    wanted: &RequestHead<'_>,
    parameters: Parameters<'_>,
    body: &BodyDigest,
) -> Operation {
    let value =
        |(name, parameter): &(&'static str, &str)| Some((*name, parameters.value(parameter)?));
    let stated: Vec<_> = MEANINGS.iter().filter_map(value).collect();
    let headers = stated.iter().map(|(name, value)| (*name, value.as_bytes()));
    Operation::with_headers(wanted.method, wanted.authority, wanted.target, body, headers)
}

/// A request whose approval is there, while it is found out whether that was used before. All ways
/// on are ready, since the request's head is not looked at a second time.
#[derive(Debug)]
pub(super) struct Spending {
    /// The request goes on.
    passed: Step,
    /// The user is asked again.
    otherwise: Step,
    /// Who is told that the user has used as many as one user may.
    refused: InPlace,
}

/// Somebody who gets a refusal at the application's address.
#[derive(Debug)]
pub(super) struct InPlace {
    pub(super) asker: Asker,
    pub(super) view: View,
}

impl Recipient for InPlace {
    fn asker(&self) -> &Asker {
        &self.asker
    }

    fn refusal(&self, problem: &Problem, env: &Env<'_>) -> Reply {
        let who = Who::from(&self.asker);
        self.view.refusal(problem, Onward::default(), who, env.gate.config())
    }
}

impl Spending {
    /// The table has said whether the approval may be used.
    pub(super) fn claimed(self, verdict: Verdict, env: &Env<'_>) -> Step {
        match verdict {
            Ok(_) => self.passed,
            Err(limited) if limited.limit == Limit::Share => {
                for_limit(&self.refused, &limited, env)
            }
            Err(_) => self.otherwise,
        }
    }
}

impl Gate {
    /// What is to be found out of a request that wants an approval of its own: whether the one that
    /// it brings is good for what it does, if it brings one.
    pub(super) fn judge_operation(
        &self,
        head: &RequestHead<'_>,
        (identity, bound): (Identity, Bound),
        ruled: Ruled<'_>,
        has_body: bool,
    ) -> Opening {
        let Ruled { rule, terms, .. } = ruled;
        let (terms, has_approval) = (terms.clone(), false);
        let sought = Sought { identity, bound, rule, terms, has_approval };
        // Nothing proves what a request does whose body cannot be read.
        let is_readable = !has_body || self.config.request_bodies;
        let aim = if is_readable && self.token_of_operation(head).is_some() {
            Aim::Operation { sought, has_body }
        } else {
            Aim::Application(sought)
        };
        Opening::Undecided(Undecided { aim, unfit: None })
    }

    /// What a request brings that may be an approval of its own.
    fn token_of_operation<'a>(&self, head: &RequestHead<'a>) -> Option<&'a [u8]> {
        transaction(head, self.config.applications.main.operations.cookie_name())
    }
}

/// Goes on with a request that brings something, once all that it does is known: `body` is
/// absent where that is not to be found out.
pub(super) fn read(
    body: Option<&BodyDigest>,
    head: &RequestHead<'_>,
    sought: Sought,
    address: Option<&[u8]>,
    env: &Env<'_>,
) -> Step {
    let gate = env.gate;
    let approval = body.zip(gate.token_of_operation(head)).and_then(|(body, token)| {
        let subject = subject(&sought.identity, &sought.bound);
        let operations = &gate.application(&sought.terms).operations;
        operations.open(token, &of(head, body), &subject, env.now).ok()
    });
    match approval.filter(|approval| opens(approval.factor, &sought.terms)) {
        Some(approval) => spend(&approval, head, sought, address, env),
        None => gate.unapproved(head, sought, address, env),
    }
}

/// Whether an approval of this factor may open a request of these terms.
fn opens(factor: Factor, terms: &Terms) -> bool {
    match factor {
        Factor::Push | Factor::Passcode | Factor::Phone | Factor::Sms => is_accepted(factor, terms),
        Factor::Bypass => true,
        Factor::Remembered | Factor::FailSafe => false,
    }
}

/// Lets a request go on if its approval was not used before, and asks again otherwise.
fn spend(
    approval: &OperationApproval,
    head: &RequestHead<'_>,
    sought: Sought,
    address: Option<&[u8]>,
    env: &Env<'_>,
) -> Step {
    let OperationApproval { factor, authenticated, id } = *approval;
    let asker = Asker::new(head, sought.clone(), address, env.now);
    let audited = audit::admitted(&asker, factor, env);
    let operations = &env.gate.application(&asker.terms).operations;
    let cookie = Some(NewCookie::UsedUp(operations.deletion()));
    let mut request = env.gate.stripped(head);
    let user = asker.identity.user.clone();
    tell_application(&mut request, user, factor.name(), authenticated);
    let passed = Step::forward(Forward { request, cookie }, Counter::Passed).audited(audited);
    let otherwise = env.gate.unapproved(head, sought, address, env);
    let claim = Claim::once(Once::Operation, id, Operations::REMEMBERED)
        .counted_in_share_of(user_tag("uses", &asker, env.gate.config()));
    let refused = InPlace { asker, view: View::in_place(head) };
    Step::claim(claim, Spending { passed, otherwise, refused })
}

/// A request that cannot be held, and that no page can lead to an approval for.
pub(super) fn refuse(
    client: Client,
    head: &RequestHead<'_>,
    sought: Sought,
    address: Option<&[u8]>,
    env: &Env<'_>,
) -> Step {
    let (code, detail) = match client {
        Client::Page => (Code::AccessDenied, FORM),
        Client::Hold | Client::Refuse | Client::RefuseGrpc => (Code::MfaRequired, OPERATION),
    };
    let asker = Asker::new(head, sought, address, env.now);
    let reference = asker.reference.clone();
    let problem = Problem { code, detail: detail.to_owned(), reference, retry_after: None };
    let view = View::in_place(head);
    let reply = view.refusal(&problem, Onward::default(), Who::from(&asker), env.gate.config());
    answer(reply, code, Some(audit::refused(&asker, code, "", env)))
}

const FORM: &str = "Each such request is approved by itself, and a form cannot be.";

const OPERATION: &str = "This request needs an approval of its own. Send it as a program that is \
                         held; or approve it at POST auth with its method and return_to (and \
                         body_sha256, where bodies are read, and content_type and the like), and \
                         send it with what that gives.";
