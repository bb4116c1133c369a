//! The values that a kind accepts and refuses.

use duo_mfa::config::reference::{Kind, List, Text};
use serde_json::{Value, json};

pub(super) struct Probe {
    pub(super) value: Value,
    pub(super) is_good: bool,
}

fn good(value: Value) -> Probe {
    Probe { value, is_good: true }
}

fn bad(value: Value) -> Probe {
    Probe { value, is_good: false }
}

/// Values at the bounds of a kind and beyond them.
pub(super) fn values(path: &str, kind: &Kind) -> Vec<Probe> {
    let mut probes = of(path, kind);
    if !matches!(kind, Kind::Later) {
        probes.push(bad(json!(null)));
    }
    probes
}

fn of(path: &str, kind: &Kind) -> Vec<Probe> {
    match kind {
        // Their keys have probes.
        Kind::Section(_) | Kind::Named(..) => vec![bad(json!([])), bad(json!("x"))],
        Kind::Later => Vec::new(),
        Kind::Pairs(most, text) => pairs(*most, text),
        Kind::List(list) => of_list(path, list),
        Kind::Either(kinds) => either(path, kinds),
        Kind::Flag => {
            vec![good(json!(true)), good(json!(false)), bad(json!("true")), bad(json!(1))]
        }
        Kind::Number(least, most) => {
            let mut probes = vec![good(json!(least)), good(json!(most)), bad(json!(most + 1))];
            probes.extend(least.checked_sub(1).map(|below| bad(json!(below))));
            probes.extend([json!(-1), json!(1.5), json!("3")].map(bad));
            probes
        }
        Kind::Time(least, most) => {
            let mut probes =
                Vec::from([least - 1, most + 1].map(|time| bad(json!(format!("{time}s")))));
            probes.extend([*least, *most].map(|time| good(json!(format!("{time}s")))));
            probes.extend([("m", 60), ("h", 3_600)].into_iter().flat_map(|(unit, seconds)| {
                let last = most / seconds;
                let at = (last > 0).then(|| good(json!(format!("{last}{unit}"))));
                at.into_iter().chain([bad(json!(format!("{}{unit}", last + 1)))])
            }));
            probes
                .extend([json!(10), json!("10"), json!("1.5m"), json!("10ms"), json!("")].map(bad));
            probes
        }
        Kind::Milliseconds(least, most) => {
            let mut probes =
                Vec::from([least - 1, most + 1].map(|time| bad(json!(format!("{time}ms")))));
            probes.extend([*least, *most].map(|time| good(json!(format!("{time}ms")))));
            probes.extend([json!(100), json!("100"), json!("1s"), json!("ms")].map(bad));
            probes
        }
        Kind::Choice(words) => choice(words),
        Kind::ChoiceOrOff(words) => {
            let mut probes = choice(words);
            probes.push(good(json!(false)));
            probes.push(bad(json!(true)));
            probes
        }
        Kind::Text(text) => of_text(text),
        Kind::Secret(_) => vec![bad(json!("plain text")), bad(json!({})), bad(json!(7))],
    }
}

fn choice(words: &[&str]) -> Vec<Probe> {
    let words = words.iter().map(|word| good(json!(word)));
    words.chain([bad(json!("nonsense")), bad(json!(7))]).collect()
}

fn of_text(text: &Text) -> Vec<Probe> {
    let mut probes: Vec<_> = text.wrong.iter().map(|wrong| bad(json!(wrong))).collect();
    assert!(!probes.is_empty(), "{}", text.what);
    probes.push(bad(json!(7)));
    if let Some(most) = text.most.filter(|_| !text.start.is_empty()) {
        let full = |length: usize| json!(format!("{:a<length$}", text.start));
        probes.push(good(full(most)));
        probes.push(bad(full(most + 1)));
    }
    probes
}

fn pairs(most: usize, text: &Text) -> Vec<Probe> {
    let many = |count: usize| (0..count).map(|n| (format!("n{n}"), json!("x"))).collect::<Value>();
    let longest = "x".repeat(text.most.unwrap());
    let longer = format!("{longest}x");
    vec![
        good(many(most)),
        bad(many(most + 1)),
        good(json!({longest.clone(): longest})),
        bad(json!({longer.clone(): "x"})),
        bad(json!({"x": longer})),
        bad(json!({"x": 7})),
    ]
}

fn of_list(path: &str, list: &List) -> Vec<Probe> {
    let repeat = list.least.max(1);
    let mut probes: Vec<_> = of(path, list.of)
        .into_iter()
        .map(|Probe { value, is_good }| {
            // Duo's answer to a code does not say that it was texted.
            let with = (value == json!("passcode")).then(|| json!(["passcode", "sms"]));
            Probe { value: with.unwrap_or_else(|| json!(vec![value; repeat])), is_good }
        })
        .collect();
    probes.push(bad(json!("x")));
    probes.push(bad(json!({})));
    if list.least > 0 {
        probes.push(bad(json!(entries(path, list.least - 1))));
    }
    if let Some(most) = list.most {
        probes.push(good(json!(entries(path, most))));
        probes.push(bad(json!(entries(path, most + 1))));
    }
    if list.unique {
        let one = entry(path, 1);
        probes.push(bad(json!([one, one])));
    }
    probes
}

/// Different entries of the list at a path.
fn entries(path: &str, count: usize) -> Vec<Value> {
    (1..=count).map(|number| entry(path, number)).collect()
}

fn entry(path: &str, number: usize) -> Value {
    match path {
        "session.keys" | "assertion.keys" => json!({"env": format!("COOKIE_KEY_{number}")}),
        "session.logout_paths" => json!(format!("/out/{number}")),
        "session.bind" => json!("certificate"),
        "duo.universal.hosts" => json!(format!("h{number}.example.com")),
        _ if path.ends_with("users") => json!(format!("user{number}")),
        _ if path.ends_with("factors") => json!("push"),
        _ if path.ends_with("metadata") => json!("filter"),
        _ => panic!("add an entry of {path} to tests/core/reference/probe.rs"),
    }
}

/// Bad values of one kind may be good values of another.
fn either(path: &str, kinds: &[Kind]) -> Vec<Probe> {
    let has_text = kinds.iter().any(|kind| matches!(kind, Kind::Text(_)));
    let probes = kinds.iter().flat_map(|kind| of(path, kind));
    probes
        .filter(|probe| {
            probe.is_good || !(has_text && probe.value.is_string()) || probe.value == json!("")
        })
        .collect()
}
