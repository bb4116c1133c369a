//! docs/cli.md on doctor: its report and its verdicts.

use super::sim::{self, Sim};
use std::collections::BTreeSet;

/// The documented run has a wrong secret key.
#[test]
fn the_documented_report_has_the_lines_of_a_real_one() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, block) = page.split_once("```console doctor\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let (command, shown) = block.split_once('\n').unwrap();
    let options: Vec<_> = command.split(' ').filter(|word| word.starts_with("--")).collect();
    assert_eq!(options, ["--env-file", "--user", "--push"]);
    let sim = Sim::start(&[]);
    let secret = "Ah5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep";
    let ran = sim::with_secret(&sim.envoy(), secret, &["--user", "alice", "--push"]);
    // The first line names the file, and a finding has its words.
    let lines = |text: &str| -> Vec<String> {
        let step = |line: &str| match line.split_once(": ") {
            Some((start, _)) if !line.contains("fault") => start.to_owned(),
            _ => line.to_owned(),
        };
        text.lines().skip(1).map(step).collect()
    };
    assert_eq!(lines(shown), lines(&ran.output));
}

/// The verdicts that no test provokes: they need a network of another kind, a public certificate,
/// or one that expires within days.
const UNTESTED: [&str; 6] = [
    "authorities_too_few",
    "certificate_expires_soon",
    "connection_failed",
    "connection_timeout",
    "handshake_failed",
    "no_random_bytes",
];

#[test]
fn every_verdict_is_documented_and_provoked() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path| std::fs::read_to_string(root.join(path)).unwrap();
    let source = read("src/bin/duo-mfa/doctor/verdict.rs");
    let coded: BTreeSet<_> =
        source.lines().filter_map(|line| line.split_once(" = \"")?.1.split('"').next()).collect();
    let page = read("docs/cli.md");
    let rows = page.lines().skip_while(|line| *line != "| verdict | status | what to do |").skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let documented: BTreeSet<_> = rows
        .filter_map(|row| row.split('|').nth(1))
        .flat_map(|cell| cell.split(','))
        .map(|code| code.trim().trim_matches('`'))
        .collect();
    assert_eq!(documented, coded);
    let tests = read("tests/cli/doctor/mod.rs") + &read("tests/cli/doctor/universal.rs");
    for code in coded {
        let is_provoked = tests.contains(&format!("\"{code}\""));
        assert_eq!(is_provoked, !UNTESTED.contains(&code), "{code}");
    }
}
