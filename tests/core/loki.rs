//! The Loki alerts over the audit lines: each names members and values that lines have, fires on lines of its event, and stays silent
//! on those of an ordinary sign-in. `make examples` checks their syntax by Grafana's own grammar.

use std::collections::BTreeSet;

use crate::docs::read;
use crate::rig::{
    Rig, Scripted, allows, approval, get, ok, one_phone, pair, phone_of, preauth, started, status,
};
use duo_mfa::gate::{Loaded, Unanswered};
use duo_mfa::signal::Code;
use serde_json::{Value, json};
use std::time::Duration;

struct Alert {
    name: String,
    query: String,
    /// The text for people, with `{{ $labels.member }}` in it.
    description: String,
}

fn alerts() -> Vec<Alert> {
    let file: Value = serde_saphyr::from_str(&read("envoy/observability/loki.yaml")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rules = file["groups"][0]["rules"].as_array().unwrap();
    let alert = |rule: &Value| Alert {
        name: text(&rule["alert"]),
        query: text(&rule["expr"]),
        description: text(&rule["annotations"]["description"]),
    };
    rules.iter().map(alert).collect()
}

/// The members of audit lines that the page lists, and those of `config_loaded`.
fn members() -> BTreeSet<String> {
    let page = read("docs/monitoring.md");
    let (_, table) = page.split_once("| member | what |\n").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let names = table.lines().filter_map(|row| row.split('|').nth(1));
    let names = names.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    names.chain(["hash", "filter_version"]).map(str::to_owned).collect()
}

/// The beginning of each query, as the page has it: it selects the audit lines and reads them.
fn beginning() -> String {
    let page = read("docs/monitoring.md");
    let (_, rest) = page.split_once("```logql\n").unwrap();
    rest.split_once("\n```").unwrap().0.to_owned()
}

/// The conditions on members: `code="mfa_fraud"` as (`code`, `=`, `mfa_fraud`).
fn conditions(query: &str) -> Vec<(&str, &str, &str)> {
    let (_, rest) =
        query.split_once(&beginning()).expect("the audit lines are read as on the page");
    let (rest, _) = rest.split_once(" [").expect("a range");
    let parts = rest.split(" | ").filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let at = part.find(['=', '!']).unwrap();
            let (member, rest) = part.split_at(at);
            let (operator, value) = rest.split_once('"').unwrap();
            (member.trim(), operator, value.trim_end_matches('"'))
        })
        .collect()
}

/// The members in `by (...)`.
fn groups(query: &str) -> BTreeSet<&str> {
    let lists = query.split("by (").skip(1).map(|rest| rest.split_once(')').unwrap().0);
    lists.flat_map(|list| list.split(", ")).collect()
}

/// How many of these lines an alert's conditions select.
fn selected(alert: &Alert, lines: &[Value]) -> usize {
    let conditions = conditions(&alert.query);
    let meets = |line: &Value, (member, operator, value): (&str, &str, &str)| {
        let has = line[member].as_str().unwrap_or_default();
        match operator {
            "=" => has == value,
            "!=" => has != value,
            "=~" => value.split('|').any(|word| word == has),
            other => panic!("{other}"),
        }
    };
    lines.iter().filter(|line| conditions.iter().all(|it| meets(line, *it))).count()
}

#[test]
fn queries_name_members_and_values_of_audit_lines() {
    let (members, page) = (members(), read("docs/monitoring.md"));
    let alerts = alerts();
    assert!(alerts.len() > 7);
    for Alert { name, query, description } in &alerts {
        let groups = groups(query);
        let conditions = conditions(query);
        let named = conditions.iter().map(|(member, ..)| *member).chain(groups.iter().copied());
        for member in named {
            assert!(members.contains(member), "{name}: {member}");
        }
        for (member, _, values) in conditions {
            for value in values.split('|').filter(|value| !value.is_empty()) {
                let is_code = Code::ALL.iter().any(|code| code.name() == value);
                let is_known =
                    if member == "code" { is_code } else { page.contains(&format!("`{value}`")) };
                assert!(is_known, "{name}: {member} {value}");
            }
        }
        let filled = description.split("$labels.").skip(1);
        for label in filled.map(|rest| rest.split(' ').next().unwrap()) {
            assert!(groups.contains(label), "{name}: {label}");
        }
    }
    let others = read("envoy/observability/alerts.yaml");
    assert!(alerts.iter().all(|alert| !others.contains(&alert.name)), "a name of two alerts");
}

#[test]
fn alerts_fire_on_lines_of_their_event() {
    let prompted =
        |user: &str, result: &str, end: &str| [phone_of(user), started(), status(result, end)];
    let mut rig = Rig::with(json!({"duo": {"fail_mode": "safe"}}));
    rig.signals.push(Loaded::new(&rig.gate).line(rig.now));

    let forward = rig.send(&get("/"), &[one_phone(), started(), allows()]).admitted();
    let ordinary = rig.lines();
    let alerts = alerts();
    for alert in alerts.iter().filter(|it| it.name != "DuoMfaAuditConfiguration") {
        assert_eq!(selected(alert, &ordinary), 0, "{}", alert.name);
    }

    let cookie = approval(&forward);
    let cookie = pair(&cookie);
    let forged = format!("{}{}", &cookie[..cookie.len() - 4], "AAAA");
    rig.send(&get("/").with("cookie", forged), &prompted("alice", "deny", "deny")).refused();
    rig.send(&get("/").of("bob"), &prompted("bob", "deny", "fraud")).refused();
    let locked = ok(&json!({"result": "deny", "status_msg": "Your account is locked out."}));
    rig.send(&get("/").of("eve"), &[locked]).refused();
    rig.send(&get("/").of("mallory"), &[preauth("deny")]).refused();
    let typed = get("/").of("tom").with("x-duo-mfa-passcode", "123456");
    rig.send(&typed, &[phone_of("tom"), status("deny", "deny")]).refused();
    let cut = || Scripted::Fails(Unanswered::Cut);
    rig.now = rig.now.plus(Duration::from_secs(60));
    rig.check_meets(&cut());
    rig.send(&get("/").of("carol"), &[cut(), cut()]).admitted();
    for alert in &alerts {
        assert!(selected(alert, &rig.lines()) > 0, "{}: {:?}", alert.name, rig.lines());
    }
}
