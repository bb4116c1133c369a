//! The report on one application: a line or more for each step.

use super::verdict::{Code, Finding};
use crate::Outcome;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// The results of all steps for one application.
pub(super) struct Report {
    /// The place of the plugin configuration and the name of the application.
    pub(super) title: String,
    pub(super) api_host: String,
    entries: Vec<Entry>,
}

struct Entry {
    step: &'static str,
    result: StepResult,
    took: Duration,
}

enum StepResult {
    Fine(String),
    Found(Finding),
    Skipped(String),
}

impl Report {
    pub(super) const fn new(title: String, api_host: String) -> Self {
        Self { title, api_host, entries: Vec::new() }
    }

    /// Executes a step and records its result. `None` after a fault.
    pub(super) fn step<T>(
        &mut self,
        step: &'static str,
        act: impl FnOnce() -> Result<(T, String), Finding>,
    ) -> Option<T> {
        let begun = Instant::now();
        let (value, result) = match act() {
            Ok((value, text)) => (Some(value), StepResult::Fine(text)),
            Err(finding) => (None, StepResult::Found(finding)),
        };
        self.entries.push(Entry { step, result, took: begun.elapsed() });
        value
    }

    /// Records a warning for a step.
    pub(super) fn warn(&mut self, step: &'static str, finding: Finding) {
        let result = StepResult::Found(finding);
        self.entries.push(Entry { step, result, took: Duration::ZERO });
    }

    /// Records that a step was not executed.
    pub(super) fn skip(&mut self, step: &'static str, why: impl Into<String>) {
        let result = StepResult::Skipped(why.into());
        self.entries.push(Entry { step, result, took: Duration::ZERO });
    }

    pub(super) fn outcome(&self) -> Outcome {
        let outcomes = self.findings().map(|finding| finding.code.outcome());
        outcomes.max().unwrap_or(Outcome::Fine)
    }

    fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.entries.iter().filter_map(|entry| match &entry.result {
            StepResult::Found(finding) => Some(finding),
            StepResult::Fine(_) | StepResult::Skipped(_) => None,
        })
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("{}: {}", self.title, self.api_host);
        for Entry { step, result, .. } in &self.entries {
            // Writing to a String does not fail.
            let _ = match result {
                StepResult::Fine(what) => write!(text, "\n  ok {step}: {what}"),
                StepResult::Skipped(why) => write!(text, "\n  skipped {step}: {why}"),
                StepResult::Found(Finding { code, problem, fix }) => write!(
                    text,
                    "\n  {} {step}: {}: {problem}\n    fix: {fix}\n    at fault: {}",
                    level(*code),
                    code.text(),
                    code.at_fault().name()
                ),
            };
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        let steps: Vec<_> = self.entries.iter().map(Entry::json).collect();
        json!({"configuration": self.title, "api_host": self.api_host, "steps": steps})
    }
}

impl Entry {
    fn json(&self) -> Value {
        let Self { step, result, took } = self;
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        match result {
            StepResult::Fine(what) => {
                json!({"step": step, "result": "ok", "text": what, "ms": millis})
            }
            StepResult::Skipped(why) => json!({"step": step, "result": "skipped", "text": why}),
            StepResult::Found(Finding { code, problem, fix }) => json!({
                "step": step, "result": level(*code), "code": code.text(), "text": problem,
                "fix": fix, "at_fault": code.at_fault().name(), "ms": millis
            }),
        }
    }
}

fn level(code: Code) -> &'static str {
    if code.outcome() == Outcome::Fine { "warning" } else { "fault" }
}
