//! The held request: preauth, then a prompt or a passcode, then Duo's decision.
//!
//! It is for programs, and for every client that sends a passcode. The request waits with its body.
//! It reaches the application only after Duo's allow, and its response then carries the approval
//! cookie.

mod states;
mod transitions;

pub(super) use states::Held;

use super::call::Question;
use super::challenge::Challenge;
use super::env::Env;
use super::event::Event;
use super::exchange::{Failure, Next, Waits};
use super::failure::{Remedy, Stage};
use super::last_prompt::{Asking, take_up};
use super::limit::{End, Granted, Limited, Settlement, Verdict};
use super::prompt::SentPasscode;
use super::refusals::{NO_PASSCODES_HERE, PASSCODES_IN_HEADER, TIMEOUT, WRONG_PASSCODE};
use super::refuse::{self, refuse_with};
use super::room::{Crowded, Seat};
use super::same_request;
use crate::assertion::RequestClaims;
use crate::clock::UnixTime;
use crate::config::DuoSettings;
use crate::duo::{AuthFactor, Credentials, DuoError, Request, Response};
use crate::http::{Client, RequestHead, ReturnPath};
use crate::session::BodyDigest;
use states::{HeldWants, Intent, Parked, Polled};
use std::sync::Arc;
use std::time::Duration;
use transitions::{
    after_last, after_verdict, approve_unverified, await_push, heard, passcode_checked, poll,
    preauthorized, prompt_sent,
};

/// Begins to ask Duo for a held request.
pub(super) fn begin(
    head: &RequestHead<'_>,
    challenge: Challenge,
    (client, credentials): (Client, Arc<Credentials>),
    env: &Env<'_>,
) -> Next<Held> {
    let parked = Box::new(Parked {
        client,
        deadline: env.now.plus(env.gate.config().api.hold_timeout),
        return_to: ReturnPath::parse(head.target),
        edits: env.gate.stripped(head),
        request: single_request(head, &challenge, env),
        same_request: same_request::tag(head, &challenge, &credentials, env.gate),
        is_sign_out: env.gate.is_sign_out(head),
        release: None,
        challenge,
        credentials,
    });
    let sent = SentPasscode::with(head);
    // Duo is not asked about another person because of a code that cannot count.
    if parked.challenge.approver().is_some() && !matches!(sent, SentPasscode::None) {
        return refuse_with(&parked, &NO_PASSCODES_HERE, "", env).into();
    }
    match sent {
        SentPasscode::None => Next::ask(Held::Preauth(parked, Intent::Prompt)),
        SentPasscode::One(passcode) => Next::ask(Held::Preauth(parked, Intent::Passcode(passcode))),
        SentPasscode::Malformed => {
            refuse_with(&parked, &WRONG_PASSCODE, "not in the form of a passcode", env).into()
        }
        SentPasscode::Several => refuse_with(&parked, &PASSCODES_IN_HEADER, "", env).into(),
    }
}

/// The request for its assertion, if its approval is for it alone. A held request's body is not
/// read.
fn single_request(
    head: &RequestHead<'_>,
    challenge: &Challenge,
    env: &Env<'_>,
) -> Option<RequestClaims> {
    let body = (!challenge.has_body).then(BodyDigest::of_none);
    let claims = || env.gate.request_claims(head, body.as_ref());
    challenge.terms.is_per_request.then(claims).flatten()
}

impl Waits for Held {
    type Wants = HeldWants;

    fn challenge(&self) -> &Challenge {
        &self.parked().challenge
    }

    fn stage(&self) -> Stage {
        match self {
            Self::Preauth(..) => Stage::Preauth,
            Self::Passcode(..) => Stage::Passcode,
            Self::Push(_) => Stage::Transaction,
            Self::Status(..) | Self::Look(_) => Stage::Status,
        }
    }

    fn question(&self, _: &Env<'_>) -> Question {
        let challenge = self.challenge();
        let request = match self {
            Self::Preauth(..) => challenge.preauth(None),
            Self::Passcode(_, passcode, _) => {
                challenge.auth(AuthFactor::Passcode(passcode.clone()))
            }
            Self::Push(asking) => challenge.auth(asking.prompt.ask.clone()),
            Self::Status(_, polled) => {
                Request::AuthStatus { txid: polled.transaction.txid.clone() }
            }
            Self::Look(look) => return look.question(),
        };
        Question::AuthApi(Arc::clone(&self.parked().credentials), request)
    }

    fn application(&self) -> usize {
        match self {
            Self::Look(look) => look.application,
            Self::Preauth(..) | Self::Passcode(..) | Self::Push(_) | Self::Status(..) => {
                self.challenge().terms.application
            }
        }
    }

    fn timeout(&self, due: UnixTime, duo: &DuoSettings, env: &Env<'_>) -> Duration {
        match self {
            Self::Status(parked, _) => duo.status_timeout.min(parked.deadline.since(due)),
            Self::Look(look) => look.timeout(duo.timeout, env),
            Self::Preauth(..) | Self::Passcode(..) | Self::Push(_) => duo.timeout,
        }
    }

    fn seat(&self, user: [u8; 16], is_first: bool) -> Seat {
        match self {
            Self::Preauth(..) if is_first => Seat::first(user, true),
            Self::Status(..) => Seat::follow(user),
            Self::Preauth(..) | Self::Passcode(..) | Self::Push(_) | Self::Look(_) => {
                Seat::go_on(user)
            }
        }
    }

    fn hear(self, event: Event<'_>, env: &Env<'_>) -> Result<Next<Self>, (Self, DuoError)> {
        match self {
            Self::Preauth(parked, intent) => match event.read(Response::preauth) {
                Ok(reply) => Ok(preauthorized(parked, intent, reply, env)),
                Err(fault) => Err((Self::Preauth(parked, intent), fault)),
            },
            Self::Passcode(parked, passcode, permit) => match event.read(Response::auth_decided) {
                Ok(status) => Ok(passcode_checked(&parked, permit, &status, env).into()),
                Err(fault) => Err((Self::Passcode(parked, passcode, permit), fault)),
            },
            Self::Push(asking) => match event.read(Response::auth_started) {
                Ok(txid) => Ok(prompt_sent(asking, txid, env)),
                Err(fault) => Err((Self::Push(asking), fault)),
            },
            Self::Status(parked, polled) => match event.read(Response::auth_status) {
                Ok(status) => Ok(heard(parked, polled, &status, env)),
                Err(fault) => Err((Self::Status(parked, polled), fault)),
            },
            Self::Look(look) => match event.read(Response::auth_status) {
                Ok(status) => {
                    let trail = look.asking.waiter.challenge.trail.clone();
                    Ok(after_last(look.heard(&status, &trail, env), env))
                }
                Err(fault) => Err((Self::Look(look), fault)),
            },
        }
    }

    fn fail(self, failure: &Failure<'_>, env: &Env<'_>) -> Next<Self> {
        let (parked, settlement) = match (self, &failure.remedy) {
            (Self::Preauth(parked, _), Remedy::Admit { unreached_since }) => {
                return approve_unverified(&parked, *unreached_since, env).into();
            }
            (Self::Look(look), _) if !failure.asks_the_time => {
                return after_last(look.unheard(failure.fault, env), env);
            }
            (Self::Status(parked, polled), Remedy::LookAgain(_)) => {
                if !parked.is_over(env.now) {
                    return poll(parked, polled, env);
                }
                (parked, Some(polled.settled(End::Left)))
            }
            (Self::Passcode(parked, _, permit), _) => {
                (parked, Some(Settlement { permit, end: failure.passcode_end() }))
            }
            (Self::Push(asking), _) => {
                let end = failure.prompt_end();
                (asking.waiter, Some(Settlement { permit: asking.permit, end }))
            }
            (Self::Preauth(parked, _) | Self::Status(parked, _), _) => (parked, None),
            (Self::Look(look), _) => (look.asking.waiter, None),
        };
        let refused = refuse::for_fault(&parked, failure.refusal(), failure.fault, env);
        refused.after(settlement).into()
    }

    fn crowd_out(self, crowded: Crowded, asks_the_time: bool, env: &Env<'_>) -> Next<Self> {
        let unsent = |permit| Settlement { permit, end: End::Unsent };
        let (parked, settlement) = match self {
            Self::Status(parked, polled) if !asks_the_time && !parked.is_over(env.now) => {
                return poll(parked, polled, env);
            }
            Self::Preauth(parked, _) | Self::Status(parked, _) => (parked, None),
            Self::Look(look) => (look.asking.waiter, None),
            Self::Passcode(parked, _, permit) => (parked, Some(unsent(permit))),
            Self::Push(asking) => (asking.waiter, Some(unsent(asking.permit))),
        };
        refuse::for_crowd(&parked, crowded, env).after(settlement).into()
    }

    fn wanted(wants: &HeldWants) -> &Challenge {
        &wants.parked().challenge
    }

    fn permitted(wants: HeldWants, verdict: Verdict, env: &Env<'_>) -> Next<Self> {
        match (wants, verdict) {
            (HeldWants::Passcode(parked, passcode, permit), Ok(Granted::New)) => {
                Next::ask(Self::Passcode(parked, passcode, permit))
            }
            (HeldWants::Passcode(parked, ..), Err(limited)) => {
                refuse::for_limit(&parked, &limited, env).into()
            }
            // The table gives no such verdict on this permit.
            (HeldWants::Passcode(parked, ..), Ok(Granted::TakeUp(_) | Granted::Approved(_)))
            | (HeldWants::Prompt(Asking { waiter: parked, .. }), Ok(Granted::Approved(_))) => {
                refuse::for_limit(&parked, &Limited::CONTENDED, env).into()
            }
            (HeldWants::Prompt(asking), Ok(Granted::New)) => Next::ask(Self::Push(asking)),
            (HeldWants::Prompt(asking), Ok(Granted::TakeUp(unheard))) => {
                let Asking { waiter: mut parked, permit, .. } = asking;
                match take_up(permit, &unheard, &parked.challenge.terms) {
                    Some((transaction, permit)) => {
                        let txid = transaction.txid.as_str().to_owned();
                        parked.challenge.trail.prompt.txid = Some(txid);
                        let awaited = await_push(&mut parked, env);
                        let polled = Polled { transaction, permit, at: env.now };
                        Next::ask(Self::Status(parked, polled)).after(awaited)
                    }
                    None => refuse_with(&parked, &TIMEOUT, "", env).into(),
                }
            }
            (HeldWants::Prompt(asking), Err(limited)) => {
                after_last(asking.stopped(limited, env), env)
            }
            (HeldWants::Approval(parked, by), verdict) => {
                after_verdict(&parked, by, &verdict, env).into()
            }
        }
    }
}
