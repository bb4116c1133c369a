//! Approvals per client (`"approval": {"per": "client", "for": "5m"}`), for programs that keep no
//! cookie.
//!
//! Once a user has passed the second factor under such a rule, the table keeps that for a while,
//! together with the values of `session.bind`. The next request of the same user and
//! client under the same rule goes on by it. It sets no cookie, so the time never moves.
//!
//! A program may send many requests at once. Those that come while the first push is on the phone
//! wait for its end.
//!
//! Only programs pass by it. A browser keeps cookies, and any page of another site could have it
//! send requests in its user's name.

use super::asker::{Asker, Sought, subject};
use super::flow::POLL_PACE;
use super::hold::Held;
use super::limit::{Claim, ClientApproval, End, Limit, Permit, Settlement, Verdict};
use super::operation::InPlace;
use super::party::Party;
use super::prompt::{SentPasscode, name_tag, user_tag};
use super::refuse::{for_crowd, for_limit};
use super::room::Crowded;
use super::rules::is_accepted;
use super::sign_out::SignOut;
use super::view::View;
use super::{Env, Forward, NewCookie, Seat, Step, audit, tell_application};
use crate::clock::UnixTime;
use crate::config::{ApiMode, Config, Mode};
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
    client: InPlace,
    claim: Claim,
    /// How long the request may wait for the push of another one. `None` where it may not.
    until: Option<UnixTime>,
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
    Some(Tags { user: owner_tag(of, config), client })
}

/// One tag for all names that Duo takes for one, so that a sign-out under any of them finds all.
fn owner_tag(of: &Identity, config: &Config) -> [u8; 16] {
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
    let until = (may_wait(head, &sought.terms, env) && !is_sign_out)
        .then(|| env.now.plus(config.api.hold_timeout));
    let edits = env.gate.stripped(head);
    let claim = Claim::find_client(user, client);
    let client = InPlace { asker, view: View::in_place(head) };
    let recall = Recall { client, claim, until, edits, sign_out, otherwise: otherwise(sought) };
    Step::claim(claim, recall)
}

/// Whether a request may wait for the push of another one: it would be held for its own.
fn may_wait(head: &RequestHead<'_>, terms: &Terms, env: &Env<'_>) -> bool {
    env.gate.config().mode == Mode::Enforce
        && env.gate.api_mode(terms) == ApiMode::Hold
        && Client::of(&head.hints()) == Client::Hold
        && matches!(SentPasscode::with(head), SentPasscode::None)
}

/// Whether a program sent the request: one that would be held, were it no upgrade or gRPC.
fn is_program(head: &RequestHead<'_>) -> bool {
    let hints = Hints { upgrade: None, content_type: None, ..head.hints() };
    Client::of(&hints) == Client::Hold
}

impl Recall {
    /// The table has said whether there is an approval.
    pub(super) fn claimed(self, verdict: Verdict, env: &Env<'_>) -> Step {
        let asker = &self.client.asker;
        match (verdict, self.until) {
            (Ok(Permit::Approved(approval)), _) if opens(&approval, &asker.terms, env) => {
                pass(asker, self.edits, self.sign_out, &approval, env)
            }
            (Err(limited), Some(until)) if limited.limit == Limit::Awaited => {
                if until <= env.now {
                    return for_limit(&self.client, &limited, env);
                }
                let seat = Seat::wait(user_tag("calls", asker, env.gate.config()));
                Step::wait(env.now.plus(POLL_PACE).min(until), seat, self.claim, self)
            }
            (Ok(_) | Err(_), _) => self.otherwise,
        }
    }

    /// Too many requests wait.
    pub(super) fn crowded(self, crowded: Crowded, env: &Env<'_>) -> Step {
        for_crowd(&self.client, crowded, env)
    }
}

/// Has the table keep in mind that a push is on the phone which other requests of the client may
/// wait for.
pub(super) fn awaited(party: &mut Party, env: &Env<'_>) -> Option<Settlement> {
    let Party::Held(held) = party else { return None };
    let (asker, config) = (&held.asker, env.gate.config());
    let is_program = held.client == Client::Hold && !held.is_sign_out;
    let tags = tags(&asker.identity, &asker.subject(), &asker.terms, config);
    let Tags { user, client } = tags.filter(|_| is_program)?;
    let claim = Claim::await_client(user, client, asker.deadline.since(env.now));
    held.awaited = Some(claim);
    Some(Settlement { claim, end: End::Left })
}

/// Has the table forget that, since nobody hears the push any more.
pub(super) fn given_up(held: &Held) -> Option<Settlement> {
    held.awaited.map(|claim| Settlement { claim: claim.given_up(), end: End::Lost })
}

/// Lets a request go on by the approval of its client.
fn pass(
    asker: &Asker,
    mut request: Vec<Edit>,
    sign_out: Option<SignOut>,
    approval: &ClientApproval,
    env: &Env<'_>,
) -> Step {
    let (factor, since) = (approval.factor(), approval.authenticated());
    tell_application(&mut request, asker.identity.user.clone(), factor.name(), since);
    let (mut settlements, mut cookie) = (Vec::new(), None);
    if let Some(out) = sign_out {
        settlements = out.settlements;
        settlements.push(ended(&asker.identity, env.gate.config()));
        cookie = Some(NewCookie::SignedOut(out.deletions));
    }
    let step = Step::forward(Forward { request, cookie }, Counter::PassedPerClient);
    let audited = audit::passed_per_client(asker, factor, since, env);
    Step { settlements, ..step.audited(audited) }
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
    Settlement { claim: Claim::forget_clients(owner_tag(of, config)), end: End::Lost }
}
