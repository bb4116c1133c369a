//! Refusals: the reply, its counter and its audit line in one step.

use super::approver::eligible;
use super::audit;
use super::challenge::Challenge;
use super::decision::Decision;
use super::env::Env;
use super::limit::{Limit, Limited};
use super::prompt::{Ending, said};
use super::refusal::{Denial, Refusal};
use super::refusals::{
    APPROVER_UNAVAILABLE, DENIED_BY_DUO, DENIED_ON_DEVICE, LOCKED_OUT, NO_RANDOMNESS, NO_ROOM,
    NO_ROOM_FOR_USER, NO_ROOM_TO_HOLD, PENDING_ELSEWHERE, RATE_LIMITED_BY_DUO, REPORTED_AS_FRAUD,
    TIMEOUT, TOO_MANY_PASSCODES, TOO_MANY_PROMPTS, TOO_MANY_SINGLE_USES, UNKNOWN_LIMIT,
};
use super::room::{By, Crowded};
use super::route::Endpoint;
use super::trail::Trail;
use super::universal;
use super::view::{Requester, View};
use crate::duo::{AuthStatus, DuoError, Fault, Text, is_lock_out};
use crate::factor::Factor;
use crate::http::{Reply, RequestHead, ReturnPath};
use crate::page::{Onward, Problem};
use crate::signal::{Code, Level, Signal};
use std::net::IpAddr;

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
    let offered = offers_passcodes(to.challenge(), env);
    let refusal = match limited.limit {
        Limit::Pending => PENDING_ELSEWHERE.with_passcodes(offered),
        Limit::CoolDown | Limit::Budget | Limit::Fleet => TOO_MANY_PROMPTS.with_passcodes(offered),
        Limit::FleetUnknown => UNKNOWN_LIMIT,
        Limit::Awaited => PENDING_ELSEWHERE,
        Limit::Passcodes => TOO_MANY_PASSCODES,
        Limit::Share => TOO_MANY_SINGLE_USES,
        Limit::Used | Limit::Unapproved | Limit::NoRoom | Limit::Unreadable | Limit::Contended => {
            TOO_MANY_PROMPTS
        }
    };
    let refusal = refusal.after(limited.wait);
    refuse_with(to, &refusal, limited.limit.name(), env)
}

/// Whether the client may send a passcode to the filter.
fn offers_passcodes(challenge: &Challenge, env: &Env<'_>) -> bool {
    env.gate.offered(&challenge.terms).contains(&Factor::Passcode)
        && universal::prompt(&challenge.terms, env.gate.config()).is_none()
}

/// Refuses for lack of room for a call: the user's clients make too many, or all clients together.
pub(super) fn for_crowd(to: &dyn Refusable, crowded: Crowded, env: &Env<'_>) -> Decision {
    let refusal = match crowded.by {
        By::UserCalls | By::UserRate => NO_ROOM_FOR_USER,
        By::SignIn | By::Calls => NO_ROOM,
        By::Held => NO_ROOM_TO_HOLD,
        By::Duo => RATE_LIMITED_BY_DUO,
    };
    let refusal = refusal.after(crowded.wait);
    let reason = match crowded.by {
        By::Duo => "Duo limits the rate of calls for this user".to_owned(),
        by @ (By::SignIn | By::UserCalls | By::UserRate | By::Calls | By::Held) => {
            format!("limits.{} is reached", by.name())
        }
    };
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
pub(super) fn refuse_status(to: &dyn Refusable, status: &AuthStatus, env: &Env<'_>) -> Decision {
    let refusal = match Ending::of(&status.status) {
        Ending::TimedOut => TIMEOUT,
        Ending::Fraud => REPORTED_AS_FRAUD,
        Ending::LockedOut => LOCKED_OUT,
        Ending::CodesSent | Ending::Denied => DENIED_ON_DEVICE,
    };
    refuse_with(to, &refusal, said(status), env)
}

/// Refuses since Duo has denied the user at preauth.
pub(super) fn refuse_denied(to: &dyn Refusable, message: &Text, env: &Env<'_>) -> Decision {
    let message = message.as_str();
    if is_lock_out(message) {
        return refuse_with(to, &LOCKED_OUT, message, env);
    }
    let Refusal { code, detail, .. } = DENIED_BY_DUO;
    refuse(to, code, if message.is_empty() { detail } else { message }, message, env)
}

/// A refusal of the catalogue; `reason` is only for the audit line.
pub(super) fn refuse_with(
    to: &dyn Refusable,
    refusal: &Refusal,
    reason: &str,
    env: &Env<'_>,
) -> Decision {
    let problem = refusal.problem(to.challenge().trail.reference);
    send(to, problem, reason, env)
}

/// A refusal with the words of Duo or of a rule; `reason` is only for the audit line.
pub(super) fn refuse(
    to: &dyn Refusable,
    code: Code,
    detail: &str,
    reason: &str,
    env: &Env<'_>,
) -> Decision {
    let problem = Problem::new(code, detail.to_owned(), Some(to.challenge().trail.reference));
    send(to, problem, reason, env)
}

#[inline(never)]
fn send(to: &dyn Refusable, problem: Problem, reason: &str, env: &Env<'_>) -> Decision {
    let problem = about_approver(problem, to.challenge());
    let line = audit::refused(to.challenge(), problem.code, reason, env);
    Decision::refusal(to.refusal(&problem, env), problem.code, Some(line))
}

/// A refusal under a rule that has another person approve. The user learns who may, but nothing
/// about that person's account.
fn about_approver(problem: Problem, challenge: &Challenge) -> Problem {
    let is_choice = matches!(problem.code, Code::ApproverRequired | Code::ApproverNotAllowed);
    let is_of_account = matches!(
        problem.code,
        Code::EnrollmentRequired
            | Code::NoDevice
            | Code::DuoDenied
            | Code::FactorRefused
            | Code::MfaLockedOut
    );
    if is_choice {
        let eligible = eligible(challenge).into_iter();
        return Problem { approvers: eligible.map(|it| it.user.clone()).collect(), ..problem };
    }
    if is_of_account && challenge.approver().is_some() {
        return APPROVER_UNAVAILABLE.problem(challenge.trail.reference);
    }
    problem
}

/// A refusal before the challenge is known. After a refusal at the callback, no further request may
/// lead to that address.
pub(super) fn denied(
    denial: &Denial,
    endpoint: Option<Endpoint>,
    head: &RequestHead<'_>,
    address: Option<IpAddr>,
    env: &Env<'_>,
) -> Decision {
    let Denial { code, ref detail, .. } = *denial;
    let view = match endpoint {
        Some(Endpoint::Callback(_)) => View::at_callback(head, ReturnPath::default()),
        Some(_) | None => View::in_place(head),
    };
    let mut trail = Trail::of(head).arrived(address, env);
    trail.endpoint = endpoint.map(Endpoint::name);
    let reference = Some(trail.reference);
    let line = audit::refused_at_once(denial, &trail, env);
    let problem = Problem::new(code, detail.clone().into_owned(), reference);
    // The page's script shows this one to the user.
    let problem = if code == Code::HttpsRequired { view.localised(&problem) } else { problem };
    let requester = Requester { challenge: None, reference };
    let reply = view.refusal(&problem, Onward::default(), requester, env.gate.config());
    Decision::refusal(reply, code, Some(line))
}
