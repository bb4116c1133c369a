//! Approvals per client (`"approval": {"per": "client", "for": "5m"}`), for programs that store no
//! cookies.
//!
//! After a user has satisfied the second factor under such a rule, the table stores that for a
//! while, together with the values of `session.bind`. Further requests of the same user and client
//! under the same rule pass with it. They set no cookie, so the time is never extended.
//!
//! A program may send many requests at once. The first one records in the table that it waits for an
//! approval, before Duo is asked. The others wait for its end, and ring no phone.
//!
//! Only requests of programs pass this way. A browser stores cookies, and a page of another site
//! could make it send requests in its user's name.

use super::assertion::Proof;
use super::audit;
use super::call::POLL_PACE;
use super::challenge::Challenge;
use super::decision::{Decision, Forward, NewCookie};
use super::env::Env;
use super::factors::{is_accepted, offered};
use super::headers::{ForwardedAs, add_identity_headers};
use super::in_place::InPlace;
use super::limit::{ClientApproval, End, Granted, Limit, Permit, Settlement, Verdict};
use super::prompt::{SentPasscode, name_tag, user_tag};
use super::refuse::for_limit;
use super::room::Seat;
use super::sign_out::SignOut;
use crate::clock::UnixTime;
use crate::config::{ApiMode, Config, Mode};
use crate::http::hints::Hints;
use crate::http::{Client, Edit, RequestHead};
use crate::identity::Identity;
use crate::policy::Terms;
use crate::session::{ApprovedBy, Subject};
use crate::signal::Counter;
use std::time::Duration;

/// How many calls may be made before the push is sent: `preauth` and `auth`, and each once more. If
/// the worker of the first request ends meanwhile, the others wait no longer than these may take.
const CALLS_TO_PUSH: u32 = 4;

/// A program's request, before it is known whether its client has an approval.
#[derive(Debug)]
pub(super) struct Recall {
    pub(super) client: InPlace,
    tags: Tags,
    /// For how long other requests of the client may wait for this one to ring the phone; `None` if
    /// they must not.
    claim: Option<Duration>,
    /// Until when the request may wait for the push of another one; `None` if it must not wait.
    until: Option<UnixTime>,
    /// The edits of the request if it passes.
    edits: Vec<Edit>,
    /// The changes that the request makes if it is a sign-out.
    sign_out: Option<SignOut>,
}

/// The next step after the verdict of the table.
pub(super) enum Recalled {
    Decided(Box<Decision>),
    /// Another request of the client waits for an approval: look again later.
    Wait {
        due: UnixTime,
        seat: Seat,
        recall: Box<Recall>,
    },
    /// There is no approval that satisfies the rule: ask the user.
    Ask {
        /// Ends the wait of the client's other requests; `None` if they do not wait for this one.
        release: Option<Settlement>,
    },
}

/// The tags under which an approval is stored.
#[derive(Clone, Copy, Debug)]
struct Tags {
    user: [u8; 16],
    /// The client under this rule.
    client: [u8; 16],
}

impl Tags {
    /// The change that ends the wait of the client's other requests.
    const fn release(&self) -> Settlement {
        let permit = Permit::release_client(self.user, self.client);
        Settlement { permit, end: End::Lost }
    }
}

/// `None` if the rule has no such approvals, or nothing distinguishes the client from others.
fn tags(of: &Identity, subject: &Subject<'_>, terms: &Terms, config: &Config) -> Option<Tags> {
    let rule = terms.per_client?.rule;
    let application = config.applications.under(terms);
    let on_client = application.sessions.client(subject)?;
    let offered = offered(terms, &application.duo)
        .iter()
        .map(|factor| factor.name())
        .collect::<Vec<_>>()
        .join(",");
    let parts = [on_client.as_slice(), &rule, offered.as_bytes()];
    let client = application.duo.shared_key().tag("client", &parts);
    Some(Tags { user: owner_tag(of, config), client })
}

/// One tag for all names that Duo takes for the same user, so that a sign-out under any of them
/// finds all approvals.
fn owner_tag(of: &Identity, config: &Config) -> [u8; 16] {
    name_tag("clients", of, config)
}

/// The approval per client to look for; `None` if the rule has no such approvals, or the client is
/// not a program.
pub(super) fn recall(
    head: &RequestHead<'_>,
    challenge: &Challenge,
    env: &Env<'_>,
) -> Option<Recall> {
    let config = env.gate.config();
    let Challenge { identity, terms, .. } = challenge;
    let tags = tags(identity, &challenge.subject(), terms, config);
    let tags = tags.filter(|_| is_program(head))?;
    let is_sign_out = env.gate.is_sign_out(head);
    let may_wait = may_wait(head, terms, env) && !is_sign_out;
    let subject = challenge.subject();
    let may_hold = config.api.hold_timeout;
    let to_push = env.gate.application(terms).duo.timeout.saturating_mul(CALLS_TO_PUSH);
    Some(Recall {
        client: InPlace::new(head, challenge.clone()),
        tags,
        claim: may_wait.then(|| to_push.min(may_hold)),
        until: may_wait.then(|| env.now.plus(may_hold)),
        edits: env.gate.stripped(head),
        sign_out: is_sign_out.then(|| SignOut::of(config, head, Some(&subject), env.now)),
    })
}

/// Whether a program sent the request. It would be held, or is an upgrade or gRPC.
fn is_program(head: &RequestHead<'_>) -> bool {
    let hints = Hints { upgrade: None, content_type: None, ..head.hints() };
    Client::of(&hints) == Client::Hold
}

impl Recall {
    /// The permit to pass with an approval of the client, or to obtain one.
    pub(super) const fn permit(&self) -> Permit {
        Permit::find_client(self.tags.user, self.tags.client, self.claim)
    }

    /// The same if no other request may wait for this one.
    pub(super) fn alone(self) -> Self {
        Self { claim: None, ..self }
    }

    /// Handles the verdict of the table.
    pub(super) fn after_verdict(self, verdict: Verdict, env: &Env<'_>) -> Recalled {
        let challenge = &self.client.challenge;
        match (verdict, self.until) {
            (Ok(Granted::New), _) => Recalled::Ask { release: Some(self.tags.release()) },
            (Ok(Granted::Approved(approval)), _) if opens(&approval, &challenge.terms, env) => {
                Recalled::Decided(Box::new(pass(self, &approval, env)))
            }
            (Err(limited), Some(until)) if limited.limit == Limit::Awaited => {
                if until <= env.now {
                    let refused = for_limit(&self.client, &limited, env);
                    return Recalled::Decided(Box::new(refused));
                }
                let seat = Seat::wait(user_tag("calls", challenge, env.gate.config()));
                let due = env.now.plus(POLL_PACE).min(until);
                // If that request fails, all that waited go on at once, and not one after the other.
                Recalled::Wait { due, seat, recall: Box::new(self.alone()) }
            }
            (Ok(_) | Err(_), _) => Recalled::Ask { release: None },
        }
    }
}

/// Whether a request may wait for the push of another one. It may if it would be held itself.
fn may_wait(head: &RequestHead<'_>, terms: &Terms, env: &Env<'_>) -> bool {
    env.gate.config().mode == Mode::Enforce
        && env.gate.api_mode(terms) == ApiMode::Hold
        && Client::of(&head.hints()) == Client::Hold
        && matches!(SentPasscode::with(head), SentPasscode::None)
}

/// The change that lets other requests of the client wait for the push of a held program, and the
/// one that ends their wait. `None` if the rule has no approvals per client.
pub(super) fn awaited(
    challenge: &Challenge,
    lasts: Duration,
    config: &Config,
) -> Option<(Settlement, Settlement)> {
    let Challenge { identity, terms, .. } = challenge;
    let tags = tags(identity, &challenge.subject(), terms, config)?;
    let permit = Permit::await_client(tags.user, tags.client, lasts);
    Some((Settlement { permit, end: End::Left }, tags.release()))
}

/// Forwards a request with the approval of its client.
fn pass(recall: Recall, approval: &ClientApproval, env: &Env<'_>) -> Decision {
    let Recall { client, tags, edits: mut request, sign_out, .. } = recall;
    let challenge = &client.challenge;
    let (by, since) = (approval.by(), approval.authenticated());
    let user = challenge.identity.user.clone();
    add_identity_headers(&mut request, ForwardedAs::Passed, user, by.name(), since);
    let mut id = [0; 24];
    let (tag, time) = id.split_at_mut(16);
    tag.copy_from_slice(&tags.client);
    time.copy_from_slice(&since.seconds().to_be_bytes());
    let ends = Some(approval.ends());
    let proof = Proof { ends, ..Proof::of(challenge, (by, since), &id) };
    request.extend(env.gate.new_assertion(&proof, env.now));
    let (mut settlements, mut cookie, mut line) = (Vec::new(), None, None);
    if let Some(out) = sign_out {
        settlements = out.settlements;
        settlements.push(ended(&challenge.identity, env.gate.config()));
        cookie = Some(NewCookie::SignedOut(out.deletions));
        line = Some(audit::signed_out(Some(&challenge.identity), &challenge.trail, env));
    }
    let audited = audit::passed_per_client(challenge, by, since, env);
    let decision = Decision::forward(Forward { request, cookie }, Counter::PassedPerClient);
    decision.audited(audited).after(settlements).with(line)
}

/// Whether an approval satisfies the present terms and settings.
fn opens(approval: &ClientApproval, terms: &Terms, env: &Env<'_>) -> bool {
    let since = approval.authenticated();
    let is_young = |max_age| env.now.since(since) <= max_age;
    is_accepted(approval.by(), terms)
        && terms.max_age.is_none_or(is_young)
        && env.gate.application(terms).sessions.counts(since, env.now)
}

/// The change that stores a second factor in the table; `None` if the rule has no such approvals.
pub(super) fn kept(
    challenge: &Challenge,
    by: ApprovedBy,
    since: UnixTime,
    config: &Config,
) -> Option<Settlement> {
    let lasts = challenge.terms.per_client?.lasts;
    let approval = ClientApproval::new(by, since, lasts)?;
    let Challenge { identity, terms, .. } = challenge;
    let Tags { user, client } = tags(identity, &challenge.subject(), terms, config)?;
    let permit = Permit::keep_client(user, client, approval);
    is_accepted(by, terms).then_some(Settlement { permit, end: End::Allowed })
}

/// The change that ends all approvals per client of a user, from any configuration of this Envoy.
pub(super) fn ended(of: &Identity, config: &Config) -> Settlement {
    Settlement { permit: Permit::forget_clients(owner_tag(of, config)), end: End::Lost }
}
