//! Rules that never decide, which the module cannot distinguish from rules that do.

use super::Subject;
use super::warning::{Code, Warning};
use crate::value::{list_at, text_at};
use duo_mfa::policy::Criterion;
use serde_json::Value;

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    let Some(config) = subject.config else { return Vec::new() };
    let rules = list_at(subject.written, &["access_control", "rules"]);
    let mut warnings = Vec::new();
    for (number, rule) in rules.iter().enumerate() {
        if text_at(rule, &["policy"]) == Some("bypass") && is_of_all(rule) {
            let problem = format!("access_control.rules[{number}] lets every request pass");
            let fix = "name fewer paths, networks or users";
            warnings.push(Warning::new(Code::NobodyIsAsked, problem, fix));
        }
        let before = rules.get(..number).unwrap_or_default();
        if let Some(first) = before.iter().position(|earlier| covers(earlier, rule)) {
            let problem = format!(
                "access_control.rules[{number}] comes after rules[{first}], which already decides \
                 about every request that it names"
            );
            warnings.push(never(problem, "put the narrower rule before the wider one"));
        } else if is_of_own_endpoints(rule, &config.path_prefix) {
            let problem = format!(
                "access_control.rules[{number}] names paths under {}, where the filter itself \
                 replies before it looks at any rule",
                config.path_prefix
            );
            warnings.push(never(problem, "remove it"));
        }
    }
    warnings
}

fn never(problem: String, fix: &'static str) -> Warning {
    Warning::new(Code::RuleNeverDecides, problem, fix)
}

/// Whether the earlier rule matches everything that the later one matches as it is written. If in
/// doubt, `false`.
fn covers(earlier: &Value, later: &Value) -> bool {
    Criterion::ALL.into_iter().all(|criterion| {
        let Some(wider) = patterns(earlier, criterion) else { return true };
        let Some(narrower) = patterns(later, criterion) else { return false };
        let mut wanted = narrower.iter().filter(|pattern| !pattern.starts_with('!'));
        !wider.iter().any(|pattern| pattern.starts_with('!'))
            && wanted.all(|narrow| wider.iter().any(|wide| includes(criterion, wide, narrow)))
    })
}

fn patterns(rule: &Value, criterion: Criterion) -> Option<Vec<&str>> {
    rule.get(criterion.name())?.as_array()?.iter().map(Value::as_str).collect()
}

fn includes(criterion: Criterion, wide: &str, narrow: &str) -> bool {
    wide == narrow
        || match criterion {
            Criterion::Paths => {
                wide.strip_suffix("/*").is_some_and(|folder| is_below(narrow, folder))
            }
            Criterion::Hosts => wide.strip_prefix('*').is_some_and(|end| narrow.ends_with(end)),
            Criterion::Users | Criterion::Groups => {
                wide.strip_suffix('*').is_some_and(|start| narrow.starts_with(start))
            }
            Criterion::Methods | Criterion::Networks => false,
        }
}

/// Whether a rule names nothing but all paths, all addresses or all users.
fn is_of_all(rule: &Value) -> bool {
    Criterion::ALL.into_iter().all(|criterion| {
        let is_all = |pattern: &&str| match criterion {
            Criterion::Paths => *pattern == "/*",
            Criterion::Networks => matches!(*pattern, "0.0.0.0/0" | "::/0"),
            Criterion::Users => *pattern == "*",
            Criterion::Methods | Criterion::Hosts | Criterion::Groups => false,
        };
        patterns(rule, criterion).is_none_or(|patterns| {
            patterns.iter().any(is_all) && !patterns.iter().any(|pattern| pattern.starts_with('!'))
        })
    })
}

fn is_of_own_endpoints(rule: &Value, prefix: &str) -> bool {
    let paths = patterns(rule, Criterion::Paths).unwrap_or_default();
    !paths.is_empty() && paths.iter().all(|path| is_below(path, prefix))
}

/// Whether a path is a folder, or below it.
fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
