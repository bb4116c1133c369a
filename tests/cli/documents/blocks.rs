//! The fenced blocks of the project's documents.

use std::fs;
use std::path::{Path, PathBuf};

/// A fenced block.
#[derive(Debug)]
pub(crate) struct Block {
    /// The document, from the root.
    pub(crate) page: String,
    /// The line of the fence.
    pub(crate) line: usize,
    /// The text after the three back quotes.
    pub(crate) fence: String,
    pub(crate) text: String,
}

impl Block {
    /// The language: `console`, `yaml`, `json`.
    pub(crate) fn language(&self) -> &str {
        self.fence.split(' ').next().unwrap_or_default()
    }
}

pub(crate) fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

/// Every document, from the root: those of the root, of `docs`, of `examples` and of `envoy`.
pub(crate) fn pages() -> Vec<String> {
    let mut pages = Vec::new();
    for name in ["README.md", "CONTRIBUTING.md", "RELEASING.md", "SECURITY.md", "DESIGN.md"] {
        pages.push(name.to_owned());
    }
    for folder in ["docs", "envoy", "examples"] {
        collect(&root().join(folder), &mut pages);
    }
    pages.sort();
    pages
}

fn collect(folder: &Path, pages: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, pages);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            let page = path.strip_prefix(root()).unwrap();
            pages.push(page.display().to_string());
        }
    }
}

/// All blocks of all documents.
pub(crate) fn blocks() -> Vec<Block> {
    pages().iter().flat_map(|page| blocks_of(page)).collect()
}

fn blocks_of(page: &str) -> Vec<Block> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_inside = false;
    for (number, line) in text.lines().enumerate() {
        match line.strip_prefix("```") {
            Some("") if is_inside => is_inside = false,
            Some(fence) => {
                assert!(!is_inside && !fence.is_empty(), "{page}:{}: a fence", number + 1);
                is_inside = true;
                let (page, fence) = (page.to_owned(), fence.to_owned());
                blocks.push(Block { page, line: number + 1, fence, text: String::new() });
            }
            None if is_inside => {
                let block = blocks.last_mut().unwrap();
                block.text += line;
                block.text.push('\n');
            }
            None => {}
        }
    }
    assert!(!is_inside, "{page}: a fence is not closed");
    blocks
}

/// The text of a document without its blocks.
pub(crate) fn prose(page: &str) -> String {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let mut is_inside = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.starts_with("```");
        is_inside ^= is_fence;
        !is_inside && !is_fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Code within a document's sentences and tables, which may continue on the next line. A table writes `|` as `\|`.
pub(crate) fn code(page: &str) -> Vec<String> {
    let text = prose(page);
    let mut spans = Vec::new();
    for paragraph in text.split("\n\n") {
        let parts = paragraph.split('`').skip(1).step_by(2);
        spans.extend(parts.map(|span| span.replace('\n', " ").replace("\\|", "|")));
    }
    spans
}
