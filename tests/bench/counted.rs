//! The instructions of a request that passes, counted by valgrind in a real Envoy. Such counts tell two
//! builds apart on a busy machine too.
//!
//! Envoy's own filters are left out: valgrind's processor has no instructions for SHA-2, so what they
//! compute anew for each request would count for more than it costs.

use crate::client::Clients;
use crate::config;
use crate::credential::{Credential, Keys, Kind};
use crate::envoy::{self, Envoy, Under};
use crate::proof;
use crate::server::Servers;
use crate::setup::Setup;
use crate::variant::Variant;
use crate::{Fault, SETTLE};
use std::fmt;
use std::fs::{read_dir, read_to_string, remove_file};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Requests of each variant before they are counted.
const WARM_UP: u32 = 300;
/// Requests that are counted.
const COUNTED: u32 = 2000;

/// The instructions of one request, by variant.
#[derive(Debug)]
pub(crate) struct Counts(Vec<(Variant, u64)>);

/// Counts for all variants that load a module, and for none.
pub(crate) async fn count(setup: &Setup, keys: &Keys, servers: &Servers) -> Result<Counts, Fault> {
    let variants = Variant::loaded(setup.other.len());
    let ports = envoy::free_ports(variants.len())?;
    let listeners: Vec<(Variant, u16)> = variants.into_iter().zip(ports).collect();
    let config = config::render(setup, keys, servers, &listeners)?;
    let dumps = Dumps::new()?;
    let mut envoy = Envoy::start(setup, &config, 1, Under::Callgrind(&dumps.stem()))?;
    let mut counts = Vec::new();
    for (variant, port) in listeners {
        envoy.wait_for(port).await?;
        // Issued here, since Envoy takes a minute to start, and an older approval is renewed.
        let credential = Credential::issue(keys)?;
        proof::prove(variant, port, &credential).await?;
        let request: Arc<[u8]> = credential.request("/", Kind::Valid).into();
        let mut clients = Clients::connect(port, 1).await?;
        let mut refused = clients.load(&request, WARM_UP).await?;
        dumps.take(&envoy)?;
        refused += clients.load(&request, COUNTED).await?;
        tokio::time::sleep(SETTLE).await;
        counts.push((variant, dumps.take(&envoy)? / u64::from(COUNTED)));
        if refused > 0 {
            return Err(format!("{variant}: {refused} requests were refused").into());
        }
    }
    Ok(Counts(counts))
}

/// The files into which callgrind writes what it has counted since the last time.
struct Dumps(PathBuf);

impl Dumps {
    /// An empty folder for them.
    fn new() -> Result<Self, Fault> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-callgrind");
        std::fs::create_dir_all(&folder)?;
        let dumps = Self(folder);
        dumps.sum()?;
        Ok(dumps)
    }

    /// The path of all files, without their numbers.
    fn stem(&self) -> PathBuf {
        self.0.join("counted")
    }

    /// The instructions since the last call.
    fn take(&self, envoy: &Envoy) -> Result<u64, Fault> {
        let output =
            Command::new("callgrind_control").args(["--dump", &envoy.id().to_string()]).output();
        let output = output.map_err(|error| format!("callgrind_control: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let sum = self.sum()?;
        if sum == 0 { Err("callgrind has counted nothing".into()) } else { Ok(sum) }
    }

    /// Sums all files up, and removes them.
    fn sum(&self) -> Result<u64, Fault> {
        let mut sum = 0;
        for file in read_dir(&self.0)? {
            let path = file?.path();
            // The last line is `totals: 42`. A file of no thread has none.
            let text = read_to_string(&path)?;
            let total = text.lines().rev().find_map(|line| line.strip_prefix("totals: "));
            sum += total.map_or(Ok(0), str::parse::<u64>)?;
            remove_file(&path)?;
        }
        Ok(sum)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of =
            |wanted| self.0.iter().find(|(variant, _)| *variant == wanted).map_or(0, |it| it.1);
        let base = of(Variant::NoFilter);
        writeln!(
            f,
            "| a request that passes | instructions | added | ÷ no-op wasm |\n|---|---|---|---|"
        )?;
        for (variant, all) in &self.0 {
            let added = |all: u64| all as f64 - base as f64;
            let ratio = added(*all) / added(of(Variant::Noop));
            writeln!(f, "| {variant} | {all} | {:.0} | {ratio:.2} |", added(*all))?;
        }
        Ok(())
    }
}
