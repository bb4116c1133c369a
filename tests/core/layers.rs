//! Imports inside the library point down, or not at all:
//!
//! ```text
//! adapter
//! gate
//! config
//! policy identity session duo page assertion   leaves: none imports another
//! http json protobuf clock factor hex reference secret signal   vocabulary: may import each other
//! ```
//!
//! No files import each other in a circle, inside a folder either. `gate` has floors.

mod graph;

use graph::{Graph, Module};
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Layer {
    Vocabulary,
    Leaf,
    Config,
    Gate,
    Adapter,
}

const MODULES: [(&str, Layer); 18] = [
    ("adapter", Layer::Adapter),
    ("gate", Layer::Gate),
    ("config", Layer::Config),
    ("policy", Layer::Leaf),
    ("identity", Layer::Leaf),
    ("session", Layer::Leaf),
    ("duo", Layer::Leaf),
    ("page", Layer::Leaf),
    ("assertion", Layer::Leaf),
    ("http", Layer::Vocabulary),
    ("json", Layer::Vocabulary),
    ("protobuf", Layer::Vocabulary),
    ("clock", Layer::Vocabulary),
    ("factor", Layer::Vocabulary),
    ("hex", Layer::Vocabulary),
    ("reference", Layer::Vocabulary),
    ("secret", Layer::Vocabulary),
    ("signal", Layer::Vocabulary),
];

#[test]
fn imports_point_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = library_files(&src);
    assert!(files.len() > 3, "found only {files:?}");

    let faults: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let path = file.strip_prefix(&src).unwrap();
            faults(path, &fs::read_to_string(file).unwrap())
        })
        .collect();

    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn import_that_points_up_is_found() {
    let planted = "use crate::{clock::UnixTime, gate::{Step, Flow}};";
    assert_eq!(faults(Path::new("duo/sign.rs"), planted), ["duo/sign.rs: duo imports gate"]);
}

#[test]
fn leaf_that_imports_a_leaf_is_found() {
    let planted = "fn f(policy: &crate::policy::Policy) {}";
    assert_eq!(
        faults(Path::new("session/mod.rs"), planted),
        ["session/mod.rs: session imports policy"]
    );
}

#[test]
fn vocabulary_that_imports_a_leaf_is_found() {
    assert_eq!(
        faults(Path::new("signal.rs"), "use crate::duo;"),
        ["signal.rs: signal imports duo"]
    );
    assert_eq!(faults(Path::new("signal.rs"), "use crate::clock::UnixTime;"), NONE);
}

#[test]
fn import_that_dodges_the_scan_is_found() {
    let alias = faults(Path::new("duo/mod.rs"), "use crate as root;");
    let parent = faults(Path::new("duo/mod.rs"), "use super::gate::Flow;");
    let grandparent = faults(Path::new("duo/sign.rs"), "fn f() { super::super::gate::f() }");
    let inline = "use super::sign;\n#[cfg(test)]\nmod tests {\n    use super::super::sign;\n}\n";
    let unknown = faults(Path::new("duo/mod.rs"), "use crate::misc::Thing;");
    let stray = faults(Path::new("misc.rs"), "");

    assert_eq!(alias, ["duo/mod.rs: names the crate itself"]);
    assert_eq!(parent, ["duo/mod.rs: leaves duo by `super`, where `crate::` is asked for"]);
    assert_eq!(grandparent, ["duo/sign.rs: leaves duo by `super`, where `crate::` is asked for"]);
    assert_eq!(faults(Path::new("duo/request.rs"), inline), NONE);
    assert_eq!(unknown, ["duo/mod.rs: duo imports misc, which is in no layer"]);
    assert_eq!(stray, ["misc.rs: misc is in no layer"]);
}

#[test]
fn comments_import_nothing() {
    assert_eq!(faults(Path::new("clock.rs"), "//! See [`crate::gate`].\n// crate::duo\n"), NONE);
}

/// The only files with unsafe code: each is the boundary to one host, in one direction.
const UNSAFE: [&str; 5] = [
    "adapter/native/abi/metrics.rs",
    "adapter/native/abi.rs",
    "adapter/native/hooks.rs",
    "adapter/wasm/exports.rs",
    "adapter/wasm/hostcalls.rs",
];

#[test]
fn only_the_boundaries_to_the_hosts_have_unsafe_code() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = rust_files(&src);
    files.sort();
    let found: Vec<_> = files
        .iter()
        .filter(|file| has_unsafe_code(&fs::read_to_string(file).unwrap()))
        .map(|file| file.strip_prefix(&src).unwrap().to_str().unwrap())
        .collect();
    assert_eq!(found, UNSAFE);
}

#[test]
fn unsafe_code_is_found() {
    for code in ["unsafe { f() }", "unsafe impl Send for It {}", "#[unsafe(no_mangle)]"] {
        assert!(has_unsafe_code(code), "{code}");
    }
    assert!(has_unsafe_code("#![allow(unsafe_code, reason = \"\")]"));
    assert!(!has_unsafe_code("// unsafe {\nlet policy = \"style-src 'unsafe-inline'\";"));
}

/// Each kind of unsafe code needs one of these, as the library denies the lint `unsafe_code`.
fn has_unsafe_code(source: &str) -> bool {
    let code = |line: &'_ str| -> String { line.split("//").next().unwrap().to_owned() };
    source.lines().map(code).any(|code| {
        ["unsafe ", "unsafe(", "unsafe_code", "unsafe{"].iter().any(|word| code.contains(word))
    })
}

const NONE: [&str; 0] = [];

/// Every file of the library except `lib.rs`, which only names the modules.
fn library_files(src: &Path) -> Vec<PathBuf> {
    let (programs, lib) = (src.join("bin"), src.join("lib.rs"));
    let mut files = rust_files(src);
    files.retain(|file| !file.starts_with(&programs) && *file != lib);
    files.sort();
    files
}

/// Every Rust file in a folder and those below it.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            files.push(path);
        }
    }
    files
}

fn layer(module: &str) -> Option<Layer> {
    MODULES.iter().find(|(name, _)| *name == module).map(|(_, layer)| *layer)
}

fn faults(path: &Path, source: &str) -> Vec<String> {
    let shown = path.display();
    let first = path.iter().next().unwrap().to_str().unwrap();
    let module = first.strip_suffix(".rs").unwrap_or(first);
    let Some(from) = layer(module) else {
        return vec![format!("{shown}: {module} is in no layer")];
    };
    let code: String =
        source.lines().map(|line| line.split("//").next().unwrap().to_owned() + "\n").collect();

    let mut faults = Vec::new();
    if code.contains("use crate as") || code.contains("use crate;") {
        faults.push(format!("{shown}: names the crate itself"));
    }
    if leaves_by_super(path, &code) {
        faults.push(format!("{shown}: leaves {module} by `super`, where `crate::` is asked for"));
    }
    for to in imported(&code) {
        match layer(to) {
            _ if to == module => {}
            None => faults.push(format!("{shown}: {module} imports {to}, which is in no layer")),
            Some(Layer::Vocabulary) => {}
            Some(layer) if layer < from => {}
            Some(_) => faults.push(format!("{shown}: {module} imports {to}")),
        }
    }
    faults
}

/// Whether a chain of `super::` reaches the crate's root. Inline tests, last in their file, are one module deeper.
fn leaves_by_super(path: &Path, code: &str) -> bool {
    let depth = path.iter().filter(|part| *part != "mod.rs").count();
    let (code, tests) = code.split_once("#[cfg(test)]\nmod tests {").unwrap_or((code, ""));
    code.contains(&"super::".repeat(depth)) || tests.contains(&"super::".repeat(depth + 1))
}

/// The first name after each `crate::`, and of each member of a `crate::{…}`.
fn imported(code: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.push(name(rest));
            continue;
        };
        let mut depth = 0;
        let mut starts_member = true;
        for (at, character) in group.char_indices() {
            match character {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => starts_member = true,
                _ if starts_member && !character.is_whitespace() => {
                    names.push(name(&group[at..]));
                    starts_member = false;
                }
                _ => {}
            }
        }
    }
    names
}

fn name(text: &str) -> &str {
    text.split(|character: char| !character.is_alphanumeric() && character != '_').next().unwrap()
}

/// The floors of `gate`, from the lowest up. A file imports from its own floor or below.
const FLOORS: [&str; 6] = [
    "approver breaker call challenge configured decision env event factors failure form headers health health_record \
     judgement key_pair limit logo probe readiness refusal refusals request_line room trail",
    "assertion audit counters fleet loaded pending prompt refuse response route rules same_request sign_out universal view",
    "exchange in_place last_prompt",
    "endpoints foreign_form hold open per_client per_request redirect",
    "body flow",
    "ask",
];

#[test]
fn no_import_circles() {
    let graph = library();
    let circles = graph.circles();
    println!("layers: {} files, {} circles", graph.modules().count(), circles.len());
    assert!(graph.modules().count() > 200, "files are missing");
    assert_eq!(circles, Vec::<Vec<Module>>::new());
}

#[test]
fn floors_of_gate_hold() {
    assert_eq!(floor_faults(&library()), NONE);
}

#[test]
fn planted_circle_is_found() {
    let graph = Graph::of([
        ("duo/mod", "pub use sign::Key;\nuse text::Text;\nfn f(_: Text) {}\n"),
        ("duo/sign", "use super::text::Text;\npub struct Key(Text);\n"),
        ("duo/text", "pub struct Text;\nfn key() -> super::Key {}\n"),
    ]);
    let module = |path: &str| path.split('/').map(str::to_owned).collect::<Module>();
    assert_eq!(graph.circles(), [[module("duo/sign"), module("duo/text")]]);
}

#[test]
fn planted_import_of_an_upper_floor_is_found() {
    let graph = Graph::of([
        ("gate/mod", "mod flow;\nmod prompt;\npub use flow::Step;\n"),
        ("gate/flow", "use super::prompt::Prompt;\npub struct Step(Prompt);\n"),
        ("gate/prompt", "pub struct Prompt;\nfn f() -> super::Step {}\n"),
        ("gate/stray", ""),
    ]);
    assert_eq!(
        floor_faults(&graph),
        ["gate/prompt imports gate/flow, which is above it", "gate/stray is on no floor"]
    );
}

fn library() -> Graph {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files: Vec<(String, String)> = library_files(&src)
        .iter()
        .filter(|file| !file.iter().any(|part| part == "tests.rs" || part == "tests"))
        .map(|file| {
            let path = file.strip_prefix(&src).unwrap().with_extension("");
            (path.to_str().unwrap().to_owned(), fs::read_to_string(file).unwrap())
        })
        .collect();
    Graph::of(files.iter().map(|(path, text)| (path.as_str(), text.as_str())))
}

fn floor_faults(graph: &Graph) -> Vec<String> {
    let floor = |module: &Module| {
        let name = module.get(1)?;
        FLOORS.iter().position(|floor| floor.split_whitespace().any(|file| file == name))
    };
    let is_inside = |module: &&Module| module.len() > 1 && module[0] == "gate";
    let mut faults = Vec::new();
    for module in graph.modules().filter(is_inside) {
        let Some(own) = floor(module) else {
            faults.push(format!("{} is on no floor", module.join("/")));
            continue;
        };
        let imports = graph.imports(module);
        for import in imports.iter().filter(is_inside) {
            if floor(import).is_some_and(|other| other > own) {
                let (from, to) = (module.join("/"), import.join("/"));
                faults.push(format!("{from} imports {to}, which is above it"));
            }
        }
    }
    faults
}
