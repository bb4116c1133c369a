//! Settings from the control interface: answers of users without a browser, and switches.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a user answers without a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Approve,
    Deny,
    Ask,
}

/// An answer that `authorize` gives for a user.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Scripted {
    pub(super) answer: Answer,
    /// `auth_context.factor`: any value, even `null`.
    pub(super) factor: Value,
    pub(super) reason: Option<String>,
    /// Unix seconds; if absent, the time of the answer.
    pub(super) auth_time: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Start {
    Auto,
    Press,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Jti {
    Once,
    Any,
}

/// The redirect URI with which `token` compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BoundUri {
    /// The one to which the browser was redirected.
    Used,
    /// The one in the signed request, whatever the query said.
    Signed,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Settings {
    pub(super) answers: BTreeMap<String, Scripted>,
    pub(super) start: Start,
    pub(super) jti: Jti,
    pub(super) code_seconds: i64,
    pub(super) redirect_uri: BoundUri,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            answers: BTreeMap::new(),
            start: Start::Auto,
            jti: Jti::Once,
            code_seconds: 60,
            redirect_uri: BoundUri::Used,
        }
    }
}

/// A change of the settings; absent ones stay as they are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsChange {
    user: Option<String>,
    answer: Option<Answer>,
    #[serde(default = "push")]
    factor: Value,
    reason: Option<String>,
    auth_time: Option<i64>,
    start: Option<Start>,
    jti: Option<Jti>,
    code_seconds: Option<i64>,
    redirect_uri: Option<BoundUri>,
}

fn push() -> Value {
    Value::from("duo_push")
}

impl Settings {
    pub(crate) fn apply(&mut self, change: SettingsChange) {
        if let (Some(user), Some(answer)) = (change.user, change.answer) {
            let SettingsChange { factor, reason, auth_time, .. } = change;
            self.answers.insert(user, Scripted { answer, factor, reason, auth_time });
        }
        self.start = change.start.unwrap_or(self.start);
        self.jti = change.jti.unwrap_or(self.jti);
        self.code_seconds = change.code_seconds.unwrap_or(self.code_seconds);
        self.redirect_uri = change.redirect_uri.unwrap_or(self.redirect_uri);
    }
}
