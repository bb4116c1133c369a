//! State of the Universal Prompt between calls: open prompts, codes, and counts.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::check::SignInRequest;
use super::settings::Settings;
use crate::faults::Callback;

#[derive(Default)]
pub(crate) struct Universal {
    pub(crate) settings: Settings,
    pub(crate) counts: Counts,
    pub(super) prompts: Vec<Prompt>,
    pub(super) codes: Vec<Code>,
    /// Every `jti` that was used.
    pub(super) seen: BTreeSet<String>,
    /// Token of a remembered device -> unix seconds of its sign-in.
    pub(super) remembered_since: BTreeMap<String, i64>,
}

/// How often codes were issued, exchanged, and presented again.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Counts {
    pub(crate) given: u64,
    pub(crate) used: u64,
    pub(crate) reused: u64,
}

/// A browser on Duo's page.
#[derive(Clone, Debug)]
pub(super) struct Prompt {
    pub(super) sid: String,
    pub(super) request: SignInRequest,
    /// The newest push or call.
    pub(super) txid: Option<String>,
    /// The result of the last button.
    pub(super) note: Option<String>,
    pub(super) callback: Callback,
}

/// A successful sign-in, as in the id_token.
#[derive(Clone, Debug)]
pub(super) struct SignIn {
    pub(super) factor: Value,
    pub(super) reason: String,
    pub(super) auth_time: i64,
    pub(super) txid: String,
}

/// A code that was sent back with a browser.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) code: String,
    pub(super) request: SignInRequest,
    pub(super) sign_in: SignIn,
    pub(super) made_ms: i64,
    pub(super) is_used: bool,
}

impl Universal {
    pub(super) fn prompt_mut(&mut self, sid: &str) -> Option<&mut Prompt> {
        self.prompts.iter_mut().find(|prompt| prompt.sid == sid)
    }

    pub(super) fn code_mut(&mut self, code: &str) -> Option<&mut Code> {
        self.codes.iter_mut().find(|known| known.code == code)
    }
}
