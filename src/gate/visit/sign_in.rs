//! A sign-in as its client carries it from one visit to the next.

use super::{Visit, sent};
use crate::gate::Env;
use crate::gate::asker::Asker;
use crate::gate::failure::Refusal;
use crate::gate::limit::{Claim, End, Settlement};
use crate::gate::sign_out::once;
use crate::http::{RequestHead, ReturnPath};
use crate::session::{Pending, PendingKind, Pendings, Token};
use crate::signal::Code;

/// A client without cookies sends the pending sign-in in this header.
const TRANSACTION_HEADER: &str = "x-duo-mfa-transaction";

/// What a request is told that belongs to no sign-in, or to one that is over.
pub(super) const GONE: Refusal = Refusal {
    code: Code::BadRequest,
    detail: "No sign-in is waiting here: it has ended, or never began. Start again.",
    retry_after: None,
};

/// What the client has of a sign-in: in the header, where it keeps no cookies, or in this cookie.
pub(in crate::gate) fn transaction<'a>(head: &RequestHead<'a>, cookie: &str) -> Option<&'a [u8]> {
    head.value(TRANSACTION_HEADER).or_else(|| sent(head, cookie))
}

/// The sign-in of this user that came with the request, where it is one of these.
pub(super) fn begun(
    head: &RequestHead<'_>,
    pendings: &Pendings,
    asker: &Asker,
    env: &Env<'_>,
) -> Option<Pending> {
    let token = transaction(head, pendings.cookie_name())?;
    pendings.open(token, &asker.subject(), env.now).ok()
}

/// Where the sign-in leads to that was begun last, for whichever application.
pub(super) fn way_back(head: &RequestHead<'_>, asker: &Asker, env: &Env<'_>) -> Option<ReturnPath> {
    let applications = env.gate.config().applications.iter();
    let begun = applications.filter_map(|it| begun(head, &it.pendings, asker, env));
    Some(begun.max_by_key(Pending::created)?.return_path)
}

impl Visit {
    /// Puts a sign-in into the answer, for the next visit.
    pub(super) fn hand_out(&mut self, pending: Pending, env: &Env<'_>) {
        let pendings = &env.gate.application(&self.asker.terms).pendings;
        let token = pendings.seal(&pending, &self.asker.subject());
        self.cookies.push(pendings.set_cookie(&token));
        self.token = Some(token);
        self.pending = Some(pending);
    }

    /// Has the browser forget the sign-in.
    pub(super) fn forget(&mut self, env: &Env<'_>) {
        self.followed = None;
        self.cookies.push(env.gate.application(&self.asker.terms).pendings.deletion());
    }

    /// Random bytes that stand for the sign-in of this browser.
    pub(in crate::gate) fn browser(&self) -> Option<[u8; 16]> {
        self.pending.as_ref().map(Pending::browser)
    }

    /// The sign-in of this browser, for the table of what is good once; `None` where nothing waits
    /// on a device. So each place in the table has cost a prompt.
    pub(super) fn once(&self, env: &Env<'_>) -> Option<Claim> {
        let pending = self.pending.as_ref().filter(|pending| is_on_device(&pending.kind))?;
        Some(once(pending.browser(), pending.created(), env.now))
    }

    /// Has the sign-in of this browser be over, whatever Duo says of it.
    pub(super) fn over(&self, env: &Env<'_>) -> Option<Settlement> {
        self.once(env).map(|claim| Settlement { claim, end: End::Lost })
    }

    /// The pending sign-in in words, for a client that may keep no cookies: it is no browser, or it
    /// brought none of ours. Node's `fetch` and many wrappers of it keep none.
    pub(super) fn transaction(&self) -> Option<&str> {
        let has_cookie = self.keeps_cookies && self.view.is_browser();
        self.token.as_ref().filter(|_| !has_cookie).map(Token::as_str)
    }
}

/// Whether a sign-in waits for an answer on the device.
pub(in crate::gate) const fn is_on_device(kind: &PendingKind) -> bool {
    match kind {
        PendingKind::Push | PendingKind::Phone => true,
        PendingKind::Sms | PendingKind::Passcode | PendingKind::Enrollment(_) => false,
    }
}
