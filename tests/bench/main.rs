//! Measures what it costs Envoy to let a request pass by its approval cookie, compared with other ways
//! to let a request pass, and what the filter costs without requests. README.md in this folder describes the method.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program that reads clocks and divides numbers, run by hand"
)]

mod client;
mod config;
mod counted;
mod credential;
mod envoy;
mod footprint;
mod goals;
mod machine;
mod proof;
mod report;
mod server;
mod setup;
mod statistics;
mod variant;

use clap::Parser;
use client::Clients;
use credential::{Credential, Keys};
use envoy::{Envoy, Under};
use footprint::Footprints;
use machine::Machine;
use report::Report;
use server::Servers;
use setup::Setup;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use variant::Variant;

/// An error that ends the run. Its text needs no context.
type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Envoy frees what a request held a little after its response.
const SETTLE: Duration = Duration::from_millis(2);

fn main() -> ExitCode {
    let setup = Setup::parse();
    match measure(&setup) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("bench: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// Measures, writes the results, and returns whether all goals are met.
fn measure(setup: &Setup) -> Result<bool, Fault> {
    let pinned = setup::pin_to_second_cpu();
    let mut machine = Machine::look(&setup.envoy, pinned);
    let keys = Keys::default();
    let servers = Servers::start(&keys)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if setup.count {
        println!("{}", runtime.block_on(counted::count(setup, &keys, &servers))?);
        return Ok(true);
    }
    let footprints = runtime.block_on(footprint::measure(setup, &keys, &servers))?;
    eprintln!("bench: starts and memory measured");
    let mut report = Report::new(setup.variants().into_iter().skip(1).collect());
    while report.starts() < setup.starts
        || (!report.is_unanimous() && report.starts() < 2 * setup.starts)
    {
        report.begin_start();
        runtime.block_on(one_start(setup, &keys, &servers, pinned, &mut report))?;
        eprintln!("bench: start {} of Envoy measured", report.starts());
    }
    machine.look_again();
    conclude(setup, &machine, &report, &footprints)
}

fn conclude(
    setup: &Setup,
    machine: &Machine,
    report: &Report,
    footprints: &Footprints,
) -> Result<bool, Fault> {
    let results = goals::results(report, footprints);
    let starts = report.starts();
    let unanimity = if report.is_unanimous() { "" } else { ", which do not agree on every goal" };
    let mut text = format!("{machine} {starts} starts{unanimity}.\n\n{report}\n{footprints}\n");
    for result in &results {
        text.push_str(&format!("{result}\n"));
    }
    println!("{text}");
    if let Some(path) = &setup.markdown {
        std::fs::write(path, &text)?;
    }
    if let Some(path) = &setup.json {
        let goal = |it: &goals::Result| serde_json::json!({"goal": it.goal, "reached": it.reached, "met": it.is_met});
        let all = serde_json::json!({
            "machine": machine.to_json(),
            "passes": report.to_json(),
            "starts_and_memory": footprints.to_json(),
            "goals": results.iter().map(goal).collect::<Vec<_>>(),
        });
        std::fs::write(path, format!("{all:#}\n"))?;
    }
    let missed = results.iter().filter(|result| !result.is_met).count();
    if !report.is_valid() {
        eprintln!("bench: requests were refused, so the figures are void");
    }
    if missed > 0 {
        eprintln!("bench: {missed} of {} goals are missed; see MISSED above", results.len());
    }
    Ok(report.is_valid() && missed == 0)
}

/// Starts Envoy anew, which gives it another heap layout, and measures all variants in it.
async fn one_start(
    setup: &Setup,
    keys: &Keys,
    servers: &Servers,
    pinned: bool,
    report: &mut Report,
) -> Result<(), Fault> {
    let variants = setup.variants();
    let credential = Credential::issue(keys)?;
    let ports = envoy::free_ports(variants.len())?;
    let listeners: Vec<(Variant, u16)> = variants.iter().copied().zip(ports).collect();
    let config = config::render(setup, keys, servers, &listeners)?;
    let mut envoy = Envoy::start(setup, &config, 1, Under::first_cpu(pinned))?;

    let mut targets = Vec::new();
    for (variant, port) in listeners {
        envoy.wait_for(port).await?;
        proof::prove(variant, port, &credential).await?;
        targets.push((variant, Clients::connect(port, setup.connections).await?));
    }
    let request: Arc<[u8]> = credential.request("/", credential::Kind::Valid).into();
    for (variant, clients) in &mut targets {
        let refused = clients.load(&request, setup.warm_up).await?;
        report.note_refused(*variant, refused);
    }
    let (_, mut bases) = targets.remove(0);
    for round in 0..setup.rounds {
        let is_odd = round % 2 == 1;
        let mut order: Vec<_> = targets.iter_mut().collect();
        if is_odd {
            order.reverse();
        }
        for (place, (variant, clients)) in order.into_iter().enumerate() {
            let turn = Turn { setup, envoy: &envoy, request: &request };
            // Which of the two comes first changes with the round and with the place in it.
            let (base, cost) = if is_odd == (place % 2 == 1) {
                let base = turn.take(&mut bases).await?;
                (base, turn.take(clients).await?)
            } else {
                let cost = turn.take(clients).await?;
                (turn.take(&mut bases).await?, cost)
            };
            report.note_refused(*variant, cost.refused + base.refused);
            report.note_pair(*variant, cost.time, base.time);
        }
    }
    Ok(())
}

/// The requests of one variant in a row.
struct Turn<'a> {
    setup: &'a Setup,
    envoy: &'a Envoy,
    request: &'a Arc<[u8]>,
}

/// The cost of a turn.
struct Cost {
    /// CPU time of a request.
    time: Duration,
    refused: u32,
}

impl Turn<'_> {
    async fn take(&self, clients: &mut Clients) -> Result<Cost, Fault> {
        tokio::time::sleep(SETTLE).await;
        let before = self.envoy.cpu_time()?;
        let refused = clients.load(self.request, self.setup.requests).await?;
        tokio::time::sleep(SETTLE).await;
        let time = (self.envoy.cpu_time()? - before) / self.setup.requests;
        Ok(Cost { time, refused })
    }
}
