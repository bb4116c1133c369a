//! The audit line: one JSON object for each decision that is not a plain pass.

use super::challenge::Challenge;
use super::configured::Gate;
use super::decision::{AuditLine, Audited};
use super::judgement::{Judgement, Outcome};
use super::limit::Prompted;
use super::request_line::{RequestLine, beginning, reference};
use crate::clock::UnixTime;
use crate::http::RequestHead;
use crate::json::ObjectText;
use crate::page::Reference;
use crate::session::ApprovedBy;
use crate::signal::{Code, Level, Signal};
use std::net::IpAddr;

/// The reason in the log if Duo allowed the request, but nobody was admitted.
const LEFT: &str = "allowed, but the client had left";

#[derive(Clone)]
struct Line<'a> {
    event: &'static str,
    outcome: Outcome,
    rule: Option<usize>,
    application: Option<&'a str>,
    code: Option<&'static str>,
    user: Option<&'a str>,
    factor: Option<ApprovedBy>,
    client: Option<IpAddr>,
    request: Option<&'a RequestLine>,
    reference: String,
    reason: Option<&'a str>,
}

/// A request that was refused before the user was asked.
pub(super) fn refused_at_once(head: &RequestHead<'_>, code: Code, rule: Option<usize>) -> Audited {
    of_nobody(head, Outcome::Refused, code, rule)
}

/// A request that `mode: enforce` would have refused.
pub(super) fn unrefused(head: &RequestHead<'_>, code: Code, rule: Option<usize>) -> Audited {
    of_nobody(head, Outcome::WouldRefuse, code, rule)
}

fn of_nobody(head: &RequestHead<'_>, outcome: Outcome, code: Code, rule: Option<usize>) -> Audited {
    let request = RequestLine::of(head);
    write(
        Level::Info,
        &Line {
            event: "duo_mfa",
            outcome,
            rule,
            application: None,
            code: Some(code.name()),
            user: None,
            factor: None,
            client: None,
            request: Some(&request),
            reference: reference(head).to_string(),
            reason: None,
        },
    )
}

/// An approval that was given or used.
pub(super) fn admitted(challenge: &Challenge, by: ApprovedBy, gate: &Gate) -> Audited {
    let line = of(challenge, Outcome::Admitted, gate);
    if_waited_for(Level::Info, &Line { factor: Some(by), ..line })
}

/// A fail-safe approval. Logged as a warning, so that an operator notices.
pub(super) fn admitted_unverified(
    challenge: &Challenge,
    unreached_since: UnixTime,
    gate: &Gate,
) -> Audited {
    let reason = format!("Duo has been unreachable since {}", unreached_since.rfc2822());
    let line = of(challenge, Outcome::Admitted, gate);
    let line = Line { factor: Some(ApprovedBy::FailSafe), reason: Some(&reason), ..line };
    if_waited_for(Level::Warn, &line)
}

/// The line of an admission, and the line that replaces it if the client has left.
fn if_waited_for(level: Level, line: &Line<'_>) -> Audited {
    let mut audited = write(level, line);
    let undone = Line { outcome: Outcome::Abandoned, reason: Some(LEFT), ..line.clone() };
    audited.line.undone = Some(write(Level::Info, &undone).line.done);
    audited
}

/// A program that passed by the second factor that its user satisfied at `since`.
pub(super) fn passed_per_client(
    challenge: &Challenge,
    by: ApprovedBy,
    since: UnixTime,
    gate: &Gate,
) -> Audited {
    let reason = format!("approved for this client since {}", since.rfc2822());
    let line = of(challenge, Outcome::PassedPerClient, gate);
    write(Level::Info, &Line { factor: Some(by), reason: Some(&reason), ..line })
}

/// A refusal. Logged as an error if an operator has to act.
pub(super) fn refused(challenge: &Challenge, code: Code, reason: &str, gate: &Gate) -> Audited {
    let is_alarming = matches!(code, Code::DuoMisconfigured | Code::MfaFraud);
    let level = if is_alarming { Level::Error } else { Level::Info };
    let reason = Some(beginning(reason)).filter(|reason| !reason.is_empty());
    let line = of(challenge, Outcome::Refused, gate);
    write(level, &Line { code: Some(code.name()), reason, ..line })
}

/// The end of a prompt that nobody waited for, learned when the next one was requested. The
/// original request is not known any more; the reference is that of the request for the next
/// prompt.
pub(super) fn heard_late(
    prompted: &Prompted,
    application: Option<&str>,
    code: Code,
    word: &str,
    reference: &Reference,
) -> Signal {
    let level = if code == Code::MfaFraud { Level::Error } else { Level::Info };
    let reason = format!("{word}: learned when the next prompt was requested");
    let line = Line {
        event: "duo_mfa",
        outcome: Outcome::Refused,
        rule: None,
        application,
        code: Some(code.name()),
        user: Some(prompted.user()),
        factor: Some(ApprovedBy::Factor(prompted.factor())),
        client: None,
        request: None,
        reference: reference.to_string(),
        reason: Some(&reason),
    };
    write(level, &line).line.done
}

fn of<'a>(challenge: &'a Challenge, outcome: Outcome, gate: &'a Gate) -> Line<'a> {
    Line {
        event: "duo_mfa",
        outcome,
        rule: challenge.rule,
        application: gate.application(&challenge.terms).name.as_deref(),
        code: None,
        user: Some(&challenge.identity.user),
        factor: None,
        client: challenge.address,
        request: Some(&challenge.request),
        reference: challenge.reference.to_string(),
        reason: None,
    }
}

fn write(level: Level, line: &Line<'_>) -> Audited {
    let client = line.client.map(|client| client.to_string());
    let text = ObjectText::new()
        .text("event", line.event)
        .text("result", line.outcome.name())
        .some_number("rule", line.rule.and_then(|rule| rule.try_into().ok()))
        .some_text("application", line.application)
        .some_text("code", line.code)
        .some_text("user", line.user)
        .some_text("factor", line.factor.map(ApprovedBy::name))
        .some_text("client", client.as_deref())
        .some_text("method", line.request.map(|request| request.method.as_str()))
        .some_text("host", line.request.map(|request| request.host.as_str()))
        .some_text("path", line.request.map(|request| request.path.as_str()))
        .text("reference", &line.reference)
        .some_text("reason", line.reason);
    Audited {
        line: AuditLine { done: Signal::Log(level, text.finish()), undone: None },
        judgement: Judgement { outcome: line.outcome, factor: line.factor, rule: line.rule },
    }
}
