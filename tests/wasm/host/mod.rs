//! A host for the module's file. [`Process`] has the parts that all virtual machines of one Envoy share, [`Vm`] is one of them.

mod imports;
mod memory;
mod odd;
mod process;
mod stream;
mod vm;

pub(crate) use odd::{Odd, odds};
pub(crate) use process::{Call, Process, Recorded};
pub(crate) use stream::{Map, Stream};
pub(crate) use vm::{Answer, Event, Snapshot, Vm};

use std::path::PathBuf;
use std::sync::OnceLock;
use wasmi::{Config, Engine, Module};

/// Statuses of the ABI.
pub(crate) const OK: i32 = 0;
pub(crate) const NOT_FOUND: i32 = 1;
pub(crate) const BAD_ARGUMENT: i32 = 2;
pub(crate) const CAS_MISMATCH: i32 = 8;
pub(crate) const INTERNAL_FAILURE: i32 = 10;
pub(crate) const UNIMPLEMENTED: i32 = 12;

/// The secrets of the environment, by name.
pub(crate) const SECRETS: [(&str, &str); 4] = [
    ("SECRET_KEY", "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep"),
    ("COOKIE_KEY", "pMzo0uFM2P5cPIGe6jbvvQnC8gXH1V3rC5wfVTdXPcw="),
    ("ASSERTION_KEY", "oQ8Yb6w7l5QHqg0cEJtFvLZx4m1d2iUeT9nRkSsPjAM="),
    ("OTHER_COOKIE_KEY", "3q2+7/r5Qm0aZcTkX8uRj1hNwYb4E6pVsLdGfIi9oKo="),
];

/// The module's file.
pub(crate) fn file() -> Vec<u8> {
    let named = std::env::var_os("DUO_MFA_WASM").map(PathBuf::from);
    let path = named.unwrap_or_else(|| PathBuf::from("dist/duo_mfa.wasm"));
    let bytes = std::fs::read(&path);
    bytes.unwrap_or_else(|fault| panic!("{}: {fault}; `make module` builds it", path.display()))
}

/// Whether the file is what is shipped. `make module SHRINK=no` leaves the names of functions in it.
pub(crate) fn is_shrunk() -> bool {
    module(false).1.custom_sections().all(|section| section.name() != "name")
}

/// The names of all imports.
pub(crate) fn host_calls() -> Vec<String> {
    module(false).1.imports().map(|import| import.name().to_owned()).collect()
}

/// The names of the exports that Envoy calls only if a capability list has them.
pub(crate) fn callbacks() -> Vec<String> {
    let exports = module(false).1.exports().map(|export| export.name().to_owned());
    let is_callback =
        |name: &String| name.starts_with("proxy_on_") && name != "proxy_on_memory_allocate";
    exports.filter(is_callback).collect()
}

/// The module, compiled once for the run. Counting instructions makes it slower.
fn module(counts_instructions: bool) -> &'static (Engine, Module) {
    static MODULES: [OnceLock<(Engine, Module)>; 2] = [OnceLock::new(), OnceLock::new()];
    MODULES[usize::from(counts_instructions)].get_or_init(|| {
        let mut config = Config::default();
        // Otherwise the first VM that calls a function also pays for its translation.
        config.compilation_mode(wasmi::CompilationMode::Eager);
        config.consume_fuel(counts_instructions);
        let engine = Engine::new(&config);
        let module = Module::new(&engine, &file()[..]).expect("a module");
        (engine, module)
    })
}
