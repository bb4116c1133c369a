//! Refusals: the answer, its count and its audit line in one step.

use super::audit::{self, Audited};
use super::failure::{NO_RANDOMNESS, Refusal, TIMEOUT};
use super::limit::{Limit, Limited};
use super::party::Recipient;
use super::prompt::Ending;
use super::room::{By, Crowded};
use super::{Env, Judgement, Outcome, Step};
use crate::duo::{DuoError, Fault, Status};
use crate::http::Reply;
use crate::page::Problem;
use crate::signal::{Code, Counter, Level, Signal};
use std::time::Duration;

/// Another prompt or passcode would be one too many.
pub(super) fn for_limit(to: &impl Recipient, limited: &Limited, env: &Env<'_>) -> Step {
    let (code, detail) = match limited.limit {
        Limit::Pending | Limit::Awaited => (
            Code::PendingElsewhere,
            "Another sign-in of this user waits for an answer on the device.",
        ),
        Limit::Passcodes => (Code::TooManyRequests, "Too many passcodes were not right."),
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
            "No other prompt is sent to this user for a while: Retry-After says how long.",
        ),
    };
    let refusal = Refusal { code, detail, retry_after: Some(limited.wait) };
    refuse_with(to, &refusal, limited.limit.name(), env)
}

/// There is no room for a call: the user's clients make too many, or all clients together do.
pub(super) fn for_crowd(to: &impl Recipient, crowded: Crowded, env: &Env<'_>) -> Step {
    let (code, detail) = match crowded.by {
        By::UserCalls | By::UserRate => (
            Code::TooManyRequests,
            "Too many requests of this user wait for Duo. Send fewer at once, and keep the \
             approval cookie: Retry-After says when to try again.",
        ),
        By::SignIn | By::Calls | By::Held => (
            Code::Overloaded,
            "This proxy asks Duo for as many others as it can at once. Try again shortly.",
        ),
    };
    let refusal = Refusal { code, detail, retry_after: Some(crowded.wait) };
    let reason = format!("limits.{} is reached", crowded.by.name());
    refuse_with(to, &refusal, &reason, env)
}

/// No answer, or none that can be used: the request is refused, and an operator told why.
pub(super) fn for_fault(
    to: &impl Recipient,
    refusal: &Refusal,
    fault: &DuoError,
    env: &Env<'_>,
) -> Step {
    let reason = match fault.hint() {
        Some(hint) => format!("{fault}; {hint}"),
        None => fault.to_string(),
    };
    if refusal.code == Code::FactorRefused {
        let mut step = refuse(to, refusal.code, &fault.words(), &reason, env);
        if fault.fault() != Fault::User {
            step.signals.push(Signal::Log(Level::Warn, format!("{fault}, which the filter sent")));
        }
        return step;
    }
    refuse_with(to, refusal, &reason, env)
}

/// The host has no random bytes, without which nothing is begun or approved.
pub(super) fn refuse_without_randomness(to: &impl Recipient, env: &Env<'_>) -> Step {
    refuse_with(to, &NO_RANDOMNESS, "the host has no random bytes", env)
}

/// Duo has not allowed it.
pub(super) fn refuse_status(to: &impl Recipient, status: &Status, env: &Env<'_>) -> Step {
    let (code, detail) = match Ending::of(status) {
        Ending::TimedOut => return refuse_with(to, &TIMEOUT, status.as_str(), env),
        Ending::Fraud => {
            (Code::MfaFraud, "The request was reported as fraud. Your administrator was told.")
        }
        Ending::LockedOut => {
            (Code::MfaLockedOut, "The account is locked after failed tries. Ask your help desk.")
        }
        Ending::CodesSent | Ending::Denied => {
            (Code::MfaDenied, "The request was denied on the device.")
        }
    };
    refuse(to, code, detail, status.as_str(), env)
}

/// A refusal that the table of faults has words for.
pub(super) fn refuse_with(
    to: &impl Recipient,
    refusal: &Refusal,
    reason: &str,
    env: &Env<'_>,
) -> Step {
    send(to, refusal.code, (refusal.detail, refusal.retry_after), reason, env)
}

/// A refusal in words of its own; `reason` is for the audit line alone.
pub(super) fn refuse(
    to: &impl Recipient,
    code: Code,
    detail: &str,
    reason: &str,
    env: &Env<'_>,
) -> Step {
    send(to, code, (detail, None), reason, env)
}

fn send(
    to: &impl Recipient,
    code: Code,
    (detail, retry_after): (&str, Option<Duration>),
    reason: &str,
    env: &Env<'_>,
) -> Step {
    let reference = to.asker().reference.clone();
    let problem = Problem { code, detail: detail.to_owned(), reference, retry_after };
    let line = audit::refused(to.asker(), code, reason, env);
    answer(to.refusal(&problem, env), code, Some(line))
}

/// Any refusal, with its audit line where the request is known well enough for one.
pub(super) fn answer(reply: Reply, code: Code, audited: Option<Audited>) -> Step {
    let step = Step::reply(reply, vec![Signal::Count(Counter::Refused(code))]);
    match audited {
        Some(audited) => step.audited(audited),
        None => step.judged(Judgement { outcome: Outcome::Refused, factor: None, rule: None }),
    }
}
