//! Every configuration that the repository ships is one that the program has nothing against.

use crate::run::duo_mfa;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The warnings that a folder's files have on purpose, and why.
const EXPECTED: [(&str, &[&str]); 1] =
    // The demo sends browsers to a simulator on loopback, which needs `allow_inline_secrets`.
    [("envoy", &["inline_secrets_allowed"])];

#[test]
fn every_shipped_file_is_in_order() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for file in ["envoy", "examples"].iter().flat_map(|folder| yaml_files(&root.join(folder))) {
        let text = fs::read_to_string(&file).unwrap();
        // A chart's templates are no YAML yet.
        if !text.contains("{{") {
            let name = file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            // The files of one folder are deployed together.
            let folder = file.parent().unwrap();
            folders.entry(folder.strip_prefix(root).unwrap().to_owned()).or_default().push(name);
        }
    }
    let mut checked = 0;
    for (folder, files) in folders {
        let is_configuration = |file: &String| {
            let text = fs::read_to_string(root.join(file)).unwrap();
            text.contains("integration_key")
        };
        if !files.iter().any(is_configuration) {
            continue;
        }
        let mut arguments = vec!["check"];
        arguments.extend(files.iter().map(String::as_str));
        let ran = duo_mfa(&arguments);
        let folder = folder.to_str().unwrap();
        let expected = EXPECTED.iter().find(|(name, _)| *name == folder);
        assert_eq!(ran.status, 0, "{folder}: {ran:?}");
        assert_eq!(ran.warnings(), expected.map_or(&[][..], |(_, codes)| codes), "{}", ran.output);
        checked += 1;
    }
    assert!(checked >= 7, "{checked}");
}

/// A reader who changes what is marked with "change" has changed every value that is nobody's.
#[test]
fn every_placeholder_is_marked() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_placeholder = |line: &str| {
        ["xxxxxxxx", "XXXXXXXX", "ZZZZZZZZ", "example.com"].iter().any(|it| line.contains(it))
    };
    // The values of the chart are explained in place, and the demo and the alerts have nothing to change.
    let is_meant = |path: &PathBuf| {
        let below = path.strip_prefix(root.join("envoy")).unwrap();
        !["helm", "observability", "demo.yaml"].iter().any(|it| below.starts_with(it))
    };
    let mut unmarked = Vec::new();
    for path in yaml_files(&root.join("envoy")).into_iter().filter(is_meant) {
        let mut is_marked = false;
        for line in fs::read_to_string(&path).unwrap().lines() {
            let code = line.trim_start();
            // JSON has no comments, so the line before its text has the mark.
            if !code.starts_with(['"', '{', '}', '[', ']']) && code != "value: |" {
                is_marked = line.contains("# change");
            }
            if is_placeholder(line) && !is_marked && !code.starts_with('#') {
                unmarked.push(format!("{}: {code}", path.display()));
            }
        }
    }
    assert_eq!(unmarked, <[String; 0]>::default());
}

pub(crate) fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(yaml_files(&path));
        } else if path.extension().is_some_and(|kind| kind == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    files
}
