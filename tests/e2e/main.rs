//! The module in a real Envoy, in front of a real application, with `duo-sim` in place of Duo.
//!
//! Every test starts a stack of its own ([`stack`]): an Envoy, a simulator, an application that
//! notes what reaches it. What is admitted is judged in one place ([`tally`]), which counts over
//! the whole run; a request that reached the application without a right to fails the run,
//! whatever the tests say.
//!
//! `DUO_MFA_ENVOY` names the Envoy (default `.tools/bin/envoy`), `DUO_MFA_WASM` the module
//! (default `dist/duo_mfa.wasm`). Where one is missing, every test fails: none is skipped.
//! `DUO_MFA_E2E=core` runs what every supported Envoy has to pass ([`CORE`]), as `make matrix` does.

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
mod envoy;
mod http1;
mod http2;
mod message;
mod names;
mod product;
mod resources;
mod setup;
mod sim;
mod stack;
mod tally;

mod altered_replies;
mod api_client;
mod applications;
mod binding;
mod bodies;
mod certificates;
mod client_address;
mod clients;
mod compose;
mod configuration;
mod cookies;
mod crowds;
mod denials;
mod duo_calls;
mod duo_faults;
mod enroll;
mod examples;
mod factor_refusals;
mod failures;
mod failures_midway;
mod filter_state;
mod first_factor;
mod foreign_forms;
mod forgeries;
mod forms;
mod hostile;
mod image;
mod inert;
mod kinds;
mod leaving;
mod limits;
mod load;
mod logo;
mod memory;
mod modes;
mod module;
mod neighbors;
mod never_pushes;
mod overload;
mod own_endpoints;
mod page_limits;
mod passcodes;
mod per_client;
mod per_request;
mod per_route;
mod phone_texts;
mod planted_cookies;
mod products;
mod readme;
mod real_clients;
mod redirects;
mod replicas;
mod return_paths;
mod rotation;
mod rules;
mod same_request;
mod secrets;
mod shared_cluster;
mod shared_responses;
mod sign_out;
mod signin;
mod spellings;
mod thin_line;
mod unheard;
mod user_names;

use libtest_mimic::{Arguments, Trial};

/// What every Envoy of `tools/envoy.txt` has to pass, by how the names of tests begin: sign-ins of pages and programs, held
/// bodies, limits, faults of Duo's, configurations; not what takes long, nor what is about crowds.
const CORE: &[&str] = &[
    "api_client::",
    "bodies::",
    "compose::",
    "configuration::",
    "cookies::",
    "duo_faults::",
    "examples::",
    "forms::",
    "image::",
    "kinds::",
    "limits::",
    "modes::",
    "own_endpoints::",
    "page_limits::denials",
    "page_limits::fraud",
    "page_limits::twenty",
    "passcodes::",
    "per_route::",
    "sign_out::",
    "signin::",
];

/// Names every test by its function and its topic.
macro_rules! trials {
    ($($test:ident),+ $(,)?) => {
        pub(crate) fn trials() -> Vec<libtest_mimic::Trial> {
            let topic = module_path!().rsplit("::").next().unwrap_or_default();
            vec![$(libtest_mimic::Trial::test(
                format!("{topic}::{}", stringify!($test)),
                || { $test(); Ok(()) },
            )),+]
        }
    };
}
pub(crate) use trials;

/// The tests of each file.
const TOPICS: &[fn() -> Vec<Trial>] = &[
    altered_replies::trials,
    api_client::trials,
    applications::trials,
    binding::trials,
    bodies::trials,
    certificates::trials,
    client_address::trials,
    clients::trials,
    compose::trials,
    configuration::trials,
    cookies::trials,
    crowds::trials,
    denials::trials,
    duo_calls::trials,
    duo_faults::trials,
    enroll::trials,
    examples::trials,
    factor_refusals::trials,
    failures::trials,
    failures_midway::trials,
    filter_state::trials,
    first_factor::trials,
    foreign_forms::trials,
    forgeries::trials,
    forms::trials,
    hostile::trials,
    image::trials,
    inert::trials,
    kinds::trials,
    leaving::trials,
    limits::trials,
    load::trials,
    logo::trials,
    memory::trials,
    modes::trials,
    module::trials,
    neighbors::trials,
    never_pushes::trials,
    per_request::trials,
    overload::trials,
    own_endpoints::trials,
    page_limits::trials,
    passcodes::trials,
    per_client::trials,
    per_route::trials,
    phone_texts::trials,
    planted_cookies::trials,
    products::trials,
    readme::trials,
    real_clients::trials,
    redirects::trials,
    replicas::trials,
    return_paths::trials,
    rotation::trials,
    rules::trials,
    same_request::trials,
    secrets::trials,
    shared_cluster::trials,
    shared_responses::trials,
    sign_out::trials,
    signin::trials,
    spellings::trials,
    thin_line::trials,
    unheard::trials,
    user_names::trials,
];

fn main() {
    let mut arguments = Arguments::from_args();
    // An Envoy and a simulator each: more at once would measure the machine, not the filter.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let mut trials: Vec<_> = TOPICS.iter().flat_map(|trials| trials()).collect();
    if std::env::var("DUO_MFA_E2E").is_ok_and(|part| part == "core") {
        trials.retain(is_core);
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list {
        println!("{} failure_cells={}", tally::summary(), failures::cells_held());
    }
    let failed = conclusion.has_failed() || tally::wrongly_admitted() != 0;
    std::process::exit(if failed { 101 } else { 0 });
}

fn is_core(trial: &Trial) -> bool {
    CORE.iter().any(|topic| trial.name().starts_with(topic))
}
