//! Measures what it costs Envoy to let a request pass by its approval cookie, compared with other ways
//! to let a request pass. README.md in this folder describes the method.
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
mod credential;
mod envoy;
mod proof;
mod report;
mod server;
mod setup;
mod statistics;
mod variant;

use clap::Parser;
use client::Clients;
use credential::{Credential, Keys};
use envoy::Envoy;
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
        Ok(report) => {
            println!("{report}");
            if report.meets_goals() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(fault) => {
            eprintln!("bench: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn measure(setup: &Setup) -> Result<Report, Fault> {
    let pinned = setup::pin_to_second_cpu();
    let keys = Keys::default();
    let servers = Servers::start(&keys)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut report = Report::new(setup.variants(), pinned);
    while report.starts() < setup.starts
        || (!report.is_unanimous() && report.starts() < 2 * setup.starts)
    {
        report.begin_start();
        runtime.block_on(one_start(setup, &keys, &servers, pinned, &mut report))?;
        eprintln!("bench: start {} of Envoy measured", report.starts());
    }
    report.end();
    if let Some(path) = &setup.json {
        std::fs::write(path, format!("{:#}\n", report.to_json()))?;
    }
    Ok(report)
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
    let mut envoy = Envoy::start(setup, &config, pinned)?;

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
    for round in 0..setup.rounds {
        let mut order: Vec<_> = targets.iter_mut().collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for (variant, clients) in order {
            tokio::time::sleep(SETTLE).await;
            let before = envoy.cpu_time()?;
            let refused = clients.load(&request, setup.requests).await?;
            tokio::time::sleep(SETTLE).await;
            report.note_refused(*variant, refused);
            report.note_cost(*variant, (envoy.cpu_time()? - before) / setup.requests);
        }
    }
    Ok(())
}
