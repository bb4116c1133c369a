//! `POST auth`: the user has chosen a factor. The only endpoint that rings a phone.

use super::approve::approve;
use super::caller::{AuthApiCaller, Caller};
use super::status::{codes, state, waiting};
use super::visit::{Choice, OpenedSignIn, SignInOrigin, Visit, VisitWants, Wanted};
use crate::duo::{AuthResult, AuthStatus, Device, DeviceChoice, Status, Txid, Verification};
use crate::factor::Factor;
use crate::gate::approver;
use crate::gate::audit;
use crate::gate::decision::Decision;
use crate::gate::env::Env;
use crate::gate::exchange::Next;
use crate::gate::factors::{capability, device_name, takes_codes};
use crate::gate::last_prompt::Asking;
use crate::gate::limit::{End, Permit, Settlement};
use crate::gate::prompt::{self, Ending, Prompt, SentPasscode, Transaction, said};
use crate::gate::refusal::Refusal;
use crate::gate::refusals::{
    CODE_NOT_SHOWN, DEVICE_MALFORMED, DEVICE_UNKNOWN, DIGEST_MALFORMED, DIGEST_UNCHECKED,
    FACTOR_MISSING, METHOD_MALFORMED, NO_DEVICE, PASSCODE_MISSING, SEVERAL_PASSCODES,
    TOO_MANY_PASSCODES, WRONG_PASSCODE,
};
use crate::gate::refuse::{refuse_status, refuse_with, refuse_without_randomness};
use crate::gate::trail::PromptTrail;
use crate::gate::view::to_page;
use crate::http::name::is_method;
use crate::http::{Parameters, RequestHead};
use crate::page::Standing;
use crate::session::{BodyDigest, Bounded, Pending, PendingKind};

pub(super) fn auth(
    mut caller: AuthApiCaller,
    head: &RequestHead<'_>,
    parameters: Parameters<'_>,
    env: &Env<'_>,
) -> Next<Visit> {
    caller.challenge.trail.prompt = PromptTrail::default();
    let choice = chosen(&caller, head, parameters, env);
    if choice.is_ok() && caller.challenge.terms.approvers.is_some() {
        match approver::choose(head, parameters.value("approver"), &caller.challenge) {
            Ok(approver) => caller.ask_approver(approver),
            Err(refusal) => return refuse_with(&caller, &refusal, "", env).into(),
        }
    }
    if let Ok(choice) = &choice {
        caller.challenge.trail.prompt = PromptTrail::chosen(choice.factor());
    }
    match choice {
        Ok(Choice::Passcode(_)) if has_no_try_left(&caller, env) => {
            too_many_tries(&caller, env).into()
        }
        Ok(choice) => Next::ask(Visit::Preauth(caller, Wanted::Start(choice))),
        Err(refusal) => refuse_with(&caller, &refusal, "", env).into(),
    }
}

fn chosen(
    caller: &Caller,
    head: &RequestHead<'_>,
    parameters: Parameters<'_>,
    env: &Env<'_>,
) -> Result<Choice, Refusal> {
    if let Some(hex) = parameters.value("body_sha256") {
        if !env.gate.config().request_bodies {
            return Err(DIGEST_UNCHECKED);
        }
        if BodyDigest::parse(&hex).is_none() {
            return Err(DIGEST_MALFORMED);
        }
    }
    // The phone shows the method, so it must not hold a message.
    if parameters.value("method").is_some_and(|method| !is_method(method.as_bytes())) {
        return Err(METHOD_MALFORMED);
    }
    let named = parameters.value("factor");
    let offered = env.gate.offered(&caller.challenge.terms);
    let is_accepted = |factor: &Factor| match factor {
        Factor::Passcode => takes_codes(offered),
        Factor::Push | Factor::Phone | Factor::Sms => offered.contains(factor),
    };
    let mut accepted = Factor::ALL.into_iter().filter(is_accepted);
    let factor = accepted.find(|factor| named.as_deref() == Some(factor.name()));
    let factor = factor.ok_or(FACTOR_MISSING)?;
    if factor == Factor::Passcode {
        return match SentPasscode::posted(head, parameters) {
            SentPasscode::One(passcode) => Ok(Choice::Passcode(passcode)),
            SentPasscode::Malformed => Err(WRONG_PASSCODE),
            SentPasscode::None => Err(PASSCODE_MISSING),
            SentPasscode::Several => Err(SEVERAL_PASSCODES),
        };
    }
    if caller.challenge.terms.approvers.is_some() {
        return Ok(Choice::Device { factor, device: DeviceChoice::Auto });
    }
    let device = parameters.value("device").map_or(Ok(DeviceChoice::Auto), |id| id.parse());
    let device = device.map_err(|_| DEVICE_MALFORMED)?;
    Ok(Choice::Device { factor, device })
}

/// Starts the chosen factor after preauth has returned the devices.
#[inline(never)]
pub(super) fn start(
    mut caller: AuthApiCaller,
    choice: Choice,
    devices: &[Device],
    verification: Option<Verification>,
    env: &Env<'_>,
) -> Next<Visit> {
    let config = env.gate.config();
    let (factor, wanted) = match choice {
        Choice::Passcode(passcode) => {
            let permit = prompt::passcode_permit(&caller.challenge, devices, config);
            return Next::permit(permit, VisitWants::Passcode(caller, passcode, permit));
        }
        Choice::Device { factor, device } => (factor, device),
    };
    let device = match find_device(factor, &wanted, devices) {
        Ok(device) => device,
        Err(refusal) => return refuse_with(&caller, &refusal, "", env).into(),
    };
    caller.challenge.trail.prompt = PromptTrail::to(device, factor);
    let Some(owner) = env.random else {
        return refuse_without_randomness(&caller, env).into();
    };
    let verification = verification.filter(|_| factor == Factor::Push);
    let txid = verification.as_ref().map(|verification| verification.txid.clone());
    let Some(prompt) = Prompt::to(device, factor, txid, &caller.challenge, &config.push) else {
        return refuse_with(&caller, &NO_DEVICE, "", env).into();
    };
    let kind = match factor {
        Factor::Phone => PendingKind::Phone,
        Factor::Sms => PendingKind::Sms,
        Factor::Push | Factor::Passcode => PendingKind::Push,
    };
    let mut pending = Pending::new(kind, env.now, owner, caller.view.return_to.clone());
    pending.device = Bounded::new(device.id.as_str()).ok();
    pending.device_label = Bounded::cut(device_name(device).as_str());
    pending.passcode_tries = caller.tries();
    pending.single_request = caller.single_request;
    let approver = caller.challenge.approver();
    pending.approver = approver.and_then(|approver| Bounded::new(&approver.user).ok());
    if let Some(verification) = verification {
        match Bounded::new(verification.code.as_str()) {
            Ok(code) => pending.verification_code = Some(code),
            // Without the code, the push would not satisfy the policy.
            Err(fault) => {
                let reason = fault.to_string();
                return refuse_with(&caller, &CODE_NOT_SHOWN, &reason, env).into();
            }
        }
    }
    let permit = prompt::permit(&caller.challenge, prompt.device(), owner, config);
    let asking = Asking::new(OpenedSignIn { caller, pending: Box::new(pending) }, prompt, permit);
    Next::permit(permit, VisitWants::Prompt(asking))
}

/// The named device, if it is the user's and supports the factor.
fn find_device<'d>(
    factor: Factor,
    wanted: &DeviceChoice,
    devices: &'d [Device],
) -> Result<&'d Device, Refusal> {
    let is_able =
        |device: &&Device| capability(factor).is_some_and(|capability| device.can(&capability));
    let mut able = devices.iter().filter(is_able);
    match wanted {
        DeviceChoice::Id(id) => able.find(|device| device.id == *id).ok_or(DEVICE_UNKNOWN),
        DeviceChoice::Auto => able.next().ok_or(NO_DEVICE),
    }
}

/// Handles a prompt that Duo has sent: the table stores its transaction, so that its end can be
/// found out.
#[inline(never)]
pub(super) fn prompt_sent(asking: Asking<OpenedSignIn>, txid: Txid, env: &Env<'_>) -> Decision {
    let Asking { waiter: OpenedSignIn { mut caller, mut pending }, prompt, permit, .. } = asking;
    pending.txid = Bounded::new(txid.as_str()).ok();
    caller.challenge.trail.prompt.sent(Some(&txid), env.now);
    caller.hand_out(*pending, env);
    let transaction = Transaction { factor: prompt.factor, txid };
    let recorded = prompt::sent(permit, &transaction, &caller.challenge, &caller.credentials);
    let standing = waiting(&caller, prompt.factor, None, env);
    let line = audit::push_sent(&caller.challenge, env);
    reply_started(&caller, &standing, "", env).after(recorded).with([line])
}

/// Handles Duo's response to a request for passcodes by text message.
#[inline(never)]
pub(super) fn codes_sent(
    asking: Asking<OpenedSignIn>,
    status: &AuthStatus,
    env: &Env<'_>,
) -> Decision {
    let Asking { waiter: OpenedSignIn { mut caller, pending }, permit, .. } = asking;
    caller.challenge.trail.prompt.sent(None, env.now);
    let (end, decision) = match (status.result, &status.status) {
        (AuthResult::Allow, _) => {
            caller.pending = Some(*pending);
            let origin = SignInOrigin::here(env);
            (End::Allowed, approve(caller.caller, Factor::Sms, origin, status, env))
        }
        (AuthResult::Deny, Status::Sent) => {
            caller.hand_out(*pending, env);
            let line = audit::push_sent(&caller.challenge, env);
            let decision = reply_started(&caller, &codes(&caller), status.status.as_str(), env);
            let decision = decision.with([line]);
            (Ending::of(&status.status).settled(), decision)
        }
        (AuthResult::Deny | AuthResult::Waiting, word) => {
            (Ending::of(word).settled(), refuse_status(&caller, status, env))
        }
    };
    decision.after([Settlement { permit, end }])
}

/// Handles Duo's decision about a passcode.
#[inline(never)]
pub(super) fn passcode_checked(
    mut caller: AuthApiCaller,
    permit: Permit,
    status: &AuthStatus,
    env: &Env<'_>,
) -> Decision {
    match (status.result, &status.status) {
        (AuthResult::Allow, _) => {
            let is_texted = matches!(caller.pending, Some(Pending { kind: PendingKind::Sms, .. }));
            let factor = if is_texted { Factor::Sms } else { Factor::Passcode };
            // A push of this sign-in may still be on the phone. After a passcode it gives no
            // approval any more.
            let settlements =
                [Some(Settlement { permit, end: End::Allowed }), caller.mark_finished(env)];
            let origin = SignInOrigin::here(env);
            let approved = approve(caller.caller, factor, origin, status, env);
            approved.after(settlements.into_iter().flatten())
        }
        (AuthResult::Deny, Status::Deny) => {
            count_try(&mut caller, env);
            refuse_with(&caller, &WRONG_PASSCODE, said(status), env)
        }
        (AuthResult::Deny | AuthResult::Waiting, _) => refuse_status(&caller, status, env),
    }
}

/// Counts an incorrect passcode in the pending sign-in.
pub(super) fn count_try(caller: &mut Caller, env: &Env<'_>) {
    let pending = caller.pending.take().or_else(|| {
        let return_to = caller.view.return_to.clone();
        Some(Pending::new(PendingKind::Passcode, env.now, env.random?, return_to))
    });
    if let Some(mut pending) = pending {
        pending.passcode_tries = pending.passcode_tries.saturating_add(1);
        caller.hand_out(pending, env);
    }
}

fn has_no_try_left(caller: &Caller, env: &Env<'_>) -> bool {
    usize::from(caller.tries()) >= env.gate.config().limits.passcode_tries
}

fn too_many_tries(caller: &Caller, env: &Env<'_>) -> Decision {
    let left = caller.pending.as_ref().map(|pending| pending.expires().since(env.now));
    let refusal = Refusal { retry_after: left, ..TOO_MANY_PASSCODES };
    refuse_with(caller, &refusal, "passcode tries", env)
}

/// Replies that a prompt is on its way to the device. For a form, it redirects to the page that
/// follows the sign-in.
fn reply_started(caller: &Caller, standing: &Standing, word: &str, env: &Env<'_>) -> Decision {
    let reply = if caller.view.is_page {
        to_page(env.gate.config(), &caller.view.return_to)
    } else {
        state(caller, standing, word, 202)
    };
    Decision::reply(caller.with_cookies(reply))
}
