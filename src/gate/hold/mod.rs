//! The held request: preauth, then a prompt or a passcode, then Duo's answer.
//!
//! For programs, and for every client that sends a passcode. The request waits, body and all; it
//! reaches the application only after Duo's allow, and its response then carries the approval
//! cookie.

mod answers;
mod states;

pub(super) use states::Held;

use super::call::Question;
use super::challenge::Challenge;
use super::env::Env;
use super::event::Event;
use super::exchange::{Failure, Next, Waits};
use super::failure::{Remedy, Stage, TIMEOUT, WRONG_PASSCODE};
use super::last_prompt::{Asking, take_up};
use super::limit::{End, Limited, Permit, Settlement, Verdict};
use super::prompt::SentPasscode;
use super::refuse::{self, refuse, refuse_with};
use super::room::{Crowded, Seat};
use super::same_request;
use crate::clock::UnixTime;
use crate::config::DuoSettings;
use crate::duo::{Answer, AuthFactor, DuoError, Request};
use crate::http::{Client, RequestHead, ReturnPath};
use crate::signal::Code;
use answers::{
    after_last, approve_unverified, claimed, heard, passcode_checked, poll, preauthorized, started,
};
use states::{HeldWants, Intent, Parked, Polled};
use std::time::Duration;

/// Begins to ask Duo for a request that waits.
pub(super) fn begin(
    head: &RequestHead<'_>,
    challenge: Challenge,
    client: Client,
    env: &Env<'_>,
) -> Next<Held> {
    let parked = Box::new(Parked {
        client,
        deadline: env.now.plus(env.gate.config().api.hold_timeout),
        return_to: ReturnPath::parse(head.target),
        edits: env.gate.stripped(head),
        same_request: same_request::tag(head, &challenge, env.gate),
        is_sign_out: env.gate.is_sign_out(head),
        challenge,
    });
    match SentPasscode::with(head) {
        SentPasscode::None => Next::ask(Held::Preauth(parked, Intent::Prompt)),
        SentPasscode::One(passcode) => Next::ask(Held::Preauth(parked, Intent::Passcode(passcode))),
        SentPasscode::Malformed => {
            refuse_with(&parked, &WRONG_PASSCODE, "not a passcode by its form", env).into()
        }
        SentPasscode::Several => {
            let detail = "More than one passcode came with the request.";
            refuse(&parked, Code::BadRequest, detail, "", env).into()
        }
    }
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
            Self::Look(look) => look.request(),
        };
        request.into()
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
            Self::Preauth(..) if is_first => Seat::begin(user, true),
            Self::Status(..) => Seat::follow(user),
            Self::Preauth(..) | Self::Passcode(..) | Self::Push(_) | Self::Look(_) => {
                Seat::go_on(user)
            }
        }
    }

    fn hear(self, event: Event<'_>, env: &Env<'_>) -> Result<Next<Self>, (Self, DuoError)> {
        match self {
            Self::Preauth(parked, intent) => match event.read(Answer::preauth) {
                Ok(reply) => Ok(preauthorized(parked, intent, reply, env)),
                Err(fault) => Err((Self::Preauth(parked, intent), fault)),
            },
            Self::Passcode(parked, passcode, claim) => match event.read(Answer::auth_decided) {
                Ok(status) => Ok(passcode_checked(&parked, claim, &status, env).into()),
                Err(fault) => Err((Self::Passcode(parked, passcode, claim), fault)),
            },
            Self::Push(asking) => match event.read(Answer::auth_started) {
                Ok(txid) => Ok(started(asking, txid, env)),
                Err(fault) => Err((Self::Push(asking), fault)),
            },
            Self::Status(parked, polled) => match event.read(Answer::auth_status) {
                Ok(status) => Ok(heard(parked, polled, &status, env)),
                Err(fault) => Err((Self::Status(parked, polled), fault)),
            },
            Self::Look(look) => match event.read(Answer::auth_status) {
                Ok(status) => {
                    let reference = look.asking.waiter.challenge.reference.clone();
                    Ok(after_last(look.heard(&status, &reference, env), env))
                }
                Err(fault) => Err((Self::Look(look), fault)),
            },
        }
    }

    fn fail(self, failure: &Failure<'_>, env: &Env<'_>) -> Next<Self> {
        let settled = match (self, &failure.remedy) {
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
                (parked, polled.settled(End::Left))
            }
            (Self::Status(parked, polled), _) => (parked, polled.given_up().into_iter().collect()),
            (Self::Passcode(parked, _, claim), _) => {
                (parked, vec![Settlement { claim, end: failure.passcode_end() }])
            }
            (Self::Push(asking), _) => {
                let end = failure.prompt_end();
                (asking.waiter, vec![Settlement { claim: asking.claim, end }])
            }
            (Self::Preauth(parked, _), _) => (parked, Vec::new()),
            (Self::Look(look), _) => (look.asking.waiter, Vec::new()),
        };
        let (parked, settlements) = settled;
        let refused = refuse::for_fault(&parked, failure.refusal(), failure.fault, env);
        refused.after(settlements).into()
    }

    fn crowd_out(self, crowded: Crowded, asks_the_time: bool, env: &Env<'_>) -> Next<Self> {
        let unsent = |claim| Settlement { claim, end: End::Unsent };
        let (parked, settlement) = match self {
            Self::Status(parked, polled) if !asks_the_time && !parked.is_over(env.now) => {
                return poll(parked, polled, env);
            }
            Self::Preauth(parked, _) => (parked, None),
            Self::Status(parked, polled) => (parked, polled.given_up()),
            Self::Look(look) => (look.asking.waiter, None),
            Self::Passcode(parked, _, claim) => (parked, Some(unsent(claim))),
            Self::Push(asking) => (asking.waiter, Some(unsent(asking.claim))),
        };
        refuse::for_crowd(&parked, crowded, env).after(settlement).into()
    }

    fn permitted(wants: HeldWants, verdict: Verdict, env: &Env<'_>) -> Next<Self> {
        match (wants, verdict) {
            (HeldWants::Passcode(parked, passcode, claim), Ok(Permit::New)) => {
                Next::ask(Self::Passcode(parked, passcode, claim))
            }
            (HeldWants::Passcode(parked, ..), Err(limited)) => {
                refuse::for_limit(&parked, &limited, env).into()
            }
            // The table answers no such claim so.
            (HeldWants::Passcode(parked, ..), Ok(Permit::TakeUp(_) | Permit::Approved(_)))
            | (HeldWants::Prompt(Asking { waiter: parked, .. }), Ok(Permit::Approved(_))) => {
                refuse::for_limit(&parked, &Limited::CONTENDED, env).into()
            }
            (HeldWants::Prompt(asking), Ok(Permit::New)) => Next::ask(Self::Push(asking)),
            (HeldWants::Prompt(asking), Ok(Permit::TakeUp(unheard))) => {
                let Asking { waiter: parked, claim, .. } = asking;
                match take_up(claim, &unheard, &parked.challenge.terms) {
                    Some((transaction, claim)) => {
                        let polled = Polled { transaction, claim, awaited: None, at: env.now };
                        Next::ask(Self::Status(parked, polled))
                    }
                    None => refuse_with(&parked, &TIMEOUT, "", env).into(),
                }
            }
            (HeldWants::Prompt(asking), Err(limited)) => {
                after_last(asking.stopped(limited, env), env)
            }
            (HeldWants::Approval(parked, factor), verdict) => {
                claimed(&parked, factor, &verdict, env).into()
            }
        }
    }
}
