//! The cost of a filter without a request: the time until Envoy serves, and its memory.

use crate::Fault;
use crate::client::Client;
use crate::config;
use crate::credential::{Credential, Keys, Kind};
use crate::envoy::{self, Envoy, Resident, Under};
use crate::server::Servers;
use crate::setup::Setup;
use crate::statistics::median;
use crate::variant::Variant;
use serde_json::{Value, json};
use std::fmt;
use std::time::{Duration, Instant};

/// The numbers of workers that are compared.
pub(crate) const WORKERS: [u32; 2] = [1, 8];

/// After this time at rest, memory is read.
const REST: Duration = Duration::from_millis(400);

/// How long Envoy may take until it serves.
const PATIENCE: Duration = Duration::from_secs(120);

/// One start of Envoy.
#[derive(Clone, Copy, Debug)]
struct Start {
    /// Milliseconds until the first request was answered.
    ready: f64,
    /// Milliseconds of CPU time of all threads until then.
    cpu: f64,
    /// Megabytes after a rest.
    resident: f64,
    /// Megabytes that no other process shares, and that were written.
    private_dirty: f64,
}

/// All starts of one variant with one number of workers.
#[derive(Debug)]
struct Row {
    variant: Variant,
    workers: u32,
    starts: Vec<Start>,
}

/// The starts of all variants.
#[derive(Debug, Default)]
pub(crate) struct Footprints(Vec<Row>);

/// Starts each variant as often as the setup says, all in turn, with every number of workers.
pub(crate) async fn measure(
    setup: &Setup,
    keys: &Keys,
    servers: &Servers,
) -> Result<Footprints, Fault> {
    let mut footprints = Footprints::default();
    let starter = Starter { setup, keys, servers, credential: Credential::issue(keys)? };
    for number in 0..setup.footprints {
        let mut order = Variant::loaded(setup.other.len());
        if number % 2 == 1 {
            order.reverse();
        }
        for workers in WORKERS {
            for variant in order.iter().copied() {
                let start = starter.start(variant, workers).await?;
                footprints.note(variant, workers, start);
            }
        }
    }
    let place = |variant| Variant::all(setup.other.len()).iter().position(|it| *it == variant);
    footprints.0.sort_by_key(|row| (row.workers, place(row.variant)));
    Ok(footprints)
}

/// The parts of every start.
struct Starter<'a> {
    setup: &'a Setup,
    keys: &'a Keys,
    servers: &'a Servers,
    credential: Credential,
}

impl Starter<'_> {
    async fn start(&self, variant: Variant, workers: u32) -> Result<Start, Fault> {
        let port = envoy::free_ports(1)?.first().copied().ok_or("there is no free port")?;
        let config = config::render(self.setup, self.keys, self.servers, &[(variant, port)])?;
        let request = self.credential.request("/", Kind::Valid);
        let begun = Instant::now();
        let mut envoy = Envoy::start(self.setup, &config, workers, Under::Cpus("0,1"))?;
        envoy.wait_for(port).await?;
        // A connection may be accepted by the kernel before Envoy serves it.
        let answered = async { Client::connect(port).await?.exchange(&request).await };
        let status =
            tokio::time::timeout(PATIENCE, answered).await.map_err(|_| "Envoy is silent")??;
        let (ready, cpu) = (begun.elapsed(), envoy.cpu_time()?);
        if status != 200 {
            return Err(format!("{variant}: the first request got {status}").into());
        }
        tokio::time::sleep(REST).await;
        let Resident { all, private_dirty } = envoy.resident()?;
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        let (ready, cpu) = (milliseconds(ready), milliseconds(cpu));
        Ok(Start { ready, cpu, resident: all, private_dirty })
    }
}

impl Footprints {
    fn note(&mut self, variant: Variant, workers: u32, start: Start) {
        let mut rows = self.0.iter_mut();
        match rows.find(|row| row.variant == variant && row.workers == workers) {
            Some(row) => row.starts.push(start),
            None => self.0.push(Row { variant, workers, starts: vec![start] }),
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn median(&self, variant: Variant, workers: u32, of: impl Fn(&Start) -> f64) -> f64 {
        let mut rows = self.0.iter();
        let row = rows.find(|row| row.variant == variant && row.workers == workers);
        row.map_or(f64::NAN, |row| median(&row.starts.iter().map(of).collect::<Vec<_>>()))
    }

    /// Megabytes over no filter with the same number of workers.
    pub(crate) fn memory_over_none(&self, variant: Variant, workers: u32) -> f64 {
        let of = |variant| self.median(variant, workers, |start| start.resident);
        of(variant) - of(Variant::NoFilter)
    }

    /// The median, over all starts, of the milliseconds that it was ready later than no filter in the
    /// same turn.
    pub(crate) fn later_than_none(&self, variant: Variant, workers: u32) -> f64 {
        let ready = |wanted| {
            let mut rows = self.0.iter();
            let row = rows.find(|row| row.variant == wanted && row.workers == workers);
            row.map(|row| row.starts.iter().map(|start| start.ready).collect::<Vec<_>>())
        };
        let (ours, none) = (ready(variant), ready(Variant::NoFilter));
        let pairs = ours.into_iter().flatten().zip(none.into_iter().flatten());
        median(&pairs.map(|(ours, none)| ours - none).collect::<Vec<_>>())
    }

    pub(crate) fn to_json(&self) -> Value {
        let start = |start: &Start| {
            json!({
                "ready_ms": start.ready,
                "cpu_ms": start.cpu,
                "rss_mb": start.resident,
                "private_dirty_mb": start.private_dirty,
            })
        };
        let row = |row: &Row| {
            json!({
                "variant": row.variant.to_string(),
                "workers": row.workers,
                "starts": row.starts.iter().map(start).collect::<Vec<_>>(),
            })
        };
        self.0.iter().map(row).collect()
    }
}

impl fmt::Display for Footprints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| start and memory | workers | ready ms | CPU until ready ms | RSS MB | over no filter | private dirty MB |\n\
             |---|---|---|---|---|---|---|"
        )?;
        for Row { variant, workers, .. } in &self.0 {
            let of = |of: fn(&Start) -> f64| self.median(*variant, *workers, of);
            writeln!(
                f,
                "| {variant} | {workers} | {:.0} | {:.0} | {:.1} | {:+.1} | {:.1} |",
                of(|start| start.ready),
                of(|start| start.cpu),
                of(|start| start.resident),
                self.memory_over_none(*variant, *workers),
                of(|start| start.private_dirty),
            )?;
        }
        Ok(())
    }
}
