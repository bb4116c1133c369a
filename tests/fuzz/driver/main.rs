//! Runs the target that `FUZZ_TARGET` names under libFuzzer: see `make fuzz`.
#![no_main]

#[path = "../../core"]
#[allow(dead_code, unused_imports, reason = "the tests of the core use the rest")]
mod shared {
    pub(crate) mod accounts;
    pub(crate) mod browser;
    pub(crate) mod chance;
    pub(crate) mod rig;
}
#[path = "../targets/mod.rs"]
mod targets;

use libfuzzer_sys::fuzz_target;
use shared::{accounts, browser, chance, rig};
use std::sync::LazyLock;
use targets::Target;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let target = targets::ALL.iter().find(|(it, _)| *it == name);
    target.unwrap_or_else(|| panic!("FUZZ_TARGET={name} is no target")).1
});

fuzz_target!(|bytes: &[u8]| TARGET(bytes));
