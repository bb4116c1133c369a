//! The user's last prompt, if its end is unknown: the filter asks Duo once before the phone may
//! ring again.
//!
//! Its end counts as if a request had waited for it: a denial starts its cool-down, with its
//! counter and its log line. If Duo responds that it is still waiting, or does not respond, the
//! phone does not ring. A program that left and sends the same request again waits for that prompt,
//! instead of a new one.

use super::audit;
use super::call::Question;
use super::decision::Notes;
use super::env::Env;
use super::factors::is_accepted;
use super::limit::{End, Limit, Limited, Permit, Settlement, Unheard};
use super::prompt::{Ending, Prompt, Transaction};
use super::trail::Trail;
use crate::duo::{AuthResult, AuthStatus, Credentials, DuoError, Request, Status, Txid};
use crate::policy::Terms;
use crate::session::ApprovedBy;
use crate::signal::{Code, Counter, Signal};
use std::sync::Arc;
use std::time::Duration;

/// The timeout of Duo's response while the prompt may still be on the phone. Duo responds at once
/// about a transaction that has ended, and late about one that is waiting. So no response means
/// that it is waiting.
const WHILE_PENDING: Duration = Duration::from_secs(2);

/// A prompt to send after a permit is granted.
#[derive(Debug)]
pub(super) struct Asking<W> {
    /// The request that waits for it.
    pub(super) waiter: W,
    pub(super) prompt: Prompt,
    pub(super) permit: Permit,
    /// Whether Duo was asked how the last prompt ended. Each request asks at most once.
    pub(super) has_looked: bool,
}

/// A question to Duo about the last prompt.
#[derive(Debug)]
pub(super) struct Look<W> {
    /// The prompt to send after the last one has ended.
    pub(super) asking: Asking<W>,
    unheard: Unheard,
    /// The number of the Duo application that has the transaction.
    pub(super) application: usize,
    credentials: Arc<Credentials>,
    txid: Txid,
}

/// The next step after the last prompt was found.
pub(super) enum Then<W> {
    /// Ask Duo how it ended.
    Look(Look<W>),
    /// Request the permit again.
    Permit(Asking<W>),
    /// Refuse: the phone must not ring.
    Refuse(W, Limited),
}

impl<W> Asking<W> {
    pub(super) const fn new(waiter: W, prompt: Prompt, permit: Permit) -> Self {
        Self { waiter, prompt, permit, has_looked: false }
    }

    /// Handles a refused permit.
    pub(super) fn stopped(mut self, limited: Limited, env: &Env<'_>) -> (Then<W>, Notes) {
        match limited.unheard {
            Some(unheard) if !self.has_looked => {
                self.has_looked = true;
                look(self, *unheard, env)
            }
            unheard => {
                let limited = Limited { unheard, ..limited };
                (Then::Refuse(self.waiter, limited), Notes::default())
            }
        }
    }
}

impl<W> Look<W> {
    pub(super) fn question(&self) -> Question {
        let request = Request::AuthStatus { txid: self.txid.clone() };
        Question::AuthApi(Arc::clone(&self.credentials), request)
    }

    /// The timeout of the question; `usual` is the timeout of other calls.
    pub(super) fn timeout(&self, usual: Duration, env: &Env<'_>) -> Duration {
        let is_pending =
            self.unheard.unfound(env.now).is_some_and(|limited| limited.limit == Limit::Pending);
        if is_pending { WHILE_PENDING.min(usual) } else { usual }
    }

    /// Handles Duo's response about the last prompt. `trail` is that of the waiting request.
    pub(super) fn heard(
        self,
        status: &AuthStatus,
        trail: &Trail,
        env: &Env<'_>,
    ) -> (Then<W>, Notes) {
        let Self { asking, unheard, application, .. } = self;
        let ending = match (status.result, &status.status) {
            (AuthResult::Allow, _) => {
                let (end, limited) = unheard.allowed(env.now);
                return settled(asking, &unheard, end, limited);
            }
            (AuthResult::Waiting, Status::Timeout) | (AuthResult::Deny, _) => {
                Ending::of(&status.status)
            }
            (AuthResult::Waiting, _) => return waits(asking, &unheard, env),
        };
        let (then, mut notes) = settled(asking, &unheard, ending.settled(), None);
        if let Some(code) = code(ending) {
            let name = env.gate.config().applications.get(application).name.as_deref();
            let word = status.status.as_str();
            notes.signals.push(Signal::Count(Counter::Refused(code)));
            let (prompted, end) = (&unheard.prompted, (code, word));
            notes.signals.push(audit::heard_late(prompted, name, end, trail, env));
        }
        (then, notes)
    }

    /// Handles a failed question about the last prompt.
    pub(super) fn unheard(self, fault: &DuoError, env: &Env<'_>) -> (Then<W>, Notes) {
        if matches!(fault, DuoError::Unreachable(outage) if outage.is_timeout()) {
            waits(self.asking, &self.unheard, env)
        } else {
            unfound(self.asking, &self.unheard, env)
        }
    }
}

/// Takes over the last prompt, since the same request waited for it and left. `None` if the terms
/// do not accept its factor, or its transaction is unknown.
pub(super) fn take_up(
    permit: Permit,
    unheard: &Unheard,
    terms: &Terms,
) -> Option<(Transaction, Permit)> {
    let (factor, txid) = (unheard.prompted.factor(), unheard.prompted.txid()?);
    is_accepted(ApprovedBy::Factor(factor), terms)
        .then(|| (Transaction { factor, txid }, permit.of_last(unheard)))
}

fn look<W>(asking: Asking<W>, unheard: Unheard, env: &Env<'_>) -> (Then<W>, Notes) {
    let tag = unheard.prompted.application();
    let application = env.gate.config().applications.with_tag(tag);
    match (application, unheard.prompted.txid()) {
        (Some((application, credentials)), Some(txid)) => {
            let credentials = Arc::clone(credentials);
            let look = Look { asking, unheard, application, credentials, txid };
            (Then::Look(look), Notes::default())
        }
        // Another configuration of this Envoy sent it, for an application that this one does not
        // have.
        _ => unfound(asking, &unheard, env),
    }
}

fn waits<W>(asking: Asking<W>, unheard: &Unheard, env: &Env<'_>) -> (Then<W>, Notes) {
    or_settled(asking, unheard, unheard.waits(env.now))
}

fn unfound<W>(asking: Asking<W>, unheard: &Unheard, env: &Env<'_>) -> (Then<W>, Notes) {
    or_settled(asking, unheard, unheard.unfound(env.now))
}

fn or_settled<W>(
    asking: Asking<W>,
    unheard: &Unheard,
    limited: Option<Limited>,
) -> (Then<W>, Notes) {
    match limited {
        // By now the filter may know that its client has left.
        Some(_) if unheard.is_same => (Then::Permit(asking), Notes::default()),
        Some(limited) => (Then::Refuse(asking.waiter, limited), Notes::default()),
        None => settled(asking, unheard, End::Unfound, None),
    }
}

/// Records how the last prompt ended, and requests the permit again, unless it is still limited.
fn settled<W>(
    asking: Asking<W>,
    unheard: &Unheard,
    end: End,
    limited: Option<Limited>,
) -> (Then<W>, Notes) {
    let settlement = Settlement { permit: asking.permit.of_last(unheard), end };
    let then = match limited {
        Some(limited) => Then::Refuse(asking.waiter, limited),
        None => Then::Permit(asking),
    };
    (then, Notes { settlements: vec![settlement], ..Notes::default() })
}

/// The code to count for a prompt that nobody waited for. `None` if such an end refuses nobody.
const fn code(ending: Ending) -> Option<Code> {
    match ending {
        Ending::TimedOut => Some(Code::MfaTimeout),
        Ending::Fraud => Some(Code::MfaFraud),
        Ending::LockedOut => Some(Code::MfaLockedOut),
        Ending::Denied => Some(Code::MfaDenied),
        Ending::CodesSent => None,
    }
}
