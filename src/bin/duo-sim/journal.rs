//! What was asked of the simulator: every request with its decoded parameters, and counters.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::verify::Form;

/// Requests kept; the counters go on past it.
const KEPT: usize = 10_000;

/// One request as it came and how it ended.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) at_ms: i64,
    /// Absent where the path is no endpoint's.
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) host: String,
    pub(crate) tls: bool,
    /// All but `authorization`, names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) params: Value,
    /// The form that the signature was checked with; absent when there was none, or a wrong one.
    pub(crate) signature: Option<Form>,
    /// The kind of the fault that spoilt the answer.
    pub(crate) fault: Option<Value>,
    /// `OK` or the code of the refusal; absent while the request is being held.
    pub(crate) outcome: Option<String>,
    /// Duo's `result` in the answer, where it has one.
    pub(crate) result: Option<String>,
}

/// Calls of one endpoint.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Calls {
    pub(crate) calls: u64,
    /// Number of answers by outcome.
    pub(crate) outcomes: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Journal {
    written: u64,
    entries: VecDeque<Entry>,
    counters: BTreeMap<&'static str, Calls>,
}

impl Journal {
    /// Notes a request and returns its number.
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

    /// Notes how request `number` ended.
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

    /// Calls of every endpoint, those never called included.
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
