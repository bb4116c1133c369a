//! The pending sign-in that a client carries from one request to the next.

use super::challenge::Challenge;
use super::env::Env;
use crate::http::{RequestHead, ReturnPath};
use crate::session::{Pending, PendingKind, Pendings};

/// The header in which a client without cookies sends the pending sign-in.
const TRANSACTION_HEADER: &str = "x-duo-mfa-transaction";

/// The token of the pending sign-in in a request: in the header, or in this cookie.
pub(super) fn token<'a>(head: &RequestHead<'a>, cookie: &str) -> Option<&'a [u8]> {
    head.value(TRANSACTION_HEADER).or_else(|| head.cookies.find(cookie).once())
}

/// The user's pending sign-in in a request.
pub(super) fn open(
    head: &RequestHead<'_>,
    pendings: &Pendings,
    challenge: &Challenge,
    env: &Env<'_>,
) -> Option<Pending> {
    let token = token(head, pendings.cookie_name())?;
    pendings.open(token, &challenge.subject(), env.now).ok()
}

/// The return path of the last sign-in that was begun, for any Duo application.
pub(super) fn return_path(
    head: &RequestHead<'_>,
    challenge: &Challenge,
    env: &Env<'_>,
) -> Option<ReturnPath> {
    let applications = env.gate.config().applications.iter();
    let pending = applications.filter_map(|it| open(head, &it.pendings, challenge, env));
    Some(pending.max_by_key(Pending::created)?.return_path)
}

/// Whether the sign-in waits for an answer on the device.
pub(super) const fn is_on_device(kind: &PendingKind) -> bool {
    match kind {
        PendingKind::Push | PendingKind::Phone => true,
        PendingKind::Sms | PendingKind::Passcode | PendingKind::Enrollment(_) => false,
    }
}
