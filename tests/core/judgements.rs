//! The filter state that a step sets for Envoy's access log and for the filters behind this one.

use crate::browser::Browser;
use crate::rig::{Rig, approval, get, one_phone, pair, preauth, started, status};
use duo_mfa::factor::Factor;
use duo_mfa::gate::{Judgement, Outcome};
use duo_mfa::session::ApprovedBy;
use duo_mfa::signal::{Level, Signal};
use serde_json::{Value, json};

fn ruled(mode: &str) -> Rig {
    Rig::with(json!({
        "mode": mode,
        "access_control": {"rules": [
            {"paths": ["/public/*"], "policy": "bypass"},
            {"paths": ["/internal/*"], "policy": "deny"},
            {"paths": ["/reports/*"], "policy": "two_factor"},
        ]},
    }))
}

const fn judged(outcome: Outcome, factor: Option<ApprovedBy>, rule: Option<usize>) -> Judgement {
    Judgement { outcome, factor, rule }
}

#[test]
fn every_decision_says_what_became_of_the_request() {
    let push = [one_phone(), started(), status("allow", "allow")];
    let denied = [one_phone(), started(), status("deny", "deny")];
    let allowed = [preauth("allow")];
    let disabled = [preauth("deny")];
    let passed = approval(&ruled("enforce").send(&get("/reports"), &push).admitted());
    let by_cookie = get("/reports").with("cookie", pair(&passed));
    let at_root = get("/").with("cookie", pair(&passed));
    for (request, script, expected) in [
        (get("/public"), &[][..], judged(Outcome::Bypassed, None, Some(0))),
        (get("/internal"), &[], judged(Outcome::Refused, None, Some(1))),
        (
            get("/reports"),
            &push,
            judged(Outcome::Admitted, Some(ApprovedBy::Factor(Factor::Push)), Some(2)),
        ),
        (get("/"), &push, judged(Outcome::Admitted, Some(ApprovedBy::Factor(Factor::Push)), None)),
        (get("/reports"), &allowed, judged(Outcome::Admitted, Some(ApprovedBy::Bypass), Some(2))),
        (get("/reports"), &denied, judged(Outcome::Refused, None, Some(2))),
        (get("/reports"), &disabled, judged(Outcome::Refused, None, Some(2))),
        (by_cookie, &[], judged(Outcome::Passed, Some(ApprovedBy::Factor(Factor::Push)), Some(2))),
        (at_root, &[], judged(Outcome::Passed, Some(ApprovedBy::Factor(Factor::Push)), None)),
        (get("/reports").of(""), &[], judged(Outcome::Refused, None, Some(2))),
        (get("/a/../b"), &[], judged(Outcome::Refused, None, None)),
        (get("/.duo-mfa/none"), &[], judged(Outcome::Refused, None, None)),
        (get("/").without(":path"), &[], judged(Outcome::Refused, None, None)),
    ] {
        let mut rig = ruled("enforce");
        rig.send(&request, script);
        assert_eq!(rig.judgements, [expected], "{request:?}");
        assert_as_the_audit_line(&rig, expected);
    }
}

/// Asserts that the audit line, if there is one, has the same values.
fn assert_as_the_audit_line(rig: &Rig, judgement: Judgement) {
    let lines = rig.signals.iter().filter_map(|signal| match signal {
        Signal::Log(_, text) => serde_json::from_str::<Value>(text).ok(),
        Signal::Count(_) => None,
    });
    for line in lines {
        let [(_, result), (_, factor), (_, rule)] = judgement.properties();
        if line["kind"] == "push_sent" {
            continue;
        }
        let rule = rule.map(|rule| rule.parse::<usize>().unwrap());
        assert_eq!(line["result"], json!(result), "{line}");
        assert_ne!(line.get("reason"), Some(&json!("")), "{line}");
        assert_eq!(line["rule"], json!(rule), "{line}");
        // The factor of a refusal is the one that the user was asked for.
        if result.as_deref() != Some("refused") {
            assert_eq!(line["factor"], json!(factor), "{line}");
        }
    }
}

#[test]
fn requests_that_pass_are_judged_too() {
    let mut rig = ruled("report_only");
    rig.send(&get("/internal"), &[]);
    rig.send(&get("/public"), &[]);
    assert_eq!(
        rig.judgements,
        [judged(Outcome::WouldRefuse, None, Some(1)), judged(Outcome::Bypassed, None, Some(0))]
    );
    let mut off = ruled("off");
    off.send(&get("/internal"), &[]);
    assert_eq!(off.judgements, []);
}

#[test]
fn a_page_that_asks_is_no_refusal() {
    let mut rig = Rig::new();
    let alice = Browser::of("alice");
    rig.send(&alice.opens("/"), &[]);
    rig.send(&alice.opens("/.duo-mfa/"), &[]);
    assert_eq!(rig.judgements, [judged(Outcome::Prompted, None, None); 2]);
    rig.judgements.clear();
    rig.send(&get("/.duo-mfa/healthz"), &[]);
    assert_eq!(rig.judgements, []);
}

#[test]
fn a_client_that_left_is_written_down_in_another_line() {
    let reports = get("/reports");
    let mut rig = ruled("enforce");
    rig.send(&reports, &[one_phone(), started(), status("allow", "allow")]);
    let [Signal::Log(Level::Info, line)] = rig.undone.as_slice() else {
        panic!("{:?}", rig.undone)
    };
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["result"], "abandoned", "{line}");
    assert_eq!((&line["user"], &line["factor"]), (&json!("alice"), &json!("push")), "{line}");
    assert_eq!(line["reason"], "allowed, but the client had left", "{line}");

    // A refusal is recorded even if the client has left.
    rig.undone.clear();
    rig.send(&reports, &[one_phone(), started(), status("deny", "deny")]);
    assert_eq!(rig.undone, []);
    let admitted = judged(Outcome::Admitted, Some(ApprovedBy::Factor(Factor::Push)), Some(2));
    assert_eq!(
        admitted.abandoned(),
        judged(Outcome::Abandoned, Some(ApprovedBy::Factor(Factor::Push)), Some(2))
    );
    let refused = judged(Outcome::Refused, None, Some(2));
    assert_eq!(refused.abandoned(), refused);
}

#[test]
fn values_are_plain_words_and_numbers() {
    let all = judged(Outcome::WouldRefuse, Some(ApprovedBy::FailSafe), Some(12)).properties();
    let texts = all.map(|(name, value)| (name, value.unwrap().into_owned()));
    let expected = [
        ("duo_mfa_result", "would_refuse"),
        ("duo_mfa_factor", "fail_safe"),
        ("duo_mfa_rule", "12"),
    ];
    assert_eq!(texts, expected.map(|(name, value)| (name, value.to_owned())));
    let least = judged(Outcome::Refused, None, None).properties();
    assert_eq!(least.map(|(_, value)| value.is_some()), [true, false, false]);
}
