//! An Envoy that is killed, gets another listener, loses Duo's cluster, or whose module has a fault, while people sign in.
//! With few people these are ordinary tests; `make chaos` runs them with `SIGN_INS` (500), and prints the figures.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::crowd::{Report, endure, many};
use crate::discovery::{self, CLUSTER};
use crate::failures_midway::cluster_from_file;
use crate::filter::Host;
use crate::message::Request;
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::{Directory, Stack};

/// How many people sign in where the times do not matter.
const FEW: usize = 20;

fn of_file() -> Setup {
    Setup { listener_file: Some("listener.json".into()), ..Setup::default() }
}

fn assert_nothing_repeated(report: &Report) {
    assert_eq!(report.hung, 0);
    assert_eq!((report.pushed_again_by_page, report.pushed_again_by_program), (0, 0));
}

/// A part of the crowd answers while Envoy is away. The new process does not know the pushes. A page has its sign-in in a
/// cookie, but the second request of a program rings again.
fn envoy_is_killed(people: usize) {
    let mut stack = Stack::standard();
    let report = endure("Envoy killed", &mut stack, people, |stack, front| {
        stack.envoy.kill();
        front.answer(&stack.sim, people / 2);
        sleep(Duration::from_secs(1));
        stack.start_again();
        front.moved(stack.envoy.listener);
    });
    assert_eq!((report.hung, report.pushed_again_by_page), (0, 0));
    assert!(report.pushed_again_by_program <= report.programs, "{report:?}");
}

fn listener_is_replaced(people: usize) {
    let mut stack = Stack::start(of_file());
    let report = endure("Listener replaced", &mut stack, people, |stack, front| {
        for turn in 0..3 {
            front.answer(&stack.sim, people / 5);
            stack.reload(json!({"push": {"title": format!("Turn {turn}")}}));
        }
    });
    assert_nothing_repeated(&report);
}

/// Envoy closes the connections of a replaced listener after a second.
fn listener_is_replaced_at_once(people: usize) {
    let mut stack = Stack::start(Setup { drain_seconds: 1, ..of_file() });
    let report = endure("Listener replaced at once", &mut stack, people, |stack, front| {
        stack.reload(json!({"push": {"title": "Another"}}));
        front.answer(&stack.sim, people / 2);
        sleep(Duration::from_secs(2));
    });
    assert_nothing_repeated(&report);
}

fn duos_cluster_is_removed(people: usize) {
    let setup = Setup::default();
    let (given, mut file, mut cluster) = (setup.clone(), PathBuf::new(), Value::Null);
    let mut stack = Stack::start_as(setup, |parts| {
        file = parts.directory.join("clusters.json");
        let mut configuration = given.envoy(parts.module, parts.app, parts.duo);
        cluster = cluster_from_file(&mut configuration, &file);
        configuration
    });
    let report = endure("Duo's cluster removed", &mut stack, people, |stack, front| {
        let counted =
            |stack: &Stack, what: &str| stack.envoy.stat(&format!("cluster_manager.{what}"));
        let added = counted(stack, "cluster_added");
        discovery::write(&file, CLUSTER, &[]);
        eventually("no cluster", || (counted(stack, "cluster_removed") > 0).then_some(()));
        front.answer(&stack.sim, people / 2);
        sleep(Duration::from_secs(4));
        discovery::write(&file, CLUSTER, std::slice::from_ref(&cluster));
        eventually("a cluster", || (counted(stack, "cluster_added") > added).then_some(()));
    });
    assert_nothing_repeated(&report);
}

#[test]
fn sign_ins_outlive_an_envoy_that_is_killed() {
    envoy_is_killed(FEW);
}

#[test]
fn sign_ins_outlive_a_listener_that_is_replaced() {
    listener_is_replaced(FEW);
}

#[test]
fn sign_ins_outlive_a_listener_that_ends_at_once() {
    listener_is_replaced_at_once(FEW);
}

#[test]
fn sign_ins_outlive_the_loss_of_duos_cluster() {
    duos_cluster_is_removed(FEW);
}

#[test]
#[ignore = "takes a minute: make chaos"]
fn many_sign_ins_outlive_an_envoy_that_is_killed() {
    envoy_is_killed(many());
}

#[test]
#[ignore = "takes a minute: make chaos"]
fn many_sign_ins_outlive_listeners_that_are_replaced() {
    listener_is_replaced(many());
    listener_is_replaced_at_once(many());
}

#[test]
#[ignore = "takes a minute: make chaos"]
fn many_sign_ins_outlive_the_loss_of_duos_cluster() {
    duos_cluster_is_removed(many());
}

/// A build with a planted fault, which ends one worker's VM or, of the native module, one request.
#[test]
#[ignore = "needs a module with faults: make chaos"]
fn many_sign_ins_outlive_a_fault_of_the_module() {
    let folder = Directory::new();
    let mut setup = Setup::default();
    setup.set_variable("DUO_MFA_FAULTS", folder.0.to_str().unwrap());
    let mut stack = Stack::start(setup);
    let report = endure("Fault of the module", &mut stack, many(), |stack, front| {
        match Host::of_this_run() {
            Host::Wasm => {
                let fatal = Request::get("/").user("alice").header("x-duo-mfa-fault", "1");
                let reply = stack.connect().ask(&fatal);
                crate::say!("the request that ends the VM got {reply:?}");
                let log = "Uncaught RuntimeError: unreachable";
                eventually("the end of a VM", || stack.envoy.log().contains(log).then_some(()));
            }
            Host::Native => {
                let place = folder.0.join("callout_done");
                fs::write(&place, "").unwrap();
                eventually("the fault", || (!place.exists()).then_some(()));
            }
        }
        front.answer(&stack.sim, many() / 2);
        sleep(Duration::from_secs(1));
    });
    // Envoy answers the requests that an ended VM held only by its `stream_idle_timeout`.
    let held = if Host::of_this_run() == Host::Wasm { report.programs } else { 0 };
    assert!(report.hung <= held, "{report:?}");
    assert_eq!((report.pushed_again_by_page, report.pushed_again_by_program), (0, 0));
    if Host::of_this_run() == Host::Wasm {
        assert!(stack.envoy.damage().is_some_and(|it| it.contains("vm_reload_success: 1")));
        stack.envoy.kill();
        stack.start_again();
    }
}
