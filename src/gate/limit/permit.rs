//! Permits that the table of limits grants, and the tags that they are counted by.

use super::client_approvals::ClientApproval;
use super::places::{FIRST_OF_CLIENTS, LAST_OF_CLIENTS};
use super::places::{FIRST_OF_SHARES, GRACE, LAST_OF_SHARES, LAST_OF_USERS, OF_USERS};
use super::verdict::Unheard;
use super::{ledger, share};
use std::time::Duration;

/// Permission to ring a user's phone, to try a passcode, or to use a single-use token. It is valid
/// once
/// the table has granted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    pub(super) tag: [u8; 16],
    /// The second tag that counts it, if any: it is granted only where both grant it.
    pub(super) also: Option<[u8; 16]>,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// It rings.
    Prompt(PromptPermit),
    /// A passcode: it counts until Duo has taken one.
    Passcode,
    /// A single-use token. Its use is remembered for as long as it would be valid otherwise.
    SingleUse { kind: SingleUse, kept: Duration },
    /// One of the single uses that a user may have.
    Share,
    /// An approval per client.
    Client(OfClient),
}

/// A change of a user's approvals per client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OfClient {
    /// To pass by the approval of this client.
    Find([u8; 16]),
    /// To keep one for this client.
    Keep([u8; 16], ClientApproval),
    /// To keep in mind that a request of this client waits for one, for so long.
    Await([u8; 16], Duration),
    /// To forget that.
    GiveUp([u8; 16]),
    /// To end all of them.
    Forget,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PromptPermit {
    /// The random id of this one prompt.
    pub(super) owner: [u8; 8],
    /// The prompt is over after that time.
    pub(super) lasts: Duration,
    /// The request that waits for the prompt; zeros where no other request may take the prompt up.
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
}

impl SingleUse {
    /// Keeps the kinds apart in the table.
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::SignIn => 1,
            Self::PerRequest => 2,
            Self::Held => 3,
        }
    }

    /// For so many seconds after the first use the next one is not told from it.
    pub(super) const fn grace(self) -> u64 {
        match self {
            Self::SignIn => GRACE,
            Self::PerRequest | Self::Held => 0,
        }
    }
}

impl Permit {
    /// `tag` stands for the user, `owner` is the random id of this prompt. The prompt is over after
    /// `lasts`, even if nobody hears of its end.
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

    /// The same permit, whose prompt the same request may take up once its client has left.
    pub(in crate::gate) const fn for_request(self, request: [u8; 16]) -> Self {
        match self.what {
            What::Prompt(permit) => {
                Self { what: What::Prompt(PromptPermit { request, ..permit }), ..self }
            }
            What::Passcode | What::SingleUse { .. } | What::Share | What::Client(_) => self,
        }
    }

    /// The permit of this user's last prompt, to write down how that ended.
    pub(in crate::gate) const fn of_last(self, unheard: &Unheard) -> Self {
        match self.what {
            What::Prompt(permit) => {
                let owner = unheard.owner;
                Self { what: What::Prompt(PromptPermit { owner, ..permit }), ..self }
            }
            What::Passcode | What::SingleUse { .. } | What::Share | What::Client(_) => self,
        }
    }

    /// `tag` stands for the user among those who try passcodes.
    pub(in crate::gate) const fn of_passcode(tag: [u8; 16]) -> Self {
        Self { tag, also: None, what: What::Passcode }
    }

    /// `id` is random, and stands for what is good once; it is good for no longer than `kept`.
    pub(in crate::gate) const fn single_use(kind: SingleUse, id: [u8; 16], kept: Duration) -> Self {
        Self { tag: id, also: None, what: What::SingleUse { kind, kept } }
    }

    /// Wants the approval of this client of the user with this tag.
    pub(in crate::gate) const fn find_client(user: [u8; 16], client: [u8; 16]) -> Self {
        Self { tag: user, also: None, what: What::Client(OfClient::Find(client)) }
    }

    /// Keeps an approval for this client of the user with this tag, once it is settled.
    pub(in crate::gate) const fn keep_client(
        user: [u8; 16],
        client: [u8; 16],
        approval: ClientApproval,
    ) -> Self {
        Self { tag: user, also: None, what: What::Client(OfClient::Keep(client, approval)) }
    }

    /// Keeps in mind that a request of this client waits for an approval, once it is settled.
    pub(in crate::gate) const fn await_client(
        user: [u8; 16],
        client: [u8; 16],
        lasts: Duration,
    ) -> Self {
        Self { tag: user, also: None, what: What::Client(OfClient::Await(client, lasts)) }
    }

    /// The permit that takes this one back.
    pub(in crate::gate) const fn given_up(self) -> Self {
        match self.what {
            What::Client(OfClient::Await(client, _)) => {
                Self { what: What::Client(OfClient::GiveUp(client)), ..self }
            }
            What::Client(_)
            | What::Prompt(_)
            | What::Passcode
            | What::SingleUse { .. }
            | What::Share => self,
        }
    }

    /// Ends all approvals per client of the user with this tag, once it is settled.
    pub(in crate::gate) const fn forget_clients(user: [u8; 16]) -> Self {
        Self { tag: user, also: None, what: What::Client(OfClient::Forget) }
    }

    /// The same permit, which a second tag counts too: it is granted only where both grant it.
    #[must_use]
    pub(in crate::gate) fn counted_by(self, tag: Option<[u8; 16]>) -> Self {
        Self { also: tag, ..self }
    }

    /// The same permit of a single use, which counts against the share of the user with this tag.
    #[must_use]
    pub(in crate::gate) const fn counted_in_share_of(self, user: [u8; 16]) -> Self {
        Self { also: Some(user), ..self }
    }

    /// Whether it ends approvals, so that an operator has to know where that fails.
    pub(super) const fn ends_approvals(&self) -> bool {
        matches!(self.what, What::Client(OfClient::Forget))
    }

    /// The permits of one tag each that it consists of, in the order in which they are granted.
    pub(super) fn parts(&self) -> impl Iterator<Item = Self> {
        let own = Self { also: None, ..*self };
        let (first, last) = match (self.what, self.also) {
            // A use that the share has no room for takes no place.
            (What::SingleUse { .. }, Some(tag)) => {
                (Self { tag, also: None, what: What::Share }, Some(own))
            }
            (_, also) => (own, also.map(|tag| Self { tag, ..own })),
        };
        std::iter::once(first).chain(last)
    }

    /// The number of the bucket of its first tag, below [`super::BUCKETS`].
    #[must_use]
    pub const fn bucket(&self) -> u16 {
        let [high, low, ..] = self.tag;
        let number = u16::from_be_bytes([high, low]) & LAST_OF_USERS;
        match self.what {
            What::Prompt(_) | What::Passcode => number,
            What::SingleUse { .. } => number | OF_USERS,
            What::Share => (number & LAST_OF_SHARES) | FIRST_OF_SHARES,
            What::Client(_) => (number & LAST_OF_CLIENTS) | FIRST_OF_CLIENTS,
        }
    }

    /// The user's tag in a bucket of shares, or of approvals per client.
    pub(super) const fn sharer(&self) -> share::Tag {
        let [_, _, _, _, _, _, _, _, rest @ ..] = self.tag;
        rest
    }

    /// Stands for what is good once among those of its bucket.
    pub(super) const fn entry(&self, kind: SingleUse) -> ledger::Tag {
        let [_, _, a, b, c, d, e, f, g, ..] = self.tag;
        [kind.code(), a, b, c, d, e, f, g]
    }
}
