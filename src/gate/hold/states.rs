//! The states of a held request. Each owns exactly the data to continue.

use crate::assertion::RequestClaims;
use crate::clock::UnixTime;
use crate::duo::Credentials;
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
use crate::session::ApprovedBy;
use crate::signal::Code;
use std::sync::Arc;

/// A held request, by the event that it waits for.
#[derive(Debug)]
pub(in crate::gate) enum Held {
    /// Preauth: whether the user may authenticate, and how.
    Preauth(Box<Parked>, Intent),
    /// The result of a passcode.
    Passcode(Box<Parked>, Secret<String>, Permit),
    /// The transaction of the push or the call.
    Push(Asking<Box<Parked>>),
    /// The user's answer.
    Status(Box<Parked>, Polled),
    /// How the user's last prompt ended. Only then another one may be sent.
    Look(Look<Box<Parked>>),
}

/// A permit that a held request waits for.
#[derive(Debug)]
pub(in crate::gate) enum HeldWants {
    /// To try a passcode.
    Passcode(Box<Parked>, Secret<String>, Permit),
    /// To ring a phone.
    Prompt(Asking<Box<Parked>>),
    /// To be forwarded with an approval that another request may wait for too.
    Approval(Box<Parked>, ApprovedBy),
}

/// The parts of a request that are stored while it waits.
#[derive(Debug)]
pub(in crate::gate) struct Parked {
    pub(super) challenge: Challenge,
    /// The keys for the calls.
    pub(super) credentials: Arc<Credentials>,
    /// Not always [`Client::Hold`], since any request with a passcode is held.
    pub(super) client: Client,
    /// Deadline for the user's answer.
    pub(super) deadline: UnixTime,
    /// The path for a sign-in in a browser.
    pub(super) return_to: ReturnPath,
    /// The headers that the forwarded request loses. An approval adds more edits.
    pub(super) edits: Vec<Edit>,
    /// The request, as an assertion for it alone states it.
    pub(super) request: Option<RequestClaims>,
    /// Represents the request and its sender; `None` if no other request may count as the same.
    pub(super) same_request: Option<[u8; 16]>,
    /// Whether the response deletes the approval, since the request is a sign-out.
    pub(super) is_sign_out: bool,
    /// Ends the wait of the client's other requests; `None` if they do not wait for this one.
    pub(super) release: Option<Settlement>,
}

/// How the request is to be approved.
#[derive(Debug)]
pub(in crate::gate) enum Intent {
    /// By a prompt on a device.
    Prompt,
    /// By the passcode in the request.
    Passcode(Secret<String>),
}

/// A transaction that is polled.
#[derive(Debug)]
pub(in crate::gate) struct Polled {
    pub(super) transaction: Transaction,
    pub(super) permit: Permit,
    /// The time of the last poll, or of the next one.
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

    /// Whether the response is needed even if the client leaves: it shows whether a phone rings,
    /// and under which transaction.
    pub(in crate::gate) const fn outlives_its_client(&self) -> bool {
        matches!(self, Self::Push(_))
    }

    /// The changes of the table to make after the client has left.
    pub(in crate::gate) fn left(&self) -> Vec<Settlement> {
        let prompt = match self {
            Self::Push(Asking { permit, .. })
            | Self::Look(Look { asking: Asking { permit, .. }, .. })
            | Self::Status(_, Polled { permit, .. }) => {
                Some(Settlement { permit: *permit, end: End::Left })
            }
            Self::Preauth(..) | Self::Passcode(..) => None,
        };
        prompt.into_iter().chain(self.release()).collect()
    }

    /// The change of the table that ends the wait of the client's other requests.
    pub(in crate::gate) const fn release(&self) -> Option<Settlement> {
        self.parked().release
    }

    /// Whether other requests of the client may wait for this one, which has not asked Duo yet.
    pub(in crate::gate) const fn may_be_awaited(&self) -> bool {
        matches!(self, Self::Preauth(parked, Intent::Prompt) if parked.is_of_program())
    }

    /// Sets the change that ends the wait of the client's other requests.
    pub(in crate::gate) fn set_release(&mut self, release: Option<Settlement>) {
        if let Self::Preauth(parked, _) = self {
            parked.release = release;
        }
    }
}

impl HeldWants {
    pub(super) const fn parked(&self) -> &Parked {
        match self {
            Self::Passcode(parked, ..)
            | Self::Prompt(Asking { waiter: parked, .. })
            | Self::Approval(parked, _) => parked,
        }
    }

    /// The change of the table that ends the wait of the client's other requests.
    pub(in crate::gate) const fn release(&self) -> Option<Settlement> {
        self.parked().release
    }
}

impl Polled {
    /// The change of the table for a push that gives this request no approval.
    pub(super) const fn settled(&self, end: End) -> Settlement {
        Settlement { permit: self.permit, end }
    }
}

impl Parked {
    /// Whether a program sent the request to the application.
    pub(super) const fn is_of_program(&self) -> bool {
        matches!(self.client, Client::Hold) && !self.is_sign_out
    }

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
