//! Each rule of a configuration beside a request: whether it matches, and if not, why.

use super::Request;
use crate::value::list_at;
use duo_mfa::config::Config;
use duo_mfa::policy::{Comparison, Criterion, Person, View};
use serde_json::{Map, Value, json};

/// One rule beside the request.
pub(super) struct Row {
    number: usize,
    name: Option<String>,
    policy: &'static str,
    comparison: Comparison,
    /// The patterns of the condition that does not hold, as they are written.
    patterns: Vec<String>,
    /// The value of the request that they are compared with.
    saw: String,
    /// Whether no rule before this one decides.
    is_reached: bool,
}

/// Compares each rule, also those behind the one that decides.
pub(super) fn rows(
    config: &Config,
    written: &Value,
    request: &Request<'_>,
    view: &View<'_>,
    person: Option<&Person<'_>>,
) -> Vec<Row> {
    let mut is_reached = true;
    let written = list_at(written, &["access_control", "rules"]);
    let row = |(number, rule): (usize, &duo_mfa::policy::Rule)| {
        let comparison = rule.compare(view, person);
        let criterion = criterion(comparison);
        let written = written.get(number).unwrap_or(&Value::Null);
        let row = Row {
            number,
            name: rule.name.clone(),
            policy: rule.policy.name(),
            comparison,
            patterns: criterion
                .map(|it| patterns(list_at(written, &[it.name()]), comparison))
                .unwrap_or_default(),
            saw: criterion.map(|it| saw(it, request)).unwrap_or_default(),
            is_reached,
        };
        is_reached &= matches!(comparison, Comparison::Mismatch(_) | Comparison::Excepted(_));
        row
    };
    config.policies.rules.iter().enumerate().map(row).collect()
}

const fn criterion(comparison: Comparison) -> Option<Criterion> {
    match comparison {
        Comparison::Match => None,
        Comparison::Mismatch(criterion)
        | Comparison::Excepted(criterion)
        | Comparison::NoUser(criterion) => Some(criterion),
    }
}

/// The patterns that the comparison is about: the exceptions, or all others.
fn patterns(written: &[Value], comparison: Comparison) -> Vec<String> {
    let all = written.iter().filter_map(Value::as_str);
    let are_exceptions = matches!(comparison, Comparison::Excepted(_));
    all.filter(|it| it.starts_with('!') == are_exceptions).map(str::to_owned).collect()
}

/// The part of the request that a criterion compares.
fn saw(criterion: Criterion, request: &Request<'_>) -> String {
    let unknown = || "not known".to_owned();
    match criterion {
        Criterion::Methods => request.method.to_owned(),
        Criterion::Paths => request.path.split('?').next().unwrap_or_default().to_owned(),
        Criterion::Hosts => request.host.to_owned(),
        Criterion::Networks => request.address.map_or_else(unknown, |it| it.to_string()),
        Criterion::Users => request.user.map_or_else(unknown, str::to_owned),
        Criterion::Groups if request.user.is_none() => unknown(),
        Criterion::Groups if request.groups.is_empty() => "no group".to_owned(),
        Criterion::Groups => request.groups.join(", "),
    }
}

impl Row {
    /// The row in a list for people.
    pub(super) fn text(&self) -> String {
        let Self { number, policy, .. } = self;
        let name = self.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        let reached = if self.is_reached { "" } else { "not reached; alone: " };
        format!("rules[{number}]{name}, {policy}: {reached}{}", self.reason())
    }

    fn reason(&self) -> String {
        let Self { patterns, saw, .. } = self;
        let all = patterns.join(", ");
        match self.comparison {
            Comparison::Match => "hit".to_owned(),
            Comparison::Mismatch(criterion) => {
                format!("miss: {} has {all}, and the request has {saw}", criterion.name())
            }
            Comparison::Excepted(criterion) => {
                format!("miss: {} excepts {all}, and the request has {saw}", criterion.name())
            }
            Comparison::NoUser(criterion) => {
                format!("open: {} has {all}, and the user is not known", criterion.name())
            }
        }
    }

    /// The row for programs.
    pub(super) fn json(&self) -> Value {
        let result = match self.comparison {
            Comparison::Match => "hit",
            Comparison::Mismatch(_) | Comparison::Excepted(_) => "miss",
            Comparison::NoUser(_) => "open",
        };
        let mut row = Map::new();
        let mut set = |name: &str, value: Value| row.insert(name.to_owned(), value);
        set("rule", json!(self.number));
        set("name", json!(self.name));
        set("policy", json!(self.policy));
        set("result", json!(result));
        set("reached", json!(self.is_reached));
        if let Some(criterion) = criterion(self.comparison) {
            set("criterion", json!(criterion.name()));
            set("patterns", json!(self.patterns));
            set("saw", json!(self.saw));
        }
        Value::Object(row)
    }
}
