//! The findings about one plugin configuration, or the reason why a file has none.

use super::finding::{Finding, Level};
use super::malformed::{self, Malformed};
use super::warning::Warning;
use super::{Subject, listener, placeholder, title, universal};
use crate::Outcome;
use crate::document::{Document, DocumentError};
use crate::environment::{Environment, printable};
use crate::plugin::{Configuration, Plugin};
use duo_mfa::config::{Code, Fault};
use std::cell::LazyCell;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The verdict on one plugin configuration, or on a file that cannot be read.
pub(super) struct Report {
    pub(super) file: PathBuf,
    /// The file, and the place in it.
    pub(super) title: String,
    pub(super) verdict: Verdict,
}

pub(super) enum Verdict {
    /// The file cannot be read.
    Unreadable(String),
    Read {
        /// Faults first, then warnings, then notes.
        findings: Vec<Finding>,
        /// Names of variables that are not set here.
        absent: BTreeSet<String>,
        /// Name of the configuration in the log and the metrics; `None` if the filter refuses it.
        hash: Option<String>,
    },
}

impl Report {
    pub(super) fn of_unreadable(file: &Path, error: &DocumentError) -> Self {
        let title = file.display().to_string();
        Self { file: file.to_owned(), title, verdict: Verdict::Unreadable(error.to_string()) }
    }

    pub(super) fn of_plugin(
        file: &Path,
        plugin: &Plugin<'_>,
        document: &Document,
        documents: &[&Document],
        environment: &Environment,
    ) -> Self {
        let read = environment.config(&plugin.configuration);
        let absent = environment.take_absent();
        let written = plugin.configuration.value().unwrap_or_default();
        let config = read.as_ref().ok();
        let host = plugin.host;
        let subject =
            Subject { host, written: &written, config, document, documents, absent: &absent };
        let text = match plugin.configuration {
            Configuration::Text(text) => Some(text),
            Configuration::Object(_) | Configuration::Absent => None,
        };
        let malformed = text.and_then(|text| malformed::explain(text, document));

        let lines = LazyCell::new(|| document.lines(&plugin.configuration));
        let line = |path: &str| lines.as_ref()?.of(path);
        let faults = read.as_ref().err().into_iter().flat_map(|faults| faults.iter());
        let mut findings: Vec<_> = faults.map(|fault| Finding::of_fault(fault, &line)).collect();
        // A serialized `Struct` is not JSON either, but no fault.
        if let (Some(Malformed { line, text }), [first, ..]) = (malformed, &mut *findings) {
            first.line = first.line.or(line);
            first.quoted = Some(text);
        }
        let warnings = subject.warnings();
        let of_warning = |warning: &Warning| Finding::of_warning(warning.level(), warning, &line);
        findings.extend(warnings.iter().map(of_warning));
        findings.sort_by_key(|finding| Reverse(finding.level));
        let mut notes = placeholder::notes(&subject);
        notes.extend(listener::note(&subject));
        notes.extend(universal::notes(&subject));
        findings.extend(notes.iter().map(|note| Finding::of_warning(Level::Note, note, &line)));

        let absent = absent.iter().map(|name| printable(name).to_owned()).collect();
        let verdict =
            Verdict::Read { findings, absent, hash: config.map(|config| config.hash.clone()) };
        Self { file: file.to_owned(), title: title(file, plugin), verdict }
    }

    pub(super) fn findings(&self) -> &[Finding] {
        match &self.verdict {
            Verdict::Read { findings, .. } => findings,
            Verdict::Unreadable(_) => &[],
        }
    }

    pub(super) fn count(&self, level: Level) -> usize {
        self.findings().iter().filter(|finding| finding.level == level).count()
    }

    pub(super) fn outcome(&self, is_strict: bool) -> Outcome {
        let worst = if is_strict { Level::Warning } else { Level::Fault };
        match &self.verdict {
            Verdict::Unreadable(_) => Outcome::Unreadable,
            Verdict::Read { findings, .. } if findings.iter().any(|it| it.level >= worst) => {
                Outcome::Faulty
            }
            Verdict::Read { .. } => Outcome::Fine,
        }
    }
}

impl Finding {
    fn of_fault(fault: &Fault, line: &impl Fn(&str) -> Option<usize>) -> Self {
        // Where the text stops being JSON, `malformed` says.
        let is_located = fault.code != Code::Malformed;
        Self {
            level: Level::Fault,
            code: fault.code.text(),
            path: fault.path.clone(),
            line: is_located.then(|| line(&fault.path)).flatten(),
            is_around: false,
            text: format!("{}; {}", fault.problem, fault.fix),
            quoted: None,
        }
    }

    fn of_warning(level: Level, warning: &Warning, line: &impl Fn(&str) -> Option<usize>) -> Self {
        let path = warning.path().to_owned();
        let is_around = warning.line().is_some();
        let line = warning.line().or_else(|| line(&path));
        let (code, text) = (warning.code(), warning.text());
        Self { level, code, line, is_around, path, text, quoted: None }
    }
}
