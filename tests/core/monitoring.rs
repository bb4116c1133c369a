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

/// Envoy's log after a few requests: the filter's lines, each with Envoy's prefix.
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
    std::iter::once(other)
        .chain(lines.map(|line| format!("{prefix}{line}")))
        .collect::<Vec<_>>()
        .join("\n")
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
