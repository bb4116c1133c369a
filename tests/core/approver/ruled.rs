//! The configuration of approvers.

use super::{NAMES, WIRE, and_then, assert_by, rule};
use crate::rig::{Rig, allows, configured, get};
use duo_mfa::config::{Code, Config};
use serde_json::{Value, json};

fn parse(changes: Value) -> Result<Config, Vec<(Code, String)>> {
    configured(changes)
        .map_err(|faults| faults.iter().map(|it| (it.code, it.path.clone())).collect())
}

fn groups() -> Value {
    json!({"ops": {"users": ["carol", "dave"]}, "board": {"users": ["dave", "erin"]}})
}

#[test]
fn groups_and_users_are_one_list() {
    let approver = json!({"users": ["frank", "carol"], "groups": ["board", "ops"]});
    let access = json!({"approver_groups": groups(), "rules": [rule(&approver)]});
    let config = parse(json!({"access_control": access})).unwrap();
    let terms = &config.policies.rules[0].terms;
    let names: Vec<_> =
        terms.approvers.iter().flat_map(|it| it.iter()).map(|it| it.user.as_str()).collect();
    assert_eq!(names, ["frank", "carol", "dave", "erin"]);
    let mut rig = Rig::with(json!({"access_control": access}));
    let request = get(WIRE).of("alice").with(NAMES, "erin");
    assert_by(&rig.send(&request, &and_then("erin", allows())).admitted(), "erin");
}

#[test]
fn names_are_canonical_and_lead_to_names_at_duo() {
    let nfc = json!({"normalize": ["nfc", "lowercase", {"strip_domain": ["corp.example.com"]}],
        "username": "{user}@duo"});
    let access = json!({"rules": [rule(&json!({"users": ["zoë", "carol"]}))]});
    let config = parse(json!({"access_control": access, "identity": nfc})).unwrap();
    let approvers = config.policies.rules[0].terms.approvers.as_ref().unwrap();
    assert_eq!((approvers[0].user.as_str(), approvers[0].username.as_str()), ("zoë", "zoë@duo"));
}

#[test]
fn faults_are_found() {
    let users: Vec<String> = (0..17).map(|number| format!("user{number}")).collect();
    let at = |rest: &str| format!("access_control.rules[0].{rest}");
    let conflict = |rest: &str| (Code::ConflictingKeys, at(rest));
    for (approver, faults) in [
        (json!({}), vec![conflict("approver")]),
        (json!("carol"), vec![(Code::WrongType, at("approver"))]),
        (json!({"users": []}), vec![(Code::EmptyList, at("approver.users"))]),
        (json!({"groups": []}), vec![(Code::EmptyList, at("approver.groups"))]),
        (json!({"users": ["Carol"]}), vec![(Code::InvalidPattern, at("approver.users[0]"))]),
        (json!({"users": [""]}), vec![(Code::InvalidPattern, at("approver.users[0]"))]),
        (
            json!({"users": ["a,b", 7]}),
            vec![
                (Code::InvalidPattern, at("approver.users[0]")),
                (Code::WrongType, at("approver.users[1]")),
            ],
        ),
        (json!({"groups": ["opps"]}), vec![(Code::UnknownValue, at("approver.groups[0]"))]),
        (
            json!({"user": ["carol"]}),
            vec![(Code::UnknownKey, at("approver.user")), conflict("approver")],
        ),
        (json!({"users": users}), vec![conflict("approver")]),
    ] {
        let access = json!({"approver_groups": groups(), "rules": [rule(&approver)]});
        assert_eq!(parse(json!({"access_control": access})).unwrap_err(), faults, "{approver}");
    }
}

/// A rule that would not have another person asked each time is refused.
#[test]
fn approver_demands_a_push_for_each_request() {
    let conflict = |key: &str| (Code::ConflictingKeys, format!("access_control.rules[0].{key}"));
    for (changes, faults) in [
        (json!({"approval": null}), vec![conflict("approver")]),
        (json!({"approval": "session"}), vec![conflict("approver")]),
        (json!({"factors": ["push", "phone"]}), vec![conflict("approver")]),
        (json!({"factors": ["phone"]}), vec![conflict("approver")]),
        (json!({"fail_mode": "safe"}), vec![conflict("fail_mode")]),
        (json!({"policy": "bypass"}), vec![conflict("approval"), conflict("approver")]),
        (json!({"policy": "deny"}), vec![conflict("approval"), conflict("approver")]),
    ] {
        let mut rule = rule(&json!({"users": ["carol"]}));
        crate::rig::overlay(&mut rule, changes.clone());
        let parsed = parse(json!({"access_control": {"rules": [rule]}}));
        assert_eq!(parsed.unwrap_err(), faults, "{changes}");
    }
    let rule = || json!([rule(&json!({"users": ["carol"]}))]);
    let per_client = json!({"per": "client", "for": "5m"});
    let mut each = rule();
    each[0]["approval"] = per_client;
    let bind = json!({"bind": ["ip_prefix"]});
    let parsed = parse(json!({"access_control": {"rules": each}, "session": bind}));
    assert_eq!(parsed.unwrap_err(), [conflict("approver")]);
    let without = json!({"access_control": {"rules": rule()}, "duo": {"factors": ["phone"]}});
    assert_eq!(parse(without).unwrap_err(), [conflict("approver")]);
    parse(json!({"access_control": {"rules": rule()}, "duo": {"factors": ["phone", "push"]}}))
        .unwrap();
}
