//! `duo-sim`: a simulator of Duo's Auth API and Universal Prompt, for the demo and the tests.
//!
//! It checks signatures with separate code, and plays the users of a YAML file or a built-in cast.
//! A control interface makes users approve, deny or not answer, and switches faults on. A page at
//! `/phone` acts as everybody's phone. It shares no code with the filter, so a mistake in one does
//! not hide the same mistake in the other.
//!
//! At the start it prints one line of JSON with its addresses and the file of its certificate
//! authority: `{"http":"127.0.0.1:1234","https":"...","control":"...","ca":"/..."}`

#![allow(clippy::print_stdout, reason = "the program prints its addresses on standard output")]
#![allow(clippy::print_stderr, reason = "the program reports to standard error")]
#![allow(clippy::arithmetic_side_effects, reason = "a test program: counts and times stay small")]
#![allow(clippy::as_conversions, reason = "a test program: constants only")]
#![allow(clippy::disallowed_methods, reason = "a program has a clock, unlike the core")]

mod api;
mod auth;
mod body;
mod control;
mod endpoint;
mod enroll;
mod fail;
mod faults;
mod journal;
mod options;
mod params;
mod persona;
mod phone;
mod preauth;
mod random;
mod received;
mod server;
mod sim;
mod spoil;
mod tls;
mod transaction;
mod universal;
mod verify;
mod world;

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::options::{Options, Print, StartError};
use crate::sim::Sim;

/// The sockets of the program.
struct Listeners {
    http: TcpListener,
    https: TcpListener,
    control: TcpListener,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("duo-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), StartError> {
    let world = options.world()?;
    let listeners = bind(&options).await?;
    let tls = tls::prepare(&options.state_dir(), &options.names())?;
    let line = json!({
        "http": listeners.http.local_addr()?,
        "https": listeners.https.local_addr()?,
        "control": listeners.control.local_addr()?,
        "ca": tls.authority,
    });
    announce(options.print, &line)?;
    let exit_with_stdin = options.exit_with_stdin;
    let settings = options.settings(listeners.control.local_addr()?);
    let sim = Sim::new(settings, world);
    tokio::spawn(server::serve(listeners.http, None, Arc::clone(&sim)));
    tokio::spawn(server::serve(listeners.https, Some(tls.acceptor), Arc::clone(&sim)));
    let control = axum::serve(listeners.control, control::router(sim));
    tokio::select! {
        ended = control => ended?,
        () = end_of_input(), if exit_with_stdin => {}
    }
    Ok(())
}

async fn bind(options: &Options) -> Result<Listeners, StartError> {
    Ok(Listeners {
        http: listener(options.address(options.http)?).await?,
        https: listener(options.address(options.https)?).await?,
        control: listener(options.address(options.control)?).await?,
    })
}

async fn listener(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| StartError::Bind { address, error })
}

fn announce(print: Print, line: &serde_json::Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match print {
        Print::Json => writeln!(out, "{line}")?,
        Print::Text => {
            for (name, key) in [("Auth API (http)", "http"), ("Auth API (https)", "https")] {
                writeln!(out, "{name}: {}", text(line, key))?;
            }
            writeln!(out, "Certificate authority: {}", text(line, "ca"))?;
            writeln!(out, "Phones: http://{}/phone", text(line, "control"))?;
        }
    }
    out.flush()
}

fn text<'a>(line: &'a serde_json::Value, key: &str) -> &'a str {
    line.get(key).and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// Returns when standard input is closed, since the process that started the program has then
/// ended.
async fn end_of_input() {
    let mut input = tokio::io::stdin();
    let mut buffer = [0; 64];
    while matches!(input.read(&mut buffer).await, Ok(1..)) {}
}
