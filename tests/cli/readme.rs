//! The commands and warnings that docs/cli.md shows.

use crate::run::duo_mfa;
use std::fs;
use std::path::Path;

#[test]
fn every_shown_command_says_that_all_is_well() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    let text = fs::read_to_string(page).unwrap();
    let (_, block) = text.split_once("```console cli\n").unwrap();
    let (commands, _) = block.split_once("```").unwrap();
    let mut seen = Vec::new();
    for line in commands.lines() {
        let command = line.split('#').next().unwrap().trim();
        let arguments = command.strip_prefix("$ cargo run --bin duo-mfa -- ").unwrap();
        let arguments: Vec<_> = arguments.split_whitespace().collect();
        let ran = duo_mfa(&arguments);
        assert_eq!((ran.status, ran.warnings().len()), (0, 0), "{command}: {ran:?}");
        seen.push(arguments[0]);
    }
    assert_eq!(seen, ["check", "explain", "keygen"]);
}

#[test]
fn the_shown_explanation_is_that_of_the_shown_file() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    let text = fs::read_to_string(page).unwrap();
    let (_, block) = text.split_once("```console explain\n$ duo-mfa ").unwrap();
    let (command, rest) = block.split_once('\n').unwrap();
    let (shown, _) = rest.split_once("```").unwrap();
    let arguments: Vec<_> = command.split_whitespace().collect();
    let ran = duo_mfa(&arguments);
    // The time is that of the run.
    let before = |text: &str| text.split("x-duo-mfa-time: ").next().unwrap().to_owned();
    assert_eq!(before(&ran.output), before(shown));
}

#[test]
fn every_warning_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = fs::read_to_string(root.join("src/bin/duo-mfa/check/warning.rs")).unwrap();
    let mut coded: Vec<_> = source
        .lines()
        .filter_map(|line| line.split_once(" = \"")?.1.strip_suffix("\","))
        .map(str::to_owned)
        .collect();
    let page = fs::read_to_string(root.join("docs/cli.md")).unwrap();
    let rows = page.lines().skip_while(|line| *line != "| warning | what |").skip(2);
    let cells =
        rows.take_while(|line| line.starts_with('|')).filter_map(|row| row.split('|').nth(1));
    let mut documented: Vec<_> = cells
        .flat_map(|cell| cell.split(','))
        .map(|code| code.trim().trim_matches('`').to_owned())
        .collect();
    coded.sort();
    documented.sort();
    assert!(coded.len() > 20, "{coded:?}");
    assert_eq!(documented, coded);
}
