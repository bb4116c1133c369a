//! The signed assertion at those who verify it: another Envoy, what Istio makes of its resources, and applications in Python,
//! Node and Rust, by the files of `examples/assertion`. Each accepts what the filter has signed and refuses every forgery.

mod cases;
mod istio;
mod programs;
mod rotation;
mod sidecar;

use std::fs;
use std::path::PathBuf;

use duo_mfa::hex::hex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::app::Seen;
use crate::message::Request;
use crate::resources::root;
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::Stack;
use cases::{AUDIENCE, Genuine, HASTY, HEADER, ISSUER, Key, NEW, OLD, PAYMENT, REPORTS, Received};
use sidecar::Sidecar;

/// A setup whose filter signs with the first of these keys, and publishes them all to everybody.
fn under(keys: &[&Key]) -> Setup {
    let rules = json!([
        {"paths": ["/payments"], "policy": "two_factor", "approval": "per_request"},
        {"paths": ["/admin/*"], "policy": "two_factor", "max_age": "5m", "name": "fresh"},
    ]);
    let mut setup =
        Setup { listener_file: Some(PathBuf::from("listeners.json")), ..Setup::default() }
            .stopping_at_headers(1 << 20)
            .plugin(json!({"access_control": {"rules": rules}, "request_bodies": true}))
            .plugin(of_keys(keys))
            .plugin(json!({"assertion": {"issuer": ISSUER, "audience": AUDIENCE}}));
    for key in [&OLD, &NEW, &HASTY] {
        setup.set_variable(key.variable, &key.secret());
    }
    setup.manager = json!({"route_config": {"virtual_hosts": [{
        "name": "app",
        "domains": ["*"],
        "routes": [
            keys_route(),
            {"match": {"prefix": "/"}, "route": {"cluster": "app", "timeout": "60s"}},
        ],
    }]}});
    setup
}

/// The route for the public keys, as the example's page has it.
fn keys_route() -> Value {
    let page = shipped("README.md");
    let (_, route) = page.split_once("```yaml file=jwks-route\n").unwrap();
    let mut routes: Value = serde_saphyr::from_str(route.split_once("```").unwrap().0).unwrap();
    routes[0].take()
}

/// The part of the plugin configuration that names the keys.
fn of_keys(keys: &[&Key]) -> Value {
    let keys: Vec<_> = keys.iter().map(|key| json!({"env": key.variable})).collect();
    json!({"assertion": {"keys": keys}})
}

/// An Envoy with the filter, and behind it another one that demands the assertion in front of the application.
struct Chain {
    stack: Stack,
    sidecar: Sidecar,
}

impl Chain {
    fn start(keys: &[&Key]) -> Self {
        let (setup, mut sidecar) = (under(keys), None);
        let given = setup.clone();
        let stack = Stack::start_as(setup, |parts| {
            let configuration = sidecar::example(parts.app);
            let behind = sidecar.insert(Sidecar::start(parts.directory, configuration));
            given.with_files_in(parts.directory).envoy(
                parts.module,
                behind.envoy.listener,
                parts.duo,
            )
        });
        let sidecar = sidecar.expect("it has started");
        sidecar.lead_to(stack.envoy.listener);
        sidecar.await_keys();
        Self { stack, sidecar }
    }
}

/// The assertion of a request as the application received it.
fn assertion(seen: &Seen) -> String {
    let values = seen.values(HEADER);
    let [assertion] = &values[..] else { panic!("{values:?}") };
    assertion.clone()
}

/// The assertion of a request with alice's approval.
fn of_session(stack: &Stack, approval: &str, received: &Received) -> String {
    let (_, seen) = stack.admitted(&received.request().user("alice").cookie(approval));
    assertion(&seen)
}

/// The assertion of [`PAYMENT`], which alice approves ahead, with its body.
fn of_payment(stack: &Stack) -> String {
    let hash = hex(&Sha256::digest(PAYMENT.body));
    let query = format!("method=POST&return_to=%2Fpayments%3Fto%3D7&body_sha256={hash}");
    let auth = Request::post(format!("/.duo-mfa/auth?factor=push&device=auto&{query}"));
    let alice = |request: Request| request.user("alice").header("host", PAYMENT.host);
    let begun = stack.denied(&alice(auth).header("content-length", "0"));
    assert_eq!(begun.status, 202, "{}", begun.text());
    let transaction = |state: &Value| state["transaction"].as_str().unwrap().to_owned();
    stack.sim.answer("alice", "approve");
    let pending = transaction(&begun.json());
    let ask = alice(Request::get("/.duo-mfa/status")).header("x-duo-mfa-transaction", pending);
    let state = eventually("the approval", || {
        let state = stack.denied(&ask).json();
        (state["state"] != "waiting").then_some(state)
    });
    let request = PAYMENT.request().user("alice");
    let request = request.header("x-duo-mfa-transaction", transaction(&state));
    let (_, seen) = stack.admitted(&request);
    assert!(seen.carries(PAYMENT.body.as_bytes()));
    assertion(&seen)
}

/// Has alice sign in and pay, and the filter change its key. `meanwhile` gets an assertion of the first key while that is
/// published. `changed` waits until the sidecar, if there is one, knows the other key.
fn genuine(
    stack: &mut Stack,
    meanwhile: impl FnOnce(&Stack, &str),
    changed: impl FnOnce(),
) -> Genuine {
    let approval = stack.signed_in("alice");
    let removed = of_session(stack, &approval, &REPORTS);
    meanwhile(stack, &removed);
    stack.reload(of_keys(&[&NEW]));
    changed();
    let session = of_session(stack, &approval, &REPORTS);
    let payment = of_payment(stack);
    assert!(cases::claims(&session)["method"].is_null());
    Genuine { approval, session, payment, removed }
}

/// A file of `examples/assertion`.
fn shipped(name: &str) -> String {
    fs::read_to_string(root().join("examples/assertion").join(name)).unwrap()
}

/// The counts of a verifier.
#[derive(Default)]
struct Counts {
    accepted: usize,
    refused: usize,
    not_checked: Vec<&'static str>,
}

impl Counts {
    fn print(&self, verifier: &str) {
        let Self { accepted, refused, not_checked } = self;
        crate::say!(
            "verifier {verifier}: accepted={accepted} refused={refused} not_checked={not_checked:?}"
        );
        assert!(*accepted >= 2 && *refused >= 10, "{verifier}");
    }
}
