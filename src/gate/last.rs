//! The user's last prompt, where nobody has heard how it ended: Duo is asked once before the phone
//! may ring again.
//!
//! Its end counts as if somebody had waited for it: a denial starts its cool-down, with its counter
//! and its log line. Where Duo says that it still waits, or does not say, the phone does not ring.
//! A program that left and sends the same request again waits for that prompt, instead of another.

use super::expect::Expect;
use super::failure::TIMEOUT;
use super::flow::{ask_again, poll_at_once, send};
use super::limit::{End, Limit, Limited, Settlement, Unheard};
use super::party::Party;
use super::prompt::{Ending, Prompt, Transaction};
use super::rules::is_accepted;
use super::{Env, Step, audit, refuse};
use crate::duo::{AuthResult, AuthStatus, DuoError, Status, Txid};
use crate::signal::{Code, Counter, Signal};
use std::time::Duration;

/// How long Duo may take to answer while the prompt may be on the phone. It answers a transaction
/// at once that has ended, and one that waits when that changes, so no answer means that it waits.
const WHILE_PENDING: Duration = Duration::from_secs(2);

/// A question to Duo about the last prompt.
#[derive(Debug)]
pub(super) struct Look {
    /// What is to be sent once the last prompt is over.
    prompt: Prompt,
    unheard: Unheard,
    /// The number of the Duo application that knows the transaction.
    pub(super) application: usize,
    pub(super) txid: Txid,
}

impl Look {
    /// How long Duo may take to answer; `usual` is the time for other calls.
    pub(super) fn timeout(&self, usual: Duration, env: &Env<'_>) -> Duration {
        let is_pending =
            self.unheard.unfound(env.now).is_some_and(|limited| limited.limit == Limit::Pending);
        if is_pending { WHILE_PENDING.min(usual) } else { usual }
    }
}

/// Another prompt was not granted.
pub(super) fn stopped(mut party: Party, prompt: Prompt, limited: Limited, env: &Env<'_>) -> Step {
    let asker = party.asker_mut();
    match limited.unheard {
        Some(unheard) if !asker.has_looked => {
            asker.has_looked = true;
            look(party, prompt, *unheard, env)
        }
        _ => refuse::for_limit(&party, &limited, env),
    }
}

/// The same request waited for the last prompt and left: this one waits for it instead.
pub(super) fn take_up(mut party: Party, unheard: &Unheard, env: &Env<'_>) -> Step {
    let asker = party.asker_mut();
    asker.claim = asker.claim.map(|claim| claim.of_last(unheard));
    let factor = unheard.prompted.factor();
    match (party, unheard.prompted.txid()) {
        (Party::Held(held), Some(txid)) if is_accepted(factor, &held.asker.terms) => {
            poll_at_once(*held, Transaction { factor, txid }, env)
        }
        (party, _) => refuse::refuse_with(&party, &TIMEOUT, "", env),
    }
}

fn look(party: Party, prompt: Prompt, unheard: Unheard, env: &Env<'_>) -> Step {
    let tag = unheard.prompted.application();
    let application = env.gate.config().applications.with_tag(tag);
    match (application, unheard.prompted.txid()) {
        (Some(application), Some(txid)) => {
            let look = Look { prompt, unheard, application, txid };
            send(party, Expect::Last(Box::new(look)), env)
        }
        // Another configuration of this Envoy has sent it, for an application that is not here.
        _ => unfound(party, prompt, &unheard, env),
    }
}

/// Duo has said how the last prompt stands.
pub(super) fn heard(party: Party, look: Look, status: &AuthStatus, env: &Env<'_>) -> Step {
    let Look { prompt, unheard, application, .. } = look;
    let ending = match (status.result, &status.status) {
        (AuthResult::Allow, _) => {
            return settled(party, prompt, &unheard, End::Allowed, env);
        }
        (AuthResult::Waiting, Status::Timeout) | (AuthResult::Deny, _) => {
            Ending::of(&status.status)
        }
        (AuthResult::Waiting, _) => return waits(party, prompt, &unheard, env),
    };
    let mut signals = Vec::new();
    if let Some(code) = code(ending) {
        let name = env.gate.config().applications.get(application).name.as_deref();
        let word = status.status.as_str();
        signals.push(Signal::Count(Counter::Refused(code)));
        signals.push(audit::heard_late(
            &unheard.prompted,
            name,
            code,
            word,
            &party.asker().reference,
        ));
    }
    let mut step = settled(party, prompt, &unheard, ending.settled(), env);
    step.signals.extend(signals);
    step
}

/// Duo has not said how the last prompt stands.
pub(super) fn unheard(party: Party, look: Look, fault: &DuoError, env: &Env<'_>) -> Step {
    let Look { prompt, unheard, .. } = look;
    if let DuoError::Unreachable(outage) = fault
        && outage.is_timeout()
    {
        return waits(party, prompt, &unheard, env);
    }
    unfound(party, prompt, &unheard, env)
}

fn waits(party: Party, prompt: Prompt, unheard: &Unheard, env: &Env<'_>) -> Step {
    match unheard.waits(env.now) {
        // Meanwhile its client may be known to have left.
        Some(_) if unheard.is_same => ask_again(party, prompt, env),
        Some(limited) => refuse::for_limit(&party, &limited, env),
        None => settled(party, prompt, unheard, End::Unfound, env),
    }
}

fn unfound(party: Party, prompt: Prompt, unheard: &Unheard, env: &Env<'_>) -> Step {
    match unheard.unfound(env.now) {
        Some(_) if unheard.is_same => ask_again(party, prompt, env),
        Some(limited) => refuse::for_limit(&party, &limited, env),
        None => settled(party, prompt, unheard, End::Unfound, env),
    }
}

/// Writes down how the last prompt ended, and asks for the permit again.
fn settled(party: Party, prompt: Prompt, unheard: &Unheard, end: End, env: &Env<'_>) -> Step {
    let claim = party.asker().claim.map(|claim| claim.of_last(unheard));
    let settlements = claim.map(|claim| Settlement { claim, end }).into_iter().collect();
    Step { settlements, ..ask_again(party, prompt, env) }
}

/// What is counted of an end that nobody waited for. `None` where nobody was refused by it.
const fn code(ending: Ending) -> Option<Code> {
    match ending {
        Ending::TimedOut => Some(Code::MfaTimeout),
        Ending::Fraud => Some(Code::MfaFraud),
        Ending::LockedOut => Some(Code::MfaLockedOut),
        Ending::Denied => Some(Code::MfaDenied),
        Ending::CodesSent => None,
    }
}
