//! Whom Duo's answer is for: a request that is held, or a visit to an address of the filter's own.

use super::asker::Asker;
use super::expect::Expect;
use super::failure::UNKNOWN_USER;
use super::flow;
use super::hold::{self, Held};
use super::prompt::Transaction;
use super::refuse::{refuse_status, refuse_with};
use super::visit::Visit;
use super::{Env, Step};
use crate::clock::UnixTime;
use crate::duo::{AuthStatus, Enrollment, EnrollmentState, PreauthReply};
use crate::http::Reply;
use crate::page::Problem;
use crate::secret::Secret;
use std::time::Duration;

/// Somebody who gets a refusal in a form that suits them.
pub(super) trait Recipient {
    fn asker(&self) -> &Asker;
    fn refusal(&self, problem: &Problem, env: &Env<'_>) -> Reply;
}

/// The two that wait for Duo.
#[derive(Debug)]
pub(super) enum Party {
    /// A request to the application: it is forwarded in the end, or refused.
    Held(Box<Held>),
    /// A request to the filter itself: it is answered, never forwarded.
    Visit(Box<Visit>),
}

impl Party {
    pub(super) fn asker(&self) -> &Asker {
        match self {
            Self::Held(held) => &held.asker,
            Self::Visit(visit) => &visit.asker,
        }
    }

    pub(super) fn asker_mut(&mut self) -> &mut Asker {
        match self {
            Self::Held(held) => &mut held.asker,
            Self::Visit(visit) => &mut visit.asker,
        }
    }

    /// What Duo gave this browser for a device that it is to remember.
    pub(super) fn device_token(&self) -> Option<Secret<String>> {
        match self {
            Self::Held(_) => None,
            Self::Visit(visit) => visit.device_token.clone(),
        }
    }

    /// The longest that a look at a transaction may take from `now` on.
    pub(super) fn patience(&self, now: UnixTime) -> Duration {
        match self {
            Self::Held(held) => held.asker.deadline.since(now),
            Self::Visit(visit) => visit.patience(now),
        }
    }

    pub(super) fn preauthorized(self, reply: PreauthReply, env: &Env<'_>) -> Step {
        match self {
            Self::Held(held) => hold::preauthorized(*held, reply, env),
            Self::Visit(visit) => visit.preauthorized(reply, env),
        }
    }

    /// Duo cannot be reached, and that is to let them in.
    pub(super) fn unverified(self, env: &Env<'_>) -> Step {
        match self {
            Self::Held(held) => hold::unverified(&held, env),
            Self::Visit(visit) => visit.unverified(env),
        }
    }

    pub(super) fn passcode_checked(self, status: &AuthStatus, env: &Env<'_>) -> Step {
        match self {
            Self::Held(held) => hold::passcode_checked(&held, status, env),
            Self::Visit(visit) => visit.passcode_checked(status, env),
        }
    }

    /// Duo has refused a passcode.
    pub(super) fn count_try(&mut self, env: &Env<'_>) {
        match self {
            Self::Held(_) => {}
            Self::Visit(visit) => visit.count_try(env),
        }
    }

    pub(super) fn codes_sent(self, status: &AuthStatus, env: &Env<'_>) -> Step {
        match self {
            // A program could not read them out; none is sent for it.
            Self::Held(held) => refuse_status(held.as_ref(), &status.status, env),
            Self::Visit(visit) => visit.codes_sent(status, env),
        }
    }

    pub(super) fn started(self, transaction: Transaction, env: &Env<'_>) -> Step {
        match self {
            Self::Held(held) => flow::send(*held, Expect::Status(transaction), env),
            Self::Visit(visit) => visit.started(&transaction, env),
        }
    }

    pub(super) fn polled(
        self,
        transaction: Transaction,
        status: &AuthStatus,
        env: &Env<'_>,
    ) -> Step {
        match self {
            Self::Held(held) => hold::polled(*held, transaction, status, env),
            Self::Visit(visit) => visit.polled(&transaction, status, env),
        }
    }

    pub(super) fn enrolled(self, enrollment: &Enrollment, env: &Env<'_>) -> Step {
        match self {
            // A program could not show the code; nobody is enrolled for it.
            Self::Held(held) => refuse_with(held.as_ref(), &UNKNOWN_USER, "", env),
            Self::Visit(visit) => visit.enrolled(enrollment, env),
        }
    }

    pub(super) fn activated(self, state: EnrollmentState, env: &Env<'_>) -> Step {
        match self {
            Self::Held(held) => refuse_with(held.as_ref(), &UNKNOWN_USER, "", env),
            Self::Visit(visit) => visit.activated(state, env),
        }
    }
}

impl Recipient for Party {
    fn asker(&self) -> &Asker {
        self.asker()
    }

    fn refusal(&self, problem: &Problem, env: &Env<'_>) -> Reply {
        match self {
            Self::Held(held) => held.refusal(problem, env),
            Self::Visit(visit) => visit.refusal(problem, env),
        }
    }
}
