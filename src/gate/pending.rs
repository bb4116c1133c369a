//! The pending sign-in that a client carries from one request to the next.

use super::challenge::Challenge;
use super::env::Env;
use crate::http::{RequestHead, ReturnPath};
use crate::session::{Pending, PendingKind, Pendings};

/// A client without cookies sends the pending sign-in in this header.
const TRANSACTION_HEADER: &str = "x-duo-mfa-transaction";

/// The sealed sign-in that came with a request: in the header, or in this cookie.
pub(super) fn token<'a>(head: &RequestHead<'a>, cookie: &str) -> Option<&'a [u8]> {
    head.value(TRANSACTION_HEADER).or_else(|| head.cookies.find(cookie).once())
}

/// The user's pending sign-in that came with a request.
pub(super) fn open(
    head: &RequestHead<'_>,
    pendings: &Pendings,
    challenge: &Challenge,
    env: &Env<'_>,
) -> Option<Pending> {
    let token = token(head, pendings.cookie_name())?;
    pendings.open(token, &challenge.subject(), env.now).ok()
}

/// Where the sign-in leads that was begun last, for whichever Duo application.
pub(super) fn return_path(
    head: &RequestHead<'_>,
    challenge: &Challenge,
    env: &Env<'_>,
) -> Option<ReturnPath> {
    let applications = env.gate.config().applications.iter();
    let pending = applications.filter_map(|it| open(head, &it.pendings, challenge, env));
    Some(pending.max_by_key(Pending::created)?.return_path)
}

/// Whether a sign-in waits for an answer on the device.
pub(super) const fn is_on_device(kind: &PendingKind) -> bool {
    match kind {
        PendingKind::Push | PendingKind::Phone => true,
        PendingKind::Sms | PendingKind::Passcode | PendingKind::Enrollment(_) => false,
    }
}
