//! `duo-mfa schema`: the shipped schemas and tables are those of the program, and the schemas accept
//! what is shipped.
//!
//! `BLESS=1 cargo test --test cli schema` writes the files.

mod chart;
mod files;

use crate::corpus;
use crate::run::duo_mfa;
use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// The values of `--for`, and the shipped file of each.
const SHIPPED: [(&str, &str); 4] = [
    ("plugin", "docs/schema/v1/plugin.json"),
    ("wasmplugin", "docs/schema/v1/wasmplugin.json"),
    ("envoyextensionpolicy", "docs/schema/v1/envoyextensionpolicy.json"),
    ("helm", "envoy/helm/duo-mfa/values.schema.json"),
];

const PAGE: &str = "docs/configuration.md";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

/// The file has this text, or gets it by `BLESS`.
fn is_up_to_date(path: &str, text: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(root().join(path), text).unwrap();
    }
    let hint = "the reference has changed: run BLESS=1 cargo test --test cli schema";
    assert!(read(path) == text, "{path}: {hint}");
}

fn printed(arguments: &[&str]) -> String {
    let ran = duo_mfa(arguments);
    assert_eq!((ran.status, ran.errors.as_str()), (0, ""));
    ran.output
}

/// A schema that is shipped.
struct Schema(Schemas, SchemaIndex);

impl Schema {
    fn of(path: &str) -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let url = format!("https://duo-mfa.test/{path}");
        compiler.add_resource(&url, serde_json::from_str(&read(path)).unwrap()).unwrap();
        let index = compiler.compile(&url, &mut schemas).unwrap();
        Self(schemas, index)
    }

    fn judge(&self, document: &Value) -> Result<(), String> {
        self.0.validate(document, self.1).map_err(|fault| format!("{fault:#}"))
    }
}

#[test]
fn shipped_schemas_are_those_of_the_program() {
    for (target, path) in SHIPPED {
        is_up_to_date(path, &printed(&["schema", "--for", target]));
    }
    assert_eq!(printed(&["schema"]), printed(&["schema", "--for", "plugin"]));
}

#[test]
fn tables_of_the_page_are_those_of_the_program() {
    let end = "<!-- end of keys -->\n";
    let mut page = read(PAGE);
    let mut tables = 0;
    for table in printed(&["schema", "--markdown"]).split_inclusive(end) {
        let (start, _) = table.split_once('\n').unwrap();
        let (before, rest) = page.split_once(&format!("{start}\n")).unwrap_or_else(|| {
            panic!("{PAGE} has no line {start}");
        });
        let (_, after) = rest.split_once(end).unwrap();
        page = format!("{before}{table}{after}");
        tables += 1;
    }
    assert_eq!(tables, 5);
    is_up_to_date(PAGE, &page);
}

/// The faults of the corpus that a schema cannot express, each with a part of the file and the
/// reason. `tests/core/schema` has all such faults.
const INEXPRESSIBLE: [(&str, &str, &str); 3] = [
    ("duplicate_key", "", "readers of JSON keep one of the two"),
    ("reused_key", "", "two variables are compared"),
    ("invalid_duration", "\"inactivity\": \"9h\"", "it is compared with expiration"),
];

#[test]
fn faults_of_the_corpus_are_refused() {
    let plugin = Schema::of("docs/schema/v1/plugin.json");
    let wasm_plugin = Schema::of("docs/schema/v1/wasmplugin.json");
    let mut refused = 0;
    for (text, code) in corpus::texts() {
        let Ok(document) = serde_json::from_str(&text) else { continue };
        let is_known =
            |(known, part, _): &(&str, &str, &str)| *known == code && text.contains(part);
        let can_be = !INEXPRESSIBLE.iter().any(is_known);
        assert_eq!(plugin.judge(&document).is_err(), can_be, "{code}: {text}");
        refused += usize::from(can_be);
    }
    for (text, code) in corpus::wasm_plugins() {
        let judged = files::documents(&text).iter().any(|it| wasm_plugin.judge(it).is_err());
        assert!(judged, "{code}: {text}");
        refused += 1;
    }
    assert!(refused > 85, "{refused}");
}
