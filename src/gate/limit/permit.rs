//! Permits that the table of limits grants, and the tags by which they are counted.

use super::client_approvals::ClientApproval;
use super::places::{
    FIRST_OF_CLIENTS, FIRST_OF_SHARES, FIRST_OF_USERS, FIRST_OF_USES, GRACE, buckets,
};
use super::verdict::Unheard;
use super::{ledger, share};
use crate::config::Limits;
use std::time::Duration;

/// Permission to ring a user's phone, to try a passcode, or to use a single-use token. It is valid
/// after the table has granted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    pub(super) tag: [u8; 16],
    /// A second tag that counts it, if there is one. The permit is granted only if both tags grant
    /// it.
    pub(super) also: Option<[u8; 16]>,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// It rings a phone.
    Prompt(PromptPermit),
    /// It tries a passcode. Tries count until Duo accepts one.
    Passcode,
    /// It redirects a browser to Duo's page, which may ring the phone at once. It counts until a
    /// sign-in there ends in an approval.
    Start,
    /// It uses a single-use token. The use is remembered for as long as the token would be valid.
    SingleUse { kind: SingleUse, kept: Duration },
    /// It counts a use against the limit of one user.
    Share,
    /// An approval per client.
    Client(OfClient),
}

/// A change of a user's approvals per client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OfClient {
    /// Pass with the approval of this client. If there is none, and no other request of the client
    /// waits for one, record that this request does, for so long.
    Find([u8; 16], Option<Duration>),
    /// Store an approval of this client.
    Keep([u8; 16], ClientApproval),
    /// Record that a request of this client waits for an approval, for this long.
    Await([u8; 16], Duration),
    /// Delete that record.
    Release([u8; 16]),
    /// End all approvals of the user.
    Forget,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PromptPermit {
    /// The random id of the prompt.
    pub(super) owner: [u8; 8],
    /// After this time the prompt has ended.
    pub(super) lasts: Duration,
    /// The request that waits for the prompt; zeros if no other request may take it over.
    pub(super) request: [u8; 16],
}

/// A single-use token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gate) enum SingleUse {
    /// A sign-in that Duo has allowed.
    SignIn,
    /// A per-request approval.
    PerRequest,
    /// The approval of a prompt that a held request waits for.
    Held,
    /// A sign-in at Duo's page.
    Attempt,
}

impl SingleUse {
    /// The code that separates the kinds in the table.
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::SignIn => 1,
            Self::PerRequest => 2,
            Self::Held => 3,
            Self::Attempt => 4,
        }
    }

    /// Grace period, in seconds, in which a repeated use counts as the first, since the response
    /// may have been lost.
    pub(super) const fn grace(self) -> u64 {
        match self {
            Self::SignIn => GRACE,
            Self::PerRequest | Self::Held | Self::Attempt => 0,
        }
    }
}

impl Permit {
    /// A permit for a prompt. `tag` represents the user, `owner` is the random id of this prompt.
    /// The prompt ends after `lasts`, even if nobody learns its end.
    pub(in crate::gate) const fn of_prompt(
        tag: [u8; 16],
        owner: [u8; 16],
        lasts: Duration,
    ) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = owner;
        let owner = [a, b, c, d, e, f, g, h];
        Self {
            tag,
            also: None,
            what: What::Prompt(PromptPermit { owner, lasts, request: [0; 16] }),
        }
    }

    /// Allows the same request to take over the prompt after the client has left.
    pub(in crate::gate) const fn for_request(self, request: [u8; 16]) -> Self {
        match self.what {
            What::Prompt(permit) => {
                Self { what: What::Prompt(PromptPermit { request, ..permit }), ..self }
            }
            What::Passcode
            | What::Start
            | What::SingleUse { .. }
            | What::Share
            | What::Client(_) => self,
        }
    }

    /// The permit of this user's last prompt, to record how it ended.
    pub(in crate::gate) const fn of_last(self, unheard: &Unheard) -> Self {
        match self.what {
            What::Prompt(permit) => {
                let owner = unheard.owner;
                Self { what: What::Prompt(PromptPermit { owner, ..permit }), ..self }
            }
            What::Passcode
            | What::Start
            | What::SingleUse { .. }
            | What::Share
            | What::Client(_) => self,
        }
    }

    /// A permit for a passcode. `tag` represents the user.
    pub(in crate::gate) const fn of_passcode(tag: [u8; 16]) -> Self {
        Self { tag, also: None, what: What::Passcode }
    }

    /// A permit to redirect a browser to Duo's page. `tag` represents the user.
    pub(in crate::gate) const fn of_start(tag: [u8; 16]) -> Self {
        Self { tag, also: None, what: What::Start }
    }

    /// A permit for a single-use token. `id` is random and represents the token; the token is valid
    /// for at most `kept`.
    pub(in crate::gate) const fn single_use(kind: SingleUse, id: [u8; 16], kept: Duration) -> Self {
        Self { tag: id, also: None, what: What::SingleUse { kind, kept } }
    }

    /// A permit to pass with the approval of this client of the user with this tag. Without an
    /// approval, it is a permit to obtain one, for as long as `claim`: other requests of the client
    /// wait for it.
    pub(in crate::gate) const fn find_client(
        user: [u8; 16],
        client: [u8; 16],
        claim: Option<Duration>,
    ) -> Self {
        Self { tag: user, also: None, what: What::Client(OfClient::Find(client, claim)) }
    }

    /// Stores an approval of this client of the user with this tag, when it is settled.
    pub(in crate::gate) const fn keep_client(
        user: [u8; 16],
        client: [u8; 16],
        approval: ClientApproval,
    ) -> Self {
        Self { tag: user, also: None, what: What::Client(OfClient::Keep(client, approval)) }
    }

    /// Records that a request of this client waits for an approval, when it is settled.
    pub(in crate::gate) const fn await_client(
        user: [u8; 16],
        client: [u8; 16],
        lasts: Duration,
    ) -> Self {
        Self { tag: user, also: None, what: What::Client(OfClient::Await(client, lasts)) }
    }

    /// Deletes the record that a request of this client waits, when it is settled.
    pub(in crate::gate) const fn release_client(user: [u8; 16], client: [u8; 16]) -> Self {
        Self { tag: user, also: None, what: What::Client(OfClient::Release(client)) }
    }

    /// Ends all approvals per client of the user with this tag, when it is settled.
    pub(in crate::gate) const fn forget_clients(user: [u8; 16]) -> Self {
        Self { tag: user, also: None, what: What::Client(OfClient::Forget) }
    }

    /// Adds a second tag that counts the permit: it is granted only if both tags grant it.
    #[must_use]
    pub(in crate::gate) fn counted_by(self, tag: Option<[u8; 16]>) -> Self {
        Self { also: tag, ..self }
    }

    /// Counts the single use against the limit of the user with this tag, too.
    #[must_use]
    pub(in crate::gate) const fn counted_in_share_of(self, user: [u8; 16]) -> Self {
        Self { also: Some(user), ..self }
    }

    /// The name and the user of what several Envoys count together; `None` if each Envoy counts it
    /// alone.
    pub(in crate::gate) const fn of_fleet(&self) -> Option<(&'static str, &[u8; 16])> {
        match self.what {
            What::Prompt(_) => Some(("duo_mfa_prompt", &self.tag)),
            What::Start => Some(("duo_mfa_start", &self.tag)),
            What::Passcode | What::SingleUse { .. } | What::Share | What::Client(_) => None,
        }
    }

    /// Whether this permit ends a user's approvals. A failure to write it is logged for the operator.
    pub(super) const fn ends_approvals(&self) -> bool {
        matches!(self.what, What::Client(OfClient::Forget))
    }

    /// Splits it into permits with one tag each, in the order in which they are granted.
    pub(super) fn parts(&self) -> impl Iterator<Item = Self> {
        let own = Self { also: None, ..*self };
        let (first, last) = match (self.what, self.also) {
            // The share comes first, so that a use beyond the user's limit takes no place.
            (What::SingleUse { .. }, Some(tag)) => {
                (Self { tag, also: None, what: What::Share }, Some(own))
            }
            (_, also) => (own, also.map(|tag| Self { tag, ..own })),
        };
        std::iter::once(first).chain(last)
    }

    /// The number of the bucket of its first tag, in a table for `limits.users` users.
    #[must_use]
    pub fn bucket(&self, limits: &Limits) -> u16 {
        let [high, low, ..] = self.tag;
        let number = u16::from_be_bytes([high, low]) & buckets(limits.users).saturating_sub(1);
        let first = match self.what {
            What::Prompt(_) | What::Passcode | What::Start => FIRST_OF_USERS,
            What::SingleUse { .. } => FIRST_OF_USES,
            What::Share => FIRST_OF_SHARES,
            What::Client(_) => FIRST_OF_CLIENTS,
        };
        number | first
    }

    /// The user's tag in a bucket of shares, or of approvals per client.
    pub(super) const fn sharer(&self) -> share::Tag {
        let [_, _, _, _, _, _, _, _, rest @ ..] = self.tag;
        rest
    }

    /// Represents a single-use token within its bucket.
    pub(super) const fn entry(&self, kind: SingleUse) -> ledger::Tag {
        let [_, _, a, b, c, d, e, f, g, ..] = self.tag;
        [kind.code(), a, b, c, d, e, f, g]
    }
}
