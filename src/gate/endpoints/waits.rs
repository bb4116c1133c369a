//! How a request to an endpoint continues after each response of Duo.

use super::visit::{Following, OpenedSignIn, Visit, VisitWants};
use super::{approve, auth, callback, enroll, preauth, start, status};
use crate::clock::UnixTime;
use crate::config::DuoSettings;
use crate::duo::{AuthFactor, DuoError, Request, Response};
use crate::gate::call::Question;
use crate::gate::challenge::Challenge;
use crate::gate::decision::Notes;
use crate::gate::env::Env;
use crate::gate::event::Event;
use crate::gate::exchange::{Failure, Next, Waits};
use crate::gate::failure::{Remedy, Stage};
use crate::gate::last_prompt::{Asking, Then};
use crate::gate::limit::{End, Granted, Limited, Settlement, Verdict};
use crate::gate::refusals::TIMEOUT;
use crate::gate::refuse::{self, refuse_with};
use crate::gate::room::{By, Crowded, Seat};
use crate::session::Pending;
use crate::signal::Code;
use std::time::Duration;

impl Waits for Visit {
    type Wants = VisitWants;

    fn challenge(&self) -> &Challenge {
        &self.caller().challenge
    }

    fn stage(&self) -> Stage {
        match self {
            Self::Preauth(..) => Stage::Preauth,
            Self::Passcode(..) => Stage::Passcode,
            Self::Codes(_) | Self::Push(_) => Stage::Transaction,
            Self::Look(_) | Self::Status(..) => Stage::Status,
            Self::Enroll(_) => Stage::Enroll,
            Self::Activation(..) => Stage::Activation,
            Self::HealthCheck(_) => Stage::HealthCheck,
            Self::Token(_) => Stage::Token,
        }
    }

    fn question(&self, env: &Env<'_>) -> Question {
        let challenge = self.challenge();
        let (caller, request) = match self {
            Self::Preauth(caller, _) => (caller, challenge.preauth(caller.device_token.clone())),
            Self::Passcode(caller, passcode, _) => {
                (caller, challenge.auth(AuthFactor::Passcode(passcode.clone())))
            }
            Self::Codes(asking) | Self::Push(asking) => {
                (&asking.waiter.caller, challenge.auth(asking.prompt.ask.clone()))
            }
            Self::Status(caller, following) => {
                (caller, Request::AuthStatus { txid: following.transaction.txid.clone() })
            }
            Self::Enroll(caller) => (caller, challenge.enroll()),
            Self::Activation(caller, code) => (caller, Request::EnrollStatus(code.clone())),
            Self::Look(look) => return look.question(),
            Self::HealthCheck(departure) => {
                return Question::HealthCheck(departure.web_sdk.clone(), env.jti());
            }
            Self::Token(back) => {
                let (code, redirect_uri) = (back.code.clone(), back.redirect_uri.clone());
                return Question::Token(back.web_sdk.clone(), code, redirect_uri, env.jti());
            }
        };
        caller.question(request)
    }

    fn application(&self) -> usize {
        match self {
            Self::Look(look) => look.application,
            Self::Preauth(..)
            | Self::Passcode(..)
            | Self::Codes(_)
            | Self::Push(_)
            | Self::Status(..)
            | Self::Enroll(_)
            | Self::Activation(..)
            | Self::HealthCheck(_)
            | Self::Token(_) => self.challenge().terms.application,
        }
    }

    fn timeout(&self, due: UnixTime, duo: &DuoSettings, env: &Env<'_>) -> Duration {
        match self {
            Self::Status(caller, _) => duo.status_timeout.min(caller.patience(due, env)),
            Self::Look(look) => look.timeout(duo.timeout, env),
            Self::Preauth(..)
            | Self::Passcode(..)
            | Self::Codes(_)
            | Self::Push(_)
            | Self::Enroll(_)
            | Self::Activation(..)
            | Self::HealthCheck(_)
            | Self::Token(_) => duo.timeout,
        }
    }

    fn seat(&self, user: [u8; 16], is_first: bool) -> Seat {
        match self {
            Self::Preauth(..) | Self::Activation(..) | Self::HealthCheck(_) if is_first => {
                Seat::first(user, false)
            }
            Self::Status(caller, _) => match caller.pending.as_ref().map(Pending::browser) {
                Some(sign_in) => Seat::look(user, sign_in),
                None => Seat::first(user, false),
            },
            Self::Preauth(..)
            | Self::Activation(..)
            | Self::Passcode(..)
            | Self::Codes(_)
            | Self::Push(_)
            | Self::Look(_)
            | Self::Enroll(_)
            | Self::HealthCheck(_)
            | Self::Token(_) => Seat::go_on(user),
        }
    }

    fn hear(self, event: Event<'_>, env: &Env<'_>) -> Result<Next<Self>, (Self, DuoError)> {
        match self {
            Self::Preauth(caller, wanted) => match event.read(Response::preauth) {
                Ok(reply) => Ok(preauth::answered(caller, wanted, reply, env)),
                Err(fault) => Err((Self::Preauth(caller, wanted), fault)),
            },
            Self::Passcode(caller, passcode, permit) => match event.read(Response::auth_decided) {
                Ok(status) => Ok(auth::passcode_checked(caller, permit, &status, env).into()),
                Err(fault) => Err((Self::Passcode(caller, passcode, permit), fault)),
            },
            Self::Codes(asking) => match event.read(Response::auth_decided) {
                Ok(status) => Ok(auth::codes_sent(asking, &status, env).into()),
                Err(fault) => Err((Self::Codes(asking), fault)),
            },
            Self::Push(asking) => match event.read(Response::auth_started) {
                Ok(txid) => Ok(auth::prompt_sent(asking, txid, env).into()),
                Err(fault) => Err((Self::Push(asking), fault)),
            },
            Self::Look(look) => match event.read(Response::auth_status) {
                Ok(status) => {
                    let trail = look.asking.waiter.caller.challenge.trail.clone();
                    Ok(after_last(look.heard(&status, &trail, env), env))
                }
                Err(fault) => Err((Self::Look(look), fault)),
            },
            Self::Status(caller, following) => match event.read(Response::auth_status) {
                Ok(status) => Ok(status::heard(caller, &following, &status, env)),
                Err(fault) => Err((Self::Status(caller, following), fault)),
            },
            Self::Enroll(caller) => match event.read(Response::enroll) {
                Ok(enrollment) => Ok(enroll::enrolled(caller.caller, &enrollment, env).into()),
                Err(fault) => Err((Self::Enroll(caller), fault)),
            },
            Self::Activation(caller, code) => match event.read(Response::enroll_status) {
                Ok(state) => Ok(enroll::activated(caller.caller, state, env).into()),
                Err(fault) => Err((Self::Activation(caller, code), fault)),
            },
            Self::HealthCheck(departure) => start::heard(departure, event, env)
                .map_err(|(departure, fault)| (Self::HealthCheck(departure), fault)),
            Self::Token(back) => callback::heard(back, event, env)
                .map_err(|(back, fault)| (Self::Token(back), fault)),
        }
    }

    fn fail(self, failure: &Failure<'_>, env: &Env<'_>) -> Next<Self> {
        let (caller, settlement) = match (self, &failure.remedy) {
            (Self::Preauth(caller, wanted), Remedy::Admit { unreached_since }) => {
                return approve::unverified(caller.caller, &wanted, *unreached_since, env).into();
            }
            (Self::HealthCheck(departure), Remedy::Admit { unreached_since }) => {
                let unsent = departure.unsent();
                let admitted = approve::unverified_start(departure.caller, *unreached_since, env);
                return admitted.after([unsent]).into();
            }
            (Self::HealthCheck(departure), _) => {
                let unsent = departure.unsent();
                (departure.caller, Some(unsent))
            }
            (Self::Token(back), _) => (back.caller, None),
            (Self::Look(look), _) if !failure.asks_the_time => {
                return after_last(look.unheard(failure.fault, env), env);
            }
            (Self::Status(caller, Following { transaction, permit }), Remedy::LookAgain(late)) => {
                // The client polls again with its next request.
                if !caller.is_over(env) || *late == TIMEOUT {
                    return status::saw_nothing(caller.caller, transaction.factor, env).into();
                }
                (caller.caller, Some(Settlement { permit, end: End::Left }))
            }
            (Self::Passcode(mut caller, _, permit), _) => {
                if failure.refusal().code == Code::PasscodeIncorrect {
                    auth::count_try(&mut caller, env);
                }
                (caller.caller, Some(Settlement { permit, end: failure.passcode_end() }))
            }
            (Self::Codes(asking) | Self::Push(asking), _) => {
                let end = failure.prompt_end();
                (asking.waiter.caller.caller, Some(Settlement { permit: asking.permit, end }))
            }
            (Self::Look(look), _) => (look.asking.waiter.caller.caller, None),
            (
                Self::Preauth(caller, _)
                | Self::Status(caller, _)
                | Self::Enroll(caller)
                | Self::Activation(caller, _),
                _,
            ) => (caller.caller, None),
        };
        let refused = refuse::for_fault(&caller, failure.refusal(), failure.fault, env);
        refused.after(settlement).into()
    }

    fn crowd_out(self, crowded: Crowded, asks_the_time: bool, env: &Env<'_>) -> Next<Self> {
        let is_users = matches!(crowded.by, By::UserCalls | By::UserRate);
        let (caller, unsent) = match self {
            Self::Status(caller, following)
                if !asks_the_time && !is_users && !caller.is_over(env) =>
            {
                return status::saw_nothing(caller.caller, following.transaction.factor, env)
                    .into();
            }
            Self::Passcode(caller, _, permit) => (caller.caller, Some(permit)),
            Self::Codes(asking) | Self::Push(asking) => {
                (asking.waiter.caller.caller, Some(asking.permit))
            }
            Self::Look(look) => (look.asking.waiter.caller.caller, None),
            Self::HealthCheck(departure) => (departure.caller, Some(departure.permit)),
            Self::Token(back) => (back.caller, None),
            Self::Preauth(caller, _)
            | Self::Status(caller, _)
            | Self::Enroll(caller)
            | Self::Activation(caller, _) => (caller.caller, None),
        };
        let unsent = unsent.map(|permit| Settlement { permit, end: End::Unsent });
        refuse::for_crowd(&caller, crowded, env).after(unsent).into()
    }

    fn wanted(wants: &VisitWants) -> &Challenge {
        let caller = match wants {
            VisitWants::Passcode(caller, ..) => &caller.caller,
            VisitWants::Prompt(asking) => &asking.waiter.caller.caller,
            VisitWants::Approval(allowed) => &allowed.caller,
            VisitWants::Departure(departure) => &departure.caller,
            VisitWants::Return(back) => &back.caller,
        };
        &caller.challenge
    }

    fn permitted(wants: VisitWants, verdict: Verdict, env: &Env<'_>) -> Next<Self> {
        match (wants, verdict) {
            (VisitWants::Passcode(caller, passcode, permit), Ok(Granted::New)) => {
                Next::ask(Self::Passcode(caller, passcode, permit))
            }
            (VisitWants::Passcode(caller, ..), Err(limited)) => {
                refuse::for_limit(&caller, &limited, env).into()
            }
            (VisitWants::Prompt(asking), Ok(Granted::New)) => {
                let is_text = matches!(asking.prompt.ask, AuthFactor::Sms { .. });
                Next::ask(if is_text { Self::Codes(asking) } else { Self::Push(asking) })
            }
            // The table gives no such verdict on this permit.
            (VisitWants::Passcode(caller, ..), Ok(Granted::TakeUp(_) | Granted::Approved(_)))
            | (
                VisitWants::Prompt(Asking { waiter: OpenedSignIn { caller, .. }, .. }),
                Ok(Granted::Approved(_)),
            ) => refuse::for_limit(&caller, &Limited::CONTENDED, env).into(),
            // Only a held request takes up a prompt.
            (VisitWants::Prompt(asking), Ok(Granted::TakeUp(_))) => {
                refuse_with(&asking.waiter.caller, &TIMEOUT, "", env).into()
            }
            (VisitWants::Prompt(asking), Err(limited)) => {
                after_last(asking.stopped(limited, env), env)
            }
            (VisitWants::Approval(allowed), verdict) => {
                approve::after_verdict(allowed, &verdict, env).into()
            }
            (VisitWants::Departure(departure), verdict) => {
                start::after_verdict(departure, &verdict, env)
            }
            (VisitWants::Return(back), verdict) => callback::after_verdict(back, &verdict, env),
        }
    }
}

/// Continues from the user's last prompt.
fn after_last((then, notes): (Then<OpenedSignIn>, Notes), env: &Env<'_>) -> Next<Visit> {
    let next = match then {
        Then::Look(look) => Next::ask(Visit::Look(look)),
        Then::Permit(asking) => Next::permit(asking.permit, VisitWants::Prompt(asking)),
        Then::Refuse(OpenedSignIn { caller, .. }, limited) => {
            refuse::for_limit(&caller, &limited, env).into()
        }
    };
    next.noting(notes)
}
