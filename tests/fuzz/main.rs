//! The targets of the fuzzer on their corpora, and on a few thousand changes of them. `make fuzz` looks for new
//! inputs, by coverage.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::panic_in_result_fn,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    reason = "a test ends by panicking, and the run by a line of counts"
)]

mod mutate;
#[path = "../core"]
#[allow(dead_code, unused_imports, reason = "the tests of the core use the rest")]
mod shared {
    pub(crate) mod accounts;
    pub(crate) mod browser;
    pub(crate) mod chance;
    pub(crate) mod rig;
}
mod targets;

use chance::Chance;
use shared::{accounts, browser, chance, rig};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Changed inputs for each target, but for those that take long.
const CHANGES: u64 = 1_000;
/// Bytes of all corpora.
const MOST_BYTES: usize = 300_000;

#[test]
fn every_corpus_belongs_to_a_target() {
    let folders = fs::read_dir(corpus()).unwrap();
    let folders = folders.map(|it| it.unwrap().file_name().into_string().unwrap());
    let names: BTreeSet<_> = targets::ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(folders.collect::<BTreeSet<_>>(), names);
}

#[test]
fn corpora_and_their_changes_keep_the_promises() {
    let (mut inputs, mut bytes) = (0_u64, 0);
    for (name, target) in targets::ALL {
        let files = inputs_of(name);
        assert!(!files.is_empty(), "{name}");
        let seeds: Vec<_> = files.iter().map(|(_, seed)| seed.as_slice()).collect();
        for (path, seed) in &files {
            run(name, target, seed, &path.display().to_string());
            bytes += seed.len();
        }
        let changes = changes_of(name);
        for seed in 0..changes {
            let input = mutate::changed(&seeds, &mut Chance::new(seed));
            run(name, target, &input, &format!("change {seed}"));
        }
        inputs += u64::try_from(seeds.len()).unwrap() + changes;
    }
    assert!(bytes < MOST_BYTES, "{bytes}");
    let mut stdout = std::io::stdout();
    let wrongly = rig::wrongly_admitted_so_far();
    writeln!(stdout, "fuzz: wrongly_admitted={wrongly} fuzz_inputs={inputs}").unwrap();
}

fn changes_of(name: &str) -> u64 {
    match name {
        "conversation" => CHANGES / 50,
        "config_json" | "config_struct" | "gate" => CHANGES / 5,
        _ => CHANGES,
    }
}

fn run(name: &str, target: targets::Target, input: &[u8], origin: &str) {
    if catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
        panic!("target {name}, {origin}: {}", input.escape_ascii());
    }
}

fn inputs_of(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(corpus().join(name)).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    files.sort();
    files
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus")
}
