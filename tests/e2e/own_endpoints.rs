//! The filter's own endpoints: answered by it, whatever the client carries, and never forwarded.

use crate::message::Request;
use crate::setup::{DuoLink, Setup};
use crate::sim::eventually;
use crate::stack::Stack;

crate::trials![
    healthz_answers_without_a_second_factor,
    readyz_tells_whether_duo_answered,
    unknown_own_endpoints_are_404_and_never_forwarded,
];

fn healthz_answers_without_a_second_factor() {
    let stack = Stack::standard();
    let reply = stack.denied(&Request::get("/.duo-mfa/healthz").user("alice"));
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(stack.sim.user_calls(), 0);
}

fn readyz_tells_whether_duo_answered() {
    let ask = Request::get("/.duo-mfa/readyz").user("alice");
    let stack = Stack::standard();
    eventually("readiness", || (stack.denied(&ask).status == 200).then_some(()));
    let cut_off = Stack::start(Setup { duo_link: DuoLink::ClosedPort, ..Setup::default() });
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(cut_off.denied(&ask).status, 503);
}

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
