//! The calls that a flow waits for, and what is needed to go on from each answer.

use super::Env;
use super::failure::{Stage, Tries};
use super::last::Look;
use super::party::Party;
use super::prompt::{Prompt, Transaction, user_tag};
use super::room::Seat;
use crate::duo::{AuthFactor, EnrollStatus, Request};
use crate::secret::Secret;

/// The answer that is waited for, with exactly what is needed to go on from it.
#[derive(Debug)]
pub(super) enum Expect {
    /// What may the user do?
    Preauth,
    /// Is the passcode right?
    Passcode(Secret<String>),
    /// Passcodes are to be sent by text message; were they?
    Codes(Prompt),
    /// A push or a call is asked for; under which transaction does it run?
    Transaction(Prompt),
    /// What has the user answered?
    Status(Transaction),
    /// How did the user's last prompt end? Only then may another be sent.
    Last(Box<Look>),
    /// A user is to be made at Duo; how is a device activated?
    Enroll,
    /// Was the activation code used?
    Activation(EnrollStatus),
    /// What time is it at Duo? Then the call that Duo refused for its date is made again.
    Clock(Box<Self>),
}

impl Expect {
    /// The call.
    pub(super) fn request(&self, party: &Party) -> Request {
        let asker = party.asker();
        match self {
            Self::Preauth => asker.preauth(party.device_token()),
            Self::Passcode(passcode) => asker.auth(AuthFactor::Passcode(passcode.clone())),
            Self::Codes(prompt) | Self::Transaction(prompt) => asker.auth(prompt.ask.clone()),
            Self::Status(transaction) => Request::AuthStatus { txid: transaction.txid.clone() },
            Self::Last(look) => Request::AuthStatus { txid: look.txid.clone() },
            Self::Enroll => asker.enroll(),
            Self::Activation(code) => Request::EnrollStatus(code.clone()),
            Self::Clock(_) => Request::Ping,
        }
    }

    /// The number of the Duo application that a call is for.
    pub(super) fn application(&self, party: &Party) -> usize {
        match self {
            Self::Last(look) => look.application,
            Self::Clock(waiting) => waiting.application(party),
            Self::Preauth
            | Self::Passcode(_)
            | Self::Codes(_)
            | Self::Transaction(_)
            | Self::Status(_)
            | Self::Enroll
            | Self::Activation(_) => party.asker().terms.application,
        }
    }

    /// The room that the call takes.
    pub(super) fn seat(&self, party: &Party, env: &Env<'_>) -> Seat {
        let asker = party.asker();
        let user = user_tag("calls", asker, env.gate.config());
        match (self, party) {
            (Self::Preauth | Self::Activation(_), party) if asker.tries == Tries::default() => {
                Seat::begin(user, matches!(party, Party::Held(_)))
            }
            (Self::Status(_), Party::Held(_)) => Seat::follow(user),
            (Self::Status(_), Party::Visit(visit)) => visit
                .browser()
                .map_or_else(|| Seat::begin(user, false), |sign_in| Seat::look(user, sign_in)),
            (
                Self::Preauth
                | Self::Activation(_)
                | Self::Passcode(_)
                | Self::Codes(_)
                | Self::Transaction(_)
                | Self::Last(_)
                | Self::Enroll
                | Self::Clock(_),
                _,
            ) => Seat::go_on(user),
        }
    }

    /// Which call it is, in the table of faults.
    pub(super) const fn stage(&self) -> Stage {
        match self {
            Self::Preauth => Stage::Preauth,
            Self::Passcode(_) => Stage::Passcode,
            Self::Codes(_) | Self::Transaction(_) => Stage::Transaction,
            Self::Status(_) | Self::Last(_) => Stage::Status,
            Self::Enroll => Stage::Enroll,
            Self::Activation(_) => Stage::Activation,
            Self::Clock(_) => Stage::Clock,
        }
    }
}
