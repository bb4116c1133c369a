//! A refusal: its code, its words, and when another try may succeed. The catalogue of all is
//! [`super::refusals`].

use crate::identity::Identity;
use crate::page::Problem;
use crate::reference::Reference;
use crate::signal::Code;
use std::borrow::Cow;
use std::time::Duration;

/// The code and the words of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code that the client gets.
    pub code: Code,
    /// The event and the remedy, in words.
    pub detail: &'static str,
    /// The wait after which another try may succeed.
    pub retry_after: Option<Duration>,
    /// Whether a passcode is accepted without that wait.
    pub accepts_passcode: bool,
}

impl Refusal {
    pub(super) const fn new(code: Code, detail: &'static str) -> Self {
        Self { code, detail, retry_after: None, accepts_passcode: false }
    }

    /// Adds a `Retry-After`.
    pub(super) const fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// Sets whether a passcode is accepted without a wait.
    pub(super) const fn with_passcodes(self, accepts_passcode: bool) -> Self {
        Self { accepts_passcode, ..self }
    }

    /// The refusal as the client gets it.
    pub(super) fn problem(&self, reference: Reference) -> Problem {
        let Self { code, detail, retry_after, accepts_passcode } = *self;
        let (detail, reference) = (detail.to_owned(), Some(reference));
        Problem { retry_after, accepts_passcode, ..Problem::new(code, detail, reference) }
    }
}

/// A refusal that needs only the head of the request. Its user may not be known yet.
#[derive(Debug)]
pub(super) struct Denial {
    pub(super) code: Code,
    pub(super) detail: Cow<'static, str>,
    /// The rule that refuses, if one does.
    pub(super) rule: Option<usize>,
    /// The user, if known.
    pub(super) identity: Option<Box<Identity>>,
}

impl Denial {
    pub(super) const fn new(code: Code, detail: String) -> Self {
        Self { code, detail: Cow::Owned(detail), rule: None, identity: None }
    }

    pub(super) fn by(self, rule: Option<usize>) -> Self {
        Self { rule, ..self }
    }

    /// Names the user.
    pub(super) fn of(self, identity: &Identity) -> Self {
        Self { identity: Some(Box::new(identity.clone())), ..self }
    }
}

impl From<Refusal> for Denial {
    fn from(Refusal { code, detail, .. }: Refusal) -> Self {
        Self { code, detail: Cow::Borrowed(detail), rule: None, identity: None }
    }
}
