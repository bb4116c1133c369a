//! Refusals: the answer, its count and its audit line in one step.

use super::failure::{Refusal, TIMEOUT};
use super::hold::Held;
use super::limit::{Limit, Limited};
use super::{Step, audit};
use crate::duo::{DuoError, Status};
use crate::http::Client;
use crate::page::Problem;
use crate::signal::{Code, Counter, Signal};
use std::time::Duration;

/// Another prompt would be one too many.
pub(super) fn for_limit(held: &Held, limited: Limited) -> Step {
    let (code, detail) = match limited.limit {
        Limit::Pending => (
            Code::PendingElsewhere,
            "Another sign-in of this user waits for an answer on the device.",
        ),
        Limit::CoolDown | Limit::Budget | Limit::NoRoom | Limit::Unreadable | Limit::Contended => (
            Code::TooManyRequests,
            "No other prompt is sent to this user for a while: Retry-After says how long.",
        ),
    };
    refusal_step(held, code, detail, Some(limited.wait), limited.limit.name())
}

/// No answer, or none that can be used: the request is refused, and an operator told why.
pub(super) fn for_fault(held: &Held, refusal: &Refusal, fault: &DuoError) -> Step {
    let reason = match fault.hint() {
        Some(hint) => format!("{fault}; {hint}"),
        None => fault.to_string(),
    };
    refuse_with(held, refusal, &reason)
}

/// Duo has not allowed it.
pub(super) fn refuse_status(held: &Held, status: &Status) -> Step {
    let (code, detail) = match status {
        Status::Timeout => return refuse_with(held, &TIMEOUT, status.as_str()),
        Status::Fraud => {
            (Code::MfaFraud, "The request was reported as fraud. Your administrator was told.")
        }
        Status::LockedOut => {
            (Code::MfaLockedOut, "The account is locked after failed tries. Ask your help desk.")
        }
        Status::Calling
        | Status::Answered
        | Status::Pushed
        | Status::PushFailed
        | Status::Allow
        | Status::Bypass
        | Status::Deny
        | Status::Sent
        | Status::Other(_) => (Code::MfaDenied, "The request was denied on the device."),
    };
    refuse(held, code, detail, status.as_str())
}

/// A refusal that the table of faults has words for.
pub(super) fn refuse_with(held: &Held, refusal: &Refusal, reason: &str) -> Step {
    refusal_step(held, refusal.code, refusal.detail, refusal.retry_after, reason)
}

/// A refusal in words of its own; `reason` is for the audit line alone.
pub(super) fn refuse(held: &Held, code: Code, detail: &str, reason: &str) -> Step {
    refusal_step(held, code, detail, None, reason)
}

fn refusal_step(
    held: &Held,
    code: Code,
    detail: &str,
    retry_after: Option<Duration>,
    reason: &str,
) -> Step {
    let reference = held.reference.clone();
    let problem = Problem { code, detail: detail.to_owned(), reference, retry_after };
    answer(&problem, Client::Hold, Some(audit::refused(held, code, reason)))
}

/// Any refusal, with its audit line where the request is known well enough for one.
pub(super) fn answer(problem: &Problem, client: Client, line: Option<Signal>) -> Step {
    let mut signals = vec![Signal::Count(Counter::Refused(problem.code))];
    signals.extend(line);
    Step::reply(problem.reply(client), signals)
}
