//! The imports between files of the library, computed from `use` lines and paths.

use std::collections::{BTreeMap, BTreeSet};

/// A module's path from the crate's root, such as `["gate", "limit"]`.
pub(crate) type Module = Vec<String>;

/// The imports of a library, from module to module. One module is one file.
#[derive(Default)]
pub(crate) struct Graph {
    names: BTreeMap<Module, BTreeMap<String, Vec<String>>>,
    sources: BTreeMap<Module, String>,
}

impl Graph {
    /// `files` are paths below `src` without their ending, such as `gate/limit`, and their text.
    pub(crate) fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut graph = Self::default();
        for (path, text) in files {
            let mut module: Module = path.split('/').map(str::to_owned).collect();
            if module.last().is_some_and(|last| last == "mod") {
                module.pop();
            }
            let text = uncommented(text);
            let names = uses(&text).into_iter().map(|it| (it.name, it.path)).collect();
            graph.names.insert(module.clone(), names);
            graph.sources.insert(module, text);
        }
        graph
    }

    pub(crate) fn modules(&self) -> impl Iterator<Item = &Module> {
        self.sources.keys()
    }

    /// The modules that this one imports from.
    pub(crate) fn imports(&self, module: &Module) -> BTreeSet<Module> {
        let text = &self.sources[module];
        let code = without_uses(text);
        let used = uses(text);
        // A facade that only re-exports a name does not import it.
        let used = used.iter().filter(|it| !it.is_handed_on || names_word(&code, &it.name));
        let named = used.map(|it| it.path.clone()).chain(paths(&code));
        named.filter_map(|path| self.home(module, &path, 0)).filter(|home| home != module).collect()
    }

    /// The module that defines what a path names, seen from a module. `None` outside the library.
    fn home(&self, from: &Module, path: &[String], depth: usize) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let (mut at, rest) = match first.as_str() {
            "crate" => (Module::new(), rest),
            "self" => (from.clone(), rest),
            "super" => {
                let supers = path.iter().take_while(|part| *part == "super").count();
                (from[..from.len().checked_sub(supers)?].to_vec(), &path[supers..])
            }
            _ if self.is_module(from, first) => (from.clone(), path),
            _ => {
                let known = self.names.get(from)?.get(first).filter(|known| *known != path)?;
                let path = [known.as_slice(), rest].concat();
                return if depth < 8 { self.home(from, &path, depth + 1) } else { None };
            }
        };
        for (place, part) in rest.iter().enumerate() {
            if self.is_module(&at, part) {
                at.push(part.clone());
                continue;
            }
            let Some(known) = self.names.get(&at).and_then(|names| names.get(part)) else { break };
            let path = [known.as_slice(), &rest[place + 1..]].concat();
            return if depth < 8 { self.home(&at, &path, depth + 1) } else { None };
        }
        Some(at)
    }

    fn is_module(&self, parent: &Module, name: &str) -> bool {
        self.sources.contains_key(&[parent.as_slice(), &[name.to_owned()]].concat())
    }

    /// Every circle, as the modules that reach each other.
    pub(crate) fn circles(&self) -> Vec<Vec<Module>> {
        let imports: BTreeMap<&Module, BTreeSet<Module>> =
            self.modules().map(|module| (module, self.imports(module))).collect();
        let reached = |from: &Module| {
            let mut reached = BTreeSet::new();
            let mut next: Vec<Module> = imports[from].iter().cloned().collect();
            while let Some(module) = next.pop() {
                if reached.insert(module.clone()) {
                    next.extend(imports.get(&module).into_iter().flatten().cloned());
                }
            }
            reached
        };
        let reached: BTreeMap<&Module, BTreeSet<Module>> =
            self.modules().map(|module| (module, reached(module))).collect();
        let mut circles: Vec<Vec<Module>> = Vec::new();
        for (module, others) in &reached {
            let is_known = circles.iter().any(|circle| circle.contains(module));
            if others.contains(*module) && !is_known {
                let mutual = others
                    .iter()
                    .filter(|other| reached.get(other).is_some_and(|back| back.contains(*module)));
                circles.push(mutual.cloned().collect());
            }
        }
        circles
    }
}

/// One name that a `use` line brings in.
struct Use {
    is_handed_on: bool,
    path: Vec<String>,
    name: String,
}

/// The code without comments, and without inline tests, which are last in their file.
fn uncommented(text: &str) -> String {
    let (code, _) = text.split_once("#[cfg(test)]\nmod tests {").unwrap_or((text, ""));
    code.lines().map(|line| line.split("//").next().unwrap().to_owned() + "\n").collect()
}

/// The `use` lines: whether each is public, and its tree.
fn use_lines(code: &str) -> Vec<(bool, &str)> {
    let starts = code.match_indices("use ").filter(|(at, _)| {
        let before = code[..*at].lines().last().unwrap_or_default().trim_start();
        let begins_line = code[..*at].ends_with('\n') || before.starts_with("pub") || *at == 0;
        begins_line
            && (before.is_empty() || before.starts_with("pub") || code[..*at].ends_with('\n'))
    });
    let line = |(at, _): (usize, &str)| {
        let is_public = !code[..at].ends_with('\n') && at > 0;
        let rest = &code[at + "use ".len()..];
        (is_public, rest.split(';').next().unwrap())
    };
    starts.map(line).collect()
}

fn without_uses(code: &str) -> String {
    let mut code = code.to_owned();
    let trees: Vec<String> =
        use_lines(&code).into_iter().map(|(_, tree)| format!("use {tree};")).collect();
    trees.iter().for_each(|tree| code = code.replace(tree, ""));
    code
}

fn uses(code: &str) -> Vec<Use> {
    let mut uses = Vec::new();
    for (is_handed_on, tree) in use_lines(code) {
        for path in members("", &tree.split_whitespace().collect::<Vec<_>>().join(" ")) {
            let (path, alias) = path.split_once(" as ").unwrap_or((&path, ""));
            let mut path: Vec<String> =
                path.split("::").map(|part| part.trim().to_owned()).collect();
            if path.last().is_some_and(|last| last == "self") {
                path.pop();
            }
            let name = if alias.is_empty() { path.last().unwrap() } else { alias }.to_owned();
            uses.push(Use { is_handed_on, path, name });
        }
    }
    uses
}

/// The single paths of a tree such as `super::{a, b::{c, d}}`.
fn members(prefix: &str, tree: &str) -> Vec<String> {
    let Some((start, group)) = tree.split_once('{') else {
        return vec![format!("{prefix}{}", tree.trim())];
    };
    let prefix = format!("{prefix}{}", start.trim());
    let group = group.rsplit_once('}').unwrap().0;
    let (mut depth, mut begin, mut paths) = (0, 0, Vec::new());
    for (at, character) in group.char_indices().chain([(group.len(), ',')]) {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let member = group[begin..at].trim();
                if !member.is_empty() {
                    paths.extend(members(&prefix, member));
                }
                begin = at + 1;
            }
            _ => {}
        }
    }
    paths
}

/// Paths in the code itself that begin with `crate`, `super` or `self`.
fn paths(code: &str) -> Vec<Vec<String>> {
    let is_part =
        |character: char| character.is_alphanumeric() || character == '_' || character == ':';
    code.split(|character| !is_part(character))
        .filter(|word| ["crate::", "super::", "self::"].iter().any(|start| word.starts_with(start)))
        .map(|word| word.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect())
        .collect()
}

fn names_word(code: &str, word: &str) -> bool {
    code.split(|character: char| !character.is_alphanumeric() && character != '_')
        .any(|other| other == word)
}
