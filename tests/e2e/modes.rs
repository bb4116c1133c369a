//! `mode: report_only` predicts the decisions that `enforce` makes about the same requests.

use std::collections::BTreeMap;

use serde_json::json;

use crate::hosts::bring_counts;
use crate::message::Request;
use crate::setup::{FirstFactor, Setup};
use crate::sim::eventually;
use crate::stack::Stack;

/// Requests of each kind.
const EACH: usize = 10;
const KINDS: usize = 10;

fn start(mode: &str) -> Stack {
    let setup = Setup::default().plugin(json!({
        "mode": mode,
        "api": {"mode": "refuse"},
        "access_control": {"rules": [
            {"paths": ["/public/*"], "policy": "bypass"},
            {"paths": ["/internal/*"], "policy": "deny"},
            {"paths": ["/admin/*"], "policy": "two_factor", "factors": ["any_passcode"]},
        ]},
    }));
    Stack::start(Setup { first_factor: FirstFactor::Absent, ..setup })
}

/// A hundred requests of ten kinds; `approval` is alice's.
fn requests(approval: &str) -> Vec<Request> {
    let to = |path: String, user: &str| Request::get(path).header("x-basic-user", user);
    let (name, value) = approval.split(';').next().unwrap().split_once('=').unwrap();
    let forged = format!("{name}={}", "A".repeat(value.len()));
    let each = |number: usize| {
        [
            Request::get(format!("/public/{number}")),
            to(format!("/internal/{number}"), "alice"),
            to(format!("/{number}"), "alice").cookie(approval),
            to(format!("/{number}"), "alice"),
            to(format!("/admin/{number}"), "alice").cookie(approval),
            to(format!("/{number}"), "bob").cookie(approval),
            to(format!("/{number}"), "alice").cookie(&forged),
            to(format!("/a/../{number}"), "alice").cookie(approval),
            to(format!("/{number}"), "alice").navigation(),
            Request::get(format!("/{number}")),
        ]
    };
    (0..EACH).flat_map(each).collect()
}

/// The filter's counters of requests. A counter of `report_only` has the name of its counterpart in `enforce`.
fn counters(stack: &Stack) -> BTreeMap<String, u64> {
    let mut counters = BTreeMap::new();
    for line in stack.envoy.admin("/stats?filter=^wasmcustom.duo_mfa_").lines() {
        let (name, count) = line.split_once(": ").unwrap();
        let name = name.strip_prefix("wasmcustom.duo_mfa_").unwrap();
        let name = match name.split_once(".code.") {
            Some((start, code)) if start.starts_with("would_refuse.rule.") => {
                format!("refused.code.{code}")
            }
            // The first page of a sign-in.
            None if name == "prompted" => "refused.code.mfa_required".to_owned(),
            Some(_) | None => name.to_owned(),
        };
        let is_about_requests = ["passed", "bypassed", "refused.", "cookie_refused."]
            .iter()
            .any(|start| name.starts_with(start));
        if is_about_requests && count != "0" {
            *counters.entry(name).or_default() += count.parse::<u64>().unwrap();
        }
    }
    counters
}

#[test]
fn report_only_counts_what_enforce_does() {
    let requests = requests(&Stack::standard().signed_in("alice"));
    assert_eq!(requests.len(), EACH * KINDS);

    let (enforcing, reporting) = (start("enforce"), start("report_only"));
    for (number, request) in requests.iter().enumerate() {
        reporting.admitted(request);
        match number % KINDS {
            0 | 2 => drop(enforcing.admitted(request)),
            _ => drop(enforcing.denied(request)),
        }
    }
    let expected = [
        ("bypassed", 1),
        ("passed", 1),
        ("cookie_refused.reason.layout", 1),
        ("cookie_refused.reason.other_factor", 1),
        ("cookie_refused.reason.other_user", 1),
        ("refused.code.access_denied", 1),
        ("refused.code.identity_missing", 1),
        ("refused.code.mfa_required", 5),
        ("refused.code.path_ambiguous", 1),
    ];
    let each = u64::try_from(EACH).unwrap();
    let expected: BTreeMap<_, _> =
        expected.iter().map(|(name, kinds)| ((*name).to_owned(), kinds * each)).collect();
    let is_counted = |stack: &Stack| {
        bring_counts(stack, |request| request.header("x-basic-user", "alice"));
        (counters(stack).values().sum::<u64>() >= 130).then_some(())
    };
    eventually("the counts", || is_counted(&enforcing));
    assert_eq!(counters(&enforcing), expected, "enforce");
    eventually("the counts", || is_counted(&reporting));
    assert_eq!(counters(&reporting), expected, "report_only");
    for stack in [enforcing, reporting] {
        assert_eq!(stack.sim.user_calls(), 0);
    }
}
