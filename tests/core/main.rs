//! Tests without Envoy: whole flows of the core, and the repository's own rules.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test ends by panicking, and the run by a line of counts"
)]

mod admission;
mod aliases;
mod any_client;
mod applications;
mod binding;
mod browser;
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
mod foreign_forms;
mod forms;
mod hold;
mod identities;
mod judgements;
mod layers;
mod limits;
mod logo;
mod model;
mod modes;
mod operation;
mod operations;
mod outage;
mod page;
mod pending;
mod per_client;
mod phone_texts;
mod policy;
mod readme;
mod replay;
mod rig;
mod same_request;
mod sign_out;
mod signin;
mod terms;
mod unheard;
mod universal_vectors;
mod ways;

use libtest_mimic::{Arguments, Conclusion};
use std::process::ExitCode;

/// Lists the tests of a module, so that the run knows them by name.
#[macro_export]
macro_rules! suite {
    ($($name:ident),* $(,)?) => {
        pub(crate) fn trials() -> Vec<libtest_mimic::Trial> {
            vec![$(libtest_mimic::Trial::test(
                concat!(module_path!(), "::", stringify!($name)).trim_start_matches("core::"),
                || { $name(); Ok(()) },
            )),*]
        }
    };
}

fn main() -> ExitCode {
    let trials = [
        admission::trials(),
        any_client::trials(),
        aliases::trials(),
        applications::trials(),
        applications::config::trials(),
        applications::visits::trials(),
        binding::trials(),
        client_kinds::trials(),
        codes::trials(),
        config_faults::trials(),
        config_faults::per_client::trials(),
        conversations::trials(),
        cookies::trials(),
        docs::trials(),
        duo_vectors::trials(),
        enroll::trials(),
        factor_refusals::trials(),
        failures::trials(),
        faults::trials(),
        foreign_forms::trials(),
        forms::trials(),
        hold::trials(),
        identities::trials(),
        judgements::trials(),
        layers::trials(),
        limits::trials(),
        logo::trials(),
        model::trials(),
        modes::trials(),
        operation::trials(),
        operation::ahead::trials(),
        operation::share::trials(),
        operations::trials(),
        outage::trials(),
        page::trials(),
        pending::trials(),
        per_client::trials(),
        per_client::at_once::trials(),
        per_client::ends::trials(),
        per_client::model::trials(),
        per_client::terms::trials(),
        phone_texts::trials(),
        policy::trials(),
        policy::denials::trials(),
        policy::overrides::trials(),
        policy::readers::trials(),
        policy::views::trials(),
        readme::trials(),
        replay::trials(),
        sign_out::trials(),
        same_request::trials(),
        signin::trials(),
        terms::trials(),
        universal_vectors::trials(),
        universal_vectors::answers::trials(),
        universal_vectors::id_tokens::trials(),
        universal_vectors::signed::trials(),
        unheard::trials(),
        ways::trials(),
    ];
    let conclusion: Conclusion =
        libtest_mimic::run(&Arguments::from_args(), trials.into_iter().flatten().collect());
    println!("core: {}", rig::counts());
    if rig::wrongly_admitted_so_far() == 0 { conclusion.exit_code() } else { ExitCode::FAILURE }
}
