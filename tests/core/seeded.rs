//! The table of the defects that `make mutants` plants: `tests/seeded/defects.yaml`.

use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Defect {
    defect: String,
    means: String,
    file: String,
    old: String,
    new: String,
    suite: String,
    tests: String,
}

/// How often a text has these lines in a row, whatever their indentation.
fn occurrences(text: &str, wanted: &str) -> usize {
    let lines = |text: &str| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    let wanted = lines(wanted);
    lines(text).windows(wanted.len()).filter(|found| *found == wanted).count()
}

#[test]
fn each_defect_can_be_planted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(root.join("tests/seeded/defects.yaml")).unwrap();
    let defects: Vec<Defect> = serde_saphyr::from_str(&table).unwrap();
    let names: BTreeSet<_> = defects.iter().map(|defect| &defect.defect).collect();
    assert_eq!(names.len(), defects.len(), "two defects have one name");
    assert!(defects.len() >= 20, "{}", defects.len());

    for Defect { defect, means, file, old, new, suite, tests } in &defects {
        assert!(means.ends_with('.') && !tests.is_empty(), "{defect}");
        assert!(["lib", "core", "wasm"].contains(&suite.as_str()), "{defect}: {suite}");
        assert!(file.starts_with("src/"), "{defect}: {file}");
        let source = fs::read_to_string(root.join(file)).unwrap();
        assert_eq!(occurrences(&source, old), 1, "{defect}: how often {file} has `old`");
        assert_ne!(old, new, "{defect}");
    }
}
