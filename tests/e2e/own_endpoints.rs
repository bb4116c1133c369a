//! The filter answers requests to its endpoints for every client, and never forwards them.

use serde_json::{Value, json};

use crate::message::Request;
use crate::setup::{DuoLink, Setup};
use crate::sim::eventually;
use crate::stack::Stack;

#[test]
fn healthz_answers_without_a_second_factor() {
    let stack = Stack::standard();
    let reply = stack.denied(&Request::get("/.duo-mfa/healthz").user("alice"));
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(stack.sim.user_calls(), 0);
}

#[test]
fn readyz_tells_whether_duo_answered() {
    let ask = Request::get("/.duo-mfa/readyz").user("alice");
    let stack = Stack::standard();
    eventually("readiness", || (stack.denied(&ask).status == 200).then_some(()));
    let cut_off = Stack::start(Setup { duo_link: DuoLink::ClosedPort, ..Setup::default() });
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(cut_off.denied(&ask).status, 503);
}

#[test]
fn each_of_two_configurations_in_a_vm_is_ready() {
    let setup = Setup::default();
    let first = setup.clone().plugin(json!({"mode": "off", "path_prefix": "/.first"}));
    // Another application at Duo, so that each has a separate health record.
    let second = setup.clone().plugin(json!({"duo": {"integration_key": "DIXXXXXXXXXXXXXXXXXX"}}));
    let stack = Stack::start_as(setup, |parts| {
        let of = |setup: &Setup| setup.envoy(parts.module, parts.app, parts.duo);
        let (mut envoy, mut other) = (of(&first), of(&second));
        let filter = filters(&mut other).remove(2);
        let chain = filters(&mut envoy);
        assert_eq!((&chain[2]["name"], &filter["name"]), (&"duo_mfa".into(), &"duo_mfa".into()));
        chain.insert(3, filter);
        envoy
    });
    let ask = Request::get("/.first/readyz").user("alice");
    eventually("readiness of the first", || (stack.denied(&ask).status == 200).then_some(()));
    let ask = Request::get("/.duo-mfa/readyz").user("alice");
    assert_eq!(stack.denied(&ask).status, 503);
}

fn filters(envoy: &mut Value) -> &mut Vec<Value> {
    let chain = &mut envoy["static_resources"]["listeners"][0]["filter_chains"][0];
    let filters = &mut chain["filters"][0]["typed_config"]["http_filters"];
    filters.as_array_mut().unwrap()
}

#[test]
fn unknown_own_endpoints_are_404_and_never_forwarded() {
    let stack = Stack::standard();
    let approval = stack.signed_in("alice");
    let targets = [
        "/.duo-mfa/",
        "/.duo-mfa/zzz",
        "/.duo-mfa/healthz/",
        "/.duo-mfa/healthz/x",
        "/.duo-mfa//healthz",
        "/.duo-mfa/../x",
        "/.duo-mfa/..%2fx",
        "/.duo-mfa/?x=1",
    ];
    for target in targets {
        for request in [
            Request::get(target).user("alice"),
            Request::get(target).user("alice").cookie(&approval),
        ] {
            let reply = stack.denied(&request);
            let expected =
                if matches!(target, "/.duo-mfa/" | "/.duo-mfa/?x=1") { 200..405 } else { 404..405 };
            assert!(expected.contains(&reply.status), "{target}: {reply:?}");
        }
    }
    for method in ["POST", "PUT", "DELETE"] {
        let reply = stack.denied(&Request::new(method, "/.duo-mfa/healthz").user("alice"));
        assert_eq!(reply.status, 405, "{method}: {reply:?}");
    }
}
