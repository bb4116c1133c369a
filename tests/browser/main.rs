//! The prompt page and the simulator's phone page in a real Chromium, behind a real Envoy with
//! the real module.
//!
//! The cases are JavaScript for Playwright, in `cases/`, where each names itself once. One Node process
//! lists them and plays them in one Chromium, each with separate cookies ([`runner`]). Each case has its
//! own stack ([`stage`]), of the kind that `tests/e2e` uses. A case says how many requests the
//! application must see; the run fails if it sees more.
//!
//! Rust learns the names of the cases only when Node runs, so they cannot be functions with `#[test]`.
//! The harness is therefore `libtest-mimic`: `cargo test --test browser NAME` plays one case.
//!
//! `DUO_MFA_CHROMIUM` names the Chromium. If Chromium, Node or a package is missing, the run fails.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::exit,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_errors_doc,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::panic_in_result_fn,
    clippy::print_stdout,
    clippy::str_to_string,
    clippy::string_slice,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    reason = "a test that meets what it did not expect ends, and says where"
)]
#![allow(unreachable_pub, reason = "a test binary has no outside")]
#![allow(dead_code, reason = "the tests of a real Envoy use the rest of what is shared with them")]

#[path = "../e2e/app.rs"]
mod app;
#[path = "../e2e/discovery.rs"]
mod discovery;
#[path = "../e2e/envoy.rs"]
mod envoy;
#[path = "../e2e/filter.rs"]
mod filter;
#[path = "../e2e/http1.rs"]
mod http1;
#[path = "../e2e/http2.rs"]
mod http2;
#[path = "../e2e/message.rs"]
mod message;
#[path = "../e2e/pool.rs"]
mod pool;
#[path = "../e2e/setup.rs"]
mod setup;
#[path = "../e2e/sim.rs"]
mod sim;
#[path = "../e2e/stack.rs"]
mod stack;
#[path = "../e2e/tally.rs"]
mod tally;

mod front;
mod packages;
mod runner;
mod stage;

use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use crate::runner::Runner;
use crate::stage::Stages;

fn main() {
    let mut arguments = Arguments::from_args();
    // An Envoy, a simulator and a page each: more at once would only wait for each other. Six take as long as three.
    arguments.test_threads = arguments.test_threads.or(Some(3));
    let (runner, cases) = Runner::start();
    let (runner, stages) = (Arc::new(runner), Arc::new(Stages::default()));
    let trials = cases.into_iter().map(|case| {
        let (runner, stages) = (Arc::clone(&runner), Arc::clone(&stages));
        Trial::test(case.name.clone(), move || stages.play(&case, &runner))
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    if !arguments.list {
        println!("{}", tally::summary());
    }
    let failed = conclusion.has_failed() || tally::wrongly_admitted() != 0;
    drop((runner, stages));
    pool::close();
    std::process::exit(if failed { 101 } else { 0 });
}
