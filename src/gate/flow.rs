//! What a request waits for, and where each answer leads.

use super::expect::Expect;
use super::failure::{self, Refusal, Remedy, Stage, Standby, TIMEOUT};
use super::hold::{self, Held};
use super::last;
use super::limit::{Limited, Permit, Settlement, Verdict};
use super::operation::Spending;
use super::party::Party;
use super::per_client::{self, Recall};
use super::prompt::{self, Prompt, Transaction};
use super::refuse;
use super::room::{By, Crowded};
use super::unsent::{unsent, unstarted};
use super::visit::Allowed;
use super::{Call, Contact, Env, Event, Learned, Step};
use crate::clock::ClockOffset;
use crate::duo::{Answer, AuthFactor, Device, DuoError};
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
    /// To let a held request go on by an approval that another may wait for too.
    Held(Box<Held>, Factor),
    /// To go on by an approval per client.
    Client(Box<Recall>),
}

impl Flow {
    /// The number of the Duo application that is asked.
    #[must_use]
    pub fn application(&self) -> usize {
        self.expect.application(&self.party)
    }

    /// Whether the answer is wanted even if the client leaves: it says whether a phone rings, and
    /// under which transaction.
    #[must_use]
    pub const fn outlives_its_client(&self) -> bool {
        matches!(self.expect, Expect::Transaction(_) | Expect::Codes(_))
    }

    /// What is to be written down once the client has left.
    #[must_use]
    pub fn left(&self) -> Vec<Settlement> {
        match &self.party {
            Party::Held(held) => {
                held.asker.left().into_iter().chain(per_client::given_up(held)).collect()
            }
            Party::Visit(_) => Vec::new(),
        }
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

    /// There was no room for the call, which was not sent. A look at a transaction comes later, or
    /// tells what is known; anything else is refused.
    #[must_use]
    pub fn crowded(self, crowded: Crowded, env: &Env<'_>) -> Step {
        let Self { party, expect } = self;
        let is_over = party.asker().is_over(env.now);
        let is_users = matches!(crowded.by, By::UserCalls | By::UserRate);
        let mut step = match (expect, party) {
            (Expect::Status(transaction), Party::Held(held)) if !is_over => {
                poll(*held, transaction, env)
            }
            (Expect::Status(transaction), Party::Visit(visit)) if !is_over && !is_users => {
                visit.saw_nothing(transaction.factor, env)
            }
            (expect, party) => {
                let prompt = unsent(party.asker(), &expect);
                let settlements = prompt.into_iter().collect();
                Step { settlements, ..refuse::for_crowd(&party, crowded, env) }
            }
        };
        step.signals.push(Signal::Count(Counter::Crowded(crowded.by.name())));
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
                Ok(txid) => started(party, Transaction { factor: prompt.factor, txid }, env),
                Err(fault) => failed(party, Expect::Transaction(prompt), &fault, env),
            },
            Expect::Status(transaction) => match event.read(Answer::auth_status) {
                Ok(status) => party.polled(transaction, &status, env),
                Err(fault) => failed(party, Expect::Status(transaction), &fault, env),
            },
            Expect::Last(look) => match event.read(Answer::auth_status) {
                Ok(status) => last::heard(party, *look, &status, env),
                Err(fault) => failed(party, Expect::Last(look), &fault, env),
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
                    let application = waiting.application(&party);
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
    /// There is no room to wait for the verdict.
    #[must_use]
    pub fn crowded(self, crowded: Crowded, env: &Env<'_>) -> Step {
        let limited = Limited::CONTENDED;
        let mut step = match self.0 {
            Wish::Client(recall) => recall.crowded(crowded, env),
            // None of these ever waits.
            other
            @ (Wish::Prompt(..) | Wish::Approval(_) | Wish::Operation(_) | Wish::Held(..)) => {
                Self(other).handle(Err(limited), env)
            }
        };
        step.signals.push(Signal::Count(Counter::Crowded(crowded.by.name())));
        step
    }

    /// Takes the verdict on the claim and says what to do.
    #[must_use]
    pub fn handle(self, verdict: Verdict, env: &Env<'_>) -> Step {
        match (self.0, verdict) {
            (Wish::Prompt(party, prompt), Ok(Permit::New)) => {
                let expect = match prompt.ask {
                    AuthFactor::Sms { .. } => Expect::Codes(prompt),
                    AuthFactor::Passcode(passcode) => Expect::Passcode(passcode),
                    AuthFactor::Push { .. } | AuthFactor::Phone { .. } => {
                        Expect::Transaction(prompt)
                    }
                };
                send(party, expect, env)
            }
            (Wish::Prompt(party, _), Ok(Permit::TakeUp(unheard))) => {
                last::take_up(party, &unheard, env)
            }
            (Wish::Prompt(party, prompt), Err(limited)) => {
                last::stopped(party, prompt, limited, env)
            }
            // Such a claim is never answered so.
            (Wish::Prompt(party, _), Ok(Permit::Approved(_))) => {
                refuse::for_limit(&party, &Limited::CONTENDED, env)
            }
            (Wish::Client(recall), verdict) => recall.claimed(verdict, env),
            (Wish::Approval(allowed), verdict) => allowed.claimed(&verdict, env),
            (Wish::Operation(spending), verdict) => spending.claimed(verdict, env),
            (Wish::Held(held, factor), verdict) => hold::claimed(&held, factor, &verdict, env),
        }
    }
}

/// Asks for leave to let a held request go on, which Duo has allowed.
pub(super) fn claim_approval(held: Held, transaction: &Transaction, env: &Env<'_>) -> Step {
    let claim = prompt::approval_claim(transaction, &held.asker, env.gate.config());
    Step::claim(claim, Claimant(Wish::Held(Box::new(held), transaction.factor)))
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

impl From<Recall> for Claimant {
    fn from(recall: Recall) -> Self {
        Self(Wish::Client(Box::new(recall)))
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

/// Asks for the same permit again, after the last prompt was looked up.
pub(super) fn ask_again(party: Party, prompt: Prompt, env: &Env<'_>) -> Step {
    match party.asker().claim {
        Some(claim) => Step::claim(claim, Claimant(Wish::Prompt(party, prompt))),
        None => refuse::refuse_without_randomness(&party, env),
    }
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

/// Looks at a transaction that another request has waited for.
pub(super) fn poll_at_once(mut held: Held, transaction: Transaction, env: &Env<'_>) -> Step {
    held.polled_at = env.now;
    send(held, Expect::Status(transaction), env)
}

/// Duo has sent a prompt: the table keeps its transaction, so that its end is heard.
fn started(mut party: Party, transaction: Transaction, env: &Env<'_>) -> Step {
    let started = party.asker().started(&transaction, env);
    let awaited = per_client::awaited(&mut party, env);
    let mut step = party.started(transaction, env);
    step.settlements.extend(started.into_iter().chain(awaited));
    step
}

fn send_after(wait: Duration, party: Party, expect: Expect, env: &Env<'_>) -> Step {
    let offset = env.offset(expect.application(&party));
    call_after(wait, party, expect, offset, env)
}

fn call_after(
    wait: Duration,
    party: Party,
    expect: Expect,
    offset: ClockOffset,
    env: &Env<'_>,
) -> Step {
    let application = expect.application(&party);
    let duo = &env.gate.config().applications.get(application).duo;
    let due = env.now.plus(wait);
    let signed = expect.request(&party).sign(&duo.credentials, due.shifted(offset));
    let timeout = match expect.stage() {
        Stage::Status if let Expect::Last(look) = &expect => look.timeout(duo.timeout, env),
        Stage::Status => duo.status_timeout.min(party.patience(due)),
        Stage::Preauth
        | Stage::Passcode
        | Stage::Transaction
        | Stage::Enroll
        | Stage::Activation
        | Stage::Clock => duo.timeout,
    };
    let (timeout, seat) = (timeout.max(LEAST_TIMEOUT), Some(expect.seat(&party, env)));
    let call = Call { application, signed, timeout, due, seat };
    Step::call(call, Flow { party, expect })
}

fn failed(mut party: Party, expect: Expect, fault: &DuoError, env: &Env<'_>) -> Step {
    let (stage, application) = (expect.stage(), expect.application(&party));
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
        _ if let Expect::Last(look) = expect => last::unheard(party, *look, fault, env),
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
        (_, party) => {
            let left = party.asker().left().into_iter().collect();
            Step { settlements: left, ..refuse::for_fault(&party, late, fault, env) }
        }
    }
}
