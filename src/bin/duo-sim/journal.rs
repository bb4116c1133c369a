//! The journal of the simulator: every request with its decoded parameters, and counters.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::verify::Form;

/// How many requests are kept; the counters include older ones.
const KEPT: usize = 10_000;

/// One request as it was received, and its outcome.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) at_ms: i64,
    /// `None` if the path belongs to no endpoint.
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) host: String,
    pub(crate) tls: bool,
    /// All headers except `authorization`, names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) params: Value,
    /// The signature version that was accepted; `None` if there was no signature, or a wrong one.
    pub(crate) signature: Option<Form>,
    /// Header and claims of the JWT that a call of the Universal Prompt brought, unverified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) jwt: Option<Value>,
    /// The kind of the fault that replaced the response.
    pub(crate) fault: Option<Value>,
    /// `OK` or the code of the refusal; `None` while the request is held.
    pub(crate) outcome: Option<String>,
    /// Duo's `result` in the response, if it has one.
    pub(crate) result: Option<String>,
}

/// Calls of one endpoint.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Calls {
    pub(crate) calls: u64,
    /// The number of responses by outcome.
    pub(crate) outcomes: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Journal {
    written: u64,
    entries: VecDeque<Entry>,
    counters: BTreeMap<&'static str, Calls>,
}

impl Journal {
    /// Records a request and returns its number.
    pub(crate) fn arrived(&mut self, mut entry: Entry) -> u64 {
        self.written += 1;
        entry.number = self.written;
        if let Some(endpoint) = entry.endpoint {
            self.counters.entry(endpoint.name()).or_default().calls += 1;
        }
        if self.entries.len() >= KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        self.written
    }

    /// Records the outcome of request `number`.
    pub(crate) fn ended(&mut self, number: u64, outcome: String, result: Option<String>) {
        let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.number == number) else {
            return;
        };
        if let Some(endpoint) = entry.endpoint {
            let calls = self.counters.entry(endpoint.name()).or_default();
            *calls.outcomes.entry(outcome.clone()).or_default() += 1;
        }
        entry.outcome = Some(outcome);
        entry.result = result;
    }

    pub(crate) fn entries(&self) -> &VecDeque<Entry> {
        &self.entries
    }

    /// The calls of every endpoint, including endpoints that were never called.
    pub(crate) fn counters(&self) -> BTreeMap<&'static str, Calls> {
        Endpoint::ALL
            .into_iter()
            .map(|endpoint| {
                let name = endpoint.name();
                (name, self.counters.get(name).cloned().unwrap_or_default())
            })
            .collect()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.counters.clear();
    }
}
