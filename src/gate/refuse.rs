//! Refusals: the reply, its counter and its audit line in one step.

use super::audit;
use super::challenge::Challenge;
use super::configured::Gate;
use super::decision::Decision;
use super::env::Env;
use super::failure::{NO_RANDOMNESS, Refusal, TIMEOUT};
use super::limit::{Limit, Limited};
use super::prompt::Ending;
use super::request_line::reference;
use super::room::{By, Crowded};
use super::rules::Denial;
use super::view::{Requester, View};
use crate::duo::{DuoError, Fault, Status};
use crate::http::{Reply, RequestHead};
use crate::page::{Onward, Problem};
use crate::signal::{Code, Level, Signal};
use std::time::Duration;

/// A client that can be refused, in the form that suits it.
pub(super) trait Refusable {
    fn challenge(&self) -> &Challenge;
    fn refusal(&self, problem: &Problem, env: &Env<'_>) -> Reply;
}

impl<T: Refusable> Refusable for Box<T> {
    fn challenge(&self) -> &Challenge {
        (**self).challenge()
    }

    fn refusal(&self, problem: &Problem, env: &Env<'_>) -> Reply {
        (**self).refusal(problem, env)
    }
}

/// Refuses another prompt, passcode or use that would exceed a limit.
pub(super) fn for_limit(to: &dyn Refusable, limited: &Limited, env: &Env<'_>) -> Decision {
    let (code, detail) = match limited.limit {
        Limit::Pending | Limit::Awaited => (
            Code::PendingElsewhere,
            "Another sign-in of this user is waiting for an answer on the device.",
        ),
        Limit::Passcodes => (Code::TooManyRequests, "There were too many incorrect passcodes."),
        Limit::Share => {
            (Code::TooManyRequests, "This user has used too many approvals of single requests.")
        }
        Limit::CoolDown
        | Limit::Budget
        | Limit::Used
        | Limit::Unapproved
        | Limit::NoRoom
        | Limit::Unreadable
        | Limit::Contended => (
            Code::TooManyRequests,
            "This user gets no further prompt for a while. Retry-After says how long.",
        ),
    };
    let refusal = Refusal { code, detail, retry_after: Some(limited.wait) };
    refuse_with(to, &refusal, limited.limit.name(), env)
}

/// Refuses for lack of room for a call: the user's clients make too many, or all clients together.
pub(super) fn for_crowd(to: &dyn Refusable, crowded: Crowded, env: &Env<'_>) -> Decision {
    let (code, detail) = match crowded.by {
        By::UserCalls | By::UserRate => (
            Code::TooManyRequests,
            "Too many requests of this user are waiting for Duo. Send fewer at once, and keep \
             the approval cookie. Retry-After says when to try again.",
        ),
        By::SignIn | By::Calls | By::Held => (
            Code::Overloaded,
            "This proxy has no room for another call to Duo at the moment. Try again shortly.",
        ),
    };
    let refusal = Refusal { code, detail, retry_after: Some(crowded.wait) };
    let reason = format!("limits.{} is reached", crowded.by.name());
    refuse_with(to, &refusal, &reason, env)
}

/// Refuses after a call without a usable response. The reason goes to the audit line.
pub(super) fn for_fault(
    to: &dyn Refusable,
    refusal: &Refusal,
    fault: &DuoError,
    env: &Env<'_>,
) -> Decision {
    let reason = match fault.hint() {
        Some(hint) => format!("{fault}; {hint}"),
        None => fault.to_string(),
    };
    if refusal.code == Code::FactorRefused {
        let refused = refuse(to, refusal.code, &fault.words(), &reason, env);
        let is_ours = fault.fault() != Fault::User;
        let line = || Signal::Log(Level::Warn, format!("{fault}; the filter sent that value"));
        return refused.with(is_ours.then(line));
    }
    refuse_with(to, refusal, &reason, env)
}

/// Refuses since the host has no random bytes, without which nothing can be begun or approved.
pub(super) fn refuse_without_randomness(to: &dyn Refusable, env: &Env<'_>) -> Decision {
    refuse_with(to, &NO_RANDOMNESS, "the host has no random bytes", env)
}

/// Refuses since Duo has not allowed the request.
pub(super) fn refuse_status(to: &dyn Refusable, status: &Status, env: &Env<'_>) -> Decision {
    let (code, detail) = match Ending::of(status) {
        Ending::TimedOut => return refuse_with(to, &TIMEOUT, status.as_str(), env),
        Ending::Fraud => (
            Code::MfaFraud,
            "The request was reported as fraud. Your administrator has been notified.",
        ),
        Ending::LockedOut => {
            (Code::MfaLockedOut, "The account is locked after failed attempts. Ask your help desk.")
        }
        Ending::CodesSent | Ending::Denied => {
            (Code::MfaDenied, "The request was denied on the device.")
        }
    };
    refuse(to, code, detail, status.as_str(), env)
}

/// A refusal with a text from the table of faults.
pub(super) fn refuse_with(
    to: &dyn Refusable,
    refusal: &Refusal,
    reason: &str,
    env: &Env<'_>,
) -> Decision {
    send(to, refusal.code, (refusal.detail, refusal.retry_after), reason, env)
}

/// A refusal with its own text; `reason` is only for the audit line.
pub(super) fn refuse(
    to: &dyn Refusable,
    code: Code,
    detail: &str,
    reason: &str,
    env: &Env<'_>,
) -> Decision {
    send(to, code, (detail, None), reason, env)
}

fn send(
    to: &dyn Refusable,
    code: Code,
    (detail, retry_after): (&str, Option<Duration>),
    reason: &str,
    env: &Env<'_>,
) -> Decision {
    let reference = to.challenge().reference.clone();
    let problem = Problem { code, detail: detail.to_owned(), reference, retry_after };
    let line = audit::refused(to.challenge(), code, reason, env.gate);
    Decision::refusal(to.refusal(&problem, env), code, Some(line))
}

/// A refusal before the challenge is known.
pub(super) fn denied(gate: &Gate, head: &RequestHead<'_>, denial: &Denial) -> Decision {
    let Denial { code, ref detail, rule } = *denial;
    let reference = reference(head);
    let line = audit::refused_at_once(head, code, rule);
    let problem = Problem { code, detail: detail.clone(), reference, retry_after: None };
    let view = View::in_place(head);
    // The page's script shows this one to the user.
    let problem = if code == Code::HttpsRequired { view.localised(&problem) } else { problem };
    let requester = Requester { challenge: None, reference: &problem.reference };
    let reply = view.refusal(&problem, Onward::default(), requester, gate.config());
    Decision::refusal(reply, code, Some(line))
}
