//! What a held request waits for, and where each answer leads.

use super::failure::{self, Refusal, Remedy, Stage};
use super::hold::{self, Held};
use super::limit::{Claim, End, Verdict};
use super::refuse;
use super::{Call, Env, Event, Step};
use crate::clock::ClockOffset;
use crate::duo::{Answer, AuthFactor, DuoError, Fault, Outage, Request, Txid};
use crate::secret::Secret;
use crate::session::Factor;
use crate::signal::{Counter, Signal};
use std::time::Duration;

/// The shortest time between two looks at the same transaction.
const POLL_PACE: Duration = Duration::from_secs(1);

/// The shortest timeout of a call; 0 would mean none to Envoy.
const LEAST_TIMEOUT: Duration = Duration::from_millis(100);

/// A request that waits for Duo. It exists only while a call is outstanding.
#[derive(Debug)]
pub struct Flow {
    held: Held,
    expect: Expect,
}

/// A request that waits for leave to ring a phone: no push or call goes out without.
#[derive(Debug)]
pub struct Claimant {
    held: Held,
    prompt: Prompt,
}

/// The answer that is waited for, with exactly what is needed to go on from it.
#[derive(Debug)]
pub(super) enum Expect {
    /// What may the user do?
    Preauth,
    /// Is the passcode right?
    Passcode(Secret<String>),
    /// A push or a call is asked for; under which transaction does it run?
    Transaction(Prompt),
    /// What has the user answered?
    Status(Transaction),
    /// What time is it at Duo? Then the call that Duo refused for its date is made again.
    Clock(Box<Self>),
}

/// What is sent to a device so that its owner approves there.
#[derive(Clone, Debug)]
pub(super) struct Prompt {
    /// The factor that an approval will be of.
    pub(super) factor: Factor,
    /// What Duo is asked to do.
    pub(super) ask: AuthFactor,
}

/// A prompt that Duo has sent.
#[derive(Clone, Debug)]
pub(super) struct Transaction {
    /// The factor that an approval will be of.
    pub(super) factor: Factor,
    /// Duo's id of it.
    pub(super) txid: Txid,
}

impl Flow {
    /// Takes what came of the outstanding call and says what to do.
    #[must_use]
    pub fn handle(self, event: Event<'_>, env: &Env<'_>) -> Step {
        let Self { held, expect } = self;
        match expect {
            Expect::Preauth => match read(event, Answer::preauth) {
                Ok(reply) => hold::preauthorized(held, reply, env),
                Err(fault) => failed(held, Expect::Preauth, &fault, env),
            },
            Expect::Passcode(passcode) => match read(event, Answer::auth_decided) {
                Ok(status) => hold::passcode_checked(&held, &status, env),
                Err(fault) => failed(held, Expect::Passcode(passcode), &fault, env),
            },
            Expect::Transaction(prompt) => match read(event, Answer::auth_started) {
                Ok(txid) => {
                    let transaction = Transaction { factor: prompt.factor, txid };
                    send(held, Expect::Status(transaction), env)
                }
                Err(fault) => failed(held, Expect::Transaction(prompt), &fault, env),
            },
            Expect::Status(transaction) => match read(event, Answer::auth_status) {
                Ok(status) => hold::polled(held, transaction, &status, env),
                Err(fault) => failed(held, Expect::Status(transaction), &fault, env),
            },
            Expect::Clock(waiting) => match read(event, Answer::ping) {
                Ok(theirs) => {
                    let offset = ClockOffset::between(env.now, theirs);
                    let env = Env { offset, ..*env };
                    Step { offset: Some(offset), ..send(held, *waiting, &env) }
                }
                Err(fault) => failed(held, Expect::Clock(waiting), &fault, env),
            },
        }
    }
}

impl Claimant {
    /// Takes the verdict on the claim and says what to do.
    #[must_use]
    pub fn handle(self, verdict: Verdict, env: &Env<'_>) -> Step {
        let Self { held, prompt } = self;
        match verdict {
            Ok(()) => send(held, Expect::Transaction(prompt), env),
            Err(limited) => refuse::for_limit(&held, limited),
        }
    }
}

/// Asks for leave to send a prompt.
pub(super) fn claim(mut held: Held, prompt: Prompt, claim: Claim) -> Step {
    held.claim = Some(claim);
    Step::claim(claim, Claimant { held, prompt })
}

/// Makes the call whose answer is expected, at once.
pub(super) fn send(held: Held, expect: Expect, env: &Env<'_>) -> Step {
    send_after(Duration::ZERO, held, expect, env)
}

/// Looks at a transaction again, not sooner than the pace allows.
pub(super) fn poll(mut held: Held, transaction: Transaction, env: &Env<'_>) -> Step {
    let wait = POLL_PACE.saturating_sub(env.now.since(held.polled_at));
    held.polled_at = env.now.plus(wait);
    send_after(wait, held, Expect::Status(transaction), env)
}

fn send_after(wait: Duration, held: Held, expect: Expect, env: &Env<'_>) -> Step {
    let duo = &env.gate.config().duo;
    let due = env.now.plus(wait);
    let signed = request(&held, &expect).sign(&duo.credentials, due.shifted(env.offset));
    let timeout = match stage(&expect) {
        Stage::Status => duo.status_timeout.min(held.deadline.since(due)),
        Stage::Preauth | Stage::Passcode | Stage::Transaction | Stage::Clock => duo.timeout,
    };
    let call = Call { signed, timeout: timeout.max(LEAST_TIMEOUT), due };
    Step::call(call, Flow { held, expect })
}

fn request(held: &Held, expect: &Expect) -> Request {
    match expect {
        Expect::Preauth => held.preauth(),
        Expect::Passcode(passcode) => held.auth(AuthFactor::Passcode(passcode.clone())),
        Expect::Transaction(prompt) => held.auth(prompt.ask.clone()),
        Expect::Status(transaction) => Request::AuthStatus { txid: transaction.txid.clone() },
        Expect::Clock(_) => Request::Ping,
    }
}

const fn stage(expect: &Expect) -> Stage {
    match expect {
        Expect::Preauth => Stage::Preauth,
        Expect::Passcode(_) => Stage::Passcode,
        Expect::Transaction(_) => Stage::Transaction,
        Expect::Status(_) => Stage::Status,
        Expect::Clock(_) => Stage::Clock,
    }
}

fn failed(mut held: Held, expect: Expect, fault: &DuoError, env: &Env<'_>) -> Step {
    let stage = stage(&expect);
    let mut step = match failure::remedy(stage, fault, held.tries) {
        Remedy::Resend => {
            held.tries.resends = held.tries.resends.saturating_add(1);
            send(held, expect, env)
        }
        Remedy::CorrectClock => {
            held.tries.clock_corrections = held.tries.clock_corrections.saturating_add(1);
            send(held, Expect::Clock(Box::new(expect)), env)
        }
        Remedy::LookAgain(late) => look_again(held, expect, &late, fault, env),
        Remedy::Refuse(refusal) => {
            let settlement = unstarted(&expect, fault).and_then(|end| held.settlement(end));
            Step { settlement, ..refuse::for_fault(&held, &refusal, fault) }
        }
    };
    step.signals.push(Signal::Count(Counter::DuoFailures(stage.endpoint().name())));
    step
}

/// What a fault says of a prompt that was about to be sent.
fn unstarted(expect: &Expect, fault: &DuoError) -> Option<End> {
    match expect {
        Expect::Transaction(_) => {
            let is_sure = *fault == DuoError::Unreachable(Outage::NotSent);
            let may_have_started = fault.fault() == Fault::Duo && !is_sure;
            Some(if may_have_started { End::Lost } else { End::Unsent })
        }
        Expect::Clock(waiting) => {
            matches!(**waiting, Expect::Transaction(_)).then_some(End::Unsent)
        }
        Expect::Preauth | Expect::Passcode(_) | Expect::Status(_) => None,
    }
}

/// A lost look at a transaction ends nothing before the request's time is up.
fn look_again(held: Held, expect: Expect, late: &Refusal, fault: &DuoError, env: &Env<'_>) -> Step {
    match expect {
        Expect::Status(transaction) if !held.is_over(env.now) => poll(held, transaction, env),
        Expect::Preauth
        | Expect::Passcode(_)
        | Expect::Transaction(_)
        | Expect::Status(_)
        | Expect::Clock(_) => refuse::for_fault(&held, late, fault),
    }
}

/// The typed answer, or what stands in its place.
fn read<'a, T>(
    event: Event<'a>,
    parse: impl FnOnce(&Answer<'a>) -> Result<T, DuoError>,
) -> Result<T, DuoError> {
    match event {
        Event::Answered(answer) => parse(&answer),
        Event::Failed(why) => Err(why.into()),
    }
}
