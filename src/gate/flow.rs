//! What a request waits for, and where each answer leads.

use super::asker::Asker;
use super::failure::{self, Refusal, Remedy, Stage, Standby, TIMEOUT};
use super::hold::Held;
use super::limit::{End, Settlement, Verdict};
use super::operation::Spending;
use super::party::Party;
use super::prompt::{self, Prompt, Transaction};
use super::refuse;
use super::visit::Allowed;
use super::{Call, Contact, Env, Event, Learned, Step};
use crate::clock::ClockOffset;
use crate::duo::{Answer, AuthFactor, Device, DuoError, EnrollStatus, Fault, Outage, Request};
use crate::secret::Secret;
use crate::session::Factor;
use crate::signal::{Code, Counter, Signal};
use std::time::Duration;

/// The shortest time between two looks at the same transaction.
pub(super) const POLL_PACE: Duration = Duration::from_secs(1);

/// The shortest timeout of a call; 0 would mean none to Envoy.
const LEAST_TIMEOUT: Duration = Duration::from_millis(100);

/// A request that waits for Duo. It exists only while a call is outstanding.
#[derive(Debug)]
pub struct Flow {
    party: Party,
    expect: Expect,
}

/// A request that waits for leave: no push, call or text goes out without, no passcode is tried,
/// and nothing that is good once is given.
#[derive(Debug)]
pub struct Claimant(Wish);

/// What leave is wanted for.
#[derive(Debug)]
enum Wish {
    /// To ring a phone, or to try a passcode.
    Prompt(Party, Prompt),
    /// To give out the approval of a sign-in.
    Approval(Box<Allowed>),
    /// To use the approval of an operation.
    Operation(Box<Spending>),
}

/// The answer that is waited for, with exactly what is needed to go on from it.
#[derive(Debug)]
pub(super) enum Expect {
    /// What may the user do?
    Preauth,
    /// Is the passcode right?
    Passcode(Secret<String>),
    /// Passcodes are to be sent by text message; were they?
    Codes(Prompt),
    /// A push or a call is asked for; under which transaction does it run?
    Transaction(Prompt),
    /// What has the user answered?
    Status(Transaction),
    /// A user is to be made at Duo; how is a device activated?
    Enroll,
    /// Was the activation code used?
    Activation(EnrollStatus),
    /// What time is it at Duo? Then the call that Duo refused for its date is made again.
    Clock(Box<Self>),
}

impl Flow {
    /// The number of the Duo application that is asked.
    #[must_use]
    pub fn application(&self) -> usize {
        self.party.asker().terms.application
    }

    /// Takes what came of the outstanding call and says what to do.
    #[must_use]
    pub fn handle(self, event: Event<'_>, env: &Env<'_>) -> Step {
        let application = self.application();
        let mut step = self.lead(event, env);
        let contact = Contact::Heard;
        step.learned.get_or_insert(Learned { application, contact, offset: None });
        step
    }

    fn lead(self, event: Event<'_>, env: &Env<'_>) -> Step {
        let Self { party, expect } = self;
        match expect {
            Expect::Preauth => match event.read(Answer::preauth) {
                Ok(reply) => party.preauthorized(reply, env),
                Err(fault) => failed(party, Expect::Preauth, &fault, env),
            },
            Expect::Passcode(passcode) => match event.read(Answer::auth_decided) {
                Ok(status) => party.passcode_checked(&status, env),
                Err(fault) => failed(party, Expect::Passcode(passcode), &fault, env),
            },
            Expect::Codes(prompt) => match event.read(Answer::auth_decided) {
                Ok(status) => party.codes_sent(&status, env),
                Err(fault) => failed(party, Expect::Codes(prompt), &fault, env),
            },
            Expect::Transaction(prompt) => match event.read(Answer::auth_started) {
                Ok(txid) => party.started(Transaction { factor: prompt.factor, txid }, env),
                Err(fault) => failed(party, Expect::Transaction(prompt), &fault, env),
            },
            Expect::Status(transaction) => match event.read(Answer::auth_status) {
                Ok(status) => party.polled(transaction, &status, env),
                Err(fault) => failed(party, Expect::Status(transaction), &fault, env),
            },
            Expect::Enroll => match event.read(Answer::enroll) {
                Ok(enrollment) => party.enrolled(&enrollment, env),
                Err(fault) => failed(party, Expect::Enroll, &fault, env),
            },
            Expect::Activation(code) => match event.read(Answer::enroll_status) {
                Ok(state) => party.activated(state, env),
                Err(fault) => failed(party, Expect::Activation(code), &fault, env),
            },
            Expect::Clock(waiting) => match event.read(Answer::ping) {
                Ok(theirs) => {
                    let ahead = ClockOffset::between(env.now, theirs);
                    let application = party.asker().terms.application;
                    let (contact, offset) = (Contact::Heard, Some(ahead));
                    let learned = Learned { application, contact, offset };
                    let step = call_after(Duration::ZERO, party, *waiting, ahead, env);
                    Step { learned: Some(learned), ..step }
                }
                Err(fault) => failed(party, Expect::Clock(waiting), &fault, env),
            },
        }
    }
}

impl Claimant {
    /// Takes the verdict on the claim and says what to do.
    #[must_use]
    pub fn handle(self, verdict: Verdict, env: &Env<'_>) -> Step {
        match (self.0, verdict) {
            (Wish::Prompt(party, prompt), Ok(())) => {
                let expect = match prompt.ask {
                    AuthFactor::Sms { .. } => Expect::Codes(prompt),
                    AuthFactor::Passcode(passcode) => Expect::Passcode(passcode),
                    AuthFactor::Push { .. } | AuthFactor::Phone { .. } => {
                        Expect::Transaction(prompt)
                    }
                };
                send(party, expect, env)
            }
            (Wish::Prompt(party, _), Err(limited)) => refuse::for_limit(&party, limited, env),
            (Wish::Approval(allowed), verdict) => allowed.claimed(verdict, env),
            (Wish::Operation(spending), verdict) => spending.claimed(verdict),
        }
    }
}

impl From<Allowed> for Claimant {
    fn from(allowed: Allowed) -> Self {
        Self(Wish::Approval(Box::new(allowed)))
    }
}

impl From<Spending> for Claimant {
    fn from(spending: Spending) -> Self {
        Self(Wish::Operation(Box::new(spending)))
    }
}

/// Asks for leave to send a prompt; `owner` is random and stands for this one.
pub(super) fn claim(
    party: impl Into<Party>,
    prompt: Prompt,
    owner: [u8; 16],
    env: &Env<'_>,
) -> Step {
    let mut party = party.into();
    let claim = prompt::claim(party.asker(), prompt.device(), owner, env.gate.config());
    party.asker_mut().claim = Some(claim);
    Step::claim(claim, Claimant(Wish::Prompt(party, prompt)))
}

/// Asks for leave to try a passcode of a user who has these devices.
pub(super) fn try_passcode(
    party: impl Into<Party>,
    passcode: Secret<String>,
    devices: &[Device],
    env: &Env<'_>,
) -> Step {
    let mut party = party.into();
    let claim = prompt::passcode_claim(party.asker(), devices, env.gate.config());
    party.asker_mut().passcode_claim = Some(claim);
    let prompt = Prompt { factor: Factor::Passcode, ask: AuthFactor::Passcode(passcode) };
    Step::claim(claim, Claimant(Wish::Prompt(party, prompt)))
}

/// Makes the call whose answer is expected, at once.
pub(super) fn send(party: impl Into<Party>, expect: Expect, env: &Env<'_>) -> Step {
    send_after(Duration::ZERO, party.into(), expect, env)
}

/// Looks at a transaction again, not sooner than the pace allows.
pub(super) fn poll(mut held: Held, transaction: Transaction, env: &Env<'_>) -> Step {
    let wait = POLL_PACE.saturating_sub(env.now.since(held.polled_at));
    held.polled_at = env.now.plus(wait);
    send_after(wait, held.into(), Expect::Status(transaction), env)
}

fn send_after(wait: Duration, party: Party, expect: Expect, env: &Env<'_>) -> Step {
    let offset = env.offset(party.asker().terms.application);
    call_after(wait, party, expect, offset, env)
}

fn call_after(
    wait: Duration,
    party: Party,
    expect: Expect,
    offset: ClockOffset,
    env: &Env<'_>,
) -> Step {
    let terms = &party.asker().terms;
    let duo = &env.gate.application(terms).duo;
    let due = env.now.plus(wait);
    let signed = request(&party, &expect).sign(&duo.credentials, due.shifted(offset));
    let timeout = match stage(&expect) {
        Stage::Status => duo.status_timeout.min(party.patience(due)),
        Stage::Preauth
        | Stage::Passcode
        | Stage::Transaction
        | Stage::Enroll
        | Stage::Activation
        | Stage::Clock => duo.timeout,
    };
    let application = terms.application;
    let call = Call { application, signed, timeout: timeout.max(LEAST_TIMEOUT), due };
    Step::call(call, Flow { party, expect })
}

fn request(party: &Party, expect: &Expect) -> Request {
    let asker = party.asker();
    match expect {
        Expect::Preauth => asker.preauth(party.device_token()),
        Expect::Passcode(passcode) => asker.auth(AuthFactor::Passcode(passcode.clone())),
        Expect::Codes(prompt) | Expect::Transaction(prompt) => asker.auth(prompt.ask.clone()),
        Expect::Status(transaction) => Request::AuthStatus { txid: transaction.txid.clone() },
        Expect::Enroll => asker.enroll(),
        Expect::Activation(code) => Request::EnrollStatus(code.clone()),
        Expect::Clock(_) => Request::Ping,
    }
}

const fn stage(expect: &Expect) -> Stage {
    match expect {
        Expect::Preauth => Stage::Preauth,
        Expect::Passcode(_) => Stage::Passcode,
        Expect::Codes(_) | Expect::Transaction(_) => Stage::Transaction,
        Expect::Status(_) => Stage::Status,
        Expect::Enroll => Stage::Enroll,
        Expect::Activation(_) => Stage::Activation,
        Expect::Clock(_) => Stage::Clock,
    }
}

fn failed(mut party: Party, expect: Expect, fault: &DuoError, env: &Env<'_>) -> Step {
    let stage = stage(&expect);
    let application = party.asker().terms.application;
    let standby = Standby {
        fail_mode: env.gate.fail_mode(&party.asker().terms),
        unreached_since: env.unreached_since(application),
    };
    let tries = &mut party.asker_mut().tries;
    let mut step = match failure::remedy(stage, fault, *tries, standby) {
        Remedy::Resend => {
            tries.resends = tries.resends.saturating_add(1);
            send(party, expect, env)
        }
        Remedy::CorrectClock => {
            tries.clock_corrections = tries.clock_corrections.saturating_add(1);
            send(party, Expect::Clock(Box::new(expect)), env)
        }
        Remedy::Admit { unreached_since } => {
            party.asker_mut().unreached_since = Some(unreached_since);
            party.unverified(env)
        }
        Remedy::LookAgain(late) => look_again(party, expect, &late, fault, env),
        Remedy::Refuse(refusal) => {
            if refusal.code == Code::PasscodeIncorrect {
                party.count_try(env);
            }
            let settlements = unstarted(party.asker(), &expect, fault).into_iter().collect();
            Step { settlements, ..refuse::for_fault(&party, &refusal, fault, env) }
        }
    };
    let endpoint = stage.endpoint().name();
    let counter = if *fault == DuoError::Overflow {
        Counter::Overflows(endpoint)
    } else {
        Counter::DuoFailures(endpoint)
    };
    step.signals.push(Signal::Count(counter));
    step.learned = Some(Learned { application, contact: Contact::of(fault), offset: None });
    step
}

/// What a fault says of a prompt that was about to be sent, or of a passcode about to be tried.
fn unstarted(asker: &Asker, expect: &Expect, fault: &DuoError) -> Option<Settlement> {
    let is_sure = matches!(fault, DuoError::Unreachable(Outage::NotSent) | DuoError::Overflow);
    match expect {
        Expect::Codes(_) | Expect::Transaction(_) => {
            let may_have_started = fault.fault() == Fault::Duo && !is_sure;
            let end = if may_have_started { End::Lost } else { End::Unsent };
            asker.claim.map(|claim| Settlement { claim, end })
        }
        Expect::Passcode(_) => {
            let is_untried = is_sure || fault.fault() == Fault::Operator;
            let end = if is_untried { End::Unsent } else { End::Lost };
            asker.passcode_claim.map(|claim| Settlement { claim, end })
        }
        Expect::Clock(waiting) => match **waiting {
            Expect::Preauth
            | Expect::Status(_)
            | Expect::Enroll
            | Expect::Activation(_)
            | Expect::Clock(_) => None,
            Expect::Codes(_) | Expect::Transaction(_) => asker.claim,
            Expect::Passcode(_) => asker.passcode_claim,
        }
        .map(|claim| Settlement { claim, end: End::Unsent }),
        Expect::Preauth | Expect::Status(_) | Expect::Enroll | Expect::Activation(_) => None,
    }
}

/// A lost look at a transaction ends nothing before the time for an answer is up.
fn look_again(
    party: Party,
    expect: Expect,
    late: &Refusal,
    fault: &DuoError,
    env: &Env<'_>,
) -> Step {
    let is_over = party.asker().is_over(env.now);
    match (expect, party) {
        (Expect::Status(transaction), Party::Held(held)) if !is_over => {
            poll(*held, transaction, env)
        }
        // Whoever visits looks again by coming back.
        (Expect::Status(transaction), Party::Visit(visit)) if !is_over || *late == TIMEOUT => {
            visit.saw_nothing(transaction.factor, env)
        }
        (_, party) => refuse::for_fault(&party, late, fault, env),
    }
}
