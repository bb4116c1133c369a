//! `docs/universal-prompt-tests.md`: each promise about Duo's page names tests that exist.

use crate::docs::read;
use std::collections::BTreeSet;

const PAGE: &str = "docs/universal-prompt-tests.md";

/// The numbered promises.
const PROMISES: usize = 51;

/// The cells of a table's row; `None` for other lines, and for a table's head.
fn cells(line: &str) -> Option<Vec<&str>> {
    let row = line.strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<_> = row.split('|').map(str::trim).collect();
    let is_head = cells.iter().any(|cell| ["---", "promise", "why"].contains(cell));
    (!is_head).then_some(cells)
}

/// The tests that a cell names, each with its file.
fn named(cell: &str) -> Vec<(&str, &str)> {
    let mut file = None;
    let mut tests = Vec::new();
    for code in cell.split('`').skip(1).step_by(2) {
        if code.starts_with("tests/") {
            file = Some(code);
        } else {
            tests.push((file.unwrap_or_else(|| panic!("{code} has no file")), code));
        }
    }
    assert!(!tests.is_empty(), "no test: {cell}");
    tests
}

/// Whether the file has this test.
fn exists(file: &str, test: &str) -> bool {
    let text = read(file);
    if file.ends_with(".mjs") {
        // A test that runs with and without JavaScript has that in its name.
        return text.contains(&format!("test(\"{test}\""))
            || text.contains(&format!("test(`{test}_$"));
    }
    let lines: Vec<_> = text.lines().collect();
    let is_it = |line: &str| line.contains(&format!("fn {test}("));
    let Some(at) = lines.iter().position(|line| is_it(line)) else { return false };
    let mut attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
    attributes.any(|line| ["#[test]", "#[tokio::test]"].contains(line))
}

#[test]
fn each_promise_about_duos_page_names_tests_that_exist() {
    let text = read(PAGE);
    let (promises, reasons) = text.split_once("## Not tested here").unwrap();
    let mut numbers = Vec::new();
    let mut tests = BTreeSet::new();
    for row in promises.lines().filter_map(cells) {
        let [numbered @ .., promise, cell] = row.as_slice() else { panic!("{row:?}") };
        assert!(promise.ends_with('.'), "no sentence: {promise}");
        numbers.extend(numbered.iter().map(|number| number.parse::<usize>().unwrap()));
        for (file, test) in named(cell) {
            assert!(exists(file, test), "{PAGE}: {file} has no test {test}");
            tests.insert((file, test));
        }
    }
    assert_eq!(numbers, (1..=PROMISES).collect::<Vec<_>>());
    assert!(tests.len() > 60, "{}", tests.len());
    let untested = reasons.lines().filter_map(cells).count();
    assert!((1..=3).contains(&untested), "{untested}");
}

#[test]
fn test_that_was_renamed_is_missed() {
    let file = "tests/core/promises.rs";
    assert!(exists(file, "test_that_was_renamed_is_missed"));
    assert!(!exists(file, "test_that_was_renamed"));
    assert!(!exists(file, "exists"), "no test");
    assert!(!exists("tests/core/universal_flow/duo.rs", "claims"));
}
