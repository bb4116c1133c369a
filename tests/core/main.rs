//! Tests without Envoy: whole flows of the core, and the rules of this repository.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::panic_in_result_fn,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test ends by panicking, and the run by a line of counts"
)]

mod accounts;
mod admission;
mod aliases;
mod any_client;
mod applications;
mod approval_times;
mod approver;
mod assertion;
mod binding;
mod breaker;
mod browser;
mod chance;
mod client_kinds;
mod codes;
mod config_faults;
mod conversations;
mod cookies;
mod docs;
mod duo_vectors;
mod enroll;
mod factor_refusals;
mod failures;
mod faults;
mod fleet;
mod foreign_forms;
mod forms;
mod hold;
mod identities;
mod judgements;
mod kubernetes_files;
mod layers;
mod limits;
mod logo;
mod loki;
mod methods;
mod model;
mod modes;
mod monitoring;
mod observability;
mod operations;
mod outage;
mod page;
mod pending;
mod per_client;
mod per_request;
mod phone_texts;
mod policy;
mod promises;
mod rate_limit;
mod readme;
mod reference;
mod replay;
mod results;
mod rig;
mod same_request;
mod schema;
mod seeded;
mod sign_out;
mod signin;
mod terms;
mod trail;
mod troubleshooting;
mod unheard;
mod universal_factors;
mod universal_flow;
mod universal_health;
mod universal_vectors;
mod ways;

/// Prints a line that the run shows even if the test passes.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let mut stdout = std::io::stdout();
        writeln!(stdout, $($text)*).unwrap();
    }};
}

/// Ends the run with a line of counts, which `make test` adds up. A request that is wrongly admitted fails its test; this
/// fails the run too.
#[dtor::dtor(unsafe)]
fn summary() {
    println!("core: {}", rig::counts());
    if rig::wrongly_admitted_so_far() != 0 {
        std::process::abort();
    }
}
