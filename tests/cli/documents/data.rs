//! Blocks that are no commands: configurations and parts of them.

use super::blocks::{Block, blocks, root};
use crate::run::duo_mfa;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Languages that nothing reads, and the reason.
const UNREAD: [(&str, &str); 4] = [
    ("mermaid", "a picture; what draws it is a web page"),
    ("logql", "Loki reads it, which the tests do not have"),
    ("ini", "a unit of systemd; the tests start Envoy themselves"),
    ("dockerfile", "two lines for a container engine, which the tests do not have"),
];

/// Whether a test reads the block. A name after `file=` is one that a test has.
pub(crate) fn has_check(block: &Block) -> bool {
    let is_unread = UNREAD.iter().any(|(language, _)| *language == block.language());
    is_unread
        || match block.language() {
            // tests/core/readme.rs reads each recipe.
            "json" if block.fence == "json recipe" => true,
            "json" | "yaml" => block.fence.contains("file=") || is_resource(block),
            "hcl" | "js" => true,
            _ => false,
        }
}

/// Whether the block is a Kubernetes resource, for `tools/examples.py`.
fn is_resource(block: &Block) -> bool {
    let is_read = block.page.starts_with("docs/deploy/") && block.fence == "yaml";
    is_read && documents(block).iter().all(|document| document["apiVersion"].is_string())
}

fn documents(block: &Block) -> Vec<Value> {
    serde_saphyr::from_multiple(&block.text)
        .unwrap_or_else(|error| panic!("{}:{}: {error}", block.page, block.line))
}

fn only(fence: &str) -> Block {
    let mut found: Vec<_> = blocks().into_iter().filter(|block| block.fence == fence).collect();
    assert_eq!(found.len(), 1, "{fence}");
    found.remove(0)
}

#[test]
fn every_named_part_is_read_by_a_test() {
    let tests = text_below(&root().join("tests"));
    for block in blocks() {
        match block.language() {
            "json" => drop(
                serde_json::from_str::<Value>(&block.text)
                    .unwrap_or_else(|error| panic!("{}:{}: {error}", block.page, block.line)),
            ),
            "yaml" => drop(documents(&block)),
            _ => continue,
        }
        if block.fence.contains("file=") {
            let is_read = tests.contains(&format!("{}\"", block.fence))
                || tests.contains(&format!("{}\\n", block.fence));
            assert!(is_read, "no test reads ```{}", block.fence);
        }
    }
}

#[test]
fn configuration_for_consul_is_accepted() {
    let block = blocks().into_iter().find(|block| block.fence == "hcl").unwrap();
    let (_, text) = block.text.split_once("<<JSON\n").unwrap();
    let (text, _) = text.split_once("\nJSON\n").unwrap();
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("consul.json");
    fs::write(&file, text).unwrap();
    let ran = duo_mfa(&["check", file.to_str().unwrap()]);
    assert_eq!(ran.status, 0, "{ran:?}");
}

#[test]
fn script_imports_names_that_the_example_exports() {
    for block in blocks().into_iter().filter(|block| block.fence == "js") {
        let (_, names) = block.text.split_once("import { ").unwrap();
        let (names, file) = names.split_once(" } from \"./").unwrap();
        let file = file.split('"').next().unwrap();
        let folder = root().join(&block.page);
        let source = fs::read_to_string(folder.parent().unwrap().join(file)).unwrap();
        for name in names.split(", ") {
            assert!(source.contains(&format!("export function {name}(")), "{file}: {name}");
        }
    }
}

/// The line of `docs/deploy/envoy.md` has the members that the access log of `envoy/production.yaml` writes.
#[test]
fn access_log_has_the_members_of_the_shipped_one() {
    let shown: Value = serde_json::from_str(&only("json file=access-log").text).unwrap();
    let shipped = fs::read_to_string(root().join("envoy/production.yaml")).unwrap();
    let (_, format) = shipped.split_once("json_format:\n").unwrap();
    let indent = format.len() - format.trim_start().len();
    let members = format.lines().take_while(|line| line.len() - line.trim_start().len() == indent);
    let members: Vec<_> = members.map(|line| line.trim().split(':').next().unwrap()).collect();
    let shown: Vec<_> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    assert!(members.len() > 8, "{members:?}");
    assert!(members.iter().all(|name| shown.contains(name)), "{members:?} {shown:?}");
    assert_eq!(shown.len(), members.len());
}

/// The parts that `docs/deploy/native.md` shows are in the files that it names.
#[test]
fn parts_for_the_native_module_are_in_the_shipped_files() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let claim = only("yaml file=native-claim").text;
    let rule = claim.lines().last().unwrap().trim();
    assert!(read("envoy/native.sed").contains(rule), "{rule}");

    let filter = only("yaml file=native-filter").text;
    let shipped = read("envoy/native.yaml");
    let shipped: Vec<_> =
        shipped.lines().map(|line| line.split('#').next().unwrap().trim()).collect();
    // All but the plugin's configuration, whose keys docs/configuration.md has.
    let parts = filter.lines().map(|line| line.split('#').next().unwrap().trim());
    for part in parts.take_while(|line| !line.starts_with("value:")) {
        assert!(shipped.contains(&part), "envoy/native.yaml has no {part}");
    }
}

/// The text of all files in a folder and its folders.
pub(crate) fn text_below(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("node_modules") {
                text += &text_below(&path);
            }
        } else if path.extension().is_some_and(|it| it == "rs") {
            text += &fs::read_to_string(&path).unwrap();
        }
    }
    text
}
