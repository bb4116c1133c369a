//! The module in a real Envoy, in front of a real application, with `duo-sim` in place of Duo.
//!
//! Every test has its own stack ([`stack`]): an Envoy, a simulator, and an application that
//! records the requests it receives. With the wasm module the Envoy may have served other tests before
//! ([`pool`]). One module ([`tally`]) judges each admission and counts over the whole run. A request that reached the application without a right to fails the run, even if
//! every test passed.
//!
//! `DUO_MFA_ENVOY` names the Envoy (default `.tools/bin/envoy`), `DUO_MFA_WASM` the module
//! (default `dist/duo_mfa.wasm`). If one of the two is missing, the tests fail; they are not skipped.
//! With `DUO_MFA_HOST=native` the module is `DUO_MFA_NATIVE` (default `dist/libduo_mfa.so`), a dynamic
//! module of Envoy. `wasm_only.txt` and `native_only.txt` list the tests that belong to one host alone. On the other
//! one they end at once, and the last line of a run counts them as skipped.
//!
//! `.cargo/config.toml` limits a run to two tests at a time; `make test` runs six. `make matrix` runs the tests that `CORE`
//! in `tools/matrix.py` selects.

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

mod app;
mod browser;
mod discovery;
mod envoy;
mod filter;
mod guide;
mod http1;
mod http2;
mod message;
mod names;
mod pool;
mod product;
mod resources;
mod setup;
mod sim;
mod stack;
mod tally;
mod universal;

mod altered_replies;
mod api_client;
mod applications;
mod approver;
mod assertion;
mod audit;
mod binding;
mod bodies;
mod breaker;
mod certificates;
mod chaos;
mod churn;
mod client_address;
mod clients;
mod compose;
mod configuration;
mod connection_stats;
mod cookies;
mod crowds;
mod denials;
mod direct_responses;
mod duo_calls;
mod duo_faults;
mod egress_proxy;
mod enroll;
mod examples;
mod factor_refusals;
mod failures;
mod failures_midway;
mod failures_universal;
mod filter_state;
mod first_application;
mod first_factor;
mod flat_metadata;
mod fleet;
mod foreign_forms;
mod forgeries;
mod forms;
mod graphs;
mod hostile;
mod hosts;
mod image;
mod inert;
mod kinds;
mod leaving;
mod library;
mod limiter;
mod limits;
mod live_change;
mod load;
mod logo;
mod memory;
mod metrics;
mod modes;
mod module;
mod neighbors;
mod never_pushes;
mod overload;
mod own_endpoints;
mod page_limits;
mod panics;
mod passcodes;
mod per_client;
mod per_request;
mod per_route;
mod phone_texts;
mod planted_cookies;
mod products;
mod prometheus;
#[path = "../core/rate_limit.rs"]
mod rate_limit;
mod readme;
mod real_clients;
mod redirects;
mod reloads;
mod replicas;
mod return_paths;
mod rotation;
mod rules;
mod same_request;
mod second_lock;
mod secrets;
mod shared_cluster;
mod shared_responses;
mod sign_out;
mod signin;
mod spellings;
mod steady;
mod thin_line;
mod unheard;
mod universal_applications;
mod universal_attacks;
mod universal_binding;
mod universal_callback;
mod universal_example;
mod universal_factors;
mod universal_health;
mod universal_hostile;
mod universal_hosts;
mod universal_only;
mod universal_outage;
mod universal_products;
mod universal_replicas;
mod universal_reuse;
mod universal_secrets;
mod universal_start;
mod user_names;
mod verifiers;

/// Prints a line that the run shows even if the test passes.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let mut stdout = std::io::stdout();
        writeln!(stdout, $($text)*).unwrap();
    }};
}

/// Ends a test that belongs to the other host alone. The run's last line counts such tests.
#[macro_export]
macro_rules! of_another_host {
    () => {
        if $crate::hosts::is_of_another_host() {
            return;
        }
    };
}

/// Ends the run with a line of counts, which `make test` adds up, and fails it if a request was
/// wrongly admitted.
#[dtor::dtor(unsafe)]
fn summary() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    pool::close();
    println!("{} failure_cells={}", tally::summary(), failures::cells_held());
    if tally::wrongly_admitted() != 0 {
        std::process::abort();
    }
}
