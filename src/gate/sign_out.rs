//! The end of an approval: by `POST logout`, or by a request to one of `session.logout_paths`.

use super::audit;
use super::configured::Gate;
use super::decision::{Decision, End as RequestEnd, NewCookie};
use super::env::Env;
use super::limit::{End, Permit, Settlement, SingleUse};
use super::pending::{self, is_on_device};
use super::trail::Trail;
use crate::clock::UnixTime;
use crate::config::Config;
use crate::http::{HeaderValue, RequestHead};
use crate::identity::Identity;
use crate::session::{PENDING_LIFETIME, Subject};
use std::time::Duration;

/// The table of limits counts in whole seconds.
const A_SECOND: Duration = Duration::from_secs(1);

/// The changes of a sign-out.
#[derive(Debug, Default)]
pub(super) struct SignOut {
    /// Ends the sign-ins that led to the approvals, so that they give no further approval.
    pub(super) settlements: Vec<Settlement>,
    /// The `Set-Cookie` values that delete the cookies, without repetition.
    pub(super) deletions: Vec<HeaderValue>,
}

impl SignOut {
    /// Deletes every approval and pending sign-in of all Duo applications. A pending sign-in is
    /// only read if its user is known.
    pub(super) fn of(
        config: &Config,
        head: &RequestHead<'_>,
        subject: Option<&Subject<'_>>,
        now: UnixTime,
    ) -> Self {
        let mut out = Self::default();
        for application in config.applications.iter() {
            let sessions = &application.sessions;
            let sent = head.cookies.find(sessions.cookie_name()).once();
            let approval = sent.and_then(|value| sessions.sign_in(value));
            let pending = subject.and_then(|subject| {
                let pendings = &application.pendings;
                let token = pending::token(head, pendings.cookie_name())?;
                let pending = pendings.open(token, subject, now).ok()?;
                // No other kind leads to an approval later, or has a place in the table.
                is_on_device(&pending.kind).then(|| (pending.browser(), pending.created()))
            });
            let is_recent = |(_, began): &(_, UnixTime)| now <= began.plus(PENDING_LIFETIME);
            let ended = approval.into_iter().chain(pending).filter(is_recent);
            out.settlements.extend(ended.map(|(id, began)| ended_sign_in(id, began, now)));
        }
        out.deletions = deletions(config);
        out
    }

    /// Makes the response of a forwarded request delete the cookies.
    pub(super) fn end_in(
        self,
        mut decision: Decision,
        user: Option<&Identity>,
        trail: &Trail,
        env: &Env<'_>,
    ) -> Decision {
        if let RequestEnd::Forward(forward) = &mut decision.end {
            forward.cookie = Some(NewCookie::SignedOut(self.deletions));
        }
        decision.after(self.settlements).with([audit::signed_out(user, trail, env)])
    }
}

/// The `Set-Cookie` values that delete all approvals and pending sign-ins, without repetition.
pub(super) fn deletions(config: &Config) -> Vec<HeaderValue> {
    let mut lines = Vec::new();
    for application in config.applications.iter() {
        let attempts = application.duo.universal().map(|_| application.attempts.deletion());
        let own = [application.sessions.deletion(), application.pendings.deletion()];
        for line in own.into_iter().chain(attempts) {
            // Applications may share their approvals.
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    // The per-request approvals of all applications have the same cookie name.
    lines.push(config.applications.main.per_request.deletion());
    lines
}

fn ended_sign_in(id: [u8; 16], began: UnixTime, now: UnixTime) -> Settlement {
    Settlement { permit: single_use(id, began, now), end: End::Lost }
}

/// The permit for the single use of a sign-in. A sign-in can be finished until some minutes after
/// it began.
pub(super) fn single_use(id: [u8; 16], began: UnixTime, now: UnixTime) -> Permit {
    let left = began.plus(PENDING_LIFETIME).since(now);
    Permit::single_use(SingleUse::SignIn, id, left.saturating_add(A_SECOND))
}

impl Gate {
    /// Whether the request is for an address that ends the approval, in exactly that spelling.
    pub(super) fn is_sign_out(&self, head: &RequestHead<'_>) -> bool {
        let paths = &self.config().logout_paths;
        !paths.is_empty() && paths.iter().any(|path| path.as_bytes() == head.path())
    }
}
