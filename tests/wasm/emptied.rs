//! `tools/exports.py` empties the functions of the SDK by their names, and the compiler gives one of
//! several equal functions any of their names. None that the filter calls may be among them: it would
//! end the VM, perhaps on a path that is rarely taken.

#![allow(clippy::wildcard_enum_match_arm, reason = "wasm has hundreds of operators")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use wasmparser::{ElementItems, ExternalKind, Name, Operator, Parser, Payload, TypeRef};

/// The module before `tools/shrink.py`, with the names of its functions.
const NAMED: &str = "../wasm32-wasip1/release/duo_mfa.named.wasm";

/// The functions of a module by number: what each calls directly.
#[derive(Default)]
struct Functions {
    names: BTreeMap<u32, String>,
    calls: BTreeMap<u32, Vec<u32>>,
    /// Those that the host calls, and those that are called by a table.
    roots: Vec<u32>,
    /// Those that are `unreachable` alone.
    emptied: BTreeSet<u32>,
}

impl Functions {
    fn read(module: &[u8]) -> Self {
        let mut read = Self::default();
        let mut next = 0;
        for payload in Parser::new(0).parse_all(module) {
            match payload.unwrap() {
                Payload::ImportSection(imports) => {
                    let functions = imports.into_iter().map(Result::unwrap);
                    let number = functions.filter(|it| matches!(it.ty, TypeRef::Func(_))).count();
                    next = u32::try_from(number).unwrap();
                }
                Payload::ExportSection(exports) => {
                    let exports = exports.into_iter().map(Result::unwrap);
                    let functions = exports.filter(|it| it.kind == ExternalKind::Func);
                    read.roots.extend(functions.map(|export| export.index));
                }
                Payload::ElementSection(elements) => {
                    for element in elements.into_iter().map(Result::unwrap) {
                        if let ElementItems::Functions(functions) = element.items {
                            read.roots.extend(functions.into_iter().map(Result::unwrap));
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let operators = body.get_operators_reader().unwrap();
                    let operators: Vec<_> = operators.into_iter().map(Result::unwrap).collect();
                    if matches!(*operators, [Operator::Unreachable, Operator::End]) {
                        read.emptied.insert(next);
                    }
                    let calls = operators.iter().filter_map(|operator| match operator {
                        Operator::Call { function_index }
                        | Operator::ReturnCall { function_index } => Some(*function_index),
                        _ => None,
                    });
                    read.calls.insert(next, calls.collect());
                    next += 1;
                }
                Payload::CustomSection(section) if section.name() == "name" => {
                    read.names = names(section.data(), section.data_offset());
                }
                _ => {}
            }
        }
        read
    }
}

impl Functions {
    /// The functions that can be called.
    fn reached(&self) -> BTreeSet<u32> {
        let mut reached = BTreeSet::new();
        let mut open = self.roots.clone();
        while let Some(function) = open.pop() {
            if reached.insert(function) {
                open.extend(self.calls.get(&function).into_iter().flatten());
            }
        }
        reached
    }
}

fn names(data: &[u8], offset: usize) -> BTreeMap<u32, String> {
    let reader = wasmparser::BinaryReader::new(data, offset);
    let sections = wasmparser::NameSectionReader::new(reader).map(Result::unwrap);
    let of_functions = sections.filter_map(|section| match section {
        Name::Function(names) => Some(names),
        _ => None,
    });
    let each = of_functions.flatten().map(Result::unwrap);
    each.map(|naming| (naming.index, naming.name.to_owned())).collect()
}

#[test]
fn no_function_that_the_filter_calls_is_emptied() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(NAMED);
    let module = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let functions = Functions::read(&module);
    assert!(functions.emptied.len() > 20, "{}", functions.emptied.len());
    let name = |index: &u32| functions.names.get(index).map_or("", String::as_str);
    let mut found = Vec::new();
    for caller in functions.reached() {
        let calls = functions.calls.get(&caller).into_iter().flatten();
        // C's function of this name is empty from the start.
        let emptied = calls.filter(|it| functions.emptied.contains(it) && name(it) != "abort");
        found.extend(emptied.map(|callee| (name(&caller), name(callee))));
    }
    assert!(found.is_empty(), "{found:#?}");
}
