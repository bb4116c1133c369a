//! Approvals per client (`"approval": {"per": "client", "for": "5m"}`), for programs that keep no
//! cookie.
//!
//! Once a user has passed the second factor under such a rule, the table keeps that for a while,
//! together with the values of `session.bind`. The next request of the same user and
//! client under the same rule goes on by it. It sets no cookie, so the time never moves.
//!
//! Only programs pass by it. A browser keeps cookies, and any page of another site could have it
//! send requests in its user's name.

use super::asker::{Asker, Sought, subject};
use super::limit::{Claim, ClientApproval, End, Permit, Settlement, Verdict};
use super::prompt::name_tag;
use super::rules::is_accepted;
use super::sign_out::SignOut;
use super::{Env, Forward, NewCookie, Step, audit, tell_application};
use crate::clock::UnixTime;
use crate::config::Config;
use crate::http::hints::Hints;
use crate::http::{Client, Edit, RequestHead};
use crate::identity::Identity;
use crate::policy::Terms;
use crate::session::{Factor, Subject};
use crate::signal::Counter;

/// A program's request, while it is looked up whether its client has an approval. Both ways on are
/// ready, since the request's head is not looked at a second time.
#[derive(Debug)]
pub(super) struct Recall {
    asker: Asker,
    /// The edits that the request gets if it goes on.
    edits: Vec<Edit>,
    /// The changes that the request makes if it is a sign-out.
    sign_out: Option<SignOut>,
    /// The user is asked.
    otherwise: Step,
}

/// The tags that an approval is kept under.
struct Tags {
    user: [u8; 16],
    client: [u8; 16],
}

/// `None` where the rule has no such approvals, or nothing tells the client from others.
fn tags(of: &Identity, subject: &Subject<'_>, terms: &Terms, config: &Config) -> Option<Tags> {
    let rule = terms.per_client?.rule;
    let application = config.applications.under(terms);
    let on_client = application.sessions.client(subject)?;
    let offered = terms.factors.as_deref().unwrap_or(&application.duo.factors);
    let offered = offered.iter().map(|factor| factor.name()).collect::<Vec<_>>().join(",");
    let parts = [on_client.as_slice(), &rule, offered.as_bytes()];
    let client = application.duo.shared_key().tag("client", &parts);
    Some(Tags { user: user_tag(of, config), client })
}

/// One tag for all names that Duo takes for one, so that a sign-out under any of them finds all.
fn user_tag(of: &Identity, config: &Config) -> [u8; 16] {
    name_tag("clients", of, config)
}

/// Looks for an approval of the client, if the rule has such approvals and a program asks.
/// `otherwise` gives the step to go on with if there is none.
pub(super) fn recall(
    head: &RequestHead<'_>,
    sought: Sought,
    address: Option<&[u8]>,
    env: &Env<'_>,
    otherwise: impl FnOnce(Sought) -> Step,
) -> Step {
    let config = env.gate.config();
    let whose = subject(&sought.identity, &sought.bound);
    let tags = tags(&sought.identity, &whose, &sought.terms, config).filter(|_| is_program(head));
    let Some(Tags { user, client }) = tags else { return otherwise(sought) };
    let asker = Asker::new(head, sought.clone(), address, env.now);
    let is_sign_out = env.gate.is_sign_out(head);
    let sign_out = is_sign_out.then(|| SignOut::of(config, head, Some(&asker.subject()), env.now));
    let edits = env.gate.stripped(head);
    let recall = Recall { asker, edits, sign_out, otherwise: otherwise(sought) };
    Step::claim(Claim::find_client(user, client), recall)
}

/// Whether a program sent the request: one that would be held, were it no upgrade or gRPC.
fn is_program(head: &RequestHead<'_>) -> bool {
    let hints = Hints { upgrade: None, content_type: None, ..head.hints() };
    Client::of(&hints) == Client::Hold
}

impl Recall {
    /// The table has said whether there is an approval.
    pub(super) fn claimed(self, verdict: &Verdict, env: &Env<'_>) -> Step {
        let Self { asker, edits: mut request, sign_out, otherwise } = self;
        let approval = match verdict {
            Ok(Permit::Approved(approval)) if opens(approval, &asker.terms, env) => approval,
            Ok(_) | Err(_) => return otherwise,
        };
        let (factor, since) = (approval.factor(), approval.authenticated());
        tell_application(&mut request, asker.identity.user.clone(), factor.name(), since);
        let (mut settlements, mut cookie) = (Vec::new(), None);
        if let Some(out) = sign_out {
            settlements = out.settlements;
            settlements.push(ended(&asker.identity, env.gate.config()));
            cookie = Some(NewCookie::SignedOut(out.deletions));
        }
        let step = Step::forward(Forward { request, cookie }, Counter::PassedPerClient);
        let audited = audit::passed_per_client(&asker, factor, since, env);
        Step { settlements, ..step.audited(audited) }
    }
}

/// Whether an approval meets the terms and the settings that hold now.
fn opens(approval: &ClientApproval, terms: &Terms, env: &Env<'_>) -> bool {
    let since = approval.authenticated();
    let is_young = |max_age| env.now.since(since) <= max_age;
    is_accepted(approval.factor(), terms)
        && terms.max_age.is_none_or(is_young)
        && env.gate.application(terms).sessions.counts(since, env.now)
}

/// Has the table keep a second factor that a user passed, if the rule has such approvals.
pub(super) fn kept(
    asker: &Asker,
    factor: Factor,
    since: UnixTime,
    env: &Env<'_>,
) -> Option<Settlement> {
    let lasts = asker.terms.per_client?.lasts;
    let approval = ClientApproval::new(factor, since, lasts)?;
    let config = env.gate.config();
    let Tags { user, client } = tags(&asker.identity, &asker.subject(), &asker.terms, config)?;
    let claim = Claim::keep_client(user, client, approval);
    is_accepted(factor, &asker.terms).then_some(Settlement { claim, end: End::Allowed })
}

/// Has the table end all approvals per client of a user, whichever configuration of this Envoy
/// gave them.
pub(super) fn ended(of: &Identity, config: &Config) -> Settlement {
    Settlement { claim: Claim::forget_clients(user_tag(of, config)), end: End::Lost }
}
