//! `GET status` and the prompt page: the state of a sign-in. Each request polls Duo at most once.

use super::approve::redeem;
use super::caller::{AuthApiCaller, Caller};
use super::visit::{Following, Visit};
use crate::duo::{AuthResult, AuthStatus, Credentials, Status, Txid};
use crate::factor::Factor;
use crate::gate::audit;
use crate::gate::decision::Decision;
use crate::gate::env::Env;
use crate::gate::exchange::Next;
use crate::gate::limit::Settlement;
use crate::gate::pending::is_on_device;
use crate::gate::prompt::{self, Ending, Transaction, said};
use crate::gate::refusals::GONE;
use crate::gate::refuse::{refuse_status, refuse_with};
use crate::gate::view::Requester;
use crate::http::{Reply, RequestHead};
use crate::page::{Awaited, DisplayText, Screen, SignInReply, Standing, Waiting};
use crate::session::PendingKind;
use crate::signal::{Code, Counter, Signal};
use std::sync::Arc;
use std::time::Duration;

/// When a client should poll again. From the second poll on, Duo itself waits for news.
const POLL_AFTER: Duration = Duration::from_secs(1);

/// `GET /`: the page, in the state of the sign-in that was begun in this browser.
pub(super) fn page(
    mut caller: Box<Caller>,
    (own_way, is_approved): (Option<Arc<Credentials>>, bool),
    head: &RequestHead<'_>,
    env: &Env<'_>,
) -> Next<Visit> {
    caller.view.is_page = true;
    let is_seen = head.method == b"GET" && head.hints().purpose.is_none();
    match following(&caller, env).filter(|_| is_seen).zip(own_way) {
        Some((following, credentials)) => {
            Next::ask(Visit::Status(AuthApiCaller { caller, credentials }, following))
        }
        None => {
            let approved = || is_approved.then_some(Standing::Approved);
            let standing = known(&caller, env).or_else(approved);
            let screen = standing.map_or(Screen::Start, Screen::SignIn);
            let requester = Requester::from(&caller.challenge);
            let reply = caller.view.page(&screen, requester, env.gate.config());
            let reply = caller.with_cookies(reply);
            if is_seen && screen == Screen::Start {
                return prompted(&caller, reply, env).into();
            }
            Decision::reply(reply).into()
        }
    }
}

/// The page at the application's own address. It does not ask Duo.
pub(in crate::gate) fn page_in_place(caller: &Caller, env: &Env<'_>) -> Decision {
    let screen = known(caller, env).map_or(Screen::Start, Screen::SignIn);
    let reply = caller.view.page(&screen, Requester::from(&caller.challenge), env.gate.config());
    prompted(caller, reply, env)
}

/// A page with the fields of a form that another site posted. The browser posts them again from this
/// page, so that it sends the cookies of this site.
pub(in crate::gate) fn resend_page(
    caller: &Caller,
    fields: Vec<(String, String)>,
    env: &Env<'_>,
) -> Decision {
    let requester = Requester::from(&caller.challenge);
    let reply = caller.view.page(&Screen::Resend(fields), requester, env.gate.config());
    prompted(caller, reply.on_its_way(), env)
}

/// A page that asks for the second factor.
fn prompted(caller: &Caller, reply: Reply, env: &Env<'_>) -> Decision {
    let counted = Signal::Count(Counter::Prompted);
    Decision::reply(reply).with([counted]).audited(audit::prompted(&caller.challenge, env))
}

/// The state of the sign-in, as far as it is known without Duo.
fn known(caller: &Caller, env: &Env<'_>) -> Option<Standing> {
    match caller.pending.as_ref().map(|pending| &pending.kind) {
        Some(PendingKind::Sms) => Some(codes(caller)),
        Some(kind @ (PendingKind::Push | PendingKind::Phone)) if !caller.is_over(env) => {
            let factor = kind.factor().unwrap_or(Factor::Push);
            Some(waiting(caller, factor, None, env))
        }
        Some(_) | None => None,
    }
}

/// `GET status`.
pub(super) fn status(
    caller: Box<Caller>,
    (own_way, is_approved): (Option<Arc<Credentials>>, bool),
    env: &Env<'_>,
) -> Next<Visit> {
    if let Some((following, credentials)) = following(&caller, env).zip(own_way) {
        return Next::ask(Visit::Status(AuthApiCaller { caller, credentials }, following));
    }
    match known(&caller, env) {
        Some(standing) => show(&caller, &standing, "sent", env).into(),
        // Another tab of this browser has finished the sign-in.
        None if is_approved => show(&caller, &Standing::Approved, "allow", env).into(),
        None => refuse_with(&caller, &GONE, "", env).into(),
    }
}

/// Duo's transaction of the prompt on the device.
fn following(caller: &Caller, env: &Env<'_>) -> Option<Following> {
    let pending = caller.pending.as_ref().filter(|pending| is_on_device(&pending.kind))?;
    let txid: Txid = pending.txid.as_ref()?.as_str().parse().ok()?;
    let transaction = Transaction { factor: pending.kind.factor()?, txid };
    let device = pending.device.as_ref().map(|device| device.as_str());
    let config = env.gate.config();
    let permit = prompt::permit(&caller.challenge, device, pending.browser(), config);
    Some(Following { transaction, permit })
}

/// Handles Duo's response about a transaction.
#[inline(never)]
pub(super) fn heard(
    AuthApiCaller { caller, .. }: AuthApiCaller,
    following: &Following,
    status: &AuthStatus,
    env: &Env<'_>,
) -> Next<Visit> {
    let (factor, permit) = (following.transaction.factor, following.permit);
    let word = &status.status;
    match status.result {
        AuthResult::Allow => redeem(caller, factor, permit, status, env),
        AuthResult::Deny => {
            let ending = Ending::of(word);
            let settlement = Settlement { permit, end: ending.settled() };
            if ending == Ending::LockedOut && caller.challenge.approver().is_some() {
                let mut caller = caller;
                caller.forget(env);
                return refuse_status(&caller, status, env).after([settlement]).into();
            }
            ended(caller, &refused(ending), status, env).after([settlement]).into()
        }
        AuthResult::Waiting if caller.is_over(env) => {
            ended(caller, &Standing::TimedOut, status, env).into()
        }
        AuthResult::Waiting => {
            let standing = waiting(&caller, factor, Some(status), env);
            show(&caller, &standing, word.as_str(), env).into()
        }
    }
}

/// Replies that the state of a transaction has not changed.
pub(super) fn saw_nothing(caller: Box<Caller>, factor: Factor, env: &Env<'_>) -> Decision {
    if caller.is_over(env) {
        return ended_by(caller, &Standing::TimedOut, ("", ""), env);
    }
    let standing = waiting(&caller, factor, None, env);
    show(&caller, &standing, "", env)
}

/// The state of a waiting sign-in by this factor; `status` is Duo's response, if there is one.
pub(super) fn waiting(
    caller: &Caller,
    factor: Factor,
    status: Option<&AuthStatus>,
    env: &Env<'_>,
) -> Standing {
    let pending = caller.pending.as_ref();
    let code = pending.and_then(|pending| pending.verification_code.as_ref());
    let asks_another = pending.is_some_and(|pending| pending.approver.is_some());
    let usual = match (factor, code) {
        (Factor::Phone, _) => Awaited::Call,
        (_, Some(code)) => Awaited::VerifiedPush { code: DisplayText::new(code.as_str()) },
        (_, None) if asks_another => Awaited::Approver,
        (_, None) => Awaited::Push,
    };
    let own = status.filter(|_| !asks_another);
    let awaited = match own.map(|status| (&status.status, &status.message)) {
        Some((Status::Answered, _)) => Awaited::Key,
        Some((Status::PushFailed, _)) => Awaited::UndeliveredPush,
        Some((Status::Other(_), message)) if !message.is_empty() && code.is_none() => {
            Awaited::Other { message: DisplayText::new(message.as_str()) }
        }
        Some(_) | None => usual,
    };
    Standing::Waiting(Waiting {
        awaited,
        device: device_label(caller),
        left: caller.deadline(env).since(env.now),
        total: env.gate.application(&caller.challenge.terms).duo.push_timeout,
    })
}

/// The state after passcodes were sent by text message.
pub(super) fn codes(caller: &Caller) -> Standing {
    let device = caller.pending.as_ref().and_then(|pending| pending.device.as_ref());
    let device =
        device.map(|id| (id.as_str().to_owned(), device_label(caller).unwrap_or_default()));
    Standing::CodesSent { device }
}

/// The name of the device, or of the other person who was asked: the user learns nothing about that
/// person's devices.
fn device_label(caller: &Caller) -> Option<DisplayText> {
    let pending = caller.pending.as_ref()?;
    if let Some(approver) = &pending.approver {
        return Some(DisplayText::new(approver.as_str()));
    }
    let label = pending.device_label.as_ref();
    label.map(|label| DisplayText::new(label.as_str()))
}

/// Replies that a sign-in has ended without an approval, as Duo's response says.
fn ended(caller: Box<Caller>, standing: &Standing, status: &AuthStatus, env: &Env<'_>) -> Decision {
    ended_by(caller, standing, (status.status.as_str(), said(status)), env)
}

/// Replies that a sign-in has ended. `word` is for the client, `reason` for the log.
fn ended_by(
    mut caller: Box<Caller>,
    standing: &Standing,
    (word, reason): (&str, &str),
    env: &Env<'_>,
) -> Decision {
    caller.forget(env);
    let code = standing.refusal().unwrap_or(Code::MfaDenied);
    let audited = audit::refused(&caller.challenge, code, reason, env);
    let shown = show(&caller, standing, word, env);
    shown.with([Signal::Count(Counter::Refused(code))]).audited(audited)
}

fn show(caller: &Caller, standing: &Standing, word: &str, env: &Env<'_>) -> Decision {
    let reply = if caller.view.is_page {
        let screen = Screen::SignIn(standing.clone());
        caller.view.page(&screen, Requester::from(&caller.challenge), env.gate.config())
    } else {
        state(caller, standing, word, 200)
    };
    Decision::reply(caller.with_cookies(reply))
}

pub(super) fn state(caller: &Caller, standing: &Standing, word: &str, status: u16) -> Reply {
    let body = SignInReply {
        standing,
        status: word,
        poll_after: POLL_AFTER,
        transaction: caller.transaction(),
        return_to: Some(&caller.view.return_to),
        reference: caller.challenge.trail.reference,
    };
    body.reply(status, caller.view.language)
}

const fn refused(ending: Ending) -> Standing {
    match ending {
        Ending::TimedOut => Standing::TimedOut,
        Ending::Fraud => Standing::Fraud,
        Ending::LockedOut => Standing::LockedOut,
        Ending::CodesSent | Ending::Denied => Standing::Denied,
    }
}
