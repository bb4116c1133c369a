//! A client that gets a refusal at the application's address.

use super::challenge::Challenge;
use super::env::Env;
use super::refuse::Refusable;
use super::view::{Requester, View};
use crate::http::{Reply, RequestHead};
use crate::page::{Onward, Problem};

/// A client that gets a refusal at the application's address.
#[derive(Debug)]
pub(super) struct InPlace {
    pub(super) challenge: Challenge,
    view: View,
}

impl InPlace {
    pub(super) fn new(head: &RequestHead<'_>, challenge: Challenge) -> Self {
        Self { challenge, view: View::in_place(head) }
    }
}

impl Refusable for InPlace {
    fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    fn refusal(&self, problem: &Problem, env: &Env<'_>) -> Reply {
        let requester = Requester::from(&self.challenge);
        self.view.refusal(problem, Onward::default(), requester, env.gate.config())
    }
}
