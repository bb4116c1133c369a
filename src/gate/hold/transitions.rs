//! How a held request continues after each response.

use super::states::{Held, HeldWants, Intent, Parked, Polled};
use crate::clock::UnixTime;
use crate::duo::{AuthResult, AuthStatus, Device, PreauthResponse, Status, Txid};
use crate::factor::Factor;
use crate::gate::assertion::Proof;
use crate::gate::call::POLL_PACE;
use crate::gate::decision::{Audited, Decision, Forward, NewCookie, Notes};
use crate::gate::env::Env;
use crate::gate::exchange::Next;
use crate::gate::factors::{capability, takes_codes, takes_passcode};
use crate::gate::headers::{ForwardedAs, add_approver, add_identity_headers};
use crate::gate::last_prompt::{Asking, Then};
use crate::gate::limit::{End, Limit, Limited, Permit, Settlement, Verdict};
use crate::gate::prompt::{self, Ending, Prompt, Transaction, said};
use crate::gate::refusals::{
    APPROVAL_USED, APPROVER_NOT_ASKED, APPROVER_UNAVAILABLE, NO_DEVICE, NO_PASSCODES_HERE,
    NOT_ENROLLED, ONLY_PASSCODES, TIMEOUT, UNKNOWN_USE, VERIFIED_PUSH, WRONG_PASSCODE,
};
use crate::gate::refuse::{
    self, refuse_denied, refuse_status, refuse_with, refuse_without_randomness,
};
use crate::gate::rules::new_approval;
use crate::gate::trail::PromptTrail;
use crate::gate::{audit, per_client, sign_out};
use crate::secret::Secret;
use crate::session::ApprovedBy;
use crate::signal::Counter;

/// Handles Duo's response to preauth.
#[inline(never)]
pub(super) fn preauthorized(
    parked: Box<Parked>,
    intent: Intent,
    reply: PreauthResponse,
    env: &Env<'_>,
) -> Next<Held> {
    match reply {
        PreauthResponse::Allow { .. } if parked.challenge.approver().is_some() => {
            refuse_with(&parked, &APPROVER_NOT_ASKED, "", env).into()
        }
        PreauthResponse::Allow { .. } => approve(&parked, ApprovedBy::Bypass, env).into(),
        PreauthResponse::Deny { message } => refuse_denied(&parked, &message, env).into(),
        PreauthResponse::Enroll { .. } => refuse_with(&parked, &NOT_ENROLLED, "", env).into(),
        PreauthResponse::Auth { devices, verification } => match intent {
            Intent::Passcode(passcode) => try_passcode(parked, passcode, &devices, env),
            Intent::Prompt => {
                ask_device(parked, &devices, verification.as_ref().map(|code| &code.txid), env)
            }
        },
    }
}

fn try_passcode(
    mut parked: Box<Parked>,
    passcode: Secret<String>,
    devices: &[Device],
    env: &Env<'_>,
) -> Next<Held> {
    parked.challenge.trail.prompt = PromptTrail::chosen(Factor::Passcode);
    if !takes_codes(env.gate.offered(&parked.challenge.terms)) {
        return refuse_with(&parked, &NO_PASSCODES_HERE, "", env).into();
    }
    let permit = prompt::passcode_permit(&parked.challenge, devices, env.gate.config());
    Next::permit(permit, HeldWants::Passcode(parked, passcode, permit))
}

/// Prompts with the first offered factor that some device supports, on the first such device. A
/// program cannot show the code of a verified push, so such a push is not sent at all. Otherwise a
/// policy that requires the code would be weakened.
fn ask_device(
    mut parked: Box<Parked>,
    devices: &[Device],
    verified_push: Option<&Txid>,
    env: &Env<'_>,
) -> Next<Held> {
    let config = env.gate.config();
    let challenge = &parked.challenge;
    let prompt = env.gate.offered(&challenge.terms).iter().find_map(|factor| match factor {
        Factor::Push | Factor::Phone => {
            let capability = capability(*factor)?;
            let device = devices.iter().find(|device| device.can(&capability))?;
            Some((device, Prompt::to(device, *factor, None, challenge, &config.push)?))
        }
        Factor::Passcode | Factor::Sms => None,
    });
    match prompt {
        Some((_, Prompt { factor: Factor::Push, .. })) if verified_push.is_some() => {
            let has_passcodes = parked.challenge.approver().is_none();
            let refusal = if has_passcodes { VERIFIED_PUSH } else { APPROVER_UNAVAILABLE };
            refuse_with(&parked, &refusal, "verified push", env).into()
        }
        Some((device, prompt)) => {
            let Some(owner) = env.random else {
                return refuse_without_randomness(&parked, env).into();
            };
            let push_timeout = env.gate.application(&challenge.terms).duo.push_timeout;
            let permit = prompt::permit(challenge, prompt.device(), owner, config);
            let permit = parked.same_request.map_or(permit, |request| permit.for_request(request));
            parked.challenge.trail.prompt = PromptTrail::to(device, prompt.factor);
            parked.deadline = parked.deadline.min(env.now.plus(push_timeout));
            Next::permit(permit, HeldWants::Prompt(Asking::new(parked, prompt, permit)))
        }
        None if takes_passcode(devices, env.gate.offered(&challenge.terms)) => {
            refuse_with(&parked, &ONLY_PASSCODES, "passcodes only", env).into()
        }
        None => refuse_with(&parked, &NO_DEVICE, "", env).into(),
    }
}

/// Continues from the user's last prompt.
pub(super) fn after_last((then, notes): (Then<Box<Parked>>, Notes), env: &Env<'_>) -> Next<Held> {
    let next = match then {
        Then::Look(look) => Next::ask(Held::Look(look)),
        Then::Permit(asking) => Next::permit(asking.permit, HeldWants::Prompt(asking)),
        Then::Refuse(parked, limited) => refuse::for_limit(&parked, &limited, env).into(),
    };
    next.noting(notes)
}

/// Handles Duo's decision about a passcode.
#[inline(never)]
pub(super) fn passcode_checked(
    parked: &Parked,
    permit: Permit,
    status: &AuthStatus,
    env: &Env<'_>,
) -> Decision {
    match (status.result, &status.status) {
        (AuthResult::Allow, _) => {
            let settlement = Settlement { permit, end: End::Allowed };
            let by = prompt::allowed_by(Factor::Passcode, &status.status);
            approve(parked, by, env).after([settlement])
        }
        (AuthResult::Deny, Status::Deny) => refuse_with(parked, &WRONG_PASSCODE, said(status), env),
        (AuthResult::Deny | AuthResult::Waiting, _) => refuse_status(parked, status, env),
    }
}

/// Handles a prompt that Duo has sent: the table stores its transaction, so that its end can be
/// found out.
#[inline(never)]
pub(super) fn prompt_sent(asking: Asking<Box<Parked>>, txid: Txid, env: &Env<'_>) -> Next<Held> {
    let Asking { waiter: mut parked, prompt: Prompt { factor, .. }, permit, .. } = asking;
    parked.challenge.trail.prompt.sent(Some(&txid), env.now);
    let transaction = Transaction { factor, txid };
    let recorded = prompt::sent(permit, &transaction, &parked.challenge, &parked.credentials);
    let line = audit::push_sent(&parked.challenge, env);
    let awaited = await_push(&mut parked, env);
    let polled = Polled { transaction, permit, at: env.now };
    Next::ask(Held::Status(parked, polled)).after(recorded).after(awaited).with([line])
}

/// The change that lets other requests of the client wait for the push of this one. `None` if none may.
pub(super) fn await_push(parked: &mut Parked, env: &Env<'_>) -> Option<Settlement> {
    if !parked.is_of_program() {
        return None;
    }
    let lasts = parked.deadline.since(env.now);
    let (awaited, release) = per_client::awaited(&parked.challenge, lasts, env.gate.config())?;
    parked.release = Some(release);
    Some(awaited)
}

/// Polls the transaction again, no sooner than the pace permits.
pub(super) fn poll(parked: Box<Parked>, polled: Polled, env: &Env<'_>) -> Next<Held> {
    let wait = POLL_PACE.saturating_sub(env.now.since(polled.at));
    let polled = Polled { at: env.now.plus(wait), ..polled };
    Next::ask_after(wait, Held::Status(parked, polled))
}

/// Handles Duo's response about the transaction.
#[inline(never)]
pub(super) fn heard(
    parked: Box<Parked>,
    polled: Polled,
    status: &AuthStatus,
    env: &Env<'_>,
) -> Next<Held> {
    let word = &status.status;
    match status.result {
        AuthResult::Allow => {
            let allowed = Settlement { permit: polled.permit, end: End::Allowed };
            let by = prompt::allowed_by(polled.transaction.factor, word);
            let next = match parked.same_request {
                Some(_) => use_approval(parked, &polled.transaction, by, env),
                None => approve(&parked, by, env).into(),
            };
            next.after([allowed])
        }
        AuthResult::Deny => {
            let ended = polled.settled(Ending::of(word).settled());
            refuse_status(&parked, status, env).after([ended]).into()
        }
        AuthResult::Waiting if parked.is_over(env.now) => {
            refuse_with(&parked, &TIMEOUT, "", env).after([polled.settled(End::Left)]).into()
        }
        AuthResult::Waiting => poll(parked, polled, env),
    }
}

/// Requests a permit to forward the request after Duo's allow, since the same request may wait for
/// this prompt too.
fn use_approval(
    parked: Box<Parked>,
    transaction: &Transaction,
    by: ApprovedBy,
    env: &Env<'_>,
) -> Next<Held> {
    let permit = prompt::approval_permit(transaction, &parked.challenge, env.gate.config());
    Next::permit(permit, HeldWants::Approval(parked, by))
}

/// Handles the table's verdict: it knows whether the approval was already used for another request.
#[inline(never)]
pub(super) fn after_verdict(
    parked: &Parked,
    by: ApprovedBy,
    verdict: &Verdict,
    env: &Env<'_>,
) -> Decision {
    match verdict {
        Ok(_) => approve(parked, by, env),
        Err(Limited { limit: Limit::Used, .. }) => {
            refuse_with(parked, &APPROVAL_USED, Limit::Used.name(), env)
        }
        Err(Limited { limit, .. }) => refuse_with(parked, &UNKNOWN_USE, limit.name(), env),
    }
}

fn approve(parked: &Parked, by: ApprovedBy, env: &Env<'_>) -> Decision {
    forward(parked, by, audit::admitted(&parked.challenge, by, env), env)
}

/// Forwards the request while Duo is unreachable and the fail mode is safe.
pub(super) fn approve_unverified(
    parked: &Parked,
    unreached_since: UnixTime,
    env: &Env<'_>,
) -> Decision {
    let audited = audit::admitted_unverified(&parked.challenge, unreached_since, env);
    forward(parked, ApprovedBy::FailSafe, audited, env)
}

fn forward(parked: &Parked, by: ApprovedBy, audited: Audited, env: &Env<'_>) -> Decision {
    let Some(id) = env.random else {
        return refuse_without_randomness(parked, env);
    };
    let Parked { challenge, .. } = parked;
    let is_asked = challenge.approver().is_some() && by == ApprovedBy::Factor(Factor::Push);
    if challenge.terms.approvers.is_some() && !is_asked {
        return refuse_with(parked, &APPROVER_NOT_ASKED, by.name(), env);
    }
    let mut request = parked.edits.clone();
    let user = challenge.identity.user.clone();
    add_identity_headers(&mut request, ForwardedAs::Admitted, user, by.name(), env.now);
    let sessions = &env.gate.application(&challenge.terms).sessions;
    let approval = new_approval(by, env.now);
    let proof = Proof {
        ends: Some(env.now.plus(sessions.lifetime(&approval))),
        request: parked.request.as_ref(),
        ..Proof::of(challenge, (by, env.now), &id)
    };
    request.extend(env.gate.new_assertion(&proof, env.now));
    add_approver(&mut request, challenge.approver());
    // A fail-safe approval (minutes) must not overwrite a longer-lived one.
    let is_worse = by == ApprovedBy::FailSafe && challenge.has_approval;
    // This request uses its own approval.
    let is_over = challenge.terms.is_per_request;
    let cookie = if parked.is_sign_out {
        Some(NewCookie::SignedOut(sign_out::deletions(env.gate.config())))
    } else {
        (!is_worse && !is_over).then(|| {
            NewCookie::Approval(sessions.issue(&approval, &challenge.subject(), env.now, id))
        })
    };
    let config = env.gate.config();
    let per_client = if parked.is_sign_out {
        Some(per_client::ended(&challenge.identity, config))
    } else {
        per_client::kept(challenge, by, env.now, config)
    };
    let decision = Decision::forward(Forward { request, cookie }, Counter::Admitted(by.name()));
    let (user, trail) = (Some(&challenge.identity), &challenge.trail);
    let signed_out = parked.is_sign_out.then(|| audit::signed_out(user, trail, env));
    decision.audited(audited).after(per_client).with(signed_out)
}
