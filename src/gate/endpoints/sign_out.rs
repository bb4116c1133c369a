//! `POST cancel`, `logout` and `GET userinfo`: endpoints that do not call Duo.

use super::caller::Caller;
use crate::gate::audit;
use crate::gate::challenge::Challenge;
use crate::gate::decision::Decision;
use crate::gate::env::Env;
use crate::gate::per_client;
use crate::gate::refusals::NO_APPROVAL;
use crate::gate::refuse::refuse_with;
use crate::gate::sign_out::SignOut;
use crate::gate::view::{Requester, to_page};
use crate::http::{Parameters, Reply, RequestHead, ReturnPath};
use crate::page::{Screen, UserInfo};
use crate::session::Approval;

/// Ends the sign-in; it gives no approval. Its prompt stays on the phone, so it counts. It remains
/// the user's one pending prompt until Duo reports its end.
pub(super) fn cancel(mut caller: Box<Caller>, env: &Env<'_>) -> Decision {
    let settlement = caller.mark_finished(env);
    let line = caller.pending.as_ref().map(|_| audit::cancelled(&caller.challenge, env));
    caller.forget(env);
    let reply = if caller.view.is_page {
        to_page(env.gate.config(), &caller.view.return_to)
    } else {
        done()
    };
    Decision::reply(caller.with_cookies(reply)).after(settlement).with(line)
}

/// The page that asks whether to sign out; a GET alone never signs out.
pub(super) fn page(caller: &Caller, head: &RequestHead<'_>, env: &Env<'_>) -> Decision {
    let screen = Screen::SignOut { next: next(head) };
    let requester = Requester::from(&caller.challenge);
    Decision::reply(caller.view.page(&screen, requester, env.gate.config()))
}

/// Deletes all approvals and pending sign-ins of this browser. The sign-ins that led to the
/// approvals give no further one. A user then continues at the address in `next`.
pub(super) fn logout(mut caller: Box<Caller>, head: &RequestHead<'_>, env: &Env<'_>) -> Decision {
    caller.pending_until = None;
    let config = env.gate.config();
    let out = SignOut::of(config, head, Some(&caller.challenge.subject()), env.now);
    caller.cookies.extend(out.deletions);
    let reply = if caller.view.is_page {
        let screen = Screen::SignedOut { next: next(head) };
        caller.view.page(&screen, Requester::from(&caller.challenge), config)
    } else {
        done()
    };
    let per_client = per_client::ended(&caller.challenge.identity, config);
    let decision = Decision::reply(caller.with_cookies(reply));
    let Challenge { identity, trail, .. } = &caller.challenge;
    let line = audit::signed_out(Some(identity), trail, env);
    decision.after(out.settlements).after([per_client]).with([line])
}

pub(super) fn user_info(caller: &Caller, approval: Option<&Approval>, env: &Env<'_>) -> Decision {
    let Some(approval) = approval else {
        return refuse_with(caller, &NO_APPROVAL, "", env);
    };
    let info = UserInfo {
        user: &caller.challenge.identity.user,
        factor: approval.factor().name(),
        authenticated_at: approval.authenticated(),
        expires_at: approval.expires(),
    };
    Decision::reply(info.reply())
}

/// Where a user continues after the sign-out: a path on this host, usually the one at which the
/// first factor signs out.
fn next(head: &RequestHead<'_>) -> Option<ReturnPath> {
    let next = Parameters::of(head.target).value("next")?;
    Some(ReturnPath::parse(next.as_bytes()))
}

fn done() -> Reply {
    Reply::new(200, "duo_mfa_done".to_owned(), "application/json", b"{}".to_vec())
}
