//! The audit lines: one JSON object for each decision that is not a plain pass, and for the other
//! events of a sign-in. All lines of a sign-in have its reference.

use super::challenge::Challenge;
use super::decision::{AuditLine, Audited};
use super::env::Env;
use super::judgement::{Judgement, Outcome};
use super::limit::Prompted;
use super::refusal::Denial;
use super::request_line::beginning;
use super::rules::Insufficient;
use super::trail::{PromptTrail, Trail};
use crate::clock::UnixTime;
use crate::identity::Identity;
use crate::json::ObjectText;
use crate::session::ApprovedBy;
use crate::signal::{Code, Level, Signal, TimeToApproval};
use std::time::Duration;

/// The version of the lines. A member may be added without a new version.
pub(super) const VERSION: u64 = 1;

/// The reason in the log if Duo allowed the request, but nobody was admitted.
const LEFT: &str = "allowed, but the client had left";

/// The reason in the log if the client left before the request was decided.
const LEFT_EARLY: &str = "the client left";

/// The event that a line reports.
#[derive(Clone, Copy)]
enum Kind {
    Judged(Outcome),
    PushSent,
    Cancelled,
    SignedOut,
    Enrolled,
    CookieRefused,
}

impl Kind {
    /// The kind and the result in the line.
    const fn names(self) -> (&'static str, &'static str) {
        let kind = match self {
            Self::Judged(outcome) => return (outcome.kind(), outcome.name()),
            Self::PushSent => "push_sent",
            Self::Cancelled => "cancelled",
            Self::SignedOut => "signed_out",
            Self::Enrolled => "enrolled",
            Self::CookieRefused => "cookie_refused",
        };
        (kind, kind)
    }
}

#[derive(Clone)]
struct Line<'a> {
    kind: Kind,
    trail: &'a Trail,
    /// The prompt of an earlier request that the line is about; nothing else of that request is known.
    last_prompt: Option<&'a PromptTrail>,
    user: Option<&'a str>,
    duo_user: Option<&'a str>,
    rule: Option<usize>,
    application: Option<&'a str>,
    code: Option<Code>,
    /// The factor of the approval.
    factor: Option<ApprovedBy>,
    reason: Option<&'a str>,
}

/// A request that was refused before the user was asked.
pub(super) fn refused_at_once(denial: &Denial, trail: &Trail, env: &Env<'_>) -> Audited {
    audited(Level::Info, &of_denial(Outcome::Refused, denial, trail), env)
}

/// A request that `mode: enforce` would have refused.
pub(super) fn unrefused(denial: &Denial, trail: &Trail, env: &Env<'_>) -> Audited {
    audited(Level::Info, &of_denial(Outcome::WouldRefuse, denial, trail), env)
}

fn of_denial<'a>(outcome: Outcome, denial: &'a Denial, trail: &'a Trail) -> Line<'a> {
    let Denial { code, rule, identity, .. } = denial;
    let line = of_user(Kind::Judged(outcome), identity.as_deref(), trail);
    Line { rule: *rule, code: Some(*code), ..line }
}

/// A page that asks the user for a second factor.
pub(super) fn prompted(challenge: &Challenge, env: &Env<'_>) -> Audited {
    audited(Level::Info, &of(challenge, Outcome::Prompted, env), env)
}

/// Duo has sent a prompt to the device.
pub(super) fn push_sent(challenge: &Challenge, env: &Env<'_>) -> Signal {
    event(challenge, Kind::PushSent, env)
}

/// The user has given up the sign-in.
pub(super) fn cancelled(challenge: &Challenge, env: &Env<'_>) -> Signal {
    event(challenge, Kind::Cancelled, env)
}

/// The user has activated a first device.
pub(super) fn enrolled(challenge: &Challenge, env: &Env<'_>) -> Signal {
    event(challenge, Kind::Enrolled, env)
}

/// The client left while its request waited.
pub(super) fn abandoned(challenge: &Challenge, env: &Env<'_>) -> Signal {
    let line = of(challenge, Outcome::Abandoned, env);
    write(Level::Info, &Line { reason: Some(LEFT_EARLY), ..line }, env)
}

/// The end of an approval by a sign-out.
pub(super) fn signed_out(user: Option<&Identity>, trail: &Trail, env: &Env<'_>) -> Signal {
    write(Level::Info, &of_user(Kind::SignedOut, user, trail), env)
}

/// A forged approval cookie. Logged as a warning, since no accident makes one. `None` for a cookie
/// that was not accepted for another reason.
pub(super) fn cookie_refused(
    why: Insufficient,
    user: Option<&Identity>,
    trail: &Trail,
    env: &Env<'_>,
) -> Option<Signal> {
    let reason = Some(why.name());
    let line = || Line { reason, ..of_user(Kind::CookieRefused, user, trail) };
    why.is_forged().then(|| write(Level::Warn, &line(), env))
}

fn event(challenge: &Challenge, kind: Kind, env: &Env<'_>) -> Signal {
    write(Level::Info, &Line { kind, ..of(challenge, Outcome::Refused, env) }, env)
}

/// An approval that was given. The user was asked when Duo sent the prompt; without one, when the
/// sign-in began.
pub(super) fn admitted(challenge: &Challenge, by: ApprovedBy, env: &Env<'_>) -> Audited {
    let trail = &challenge.trail;
    let asked = trail.prompt.sent.unwrap_or_else(|| trail.reference.began());
    admitted_since(asked, challenge, by, env)
}

/// Like [`admitted`], for a user who was asked at `asked`.
#[inline(never)]
pub(super) fn admitted_since(
    asked: UnixTime,
    challenge: &Challenge,
    by: ApprovedBy,
    env: &Env<'_>,
) -> Audited {
    let mut audited = used(challenge, by, env);
    audited.line.time = by.is_asked().then(|| {
        let millis = milliseconds(env.now.since(asked)).unwrap_or(u64::MAX);
        TimeToApproval { factor: by.name(), millis }
    });
    audited
}

/// An approval for one request that is used.
pub(super) fn used(challenge: &Challenge, by: ApprovedBy, env: &Env<'_>) -> Audited {
    let line = of(challenge, Outcome::Admitted, env);
    if_waited_for(Level::Info, &Line { factor: Some(by), ..line }, env)
}

/// A fail-safe approval. Logged as a warning, so that an operator notices.
pub(super) fn admitted_unverified(
    challenge: &Challenge,
    unreached_since: UnixTime,
    env: &Env<'_>,
) -> Audited {
    let reason = format!("Duo has been unreachable since {}", unreached_since.rfc2822());
    let line = of(challenge, Outcome::Admitted, env);
    let line = Line { factor: Some(ApprovedBy::FailSafe), reason: Some(&reason), ..line };
    if_waited_for(Level::Warn, &line, env)
}

/// The line of an admission, and the line that replaces it if the client has left.
fn if_waited_for(level: Level, line: &Line<'_>, env: &Env<'_>) -> Audited {
    let mut audited = audited(level, line, env);
    let undone =
        Line { kind: Kind::Judged(Outcome::Abandoned), reason: Some(LEFT), ..line.clone() };
    audited.line.undone = Some(write(Level::Info, &undone, env));
    audited
}

/// A program that passed by the second factor that its user satisfied at `since`.
pub(super) fn passed_per_client(
    challenge: &Challenge,
    by: ApprovedBy,
    since: UnixTime,
    env: &Env<'_>,
) -> Audited {
    let reason = format!("approved for this client since {}", since.rfc2822());
    let line = of(challenge, Outcome::PassedPerClient, env);
    audited(Level::Info, &Line { factor: Some(by), reason: Some(&reason), ..line }, env)
}

/// A refusal. Logged as an error if an operator has to act.
pub(super) fn refused(challenge: &Challenge, code: Code, reason: &str, env: &Env<'_>) -> Audited {
    let is_alarming = matches!(code, Code::DuoMisconfigured | Code::MfaFraud);
    let level = if is_alarming { Level::Error } else { Level::Info };
    let reason = Some(beginning(reason)).filter(|reason| !reason.is_empty());
    let line = of(challenge, Outcome::Refused, env);
    audited(level, &Line { code: Some(code), reason, ..line }, env)
}

/// The end of a prompt that nobody waited for, learned when the next one was requested. The
/// original request is not known any more; the reference in `trail` is that of the request for the
/// next prompt. `user` is the person whose phone rang: an approver, if an approver was asked.
pub(super) fn heard_late(
    prompted: &Prompted,
    application: Option<&str>,
    (code, word): (Code, &str),
    trail: &Trail,
    env: &Env<'_>,
) -> Signal {
    let level = if code == Code::MfaFraud { Level::Error } else { Level::Info };
    let reason = format!("{word}: learned when the next prompt was requested");
    let prompt = PromptTrail {
        txid: prompted.txid().map(|txid| txid.as_str().to_owned()),
        ..PromptTrail::chosen(prompted.factor())
    };
    let line = Line {
        last_prompt: Some(&prompt),
        application,
        code: Some(code),
        user: Some(prompted.user()),
        reason: Some(&reason),
        ..of_user(Kind::Judged(Outcome::Refused), None, trail)
    };
    write(level, &line, env)
}

fn of<'a>(challenge: &'a Challenge, outcome: Outcome, env: &Env<'a>) -> Line<'a> {
    let line = of_user(Kind::Judged(outcome), Some(&challenge.identity), &challenge.trail);
    let application = env.gate.application(&challenge.terms).name.as_deref();
    Line { rule: challenge.rule, application, ..line }
}

fn of_user<'a>(kind: Kind, user: Option<&'a Identity>, trail: &'a Trail) -> Line<'a> {
    Line {
        kind,
        trail,
        last_prompt: None,
        user: user.map(|identity| identity.user.as_str()),
        duo_user: user.map(Identity::username),
        rule: None,
        application: None,
        code: None,
        factor: None,
        reason: None,
    }
}

fn audited(level: Level, line: &Line<'_>, env: &Env<'_>) -> Audited {
    let &Line { kind, factor, rule, .. } = line;
    let outcome = match kind {
        Kind::Judged(outcome) => outcome,
        Kind::PushSent
        | Kind::Cancelled
        | Kind::SignedOut
        | Kind::Enrolled
        | Kind::CookieRefused => Outcome::Refused,
    };
    Audited {
        line: AuditLine { done: write(level, line, env), undone: None, time: None },
        judgement: Judgement { outcome, factor, rule },
    }
}

fn write(level: Level, line: &Line<'_>, env: &Env<'_>) -> Signal {
    let &Line { trail, factor, .. } = line;
    let now = env.now;
    let prompt = line.last_prompt.unwrap_or(&trail.prompt);
    // Only the reference of a line about an earlier request is from `trail`.
    let of_request = line.last_prompt.is_none().then_some(trail);
    let request = of_request.map(|trail| &trail.request);
    let address = of_request.and_then(|trail| trail.address).map(|address| address.to_string());
    let duration = now.since(trail.reference.began());
    let (kind, result) = line.kind.names();
    let name =
        line.rule.and_then(|rule| env.gate.config().policies.rules.get(rule)?.name.as_deref());
    let text = ObjectText::new()
        .text("event", "duo_mfa")
        .number("version", VERSION)
        .text("time", &now.rfc3339())
        .text("kind", kind)
        .text("result", result)
        .some_number("rule", line.rule.and_then(|rule| rule.try_into().ok()))
        .some_text("rule_name", name)
        .some_text("application", line.application)
        .some_text("code", line.code.map(Code::name))
        .some_text("user", line.user)
        .some_text("duo_user", line.duo_user)
        .some_text("approver", of_request.and_then(|trail| trail.approver.as_deref()))
        .some_text("factor", factor.or(prompt.factor).map(ApprovedBy::name))
        .some_text("device", prompt.device.as_deref())
        .some_text("device_name", prompt.device_name.as_deref())
        .some_text("txid", prompt.txid.as_deref())
        .some_text("client", address.as_deref())
        .some_text("client_kind", request.map(|_| trail.client))
        .some_text("method", request.map(|it| it.method.as_str()))
        .some_text("host", request.map(|it| it.host.as_str()))
        .some_text("path", request.map(|it| it.path.as_str()))
        .some_text("endpoint", trail.endpoint)
        .text("reference", &trail.reference.to_string())
        .some_text("request_id", trail.request_id.as_deref())
        .some_number("duration_ms", request.and_then(|_| milliseconds(duration)))
        .some_number("waited_ms", prompt.sent.and_then(|sent| milliseconds(now.since(sent))))
        .some_text("reason", line.reason);
    Signal::Log(level, text.finish())
}

fn milliseconds(span: Duration) -> Option<u64> {
    u64::try_from(span.as_millis()).ok()
}
