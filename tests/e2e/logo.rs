//! The account's logo from Duo: it is fetched in the background, and every client may see it.

use serde_json::json;

use crate::filter::Host;
use crate::message::Request;
use crate::setup::{FirstFactor, Setup};
use crate::sim::eventually;
use crate::stack::Stack;

/// A setup without a first factor.
fn open() -> Setup {
    Setup { first_factor: FirstFactor::Absent, ..Setup::default() }
}

fn start() -> Stack {
    Stack::start(open().plugin(json!({"branding": {"logo": "duo"}})))
}

fn logo() -> Request {
    Request::get("/.duo-mfa/logo")
}

/// How often the logo is fetched. A wasm module does so in each VM: one of each worker, and one of the
/// main thread. All workers of a native module share the picture.
fn fetches() -> usize {
    match Host::of_this_run() {
        Host::Wasm => usize::try_from(open().workers).unwrap() + 1,
        Host::Native => 1,
    }
}

/// Waits until the logo has been fetched.
fn await_fetched(stack: &Stack) {
    eventually("the calls", || (stack.sim.calls("logo") == fetches()).then_some(()));
    std::thread::sleep(std::time::Duration::from_millis(300));
}

#[test]
fn duos_picture_is_served_without_a_session() {
    let stack = start();
    await_fetched(&stack);
    let reply = stack.denied(&logo());
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.body, include_bytes!("../../src/bin/duo-sim/logo.png"));
    for (name, value) in [
        ("content-type", "image/png"),
        ("cache-control", "private, max-age=3600"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(reply.header(name), Some(value), "{reply:?}");
    }
    assert_eq!(stack.denied(&Request::new("HEAD", "/.duo-mfa/logo")).status, 200);
}

#[test]
fn requests_for_the_picture_make_no_calls() {
    let stack = start();
    await_fetched(&stack);
    for _ in 0..200 {
        assert_eq!(stack.denied(&logo()).status, 200);
    }
    assert_eq!(stack.sim.calls("logo"), fetches());
}

#[test]
fn picture_that_duo_does_not_give_is_404() {
    let script = "<svg onload='alert(1)'/>";
    for fault in [
        json!({"endpoint": "logo", "kind": "raw", "status": 200, "body": script}),
        json!({"endpoint": "logo", "kind": "fail", "code": 40401}),
        json!({"endpoint": "logo", "kind": "truncated"}),
    ] {
        let listener_file = Some("listener.json".into());
        let mut stack = Stack::start(Setup { listener_file, ..open() });
        stack.sim.fault(&fault);
        stack.reload(json!({"branding": {"logo": "duo"}}));
        await_fetched(&stack);
        for _ in 0..20 {
            let reply = stack.denied(&logo());
            reply.assert_problem(404, "not_found");
            assert_eq!(reply.header("cache-control"), Some("private, max-age=60"), "{fault}");
        }
        let said = stack.envoy.log();
        assert!(said.contains("branding.logo: Duo's picture of the account"), "{fault}: {said}");
    }
}
