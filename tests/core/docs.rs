//! The documents as a whole: their links, their size, and the commands that they and CI name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Bytes. README.md is the front door; the pages of docs have the details.
const MAX_README: usize = 9_000;

#[test]
fn readme_is_short() {
    let size = read("README.md").len();
    assert!(size <= MAX_README, "README.md has {size} bytes, of at most {MAX_README}");
}

#[test]
fn index_links_every_page() {
    let mut linked = 0;
    for folder in ["docs", "docs/deploy"] {
        let index = read(&format!("{folder}/README.md"));
        for page in pages_in(folder) {
            let name = page.rsplit('/').next().unwrap();
            let is_linked = index.contains(&format!("]({name})"));
            assert!(is_linked || name == "README.md", "{folder}/README.md has no link to {name}");
            linked += 1;
        }
    }
    assert!(linked > 15, "{linked}");
}

#[test]
fn make_targets_exist() {
    let makefile = read("Makefile");
    let targets: BTreeSet<_> =
        makefile.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
    let others = [
        "README.md",
        "DESIGN.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "RELEASING.md",
        "examples/demo/README.md",
        ".github/workflows/ci.yml",
    ];
    let pages = ["docs", "docs/deploy"].into_iter().flat_map(pages_in);
    for page in others.into_iter().map(str::to_owned).chain(pages) {
        let text = read(&page);
        let named = text.match_indices("make ").filter_map(|(at, _)| command_at(&text, at));
        for target in named {
            assert!(targets.contains(target), "{page}: make {target}");
        }
    }
}

#[test]
fn ci_runs_nothing_but_make_targets() {
    let workflow = read(".github/workflows/ci.yml");
    for command in workflow.lines().filter_map(|line| line.trim().strip_prefix("- run: ")) {
        let harmless = ["test \""];
        let known =
            command.starts_with("make ") || harmless.iter().any(|start| command.starts_with(start));
        assert!(known, "{command}");
    }
}

/// A tag can be moved to other code, a hash cannot. The publishing job signs with what it runs.
#[test]
fn workflows_name_actions_by_their_hash() {
    let mut named = 0;
    for workflow in ["ci.yml", "release.yml"] {
        let text = read(&format!(".github/workflows/{workflow}"));
        for action in text.lines().filter_map(|line| line.split_once("uses: ")) {
            let (_, version) = action.1.split_once('@').unwrap();
            let (hash, release) = version.split_once(" # v").unwrap_or_else(|| panic!("{version}"));
            let is_hash = hash.len() == 40 && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
            assert!(is_hash && !release.is_empty(), "{workflow}: {version}");
            named += 1;
        }
    }
    assert!(named > 9, "{named}");
}

#[test]
fn example_pages_start_the_file_beside_them() {
    let mut started = 0;
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.join("envoy.yaml").exists() {
            continue;
        }
        let name = folder.file_name().unwrap().to_str().unwrap();
        let page = read(&format!("examples/{name}/README.md"));
        let command = format!("\n$ envoy -c examples/{name}/envoy.yaml\n");
        assert!(page.contains(&command), "{name}");
        started += 1;
    }
    assert!(started > 5, "{started}");
}

/// Paths that a document names in code, as `src/gate`.
#[test]
fn named_files_exist() {
    let folders = [".ci/", "docs/", "envoy/", "examples/", "src/", "tests/", "tools/"];
    let mut named = 0;
    for page in markdown_files(&root()) {
        // The changelog also names files of earlier releases.
        if page.ends_with("CHANGELOG.md") {
            continue;
        }
        let text = fs::read_to_string(&page).unwrap();
        for code in text.split('`').skip(1).step_by(2) {
            let is_path = folders.iter().any(|folder| code.starts_with(folder))
                && !code.contains(|c: char| c.is_whitespace() || "*{<".contains(c));
            if is_path {
                let exists =
                    root().join(code).exists() || page.parent().unwrap().join(code).exists();
                assert!(exists, "{}: {code}", page.display());
                named += 1;
            }
        }
    }
    assert!(named > 40, "{named}");
}

#[test]
fn links_lead_somewhere() {
    let pages = markdown_files(&root());
    assert!(pages.len() > 15, "{pages:?}");
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let shown = page.display();
        let targets = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        for target in targets.filter(|target| !target.starts_with("https://")) {
            let (path, section) = target.split_once('#').unwrap_or((target, ""));
            let path =
                if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            assert!(path.exists(), "{shown}: {target}");
            assert!(section.is_empty() || has_section(&path, section), "{shown}: {target}");
        }
    }
}

/// Every Markdown file of the project, without built and installed files.
fn markdown_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if ["target", "dist", ".tools", ".git", "node_modules"].contains(&name) {
            continue;
        }
        if path.is_dir() {
            files.extend(markdown_files(&path));
        } else if name.ends_with(".md") {
            files.push(path);
        }
    }
    files
}

/// Whether a page has a heading that a link names.
fn has_section(page: &Path, section: &str) -> bool {
    let text = fs::read_to_string(page).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let mut anchors = headings.map(|line| {
        let heading = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        heading.replace(|c: char| !c.is_alphanumeric() && !"-_".contains(c), "")
    });
    anchors.any(|anchor| anchor == section)
}

/// The Markdown files in a folder, without those in its folders, as paths from the root.
pub(crate) fn pages_in(folder: &str) -> Vec<String> {
    let names = fs::read_dir(root().join(folder)).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut pages: Vec<_> = names
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "md"))
        .map(|name| format!("{folder}/{name}"))
        .collect();
    pages.sort();
    pages
}

/// The target of a `make` in code: after a back quote, a prompt, or `run:`.
fn command_at(text: &str, at: usize) -> Option<&str> {
    let is_code = ["`", "$ ", "run: "].iter().any(|before| text[..at].ends_with(before));
    let rest = &text[at + "make ".len()..];
    let end = rest.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '-');
    is_code.then(|| &rest[..end.unwrap_or(rest.len())])
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
