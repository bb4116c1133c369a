//! How much is measured, and with which files.

use crate::variant::Variant;
use clap::Parser;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Measures what a request with a valid approval cookie costs Envoy.
#[derive(Debug, Parser)]
pub(crate) struct Setup {
    /// Envoy; DUO_MFA_ENVOY, or else .tools/bin/envoy
    #[arg(long, default_value_os_t = path("DUO_MFA_ENVOY", ".tools/bin/envoy"))]
    pub(crate) envoy: PathBuf,
    /// The module; DUO_MFA_WASM, or else dist/duo_mfa.wasm
    #[arg(long, default_value_os_t = path("DUO_MFA_WASM", "dist/duo_mfa.wasm"))]
    pub(crate) module: PathBuf,
    /// The module of noop.rs; DUO_MFA_NOOP_WASM, or else what make bench builds
    #[arg(long, default_value_os_t = path("DUO_MFA_NOOP_WASM", "target/wasm32-wasip1/release/examples/noop.wasm"))]
    pub(crate) noop: PathBuf,
    /// The native library; DUO_MFA_NATIVE, or else dist/libduo_mfa.so
    #[arg(long, default_value_os_t = path("DUO_MFA_NATIVE", "dist/libduo_mfa.so"))]
    pub(crate) native: PathBuf,
    /// The library of dynamic_noop.rs; DUO_MFA_DYNAMIC_NOOP, or else what make bench builds
    #[arg(long, default_value_os_t = path("DUO_MFA_DYNAMIC_NOOP", "target/release/examples/libdynamic_noop.so"))]
    pub(crate) dynamic_noop: PathBuf,
    /// Another build of the module, or of the library (.so), to be measured beside it; may be given more than once
    #[arg(long)]
    pub(crate) other: Vec<PathBuf>,
    /// Count instructions by valgrind, and measure no time
    #[arg(long)]
    pub(crate) count: bool,
    /// Where to write the tables as Markdown, which are also printed
    #[arg(long)]
    pub(crate) markdown: Option<PathBuf>,
    /// Where to write the figures as JSON
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
    /// Starts of Envoy, twice as many where they do not agree on a goal
    #[arg(long, default_value_t = 5)]
    pub(crate) starts: usize,
    /// Rounds a start; in each, all variants take their turn, each beside one of no filter
    #[arg(long, default_value_t = 40)]
    pub(crate) rounds: usize,
    /// Requests a turn
    #[arg(long, default_value_t = 480)]
    pub(crate) requests: u32,
    /// Requests of each variant before the first round
    #[arg(long, default_value_t = 1600)]
    pub(crate) warm_up: u32,
    /// Starts of each variant by which its memory and the time of its start are measured
    #[arg(long, default_value_t = 5)]
    pub(crate) footprints: usize,
    /// Connections of each variant
    #[arg(long, default_value_t = 32)]
    pub(crate) connections: u32,
    /// What `cargo bench` says to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

impl Setup {
    /// The variants to measure, in the order of the table.
    pub(crate) fn variants(&self) -> Vec<Variant> {
        Variant::all(self.other.len())
    }
}

fn path(variable: &str, default: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(|| default.into(), Into::into)
}

/// Moves this process to the second CPU, so that Envoy can have the first one for itself. False
/// where there is no second one, or no `taskset`.
pub(crate) fn pin_to_second_cpu() -> bool {
    let pid = std::process::id().to_string();
    let is_done = Command::new("taskset")
        .args(["--cpu-list", "--pid", "1", &pid])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !is_done {
        eprintln!("bench: no second CPU or no taskset: Envoy and its clients share what there is");
    }
    is_done
}
