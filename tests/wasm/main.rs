//! The module's file under a host of these tests, which plays Envoy: `cargo test --test wasm`.
//!
//! An interpreter runs `dist/duo_mfa.wasm` (`DUO_MFA_WASM` names another file). Without the file, the tests fail. The host
//! has several virtual machines over one table of shared data, a clock that only the test moves, and a simulated Duo. It can
//! do what Envoy rarely does: refuse any call, answer late, twice or never, and end a virtual machine at any time.
//!
//! [`judge`] knows who was approved by Duo, and whose each cookie is. It judges each request that the module forwards.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::exit,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    missing_debug_implementations,
    reason = "a test ends by panicking"
)]

mod capabilities;
#[path = "../core/chance.rs"]
mod chance;
mod costs;
mod duo;
mod emptied;
mod faults;
mod flows;
mod host;
mod judge;
mod people;
mod random;
mod scale;
mod tally;
mod world;

/// Prints a line that the run shows even if the test passes.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let mut stdout = std::io::stdout();
        writeln!(stdout, $($text)*).unwrap();
    }};
}

/// Ends the run with a line of counts, which `make test` adds up, and fails it if one of them must be 0.
#[dtor::dtor(unsafe)]
fn summary() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    println!("wasm: {}", tally::line());
    if tally::is_bad() {
        std::process::abort();
    }
}
