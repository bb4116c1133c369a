//! How the findings of `check` are printed: for people, programs, GitHub's log, code scanning.

use super::finding::{Finding, Level};
use super::report::{Report, Verdict};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde_json::{Value, json};
use std::path::Path;

/// The formats.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Text,
    /// One object for programs
    Json,
    /// Workflow commands, which GitHub Actions shows at the lines of a pull request
    Github,
    /// SARIF 2.1.0, which code scanning reads
    Sarif,
}

/// The characters of a path that a URI has with escapes (RFC 3986, section 3.3). A colon in the first
/// segment would end a scheme.
const ESCAPED: AsciiSet =
    NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Format {
    pub(super) fn text(self, reports: &[Report]) -> String {
        match self {
            Self::Text => lines(reports, text),
            Self::Github => lines(reports, github),
            Self::Json => json(reports).to_string(),
            Self::Sarif => sarif(reports).to_string(),
        }
    }
}

fn lines(reports: &[Report], of_one: fn(&Report) -> String) -> String {
    let texts: Vec<_> = reports.iter().map(of_one).filter(|text| !text.is_empty()).collect();
    texts.join("\n")
}

fn text(report: &Report) -> String {
    let (findings, absent) = match &report.verdict {
        Verdict::Unreadable(error) => return format!("{}: {error}", report.title),
        Verdict::Read { findings, absent, .. } => (findings, absent),
    };
    let mut text = format!("{}: {}", report.title, summary(report));
    for finding in findings {
        let (level, code, what) = (finding.level.text(), finding.code, &finding.text);
        text += &format!("\n  {level} {code}{}: {what}", place(finding));
        if let Some(quoted) = &finding.quoted {
            text += &format!("\n    {quoted}");
        }
    }
    if !absent.is_empty() {
        let names: Vec<_> = absent.iter().map(String::as_str).collect();
        text += &format!("\n  not set here, so the value was not checked: {}", names.join(", "));
    }
    text
}

/// ` at PATH, line N`, as far as both are known. The title says where a whole configuration is.
fn place(finding: &Finding) -> String {
    let line = finding.line.map(|line| format!("line {line}"));
    match (&*finding.path, line) {
        ("", Some(line)) if finding.is_around => format!(" at {line}"),
        ("", _) => String::new(),
        (path, Some(line)) => format!(" at {path}, {line}"),
        (path, None) => format!(" at {path}"),
    }
}

fn summary(report: &Report) -> String {
    let count = |level: Level| {
        let number = report.count(level);
        let plural = if number == 1 { "" } else { "s" };
        (number > 0).then(|| format!("{number} {}{plural}", level.text()))
    };
    let parts: Vec<_> = [Level::Fault, Level::Warning].into_iter().filter_map(count).collect();
    if parts.is_empty() { "ok".to_owned() } else { parts.join(", ") }
}

fn json(reports: &[Report]) -> Value {
    let of_one = |report: &Report| match &report.verdict {
        Verdict::Unreadable(error) => {
            json!({"file": report.file.display().to_string(), "error": error})
        }
        Verdict::Read { findings, absent, hash } => {
            let (file, title) = (report.file.display().to_string(), &report.title);
            json!({"file": file, "title": title, "hash": hash, "findings": findings, "not_set": absent})
        }
    };
    let configurations: Vec<_> = reports.iter().map(of_one).collect();
    json!({"version": 1, "configurations": configurations})
}

/// GitHub's workflow commands `error`, `warning` and `notice`.
fn github(report: &Report) -> String {
    let file = escaped(&report.file.display().to_string(), true);
    match &report.verdict {
        Verdict::Unreadable(error) => format!("::error file={file}::{}", escaped(error, false)),
        Verdict::Read { findings, .. } => {
            let of_one = |finding: &Finding| {
                let command = match finding.level {
                    Level::Fault => "error",
                    Level::Warning => "warning",
                    Level::Note => "notice",
                };
                let line = finding.line.map(|line| format!(",line={line}")).unwrap_or_default();
                let code = finding.code;
                let text = escaped(&message(finding), false);
                format!("::{command} file={file}{line},title={code}::{text}")
            };
            findings.iter().map(of_one).collect::<Vec<_>>().join("\n")
        }
    }
}

/// Escapes a text for a workflow command. A property ends at more characters than the message.
fn escaped(text: &str, is_property: bool) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    if is_property { text.replace(':', "%3A").replace(',', "%2C") } else { text }
}

/// A finding's text with what the location does not say.
fn message(finding: &Finding) -> String {
    let at = if finding.path.is_empty() { String::new() } else { format!("{}: ", finding.path) };
    let quoted = finding.quoted.as_ref().map(|quoted| format!("\n{quoted}")).unwrap_or_default();
    format!("{at}{}{quoted}", finding.text)
}

/// A path as a URI reference.
fn uri(path: &Path) -> String {
    percent_encode(path.as_os_str().as_encoded_bytes(), &ESCAPED).to_string()
}

/// Static Analysis Results Interchange Format, version 2.1.0 (OASIS).
fn sarif(reports: &[Report]) -> Value {
    let findings = || reports.iter().flat_map(Report::findings);
    let mut codes: Vec<_> = findings().map(|finding| finding.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<_> = codes.iter().map(|code| json!({"id": code})).collect();
    let results = reports.iter().flat_map(|report| {
        report.findings().iter().map(|finding| {
            let is_fault = finding.level == Level::Fault;
            let level = if is_fault { "error" } else { finding.level.text() };
            let file = json!({"uri": uri(&report.file)});
            let location = match finding.line {
                Some(line) => json!({"artifactLocation": file, "region": {"startLine": line}}),
                None => json!({"artifactLocation": file}),
            };
            json!({
                "ruleId": finding.code,
                "level": level,
                "message": {"text": message(finding)},
                "locations": [{"physicalLocation": location}],
            })
        })
    });
    let unread = reports.iter().filter_map(|report| match &report.verdict {
        Verdict::Unreadable(error) => Some(json!({
            "level": "error",
            "message": {"text": format!("{}: {error}", report.title)},
        })),
        Verdict::Read { .. } => None,
    });
    let unread: Vec<_> = unread.collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "duo-mfa",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": unread.is_empty(),
                "toolExecutionNotifications": unread,
            }],
            "results": results.collect::<Vec<_>>(),
        }],
    })
}
