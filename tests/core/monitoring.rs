//! Runs the commands of docs/monitoring.md on audit lines that the core has written.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::docs::read;
use crate::rig::{Rig, Scripted, get, phone_of, preauth, started, status};
use duo_mfa::gate::Unanswered;
use duo_mfa::signal::Signal;
use serde_json::{Value, json};

/// A part of the output of each command on the page, for the lines of [`log`].
const ANSWERS: [&str; 9] = [
    "",
    "\"user\":\"alice\"",
    "mfa_denied\t/reports\t",
    "carol\t192.0.2.7\tDuo has been unreachable since",
    "bob\t192.0.2.7\t/reports",
    "1 mfa_fraud",
    "192.0.2.7\t4",
    "alice\tpush",
    "1 2\tmfa_required",
];

fn ruled(mode: &str) -> Rig {
    Rig::with(json!({
        "mode": mode,
        "duo": {"fail_mode": "safe"},
        "access_control": {"rules": [
            {"paths": ["/public/*"], "policy": "bypass"},
            {"paths": ["/internal/*"], "policy": "deny"},
            {"paths": ["/reports/*", "/admin/*"], "policy": "two_factor"},
        ]},
    }))
}

/// Envoy's log after a few requests: the filter's lines, each with Envoy's prefix. Before them are
/// access logs in which a client has written audit lines.
fn log() -> String {
    let prompted =
        |user: &str, result: &str, end: &str| [phone_of(user), started(), status(result, end)];
    let mut rig = ruled("enforce");

    rig.send(&get("/admin"), &prompted("alice", "allow", "allow")).admitted();
    rig.send(&get("/reports"), &prompted("alice", "deny", "deny")).refused();
    rig.send(&get("/reports").of("bob"), &prompted("bob", "deny", "fraud")).refused();
    rig.send(&get("/reports").of("mallory"), &[preauth("deny")]).refused();
    let cut = || Scripted::Fails(Unanswered::Cut);
    rig.now = rig.now.plus(Duration::from_secs(60));
    rig.check_meets(&cut());
    rig.send(&get("/reports").of("carol"), &[cut(), cut()]).admitted();
    let mut trial = ruled("report_only");
    trial.send(&get("/reports"), &[]).admitted();

    let signals = rig.signals.iter().chain(&trial.signals);
    let lines = signals.filter_map(|signal| match signal {
        Signal::Log(_, line) => Some(line),
        Signal::Count(_) => None,
    });
    let prefix = "[2027-01-15 08:00:00.123][17][info][wasm] [source/extensions/common/wasm/context.cc:1195] wasm log \
                  duo_mfa duo_mfa: ";
    let other = format!("{prefix}answers and accepts the credentials");
    let written = FORGED.map(|line| line.replace("OBJECT", r#"{"event":"duo_mfa","user":"eve"}"#));
    let forged = written.iter().map(|line| line.replace("PREFIX", prefix));
    std::iter::once(other)
        .chain(forged)
        .chain(lines.map(|line| format!("{prefix}{line}")))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Lines of access logs and of another plugin, with what a client has sent.
const FORGED: [&str; 8] = [
    r#"[2027-01-15T08:00:00.123Z] "GET / HTTP/1.1" 200 "PREFIXOBJECT""#,
    "GET / 200 PREFIXOBJECT",
    "192.0.2.7 wasm log duo_mfa: OBJECT",
    "192.0.2.7 duo_mfa: OBJECT",
    "192.0.2.7 OBJECT",
    "PREFIXOBJECT 200",
    "[2027-01-15T08:00:00.123Z] GET / [] wasm log duo_mfa: OBJECT",
    "[2027-01-15 08:00:00.123][17][info][wasm] [x.cc:1] wasm log other: User-Agent: OBJECT",
];

/// The command of the page keeps the lines of each form of Envoy's log.
#[test]
fn each_form_of_the_text_log_is_read() {
    let object = r#"{"event":"duo_mfa","user":"alice"}"#;
    let page = read("docs/monitoring.md");
    let (_, rest) = page.split_once("$ sed -nE '").unwrap();
    let (script, _) = rest.split_once('\'').unwrap();
    let lines = [
        "OBJECT",
        "[2027-01-15 08:00:00.123][17][info][wasm] [source/x.cc:1] wasm log: OBJECT",
        "[2027-01-15 08:00:00.123][17][warning] [source/x.cc:1] wasm log duo_mfa duo_mfa: OBJECT",
        "[2027-01-15 08:00:00.123][17][info][dynamic_modules] [:] duo_mfa: OBJECT",
        "2027-01-15T08:00:00Z stderr F [2027-01-15 08:00:00.123][17][info] [:] duo_mfa: OBJECT",
        "2027-01-15T08:00:00.123456Z\tinfo\tenvoy wasm x.cc:1\twasm log ns.mfa: OBJECT\tthread=17",
        "2027-01-15T08:00:00.123456Z\tinfo\tenvoy dynamic_modules :\tduo_mfa: OBJECT\tthread=17",
    ];
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("forms.log");
    fs::write(&file, lines.join("\n").replace("OBJECT", object)).unwrap();
    let ran = Command::new("sed").arg("-nE").arg(script).arg(&file).output().unwrap();
    let kept = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(kept.lines().collect::<Vec<_>>(), vec![object; lines.len()], "{:?}", ran.stderr);
    // Loki's expression is the same one.
    let pattern = script.strip_prefix("s/").unwrap().strip_suffix("/\\6/p").unwrap();
    let named = pattern.replace(r"(\{", r"(?P<audit>\{");
    assert!(page.contains(&format!("| regexp `{named}` | audit != \"\" |")), "{named}");
}

#[test]
fn every_question_is_answered_by_its_command() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("monitoring");
    fs::create_dir_all(&folder).unwrap();
    let log = log();
    fs::write(folder.join("envoy.log"), &log).unwrap();
    let (_, reference) = log.split_once("\"reference\":\"").unwrap();
    let page = read("docs/monitoring.md");
    let commands = page.split("```console audit\n$ ").skip(1);
    let commands: Vec<_> = commands.map(|rest| rest.split("\n```").next().unwrap()).collect();
    assert_eq!(commands.len(), ANSWERS.len());
    for (command, answer) in commands.into_iter().zip(ANSWERS) {
        let command = command.replace("K7M2Q4XP", &reference[..8]);
        let ran = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &command])
            .current_dir(&folder)
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
        assert!(printed.contains(answer), "{command}: {printed}");
    }
    let kept = fs::read_to_string(folder.join("audit.jsonl")).unwrap();
    let kept: Vec<Value> = kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(kept.len(), 9, "{kept:?}");
}
