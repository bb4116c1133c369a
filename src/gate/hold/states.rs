//! The states of a held request. Each owns exactly what is needed to go on from it.

use crate::clock::UnixTime;
use crate::factor::Factor;
use crate::gate::challenge::Challenge;
use crate::gate::env::Env;
use crate::gate::last_prompt::{Asking, Look};
use crate::gate::limit::{End, Permit, Settlement};
use crate::gate::prompt::Transaction;
use crate::gate::refuse::Refusable;
use crate::gate::view::{explained, start_url};
use crate::http::{Client, Edit, Reply, ReturnPath};
use crate::page::{Language, Onward, Problem};
use crate::secret::Secret;
use crate::signal::Code;
use std::iter;

/// A held request, by what it waits for.
#[derive(Debug)]
pub(in crate::gate) enum Held {
    /// What may the user do?
    Preauth(Box<Parked>, Intent),
    /// Is the passcode right?
    Passcode(Box<Parked>, Secret<String>, Permit),
    /// Under which transaction does the push, or the call, run?
    Push(Asking<Box<Parked>>),
    /// What has the user answered?
    Status(Box<Parked>, Polled),
    /// How did the user's last prompt end? Only then may another one be sent.
    Look(Look<Box<Parked>>),
}

/// A permit that a held request waits for.
#[derive(Debug)]
pub(in crate::gate) enum HeldWants {
    /// To try a passcode.
    Passcode(Box<Parked>, Secret<String>, Permit),
    /// To ring a phone.
    Prompt(Asking<Box<Parked>>),
    /// To go on by an approval that another request may wait for too.
    Approval(Box<Parked>, Factor),
}

/// The parts of a request that are kept while it waits.
#[derive(Debug)]
pub(in crate::gate) struct Parked {
    pub(super) challenge: Challenge,
    /// Not always [`Client::Hold`]: any request with a passcode is held.
    pub(super) client: Client,
    /// Deadline for the user's answer.
    pub(super) deadline: UnixTime,
    /// Where a browser would go on.
    pub(super) return_to: ReturnPath,
    /// The edits of the forwarded request.
    pub(super) edits: Vec<Edit>,
    /// Stands for the request. `None` if no other request counts as the same.
    pub(super) same_request: Option<[u8; 16]>,
    /// Whether the response deletes the approval, since the request is a sign-out.
    pub(super) is_sign_out: bool,
}

/// How the request is to be approved.
#[derive(Debug)]
pub(in crate::gate) enum Intent {
    /// By a prompt on a device.
    Prompt,
    /// By the passcode that came with it.
    Passcode(Secret<String>),
}

/// A transaction that is polled.
#[derive(Debug)]
pub(in crate::gate) struct Polled {
    pub(super) transaction: Transaction,
    pub(super) permit: Permit,
    /// The permit by which other requests of the client wait for this push. `None` if none may.
    pub(super) awaited: Option<Permit>,
    /// When it was polled last, or will be.
    pub(super) at: UnixTime,
}

impl Held {
    pub(super) const fn parked(&self) -> &Parked {
        match self {
            Self::Preauth(parked, _) | Self::Passcode(parked, ..) | Self::Status(parked, _) => {
                parked
            }
            Self::Push(asking) | Self::Look(Look { asking, .. }) => &asking.waiter,
        }
    }

    /// Whether the answer is wanted even if the client leaves: it says whether a phone rings, and
    /// under which transaction.
    pub(in crate::gate) const fn outlives_its_client(&self) -> bool {
        matches!(self, Self::Push(_))
    }

    /// What to record once the client has left.
    pub(in crate::gate) fn left(&self) -> Vec<Settlement> {
        match self {
            Self::Push(Asking { permit, .. })
            | Self::Look(Look { asking: Asking { permit, .. }, .. }) => {
                vec![Settlement { permit: *permit, end: End::Left }]
            }
            Self::Status(_, polled) => polled.settled(End::Left),
            Self::Preauth(..) | Self::Passcode(..) => Vec::new(),
        }
    }
}

impl Polled {
    /// What to record of a push that gives this request no approval.
    pub(super) fn settled(&self, end: End) -> Vec<Settlement> {
        let own = Settlement { permit: self.permit, end };
        iter::once(own).chain(self.given_up()).collect()
    }

    /// Has the requests that wait for this push wait no longer.
    pub(super) fn given_up(&self) -> Option<Settlement> {
        self.awaited.map(|permit| Settlement { permit: permit.given_up(), end: End::Lost })
    }
}

impl Parked {
    pub(super) fn is_over(&self, now: UnixTime) -> bool {
        now >= self.deadline
    }
}

impl Refusable for Parked {
    fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    fn refusal(&self, problem: &Problem, env: &Env<'_>) -> Reply {
        let config = env.gate.config();
        let is_explained = problem.code == Code::FactorRefused;
        let explained = is_explained.then(|| explained(problem, Language::En));
        let problem = explained.as_ref().unwrap_or(problem);
        let start_url = start_url(problem.code, Some(&self.challenge), &self.return_to, config);
        let onward = Onward { start_url: start_url.as_deref(), ..Onward::default() };
        problem.reply_onward(self.client, &onward)
    }
}
