//! docs/monitoring.md names all metrics, all members of an audit line and all other log lines.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::layers::rust_files;
use duo_mfa::gate::{Outcome, counters};
use duo_mfa::signal::{Code, Counter, Gauge, TimeToApproval};

const ALL: [Counter; 16] = [
    Counter::Passed,
    Counter::PassedPerClient,
    Counter::Bypassed,
    Counter::Admitted("FACTOR"),
    Counter::Refused(Code::MfaDenied),
    Counter::Reported { rule: Some(7), code: Code::MfaDenied },
    Counter::Reported { rule: None, code: Code::MfaDenied },
    Counter::Abandoned,
    Counter::CookieRefused("REASON"),
    Counter::DuoCalls("ENDPOINT"),
    Counter::DuoFailures("ENDPOINT"),
    Counter::LimitsUnreadable,
    Counter::RateLimitService("ANSWER"),
    Counter::Prompted,
    Counter::Overflows("ENDPOINT"),
    Counter::Crowded("LIMIT"),
];

/// Does not compile if a counter is missing here. A new one belongs in the list above and on the page.
const fn is_listed(counter: Counter) -> bool {
    match counter {
        Counter::Passed
        | Counter::PassedPerClient
        | Counter::Bypassed
        | Counter::Prompted
        | Counter::Admitted(_)
        | Counter::Refused(_)
        | Counter::Reported { .. }
        | Counter::Abandoned
        | Counter::CookieRefused(_)
        | Counter::DuoCalls(_)
        | Counter::DuoFailures(_)
        | Counter::LimitsUnreadable
        | Counter::RateLimitService(_)
        | Counter::Overflows(_)
        | Counter::Crowded(_) => true,
    }
}

const GAUGES: [Gauge<'_>; 7] = [
    Gauge::DuoUp(None),
    Gauge::BreakerOpen(None),
    Gauge::HeldRequests,
    Gauge::ClockAhead,
    Gauge::ClockBehind,
    Gauge::BuildInfo,
    Gauge::Configuration(""),
];

/// Does not compile if a gauge is missing here. A new one belongs in the list above and on the page.
const fn is_listed_gauge(gauge: Gauge<'_>) -> bool {
    match gauge {
        Gauge::DuoUp(_)
        | Gauge::BreakerOpen(_)
        | Gauge::HeldRequests
        | Gauge::ClockAhead
        | Gauge::ClockBehind
        | Gauge::BuildInfo
        | Gauge::Configuration(_) => true,
    }
}

#[test]
fn every_metric_is_documented() {
    assert!(ALL.into_iter().all(is_listed));
    let placed = |counter: &Counter| {
        let name = counter.to_string().replace(Code::MfaDenied.name(), "CODE");
        name.replace("rule.7.", "rule.RULE.").replace("rule.default.", "rule.RULE.")
    };
    let mut coded: BTreeSet<_> = ALL.iter().map(placed).collect();
    assert!(GAUGES.into_iter().all(is_listed_gauge));
    for (name, label) in GAUGES.map(Gauge::parts) {
        let label = label.map_or_else(String::new, |(label, _)| {
            format!(".{label}.{}", label.to_ascii_uppercase())
        });
        coded.insert(format!("{name}{label}"));
    }
    coded.insert(format!("{}.{}.FACTOR", TimeToApproval::HISTOGRAM, TimeToApproval::LABEL));
    // A counter of the native adapter alone.
    assert!(read("src/adapter/native/metrics.rs").contains("\"duo_mfa_internal_errors\""));
    coded.insert("duo_mfa_internal_errors".to_owned());
    let documented: BTreeSet<_> = first_cells("| metric |").into_iter().collect();
    assert_eq!(documented, coded);
}

/// The files whose names occur within metrics.
const NAMED: [(&str, &str); 7] = [
    ("duo_mfa_refused.code.", "src/signal.rs"),
    ("duo_mfa_admitted.factor.", "src/factor.rs"),
    ("duo_mfa_admitted.factor.", "src/session/approved_by.rs"),
    ("duo_mfa_cookie_refused.reason.", "src/session/refusal.rs"),
    ("duo_mfa_cookie_refused.reason.", "src/gate/rules.rs"),
    ("duo_mfa_crowded.limit.", "src/gate/room.rs"),
    ("duo_mfa_duo_calls.endpoint.", "src/duo/endpoint.rs"),
];

/// A name that is missing here begins at 1 for Prometheus, which then misses the first count.
#[test]
fn every_counter_is_defined_at_start() {
    let defined: Vec<_> = counters().map(|counter| counter.to_string()).collect();
    let distinct: BTreeSet<_> = defined.iter().collect();
    assert_eq!(distinct.len(), defined.len(), "{defined:?}");
    assert_eq!(defined[0], "duo_mfa_passed", "the most frequent one is found first");
    for (start, file) in NAMED {
        let text = read(file);
        let names = text.lines().filter_map(|line| {
            let (_, name) = line.trim().split_once("=> ")?;
            name.trim_start_matches('(').strip_prefix('"')?.split('"').next()
        });
        // Beside the names of endpoints, one file has their paths and methods.
        let is_name = |name: &&str| name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        let names: Vec<_> = names.filter(is_name).collect();
        assert!(names.len() > 2, "{file}");
        for name in names {
            assert!(defined.contains(&format!("{start}{name}")), "{file}: {name}");
        }
    }
}

/// The names that the code inserts into a metric's name.
#[test]
fn every_name_within_a_metric_is_documented() {
    let page = read("docs/monitoring.md");
    for counter in counters() {
        let metric = counter.to_string();
        let [start, label, name] = metric.split('.').collect::<Vec<_>>()[..] else { continue };
        if ["code", "endpoint"].contains(&label) {
            continue;
        }
        let rows = page.lines().skip_while(|line| !line.starts_with("| metric |"));
        let mut rows = rows.filter(|line| line.starts_with(&format!("| `{start}.")));
        assert!(rows.next().unwrap().contains(&format!("`{name}`")), "{metric}");
    }
}

#[test]
fn every_member_of_an_audit_line_is_documented() {
    let source = read("src/gate/audit.rs");
    let writer = source.split("ObjectText::new()").nth(1).unwrap();
    let calls = writer.split(";").next().unwrap().split('.').skip(1);
    let coded: BTreeSet<_> =
        calls.filter_map(|call| call.split('"').nth(1)).map(str::to_owned).collect();
    let rows = first_cells("| member |");
    let cells = rows.iter().flat_map(|cell| cell.split(", "));
    let documented: BTreeSet<_> = cells.map(|cell| cell.trim_matches('`').to_owned()).collect();
    assert!(coded.len() > 10, "{coded:?}");
    assert_eq!(documented, coded);
}

#[test]
fn every_kind_of_audit_line_is_documented() {
    let audit = read("src/gate/audit.rs");
    let (_, names) = audit.split_once("const fn names(self)").unwrap();
    let (names, _) = names.split_once("(kind, kind)").unwrap();
    let kinds = names.split("=> \"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let mut coded: BTreeSet<_> = kinds.map(str::to_owned).collect();
    assert!(coded.len() > 4, "{coded:?}");
    coded.extend(["decision", "prompted", "abandoned"].map(str::to_owned));
    for outcome in [Outcome::Admitted, Outcome::Prompted, Outcome::Abandoned] {
        assert!(coded.contains(outcome.kind()), "{outcome:?}");
    }
    let loaded = read("src/gate/loaded.rs");
    assert!(loaded.contains(".text(\"kind\", \"config_loaded\")"));
    coded.insert("config_loaded".to_owned());
    let documented: BTreeSet<_> = first_cells("| kind |").into_iter().collect();
    assert_eq!(documented, coded);
}

#[test]
fn every_documented_line_is_one_that_is_written() {
    let mut code = String::new();
    for folder in ["src/adapter", "src/config", "src/gate"] {
        for file in rust_files(&root().join(folder)) {
            let text = fs::read_to_string(file).unwrap();
            // A string that continues on the next line.
            code += &text.split("\\\n").map(str::trim_start).collect::<String>();
        }
    }
    let lines = first_cells("| line |");
    assert!(lines.len() > 10);
    for line in lines.iter().flat_map(|cell| cell.split(", `")) {
        for part in line.trim_matches('`').split(" ... ").map(|part| part.trim_end_matches(" ..."))
        {
            assert!(code.contains(part), "no line has: {part}");
        }
    }
}

/// The first cells of the table that begins with `head`. A cell with one name loses its back quotes.
fn first_cells(head: &str) -> Vec<String> {
    let page = read("docs/monitoring.md");
    let lines = page.lines().skip_while(|line| !line.starts_with(head)).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('|').nth(1).unwrap().trim().trim_matches('`').to_owned()).collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
